//! Key pairs from random bytes, where the HSM has no mechanism for them. FIPS 186-5 §A.2.1, §A.3.

use kmip::object::{EcPrivateKey, KeyMaterial, SecretInteger};
use kmip::registry::RecommendedCurve;
use openssl::bn::{BigNum, BigNumContext};
use secret::Secret;

use super::{KeyKind, PrivateKey, group};
use crate::CryptoError;
use crate::library::Checked;
use crate::number::{SecretNumber, bits, secret_bytes};

/// Bits beyond the length of the order, so that the remainder is uniform enough (FIPS 186-5 §A.2.1).
const EXTRA_BITS: usize = 64;

/// Bytes of randomness that [`PrivateKey::generate`] needs for `kind`, on `curve` where the kind is EC.
///
/// # Errors
/// [`CryptoError::Unsupported`] for curves and kinds that are not made of bytes: RSA, DSA and DH need primes.
pub fn random_len(kind: KeyKind, curve: Option<RecommendedCurve>) -> Result<usize, CryptoError> {
    Ok(match kind {
        KeyKind::Ed25519 | KeyKind::X25519 => 32,
        KeyKind::X448 => 56,
        KeyKind::Ed448 => 57,
        KeyKind::Ec => {
            let group = group(curve.ok_or(CryptoError::Missing("Recommended Curve"))?)?;
            let order_bits = usize::try_from(group.order_bits()).map_err(|_| CryptoError::Library("curve"))?;
            (order_bits + EXTRA_BITS).div_ceil(8)
        }
        KeyKind::Rsa | KeyKind::Dsa | KeyKind::Dh => {
            return Err(CryptoError::Unsupported("a key of that kind made of random bytes"));
        }
    })
}

impl PrivateKey {
    /// Makes a key of `random`, which has [`random_len`] bytes and serves for nothing else.
    ///
    /// # Errors
    /// As [`random_len`]; [`CryptoError::InvalidInput`] for another length.
    pub fn generate(kind: KeyKind, curve: Option<RecommendedCurve>, random: &Secret) -> Result<Self, CryptoError> {
        if random.len() != random_len(kind, curve)? {
            return Err(CryptoError::InvalidInput("the randomness has another length"));
        }
        match (kind, curve) {
            (KeyKind::Ec, Some(curve)) => scalar_key(curve, random),
            _ => Self::from_raw(kind, random),
        }
    }

    /// The key with this private number.
    pub(super) fn from_scalar(curve: RecommendedCurve, scalar: &Secret) -> Result<Self, CryptoError> {
        let d = SecretInteger::from_unsigned(scalar.expose());
        Self::from_numbers(&KeyMaterial::TransparentEcPrivate(Box::new(EcPrivateKey { recommended_curve: curve, d })))
    }
}

/// The key whose private number is `random` mod (order - 1), plus 1.
fn scalar_key(curve: RecommendedCurve, random: &Secret) -> Result<PrivateKey, CryptoError> {
    let group = group(curve)?;
    let mut context = BigNumContext::new_secure().or_library("number")?;
    let mut order = BigNum::new().or_library("number")?;
    group.order(&mut order, &mut context).or_library("curve")?;
    if random.len() * 8 < bits(&order) + EXTRA_BITS {
        return Err(CryptoError::InvalidInput("the randomness is too short"));
    }
    order.sub_word(1).or_library("number")?;
    let random = SecretNumber::from_bytes(random.expose(), random.len() * 8)?;
    let mut scalar = SecretNumber::zero()?;
    scalar.get_mut().nnmod(&random, &order, &mut context).or_library("number")?;
    scalar.get_mut().add_word(1).or_library("number")?;
    PrivateKey::from_scalar(curve, &secret_bytes(&scalar))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_and_the_largest_randomness_give_keys() {
        for curve in
            [RecommendedCurve::P192, RecommendedCurve::P224, RecommendedCurve::P256, RecommendedCurve::Secp256k1]
        {
            let len = random_len(KeyKind::Ec, Some(curve)).unwrap();
            for fill in [0, 0xff] {
                let key = PrivateKey::generate(KeyKind::Ec, Some(curve), &Secret::new(vec![fill; len])).unwrap();
                assert_eq!(key.facts().curve, Some(curve));
                assert!(key.public_key().unwrap().belongs_to(&key));
            }
        }
    }

    #[test]
    fn randomness_of_zeros_gives_the_private_number_one() {
        let key = scalar_key(RecommendedCurve::P256, &Secret::new(vec![0; 40])).unwrap();
        let KeyMaterial::TransparentEcPrivate(numbers) = key.to_numbers().unwrap() else { panic!("not EC") };
        assert_eq!(numbers.d.unsigned(), Some(&[1][..]));
    }

    #[test]
    fn the_seed_of_rfc_8032_gives_its_public_key() {
        // RFC 8032 §7.1, test 1.
        let seed = hex::decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        let key = PrivateKey::generate(KeyKind::Ed25519, None, &Secret::new(seed)).unwrap();
        let public = key.public_key().unwrap().to_encoded(kmip::registry::KeyFormatType::Raw).unwrap();
        assert_eq!(hex::encode(public), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    }

    #[test]
    fn too_little_randomness_is_refused() {
        let random = Secret::new(vec![1; 32]);
        assert!(PrivateKey::generate(KeyKind::Ec, Some(RecommendedCurve::P256), &random).is_err());
        assert!(scalar_key(RecommendedCurve::P256, &random).is_err());
        assert!(random_len(KeyKind::Rsa, None).is_err());
    }
}
