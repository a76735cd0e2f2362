//! What several people have to approve: the request as text, a signature over exactly this text by each of them, and
//! whether enough different people signed.
//!
//! This crate is pure: it reads no clock, draws no randomness and does no I/O. It holds no private key; it only checks
//! signatures. Whoever has a request, its approvals and the keys of those who may approve can judge it: the node, an
//! administrator's own computer, an auditor years later. `docs/formats.md` has the text byte by byte.
//!
//! | module | one sentence |
//! |---|---|
//! | `request` | the request, its one canonical text, and nothing else reads as one |
//! | `approval` | a signature over that text, and the keys that it may be made with |
//! | `signed` | a request with its approvals, the file that goes from hand to hand, and the decision |
//! | `ceremony` | the record of a ceremony as text, which its custodians sign |

mod approval;
mod ceremony;
pub mod limits;
mod request;
mod signed;

pub use approval::{Approval, Approver, Fingerprint, KeyKind, NotAKey, public_key_info};
pub use ceremony::{Act, CeremonyFault, CeremonyMember, CeremonyRecord, SignedCeremony};
pub use request::{Request, RequestError};
pub use signed::{SignedRequest, Undecided};
