//! Private keys in DER, taken apart here: the library's own decoder leaves a copy of what it read in freed memory.
//!
//! RSA, the named curves, Ed25519 and its kin: all that is in use. What is rarer, such as a curve that is written out as
//! numbers, is left to the library, with `None`.

use openssl::asn1::Asn1Object;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Rsa;
use x509_parser::der_parser::asn1_rs::Oid;

use super::curve;
use crate::CryptoError;
use crate::der::{Element, Elements, tag};
use crate::library::Checked;
use crate::limits::MAX_MODULUS_BITS;
use crate::number::SecretNumber;

const BROKEN: CryptoError = CryptoError::InvalidKey("it is not encoded as its format says");
/// rsaEncryption, RFC 8017 appendix C.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// id-ecPublicKey, RFC 5480 §2.1.1.
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// The last byte of id-X25519 and the three after it, behind 1.3.101. RFC 8410 §3.
const EDWARDS: [(u8, Id); 4] = [(0x6e, Id::X25519), (0x6f, Id::X448), (0x70, Id::ED25519), (0x71, Id::ED448)];

/// OneAsymmetricKey of RFC 5958, which PKCS#8 is.
pub(super) fn pkcs8(der: &[u8]) -> Result<Option<PKey<Private>>, CryptoError> {
    let Some((algorithm, key)) = parts_of_pkcs8(der) else { return Ok(None) };
    let mut inside = algorithm.inside();
    let Some(oid) = inside.next_if(tag::OID) else { return Ok(None) };
    match oid.contents {
        RSA => PKey::from_rsa(Rsa::private_key_from_der(key).or_refuse(BROKEN)?).or_refuse(BROKEN).map(Some),
        EC => match inside.next_if(tag::OID).and_then(|named| group(named.contents)) {
            Some(group) => sec1_on(key, &group).map(Some),
            None => Ok(None),
        },
        [0x2b, 0x65, last] => {
            let Some((_, id)) = EDWARDS.iter().find(|(of, _)| of == last) else { return Ok(None) };
            let raw = Elements::new(key).next_if(tag::OCTET_STRING).ok_or(BROKEN)?;
            PKey::private_key_from_raw_bytes(raw.contents, *id).or_refuse(BROKEN).map(Some)
        }
        _ => Ok(None),
    }
}

/// ECPrivateKey of RFC 5915 alone, where it names its curve.
pub(super) fn sec1(der: &[u8]) -> Result<Option<PKey<Private>>, CryptoError> {
    let Some(mut fields) = Elements::new(der).next_if(tag::SEQUENCE).map(|outer| outer.inside()) else {
        return Ok(None);
    };
    let _version = fields.next_if(tag::INTEGER);
    let _scalar = fields.next_if(tag::OCTET_STRING);
    let named = fields.next_if(tag::context(0)).and_then(|one| one.inside().next_if(tag::OID));
    match named.and_then(|named| group(named.contents)) {
        Some(group) => sec1_on(der, &group).map(Some),
        None => Ok(None),
    }
}

/// Algorithm and key.
fn parts_of_pkcs8(der: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let mut fields = Elements::new(der).next_if(tag::SEQUENCE)?.inside();
    fields.next_if(tag::INTEGER)?;
    let algorithm = fields.next_if(tag::SEQUENCE)?;
    Some((algorithm, fields.next_if(tag::OCTET_STRING)?.contents))
}

/// The group that goes by this object identifier, if it is one of those that KMIP has.
fn group(oid: &[u8]) -> Option<EcGroup> {
    let text = Oid::new(oid.into()).to_id_string();
    let nid = Asn1Object::from_str(&text).ok()?.nid();
    curve::group(curve::of_nid(nid)?).ok()
}

/// The scalar of an ECPrivateKey, with its public point; one that stands beside it has to be that one.
fn sec1_on(der: &[u8], group: &EcGroup) -> Result<PKey<Private>, CryptoError> {
    let mut fields = Elements::new(der).next_if(tag::SEQUENCE).ok_or(BROKEN)?.inside();
    fields.next_if(tag::INTEGER).ok_or(BROKEN)?;
    let scalar = fields.next_if(tag::OCTET_STRING).ok_or(BROKEN)?;
    let _curve = fields.next_if(tag::context(0));
    let beside = fields.next_if(tag::context(1));

    let d = SecretNumber::from_bytes(scalar.contents, MAX_MODULUS_BITS)?;
    let mut context = BigNumContext::new_secure().or_library("number")?;
    let mut order = BigNum::new().or_library("number")?;
    group.order(&mut order, &mut context).or_library("curve")?;
    if d.num_bits() == 0 || *d >= *order {
        return Err(BROKEN);
    }
    let mut point = EcPoint::new(group).or_library("curve")?;
    point.mul_generator2(group, &d, &mut context).or_refuse(BROKEN)?;
    if let Some(beside) = beside {
        let bits = beside.inside().next_if(tag::BIT_STRING).ok_or(BROKEN)?;
        let (&unused, bytes) = bits.contents.split_first().ok_or(BROKEN)?;
        let given = EcPoint::from_bytes(group, bytes, &mut context).or_refuse(BROKEN)?;
        if unused != 0 || !given.eq(group, &point, &mut context).or_refuse(BROKEN)? {
            return Err(BROKEN);
        }
    }
    let key = EcKey::from_private_components(group, &d, &point).or_refuse(BROKEN)?;
    PKey::from_ec_key(key).or_refuse(BROKEN)
}

#[cfg(test)]
mod tests {
    use openssl::nid::Nid;

    use super::*;

    fn p256() -> (Vec<u8>, Vec<u8>) {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        (key.private_key_to_pkcs8().unwrap(), key.ec_key().unwrap().private_key_to_der().unwrap())
    }

    #[test]
    fn a_key_is_the_one_that_the_library_reads() {
        let (pkcs8_der, sec1_der) = p256();
        let rsa = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap().private_key_to_pkcs8().unwrap();
        let edwards = PKey::generate_ed25519().unwrap().private_key_to_pkcs8().unwrap();
        for der in [&pkcs8_der, &rsa, &edwards] {
            let ours = pkcs8(der).unwrap().unwrap();
            let theirs = PKey::private_key_from_pkcs8(der).unwrap();
            assert!(ours.public_eq(&theirs));
            assert_eq!(ours.private_key_to_pkcs8().unwrap(), theirs.private_key_to_pkcs8().unwrap());
        }
        let ours = sec1(&sec1_der).unwrap().unwrap();
        assert_eq!(ours.ec_key().unwrap().private_key_to_der().unwrap(), sec1_der);
    }

    #[test]
    fn a_public_point_of_another_key_is_refused() {
        let (_, one) = p256();
        let (_, other) = p256();
        // Both end in their public points.
        let mixed = [&one[..one.len() - 64], &other[other.len() - 64..]].concat();
        assert!(sec1(&mixed).is_err());
    }

    #[test]
    fn what_is_not_named_is_left_to_the_library() {
        assert!(pkcs8(&[0x30, 0]).unwrap().is_none());
        assert!(sec1(&[0x30, 0]).unwrap().is_none());
    }
}
