//! The trust chain inside PKCS#11: a Root of Trust on three HSM members, Domain Keys wrapped by it, seal and open under
//! a Domain Key.
//!
//! ```text
//!  ceremony ── makes ──► Root of Trust (token object on every member, never leaves)
//!                              │ AES-KW
//!  Group ── create ──────► Domain Key (blob in the store; session object on each member when first needed)
//!    │                         │ AES-256-GCM inside the HSM, bound to header ‖ facts
//!    ├── seal, open ─────► Sealed (in the store)  ⇄  Secret (in the memory of one request)
//!    └── key pair ───────► born as session objects, wrapped out under a one-time key, checked, nothing left behind
//! ```
//! A **member** is one token behind one loaded module: its own copy of the library, so that it can be finalized and
//! initialized again without touching the others. Its life is a sequence of **epochs**; no handle outlives its epoch.
//! A **group** is the members in their order of preference, with failover inside each call.
//!
//! Invariants: a Domain Key that is not found is imported from its blob or is a fault, never generated; key bytes are
//! never read out of an object, only decrypted or wrapped out; a wrong PIN is never tried twice; a member is up only while its Root of
//! Trust answers; nothing outside this crate names `cryptoki`.

mod breaker;
mod closed;
mod config;
mod domain_key;
mod error;
mod group;
mod handles;
mod key_pair;
mod lane;
mod limits;
mod member;
mod module;
mod raw;
mod seal;
mod status;
mod template;
mod token;
mod trust;
mod workers;

pub mod ceremony;
#[cfg(feature = "fault")]
pub mod fault;

#[cfg(test)]
#[path = "../tests/support/mod.rs"]
#[expect(dead_code, reason = "the rig of the contract suite, which uses all of it")]
mod support;

pub use breaker::BreakerState;
pub use config::{GroupConfig, MemberConfig, Vendor};
pub use domain_key::{DomainKey, DomainKeyError};
pub use error::{ErrorClass, HsmError};
pub use group::{Answer, Group, Signature};
pub use key_pair::{EcCurve, GeneratedKeyPair};
pub use status::MemberStatus;
pub use trust::{CheckpointKey, TrustAnchor};
