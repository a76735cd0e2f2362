//! The two kinds of envelope, byte by byte.
//!
//! Both have the header of [`Sealed`], and both are bound to `header ‖ facts`, so neither opens under another domain,
//! another version, or the facts of another object.
//!
//! **In the HSM** (algorithm 1, payloads up to 1 KiB): AES-256-GCM under the Domain Key inside the HSM, the header's
//! IV (96 bits from the HSM), a tag of 128 bits, additional data `header ‖ facts`.
//!
//! **Under an object key** (algorithm 2, longer payloads): a fresh 256-bit object key from the HSM seals the payload in
//! this process, and the HSM seals the object key. What follows the header is
//! ```text
//! offset  length  field
//!      0      48  object key, sealed in the HSM: AES-256-GCM under the Domain Key, the header's IV, additional data
//!                 header ‖ facts; the last 16 bytes are its tag
//!     48      12  IV of the payload, from the HSM
//!     60       n  payload: AES-256-GCM under the object key, additional data header ‖ sealed object key ‖ payload IV ‖
//!                 facts
//!   60+n      16  its tag
//! ```
//! An object key seals one payload, ever. The header is part of both additional data and names the algorithm, so an
//! envelope of one kind never opens as the other.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use secret::{Algorithm, DomainId, DomainKeyVersion, Sealed, Secret, wiped_after};

use crate::error::HsmError;
use crate::limits::{MAX_FACTS_LEN, MAX_IN_HSM_LEN, MAX_PLAIN_LEN};

/// 96 bits, the length for which GCM is specified without detour (NIST SP 800-38D §8.2).
pub(crate) const IV_LEN: usize = 12;
/// 128 bits, always.
pub(crate) const TAG_LEN: usize = 16;
/// AES-256.
pub(crate) const OBJECT_KEY_LEN: usize = 32;
const SEALED_KEY_LEN: usize = OBJECT_KEY_LEN + TAG_LEN;

const DOING_OPEN: &str = "open a sealed payload";

/// Refuses what could not be bound or would not fit.
pub(crate) fn check(facts: &[u8], plain_len: usize) -> Result<(), HsmError> {
    if facts.is_empty() || facts.len() > MAX_FACTS_LEN {
        return Err(HsmError::Limit(format!("facts of {} bytes; 1 to {MAX_FACTS_LEN} are allowed", facts.len())));
    }
    if plain_len > MAX_PLAIN_LEN {
        return Err(HsmError::Limit(format!("payload of {plain_len} bytes; {MAX_PLAIN_LEN} are allowed")));
    }
    Ok(())
}

/// Which kind of envelope a payload of this length gets.
pub(crate) fn algorithm_for(plain_len: usize) -> Algorithm {
    if plain_len <= MAX_IN_HSM_LEN { Algorithm::AesGcmInHsm } else { Algorithm::AesGcmUnderObjectKey }
}

/// The additional data of what the HSM seals.
pub(crate) fn additional_data(header: &[u8], facts: &[u8]) -> Vec<u8> {
    [header, facts].concat()
}

/// An object key and what the HSM made of it.
pub(crate) struct ObjectKey {
    pub key: Secret,
    pub header: Vec<u8>,
    /// Ciphertext and tag of `key`.
    pub sealed: Vec<u8>,
    pub payload_iv: [u8; IV_LEN],
}

/// What one call to the HSM needs to open an envelope, and what is left to do afterwards.
pub(crate) struct Parts<'a> {
    /// What the HSM opens.
    pub in_hsm: &'a [u8],
    /// The rest, for the object key that the HSM then gives.
    payload: Option<(&'a [u8; IV_LEN], &'a [u8])>,
}

/// Takes an envelope apart.
pub(crate) fn parts(sealed: &Sealed) -> Result<Parts<'_>, HsmError> {
    let cut = |cause: &str| HsmError::Data { doing: DOING_OPEN, cause: cause.into() };
    let body = sealed.ciphertext_and_tag();
    match sealed.algorithm() {
        Algorithm::AesGcmInHsm if body.len() <= MAX_IN_HSM_LEN + TAG_LEN => Ok(Parts { in_hsm: body, payload: None }),
        Algorithm::AesGcmInHsm => Err(cut("more bytes than the HSM ever seals")),
        Algorithm::AesGcmUnderObjectKey => {
            let (in_hsm, rest) = body.split_at_checked(SEALED_KEY_LEN).ok_or_else(|| cut("no sealed object key"))?;
            let (iv, payload) = rest.split_first_chunk().ok_or_else(|| cut("no payload IV"))?;
            Ok(Parts { in_hsm, payload: Some((iv, payload)) })
        }
    }
}

impl Parts<'_> {
    /// The payload, from what the HSM opened.
    pub fn finish(&self, opened: Secret, header: &[u8], facts: &[u8]) -> Result<Secret, HsmError> {
        let altered = |cause: &str| HsmError::Data { doing: DOING_OPEN, cause: cause.into() };
        let Some((iv, payload)) = self.payload else { return Ok(opened) };
        let aad = payload_additional_data(header, self.in_hsm, iv, facts);
        wiped_after(|| {
            let cipher =
                Aes256Gcm::new_from_slice(opened.expose()).map_err(|_| altered("the object key has no 32 bytes"))?;
            let plain = cipher.decrypt(&Nonce::from(*iv), Payload { msg: payload, aad: &aad });
            plain.map(Secret::new).map_err(|_| altered("the payload does not fit its tag"))
        })
    }
}

/// Seals a long payload under an object key that the HSM has sealed.
pub(crate) fn under_object_key(
    domain: DomainId,
    version: DomainKeyVersion,
    iv: &[u8],
    object_key: &ObjectKey,
    facts: &[u8],
    plain: &Secret,
) -> Result<Sealed, HsmError> {
    let failed = |_| HsmError::Limit("the payload could not be sealed".into());
    let aad = payload_additional_data(&object_key.header, &object_key.sealed, &object_key.payload_iv, facts);
    let payload = wiped_after(|| {
        let cipher = Aes256Gcm::new_from_slice(object_key.key.expose())
            .map_err(|_| HsmError::Limit("the object key has no 32 bytes".into()))?;
        cipher.encrypt(&Nonce::from(object_key.payload_iv), Payload { msg: plain.expose(), aad: &aad }).map_err(failed)
    })?;
    let body = [&object_key.sealed[..], &object_key.payload_iv[..], &payload[..]].concat();
    Ok(Sealed::assemble(Algorithm::AesGcmUnderObjectKey, domain, version, iv, &body)?)
}

fn payload_additional_data(header: &[u8], sealed_key: &[u8], iv: &[u8; IV_LEN], facts: &[u8]) -> Vec<u8> {
    [header, sealed_key, &iv[..], facts].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: &[u8] = b"object 1";
    const IV: [u8; IV_LEN] = [3; IV_LEN];

    fn object_key() -> ObjectKey {
        ObjectKey {
            key: Secret::copy_from(&[7; OBJECT_KEY_LEN]),
            header: Sealed::header(Algorithm::AesGcmUnderObjectKey, [1; 16], 2, &IV).unwrap(),
            sealed: vec![9; SEALED_KEY_LEN],
            payload_iv: [5; IV_LEN],
        }
    }

    fn sealed() -> Sealed {
        under_object_key([1; 16], 2, &IV, &object_key(), FACTS, &Secret::copy_from(&[0x42; 5000])).unwrap()
    }

    fn open(sealed: &Sealed, facts: &[u8]) -> Result<Secret, HsmError> {
        parts(sealed)?.finish(Secret::copy_from(&[7; OBJECT_KEY_LEN]), sealed.header_bytes(), facts)
    }

    #[test]
    fn a_long_payload_comes_back() {
        assert_eq!(open(&sealed(), FACTS).unwrap(), Secret::copy_from(&[0x42; 5000]));
        assert_eq!(parts(&sealed()).unwrap().in_hsm, [9; SEALED_KEY_LEN]);
    }

    #[test]
    fn every_byte_of_a_long_envelope_is_bound() {
        let whole = sealed();
        let step = 97; // Every byte would take long and prove no more: each field is hit several times.
        for at in (0..whole.as_bytes().len()).step_by(step).chain(0..110) {
            let mut bytes = whole.as_bytes().to_vec();
            bytes[at] ^= 1;
            let Ok(altered) = Sealed::from_bytes(bytes) else { continue };
            assert!(open(&altered, FACTS).is_err(), "byte {at} is not bound");
        }
        assert!(open(&whole, b"object 2").is_err());
    }

    #[test]
    fn a_cut_envelope_is_data_not_a_panic() {
        let whole = sealed();
        for len in 0..200 {
            if let Ok(cut) = Sealed::from_bytes(whole.as_bytes()[..len].to_vec()) {
                assert!(matches!(open(&cut, FACTS), Err(HsmError::Data { .. })));
            }
        }
    }

    #[test]
    fn the_limits_are_where_they_say() {
        assert_eq!(algorithm_for(MAX_IN_HSM_LEN), Algorithm::AesGcmInHsm);
        assert_eq!(algorithm_for(MAX_IN_HSM_LEN + 1), Algorithm::AesGcmUnderObjectKey);
        assert!(check(b"", 1).is_err());
        assert!(check(&[0; MAX_FACTS_LEN + 1], 1).is_err());
        assert!(check(b"f", MAX_PLAIN_LEN + 1).is_err());
        check(b"f", MAX_PLAIN_LEN).unwrap();
    }

    #[test]
    fn more_bytes_than_the_hsm_seals_never_reach_it() {
        let body = vec![0; MAX_IN_HSM_LEN + TAG_LEN + 1];
        let sealed = Sealed::assemble(Algorithm::AesGcmInHsm, [1; 16], 1, &IV, &body).unwrap();
        assert!(matches!(parts(&sealed), Err(HsmError::Data { .. })));
    }
}
