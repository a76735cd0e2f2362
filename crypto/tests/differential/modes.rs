//! The modes of SP 800-38A and 38C once more, over the AES of RustCrypto: the second implementation of those modes.

use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

const BLOCK: usize = 16;

/// AES with a key of any length.
pub(crate) enum Aes {
    Short(aes::Aes128),
    Middle(aes::Aes192),
    Long(aes::Aes256),
}

impl Aes {
    pub(crate) fn new(key: &[u8]) -> Self {
        match key.len() {
            16 => Self::Short(aes::Aes128::new_from_slice(key).unwrap()),
            24 => Self::Middle(aes::Aes192::new_from_slice(key).unwrap()),
            _ => Self::Long(aes::Aes256::new_from_slice(key).unwrap()),
        }
    }

    pub(crate) fn seal(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = Array::from(block);
        match self {
            Self::Short(cipher) => cipher.encrypt_block(&mut block),
            Self::Middle(cipher) => cipher.encrypt_block(&mut block),
            Self::Long(cipher) => cipher.encrypt_block(&mut block),
        }
        block.into()
    }

    fn open(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = Array::from(block);
        match self {
            Self::Short(cipher) => cipher.decrypt_block(&mut block),
            Self::Middle(cipher) => cipher.decrypt_block(&mut block),
            Self::Long(cipher) => cipher.decrypt_block(&mut block),
        }
        block.into()
    }
}

fn xor(one: [u8; BLOCK], other: &[u8]) -> [u8; BLOCK] {
    let mut out = one;
    for (to, from) in out.iter_mut().zip(other) {
        *to ^= from;
    }
    out
}

fn block(bytes: &[u8]) -> [u8; BLOCK] {
    let mut out = [0; BLOCK];
    out[..bytes.len()].copy_from_slice(bytes);
    out
}

/// PKCS#7.
fn padded(data: &[u8]) -> Vec<u8> {
    let missing = BLOCK - data.len() % BLOCK;
    let mut out = data.to_vec();
    out.resize(data.len() + missing, u8::try_from(missing).unwrap());
    out
}

fn unpadded(data: Vec<u8>) -> Option<Vec<u8>> {
    let last = usize::from(*data.last()?);
    let is_padding = (1..=BLOCK).contains(&last) && data.iter().rev().take(last).all(|byte| usize::from(*byte) == last);
    is_padding.then(|| data[..data.len() - last].to_vec())
}

pub(crate) fn ecb(aes: &Aes, data: &[u8]) -> Vec<u8> {
    padded(data).chunks(BLOCK).flat_map(|chunk| aes.seal(block(chunk))).collect()
}

pub(crate) fn ecb_opened(aes: &Aes, data: &[u8]) -> Option<Vec<u8>> {
    if data.is_empty() || !data.len().is_multiple_of(BLOCK) {
        return None;
    }
    unpadded(data.chunks(BLOCK).flat_map(|chunk| aes.open(block(chunk))).collect())
}

pub(crate) fn cbc(aes: &Aes, iv: [u8; BLOCK], data: &[u8]) -> Vec<u8> {
    let mut before = iv;
    let mut out = Vec::new();
    for chunk in padded(data).chunks(BLOCK) {
        before = aes.seal(xor(before, chunk));
        out.extend_from_slice(&before);
    }
    out
}

pub(crate) fn cbc_opened(aes: &Aes, iv: [u8; BLOCK], data: &[u8]) -> Option<Vec<u8>> {
    if data.is_empty() || !data.len().is_multiple_of(BLOCK) {
        return None;
    }
    let mut before = iv;
    let mut out = Vec::new();
    for chunk in data.chunks(BLOCK) {
        out.extend_from_slice(&xor(aes.open(block(chunk)), &before));
        before = block(chunk);
    }
    unpadded(out)
}

pub(crate) fn cfb(aes: &Aes, iv: [u8; BLOCK], data: &[u8]) -> Vec<u8> {
    let mut before = iv;
    let mut out = Vec::new();
    for chunk in data.chunks(BLOCK) {
        before = xor(aes.seal(before), chunk);
        out.extend_from_slice(&before[..chunk.len()]);
    }
    out
}

pub(crate) fn ofb(aes: &Aes, iv: [u8; BLOCK], data: &[u8]) -> Vec<u8> {
    let mut stream = iv;
    let mut out = Vec::new();
    for chunk in data.chunks(BLOCK) {
        stream = aes.seal(stream);
        out.extend_from_slice(&xor(stream, chunk)[..chunk.len()]);
    }
    out
}

pub(crate) fn ctr(aes: &Aes, first: [u8; BLOCK], data: &[u8]) -> Vec<u8> {
    let mut counter = u128::from_be_bytes(first);
    let mut out = Vec::new();
    for chunk in data.chunks(BLOCK) {
        out.extend_from_slice(&xor(aes.seal(counter.to_be_bytes()), chunk)[..chunk.len()]);
        counter = counter.wrapping_add(1);
    }
    out
}

/// SP 800-38C: what CCM gives for a nonce of 7 to 13 bytes, additional data below 65 280 bytes and a tag of `tag_len`.
pub(crate) fn ccm(aes: &Aes, nonce: &[u8], aad: &[u8], plain: &[u8], tag_len: usize) -> (Vec<u8>, Vec<u8>) {
    let tag = ccm_tag(aes, nonce, aad, plain, tag_len);
    (ccm_stream(aes, nonce, plain), tag)
}

pub(crate) fn ccm_opened(aes: &Aes, nonce: &[u8], aad: &[u8], data: &[u8], tag: &[u8]) -> Option<Vec<u8>> {
    let plain = ccm_stream(aes, nonce, data);
    (ccm_tag(aes, nonce, aad, &plain, tag.len()) == tag).then_some(plain)
}

/// The counter blocks: flags, nonce, number.
fn ccm_counter(nonce: &[u8], number: u64) -> [u8; BLOCK] {
    let width = BLOCK - 1 - nonce.len();
    let mut out = [0; BLOCK];
    out[0] = u8::try_from(width - 1).unwrap();
    out[1..=nonce.len()].copy_from_slice(nonce);
    out[BLOCK - width..].copy_from_slice(&number.to_be_bytes()[8 - width.min(8)..]);
    out
}

fn ccm_stream(aes: &Aes, nonce: &[u8], data: &[u8]) -> Vec<u8> {
    let chunks = data.chunks(BLOCK).zip(1_u64..);
    chunks.flat_map(|(chunk, at)| xor(aes.seal(ccm_counter(nonce, at)), chunk)[..chunk.len()].to_vec()).collect()
}

fn ccm_tag(aes: &Aes, nonce: &[u8], aad: &[u8], plain: &[u8], tag_len: usize) -> Vec<u8> {
    let width = BLOCK - 1 - nonce.len();
    let mut first = ccm_counter(nonce, u64::try_from(plain.len()).unwrap());
    let of_aad = if aad.is_empty() { 0 } else { 0x40 };
    first[0] = of_aad | u8::try_from((tag_len - 2) / 2 * 8 + width - 1).unwrap();
    let mut code = aes.seal(first);
    let mut with_len = Vec::new();
    if !aad.is_empty() {
        with_len.extend_from_slice(&u16::try_from(aad.len()).unwrap().to_be_bytes());
        with_len.extend_from_slice(aad);
    }
    for chunk in with_len.chunks(BLOCK).chain(plain.chunks(BLOCK)) {
        code = aes.seal(xor(code, chunk));
    }
    xor(code, &aes.seal(ccm_counter(nonce, 0)))[..tag_len].to_vec()
}

/// SP 800-38B.
pub(crate) fn cmac(aes: &Aes, data: &[u8]) -> [u8; BLOCK] {
    let doubled = |value: [u8; BLOCK]| {
        let number = u128::from_be_bytes(value);
        ((number << 1) ^ if number >> 127 == 1 { 0x87 } else { 0 }).to_be_bytes()
    };
    let whole = doubled(aes.seal([0; BLOCK]));
    let is_whole = !data.is_empty() && data.len().is_multiple_of(BLOCK);
    let split = if is_whole { data.len() - BLOCK } else { data.len() / BLOCK * BLOCK };
    let (front, end) = data.split_at(split);
    let last = if is_whole {
        xor(whole, end)
    } else {
        let mut filled = block(end);
        filled[end.len()] = 0x80;
        xor(doubled(whole), &filled)
    };
    let mut code = [0; BLOCK];
    for chunk in front.chunks(BLOCK) {
        code = aes.seal(xor(code, chunk));
    }
    aes.seal(xor(code, &last))
}
