//! The two forms in which key bytes exist: [`Secret`], in clear and wiped when dropped, and [`Sealed`], unreadable
//! without the HSM.
//!
//! They are different types on purpose. What is stored takes only `Sealed`; what a request works on takes only
//! `Secret`; a mix-up does not compile. Neither converts into the other outside the `hsm` crate.

mod clear;
mod sealed;
mod stack;

pub use clear::Secret;
pub use sealed::{Algorithm, DomainId, DomainKeyVersion, EnvelopeError, MAX_ENVELOPE_LEN, Sealed};
pub use stack::wiped_after;
