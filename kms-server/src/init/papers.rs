//! What a ceremony leaves on disk: shares, escrow blob, protocol, trust anchor.
//!
//! They are written under pending names before any member's Root of Trust is marked complete, and renamed once all are.
//! The trust anchor is renamed last, so that where it has its own name, all have.

use std::io;
use std::path::{Path, PathBuf};

use hsm::ceremony::Protocol;
use hsm::{CheckpointKey, TrustAnchor};
use serde::Serialize;

use super::InitError;
use crate::config::{CeremonyConfig, CustodianConfig};
use crate::durable::{self, with_suffix};

/// The largest of the papers is the protocol: some hundred bytes per member and attack.
pub(crate) const MAX_PAPER_BYTES: usize = 1 << 20;

/// The papers of the ceremony and their places.
pub(crate) struct Papers<'a> {
    config: &'a CeremonyConfig,
}

impl<'a> Papers<'a> {
    pub(super) fn of(config: &'a CeremonyConfig) -> Self {
        Self { config }
    }

    /// Whether an earlier run completed the ceremony and its papers.
    pub(super) fn are_filed(&self) -> bool {
        self.config.trust_anchor.exists()
    }

    /// Every paper, in the order of renaming.
    fn places(&self) -> impl Iterator<Item = &Path> {
        let shares = self.config.custodians.iter().map(|custodian| custodian.share.as_path());
        shares.chain([self.config.escrow_blob.as_path(), &self.config.protocol, &self.config.trust_anchor])
    }

    /// Puts the papers of a new Root of Trust on disk, under pending names.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] where a paper of a completed ceremony is in its place: the members are blank,
    /// but somewhere there is, or was, a Root of Trust to which that paper belongs.
    pub(super) fn deliver(&self, protocol: &Protocol) -> io::Result<()> {
        if let Some(path) = self.places().find(|path| path.exists()) {
            let text = format!(
                "{} belongs to another Root of Trust, which none of these tokens holds; are these the right tokens? \
                 If so, move it away first",
                path.display()
            );
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
        let escrow = protocol.escrow.as_ref().ok_or_else(|| io::Error::other("a new Root of Trust without escrow"))?;
        for share in &escrow.shares {
            let place = self.share_of(&share.custodian).ok_or_else(|| io::Error::other("a share of nobody"))?;
            write(place, share)?;
        }
        write(&self.config.escrow_blob, &escrow.blob)?;
        write(&self.config.protocol, protocol)?;
        write(&self.config.trust_anchor, &protocol.trust_anchor)
    }

    /// Gives the papers their names, after every member is complete. Where they have them, checks that they are of this
    /// Root of Trust.
    pub(super) fn file(&self, protocol: &Protocol) -> Result<(), InitError> {
        let anchor_path = &self.config.trust_anchor;
        let filed = read_anchor(anchor_path)?;
        let waiting = read_anchor(&pending(anchor_path))?;
        match (&filed, &waiting) {
            (Some(anchor), _) | (None, Some(anchor)) if !is_of(anchor, &protocol.trust_anchor) => {
                return Err(InitError::content(anchor_path, "it is of another Root of Trust than the members hold"));
            }
            (None, None) => {
                // Lost with the file system it was on, or taken away: all of it can be read from the members.
                write(&self.config.protocol, protocol).map_err(InitError::file(&self.config.protocol))?;
                write(anchor_path, &protocol.trust_anchor).map_err(InitError::file(anchor_path))?;
            }
            _ => {}
        }
        for place in self.places() {
            let from = pending(place);
            if from.exists() {
                durable::rename(&from, place).map_err(InitError::file(place))?;
            }
        }
        Ok(())
    }

    fn share_of(&self, custodian: &str) -> Option<&'a Path> {
        let found = |config: &&'a CustodianConfig| config.name == custodian;
        self.config.custodians.iter().find(found).map(|config| config.share.as_path())
    }
}

/// Whether `anchor` pins what the members hold. It may pin more: the keys of members that were replaced or removed.
fn is_of(anchor: &TrustAnchor, held: &TrustAnchor) -> bool {
    let pinned = |key: &CheckpointKey| anchor.checkpoint_key(&key.member) == Some(&key.public_key);
    anchor.rot_fingerprint == held.rot_fingerprint && held.checkpoint_keys.iter().all(pinned)
}

fn pending(path: &Path) -> PathBuf {
    with_suffix(path, ".pending")
}

fn write(place: &Path, paper: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(paper)?;
    text.push(b'\n');
    durable::write(&pending(place), &text, 0o600)
}

pub(crate) fn read_anchor(path: &Path) -> Result<Option<TrustAnchor>, InitError> {
    let Some(bytes) = durable::read(path, MAX_PAPER_BYTES).map_err(InitError::file(path))? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| InitError::content(path, error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use hsm::ceremony::{Escrow, EscrowBlob, SealedShare, SealedTo};

    use super::*;
    use crate::config::ShareSeal;

    fn config(folder: &Path) -> CeremonyConfig {
        let custodian = |name: &str| CustodianConfig {
            name: name.to_owned(),
            seal: ShareSeal::Passphrase(PathBuf::new()),
            share: folder.join(format!("custodians/{name}.share")),
        };
        CeremonyConfig {
            threshold: 2,
            protocol: folder.join("ceremony/protocol.json"),
            trust_anchor: folder.join("ceremony/trust-anchor.json"),
            escrow_blob: folder.join("escrow/blob"),
            records: folder.join("ceremony"),
            custodians: vec![custodian("ada"), custodian("bob")],
        }
    }

    /// As a ceremony makes it; `kept` as a later one finds it.
    fn protocol(fingerprint: u8, kept: bool) -> Protocol {
        let rot_fingerprint = [fingerprint; 32];
        let share = |custodian: &str| SealedShare {
            custodian: custodian.to_owned(),
            rot_fingerprint,
            threshold: 2,
            signing_key: vec![0],
            sealed_to: SealedTo::Passphrase { memory_kib: 1, passes: 1, lanes: 1, salt: [0; 16] },
            iv: [0; 12],
            ciphertext: vec![fingerprint],
        };
        let escrow = Escrow {
            blob: EscrowBlob { rot_fingerprint, wrapped: [fingerprint; 40], threshold: 2 },
            shares: vec![share("ada"), share("bob")],
            memory_locked: true,
        };
        let key = CheckpointKey { member: "PAR7S".to_owned(), public_key: [4; 65] };
        Protocol {
            kept,
            members: Vec::new(),
            trust_anchor: TrustAnchor { rot_fingerprint, checkpoint_keys: vec![key], retired_keys: Vec::new() },
            escrow: (!kept).then_some(escrow),
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names = Vec::new();
        for sub in ["ceremony", "custodians", "escrow"] {
            for entry in fs::read_dir(folder.join(sub)).into_iter().flatten() {
                let entry = entry.unwrap();
                assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
                names.push(entry.file_name().into_string().unwrap());
            }
        }
        names.sort();
        names
    }

    const FILED: [&str; 5] = ["ada.share", "blob", "bob.share", "protocol.json", "trust-anchor.json"];

    #[test]
    fn papers_have_their_names_once_the_members_are_complete() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let papers = Papers::of(&config);
        papers.deliver(&protocol(1, false)).unwrap();
        assert!(!papers.are_filed());
        assert_eq!(names(folder.path()), FILED.map(|name| format!("{name}.pending")));
        papers.file(&protocol(1, false)).unwrap();
        assert!(papers.are_filed());
        assert_eq!(names(folder.path()), FILED);
        // And a second run changes nothing.
        papers.file(&protocol(1, true)).unwrap();
        assert_eq!(names(folder.path()), FILED);
    }

    #[test]
    fn a_ceremony_that_was_not_completed_may_be_held_anew() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let papers = Papers::of(&config);
        papers.deliver(&protocol(1, false)).unwrap();
        papers.deliver(&protocol(2, false)).unwrap();
        papers.file(&protocol(2, false)).unwrap();
        assert_eq!(read_anchor(&config.trust_anchor).unwrap().unwrap().rot_fingerprint, [2; 32]);
    }

    #[test]
    fn an_interruption_among_the_renames_is_made_good() {
        for renamed in 0..FILED.len() {
            let folder = tempfile::tempdir().unwrap();
            let config = config(folder.path());
            let papers = Papers::of(&config);
            papers.deliver(&protocol(1, false)).unwrap();
            for place in papers.places().take(renamed) {
                fs::rename(pending(place), place).unwrap();
            }
            papers.file(&protocol(1, true)).unwrap();
            assert_eq!(names(folder.path()), FILED, "{renamed} renamed before");
        }
    }

    #[test]
    fn the_papers_of_a_completed_ceremony_are_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let papers = Papers::of(&config);
        papers.deliver(&protocol(1, false)).unwrap();
        papers.file(&protocol(1, false)).unwrap();
        for gone in ["", "ceremony/trust-anchor.json"] {
            if !gone.is_empty() {
                fs::remove_file(folder.path().join(gone)).unwrap();
            }
            let refused = papers.deliver(&protocol(2, false)).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        }
        let blob: EscrowBlob = serde_json::from_slice(&fs::read(&config.escrow_blob).unwrap()).unwrap();
        assert_eq!(blob.rot_fingerprint, [1; 32]);
    }

    #[test]
    fn members_with_another_root_of_trust_than_the_anchor_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let papers = Papers::of(&config);
        papers.deliver(&protocol(1, false)).unwrap();
        assert!(matches!(papers.file(&protocol(2, true)), Err(InitError::Content { .. })));
        papers.file(&protocol(1, false)).unwrap();
        assert!(matches!(papers.file(&protocol(2, true)), Err(InitError::Content { .. })));
    }

    #[test]
    fn a_lost_anchor_is_read_from_the_members_again_and_the_escrow_is_not_made_up() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        Papers::of(&config).file(&protocol(1, true)).unwrap();
        assert_eq!(names(folder.path()), ["protocol.json", "trust-anchor.json"]);
    }
}
