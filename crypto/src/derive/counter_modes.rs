//! The three modes of NIST SP 800-108 (revision 1, §4.1 to §4.3). The counter has 32 bits and stands before the data.

use secret::Secret;
use zeroize::Zeroizing;

use crate::CryptoError;
use crate::mac::MacSpec;

/// Counter mode: K(i) = PRF(key, i ‖ data).
pub(super) fn counter(prf: &MacSpec, key: &Secret, data: &[u8], len: usize) -> Result<Secret, CryptoError> {
    collect(len, |counter, _| call(prf, key, &[&counter.to_be_bytes(), data]))
}

/// Feedback mode: K(i) = PRF(key, K(i-1) ‖ i ‖ data), K(0) = `iv`.
pub(super) fn feedback(prf: &MacSpec, key: &Secret, iv: &[u8], data: &[u8], len: usize) -> Result<Secret, CryptoError> {
    collect(len, |counter, previous| call(prf, key, &[previous.unwrap_or(iv), &counter.to_be_bytes(), data]))
}

/// Double-pipeline mode: A(i) = PRF(key, A(i-1)), A(0) = data; K(i) = PRF(key, A(i) ‖ i ‖ data).
pub(super) fn double_pipeline(prf: &MacSpec, key: &Secret, data: &[u8], len: usize) -> Result<Secret, CryptoError> {
    let mut first_pipeline = Zeroizing::new(data.to_vec());
    collect(len, |counter, _| {
        first_pipeline = call(prf, key, &[&first_pipeline])?;
        call(prf, key, &[&first_pipeline, &counter.to_be_bytes(), data])
    })
}

/// Joins the blocks that `block` makes of the counter, from 1, and the block before.
fn collect(
    len: usize,
    mut block: impl FnMut(u32, Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>, CryptoError>,
) -> Result<Secret, CryptoError> {
    let mut previous: Option<Zeroizing<Vec<u8>>> = None;
    let mut counter = 0;
    Secret::filled_by(len, |out| {
        let mut rest = out;
        while !rest.is_empty() {
            counter += 1;
            let next = block(counter, previous.as_ref().map(|block| block.as_slice()))?;
            let take = next.len().min(rest.len());
            let (now, later) = rest.split_at_mut(take);
            now.copy_from_slice(next.get(..take).unwrap_or_default());
            rest = later;
            previous = Some(next);
        }
        Ok(())
    })
}

fn call(prf: &MacSpec, key: &Secret, parts: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let mut stream = prf.stream(key)?;
    for part in parts {
        stream.update(part)?;
    }
    Ok(Zeroizing::new(stream.finish()?))
}

#[cfg(test)]
mod tests {
    use kmip::registry::{CryptographicAlgorithm, HashingAlgorithm};

    use super::*;

    fn secret(hex: &str) -> Secret {
        Secret::new(hex::decode(hex).unwrap())
    }

    #[test]
    fn each_mode_follows_its_formula() {
        let prf = MacSpec::hmac(HashingAlgorithm::Sha256).unwrap();
        let (key, data) = (secret("00112233445566778899aabbccddeeff"), &b"label\0context"[..]);
        let mac = |parts: &[&[u8]]| prf.generate(&key, &parts.concat()).unwrap();
        let (one, two) = (1u32.to_be_bytes(), 2u32.to_be_bytes());

        let derived = counter(&prf, &key, data, 40).unwrap();
        assert_eq!(derived.expose()[..32], mac(&[&one, data]));
        assert_eq!(derived.expose()[32..], mac(&[&two, data])[..8]);

        let derived = feedback(&prf, &key, b"iv", data, 64).unwrap();
        let first = mac(&[b"iv", &one, data]);
        assert_eq!(derived.expose()[..32], first);
        assert_eq!(derived.expose()[32..], mac(&[&first, &two, data]));

        let derived = double_pipeline(&prf, &key, data, 64).unwrap();
        let a1 = mac(&[data]);
        let a2 = mac(&[&a1]);
        assert_eq!(derived.expose()[..32], mac(&[&a1, &one, data]));
        assert_eq!(derived.expose()[32..], mac(&[&a2, &two, data]));
    }

    #[test]
    fn cmac_serves_as_pseudorandom_function() {
        let prf = MacSpec::cmac(CryptographicAlgorithm::Aes).unwrap();
        let derived = counter(&prf, &Secret::copy_from(&[1; 16]), b"data", 16).unwrap();
        assert_eq!(derived.expose(), prf.generate(&Secret::copy_from(&[1; 16]), b"\0\0\0\x01data").unwrap());
    }
}
