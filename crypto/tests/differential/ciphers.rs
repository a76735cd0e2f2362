//! AES in every mode, key wrap and ChaCha20-Poly1305, against ring and RustCrypto.

use aes_kw::{KeyInit as _, KwAes128, KwAes192, KwAes256, KwpAes128, KwpAes192, KwpAes256};
use crypto::cipher::CipherSpec;
use kmip::attribute::CryptographicParameters;
use kmip::registry::{BlockCipherMode, CryptographicAlgorithm, PaddingMethod};
use ring::aead;
use secret::Secret;

use crate::modes::{self, Aes};
use crate::{Random, Tally, inputs};

const KEYS: [usize; 3] = [16, 24, 32];

fn spec(mode: BlockCipherMode, padding: Option<PaddingMethod>) -> CipherSpec {
    let parameters = CryptographicParameters {
        block_cipher_mode: Some(mode),
        padding_method: padding,
        ..CryptographicParameters::default()
    };
    CipherSpec::resolve(CryptographicAlgorithm::Aes, &parameters).unwrap()
}

fn opened(spec: &CipherSpec, key: &[u8], iv: Option<&[u8]>, data: &[u8]) -> Option<Vec<u8>> {
    let opened = spec.decrypt(&Secret::copy_from(key), iv, &[], None, data);
    opened.ok().map(|plain| plain.expose().to_vec())
}

/// Modes that fill blocks: what does not open with one does not open with the other, and what does is the same.
#[test]
fn ecb_and_cbc_with_padding() {
    let mut random = Random::announced();
    for (mode, name) in [(BlockCipherMode::Ecb, "AES-ECB"), (BlockCipherMode::Cbc, "AES-CBC")] {
        let (mut tally, spec) = (Tally::of(name), spec(mode, Some(PaddingMethod::Pkcs5)));
        for _ in 0..inputs() {
            let key_len = random.one_of(&KEYS);
            let (key, iv, data) = (random.bytes(key_len), random.array::<16>(), random.data());
            let aes = Aes::new(&key);
            let seal = |data: &[u8]| match mode {
                BlockCipherMode::Ecb => modes::ecb(&aes, data),
                _ => modes::cbc(&aes, iv, data),
            };
            let open = |data: &[u8]| match mode {
                BlockCipherMode::Ecb => modes::ecb_opened(&aes, data),
                _ => modes::cbc_opened(&aes, iv, data),
            };
            let sealed = spec.encrypt(&Secret::copy_from(&key), Some(&iv), &[], &data, &[]).unwrap().data;
            tally.same(&sealed, &seal(&data), &(&key, &iv, &data));
            let altered = random.flipped(&sealed);
            tally.same(&opened(&spec, &key, Some(&iv), &altered), &open(&altered), &(&key, &iv, &altered));
            // Whatever is no whole number of blocks is refused; a block less is another message for both.
            let cut = random.cut(&sealed);
            if cut.is_empty() || !cut.len().is_multiple_of(16) {
                let (ours, theirs) = (opened(&spec, &key, Some(&iv), &cut), open(&cut));
                tally.refused(ours.is_some(), theirs.is_some(), &(&key, &iv, &cut));
            }
        }
        // One of sixteen lengths is whole.
        tally.check(inputs(), false);
        assert!(tally.refused * 2 > inputs(), "{name}: {} refused", tally.refused);
    }
}

/// Key, vector and data to data.
type StreamMode = fn(&Aes, [u8; 16], &[u8]) -> Vec<u8>;

/// Modes that refuse nothing: both give the same, whatever comes in.
#[test]
fn stream_modes() {
    let mut random = Random::announced();
    let stream: [(BlockCipherMode, &str, StreamMode); 3] = [
        (BlockCipherMode::Cfb, "AES-CFB", modes::cfb),
        (BlockCipherMode::Ofb, "AES-OFB", modes::ofb),
        (BlockCipherMode::Ctr, "AES-CTR", modes::ctr),
    ];
    for (mode, name, theirs) in stream {
        let (mut tally, spec) = (Tally::of(name), spec(mode, None));
        for _ in 0..inputs() {
            let key_len = random.one_of(&KEYS);
            let (key, iv, data) = (random.bytes(key_len), random.array::<16>(), random.data());
            let sealed = spec.encrypt(&Secret::copy_from(&key), Some(&iv), &[], &data, &[]).unwrap().data;
            tally.same(&sealed, &theirs(&Aes::new(&key), iv, &data), &(&key, &iv, &data));
            assert_eq!(opened(&spec, &key, Some(&iv), &sealed), Some(data));
        }
        tally.check(inputs(), false);
    }
}

#[test]
fn xts() {
    let mut random = Random::announced();
    let (mut tally, spec) = (Tally::of("AES-XTS"), spec(BlockCipherMode::Xts, None));
    for _ in 0..inputs() {
        let half = random.one_of(&[16, 32]);
        let (key, tweak) = (random.bytes(2 * half), random.array::<16>());
        let data = [random.bytes(16), random.data()].concat();
        let mut theirs = data.clone();
        let (data_key, tweak_key) = key.split_at(half);
        if half == 16 {
            let new = |key: &[u8]| <aes::Aes128 as aes::cipher::KeyInit>::new_from_slice(key).unwrap();
            xts_mode::Xts128::new(new(data_key), new(tweak_key)).encrypt_sector(&mut theirs, tweak.into());
        } else {
            let new = |key: &[u8]| <aes::Aes256 as aes::cipher::KeyInit>::new_from_slice(key).unwrap();
            xts_mode::Xts128::new(new(data_key), new(tweak_key)).encrypt_sector(&mut theirs, tweak.into());
        }
        let sealed = spec.encrypt(&Secret::copy_from(&key), Some(&tweak), &[], &data, &[]).unwrap().data;
        tally.same(&sealed, &theirs, &(&key, &tweak, &data));
        assert_eq!(opened(&spec, &key, Some(&tweak), &sealed), Some(data));
    }
    tally.check(inputs(), false);
}

/// Key, nonce, additional data and data to data and tag.
type Seal = fn(&[u8], &[u8], &[u8], &[u8]) -> (Vec<u8>, Vec<u8>);
/// Key, nonce, additional data, data and tag to data.
type Open = fn(&[u8], &[u8], &[u8], &[u8], &[u8]) -> Option<Vec<u8>>;

/// The other side of an authenticated cipher.
struct Other {
    seal: Seal,
    open: Open,
}

fn of_ring(key: &[u8]) -> aead::LessSafeKey {
    let algorithm = if key.len() == 16 { &aead::AES_128_GCM } else { &aead::AES_256_GCM };
    aead::LessSafeKey::new(aead::UnboundKey::new(algorithm, key).unwrap())
}

fn sealed_by_ring(key: &aead::LessSafeKey, nonce: &[u8], aad: &[u8], data: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut out = data.to_vec();
    let nonce = aead::Nonce::try_assume_unique_for_key(nonce).unwrap();
    let tag = key.seal_in_place_separate_tag(nonce, aead::Aad::from(aad), &mut out).unwrap();
    (out, tag.as_ref().to_vec())
}

fn opened_by_ring(key: &aead::LessSafeKey, nonce: &[u8], aad: &[u8], data: &[u8], tag: &[u8]) -> Option<Vec<u8>> {
    let nonce = aead::Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut whole = [data, tag].concat();
    key.open_in_place(nonce, aead::Aad::from(aad), &mut whole).ok().map(|plain| plain.to_vec())
}

fn chacha(key: &[u8]) -> aead::LessSafeKey {
    aead::LessSafeKey::new(aead::UnboundKey::new(&aead::CHACHA20_POLY1305, key).unwrap())
}

#[test]
fn authenticated_ciphers() {
    let gcm = Other {
        seal: |key, nonce, aad, data| sealed_by_ring(&of_ring(key), nonce, aad, data),
        open: |key, nonce, aad, data, tag| opened_by_ring(&of_ring(key), nonce, aad, data, tag),
    };
    let poly = Other {
        seal: |key, nonce, aad, data| sealed_by_ring(&chacha(key), nonce, aad, data),
        open: |key, nonce, aad, data, tag| opened_by_ring(&chacha(key), nonce, aad, data, tag),
    };
    let ccm = Other {
        seal: |key, nonce, aad, data| modes::ccm(&Aes::new(key), nonce, aad, data, 16),
        open: |key, nonce, aad, data, tag| modes::ccm_opened(&Aes::new(key), nonce, aad, data, tag),
    };
    let aes = CryptographicAlgorithm::Aes;
    let of_chacha = CryptographicAlgorithm::ChaCha20Poly1305;
    compare_sealing("AES-GCM", aes, BlockCipherMode::Gcm, &[16, 32], &[12], &gcm);
    compare_sealing("AES-CCM", aes, BlockCipherMode::Ccm, &KEYS, &[7, 8, 9, 10, 11, 12, 13], &ccm);
    compare_sealing("ChaCha20-Poly1305", of_chacha, BlockCipherMode::Aead, &[32], &[12], &poly);
}

fn compare_sealing(
    name: &'static str,
    algorithm: CryptographicAlgorithm,
    mode: BlockCipherMode,
    keys: &[usize],
    nonces: &[usize],
    other: &Other,
) {
    let mut random = Random::announced();
    let parameters = CryptographicParameters {
        block_cipher_mode: Some(mode),
        tag_length: Some(16),
        ..CryptographicParameters::default()
    };
    let (mut tally, spec) = (Tally::of(name), CipherSpec::resolve(algorithm, &parameters).unwrap());
    for _ in 0..inputs() {
        let (key_len, nonce_len) = (random.one_of(keys), random.one_of(nonces));
        let (key, nonce) = (random.bytes(key_len), random.bytes(nonce_len));
        let (aad, data) = (random.data(), random.data());
        let open = |nonce: &[u8], aad: &[u8], data: &[u8], tag: &[u8]| {
            spec.decrypt(&Secret::copy_from(&key), Some(nonce), aad, Some(tag), data).is_ok()
        };
        let sealed = spec.encrypt(&Secret::copy_from(&key), Some(&nonce), &aad, &data, &[]).unwrap();
        let (text, tag) = (sealed.data, sealed.tag.unwrap());
        let of_other = (other.seal)(&key, &nonce, &aad, &data);
        tally.same(&(text.clone(), tag.clone()), &of_other, &(&key, &nonce, &aad, &data));
        assert!(open(&nonce, &aad, &text, &tag), "{name}: its own");
        assert_eq!((other.open)(&key, &nonce, &aad, &text, &tag), Some(data));
        // One thing is wrong: text, tag, additional data or nonce, altered or cut.
        let forged = match random.below(5) {
            0 if !text.is_empty() => (nonce.clone(), aad, random.flipped(&text), tag),
            1 if !text.is_empty() => (nonce.clone(), aad, random.cut(&text), tag),
            2 if !aad.is_empty() => (nonce.clone(), random.flipped(&aad), text, tag),
            3 => (random.flipped(&nonce), aad, text, tag),
            _ => (nonce.clone(), aad, text, random.flipped(&tag)),
        };
        let (nonce, aad, text, tag) = forged;
        let theirs = (other.open)(&key, &nonce, &aad, &text, &tag).is_some();
        tally.refused(open(&nonce, &aad, &text, &tag), theirs, &(&key, &nonce, &aad, &text, &tag));
    }
    tally.check(inputs(), true);
}

fn wrapped_by_other(key: &[u8], data: &[u8], pads: bool) -> Vec<u8> {
    let mut room = vec![0; data.len() + 24];
    let wrapped = match (key.len(), pads) {
        (16, false) => KwAes128::new_from_slice(key).unwrap().wrap_key(data, &mut room).map(<[u8]>::to_vec),
        (24, false) => KwAes192::new_from_slice(key).unwrap().wrap_key(data, &mut room).map(<[u8]>::to_vec),
        (_, false) => KwAes256::new_from_slice(key).unwrap().wrap_key(data, &mut room).map(<[u8]>::to_vec),
        (16, true) => KwpAes128::new_from_slice(key).unwrap().wrap_key(data, &mut room).map(<[u8]>::to_vec),
        (24, true) => KwpAes192::new_from_slice(key).unwrap().wrap_key(data, &mut room).map(<[u8]>::to_vec),
        (_, true) => KwpAes256::new_from_slice(key).unwrap().wrap_key(data, &mut room).map(<[u8]>::to_vec),
    };
    wrapped.unwrap()
}

fn unwrapped_by_other(key: &[u8], data: &[u8], pads: bool) -> Option<Vec<u8>> {
    let mut room = vec![0; data.len() + 8];
    match (key.len(), pads) {
        (16, false) => KwAes128::new_from_slice(key).unwrap().unwrap_key(data, &mut room).map(<[u8]>::to_vec).ok(),
        (24, false) => KwAes192::new_from_slice(key).unwrap().unwrap_key(data, &mut room).map(<[u8]>::to_vec).ok(),
        (_, false) => KwAes256::new_from_slice(key).unwrap().unwrap_key(data, &mut room).map(<[u8]>::to_vec).ok(),
        (16, true) => KwpAes128::new_from_slice(key).unwrap().unwrap_key(data, &mut room).map(<[u8]>::to_vec).ok(),
        (24, true) => KwpAes192::new_from_slice(key).unwrap().unwrap_key(data, &mut room).map(<[u8]>::to_vec).ok(),
        (_, true) => KwpAes256::new_from_slice(key).unwrap().unwrap_key(data, &mut room).map(<[u8]>::to_vec).ok(),
    }
}

#[test]
fn key_wraps() {
    let mut random = Random::announced();
    for (mode, pads, name) in [
        (BlockCipherMode::NistKeyWrap, false, "AES key wrap"),
        (BlockCipherMode::AesKeyWrapPadding, true, "AES key wrap with padding"),
    ] {
        let (mut tally, spec) = (Tally::of(name), spec(mode, None));
        for _ in 0..inputs() {
            let key_len = random.one_of(&KEYS);
            let key = random.bytes(key_len);
            let len = if pads { 1 + random.below(300) } else { 16 + 8 * random.below(40) };
            let data = random.bytes(len);
            let wrapped = spec.encrypt(&Secret::copy_from(&key), None, &[], &data, &[]).unwrap().data;
            tally.same(&wrapped, &wrapped_by_other(&key, &data, pads), &(&key, &data));
            assert_eq!(opened(&spec, &key, None, &wrapped), Some(data.clone()));
            assert_eq!(unwrapped_by_other(&key, &wrapped, pads), Some(data));
            let forged = if random.below(2) == 0 { random.flipped(&wrapped) } else { random.cut(&wrapped) };
            let theirs = unwrapped_by_other(&key, &forged, pads).is_some();
            tally.refused(opened(&spec, &key, None, &forged).is_some(), theirs, &(&key, &forged));
        }
        tally.check(inputs(), true);
    }
}
