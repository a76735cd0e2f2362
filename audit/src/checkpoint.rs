//! Signed tree heads: C2SP `tlog-checkpoint` bodies in C2SP `signed-note` envelopes, ECDSA P-256 (type 0x02).
//!
//! ```text
//! clavis/<kms>/<log>
//! <size>
//! <base64 of the root>
//!
//! — clavis/<kms> <base64 of key id ‖ DER signature>
//! ```
//! The signature is over the SHA-256 of the text up to and with the newline after the root.

use base64::{Engine, engine::general_purpose::STANDARD};
use thiserror::Error;

use crate::{
    ecdsa::{der_from_fixed, fixed_from_der},
    key::{KeyError, PublicKey, TrustedKeys, check_kms_name, key_name},
    limits::{MAX_NOTE_LEN, MAX_NOTE_SIGNATURES, MAX_TREE_SIZE},
    log::LogId,
    tree::{Hash, digest_of},
};

/// Begins a signature line: an em dash and a blank.
const SIGNATURE_MARK: &str = "\u{2014} ";

/// The head of one log's tree: what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// `clavis/<kms>/<log>`: which log of which KMS.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Root hash of the tree of that size.
    pub root: Hash,
}

/// One signature line of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Who says to have signed, `clavis/<kms>` for the members of the HSM group.
    pub key_name: String,
    /// With the name, which key.
    pub key_id: [u8; 4],
    /// The signature; for our keys the DER form.
    pub signature: Vec<u8>,
}

/// A checkpoint with its signatures. Believe it only after [`SignedCheckpoint::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// By whom.
    pub signatures: Vec<NoteSignature>,
}

/// Why text is not a signed checkpoint, or is not to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoteError {
    /// More than [`MAX_NOTE_LEN`] bytes or [`MAX_NOTE_SIGNATURES`] signatures.
    #[error("note is over the limit")]
    TooLong,
    /// The text is not of the form in the module's description.
    #[error("not a checkpoint: {0}")]
    Syntax(&'static str),
    /// The checkpoint is not one of this KMS's logs.
    #[error("checkpoint of another KMS")]
    Origin,
    /// No signature is by a trusted key.
    #[error("no signature by a trusted key")]
    Untrusted,
    /// A signature that names a trusted key is not by that key.
    #[error("a signature does not verify")]
    Signature,
}

impl Checkpoint {
    /// The head of `log` of the KMS called `kms`.
    ///
    /// # Errors
    /// [`KeyError::Name`] where `kms` cannot stand in an origin.
    pub fn new(kms: &str, log: LogId, size: u64, root: Hash) -> Result<Self, KeyError> {
        check_kms_name(kms)?;
        Ok(Self { origin: format!("{}/{log}", key_name(kms)), size, root })
    }

    /// The log, where this is a log of the KMS called `kms`.
    #[must_use]
    pub fn log(&self, kms: &str) -> Option<LogId> {
        self.origin.strip_prefix(&key_name(kms))?.strip_prefix('/')?.parse().ok()
    }

    /// The text that is signed.
    #[must_use]
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// SHA-256 of the body, as an HSM signs it.
    #[must_use]
    pub fn digest_to_sign(&self) -> [u8; 32] {
        digest_of(&[self.body().as_bytes()])
    }

    fn parse(body: &str) -> Result<Self, NoteError> {
        let mut lines = body.split('\n');
        let mut line = |what| lines.next().filter(|line| !line.is_empty()).ok_or(NoteError::Syntax(what));
        let origin = line("no origin")?.to_owned();
        let size = line("no size")?;
        let number: u64 = size.parse().map_err(|_| NoteError::Syntax("size is not a number"))?;
        // Parsing would take `+5` and `05` as well.
        if number.to_string() != size || number > MAX_TREE_SIZE {
            return Err(NoteError::Syntax("size is not a number"));
        }
        let root = STANDARD
            .decode(line("no root")?)
            .ok()
            .and_then(|root| Hash::try_from(root).ok())
            .ok_or(NoteError::Syntax("root is not a hash"))?;
        // Extension lines are not auditable, and we never write one.
        if lines.next() != Some("") || lines.next().is_some() {
            return Err(NoteError::Syntax("lines after the root"));
        }
        Ok(Self { origin, size: number, root })
    }

    /// The checkpoint with one signature: `r_s` by `key` over [`Checkpoint::digest_to_sign`].
    ///
    /// # Errors
    /// [`NoteError::Origin`] where this is not a log of `kms`, [`NoteError::Signature`] where the signature does not
    /// verify: what an HSM returned is checked before it is handed on.
    pub fn sign(self, kms: &str, key: &PublicKey, r_s: &[u8; 64]) -> Result<SignedCheckpoint, NoteError> {
        let mut signed = SignedCheckpoint { checkpoint: self, signatures: Vec::new() };
        signed.add_signature(kms, key, r_s)?;
        Ok(signed)
    }
}

impl SignedCheckpoint {
    /// Adds one more member's signature.
    ///
    /// # Errors
    /// As [`Checkpoint::sign`], and [`NoteError::TooLong`].
    pub fn add_signature(&mut self, kms: &str, key: &PublicKey, r_s: &[u8; 64]) -> Result<(), NoteError> {
        if self.checkpoint.log(kms).is_none() {
            return Err(NoteError::Origin);
        }
        if !key.verifies(self.checkpoint.body().as_bytes(), r_s) {
            return Err(NoteError::Signature);
        }
        if self.signatures.len() >= MAX_NOTE_SIGNATURES {
            return Err(NoteError::TooLong);
        }
        self.signatures.push(NoteSignature {
            key_name: key_name(kms),
            key_id: key.key_id(),
            signature: der_from_fixed(r_s),
        });
        Ok(())
    }

    /// The signed note.
    #[must_use]
    pub fn format(&self) -> String {
        let mut note = self.checkpoint.body();
        note.push('\n');
        for line in &self.signatures {
            let bytes = [&line.key_id[..], &line.signature].concat();
            note.push_str(&format!("{SIGNATURE_MARK}{} {}\n", line.key_name, STANDARD.encode(bytes)));
        }
        note
    }

    /// Reads a signed note. Signatures of whatever type are kept; none is checked.
    ///
    /// # Errors
    /// [`NoteError::TooLong`], [`NoteError::Syntax`].
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE_LEN {
            return Err(NoteError::TooLong);
        }
        if note.chars().any(|character| character < ' ' && character != '\n') {
            return Err(NoteError::Syntax("control character"));
        }
        // The last empty line separates; the text keeps its final newline.
        let at = note.rfind("\n\n").ok_or(NoteError::Syntax("no signatures"))?;
        let (body, signatures) = note.split_at(at + 1);
        let lines = signatures.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n'));
        let signatures = lines
            .ok_or(NoteError::Syntax("no newline at the end"))?
            .split('\n')
            .map(NoteSignature::parse)
            .collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > MAX_NOTE_SIGNATURES {
            return Err(NoteError::TooLong);
        }
        Ok(Self { checkpoint: Checkpoint::parse(body)?, signatures })
    }

    /// Checks the signatures, and returns the trusted keys that made them. Signatures by unknown keys are passed
    /// over, as the signed-note specification demands.
    ///
    /// # Errors
    /// [`NoteError::Origin`], [`NoteError::Untrusted`], [`NoteError::Signature`].
    pub fn verify(&self, trusted: &TrustedKeys) -> Result<Vec<PublicKey>, NoteError> {
        if self.checkpoint.log(trusted.kms()).is_none() {
            return Err(NoteError::Origin);
        }
        let body = self.checkpoint.body();
        let key_name = trusted.key_name();
        let mut signers = Vec::new();
        for line in self.signatures.iter().filter(|line| line.key_name == key_name) {
            // Two keys may share an id; a signature counts when one of them made it.
            let mut candidates = trusted.keys().iter().filter(|key| key.key_id() == line.key_id).peekable();
            if candidates.peek().is_none() {
                continue;
            }
            let r_s = fixed_from_der(&line.signature).map_err(|_| NoteError::Signature)?;
            signers.push(*candidates.find(|key| key.verifies(body.as_bytes(), &r_s)).ok_or(NoteError::Signature)?);
        }
        if signers.is_empty() { Err(NoteError::Untrusted) } else { Ok(signers) }
    }
}

impl NoteSignature {
    fn parse(line: &str) -> Result<Self, NoteError> {
        let wrong = NoteError::Syntax("not a signature line");
        let (key_name, encoded) =
            line.strip_prefix(SIGNATURE_MARK).and_then(|rest| rest.split_once(' ')).ok_or(wrong)?;
        if key_name.is_empty() || key_name.chars().any(|character| character.is_whitespace() || character == '+') {
            return Err(wrong);
        }
        let bytes = STANDARD.decode(encoded).map_err(|_| wrong)?;
        let (key_id, signature) = bytes.split_first_chunk::<4>().ok_or(wrong)?;
        Ok(Self { key_name: key_name.to_owned(), key_id: *key_id, signature: signature.to_vec() })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::key::tests::Signer;

    pub(crate) fn signed(signer: &Signer, kms: &str, log: LogId, size: u64, root: Hash) -> SignedCheckpoint {
        let checkpoint = Checkpoint::new(kms, log, size, root).unwrap();
        let r_s = signer.sign(checkpoint.body().as_bytes());
        checkpoint.sign(kms, &signer.public(), &r_s).unwrap()
    }

    #[test]
    fn the_body_has_the_three_lines_of_the_specification() {
        let checkpoint = Checkpoint::new("paris", LogId::Domain([0x33; 16]), 42, [0; 32]).unwrap();
        assert_eq!(
            checkpoint.body(),
            "clavis/paris/33333333-3333-3333-3333-333333333333\n42\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
        );
        assert_eq!(checkpoint.log("paris"), Some(LogId::Domain([0x33; 16])));
        assert_eq!(checkpoint.log("lyon"), None);
    }

    #[test]
    fn a_signed_checkpoint_comes_back_and_verifies() {
        let signer = Signer::new();
        let signed = signed(&signer, "paris", LogId::System, 3, [7; 32]);
        let parsed = SignedCheckpoint::parse(&signed.format()).unwrap();
        assert_eq!(parsed, signed);
        let trusted = TrustedKeys::new("paris", vec![Signer::new().public(), signer.public()]).unwrap();
        assert_eq!(parsed.verify(&trusted), Ok(vec![signer.public()]));
    }

    #[test]
    fn every_flipped_bit_of_a_note_is_noticed() {
        let signer = Signer::new();
        let note = signed(&signer, "paris", LogId::System, 3, [7; 32]).format();
        let trusted = TrustedKeys::new("paris", vec![signer.public()]).unwrap();
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut bytes = note.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let Ok(changed) = String::from_utf8(bytes) else { continue };
                let believed = SignedCheckpoint::parse(&changed).and_then(|note| note.verify(&trusted));
                assert!(believed.is_err(), "bit {bit} of byte {at}: {changed}");
            }
        }
    }

    #[test]
    fn a_foreign_signature_is_passed_over_and_a_false_one_spoils_the_note() {
        let (signer, other) = (Signer::new(), Signer::new());
        let mut signed = signed(&signer, "paris", LogId::System, 3, [7; 32]);
        let r_s = other.sign(signed.checkpoint.body().as_bytes());
        signed.add_signature("paris", &other.public(), &r_s).unwrap();
        let trusted = |keys| TrustedKeys::new("paris", keys).unwrap();
        assert_eq!(signed.verify(&trusted(vec![signer.public()])), Ok(vec![signer.public()]));
        assert_eq!(signed.verify(&trusted(vec![Signer::new().public()])), Err(NoteError::Untrusted));
        let lyon = TrustedKeys::new("lyon", vec![signer.public()]).unwrap();
        assert_eq!(signed.verify(&lyon), Err(NoteError::Origin));
        signed.signatures[1].signature = signed.signatures[0].signature.clone();
        assert_eq!(signed.verify(&trusted(vec![signer.public()])), Ok(vec![signer.public()]));
        assert_eq!(signed.verify(&trusted(vec![signer.public(), other.public()])), Err(NoteError::Signature));
    }

    #[test]
    fn a_signature_that_the_hsm_got_wrong_is_not_handed_on() {
        let signer = Signer::new();
        let checkpoint = Checkpoint::new("paris", LogId::System, 3, [7; 32]).unwrap();
        assert_eq!(checkpoint.clone().sign("paris", &signer.public(), &[1; 64]), Err(NoteError::Signature));
        let r_s = signer.sign(checkpoint.body().as_bytes());
        assert_eq!(checkpoint.sign("lyon", &signer.public(), &r_s), Err(NoteError::Origin));
    }

    #[test]
    fn text_that_is_no_checkpoint_is_refused() {
        let root = STANDARD.encode([0; 32]);
        let line = "\u{2014} clavis/k AAAAAAAA";
        for (note, why) in [
            (String::new(), "nothing"),
            (format!("o\n1\n{root}\n"), "unsigned"),
            (format!("o\n1\n{root}\n\n"), "no signature line"),
            (format!("o\n1\n{root}\n\n{line}"), "no newline at the end"),
            (format!("o\n01\n{root}\n\n{line}\n"), "leading zero"),
            (format!("o\n+1\n{root}\n\n{line}\n"), "sign"),
            (format!("o\n1\nAAAA\n\n{line}\n"), "short root"),
            (format!("o\n1\n{root}\nmore\n\n{line}\n"), "extension"),
            (format!("\n1\n{root}\n\n{line}\n"), "no origin"),
            (format!("o\n9223372036854775808\n{root}\n\n{line}\n"), "size over the limit"),
            (format!("o\n1\n{root}\n\n{line}\n\t\n"), "control"),
            (format!("o\n1\n{root}\n\n{}", format!("{line}\n").repeat(17)), "too many signatures"),
            ("o".repeat(MAX_NOTE_LEN + 1), "too long"),
        ] {
            assert!(SignedCheckpoint::parse(&note).is_err(), "{why}");
        }
        assert!(SignedCheckpoint::parse(&format!("o\n1\n{root}\n\n{line}\n")).is_ok());
    }

    #[test]
    fn checkpoints_of_public_logs_verify() {
        // Facts published by two public logs that sign with ECDSA P-256, type 0x02: the key as text, a checkpoint.
        let logs = [
            (
                "rekor.sigstore.dev",
                "c0d23d6a",
                "AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNhtmPtrWm3U1eQXBogSMdGvXwBcK5AW5i0hrZLOC96l+smGNM7nwZ4QvFK/4sueRoVj\
                 //QP22Ni4Qt9DPfkWLc=",
                "Rekor\n798034\nf+7CoKgXKE/tNys9TTXcr/ad6U/K3xvznmzew9y6SP0=\n\n\u{2014} rekor.sigstore.dev \
                 wNI9ajBEAiARInWIWyCdyG27CO6LPnPekyw20qO0YJfoaPaowGp/XgIgc+qEHS3+GKVClgqq20uDLet7MCoTURUCRdxwWBHHufk=\n",
            ),
            (
                "pixel6_transparency_log",
                "91c16e30",
                "AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABN+4x0Jk1yTwvLFI9A4NDdGZcX0aiWVdWM5XJVy0M4VWD3AvyW5Q6Hs9A0mcDkpUoYgn\
                 +KKPNzFC0H3nN3q6JQ8=",
                "DEFAULT\n10\nbsWRucJU5xJPHb5eBdOm6+DM+VelCZBuvtI3sHERJ9Y=\n\n\u{2014} pixel6_transparency_log \
                 kcFuMDBFAiEAhqMAP8P6qf6QxtUJhzMhbN+MbZ9dwfUHzGQJmffJHtoCIGD0cNe47dHWBoPwYdgBCepB06/+g5O1FmYjXl06owL4\n",
            ),
        ];
        for (name, key_id, key, note) in logs {
            let typed = STANDARD.decode(key).unwrap();
            // Type byte and 26 bytes of framing precede the point.
            let key = PublicKey::from_sec1(&typed[27..]).unwrap();
            assert_eq!(typed[1..], key.spki_der());
            assert_eq!(hex::encode(key.key_id()), key_id);
            let note = SignedCheckpoint::parse(note).unwrap();
            let [line] = &note.signatures[..] else { panic!("{name}: one signature was expected") };
            assert_eq!((line.key_name.as_str(), line.key_id), (name, key.key_id()));
            let r_s = fixed_from_der(&line.signature).unwrap();
            assert!(key.verifies(note.checkpoint.body().as_bytes(), &r_s), "{name}");
            assert_eq!(der_from_fixed(&r_s), line.signature);
        }
    }
}
