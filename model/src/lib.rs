//! The protocol of two tiers over one Redis, as models small enough to be checked exhaustively. See `docs/protocol.md`.

pub mod check;
pub mod echo;
pub mod fill;
pub mod invalidate;
pub mod lease;
pub mod near;
pub mod reconnect;
pub mod tag;
