//! Asymmetric keys: read from every format, written to every format, never kept longer than a call.
//!
//! A [`PrivateKey`] is the library's form of a key in clear; the library wipes it when it is dropped.

mod curve;
mod encoding;
mod generate;
mod material;
mod numbers;
mod rsa_factors;
mod taken_apart;

use kmip::registry::{CryptographicAlgorithm, RecommendedCurve};
use openssl::ec::{Asn1Flag, EcGroupRef};
use openssl::pkey::{HasPublic, Id, PKey, PKeyRef, Private, Public};

pub(crate) use curve::group;
pub use generate::random_len;
pub use material::{KeyHint, inspect_private, inspect_public};

use crate::CryptoError;
use crate::library::Checked;
use crate::limits::{MAX_MODULUS_BITS, MAX_PUBLIC_EXPONENT_BITS};

/// What sort of asymmetric key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA.
    Rsa,
    /// DSA.
    Dsa,
    /// Diffie-Hellman over a prime field.
    Dh,
    /// A key on a curve in Weierstrass form: ECDSA and ECDH.
    Ec,
    /// Edwards curve 25519, signatures.
    Ed25519,
    /// Edwards curve 448, signatures.
    Ed448,
    /// Montgomery curve 25519, agreement.
    X25519,
    /// Montgomery curve 448, agreement.
    X448,
}

/// What an encoded key tells about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// What sort of key.
    pub kind: KeyKind,
    /// Cryptographic Algorithm as versions from 1.2 name it (EC, not ECDSA).
    pub algorithm: CryptographicAlgorithm,
    /// Cryptographic Length in bits.
    pub length_bits: i32,
    /// The curve, if it is one of KMIP's.
    pub curve: Option<RecommendedCurve>,
    /// Bits of the public exponent of an RSA key.
    pub exponent_bits: Option<i32>,
}

/// A private key in clear.
pub struct PrivateKey {
    pkey: PKey<Private>,
    kind: KeyKind,
}

/// A public key.
pub struct PublicKey {
    pkey: PKey<Public>,
    kind: KeyKind,
}

impl PrivateKey {
    pub(crate) fn new(pkey: PKey<Private>) -> Result<Self, CryptoError> {
        let kind = checked_kind(&pkey)?;
        Ok(Self { pkey, kind })
    }

    /// What sort of key it is.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Algorithm, length and curve.
    #[must_use]
    pub fn facts(&self) -> KeyFacts {
        facts(&self.pkey, self.kind)
    }

    /// The public half.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`] for a key without one.
    pub fn public_key(&self) -> Result<PublicKey, CryptoError> {
        let refused = CryptoError::InvalidKey("it has no public half");
        let der = self.pkey.public_key_to_der().or_refuse(refused)?;
        PublicKey::new(PKey::public_key_from_der(&der).or_refuse(refused)?)
    }

    pub(crate) const fn pkey(&self) -> &PKey<Private> {
        &self.pkey
    }
}

impl PublicKey {
    pub(crate) fn new(pkey: PKey<Public>) -> Result<Self, CryptoError> {
        let kind = checked_kind(&pkey)?;
        Ok(Self { pkey, kind })
    }

    /// What sort of key it is.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Algorithm, length and curve.
    #[must_use]
    pub fn facts(&self) -> KeyFacts {
        facts(&self.pkey, self.kind)
    }

    /// Whether it is the public half of `private`.
    #[must_use]
    pub fn belongs_to(&self, private: &PrivateKey) -> bool {
        self.kind == private.kind && self.pkey.public_eq(private.pkey())
    }

    pub(crate) const fn pkey(&self) -> &PKey<Public> {
        &self.pkey
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey({:?})", self.facts())
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({:?})", self.facts())
    }
}

/// The kind of a key whose numbers are within the limits.
fn checked_kind<T: HasPublic>(pkey: &PKeyRef<T>) -> Result<KeyKind, CryptoError> {
    let broken = CryptoError::InvalidKey("it is broken");
    let kind = match pkey.id() {
        Id::RSA => {
            let rsa = pkey.rsa().or_refuse(broken)?;
            if crate::number::bits(rsa.e()) > MAX_PUBLIC_EXPONENT_BITS {
                return Err(CryptoError::TooLong("the public exponent"));
            }
            // An even modulus or exponent would send the arithmetic into places where nobody was.
            if rsa.n().is_even() || rsa.e().is_even() || crate::number::bits(rsa.e()) < 2 {
                return Err(broken);
            }
            KeyKind::Rsa
        }
        Id::DSA => KeyKind::Dsa,
        Id::DH | Id::DHX => KeyKind::Dh,
        Id::EC => {
            // Parameters that the key itself brings along could be chosen to fool the signature check.
            let ec = pkey.ec_key().or_refuse(broken)?;
            let unnamed = CryptoError::Unsupported("a curve without a name");
            named_curve(ec.group()).ok_or(unnamed)?;
            if ec.group().asn1_flag() != Asn1Flag::NAMED_CURVE {
                return Err(unnamed);
            }
            return Ok(KeyKind::Ec);
        }
        Id::ED25519 => return Ok(KeyKind::Ed25519),
        Id::ED448 => return Ok(KeyKind::Ed448),
        Id::X25519 => return Ok(KeyKind::X25519),
        Id::X448 => return Ok(KeyKind::X448),
        _ => return Err(CryptoError::Unsupported("the algorithm of the key")),
    };
    if usize::try_from(pkey.bits()).is_ok_and(|bits| bits <= MAX_MODULUS_BITS) {
        Ok(kind)
    } else {
        Err(CryptoError::TooLong("the modulus"))
    }
}

fn named_curve(group: &EcGroupRef) -> Option<RecommendedCurve> {
    curve::of_nid(group.curve_name()?)
}

fn facts<T: HasPublic>(pkey: &PKeyRef<T>, kind: KeyKind) -> KeyFacts {
    let bits = i32::try_from(pkey.bits()).unwrap_or(i32::MAX);
    let (algorithm, length_bits, curve) = match kind {
        KeyKind::Rsa => (CryptographicAlgorithm::Rsa, bits, None),
        KeyKind::Dsa => (CryptographicAlgorithm::Dsa, bits, None),
        KeyKind::Dh => (CryptographicAlgorithm::Dh, bits, None),
        KeyKind::Ec => {
            let ec = pkey.ec_key().ok();
            let length = ec.as_ref().and_then(|key| i32::try_from(key.group().degree()).ok()).unwrap_or(bits);
            (CryptographicAlgorithm::Ec, length, ec.and_then(|key| named_curve(key.group())))
        }
        KeyKind::Ed25519 => (CryptographicAlgorithm::Ed25519, 256, Some(RecommendedCurve::Curve25519)),
        KeyKind::Ed448 => (CryptographicAlgorithm::Ed448, 448, Some(RecommendedCurve::Curve448)),
        KeyKind::X25519 => (CryptographicAlgorithm::Ecdh, 256, Some(RecommendedCurve::Curve25519)),
        KeyKind::X448 => (CryptographicAlgorithm::Ecdh, 448, Some(RecommendedCurve::Curve448)),
    };
    let exponent_bits = match pkey.rsa() {
        Ok(rsa) => i32::try_from(crate::number::bits(rsa.e())).ok(),
        Err(_) => None,
    };
    KeyFacts { kind, algorithm, length_bits, curve, exponent_bits }
}
