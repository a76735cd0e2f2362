//! What a node pins about its HSM group: which Root of Trust, and which keys sign checkpoints.

use serde::{Deserialize, Serialize};

/// Which Root of Trust the group holds and whose signatures on checkpoints count. Public; the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustAnchor {
    /// SHA-256 of a constant wrapped under the Root of Trust; equal on all members. Hexadecimal in text formats.
    #[serde(with = "hex::serde")]
    pub rot_fingerprint: [u8; 32],
    /// One key per member, in the order of the group.
    pub checkpoint_keys: Vec<CheckpointKey>,
}

/// The public half of a member's signing key for checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointKey {
    /// The member's label.
    pub member: String,
    /// P-256 point, SEC 1 uncompressed. Hexadecimal in text formats.
    #[serde(with = "hex::serde")]
    pub public_key: [u8; 65],
}

impl TrustAnchor {
    /// The checkpoint key of `member`, if it is pinned.
    #[must_use]
    pub fn checkpoint_key(&self, member: &str) -> Option<&[u8; 65]> {
        self.checkpoint_keys.iter().find(|key| key.member == member).map(|key| &key.public_key)
    }
}
