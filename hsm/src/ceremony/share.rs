//! One custodian's share at rest: sealed to a passphrase or to a public key, and the key with which its holder signs.
//!
//! ```text
//!  passphrase ── Argon2id (salt) ──┬─ HKDF "seal" ──► AES-256-GCM key
//!                                  └─ HKDF "sign" ──► Ed25519 key, with which the custodian signs records
//!  P-256 key ── ECDH (ephemeral key) ── HKDF "seal" ──► AES-256-GCM key;   the key itself signs (ECDSA)
//! ```
//! The additional data is everything else that the file says, and a file is read in its one canonical form only, so no
//! byte of it can be changed without the share being refused.

use std::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use argon2::Argon2;
use p256::elliptic_curve::point::AffineCoordinates;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{PublicKey, SecretKey};
use pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePublicKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use secret::Secret;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::error::CeremonyError;
use super::escrow::SHARE_LEN;
use crate::limits::MAX_SHARE_FILE_LEN;
use crate::raw::Locked;

/// Bytes of every key that is derived here.
const KEY_LEN: usize = 32;
/// A P-256 point, SEC 1 uncompressed.
const POINT_LEN: usize = 65;
/// Argon2id: 64 MiB, 3 passes, 1 lane – the second recommendation of RFC 9106 §4 with one lane instead of four.
const ARGON2_MEMORY_KIB: u32 = 64 * 1024;
const ARGON2_PASSES: u32 = 3;
const ARGON2_LANES: u32 = 1;
/// What a share file may ask of this process at most: four times what we write.
const MAX_ARGON2_MEMORY_KIB: u32 = 256 * 1024;
const MAX_ARGON2_PASSES: u32 = 12;
const MAX_ARGON2_LANES: u32 = 4;
/// What stands before an Ed25519 key in its SubjectPublicKeyInfo (RFC 8410 §4).
const ED25519_INFO: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Someone who keeps one share.
pub struct Custodian {
    /// Also part of a file name: letters, digits, `-` and `_`, at most 32.
    pub name: String,
    /// What the share is sealed to.
    pub lock: Lock,
}

/// What a share is sealed to.
pub enum Lock {
    /// At least 12 bytes.
    Passphrase(Secret),
    /// SubjectPublicKeyInfo in DER of a key on P-256, of which the custodian alone has the private half.
    PublicKey(Vec<u8>),
}

/// What opens a share.
pub enum Opener {
    /// Of a share that is sealed to a passphrase.
    Passphrase(Secret),
    /// PKCS #8 in DER, of a share that is sealed to a public key.
    PrivateKey(Secret),
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passphrase(_) => "Passphrase",
            Self::PrivateKey(_) => "PrivateKey",
        })
    }
}

/// One share, sealed to its custodian.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedShare {
    /// Whose it is.
    pub custodian: String,
    /// The Root of Trust it helps to restore.
    #[serde(with = "hex::serde")]
    pub rot_fingerprint: [u8; 32],
    /// How many shares are needed.
    pub threshold: u8,
    /// The key with which the custodian signs records of ceremonies: SubjectPublicKeyInfo in DER.
    #[serde(with = "hex::serde")]
    pub signing_key: Vec<u8>,
    /// How the key of the seal comes about.
    pub sealed_to: SealedTo,
    /// AES-256-GCM: IV.
    #[serde(with = "hex::serde")]
    pub iv: [u8; 12],
    /// AES-256-GCM: the share and its tag.
    #[serde(with = "hex::serde")]
    pub ciphertext: Vec<u8>,
}

/// How the key that seals a share comes about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SealedTo {
    /// Argon2id (RFC 9106) of a passphrase.
    Passphrase {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes.
        passes: u32,
        /// Lanes.
        lanes: u32,
        /// Salt.
        #[serde(with = "hex::serde")]
        salt: [u8; 16],
    },
    /// Key agreement on P-256 between an ephemeral key and the custodian's.
    Key {
        /// The public half of the ephemeral key, SEC 1 uncompressed.
        #[serde(with = "hex::serde")]
        ephemeral: [u8; POINT_LEN],
    },
}

/// The length of what HKDF is asked for.
struct KeyLen;

impl KeyType for KeyLen {
    fn len(&self) -> usize {
        KEY_LEN
    }
}

impl SealedShare {
    /// The share of `custodian`, sealed.
    pub(super) fn seal(
        custodian: &Custodian,
        share: &Locked,
        threshold: u8,
        rot_fingerprint: &[u8; 32],
    ) -> Result<Self, CeremonyError> {
        let fault = |text: &str| CeremonyError::Escrow(format!("the share of {}: {text}", custodian.name));
        let random = SystemRandom::new();
        let draw = |bytes: &mut [u8]| random.fill(bytes).map_err(|_| fault("no randomness"));
        let mut iv = [0; 12];
        draw(&mut iv)?;
        let (sealed_to, signing_key, material) = match &custodian.lock {
            Lock::Passphrase(passphrase) => {
                let mut salt = [0; 16];
                draw(&mut salt)?;
                let (memory_kib, passes, lanes) = (ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES);
                let stretched =
                    stretch(passphrase, memory_kib, passes, lanes, &salt).map_err(|text| fault(text.as_str()))?;
                let pair = passphrase_pair(&stretched).map_err(|text| fault(text.as_str()))?;
                let info = [&ED25519_INFO, pair.public_key().as_ref()].concat();
                (SealedTo::Passphrase { memory_kib, passes, lanes, salt }, info, stretched)
            }
            Lock::PublicKey(info) => {
                let theirs = PublicKey::from_public_key_der(info).map_err(|_| fault("its key is none on P-256"))?;
                let ephemeral = loop {
                    let mut scalar = Zeroizing::new([0; KEY_LEN]);
                    draw(&mut scalar[..])?;
                    // A number that is no scalar of the curve comes once in 2^32 draws.
                    if let Ok(key) = SecretKey::from_slice(&scalar[..]) {
                        break key;
                    }
                };
                let point = point_of(&ephemeral.public_key()).ok_or_else(|| fault("its key cannot be written"))?;
                let canonical = theirs.to_public_key_der().map_err(|_| fault("its key cannot be written"))?;
                (SealedTo::Key { ephemeral: point }, canonical.as_bytes().to_vec(), agree(&ephemeral, &theirs))
            }
        };
        let mut sealed = Self {
            custodian: custodian.name.clone(),
            rot_fingerprint: *rot_fingerprint,
            threshold,
            signing_key,
            sealed_to,
            iv,
            ciphertext: Vec::new(),
        };
        let aad = sealed.additional_data()?;
        sealed.ciphertext = cipher(&material)
            .map_err(|text| fault(text.as_str()))?
            .encrypt(&Nonce::from(sealed.iv), Payload { msg: share.expose(), aad: &aad })
            .map_err(|_| fault("it could not be sealed"))?;
        Ok(sealed)
    }

    /// The file's content: JSON in the one form that [`Self::from_file`] reads.
    ///
    /// # Errors
    /// [`CeremonyError::Escrow`] where it has none, which no share of ours does.
    pub fn to_file(&self) -> Result<Vec<u8>, CeremonyError> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|cause| CeremonyError::Escrow(cause.to_string()))?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`CeremonyError::Escrow`] for anything that [`Self::to_file`] does not write, be it a space.
    pub fn from_file(bytes: &[u8]) -> Result<Self, CeremonyError> {
        if bytes.len() > MAX_SHARE_FILE_LEN {
            return Err(CeremonyError::Escrow(format!("a share has at most {MAX_SHARE_FILE_LEN} bytes")));
        }
        let share: Self = serde_json::from_slice(bytes)
            .map_err(|cause| CeremonyError::Escrow(format!("this is no share: {cause}")))?;
        if share.to_file()? == bytes {
            Ok(share)
        } else {
            Err(CeremonyError::Escrow(format!("the file with the share of {} was altered", share.custodian)))
        }
    }

    /// The share in clear.
    pub(super) fn open(&self, opener: &Opener) -> Result<Locked, CeremonyError> {
        let material = self.material(opener)?;
        self.opened(opener, &material)
    }

    /// Signs `text` as this share's custodian, after the share itself was opened: who signs has shown that the share is
    /// whole and that its key or passphrase is there.
    ///
    /// # Errors
    /// [`CeremonyError::Escrow`] where it does not open, or the key does not sign.
    pub fn sign(&self, opener: &Opener, text: &[u8]) -> Result<Vec<u8>, CeremonyError> {
        let fault = |text: &str| CeremonyError::Escrow(format!("the share of {}: {text}", self.custodian));
        let material = self.material(opener)?;
        drop(self.opened(opener, &material)?);
        match opener {
            Opener::Passphrase(_) => {
                let pair = passphrase_pair(&material).map_err(|text| fault(text.as_str()))?;
                Ok(pair.sign(text).as_ref().to_vec())
            }
            Opener::PrivateKey(key) => {
                let random = SystemRandom::new();
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.expose(), &random)
                    .map_err(|_| fault("its key is not PKCS #8 with the public half in it"))?
                    .sign(&random, text)
                    .map(|signature| signature.as_ref().to_vec())
                    .map_err(|_| fault("its key does not sign"))
            }
        }
    }

    /// What the keys are derived from.
    fn material(&self, opener: &Opener) -> Result<Zeroizing<[u8; KEY_LEN]>, CeremonyError> {
        let fault = |text: String| CeremonyError::Escrow(format!("the share of {}: {text}", self.custodian));
        match (&self.sealed_to, opener) {
            (SealedTo::Passphrase { memory_kib, passes, lanes, salt }, Opener::Passphrase(passphrase)) => {
                stretch(passphrase, *memory_kib, *passes, *lanes, salt).map_err(fault)
            }
            (SealedTo::Key { ephemeral }, Opener::PrivateKey(key)) => {
                let own = SecretKey::from_pkcs8_der(key.expose())
                    .map_err(|_| fault("the key is no PKCS #8 of a key on P-256".to_owned()))?;
                let theirs = PublicKey::from_sec1_bytes(ephemeral)
                    .map_err(|_| fault("its ephemeral key is no point of P-256".to_owned()))?;
                Ok(agree(&own, &theirs))
            }
            (SealedTo::Passphrase { .. }, Opener::PrivateKey(_)) => Err(fault("a passphrase opens it, no key".into())),
            (SealedTo::Key { .. }, Opener::Passphrase(_)) => Err(fault("a key opens it, no passphrase".into())),
        }
    }

    fn opened(&self, opener: &Opener, material: &[u8; KEY_LEN]) -> Result<Locked, CeremonyError> {
        let fault = |text: &str| CeremonyError::Escrow(format!("the share of {}: {text}", self.custodian));
        let aad = self.additional_data()?;
        let wrong = match opener {
            Opener::Passphrase(_) => "the passphrase is wrong, or the share was altered",
            Opener::PrivateKey(_) => "the key is another one, or the share was altered",
        };
        let mut opened = cipher(material)
            .map_err(|text| fault(text.as_str()))?
            .decrypt(&Nonce::from(self.iv), Payload { msg: &self.ciphertext, aad: &aad })
            .map_err(|_| fault(wrong))?;
        if opened.len() != SHARE_LEN {
            opened.zeroize();
            return Err(fault("it has the wrong length"));
        }
        Ok(Locked::new(Secret::new(opened)))
    }

    /// Everything that the file says but for IV and ciphertext, in its canonical form.
    fn additional_data(&self) -> Result<Vec<u8>, CeremonyError> {
        let bare = Self { iv: [0; 12], ciphertext: Vec::new(), ..self.clone() };
        Ok([b"clavis escrow share 2\0".as_slice(), &bare.to_file()?].concat())
    }
}

/// Argon2id of a passphrase.
fn stretch(
    passphrase: &Secret,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: &[u8; 16],
) -> Result<Zeroizing<[u8; KEY_LEN]>, String> {
    if memory_kib > MAX_ARGON2_MEMORY_KIB || passes > MAX_ARGON2_PASSES || lanes > MAX_ARGON2_LANES {
        return Err("it asks for more memory or time than a share of ours".to_owned());
    }
    let params = argon2::Params::new(memory_kib, passes, lanes, Some(KEY_LEN))
        .map_err(|_| "its Argon2 parameters cannot be".to_owned())?;
    let mut key = Zeroizing::new([0; KEY_LEN]);
    Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
        .hash_password_into(passphrase.expose(), salt, &mut key[..])
        .map_err(|_| "Argon2 failed".to_owned())?;
    Ok(key)
}

/// The secret that two keys on P-256 have in common (SEC 1 §3.3.1).
fn agree(own: &SecretKey, theirs: &PublicKey) -> Zeroizing<[u8; KEY_LEN]> {
    let mut point = theirs.to_projective() * *own.to_nonzero_scalar();
    let mut x = point.to_affine().x();
    let mut common = Zeroizing::new([0; KEY_LEN]);
    common.copy_from_slice(&x);
    x.as_mut_slice().zeroize();
    point.zeroize();
    common
}

fn point_of(key: &PublicKey) -> Option<[u8; POINT_LEN]> {
    key.to_sec1_point(false).as_bytes().try_into().ok()
}

/// A key for one purpose.
fn derive(material: &[u8; KEY_LEN], purpose: &[u8]) -> Result<Zeroizing<[u8; KEY_LEN]>, String> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    Salt::new(HKDF_SHA256, b"clavis escrow share 2")
        .extract(material)
        .expand(&[purpose], KeyLen)
        .and_then(|derived| derived.fill(&mut key[..]))
        .map_err(|_| "no key could be derived".to_owned())?;
    Ok(key)
}

fn cipher(material: &[u8; KEY_LEN]) -> Result<Aes256Gcm, String> {
    let key = derive(material, b"seal")?;
    Aes256Gcm::new_from_slice(&key[..]).map_err(|_| "the key has the wrong length".to_owned())
}

/// The key with which a custodian signs who has a passphrase only.
fn passphrase_pair(material: &[u8; KEY_LEN]) -> Result<Ed25519KeyPair, String> {
    let seed = derive(material, b"sign")?;
    Ed25519KeyPair::from_seed_unchecked(&seed[..]).map_err(|_| "no signing key could be made".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINGERPRINT: [u8; 32] = [6; 32];
    const TEXT: &[u8] = b"what was done";

    fn share() -> Locked {
        Locked::new(Secret::copy_from(&[0x5a; SHARE_LEN]))
    }

    fn with_passphrase() -> (SealedShare, Opener) {
        let passphrase = || Secret::copy_from(b"a long passphrase");
        let custodian = Custodian { name: "ada".into(), lock: Lock::Passphrase(passphrase()) };
        (SealedShare::seal(&custodian, &share(), 2, &FINGERPRINT).unwrap(), Opener::Passphrase(passphrase()))
    }

    fn key() -> (Vec<u8>, Secret) {
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let public = SecretKey::from_pkcs8_der(der.as_ref()).unwrap().public_key().to_public_key_der().unwrap();
        (public.as_bytes().to_vec(), Secret::copy_from(der.as_ref()))
    }

    fn with_key() -> (SealedShare, Opener) {
        let (public, private) = key();
        let custodian = Custodian { name: "ada".into(), lock: Lock::PublicKey(public) };
        (SealedShare::seal(&custodian, &share(), 2, &FINGERPRINT).unwrap(), Opener::PrivateKey(private))
    }

    #[test]
    fn a_share_opens_with_what_it_was_sealed_to_and_with_nothing_else() {
        let ((first, passphrase), (second, key_of_second)) = (with_passphrase(), with_key());
        assert_eq!(first.open(&passphrase).unwrap().expose(), share().expose());
        assert_eq!(second.open(&key_of_second).unwrap().expose(), share().expose());
        let other_key = Opener::PrivateKey(key().1);
        let other_passphrase = Opener::Passphrase(Secret::copy_from(b"a long passphrasf"));
        for (sealed, opener) in [
            (&first, &other_passphrase),
            (&first, &key_of_second),
            (&second, &other_key),
            (&second, &passphrase),
            (&second, &Opener::PrivateKey(Secret::copy_from(b"no key"))),
        ] {
            assert!(sealed.open(opener).is_err(), "{opener:?}");
            assert!(sealed.sign(opener, TEXT).is_err(), "{opener:?}");
        }
    }

    #[test]
    fn a_file_with_any_byte_altered_is_refused() {
        let (sealed, opener) = with_key();
        let file = sealed.to_file().unwrap();
        assert!(SealedShare::from_file(&file).unwrap().open(&opener).is_ok());
        for at in 0..file.len() {
            for bit in [0x01, 0x20] {
                let mut altered = file.clone();
                altered[at] ^= bit;
                let opened = SealedShare::from_file(&altered).and_then(|share| share.open(&opener));
                assert!(opened.is_err(), "byte {at} was altered to {:?}", char::from(altered[at]));
            }
        }
        let long = [file.as_slice(), b" "].concat();
        assert!(SealedShare::from_file(&long).is_err());
        assert!(SealedShare::from_file(&file[..file.len() - 1]).is_err());
    }

    #[test]
    fn an_altered_share_of_a_passphrase_does_not_open() {
        let (genuine, opener) = with_passphrase();
        for alter in [
            |share: &mut SealedShare| share.ciphertext[3] ^= 1,
            |share: &mut SealedShare| share.iv[0] ^= 1,
            |share: &mut SealedShare| share.custodian.push('x'),
            |share: &mut SealedShare| share.rot_fingerprint[0] ^= 1,
            |share: &mut SealedShare| share.signing_key[20] ^= 1,
            |share: &mut SealedShare| share.threshold = 3,
            |share: &mut SealedShare| {
                let SealedTo::Passphrase { salt, .. } = &mut share.sealed_to else { panic!("no passphrase") };
                salt[0] ^= 1;
            },
            |share: &mut SealedShare| {
                let SealedTo::Passphrase { memory_kib, .. } = &mut share.sealed_to else { panic!("no passphrase") };
                *memory_kib = u32::MAX;
            },
            |share: &mut SealedShare| {
                let SealedTo::Passphrase { lanes, .. } = &mut share.sealed_to else { panic!("no passphrase") };
                *lanes = 0;
            },
        ] {
            let mut altered = genuine.clone();
            alter(&mut altered);
            assert!(altered.open(&opener).is_err(), "{altered:?}");
        }
        assert!(genuine.open(&opener).is_ok());
    }

    #[test]
    fn what_a_custodian_signs_verifies_under_the_key_in_the_share() {
        use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
        let (first, passphrase) = with_passphrase();
        let signature = first.sign(&passphrase, TEXT).unwrap();
        let public = first.signing_key.strip_prefix(&ED25519_INFO).unwrap();
        UnparsedPublicKey::new(&ED25519, public).verify(TEXT, &signature).unwrap();
        let (second, private) = with_key();
        let signature = second.sign(&private, TEXT).unwrap();
        let public = &second.signing_key[second.signing_key.len() - POINT_LEN..];
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).verify(TEXT, &signature).unwrap();
        assert!(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).verify(b"another text", &signature).is_err());
    }
}
