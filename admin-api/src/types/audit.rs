//! What lets an outsider check the audit log: keys and signed heads.

use serde::{Deserialize, Serialize};

use super::text::Fingerprint;

/// The public keys under which checkpoints are signed. To be kept outside the KMS, from the ceremony's protocol;
/// fetching it from the server that is to be checked proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustAnchor {
    /// Fingerprint of the Root of Trust.
    pub root_of_trust: Fingerprint,
    /// One key per HSM member.
    pub checkpoint_keys: Vec<CheckpointKey>,
}

/// The public half of a member's checkpoint key, ECDSA on P-256.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointKey {
    /// Label of the HSM member.
    pub member: String,
    /// The key as verifiers of signed notes read it: `<name>+<key id>+<base64>` (C2SP signed-note).
    pub verifier_key: String,
}

/// The signed head of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// `system`, or the identifier of a domain.
    pub log: String,
    /// Records in the log.
    pub size: u64,
    /// The signed note (C2SP tlog-checkpoint).
    pub note: String,
}
