//! What an audit record is, the Merkle tree over records, its proofs, signed checkpoints, and the bundle that a tenant
//! can verify offline.
//!
//! This crate is pure: it reads no clock, draws no randomness and does no I/O beyond the `Read` and `Write` handed to
//! it. It never holds a private key; checkpoints are signed elsewhere and only checked here. `docs/formats.md` has
//! every format byte by byte.

pub mod about;
pub mod backup;
pub mod bundle;
mod checkpoint;
pub mod destruction;
mod ecdsa;
pub mod event;
mod evidence;
mod filter;
mod key;
pub mod limits;
mod log;
pub mod paper;
mod proof;
mod record;
pub mod retention;
pub mod siem;
pub mod tiles;
mod tree;
pub mod witness;

pub use checkpoint::{Checkpoint, NoteError, NoteSignature, SignedCheckpoint};
pub use ecdsa::{SignatureError, der_from_fixed, fixed_from_der};
pub use evidence::{Claim, EvidenceError, Shown, verify_proof, write_proof};
pub use filter::Filter;
pub use key::{KeyError, PublicKey, TrustedKeys};
pub use log::{LogId, UnknownLog};
pub use proof::{
    ProofError, consistency_proof, consistency_ranges, inclusion_proof, inclusion_ranges, verify_consistency,
    verify_inclusion,
};
pub use record::{Identity, Outcome, Record, RecordError, bounded_text};
pub use tree::{Hash, Tree, TreeError, leaf_hash, node_hash, right_cover, right_edge, root_of};
