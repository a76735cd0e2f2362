//! Proofs as files: that one record is in a log, or that a log only grew, each under a signed checkpoint.
//!
//! One line of JSON, written in exactly one way like the lines of a bundle; `docs/formats.md` has the fields.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    checkpoint::{NoteError, SignedCheckpoint},
    key::{PublicKey, TrustedKeys},
    limits::{MAX_LINE_LEN, MAX_RECORD_LEN},
    log::LogId,
    proof::{ProofError, verify_consistency, verify_inclusion},
    record::{Record, RecordError},
    tree::{Hash, leaf_hash},
};

/// Name and version of the format.
const FORMAT: &str = "clavis-audit-proof/1";

/// What is to be proved of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Record `index` is these bytes.
    Inclusion {
        /// Position in the log.
        index: u64,
        /// The canonical encoding.
        record: Vec<u8>,
        /// From the leaf up to the root of the checkpoint, see [`crate::inclusion_ranges`].
        path: Vec<Hash>,
    },
    /// The log of `to` records extends the log of `from` records.
    Consistency {
        /// Records of the shorter log.
        from: u64,
        /// Its root.
        from_root: Hash,
        /// Records of the longer log.
        to: u64,
        /// Its root.
        to_root: Hash,
        /// From the shorter to the longer, see [`crate::consistency_ranges`].
        path: Vec<Hash>,
        /// From the longer to the log of the checkpoint; empty where that is the longer one.
        to_head: Vec<Hash>,
    },
}

/// What a proof shows, once it was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The log.
    pub log: LogId,
    /// Size of the log at the checkpoint.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// Who signed.
    pub signers: Vec<PublicKey>,
    /// What was claimed.
    pub claim: Claim,
    /// The record, where one was proved.
    pub record: Option<Record>,
    /// Checkpoints kept from earlier that could be compared.
    pub compared: usize,
}

/// Why a proof is not to be believed.
#[derive(Debug, Error)]
pub enum EvidenceError {
    /// Not of the form that is written.
    #[error("not a proof: {0}")]
    Form(String),
    /// The trusted keys are of another KMS.
    #[error("the trusted keys are of another KMS")]
    OtherKms,
    /// The checkpoint is not to be believed.
    #[error("checkpoint: {0}")]
    Checkpoint(NoteError),
    /// The hashes do not lead from the claim to the checkpoint.
    #[error("{0}")]
    Proof(#[from] ProofError),
    /// What is proved to be in the log is no record.
    #[error("the record: {0}")]
    Record(#[from] RecordError),
    /// The record belongs to another log.
    #[error("the record belongs to the log {0}")]
    ForeignLog(LogId),
    /// A checkpoint kept from earlier shows another history.
    #[error("the log was rewritten: a checkpoint kept from earlier, of {0} records, has another root")]
    Forked(u64),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    proof: String,
    kms: String,
    log: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_root: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_root: Option<String>,
    path: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_head: Option<Vec<String>>,
    checkpoint: String,
}

/// The document that proves `claim` of `log` under a checkpoint. The writer does not judge.
///
/// # Errors
/// [`EvidenceError::Form`] where there is no JSON of it.
pub fn write_proof(kms: &str, log: LogId, claim: &Claim, note: &SignedCheckpoint) -> Result<String, EvidenceError> {
    let hexed = |hashes: &[Hash]| hashes.iter().map(hex::encode).collect::<Vec<_>>();
    let mut document = Document {
        proof: FORMAT.to_owned(),
        kms: kms.to_owned(),
        log: log.to_string(),
        index: None,
        record: None,
        from: None,
        from_root: None,
        to: None,
        to_root: None,
        path: Vec::new(),
        to_head: None,
        checkpoint: note.format(),
    };
    match claim {
        Claim::Inclusion { index, record, path } => {
            document.index = Some(*index);
            document.record = Some(STANDARD.encode(record));
            document.path = hexed(path);
        }
        Claim::Consistency { from, from_root, to, to_root, path, to_head } => {
            (document.from, document.from_root) = (Some(*from), Some(hex::encode(from_root)));
            (document.to, document.to_root) = (Some(*to), Some(hex::encode(to_root)));
            document.path = hexed(path);
            document.to_head = Some(hexed(to_head));
        }
    }
    written(&document)
}

fn written(document: &Document) -> Result<String, EvidenceError> {
    let mut text = serde_json::to_string(document).map_err(|error| EvidenceError::Form(error.to_string()))?;
    text.push('\n');
    Ok(text)
}

/// Checks a proof with nothing but public keys, and that it does not contradict checkpoints `kept` from earlier; those
/// of other logs or sizes are passed over, see [`Shown::compared`].
///
/// # Errors
/// [`EvidenceError`].
pub fn verify_proof(text: &str, trusted: &TrustedKeys, kept: &[SignedCheckpoint]) -> Result<Shown, EvidenceError> {
    let form = |what: &str| EvidenceError::Form(what.to_owned());
    if text.len() > MAX_LINE_LEN {
        return Err(form("over the limit"));
    }
    let document: Document = serde_json::from_str(text).map_err(|error| EvidenceError::Form(error.to_string()))?;
    if document.proof != FORMAT {
        return Err(form("of another format"));
    }
    if document.kms != trusted.kms() {
        return Err(EvidenceError::OtherKms);
    }
    if written(&document)? != text {
        return Err(form("not written as a proof is written"));
    }
    let log: LogId = document.log.parse().map_err(|_| form("no such log"))?;
    let note = SignedCheckpoint::parse(&document.checkpoint).map_err(EvidenceError::Checkpoint)?;
    let signers = note.verify(trusted).map_err(EvidenceError::Checkpoint)?;
    if note.checkpoint.log(trusted.kms()) != Some(log) {
        return Err(EvidenceError::Checkpoint(NoteError::Origin));
    }
    let claim = claim_of(document)?;
    let (size, root) = (note.checkpoint.size, note.checkpoint.root);
    let mut record = None;
    // Sizes and roots that this proof speaks of.
    let mut heads = vec![(size, root)];
    match &claim {
        Claim::Inclusion { index, record: bytes, path } => {
            verify_inclusion(&leaf_hash(bytes), *index, size, path, &root)?;
            let proved = Record::decode(bytes)?;
            if proved.log != log {
                return Err(EvidenceError::ForeignLog(proved.log));
            }
            record = Some(proved);
        }
        Claim::Consistency { from, from_root, to, to_root, path, to_head } => {
            verify_consistency(*from, *to, from_root, to_root, path)?;
            verify_consistency(*to, size, to_root, &root, to_head)?;
            heads.extend([(*from, *from_root), (*to, *to_root)]);
        }
    }
    let mut compared = 0;
    for old in kept.iter().filter(|old| old.checkpoint.log(trusted.kms()) == Some(log)) {
        old.verify(trusted).map_err(EvidenceError::Checkpoint)?;
        let Some((_, root)) = heads.iter().find(|(size, _)| *size == old.checkpoint.size) else { continue };
        if *root != old.checkpoint.root {
            return Err(EvidenceError::Forked(old.checkpoint.size));
        }
        compared += 1;
    }
    Ok(Shown { log, size, root, signers, claim, record, compared })
}

fn claim_of(document: Document) -> Result<Claim, EvidenceError> {
    let form = |what: &str| EvidenceError::Form(what.to_owned());
    let hash = |text: &String| {
        let bytes = hex::decode(text).ok().filter(|bytes| hex::encode(bytes) == *text);
        bytes.and_then(|bytes| Hash::try_from(bytes).ok()).ok_or_else(|| form("a hash that is none"))
    };
    let hashes = |texts: &[String]| texts.iter().map(hash).collect::<Result<Vec<_>, _>>();
    let path = hashes(&document.path)?;
    match document {
        Document {
            index: Some(index),
            record: Some(record),
            from: None,
            from_root: None,
            to: None,
            to_root: None,
            to_head: None,
            ..
        } => {
            let bytes = STANDARD.decode(&record).ok().filter(|bytes| bytes.len() <= MAX_RECORD_LEN);
            // The decoder takes more than one form of the same bytes.
            let bytes = bytes.filter(|bytes| STANDARD.encode(bytes) == record);
            Ok(Claim::Inclusion { index, record: bytes.ok_or_else(|| form("`record` is not base64"))?, path })
        }
        Document {
            index: None,
            record: None,
            from: Some(from),
            from_root: Some(from_root),
            to: Some(to),
            to_root: Some(to_root),
            to_head: Some(to_head),
            ..
        } => Ok(Claim::Consistency {
            from,
            from_root: hash(&from_root)?,
            to,
            to_root: hash(&to_root)?,
            path,
            to_head: hashes(&to_head)?,
        }),
        _ => Err(form("neither of a record nor of two sizes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checkpoint::tests::signed,
        key::tests::Signer,
        proof::{consistency_proof, inclusion_proof},
        record::tests::example,
        tree::root_of,
    };

    const KMS: &str = "paris";

    struct World {
        signer: Signer,
        records: Vec<Vec<u8>>,
        leaves: Vec<Hash>,
    }

    impl World {
        fn new(count: u64) -> Self {
            let records: Vec<_> = (0..count).map(|counter| Record { counter, ..example() }.encode().unwrap()).collect();
            let leaves = records.iter().map(|bytes| leaf_hash(bytes)).collect();
            Self { signer: Signer::new(), records, leaves }
        }

        fn trusted(&self) -> TrustedKeys {
            TrustedKeys::new(KMS, vec![self.signer.public()]).unwrap()
        }

        fn head(&self, size: usize) -> SignedCheckpoint {
            signed(&self.signer, KMS, example().log, size as u64, root_of(&self.leaves[..size]))
        }

        fn write(&self, claim: &Claim) -> String {
            write_proof(KMS, example().log, claim, &self.head(self.leaves.len())).unwrap()
        }

        fn inclusion(&self, index: usize) -> Claim {
            let path = inclusion_proof(&self.leaves, index as u64, self.leaves.len() as u64).unwrap();
            Claim::Inclusion { index: index as u64, record: self.records[index].clone(), path }
        }

        fn consistency(&self, from: usize, to: usize) -> Claim {
            Claim::Consistency {
                from: from as u64,
                from_root: root_of(&self.leaves[..from]),
                to: to as u64,
                to_root: root_of(&self.leaves[..to]),
                path: consistency_proof(&self.leaves, from as u64, to as u64).unwrap(),
                to_head: consistency_proof(&self.leaves, to as u64, self.leaves.len() as u64).unwrap(),
            }
        }
    }

    #[test]
    fn every_record_and_every_pair_of_sizes_can_be_proved() {
        let world = World::new(13);
        for index in 0..13 {
            let claim = world.inclusion(index);
            let shown = verify_proof(&world.write(&claim), &world.trusted(), &[]).unwrap();
            assert_eq!((shown.claim, shown.size), (claim, 13));
            assert_eq!(shown.record.unwrap().counter, index as u64);
        }
        for from in 0..=13 {
            for to in from..=13 {
                let claim = world.consistency(from, to);
                let shown = verify_proof(&world.write(&claim), &world.trusted(), &[world.head(to)]).unwrap();
                assert_eq!((shown.claim, shown.compared), (claim, 1));
            }
        }
    }

    #[test]
    fn every_changed_byte_of_a_proof_is_noticed() {
        let world = World::new(9);
        for text in [world.write(&world.inclusion(4)), world.write(&world.consistency(3, 7))] {
            for at in 0..text.len() {
                let mut changed = text.clone().into_bytes();
                changed[at] ^= 1 << (at % 7);
                let Ok(changed) = String::from_utf8(changed) else { continue };
                assert!(verify_proof(&changed, &world.trusted(), &[]).is_err(), "byte {at}: {changed}");
            }
        }
    }

    #[test]
    fn a_claim_that_is_false_is_refused() {
        let world = World::new(9);
        let refuse = |claim: &Claim| verify_proof(&world.write(claim), &world.trusted(), &[]).unwrap_err();
        let changed = |index: u64, record: &[u8]| {
            let path = inclusion_proof(&world.leaves, 4, 9).unwrap();
            Claim::Inclusion { index, record: record.to_vec(), path }
        };
        assert!(verify_proof(&world.write(&changed(4, &world.records[4])), &world.trusted(), &[]).is_ok());
        let other = refuse(&changed(5, &world.records[4]));
        assert!(matches!(other, EvidenceError::Proof(ProofError::Root)));
        let outside = refuse(&changed(9, &world.records[4]));
        assert!(matches!(outside, EvidenceError::Proof(ProofError::Index { .. })));
        assert!(matches!(refuse(&changed(4, b"x")), EvidenceError::Proof(ProofError::Root)));
        let mut forged = world.consistency(3, 7);
        if let Claim::Consistency { from_root, .. } = &mut forged {
            *from_root = [1; 32];
        }
        assert!(matches!(refuse(&forged), EvidenceError::Proof(ProofError::Root)));
    }

    #[test]
    fn a_kept_checkpoint_of_another_history_contradicts() {
        let world = World::new(9);
        let fork = signed(&world.signer, KMS, example().log, 3, [8; 32]);
        let error = verify_proof(&world.write(&world.consistency(3, 7)), &world.trusted(), &[fork]).unwrap_err();
        assert!(matches!(error, EvidenceError::Forked(3)), "{error}");
    }

    #[test]
    fn only_trusted_keys_of_this_kms_count() {
        let world = World::new(2);
        let text = world.write(&world.inclusion(0));
        let stranger = TrustedKeys::new(KMS, vec![Signer::new().public()]).unwrap();
        assert!(matches!(verify_proof(&text, &stranger, &[]), Err(EvidenceError::Checkpoint(NoteError::Untrusted))));
        let elsewhere = TrustedKeys::new("lyon", vec![world.signer.public()]).unwrap();
        assert!(matches!(verify_proof(&text, &elsewhere, &[]), Err(EvidenceError::OtherKms)));
    }
}
