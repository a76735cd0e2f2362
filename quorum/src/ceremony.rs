//! The record of a ceremony: what was done, as text that its custodians sign, and whether they did.
//!
//! ```text
//! clavis ceremony 1
//! kms clavis-demo
//! held 2026-11-23T09:00:00Z
//! act made
//! root-of-trust 5b0c…91
//! protocol 8e17…40
//! escrow-blob 77aa…03
//! threshold 2
//! custodian 3059…1f ada
//! custodian 302a…0c carl
//! member 04c1…7e 72 PAR7S
//! ```
//! Lines are as in a request. A custodian's line has the key that signs (SubjectPublicKeyInfo in DER), a member's line
//! its checkpoint key and how many attacks it refused. `protocol` and `escrow-blob` are SHA-256 of these files.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::approval::{Approval, Approver};
use crate::limits::{MAX_APPROVALS, MAX_FILE_LEN, MAX_MEMBERS, MAX_NAME_LEN, MAX_TEXT_LEN};

/// The first line.
const HEAD: &str = "clavis ceremony 1";

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A new Root of Trust.
    Made,
    /// The Root of Trust came to members from escrow.
    Imported,
}

impl Act {
    const WORDS: [(&'static str, Self); 2] = [("made", Self::Made), ("imported", Self::Imported)];

    /// As it stands in the record.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Imported => "imported",
        }
    }
}

/// A ceremony.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CeremonyRecord {
    /// Name of the installation. At most [`MAX_NAME_LEN`] bytes.
    pub kms: String,
    /// When it was held, seconds since the epoch.
    pub held_s: i64,
    /// What was done.
    pub act: Act,
    /// Fingerprint of the Root of Trust.
    pub root_of_trust: [u8; 32],
    /// SHA-256 of the file with the protocol: every attack on every member, and its answer.
    pub protocol: [u8; 32],
    /// SHA-256 of the file with the escrow blob.
    pub escrow_blob: [u8; 32],
    /// How many custodians rebuild the escrow key.
    pub threshold: u8,
    /// Those who sign: each name and SubjectPublicKeyInfo, at most [`MAX_APPROVALS`], names and keys all different.
    pub custodians: Vec<(String, Vec<u8>)>,
    /// Those who hold the Root of Trust, at most [`MAX_MEMBERS`].
    pub members: Vec<CeremonyMember>,
}

/// A member of the HSM group at a ceremony.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CeremonyMember {
    /// Its label.
    pub label: String,
    /// Its key for checkpoints: P-256 point, SEC 1 uncompressed.
    pub checkpoint_key: [u8; 65],
    /// Attacks that were tried; it refused all of them.
    pub refused: u32,
}

/// Why a record says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CeremonyFault {
    /// It is no file with a record.
    #[error("this is no record of a ceremony with its signatures")]
    File,
    /// A line is missing, in another place, or holds what it must not.
    #[error("line {0} is not what stands there")]
    Line(usize),
    /// It says the same in another way than the canonical one, or a field is outside its limits.
    #[error("the record is not in its canonical form")]
    NotCanonical,
    /// A signature that is none of a custodian over this text.
    #[error("a signature is not over this record, or of none of its custodians")]
    Signature,
    /// A key that cannot sign.
    #[error("the key of {0} is none that signs")]
    Key(String),
}

impl CeremonyRecord {
    /// The canonical text: what is shown, signed and kept.
    ///
    /// # Errors
    /// [`CeremonyFault::NotCanonical`] for a field outside its limits.
    pub fn text(&self) -> Result<String, CeremonyFault> {
        let name = |text: &str| {
            (1..=MAX_NAME_LEN).contains(&text.len()) && !text.chars().any(char::is_control) && text.trim() == text
        };
        let different = |texts: BTreeSet<&[u8]>, count: usize| texts.len() == count;
        let names = self.custodians.iter().map(|(name, _)| name.as_bytes()).collect();
        let keys = self.custodians.iter().map(|(_, key)| key.as_slice()).collect();
        let labels = self.members.iter().map(|member| member.label.as_bytes()).collect();
        let fits = name(&self.kms)
            && self.custodians.len() <= MAX_APPROVALS
            && self.members.len() <= MAX_MEMBERS
            && self.custodians.iter().all(|(one, _)| name(one))
            && self.members.iter().all(|member| name(&member.label))
            && different(names, self.custodians.len())
            && different(keys, self.custodians.len())
            && different(labels, self.members.len());
        let held = OffsetDateTime::from_unix_timestamp(self.held_s).ok().and_then(|at| at.format(&Rfc3339).ok());
        let (true, Some(held)) = (fits, held) else { return Err(CeremonyFault::NotCanonical) };
        let mut text = format!(
            "{HEAD}\nkms {}\nheld {held}\nact {}\nroot-of-trust {}\nprotocol {}\nescrow-blob {}\nthreshold {}\n",
            self.kms,
            self.act.text(),
            hex::encode(self.root_of_trust),
            hex::encode(self.protocol),
            hex::encode(self.escrow_blob),
            self.threshold
        );
        for (name, key) in &self.custodians {
            text += &format!("custodian {} {name}\n", hex::encode(key));
        }
        for CeremonyMember { label, checkpoint_key, refused } in &self.members {
            text += &format!("member {} {refused} {label}\n", hex::encode(checkpoint_key));
        }
        if text.len() > MAX_TEXT_LEN { Err(CeremonyFault::NotCanonical) } else { Ok(text) }
    }

    /// Reads the canonical text, and nothing else.
    ///
    /// # Errors
    /// [`CeremonyFault`] for everything that [`Self::text`] would not have written.
    pub fn parse(text: &str) -> Result<Self, CeremonyFault> {
        if text.len() > MAX_TEXT_LEN {
            return Err(CeremonyFault::NotCanonical);
        }
        let mut lines = Lines { lines: text.lines(), number: 0 };
        if lines.next() != Some(HEAD) {
            return Err(CeremonyFault::Line(1));
        }
        let kms = lines.word("kms")?.to_owned();
        let held = lines.word("held")?;
        let held_s = lines.read(OffsetDateTime::parse(held, &Rfc3339).ok())?.unix_timestamp();
        let act = lines.word("act")?;
        let act = lines.read(Act::WORDS.iter().find(|(word, _)| *word == act))?.1;
        let root_of_trust = lines.digest("root-of-trust")?;
        let protocol = lines.digest("protocol")?;
        let escrow_blob = lines.digest("escrow-blob")?;
        let threshold = lines.word("threshold")?;
        let threshold = lines.read(threshold.parse().ok())?;
        let (mut custodians, mut members) = (Vec::new(), Vec::new());
        while let Some(line) = lines.next() {
            if let Some(rest) = line.strip_prefix("custodian ") {
                let (key, name) = lines.read(rest.split_once(' '))?;
                custodians.push((name.to_owned(), lines.read(hex::decode(key).ok())?));
            } else {
                let rest = lines.read(line.strip_prefix("member "))?;
                let (key, rest) = lines.read(rest.split_once(' '))?;
                let (refused, label) = lines.read(rest.split_once(' '))?;
                let mut checkpoint_key = [0; 65];
                lines.read(hex::decode_to_slice(key, &mut checkpoint_key).ok())?;
                let refused = lines.read(refused.parse().ok())?;
                members.push(CeremonyMember { label: label.to_owned(), checkpoint_key, refused });
            }
        }
        let record = Self { kms, held_s, act, root_of_trust, protocol, escrow_blob, threshold, custodians, members };
        if record.text()? == text { Ok(record) } else { Err(CeremonyFault::NotCanonical) }
    }

    /// Its custodians as those who sign.
    ///
    /// # Errors
    /// [`CeremonyFault::Key`].
    pub fn signers(&self) -> Result<Vec<Approver>, CeremonyFault> {
        let signer =
            |(name, key): &(String, Vec<u8>)| Approver::new(name, key).map_err(|_| CeremonyFault::Key(name.clone()));
        self.custodians.iter().map(signer).collect()
    }
}

struct Lines<'t> {
    lines: std::str::Lines<'t>,
    number: usize,
}

impl<'t> Lines<'t> {
    fn next(&mut self) -> Option<&'t str> {
        self.number = self.number.saturating_add(1);
        self.lines.next()
    }

    fn word(&mut self, word: &str) -> Result<&'t str, CeremonyFault> {
        let line = self.next();
        self.read(line.and_then(|line| line.strip_prefix(word)?.strip_prefix(' ')))
    }

    fn digest(&mut self, word: &str) -> Result<[u8; 32], CeremonyFault> {
        let text = self.word(word)?;
        let mut digest = [0; 32];
        self.read(hex::decode_to_slice(text, &mut digest).ok())?;
        Ok(digest)
    }

    fn read<T>(&self, value: Option<T>) -> Result<T, CeremonyFault> {
        value.ok_or(CeremonyFault::Line(self.number))
    }
}

/// A record and who signed it. As JSON it is the file that goes from custodian to custodian.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedCeremony {
    /// The canonical text, exactly as it was signed.
    pub record: String,
    /// At most one of each custodian.
    #[serde(default)]
    pub signatures: Vec<Approval>,
}

impl SignedCeremony {
    /// A record that nobody has signed yet.
    ///
    /// # Errors
    /// [`CeremonyFault`].
    pub fn new(record: &CeremonyRecord) -> Result<Self, CeremonyFault> {
        Ok(Self { record: record.text()?, signatures: Vec::new() })
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`CeremonyFault::File`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, CeremonyFault> {
        if bytes.len() > MAX_FILE_LEN {
            return Err(CeremonyFault::File);
        }
        serde_json::from_slice(bytes).map_err(|_| CeremonyFault::File)
    }

    /// Writes the file.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts and lists of texts always have a JSON form.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Takes in what the custodian `name` signed; of one custodian the last signature counts.
    ///
    /// # Errors
    /// [`CeremonyFault::Signature`] where it is not this custodian's over this text; [`CeremonyFault`].
    pub fn add(&mut self, name: &str, signature: Vec<u8>) -> Result<(), CeremonyFault> {
        let signers = CeremonyRecord::parse(&self.record)?.signers()?;
        let signer = signers.iter().find(|one| one.name == name).ok_or(CeremonyFault::Signature)?;
        let approval = Approval { fingerprint: *signer.fingerprint(), signature };
        if !signer.made(&approval, &self.record) {
            return Err(CeremonyFault::Signature);
        }
        self.signatures.retain(|known| known.fingerprint != approval.fingerprint);
        self.signatures.push(approval);
        Ok(())
    }

    /// The record, those who signed it, and the names of those who did not.
    ///
    /// # Errors
    /// [`CeremonyFault`], among others for a single signature that is not good.
    pub fn verify(&self) -> Result<(CeremonyRecord, Vec<Approver>, Vec<String>), CeremonyFault> {
        let record = CeremonyRecord::parse(&self.record)?;
        let signers = record.signers()?;
        if self.signatures.len() > signers.len() {
            return Err(CeremonyFault::Signature);
        }
        for signature in &self.signatures {
            if !signers.iter().any(|one| one.made(signature, &self.record)) {
                return Err(CeremonyFault::Signature);
            }
        }
        let (signed, missing): (Vec<Approver>, Vec<Approver>) = signers
            .into_iter()
            .partition(|one| self.signatures.iter().any(|signature| signature.fingerprint == *one.fingerprint()));
        Ok((record, signed, missing.into_iter().map(|one| one.name).collect()))
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;
    use crate::approval::{KeyKind, public_key_info};

    fn pair(number: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap()
    }

    fn record() -> CeremonyRecord {
        let custodian = |name: &str, number: u8| {
            (name.to_owned(), public_key_info(KeyKind::Ed25519, pair(number).public_key().as_ref()))
        };
        let member = |label: &str| CeremonyMember { label: label.to_owned(), checkpoint_key: [4; 65], refused: 72 };
        CeremonyRecord {
            kms: "clavis-demo".to_owned(),
            held_s: 1_795_424_400,
            act: Act::Made,
            root_of_trust: [1; 32],
            protocol: [2; 32],
            escrow_blob: [3; 32],
            threshold: 2,
            custodians: vec![custodian("ada", 1), custodian("carl", 2)],
            members: vec![member("PAR7S"), member("AZ 07")],
        }
    }

    fn sign(signed: &mut SignedCeremony, name: &str, number: u8) -> Result<(), CeremonyFault> {
        let signature = pair(number).sign(signed.record.as_bytes()).as_ref().to_vec();
        signed.add(name, signature)
    }

    #[test]
    fn a_record_is_read_as_it_was_written_and_in_no_other_form() {
        let text = record().text().unwrap();
        assert_eq!(CeremonyRecord::parse(&text).unwrap(), record());
        for altered in [
            text.trim_end().to_owned(),
            text.replace('\n', "\r\n"),
            text.replace("threshold 2", "threshold 02"),
            text.replace("threshold 2", "threshold +2"),
            text.replace("act made", "act verified"),
            text.replace("0101", "0101 "),
            text.replace("kms clavis-demo", "kms "),
            text.replace("T", "t"),
            text.replace("AZ 07", "PAR7S"),
            text.replace(" carl", " ada"),
            text.replace("custodian 302a", "custodian 302A"),
            format!("{text}\n"),
            format!(" {text}"),
        ] {
            assert!(CeremonyRecord::parse(&altered).is_err(), "{altered}");
        }
        // A member's line above a custodian's says the same in another order.
        let mut lines: Vec<&str> = text.lines().collect();
        lines.swap(9, 10);
        assert_eq!(CeremonyRecord::parse(&(lines.join("\n") + "\n")), Err(CeremonyFault::NotCanonical));
    }

    #[test]
    fn a_ceremony_is_signed_by_its_custodians_and_by_nobody_else() {
        let mut signed = SignedCeremony::new(&record()).unwrap();
        assert_eq!(signed.verify().unwrap().2, ["ada", "carl"]);
        sign(&mut signed, "carl", 2).unwrap();
        assert_eq!(sign(&mut signed, "ada", 3), Err(CeremonyFault::Signature));
        assert_eq!(sign(&mut signed, "ada", 2), Err(CeremonyFault::Signature));
        assert_eq!(sign(&mut signed, "bob", 1), Err(CeremonyFault::Signature));
        assert_eq!(signed.verify().unwrap().2, ["ada"]);
        sign(&mut signed, "ada", 1).unwrap();
        sign(&mut signed, "ada", 1).unwrap();
        let read = SignedCeremony::from_json(signed.to_json().as_bytes()).unwrap();
        assert_eq!(read, signed);
        let (held, by, missing) = read.verify().unwrap();
        assert_eq!((held, by.len(), missing.len()), (record(), 2, 0));
    }

    #[test]
    fn a_record_altered_after_it_was_signed_does_not_verify() {
        let mut signed = SignedCeremony::new(&record()).unwrap();
        sign(&mut signed, "ada", 1).unwrap();
        sign(&mut signed, "carl", 2).unwrap();
        let genuine = signed.clone();
        for at in 0..genuine.record.len() {
            let mut bytes = genuine.record.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(record) = String::from_utf8(bytes) else { continue };
            assert!(SignedCeremony { record, ..genuine.clone() }.verify().is_err(), "byte {at}");
        }
        signed.signatures[1].signature[5] ^= 1;
        assert_eq!(signed.verify(), Err(CeremonyFault::Signature));
        signed.signatures[1] = genuine.signatures[0].clone();
        assert_eq!(signed.verify().unwrap().2, ["carl"]);
    }
}
