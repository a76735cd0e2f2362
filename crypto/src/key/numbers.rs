//! Keys as numbers: the Transparent formats. KMIP 1.4 §2.1.7, 2.1 §3.4 to §3.12.
//!
//! Numbers are read with or without zeros in front, and as unsigned where the sign bit is set: no number of a key is
//! negative.

use kmip::object::{
    DhPrivateKey, DhPublicKey, DsaPrivateKey, DsaPublicKey, EcPrivateKey, EcPublicKey, KeyMaterial, RsaPrivateKey,
    RsaPublicKey, SecretInteger,
};
use kmip::registry::{KeyCompressionType, RecommendedCurve};
use kmip::ttlv::BigInteger;
use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::dh::Dh;
use openssl::dsa::Dsa;
use openssl::ec::{EcKey, EcPoint, PointConversionForm};
use openssl::pkey::PKey;
use openssl::rsa::{Rsa, RsaPrivateKeyBuilder};

use super::rsa_factors::RsaNumbers;
use super::{KeyKind, PrivateKey, PublicKey, group, named_curve};
use crate::CryptoError;
use crate::library::Checked;
use crate::limits::MAX_MODULUS_BITS;
use crate::number::{SecretNumber, bits, secret_bytes, unsigned};

const BROKEN: CryptoError = CryptoError::InvalidKey("its numbers do not make a key");
const INCOMPLETE: CryptoError = CryptoError::InvalidKey("it has not all numbers");
const NOT_TRANSPARENT: CryptoError = CryptoError::Unsupported("a transparent format of such a key");

impl PrivateKey {
    /// Makes a key of the numbers of a Transparent format; those that follow from others may be left out.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`], [`CryptoError::Missing`], [`CryptoError::TooLong`]; [`CryptoError::Unsupported`] for
    /// material that is no private key's numbers, and for curves that the library does not have.
    pub fn from_numbers(material: &KeyMaterial) -> Result<Self, CryptoError> {
        let pkey = match material {
            KeyMaterial::TransparentRsaPrivate(key) => {
                let numbers = RsaNumbers::complete(
                    public(&key.modulus)?,
                    key.public_exponent.as_ref().map(public).transpose()?,
                    optional(key.private_exponent.as_ref())?,
                    optional(key.p.as_ref())?,
                    optional(key.q.as_ref())?,
                    // What else the client sends of the CRT numbers follows from these, and could be wrong.
                    optional(key.prime_exponent_p.as_ref())?,
                )?;
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
            KeyMaterial::TransparentDsaPrivate(key) => {
                let (p, q, g, x) = (public(&key.p)?, public(&key.q)?, public(&key.g)?, private(&key.x)?);
                let y = power(&g, &x, &p)?;
                PKey::from_dsa(Dsa::from_private_components(p, q, g, x.give()?, y).or_refuse(BROKEN)?)
            }
            KeyMaterial::TransparentDhPrivate(key) => {
                let q = key.q.as_ref().map(public).transpose()?;
                let (p, g, x) = (public(&key.p)?, public(&key.g)?, private(&key.x)?);
                let y = power(&g, &x, &p)?;
                let dh = Dh::from_pqg(p, q, g).or_refuse(BROKEN)?;
                PKey::from_dh(dh.set_key(y, x.give()?).or_refuse(BROKEN)?)
            }
            KeyMaterial::TransparentEcPrivate(key) => {
                let group = group(key.recommended_curve)?;
                let d = private(&key.d)?;
                let mut context = BigNumContext::new_secure().or_library("number")?;
                let mut order = BigNum::new().or_library("number")?;
                group.order(&mut order, &mut context).or_library("curve")?;
                if bits(&d) == 0 || *d >= *order {
                    return Err(BROKEN);
                }
                let mut point = EcPoint::new(&group).or_library("curve")?;
                point.mul_generator2(&group, &d, &mut context).or_refuse(BROKEN)?;
                PKey::from_ec_key(EcKey::from_private_components(&group, &d, &point).or_refuse(BROKEN)?)
            }
            _ => return Err(CryptoError::Unsupported("key material that is no private key's numbers")),
        };
        Self::new(pkey.or_refuse(BROKEN)?)
    }

    /// The numbers of the key, in the structure of its Transparent format.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for kinds without a Transparent format.
    pub fn to_numbers(&self) -> Result<KeyMaterial, CryptoError> {
        Ok(match self.kind() {
            KeyKind::Rsa => {
                let rsa = self.pkey().rsa().or_refuse(INCOMPLETE)?;
                KeyMaterial::TransparentRsaPrivate(Box::new(RsaPrivateKey {
                    modulus: integer(rsa.n()),
                    private_exponent: Some(secret_integer(rsa.d())),
                    public_exponent: Some(integer(rsa.e())),
                    p: rsa.p().map(secret_integer),
                    q: rsa.q().map(secret_integer),
                    prime_exponent_p: rsa.dmp1().map(secret_integer),
                    prime_exponent_q: rsa.dmq1().map(secret_integer),
                    crt_coefficient: rsa.iqmp().map(secret_integer),
                }))
            }
            KeyKind::Dsa => {
                let dsa = self.pkey().dsa().or_refuse(INCOMPLETE)?;
                let (Some(p), Some(q), Some(g)) = (dsa.p_opt(), dsa.q_opt(), dsa.g_opt()) else {
                    return Err(INCOMPLETE);
                };
                KeyMaterial::TransparentDsaPrivate(Box::new(DsaPrivateKey {
                    p: integer(p),
                    q: integer(q),
                    g: integer(g),
                    x: secret_integer(dsa.priv_key()),
                }))
            }
            KeyKind::Dh => {
                let dh = self.pkey().dh().or_refuse(INCOMPLETE)?;
                KeyMaterial::TransparentDhPrivate(Box::new(DhPrivateKey {
                    p: integer(dh.prime_p()),
                    q: dh.prime_q().map(integer),
                    g: integer(dh.generator()),
                    j: None,
                    x: secret_integer(dh.private_key()),
                }))
            }
            KeyKind::Ec => {
                let ec = self.pkey().ec_key().or_refuse(INCOMPLETE)?;
                KeyMaterial::TransparentEcPrivate(Box::new(EcPrivateKey {
                    recommended_curve: named_curve(ec.group()).ok_or(INCOMPLETE)?,
                    d: secret_integer(ec.private_key()),
                }))
            }
            KeyKind::Ed25519 | KeyKind::Ed448 | KeyKind::X25519 | KeyKind::X448 => return Err(NOT_TRANSPARENT),
        })
    }
}

impl PublicKey {
    /// Makes a key of the numbers of a Transparent format.
    ///
    /// # Errors
    /// As [`PrivateKey::from_numbers`].
    pub fn from_numbers(material: &KeyMaterial) -> Result<Self, CryptoError> {
        let pkey = match material {
            KeyMaterial::TransparentRsaPublic(key) => PKey::from_rsa(
                Rsa::from_public_components(public(&key.modulus)?, public(&key.public_exponent)?).or_refuse(BROKEN)?,
            ),
            KeyMaterial::TransparentDsaPublic(key) => {
                let (p, q, g, y) = (public(&key.p)?, public(&key.q)?, public(&key.g)?, public(&key.y)?);
                check_group(&p, &g)?;
                PKey::from_dsa(Dsa::from_public_components(p, q, g, y).or_refuse(BROKEN)?)
            }
            KeyMaterial::TransparentDhPublic(key) => {
                let q = key.q.as_ref().map(public).transpose()?;
                let (p, g, y) = (public(&key.p)?, public(&key.g)?, public(&key.y)?);
                check_group(&p, &g)?;
                let dh = Dh::from_pqg(p, q, g).or_refuse(BROKEN)?;
                PKey::from_dh(dh.set_public_key(y).or_refuse(BROKEN)?)
            }
            KeyMaterial::TransparentEcPublic(key) => return Self::from_point(key.recommended_curve, &key.q_string),
            _ => return Err(CryptoError::Unsupported("key material that is no public key's numbers")),
        };
        Self::new(pkey.or_refuse(BROKEN)?)
    }

    /// Reads a point as SEC 1 encodes it, in any form.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`] for bytes that are no point of the curve; [`CryptoError::Unsupported`].
    pub fn from_point(curve: RecommendedCurve, point: &[u8]) -> Result<Self, CryptoError> {
        let group = group(curve)?;
        let mut context = BigNumContext::new().or_library("number")?;
        let point = EcPoint::from_bytes(&group, point, &mut context).or_refuse(BROKEN)?;
        let key = EcKey::from_public_key(&group, &point).or_refuse(BROKEN)?;
        Self::new(PKey::from_ec_key(key).or_refuse(BROKEN)?)
    }

    /// The point of an EC key as SEC 1 encodes it, in the form that `compression` names; uncompressed without one.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`] for a key that is not EC.
    pub fn to_point(&self, compression: Option<KeyCompressionType>) -> Result<Vec<u8>, CryptoError> {
        let ec = self.pkey().ec_key().or_refuse(CryptoError::InvalidKey("it is no point"))?;
        let form = match compression {
            None | Some(KeyCompressionType::EcPublicKeyTypeUncompressed) => PointConversionForm::UNCOMPRESSED,
            Some(
                KeyCompressionType::EcPublicKeyTypeX9_62CompressedPrime
                | KeyCompressionType::EcPublicKeyTypeX9_62CompressedChar2,
            ) => PointConversionForm::COMPRESSED,
            Some(KeyCompressionType::EcPublicKeyTypeX9_62Hybrid) => PointConversionForm::HYBRID,
        };
        let mut context = BigNumContext::new().or_library("number")?;
        ec.public_key().to_bytes(ec.group(), form, &mut context).or_refuse(INCOMPLETE)
    }

    /// The numbers of the key, in the structure of its Transparent format; `compression` is that of a point.
    ///
    /// # Errors
    /// As [`PrivateKey::to_numbers`].
    pub fn to_numbers(&self, compression: Option<KeyCompressionType>) -> Result<KeyMaterial, CryptoError> {
        Ok(match self.kind() {
            KeyKind::Rsa => {
                let rsa = self.pkey().rsa().or_refuse(INCOMPLETE)?;
                KeyMaterial::TransparentRsaPublic(Box::new(RsaPublicKey {
                    modulus: integer(rsa.n()),
                    public_exponent: integer(rsa.e()),
                }))
            }
            KeyKind::Dsa => {
                let dsa = self.pkey().dsa().or_refuse(INCOMPLETE)?;
                let (Some(p), Some(q), Some(g)) = (dsa.p_opt(), dsa.q_opt(), dsa.g_opt()) else {
                    return Err(INCOMPLETE);
                };
                KeyMaterial::TransparentDsaPublic(Box::new(DsaPublicKey {
                    p: integer(p),
                    q: integer(q),
                    g: integer(g),
                    y: integer(dsa.pub_key()),
                }))
            }
            KeyKind::Dh => {
                let dh = self.pkey().dh().or_refuse(INCOMPLETE)?;
                KeyMaterial::TransparentDhPublic(Box::new(DhPublicKey {
                    p: integer(dh.prime_p()),
                    q: dh.prime_q().map(integer),
                    g: integer(dh.generator()),
                    j: None,
                    y: integer(dh.public_key()),
                }))
            }
            KeyKind::Ec => {
                let ec = self.pkey().ec_key().or_refuse(INCOMPLETE)?;
                KeyMaterial::TransparentEcPublic(Box::new(EcPublicKey {
                    recommended_curve: named_curve(ec.group()).ok_or(INCOMPLETE)?,
                    q_string: self.to_point(compression)?,
                }))
            }
            KeyKind::Ed25519 | KeyKind::Ed448 | KeyKind::X25519 | KeyKind::X448 => return Err(NOT_TRANSPARENT),
        })
    }
}

fn public(number: &BigInteger) -> Result<BigNum, CryptoError> {
    unsigned(&number.0, MAX_MODULUS_BITS)
}

fn private(number: &SecretInteger) -> Result<SecretNumber, CryptoError> {
    SecretNumber::from_bytes(number.secret().expose(), MAX_MODULUS_BITS)
}

fn optional(number: Option<&SecretInteger>) -> Result<Option<SecretNumber>, CryptoError> {
    number.map(private).transpose()
}

/// g^x mod p: the public number that goes with x.
fn power(g: &BigNumRef, x: &SecretNumber, p: &BigNumRef) -> Result<BigNum, CryptoError> {
    check_group(p, g)?;
    let mut context = BigNumContext::new_secure().or_library("number")?;
    let mut y = BigNum::new().or_library("number")?;
    y.mod_exp(g, x, p, &mut context).or_refuse(BROKEN)?;
    Ok(y)
}

/// What a modular exponentiation needs so that it ends well: an odd modulus, a generator below it.
fn check_group(p: &BigNumRef, g: &BigNumRef) -> Result<(), CryptoError> {
    if p.is_even() || bits(p) < 2 || bits(g) == 0 || g >= p { Err(BROKEN) } else { Ok(()) }
}

fn integer(number: &BigNumRef) -> BigInteger {
    BigInteger::from_unsigned(&number.to_vec())
}

fn secret_integer(number: &BigNumRef) -> SecretInteger {
    SecretInteger::from_unsigned(secret_bytes(number).expose())
}
