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
    fn answers_are_those_of_nists_validation_program() {
        // CAVP, SP 800-108, RLEN=32_BITS, the first vector of each: CTRLOCATION=BEFORE_FIXED for the counter mode,
        // AFTER_ITER for the others.
        let hmac = MacSpec::hmac(HashingAlgorithm::Sha256).unwrap();
        let cmac = MacSpec::cmac(CryptographicAlgorithm::Aes).unwrap();
        let bytes = |hex: &str| hex::decode(hex).unwrap();
        let derived = counter(
            &hmac,
            &secret("dd1d91b7d90b2bd3138533ce92b272fbf8a369316aefe242e659cc0ae238afe0"),
            &bytes(
                "01322b96b30acd197979444e468e1c5c6859bf1b1cf951b7e725303e237e46b864a145fab25e517b08f8683d0315bb2911d80a0e\
                 8aba17f3b413faac",
            ),
            16,
        );
        assert_eq!(hex::encode(derived.unwrap().expose()), "10621342bfb0fd40046c0e29f2cfdbf0");
        let derived = counter(
            &cmac,
            &secret("d0b1b3b70b2393c48ca05159e7e28cbeadea93f28a7cdae964e5136070c45d5c"),
            &bytes(
                "dd2f151a3f173492a6fbbb602189d51ddf8ef79fc8e96b8fcbe6dabe73a35b48104f9dff2d63d48786d2b3af177091d646a9efae\
                 005bdfacb61a1214",
            ),
            16,
        );
        assert_eq!(hex::encode(derived.unwrap().expose()), "8c449fb474d1c1d4d2a33827103b656a");
        let derived = feedback(
            &hmac,
            &secret("93f698e842eed75394d629d957e2e89c6e741f810b623c8b901e38376d068e7b"),
            &bytes("9f575d9059d3e0c0803f08112f8a806de3c3471912cdf42b095388b14b33508e"),
            &bytes(
                "53b89c18690e2057a1d167822e636de50be0018532c431f7f5e37f77139220d5e042599ebe266af5767ee18cd2c5c19a1f0f80",
            ),
            64,
        );
        assert_eq!(
            hex::encode(derived.unwrap().expose()),
            "bd1476f43a4e315747cf5918e0ea5bc0d98769457477c3ab18b742def0e079a9\
             33b756365afb5541f253fee43c6fd788a44041038509e9eeb68f7d65ffbb5f95"
        );
        let derived = double_pipeline(
            &cmac,
            &secret("2451975a33ab0c7535e00abe7b57982335b0471ad857a093c6765e6c58443852"),
            &bytes(
                "fb95eb3c47dcad3b783b045b29bcb6f5aefc0389735843b92b4d8fab97d61350b76b2a83442d7c5aa497aa1cf441760281a08b",
            ),
            64,
        );
        assert_eq!(
            hex::encode(derived.unwrap().expose()),
            "2f157687f782c8b64325826e3c755194c70abffd9d78c4678924b9d73dcced86\
             dcaf7dfa3bf56cf03fa45c7fca05ca1092c41bbd934131e95db2b204241a9d02"
        );
    }

    #[test]
    fn cmac_serves_as_pseudorandom_function() {
        let prf = MacSpec::cmac(CryptographicAlgorithm::Aes).unwrap();
        let derived = counter(&prf, &Secret::copy_from(&[1; 16]), b"data", 16).unwrap();
        assert_eq!(derived.expose(), prf.generate(&Secret::copy_from(&[1; 16]), b"\0\0\0\x01data").unwrap());
    }
}
