//! What a ceremony leaves on paper: which members hold which Root of Trust, what each refused, and the escrow.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::attack::Attempt;
use super::escrow::EscrowBlob;
use super::share::SealedShare;
use crate::trust::TrustAnchor;

/// The report of a ceremony. Public, but for the escrow: blob and shares together make the Root of Trust, so each goes
/// to a place of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Protocol {
    /// Whether the Root of Trust was there already and was only verified.
    pub kept: bool,
    /// Each member, in the order of the group.
    pub members: Vec<MemberProtocol>,
    /// What a node pins from now on.
    pub trust_anchor: TrustAnchor,
    /// Made together with a new Root of Trust; `None` where an old one was kept.
    #[serde(skip)]
    pub escrow: Option<Escrow>,
}

/// What happened on one member.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MemberProtocol {
    /// The token's label.
    pub label: String,
    /// Fingerprint of its Root of Trust.
    #[serde(with = "hex::serde")]
    pub fingerprint: [u8; 32],
    /// Its signing key for checkpoints: P-256 point, SEC 1 uncompressed.
    #[serde(with = "hex::serde")]
    pub checkpoint_key: [u8; 65],
    /// What was tried on its keys; all of it was refused.
    pub attempts: Vec<Attempt>,
}

/// The Root of Trust under the escrow key, and the escrow key in shares.
#[derive(Clone, Debug)]
pub struct Escrow {
    /// The wrapped Root of Trust. Kept apart from the store and its backups.
    pub blob: EscrowBlob,
    /// One for each custodian.
    pub shares: Vec<SealedShare>,
    /// Whether the system granted locked memory for the escrow key and its shares.
    pub memory_locked: bool,
}

impl Protocol {
    /// Writes `protocol.json`, and with an escrow `escrow-blob.json` and `share-<custodian>.json`, into `folder`,
    /// which is made if it is missing. Files are readable by their owner only; when this returns, they are on disk.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        if let Some(escrow) = &self.escrow {
            write_durably(folder, "escrow-blob.json", &escrow.blob)?;
            for share in &escrow.shares {
                write_durably(folder, &format!("share-{}.json", share.custodian), share)?;
            }
        }
        write_durably(folder, "protocol.json", self)?;
        File::open(folder)?.sync_all()
    }
}

/// Beside the old file, then in its place: a ceremony that is interrupted leaves whole files only.
fn write_durably(folder: &Path, name: &str, value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    let beside = folder.join(format!("{name}.new"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(beside, folder.join(name))
}
