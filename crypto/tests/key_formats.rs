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
