//! Tools to test backends, and programs that use them. Feature `testing`; not yet a stable interface.
//!
//! [`conformance`] is the contract of [`Cache`](crate::Cache) as functions that anybody's backend can call;
//! [`model`] the same as a property test;
//! [`check_coherent`] finds the invalidation that a program forgets; [`Faulty`] a backend that fails by script;
//! [`Timer`] is for clocks by a time of your own; [`Plain`] a backend as simple as can be; [`Remote`] a wrapper that answers late and holds bytes.

mod coherent;
pub mod conformance;
mod faulty;
pub mod model;
mod plain;
mod remote;

pub use crate::clock::Timer;
pub use coherent::{Cause, Coherence, Incoherence, Pause, check_coherent, pause};
pub(crate) use coherent::{adopt, stand_aside, watched};
pub use faulty::{Fault, Faulty, Op};
pub use plain::Plain;
pub use remote::Remote;
