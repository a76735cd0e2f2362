//! The certificate of a destruction: what was destroyed, who asked and approved, what the HSM members answered, since
//! when it is so, and the proofs that the log says the same; signed in the HSM, verified with public keys alone.
//!
//! Two lines of JSON, each written in exactly one way: the certificate, and the signature over the first line's bytes.
//! What a certificate claims has to stand in the records that it proves: it adds a signature, no new truth.
//! `docs/formats.md` has the fields.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    bundle::utc,
    evidence::{Claim, EvidenceError, verify_proof},
    key::TrustedKeys,
    limits::MAX_CONFIRMATIONS,
    log::LogId,
    paper::{Paper, PaperError},
    record::{Identity, Outcome, Record},
};

/// The record of a domain's destruction.
pub const DESTROY_DOMAIN: &str = "Destroy Domain";
/// The record of an object's destruction.
pub const DESTROY_OBJECT: &str = "Destroy";
/// The record of what an HSM member answered; its detail is `<member>: <answer>`.
pub const CONFIRM: &str = "Confirm Destruction";

/// What was destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destroyed {
    /// A domain, with all its keys.
    Domain,
    /// One managed object.
    Object,
}

/// What an HSM member answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// Its label.
    pub member: String,
    /// Its answer.
    pub answer: String,
}

/// A backup that may hold sealed copies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldBackup {
    /// Its identifier.
    pub backup: String,
    /// When it was taken, RFC 3339.
    pub taken: String,
    /// Until when it is kept, RFC 3339; absent where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A certificate of destruction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Name and version of the format.
    certificate: String,
    /// Name of the installation.
    pub kms: String,
    /// What was destroyed.
    pub what: Destroyed,
    /// The domain's log.
    pub log: String,
    /// Identifier of the domain or object.
    pub id: String,
    /// What people called the domain.
    pub name: String,
    /// Who had it destroyed: an administrator's name, or a client's fingerprint.
    pub by: String,
    /// Who approved.
    pub approved_by: Vec<String>,
    /// What the HSM members answered.
    pub hsm: Vec<Confirmation>,
    /// Since when nothing of it is in use, and no key of it in the store: the time of the record, RFC 3339.
    pub live: String,
    /// Since when no older copy can be opened either; absent until the Root of Trust was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete: Option<String>,
    /// Fingerprint of the Root of Trust that has to be destroyed, with its escrow blob, before that is so.
    pub root_of_trust: String,
    /// Backups that may hold sealed copies.
    pub backups: Vec<HeldBackup>,
    /// Proofs of the record of the destruction and of each confirmation, in this order.
    pub proofs: Vec<String>,
}

/// What a certificate is made of.
#[derive(Clone, Debug)]
pub struct Grounds {
    /// What was destroyed.
    pub what: Destroyed,
    /// What people called the domain.
    pub name: String,
    /// Fingerprint of the Root of Trust.
    pub root_of_trust: [u8; 32],
    /// Backups that may hold sealed copies.
    pub backups: Vec<HeldBackup>,
    /// The proof of the destruction's record, then those of the confirmations.
    pub proofs: Vec<String>,
}

/// Why a certificate is not to be believed, or cannot be made.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// Not of the form that is written.
    #[error("not a certificate of destruction: {0}")]
    Form(&'static str),
    /// The trusted keys are of another KMS.
    #[error("the trusted keys are of another KMS")]
    OtherKms,
    /// No trusted key signed it.
    #[error("no trusted key has signed it")]
    Signature,
    /// A proof in it does not verify.
    #[error("proof {0}: {1}")]
    Proof(usize, #[source] EvidenceError),
    /// The records that it proves do not say what it says.
    #[error("the records do not say so: {0}")]
    Contradiction(&'static str),
}

impl From<PaperError> for CertificateError {
    fn from(error: PaperError) -> Self {
        match error {
            PaperError::Form(what) => Self::Form(what),
            PaperError::OtherKms => Self::OtherKms,
            PaperError::Signature => Self::Signature,
        }
    }
}

impl Paper for Certificate {
    const FORMAT: &'static str = "clavis-destruction/1";

    fn format(&self) -> &str {
        &self.certificate
    }

    fn kms(&self) -> &str {
        &self.kms
    }
}

/// What the proved records say.
struct Said {
    log: LogId,
    id: String,
    by: String,
    approved_by: Vec<String>,
    hsm: Vec<Confirmation>,
    live: String,
}

fn said(what: Destroyed, proofs: &[String], trusted: &TrustedKeys) -> Result<Said, CertificateError> {
    let [first, confirmations @ ..] = proofs else { return Err(CertificateError::Form("it proves nothing")) };
    if confirmations.len() > MAX_CONFIRMATIONS {
        return Err(CertificateError::Form("more confirmations than a group has members"));
    }
    let proved = |at: usize, proof: &str| -> Result<(LogId, u64, Record), CertificateError> {
        let shown = verify_proof(proof, trusted, &[]).map_err(|error| CertificateError::Proof(at, error))?;
        match (shown.claim, shown.record) {
            (Claim::Inclusion { index, .. }, Some(record)) => Ok((shown.log, index, record)),
            _ => Err(CertificateError::Form("a proof of something else")),
        }
    };
    let (log, mut last, record) = proved(0, first)?;
    let operation = match what {
        Destroyed::Domain => DESTROY_DOMAIN,
        Destroyed::Object => DESTROY_OBJECT,
    };
    let LogId::Domain(domain) = log else { return Err(CertificateError::Contradiction("another log")) };
    if record.operation != operation || record.outcome != Outcome::Success {
        return Err(CertificateError::Contradiction("the record is of something else"));
    }
    let id = match what {
        Destroyed::Domain => uuid::Uuid::from_bytes(domain).hyphenated().to_string(),
        Destroyed::Object => record.object.clone().ok_or(CertificateError::Contradiction("a record of no object"))?,
    };
    let by = match &record.identity {
        Identity::Admin { name, .. } => name.clone(),
        Identity::Client { fingerprint } => hex::encode(fingerprint),
        Identity::None | Identity::Node => return Err(CertificateError::Contradiction("nobody asked")),
    };
    let mut hsm = Vec::with_capacity(confirmations.len());
    for (at, proof) in confirmations.iter().enumerate() {
        let (in_log, index, record) = proved(at + 1, proof)?;
        let detail = record.detail.as_deref().and_then(|detail| detail.split_once(": "));
        let (member, answer) = detail.ok_or(CertificateError::Contradiction("a confirmation that says nothing"))?;
        let fits = in_log == log && index > last && record.operation == CONFIRM && record.identity == Identity::Node;
        if !fits || record.outcome != Outcome::Success {
            return Err(CertificateError::Contradiction("a confirmation of something else"));
        }
        last = index;
        hsm.push(Confirmation { member: member.to_owned(), answer: answer.to_owned() });
    }
    Ok(Said { log, id, by, approved_by: record.approvals, hsm, live: utc(record.time_us) })
}

impl Certificate {
    /// What the proofs in `grounds` let a certificate say.
    ///
    /// # Errors
    /// [`CertificateError`] where they do not verify, or are of something else.
    pub fn on(grounds: Grounds, trusted: &TrustedKeys) -> Result<Self, CertificateError> {
        let Grounds { what, name, root_of_trust, backups, proofs } = grounds;
        let Said { log, id, by, approved_by, hsm, live } = said(what, &proofs, trusted)?;
        Ok(Self {
            certificate: Self::FORMAT.to_owned(),
            kms: trusted.kms().to_owned(),
            what,
            log: log.to_string(),
            id,
            name,
            by,
            approved_by,
            hsm,
            live,
            complete: None,
            root_of_trust: hex::encode(root_of_trust),
            backups,
            proofs,
        })
    }

    /// Reads and verifies a file with nothing but the trusted keys.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn verify(file: &str, trusted: &TrustedKeys) -> Result<Self, CertificateError> {
        let read = Self::believed(file, trusted)?;
        let said = said(read.what, &read.proofs, trusted)?;
        let same = said.log.to_string() == read.log
            && said.id == read.id
            && said.by == read.by
            && said.approved_by == read.approved_by
            && said.hsm == read.hsm
            && said.live == read.live;
        if same { Ok(read) } else { Err(CertificateError::Contradiction("another destruction")) }
    }
}
