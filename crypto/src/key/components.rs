//! Keys as numbers: the Transparent formats. KMIP 1.4 §2.1.7, 2.1 §3.6.

use kmip::registry::RecommendedCurve;
use openssl::bn::BigNumContext;
use openssl::dh::Dh;
use openssl::dsa::Dsa;
use openssl::ec::{EcKey, EcPoint, PointConversionForm};
use openssl::pkey::PKey;
use openssl::rsa::{Rsa, RsaPrivateKeyBuilder};
use secret::Secret;

use super::rsa_factors::RsaNumbers;
use super::{KeyKind, PrivateKey, PublicKey, group, named_curve};
use crate::CryptoError;
use crate::library::Checked;
use crate::limits::MAX_MODULUS_BITS;
use crate::number::{SecretNumber, bits, padded, secret_padded, unsigned};

const BROKEN: CryptoError = CryptoError::InvalidKey("its numbers do not make a key");

/// The numbers of a private key, big-endian. Read with or without zeros in front; written as KMIP's Big Integers, with
/// as many zeros as make whole groups of 8 bytes whose first bit is not set.
#[derive(Debug)]
pub enum PrivateComponents {
    /// Transparent RSA Private Key. KMIP demands the modulus and one way to the private exponent.
    Rsa {
        /// n.
        modulus: Vec<u8>,
        /// d.
        private_exponent: Option<Secret>,
        /// e.
        public_exponent: Option<Vec<u8>>,
        /// p.
        p: Option<Secret>,
        /// q.
        q: Option<Secret>,
        /// d mod (p - 1).
        prime_exponent_p: Option<Secret>,
        /// d mod (q - 1).
        prime_exponent_q: Option<Secret>,
        /// The inverse of q mod p.
        crt_coefficient: Option<Secret>,
    },
    /// Transparent DSA Private Key.
    Dsa {
        /// The prime.
        p: Vec<u8>,
        /// The order.
        q: Vec<u8>,
        /// The generator.
        g: Vec<u8>,
        /// The private number.
        x: Secret,
    },
    /// Transparent DH Private Key.
    Dh {
        /// The prime.
        p: Vec<u8>,
        /// The order.
        q: Option<Vec<u8>>,
        /// The generator.
        g: Vec<u8>,
        /// The private number.
        x: Secret,
    },
    /// Transparent EC, ECDSA or ECDH Private Key.
    Ec {
        /// The curve.
        curve: RecommendedCurve,
        /// The private number.
        d: Secret,
    },
}

/// The numbers of a public key; see [`PrivateComponents`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicComponents {
    /// Transparent RSA Public Key.
    Rsa {
        /// n.
        modulus: Vec<u8>,
        /// e.
        public_exponent: Vec<u8>,
    },
    /// Transparent DSA Public Key.
    Dsa {
        /// The prime.
        p: Vec<u8>,
        /// The order.
        q: Vec<u8>,
        /// The generator.
        g: Vec<u8>,
        /// The public number.
        y: Vec<u8>,
    },
    /// Transparent DH Public Key.
    Dh {
        /// The prime.
        p: Vec<u8>,
        /// The order.
        q: Option<Vec<u8>>,
        /// The generator.
        g: Vec<u8>,
        /// The public number.
        y: Vec<u8>,
    },
    /// Transparent EC, ECDSA or ECDH Public Key.
    Ec {
        /// The curve.
        curve: RecommendedCurve,
        /// The point as SEC 1 encodes it; written uncompressed.
        q_string: Vec<u8>,
    },
}

impl PrivateKey {
    /// Makes a key of its numbers; those that follow from others may be left out.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`], [`CryptoError::Missing`], [`CryptoError::Unsupported`], [`CryptoError::TooLong`].
    pub fn from_components(components: &PrivateComponents) -> Result<Self, CryptoError> {
        let public = |bytes: &[u8]| unsigned(bytes, MAX_MODULUS_BITS);
        let private = |bytes: &Secret| SecretNumber::from_bytes(bytes.expose(), MAX_MODULUS_BITS);
        let optional = |bytes: &Option<Secret>| bytes.as_ref().map(private).transpose();
        let mut context = BigNumContext::new_secure().or_library("number")?;
        let pkey = match components {
            PrivateComponents::Rsa {
                modulus,
                private_exponent,
                public_exponent,
                p,
                q,
                prime_exponent_p,
                prime_exponent_q,
                crt_coefficient,
            } => {
                let numbers = RsaNumbers::complete(
                    public(modulus)?,
                    public_exponent.as_deref().map(public).transpose()?,
                    optional(private_exponent)?,
                    optional(p)?,
                    optional(q)?,
                    optional(prime_exponent_p)?,
                )?;
                // The CRT numbers follow from the others; what the client sends of them could be wrong.
                let _ = (prime_exponent_q, crt_coefficient);
                let crt = numbers.crt()?;
                let rsa = RsaPrivateKeyBuilder::new(numbers.n, numbers.e, numbers.d.give()?)
                    .or_refuse(BROKEN)?
                    .set_factors(numbers.p.give()?, numbers.q.give()?)
                    .or_refuse(BROKEN)?
                    .set_crt_params(crt.dp.give()?, crt.dq.give()?, crt.q_inverse.give()?)
                    .or_refuse(BROKEN)?
                    .build();
                PKey::from_rsa(rsa)
            }
            PrivateComponents::Dsa { p, q, g, x } => {
                let (p, q, g, x) = (public(p)?, public(q)?, public(g)?, private(x)?);
                check_group(&p, &g)?;
                let mut y = SecretNumber::zero()?;
                y.get_mut().mod_exp(&g, &x, &p, &mut context).or_refuse(BROKEN)?;
                let y = y.give()?;
                PKey::from_dsa(Dsa::from_private_components(p, q, g, x.give()?, y).or_refuse(BROKEN)?)
            }
            PrivateComponents::Dh { p, q, g, x } => {
                let (p, q, g, x) = (public(p)?, q.as_deref().map(public).transpose()?, public(g)?, private(x)?);
                check_group(&p, &g)?;
                let mut y = SecretNumber::zero()?;
                y.get_mut().mod_exp(&g, &x, &p, &mut context).or_refuse(BROKEN)?;
                let dh = Dh::from_pqg(p, q, g).or_refuse(BROKEN)?;
                PKey::from_dh(dh.set_key(y.give()?, x.give()?).or_refuse(BROKEN)?)
            }
            PrivateComponents::Ec { curve, d } => {
                let group = group(*curve)?;
                let d = private(d)?;
                let mut order = openssl::bn::BigNum::new().or_library("number")?;
                group.order(&mut order, &mut context).or_library("curve")?;
                if bits(&d) == 0 || *d >= *order {
                    return Err(BROKEN);
                }
                let mut point = EcPoint::new(&group).or_library("curve")?;
                point.mul_generator2(&group, &d, &mut context).or_refuse(BROKEN)?;
                PKey::from_ec_key(EcKey::from_private_components(&group, &d, &point).or_refuse(BROKEN)?)
            }
        };
        Self::new(pkey.or_refuse(BROKEN)?)
    }

    /// The numbers of the key.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for kinds without a Transparent format.
    pub fn to_components(&self) -> Result<PrivateComponents, CryptoError> {
        let broken = CryptoError::InvalidKey("it has not all numbers");
        Ok(match self.kind() {
            KeyKind::Rsa => {
                let rsa = self.pkey().rsa().or_refuse(broken)?;
                let number = |number: Option<&openssl::bn::BigNumRef>| number.map(secret_integer).transpose();
                PrivateComponents::Rsa {
                    modulus: integer(rsa.n())?,
                    private_exponent: Some(secret_integer(rsa.d())?),
                    public_exponent: Some(integer(rsa.e())?),
                    p: number(rsa.p())?,
                    q: number(rsa.q())?,
                    prime_exponent_p: number(rsa.dmp1())?,
                    prime_exponent_q: number(rsa.dmq1())?,
                    crt_coefficient: number(rsa.iqmp())?,
                }
            }
            KeyKind::Dsa => {
                let dsa = self.pkey().dsa().or_refuse(broken)?;
                let (Some(p), Some(q), Some(g)) = (dsa.p_opt(), dsa.q_opt(), dsa.g_opt()) else { return Err(broken) };
                PrivateComponents::Dsa {
                    p: integer(p)?,
                    q: integer(q)?,
                    g: integer(g)?,
                    x: secret_integer(dsa.priv_key())?,
                }
            }
            KeyKind::Dh => {
                let dh = self.pkey().dh().or_refuse(broken)?;
                PrivateComponents::Dh {
                    p: integer(dh.prime_p())?,
                    q: dh.prime_q().map(integer).transpose()?,
                    g: integer(dh.generator())?,
                    x: secret_integer(dh.private_key())?,
                }
            }
            KeyKind::Ec => {
                let ec = self.pkey().ec_key().or_refuse(broken)?;
                let curve = named_curve(ec.group()).ok_or(broken)?;
                PrivateComponents::Ec { curve, d: secret_integer(ec.private_key())? }
            }
            KeyKind::Ed25519 | KeyKind::Ed448 | KeyKind::X25519 | KeyKind::X448 => {
                return Err(CryptoError::Unsupported("a transparent format of such a key"));
            }
        })
    }
}

impl PublicKey {
    /// Makes a key of its numbers.
    ///
    /// # Errors
    /// As [`PrivateKey::from_components`].
    pub fn from_components(components: &PublicComponents) -> Result<Self, CryptoError> {
        let number = |bytes: &[u8]| unsigned(bytes, MAX_MODULUS_BITS);
        let pkey = match components {
            PublicComponents::Rsa { modulus, public_exponent } => PKey::from_rsa(
                Rsa::from_public_components(number(modulus)?, number(public_exponent)?).or_refuse(BROKEN)?,
            ),
            PublicComponents::Dsa { p, q, g, y } => {
                let (p, q, g, y) = (number(p)?, number(q)?, number(g)?, number(y)?);
                check_group(&p, &g)?;
                PKey::from_dsa(Dsa::from_public_components(p, q, g, y).or_refuse(BROKEN)?)
            }
            PublicComponents::Dh { p, q, g, y } => {
                let (p, q, g, y) = (number(p)?, q.as_deref().map(number).transpose()?, number(g)?, number(y)?);
                check_group(&p, &g)?;
                let dh = Dh::from_pqg(p, q, g).or_refuse(BROKEN)?;
                PKey::from_dh(dh.set_public_key(y).or_refuse(BROKEN)?)
            }
            PublicComponents::Ec { curve, q_string } => {
                let group = group(*curve)?;
                let mut context = BigNumContext::new().or_library("number")?;
                let point = EcPoint::from_bytes(&group, q_string, &mut context).or_refuse(BROKEN)?;
                PKey::from_ec_key(EcKey::from_public_key(&group, &point).or_refuse(BROKEN)?)
            }
        };
        Self::new(pkey.or_refuse(BROKEN)?)
    }

    /// The numbers of the key.
    ///
    /// # Errors
    /// As [`PrivateKey::to_components`].
    pub fn to_components(&self) -> Result<PublicComponents, CryptoError> {
        let broken = CryptoError::InvalidKey("it has not all numbers");
        Ok(match self.kind() {
            KeyKind::Rsa => {
                let rsa = self.pkey().rsa().or_refuse(broken)?;
                PublicComponents::Rsa { modulus: integer(rsa.n())?, public_exponent: integer(rsa.e())? }
            }
            KeyKind::Dsa => {
                let dsa = self.pkey().dsa().or_refuse(broken)?;
                let (Some(p), Some(q), Some(g)) = (dsa.p_opt(), dsa.q_opt(), dsa.g_opt()) else { return Err(broken) };
                PublicComponents::Dsa { p: integer(p)?, q: integer(q)?, g: integer(g)?, y: integer(dsa.pub_key())? }
            }
            KeyKind::Dh => {
                let dh = self.pkey().dh().or_refuse(broken)?;
                PublicComponents::Dh {
                    p: integer(dh.prime_p())?,
                    q: dh.prime_q().map(integer).transpose()?,
                    g: integer(dh.generator())?,
                    y: integer(dh.public_key())?,
                }
            }
            KeyKind::Ec => {
                let ec = self.pkey().ec_key().or_refuse(broken)?;
                let curve = named_curve(ec.group()).ok_or(broken)?;
                let mut context = BigNumContext::new().or_library("number")?;
                let q_string = ec
                    .public_key()
                    .to_bytes(ec.group(), PointConversionForm::UNCOMPRESSED, &mut context)
                    .or_refuse(broken)?;
                PublicComponents::Ec { curve, q_string }
            }
            KeyKind::Ed25519 | KeyKind::Ed448 | KeyKind::X25519 | KeyKind::X448 => {
                return Err(CryptoError::Unsupported("a transparent format of such a key"));
            }
        })
    }
}

/// What a modular exponentiation needs so that it ends well: an odd modulus, a generator below it.
fn check_group(p: &openssl::bn::BigNumRef, g: &openssl::bn::BigNumRef) -> Result<(), CryptoError> {
    if p.is_even() || bits(p) < 2 || bits(g) == 0 || g >= p { Err(BROKEN) } else { Ok(()) }
}

/// Bytes of a Big Integer: whole groups of 8, the first bit not set.
fn integer_len(number: &openssl::bn::BigNumRef) -> usize {
    (bits(number) / 64 + 1) * 8
}

fn integer(number: &openssl::bn::BigNumRef) -> Result<Vec<u8>, CryptoError> {
    padded(number, integer_len(number))
}

fn secret_integer(number: &openssl::bn::BigNumRef) -> Result<Secret, CryptoError> {
    secret_padded(number, integer_len(number))
}
