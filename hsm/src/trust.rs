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
    /// Keys of members that were replaced or removed: what they signed stays valid, and no member has them any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired_keys: Vec<CheckpointKey>,
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

    /// Pins `public_key` as that of `member`. The one it had before, if another, is retired.
    pub fn pin(&mut self, member: &str, public_key: [u8; 65]) {
        if self.checkpoint_key(member) == Some(&public_key) {
            return;
        }
        self.retire(member);
        self.checkpoint_keys.push(CheckpointKey { member: member.to_owned(), public_key });
    }

    /// Retires the key of `member`, if one is pinned.
    pub fn retire(&mut self, member: &str) {
        let retired = self.checkpoint_keys.extract_if(.., |key| key.member == member);
        self.retired_keys.extend(retired);
    }

    /// The keys under which checkpoints are accepted: those in use first.
    pub fn verifying_keys(&self) -> impl Iterator<Item = &CheckpointKey> {
        self.checkpoint_keys.iter().chain(&self.retired_keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_member_signs_with_its_new_key_and_its_old_one_still_verifies() {
        let mut anchor =
            TrustAnchor { rot_fingerprint: [1; 32], checkpoint_keys: Vec::new(), retired_keys: Vec::new() };
        anchor.pin("PAR7S", [1; 65]);
        anchor.pin("TH3S", [2; 65]);
        let before = anchor.clone();
        anchor.pin("PAR7S", [1; 65]);
        assert_eq!(anchor, before);
        anchor.pin("PAR7S", [3; 65]);
        assert_eq!(anchor.checkpoint_key("PAR7S"), Some(&[3; 65]));
        anchor.retire("TH3S");
        assert_eq!(anchor.checkpoint_key("TH3S"), None);
        let keys: Vec<u8> = anchor.verifying_keys().map(|key| key.public_key[0]).collect();
        assert_eq!(keys, [3, 1, 2]);
    }
}
