//! A signature over a request's text, and the keys that it may be made with.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest;
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::limits::MAX_SIGNATURE_LEN;

/// SHA-256 of a key's DER SubjectPublicKeyInfo: who it is.
pub type Fingerprint = [u8; 32];

/// A key that may approve. RSA is not among them: its signatures do not fit into an audit record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA on P-256 with SHA-256; a signature is `r‖s`, 64 bytes.
    P256,
    /// ECDSA on P-384 with SHA-384; a signature is `r‖s`, 96 bytes.
    P384,
    /// Ed25519 (RFC 8032); a signature has 64 bytes.
    Ed25519,
}

/// The key is none of those that may approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("approvals are signed with keys on P-256, on P-384, or of Ed25519")]
pub struct NotAKey;

impl KeyKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::P256, Self::P384, Self::Ed25519];

    /// What stands before the key's own bytes in its SubjectPublicKeyInfo (RFC 5480 §2, RFC 8410 §4), and how many of
    /// them follow. DER leaves no choice, so the bytes are compared and not parsed.
    const fn layout(self) -> (&'static [u8], usize) {
        match self {
            Self::P256 => (
                &[
                    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
                    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
                ],
                65,
            ),
            Self::P384 => (
                &[
                    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
                    0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00,
                ],
                97,
            ),
            Self::Ed25519 => (&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00], 32),
        }
    }

    fn algorithm(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::P256 => &signature::ECDSA_P256_SHA256_FIXED,
            Self::P384 => &signature::ECDSA_P384_SHA384_FIXED,
            Self::Ed25519 => &signature::ED25519,
        }
    }
}

/// The DER SubjectPublicKeyInfo of a key, given the key's own bytes: an uncompressed point, or 32 bytes of Ed25519.
#[must_use]
pub fn public_key_info(kind: KeyKind, public: &[u8]) -> Vec<u8> {
    [kind.layout().0, public].concat()
}

/// Somebody who may approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approver {
    /// The person: two keys of one name are one person.
    pub name: String,
    kind: KeyKind,
    public: Vec<u8>,
    fingerprint: Fingerprint,
}

impl Approver {
    /// The person `name` with the key of this DER SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// [`NotAKey`].
    pub fn new(name: &str, spki: &[u8]) -> Result<Self, NotAKey> {
        let read = |kind: KeyKind| {
            let (head, len) = kind.layout();
            spki.strip_prefix(head).filter(|key| key.len() == len).map(|key| (kind, key.to_vec()))
        };
        let (kind, public) = KeyKind::ALL.into_iter().find_map(read).ok_or(NotAKey)?;
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest::digest(&digest::SHA256, spki).as_ref());
        Ok(Self { name: name.to_owned(), kind, public, fingerprint })
    }

    /// What the key is known by.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Whether this key made `approval` over `text`.
    #[must_use]
    pub fn made(&self, approval: &Approval, text: &str) -> bool {
        let key = UnparsedPublicKey::new(self.kind.algorithm(), &self.public);
        approval.fingerprint == self.fingerprint && key.verify(text.as_bytes(), &approval.signature).is_ok()
    }
}

/// A signature over the text of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Whose key made it.
    #[serde(serialize_with = "as_hex", deserialize_with = "of_hex")]
    pub fingerprint: Fingerprint,
    /// Of the length that [`KeyKind`] says.
    #[serde(serialize_with = "as_base64", deserialize_with = "of_base64")]
    pub signature: Vec<u8>,
}

impl Approval {
    /// The signature as it stands in files and records.
    #[must_use]
    pub fn signature_text(&self) -> String {
        STANDARD.encode(&self.signature)
    }
}

fn as_hex<S: Serializer>(bytes: &Fingerprint, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&hex::encode(bytes))
}

fn of_hex<'de, D: Deserializer<'de>>(from: D) -> Result<Fingerprint, D::Error> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(String::deserialize(from)?, &mut bytes).map_err(de::Error::custom)?;
    Ok(bytes)
}

fn as_base64<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&STANDARD.encode(bytes))
}

fn of_base64<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let bytes = STANDARD.decode(String::deserialize(from)?).map_err(de::Error::custom)?;
    if bytes.len() > MAX_SIGNATURE_LEN {
        return Err(de::Error::custom("a signature over 96 bytes"));
    }
    Ok(bytes)
}
