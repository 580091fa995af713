//! Tools to test backends, and programs that use them. Feature `testing`; not yet a stable interface.
//!
//! [`conformance`] is the contract of [`Cache`](crate::Cache) as functions that anybody's backend can call;
//! [`Plain`] a backend as simple as can be; [`Remote`] a wrapper that answers late and holds bytes.

mod coherent;
pub mod conformance;
mod plain;
mod remote;

pub use coherent::{Cause, Coherence, Incoherence, Pause, check_coherent, pause};
pub(crate) use coherent::{adopt, stand_aside, watched};
pub use plain::Plain;
pub use remote::Remote;
