//! RSA keys in every format: what OpenSSL made comes back from each.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use crypto::key::{KeyHint, KeyKind, PrivateKey, PublicKey, inspect_private};
use kmip::object::{KeyMaterial, RsaPrivateKey};
use kmip::registry::{CryptographicAlgorithm, KeyFormatType};
use secret::Secret;

fn rsa() -> PrivateKey {
    let rsa = openssl::rsa::Rsa::generate(2048).unwrap();
    PrivateKey::from_encoded(KeyFormatType::Pkcs1, &Secret::new(rsa.private_key_to_der().unwrap())).unwrap()
}

#[test]
fn an_rsa_key_goes_through_every_format() {
    let private = rsa();
    let pkcs1 = private.to_encoded(KeyFormatType::Pkcs1).unwrap();
    for format in [KeyFormatType::Pkcs1, KeyFormatType::Pkcs8, KeyFormatType::TransparentRsaPrivateKey] {
        let material = private.to_material(format).unwrap();
        let again = PrivateKey::from_material(format, &material, KeyHint::default()).unwrap();
        assert_eq!(again.to_encoded(KeyFormatType::Pkcs1).unwrap(), pkcs1, "{}", format.text());
        let facts = inspect_private(format, &material, KeyHint::default()).unwrap();
        assert_eq!((facts.kind, facts.algorithm, facts.length_bits), (KeyKind::Rsa, CryptographicAlgorithm::Rsa, 2048));
    }
    let public = private.public_key().unwrap();
    for format in [KeyFormatType::Pkcs1, KeyFormatType::X509, KeyFormatType::TransparentRsaPublicKey] {
        let material = public.to_material(format, None).unwrap();
        let again = PublicKey::from_material(format, &material, KeyHint::default()).unwrap();
        assert!(again.belongs_to(&private), "{}", format.text());
    }
    assert!(private.to_material(KeyFormatType::EcPrivateKey).is_err());
    assert!(private.to_material(KeyFormatType::Raw).is_err());
}

#[test]
fn numbers_that_follow_from_others_are_found() {
    let private = rsa();
    let numbers = || {
        let KeyMaterial::TransparentRsaPrivate(numbers) = private.to_numbers().unwrap() else { panic!("not RSA") };
        numbers
    };
    let whole = numbers();
    assert_eq!(whole.modulus.0.len() % 8, 0);
    let ways: [fn(RsaPrivateKey) -> RsaPrivateKey; 4] = [
        // n, e, d.
        |key| RsaPrivateKey { p: None, q: None, prime_exponent_p: None, prime_exponent_q: None, ..key },
        // n, d.
        |key| RsaPrivateKey { p: None, q: None, prime_exponent_p: None, public_exponent: None, ..key },
        // n, e, p, q.
        |key| RsaPrivateKey { private_exponent: None, prime_exponent_p: None, crt_coefficient: None, ..key },
        // n, e, d mod (p - 1).
        |key| RsaPrivateKey { private_exponent: None, p: None, q: None, crt_coefficient: None, ..key },
    ];
    for (way, leave_out) in ways.into_iter().enumerate() {
        let some = KeyMaterial::TransparentRsaPrivate(Box::new(leave_out(*numbers())));
        let found = PrivateKey::from_numbers(&some).unwrap();
        assert!(found.public_key().unwrap().belongs_to(&private), "{way}");
        let KeyMaterial::TransparentRsaPrivate(found) = found.to_numbers().unwrap() else { panic!("not RSA") };
        // The factors may come in the other order.
        assert!(found.p == whole.p || found.p == whole.q, "{way}");
    }
    let nothing = RsaPrivateKey { private_exponent: None, p: None, q: None, prime_exponent_p: None, ..*numbers() };
    assert!(PrivateKey::from_numbers(&KeyMaterial::TransparentRsaPrivate(Box::new(nothing))).is_err());
}

#[test]
fn no_cut_and_no_changed_byte_of_a_key_is_trouble() {
    let rsa = rsa();
    let dsa = openssl::dsa::Dsa::generate(1024).unwrap();
    let dsa = openssl::pkey::PKey::from_dsa(dsa).unwrap();
    let privates = [
        (KeyFormatType::Pkcs1, rsa.to_encoded(KeyFormatType::Pkcs1).unwrap()),
        (KeyFormatType::Pkcs8, rsa.to_encoded(KeyFormatType::Pkcs8).unwrap()),
        (KeyFormatType::Pkcs8, Secret::new(dsa.private_key_to_pkcs8().unwrap())),
    ];
    for (format, whole) in privates {
        for at in 0..whole.len() {
            assert!(PrivateKey::from_encoded(format, &Secret::copy_from(&whole.expose()[..at])).is_err());
            let mut changed = whole.expose().to_vec();
            changed[at] ^= 0x55;
            if let Ok(key) = PrivateKey::from_encoded(format, &Secret::new(changed)) {
                let _ = (key.facts(), key.to_numbers(), key.public_key());
            }
        }
    }
    let publics = [
        (KeyFormatType::X509, dsa.public_key_to_der().unwrap()),
        (KeyFormatType::X509, rsa.public_key().unwrap().to_encoded(KeyFormatType::X509).unwrap()),
    ];
    for (format, whole) in publics {
        for at in 0..whole.len() {
            assert!(PublicKey::from_encoded(format, &whole[..at]).is_err());
            let mut changed = whole.clone();
            changed[at] ^= 0x55;
            if let Ok(key) = PublicKey::from_encoded(format, &changed) {
                let _ = (key.facts(), key.to_numbers(None), key.to_encoded(KeyFormatType::X509));
            }
        }
    }
}

#[test]
fn a_dsa_key_without_its_group_is_no_trouble() {
    // SubjectPublicKeyInfo of DSA that leaves the parameters to the issuer's certificate (RFC 3279 §2.3.2).
    let without = hex::decode("3014300906072a8648ce3804010307000204499602d2").unwrap();
    if let Ok(key) = PublicKey::from_encoded(KeyFormatType::X509, &without) {
        assert!(key.to_numbers(None).is_err());
        let _ = key.facts();
    }
}
