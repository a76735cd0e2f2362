//! Hashes, authentication codes and derivations, against ring and RustCrypto.

use std::num::NonZeroU32;

use crypto::derive::{DerivationParameters, derive};
use crypto::hash::hash;
use crypto::mac::MacSpec;
use kmip::attribute::CryptographicParameters;
use kmip::registry::{CryptographicAlgorithm, DerivationMethod, HashingAlgorithm as H};
use ring::{digest, hkdf, hmac, pbkdf2};
use secret::Secret;
use sha3::Digest as _;

use crate::modes::{self, Aes};
use crate::{Random, Tally, inputs};

/// A hash of the other side, with the length of its block in bytes.
type Hash = (H, &'static str, fn(&[u8]) -> Vec<u8>, usize);

fn by_ring(algorithm: &'static digest::Algorithm, data: &[u8]) -> Vec<u8> {
    digest::digest(algorithm, data).as_ref().to_vec()
}

const HASHES: [Hash; 11] = [
    (H::Sha1, "SHA-1", |data| by_ring(&digest::SHA1_FOR_LEGACY_USE_ONLY, data), 64),
    (H::Sha224, "SHA-224", |data| sha2::Sha224::digest(data).to_vec(), 64),
    (H::Sha256, "SHA-256", |data| by_ring(&digest::SHA256, data), 64),
    (H::Sha384, "SHA-384", |data| by_ring(&digest::SHA384, data), 128),
    (H::Sha512, "SHA-512", |data| by_ring(&digest::SHA512, data), 128),
    (H::Sha512_224, "SHA-512/224", |data| sha2::Sha512_224::digest(data).to_vec(), 128),
    (H::Sha512_256, "SHA-512/256", |data| by_ring(&digest::SHA512_256, data), 128),
    (H::Sha3_224, "SHA3-224", |data| sha3::Sha3_224::digest(data).to_vec(), 144),
    (H::Sha3_256, "SHA3-256", |data| sha3::Sha3_256::digest(data).to_vec(), 136),
    (H::Sha3_384, "SHA3-384", |data| sha3::Sha3_384::digest(data).to_vec(), 104),
    (H::Sha3_512, "SHA3-512", |data| sha3::Sha3_512::digest(data).to_vec(), 72),
];

#[test]
fn hashes() {
    let mut random = Random::announced();
    for (algorithm, name, other, _) in HASHES {
        let mut tally = Tally::of(name);
        for _ in 0..inputs() {
            let data = random.data();
            tally.same(&hash(algorithm, &data).unwrap(), &other(&data), &data);
        }
        tally.check(inputs(), false);
    }
}

/// FIPS 198-1 over the other side's hash.
fn hmac_over(other: fn(&[u8]) -> Vec<u8>, block: usize, key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut padded = if key.len() > block { other(key) } else { key.to_vec() };
    padded.resize(block, 0);
    let with = |pad: u8, data: &[u8]| {
        let mut whole: Vec<u8> = padded.iter().map(|byte| byte ^ pad).collect();
        whole.extend_from_slice(data);
        other(&whole)
    };
    with(0x5c, &with(0x36, data))
}

#[test]
fn hmacs() {
    let mut random = Random::announced();
    for (algorithm, name, other, block) in HASHES {
        let (mut tally, spec) = (Tally::of(name), MacSpec::hmac(algorithm).unwrap());
        // Where ring has the whole code, it is the other side.
        let of_ring = match algorithm {
            H::Sha1 => Some(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
            H::Sha256 => Some(hmac::HMAC_SHA256),
            H::Sha384 => Some(hmac::HMAC_SHA384),
            H::Sha512 => Some(hmac::HMAC_SHA512),
            _ => None,
        };
        for _ in 0..inputs() {
            let key_len = 1 + random.below(200);
            let (key, data) = (random.bytes(key_len), random.data());
            let code = |data: &[u8]| match of_ring {
                Some(algorithm) => hmac::sign(&hmac::Key::new(algorithm, &key), data).as_ref().to_vec(),
                None => hmac_over(other, block, &key, data),
            };
            let secret = Secret::copy_from(&key);
            let ours = spec.generate(&secret, &data).unwrap();
            tally.same(&ours, &code(&data), &(&key, &data));
            assert_eq!(spec.verify(&secret, &data, &ours), Ok(true));
            let forged = if random.below(2) == 0 { random.flipped(&ours) } else { random.cut(&ours) };
            tally.refused(spec.verify(&secret, &data, &forged) == Ok(true), code(&data) == forged, &(&key, &forged));
        }
        tally.check(inputs(), true);
    }
}

#[test]
fn cmac() {
    let mut random = Random::announced();
    let (mut tally, spec) = (Tally::of("AES-CMAC"), MacSpec::cmac(CryptographicAlgorithm::Aes).unwrap());
    for _ in 0..inputs() {
        let key_len = random.one_of(&[16, 24, 32]);
        let (key, data) = (random.bytes(key_len), random.data());
        let secret = Secret::copy_from(&key);
        let theirs = modes::cmac(&Aes::new(&key), &data).to_vec();
        let ours = spec.generate(&secret, &data).unwrap();
        tally.same(&ours, &theirs, &(&key, &data));
        let forged = if random.below(2) == 0 { random.flipped(&ours) } else { random.cut(&ours) };
        tally.refused(spec.verify(&secret, &data, &forged) == Ok(true), theirs == forged, &(&key, &forged));
    }
    tally.check(inputs(), true);
}

fn with_hash(hash: H) -> CryptographicParameters {
    CryptographicParameters { hashing_algorithm: Some(hash), ..CryptographicParameters::default() }
}

/// The length of a key, for ring.
struct Len(usize);

impl hkdf::KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

#[test]
fn hkdfs() {
    let mut random = Random::announced();
    for (hash, name, other) in [
        (H::Sha1, "HKDF with SHA-1", hkdf::HKDF_SHA1_FOR_LEGACY_USE_ONLY),
        (H::Sha256, "HKDF with SHA-256", hkdf::HKDF_SHA256),
        (H::Sha384, "HKDF with SHA-384", hkdf::HKDF_SHA384),
        (H::Sha512, "HKDF with SHA-512", hkdf::HKDF_SHA512),
    ] {
        let (mut tally, cryptographic) = (Tally::of(name), with_hash(hash));
        for _ in 0..inputs() {
            let (base_len, len) = (1 + random.below(100), 1 + random.below(500));
            let (base, salt, info) = (random.bytes(base_len), random.data(), random.data());
            let mut theirs = vec![0; len];
            let extracted = hkdf::Salt::new(other, &salt).extract(&base);
            extracted.expand(&[&info], Len(len)).unwrap().fill(&mut theirs).unwrap();
            let parameters = DerivationParameters {
                cryptographic: &cryptographic,
                initialization_vector: None,
                data: &[&info],
                salt: Some(&salt),
                iterations: None,
            };
            let ours = derive(DerivationMethod::Hkdf, None, &Secret::copy_from(&base), &parameters, len).unwrap();
            tally.same(&ours.expose().to_vec(), &theirs, &(&base, &salt, &info, len));
        }
        tally.check(inputs(), false);
    }
}

#[test]
fn pbkdf2s() {
    let mut random = Random::announced();
    for (hash, name, other) in [
        (H::Sha1, "PBKDF2 with SHA-1", pbkdf2::PBKDF2_HMAC_SHA1),
        (H::Sha256, "PBKDF2 with SHA-256", pbkdf2::PBKDF2_HMAC_SHA256),
        (H::Sha384, "PBKDF2 with SHA-384", pbkdf2::PBKDF2_HMAC_SHA384),
        (H::Sha512, "PBKDF2 with SHA-512", pbkdf2::PBKDF2_HMAC_SHA512),
    ] {
        let (mut tally, cryptographic) = (Tally::of(name), with_hash(hash));
        for _ in 0..inputs() {
            let (password_len, salt_len) = (1 + random.below(60), 1 + random.below(40));
            let (password, salt) = (random.bytes(password_len), random.bytes(salt_len));
            let (len, rounds) = (1 + random.below(100), u32::try_from(1 + random.below(50)).unwrap());
            let mut theirs = vec![0; len];
            pbkdf2::derive(other, NonZeroU32::new(rounds).unwrap(), &salt, &password, &mut theirs);
            let parameters = DerivationParameters {
                cryptographic: &cryptographic,
                initialization_vector: None,
                data: &[],
                salt: Some(&salt),
                iterations: Some(i32::try_from(rounds).unwrap()),
            };
            let base = Secret::copy_from(&password);
            let ours = derive(DerivationMethod::Pbkdf2, None, &base, &parameters, len).unwrap();
            tally.same(&ours.expose().to_vec(), &theirs, &(&password, &salt, rounds, len));
            let wrong = random.flipped(&theirs);
            let verified = pbkdf2::verify(other, NonZeroU32::new(rounds).unwrap(), &salt, &password, &wrong);
            tally.refused(ours.expose() == wrong, verified.is_ok(), &(&password, &salt, rounds));
        }
        tally.check(inputs(), true);
    }
}
