//! Key agreement: the method Asymmetric Key. KMIP 1.4 §4.6, SP 800-56A.

use openssl::derive::Deriver;
use secret::Secret;
use zeroize::Zeroizing;

use super::{check_len, cut};
use crate::CryptoError;
use crate::key::{KeyKind, PrivateKey, PublicKey};
use crate::library::Checked;

/// The first `len` bytes of the secret that the two keys share: the x coordinate of ECDH, the number of Diffie-Hellman
/// at the length of its prime, the bytes of X25519 and X448.
///
/// # Errors
/// [`CryptoError::InvalidKey`] for keys of different groups, keys that do not agree, and public keys outside their
/// group; [`CryptoError::InvalidInput`] for more bytes than the secret has.
pub fn agree(private: &PrivateKey, public: &PublicKey, len: usize) -> Result<Secret, CryptoError> {
    check_len(len)?;
    let agrees = matches!(private.kind(), KeyKind::Ec | KeyKind::Dh | KeyKind::X25519 | KeyKind::X448);
    if !agrees || private.kind() != public.kind() {
        return Err(CryptoError::InvalidKey("the two keys do not agree"));
    }
    let refused = CryptoError::InvalidKey("the public key is not of the private key's group");
    let mut deriver = Deriver::new(private.pkey()).or_library("agreement")?;
    // The peer's point or number is checked here; an invalid one would tell about the private key.
    deriver.set_peer_ex(public.pkey(), true).or_refuse(refused)?;
    let most = deriver.len().or_library("agreement")?;
    let mut shared = Zeroizing::new(vec![0; most]);
    let written = deriver.derive(&mut shared).or_refuse(refused)?;
    // OpenSSL leaves out the zeros in front of a Diffie-Hellman secret.
    shared.truncate(written);
    if written < most {
        let mut padded = Zeroizing::new(vec![0; most]);
        if let Some(end) = padded.get_mut(most - written..) {
            end.copy_from_slice(&shared);
        }
        shared = padded;
    }
    cut(shared, len)
}

#[cfg(test)]
mod tests {
    use kmip::object::{DhPrivateKey, KeyMaterial, SecretInteger};
    use kmip::registry::RecommendedCurve;
    use kmip::ttlv::BigInteger;

    use super::*;
    use crate::key::random_len;

    fn key(kind: KeyKind, curve: Option<RecommendedCurve>, fill: u8) -> PrivateKey {
        PrivateKey::generate(kind, curve, &Secret::new(vec![fill; random_len(kind, curve).unwrap()])).unwrap()
    }

    fn both_ways(first: &PrivateKey, second: &PrivateKey, len: usize) {
        let one = agree(first, &second.public_key().unwrap(), len).unwrap();
        let other = agree(second, &first.public_key().unwrap(), len).unwrap();
        assert_eq!(one, other);
        assert_eq!(one.len(), len);
    }

    #[test]
    fn both_sides_get_the_same() {
        for curve in [RecommendedCurve::P256, RecommendedCurve::Secp256k1, RecommendedCurve::P521] {
            let (first, second) = (key(KeyKind::Ec, Some(curve), 1), key(KeyKind::Ec, Some(curve), 2));
            both_ways(&first, &second, 32);
        }
        both_ways(&key(KeyKind::X25519, None, 1), &key(KeyKind::X25519, None, 2), 32);
        both_ways(&key(KeyKind::X448, None, 1), &key(KeyKind::X448, None, 2), 56);
    }

    #[test]
    fn diffie_hellman_agrees_at_the_length_of_its_prime() {
        // RFC 3526 §3: the group of 2048 bits.
        let p = openssl::bn::BigNum::get_rfc3526_prime_2048().unwrap().to_vec();
        let half = |fill: u8| {
            let numbers = DhPrivateKey {
                p: BigInteger::from_unsigned(&p),
                q: None,
                g: BigInteger::from_unsigned(&[2]),
                j: None,
                x: SecretInteger::from_unsigned(&[fill; 32]),
            };
            PrivateKey::from_numbers(&KeyMaterial::TransparentDhPrivate(Box::new(numbers))).unwrap()
        };
        both_ways(&half(3), &half(4), 256);
        assert!(agree(&half(3), &half(4).public_key().unwrap(), 257).is_err());
    }

    #[test]
    fn keys_of_different_groups_do_not_agree() {
        let p256 = key(KeyKind::Ec, Some(RecommendedCurve::P256), 1);
        let k256 = key(KeyKind::Ec, Some(RecommendedCurve::Secp256k1), 1).public_key().unwrap();
        assert!(matches!(agree(&p256, &k256, 32), Err(CryptoError::InvalidKey(_))));
        let edwards = key(KeyKind::Ed25519, None, 1);
        assert!(agree(&edwards, &edwards.public_key().unwrap(), 32).is_err());
        assert!(agree(&p256, &edwards.public_key().unwrap(), 32).is_err());
    }
}
