//! The papers of a backup: its manifest, and the report of having opened everything in it.
//!
//! Both are signed in the HSM and verified with public keys alone ([`crate::paper`]); `docs/formats.md` has the fields.

use serde::{Deserialize, Serialize};

use crate::paper::Paper;

/// What a backup holds, signed when it was taken, after it had been proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name and version of the format.
    backup: String,
    /// Name of the installation.
    pub kms: String,
    /// Identifier of the backup.
    pub id: String,
    /// Identifier of the one domain that it holds; absent where it holds all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// When it was taken, RFC 3339.
    pub taken: String,
    /// Until when it is to be kept, and destroyed then, RFC 3339.
    pub until: String,
    /// Fingerprint of the Root of Trust that opens it, in hex.
    pub root_of_trust: String,
    /// Bytes of the file in front of the manifest.
    pub bytes: u64,
    /// SHA-256 of these bytes, in hex.
    pub sha256: String,
    /// What is in it.
    pub domains: Vec<CopiedDomain>,
}

/// A domain in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopiedDomain {
    /// Its identifier.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `active`, `frozen` or `destroyed`, when the backup was taken.
    pub state: String,
    /// Records in its log.
    pub records: u64,
    /// Root of its log's tree, in hex.
    pub root: String,
    /// What was tried and found.
    pub proof: DomainProof,
}

/// What came of trying to open everything that a domain has in a backup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainProof {
    /// Objects in it, destroyed ones too.
    pub objects: u64,
    /// Objects that have sealed bytes.
    pub sealed: u64,
    /// Those that the HSM opened.
    pub opened: u64,
    /// Those whose bytes were held against the running store's and are the same.
    pub compared: u64,
    /// HMAC-SHA256 over everything that was opened, under a key that only the sealed file holds, in hex; absent where the
    /// domain was not to be opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Why it was not to be opened, in words; absent where it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// What is wrong, in words; empty where all is well.
    pub faults: Vec<String>,
}

/// What is known when a manifest is made.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Name of the installation.
    pub kms: String,
    /// Identifier of the backup.
    pub id: String,
    /// The one domain that it holds.
    pub domain: Option<String>,
    /// RFC 3339.
    pub taken: String,
    /// RFC 3339.
    pub until: String,
    /// Fingerprint of the Root of Trust.
    pub root_of_trust: [u8; 32],
    /// Bytes of the file in front of the manifest.
    pub bytes: u64,
    /// SHA-256 of these bytes.
    pub sha256: [u8; 32],
    /// What is in it.
    pub domains: Vec<CopiedDomain>,
}

impl Manifest {
    /// The manifest of a backup.
    #[must_use]
    pub fn of(taken: Taken) -> Self {
        let Taken { kms, id, domain, taken, until, root_of_trust, bytes, sha256, domains } = taken;
        Self {
            backup: Self::FORMAT.to_owned(),
            kms,
            id,
            domain,
            taken,
            until,
            root_of_trust: hex::encode(root_of_trust),
            bytes,
            sha256: hex::encode(sha256),
            domains,
        }
    }
}

impl Paper for Manifest {
    const FORMAT: &'static str = "clavis-backup/1";

    fn format(&self) -> &str {
        &self.backup
    }

    fn kms(&self) -> &str {
        &self.kms
    }
}

/// The report of a later verification: the file was read, restored in a throw-away place, and everything in it tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Name and version of the format.
    report: String,
    /// Name of the installation.
    pub kms: String,
    /// Identifier of the backup.
    pub id: String,
    /// When it was taken, RFC 3339.
    pub taken: String,
    /// When it was verified, RFC 3339.
    pub verified: String,
    /// SHA-256 of the file in front of the manifest, in hex, as it was read.
    pub sha256: String,
    /// What came of each domain.
    pub domains: Vec<ProvedDomain>,
    /// What is wrong, in words; empty where everything is as it was taken.
    pub faults: Vec<String>,
}

/// A domain in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvedDomain {
    /// Its identifier.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What was tried and found.
    pub proof: DomainProof,
}

impl Report {
    /// The report on a backup.
    #[must_use]
    pub fn on(
        manifest: &Manifest,
        verified: String,
        sha256: [u8; 32],
        domains: Vec<ProvedDomain>,
        faults: Vec<String>,
    ) -> Self {
        Self {
            report: Self::FORMAT.to_owned(),
            kms: manifest.kms.clone(),
            id: manifest.id.clone(),
            taken: manifest.taken.clone(),
            verified,
            sha256: hex::encode(sha256),
            domains,
            faults,
        }
    }
}

impl Paper for Report {
    const FORMAT: &'static str = "clavis-backup-report/1";

    fn format(&self) -> &str {
        &self.report
    }

    fn kms(&self) -> &str {
        &self.kms
    }
}
