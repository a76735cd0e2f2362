//! The public keys that an auditor trusts: those of the HSM members that sign checkpoints.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use thiserror::Error;

use crate::{
    limits::{MAX_KEY_NAME_LEN, MAX_TRUSTED_KEYS},
    tree::{Hash, digest_of},
};

/// Signature type of ECDSA in the signed-note specification.
const ECDSA_TYPE: u8 = 0x02;
/// Length of an uncompressed P-256 point (SEC 1 §2.3.3).
const POINT_LEN: usize = 65;
const UNCOMPRESSED: u8 = 0x04;
/// DER of a SubjectPublicKeyInfo up to the point: id-ecPublicKey on prime256v1 (RFC 5480 §2).
const SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// First part of every key name and origin.
const PRODUCT: &str = "clavis";

/// Why text or bytes are not a public key, or not a set of them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Not an uncompressed P-256 point.
    #[error("not an uncompressed P-256 point")]
    Point,
    /// Not `name+key id+base64`.
    #[error("line {0}: not a verifier key")]
    Syntax(usize),
    /// The key id is not that of the key.
    #[error("line {0}: the key id is not that of the key")]
    KeyId(usize),
    /// Not an ECDSA P-256 key.
    #[error("line {0}: not an ECDSA P-256 key")]
    Type(usize),
    /// Keys of two KMSs in one set.
    #[error("line {0}: a key of another KMS")]
    Mixed(usize),
    /// The name of the KMS does not fit into a key name.
    #[error("{0:?} cannot name a KMS: 1 to {MAX_KEY_NAME_LEN} letters, digits, '.', '-', '_'")]
    Name(String),
    /// No key at all, or more than [`MAX_TRUSTED_KEYS`].
    #[error("{0} keys")]
    Count(usize),
}

/// An ECDSA P-256 public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; POINT_LEN]);

impl PublicKey {
    /// From the uncompressed point, 65 bytes (SEC 1 §2.3.3). Whether it lies on the curve shows at the first
    /// verification.
    ///
    /// # Errors
    /// [`KeyError::Point`].
    pub fn from_sec1(point: &[u8]) -> Result<Self, KeyError> {
        match <[u8; POINT_LEN]>::try_from(point) {
            Ok(point) if point.first() == Some(&UNCOMPRESSED) => Ok(Self(point)),
            _ => Err(KeyError::Point),
        }
    }

    /// The uncompressed point, 65 bytes.
    #[must_use]
    pub const fn as_sec1(&self) -> &[u8; POINT_LEN] {
        &self.0
    }

    /// The DER SubjectPublicKeyInfo (RFC 5480 §2).
    #[must_use]
    pub fn spki_der(&self) -> Vec<u8> {
        [&SPKI_PREFIX[..], &self.0].concat()
    }

    /// SHA-256 of [`PublicKey::spki_der`].
    #[must_use]
    pub fn fingerprint(&self) -> Hash {
        digest_of(&[&SPKI_PREFIX, &self.0])
    }

    /// The key id in signed notes; for ECDSA the first four bytes of the fingerprint.
    #[must_use]
    pub fn key_id(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = self.fingerprint();
        [a, b, c, d]
    }

    /// Whether `r_s` is this key's signature of the SHA-256 of `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], r_s: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.0[..]).verify(message, r_s).is_ok()
    }
}

/// The keys whose signatures count, all of one KMS.
///
/// As a file: one verifier key of the signed-note world per line, `name+key id+base64(type ‖ SubjectPublicKeyInfo)`;
/// empty lines and lines that begin with `#` are passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKeys {
    kms: String,
    keys: Vec<PublicKey>,
}

impl TrustedKeys {
    /// The keys of the KMS called `kms`.
    ///
    /// # Errors
    /// [`KeyError::Name`], [`KeyError::Count`].
    pub fn new(kms: &str, mut keys: Vec<PublicKey>) -> Result<Self, KeyError> {
        check_kms_name(kms)?;
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() || keys.len() > MAX_TRUSTED_KEYS {
            return Err(KeyError::Count(keys.len()));
        }
        Ok(Self { kms: kms.to_owned(), keys })
    }

    /// Reads the file form.
    ///
    /// # Errors
    /// [`KeyError`], with the line where there is one.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut kms: Option<&str> = None;
        let mut keys = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, key) = parse_verifier_key(line, number)?;
            if *kms.get_or_insert(name) != name {
                return Err(KeyError::Mixed(number));
            }
            if keys.len() >= MAX_TRUSTED_KEYS {
                return Err(KeyError::Count(keys.len() + 1));
            }
            keys.push(key);
        }
        Self::new(kms.ok_or(KeyError::Count(0))?, keys)
    }

    /// The file form.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.keys.iter().map(|key| format!("{}\n", verifier_key(&self.key_name(), key))).collect()
    }

    /// Name of the KMS.
    #[must_use]
    pub fn kms(&self) -> &str {
        &self.kms
    }

    /// The key name in signature lines, `clavis/<kms>`.
    #[must_use]
    pub fn key_name(&self) -> String {
        key_name(&self.kms)
    }

    /// The keys, in a fixed order.
    #[must_use]
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }
}

/// `clavis/<kms>`: the name under which all members of a KMS's HSM group sign; the key id tells them apart.
pub(crate) fn key_name(kms: &str) -> String {
    format!("{PRODUCT}/{kms}")
}

/// A name that can stand in a key name, an origin and a URL without escapes.
pub(crate) fn check_kms_name(kms: &str) -> Result<(), KeyError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if kms.is_empty() || kms.len() > MAX_KEY_NAME_LEN || !kms.bytes().all(fits) {
        return Err(KeyError::Name(kms.chars().take(MAX_KEY_NAME_LEN).collect()));
    }
    Ok(())
}

fn verifier_key(name: &str, key: &PublicKey) -> String {
    let typed = [&[ECDSA_TYPE][..], &key.spki_der()].concat();
    format!("{name}+{}+{}", hex::encode(key.key_id()), STANDARD.encode(typed))
}

fn parse_verifier_key(line: &str, number: usize) -> Result<(&str, PublicKey), KeyError> {
    // Base64 may hold more of them, so only the first two plus signs separate.
    let mut parts = line.splitn(3, '+');
    let (Some(name), Some(key_id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyError::Syntax(number));
    };
    let kms = name.strip_prefix(PRODUCT).and_then(|rest| rest.strip_prefix('/')).ok_or(KeyError::Syntax(number))?;
    check_kms_name(kms).map_err(|_| KeyError::Syntax(number))?;
    let typed = STANDARD.decode(encoded).map_err(|_| KeyError::Syntax(number))?;
    let point = typed
        .strip_prefix(&[ECDSA_TYPE])
        .and_then(|spki| spki.strip_prefix(&SPKI_PREFIX))
        .ok_or(KeyError::Type(number))?;
    let key = PublicKey::from_sec1(point).map_err(|_| KeyError::Type(number))?;
    if hex::encode(key.key_id()) != key_id {
        return Err(KeyError::KeyId(number));
    }
    Ok((kms, key))
}

#[cfg(test)]
pub(crate) mod tests {
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
    };

    use super::*;

    /// A member's key pair, as its HSM would hold it.
    pub(crate) struct Signer(EcdsaKeyPair, SystemRandom);

    impl Signer {
        pub(crate) fn new() -> Self {
            let random = SystemRandom::new();
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
            Self(pair, random)
        }

        pub(crate) fn public(&self) -> PublicKey {
            PublicKey::from_sec1(self.0.public_key().as_ref()).unwrap()
        }

        pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
            self.0.sign(&self.1, message).unwrap().as_ref().try_into().unwrap()
        }
    }

    #[test]
    fn the_file_form_comes_back() {
        let keys = TrustedKeys::new("paris-1", (0..3).map(|_| Signer::new().public()).collect()).unwrap();
        let text = format!("# members of PAR7S, TH3S, AZ07\n\n{}", keys.to_text());
        assert_eq!(TrustedKeys::parse(&text).unwrap(), keys);
    }

    #[test]
    fn every_changed_character_of_a_verifier_key_is_refused() {
        let keys = TrustedKeys::new("k", vec![Signer::new().public()]).unwrap();
        let text = keys.to_text();
        for at in 0..text.trim_end().len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            // A changed name of the KMS is another KMS, and a `#` in front makes a comment: no key is left then.
            match TrustedKeys::parse(&changed) {
                Ok(other) => assert_ne!(other.kms(), keys.kms(), "{changed}"),
                Err(_) => continue,
            }
        }
    }

    #[test]
    fn faults_of_the_file_are_named_with_their_line() {
        let (one, two) = (Signer::new().public(), Signer::new().public());
        let line = |kms: &str, key: &PublicKey| verifier_key(&key_name(kms), key);
        let parse = |lines: &[String]| TrustedKeys::parse(&lines.join("\n")).unwrap_err();
        assert_eq!(parse(&[line("a", &one), line("b", &two)]), KeyError::Mixed(2));
        assert_eq!(parse(&["# nothing".into()]), KeyError::Count(0));
        assert_eq!(parse(&[line("a", &one), "clavis/a".into()]), KeyError::Syntax(2));
        assert_eq!(parse(&[line("a", &one).replacen("clavis", "other", 1)]), KeyError::Syntax(1));
        let foreign_id = format!("clavis/a+{}+{}", hex::encode(two.key_id()), &line("a", &one)[18..]);
        assert_eq!(parse(&[foreign_id]), KeyError::KeyId(1));
        assert!(matches!(TrustedKeys::new("a b", vec![one]), Err(KeyError::Name(_))));
        assert!(matches!(TrustedKeys::new("a+b", vec![one]), Err(KeyError::Name(_))));
        assert_eq!(PublicKey::from_sec1(&[4; 64]), Err(KeyError::Point));
        assert_eq!(PublicKey::from_sec1(&[2; 65]), Err(KeyError::Point));
    }
}
