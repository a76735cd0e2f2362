//! What the library tells of itself: one slot, which is the domain; its structures; its mechanisms.

use kmip::registry::HashingAlgorithm as H;
use policy::algorithm::AlgorithmPolicy;
use policy::mechanism::may_hash;

use super::codec::Output;
use crate::limits::PKCS11_NAME_LEN;
use crate::offer::Offer;

/// The slot. There is one, and the client's domain is its token.
pub(super) const SLOT: u64 = 0;
/// Version of Cryptoki: what the functions here have in common with it. The cases of the KMIP 2.1 profile have 2.40.
const CRYPTOKI_VERSION: [u8; 2] = [2, 40];
/// Version of this library, and of what it tells as hardware and firmware.
const LIBRARY_VERSION: [u8; 2] = [1, 0];
/// Bytes of a slot's description.
const SLOT_DESCRIPTION_LEN: usize = 64;
/// `CKF_TOKEN_PRESENT`.
const TOKEN_PRESENT: u64 = 1;
/// `CKF_DIGEST`.
const DIGEST: u64 = 0x400;

/// `CKF_RW_SESSION`.
const READ_WRITE: u64 = 2;
/// `CKF_SERIAL_SESSION`, which every session has.
pub(super) const SERIAL: u64 = 4;
/// `CKS_RO_USER_FUNCTIONS` and `CKS_RW_USER_FUNCTIONS`: who the user is, TLS has told.
const STATES: [u64; 2] = [1, 3];

/// Mechanisms, `CKM_…`, and their hashes. PKCS#11 3.0 §2.20 to §2.30.
const MECHANISMS: [(u64, H); 12] = [
    (0x048, H::Sha512_224),
    (0x04c, H::Sha512_256),
    (0x210, H::Md5),
    (0x220, H::Sha1),
    (0x250, H::Sha256),
    (0x255, H::Sha224),
    (0x260, H::Sha384),
    (0x270, H::Sha512),
    (0x2b0, H::Sha3_256),
    (0x2b5, H::Sha3_224),
    (0x2c0, H::Sha3_384),
    (0x2d0, H::Sha3_512),
];

/// CK_INFO: version of Cryptoki, manufacturer, flags, description and version of the library.
pub(super) fn info(offer: &Offer) -> Vec<u8> {
    Output::default()
        .bytes(&CRYPTOKI_VERSION)
        .padded(&offer.pkcs11_manufacturer, PKCS11_NAME_LEN)
        .ulong(0)
        .padded(&offer.pkcs11_library, PKCS11_NAME_LEN)
        .bytes(&LIBRARY_VERSION)
        .finish()
}

/// CK_SLOT_INFO: description, manufacturer, flags, versions of hardware and firmware.
pub(super) fn slot_info(offer: &Offer, domain: &str) -> Vec<u8> {
    Output::default()
        .padded(domain, SLOT_DESCRIPTION_LEN)
        .padded(&offer.pkcs11_manufacturer, PKCS11_NAME_LEN)
        .ulong(TOKEN_PRESENT)
        .bytes(&LIBRARY_VERSION)
        .bytes(&LIBRARY_VERSION)
        .finish()
}

/// CK_SESSION_INFO: slot, state, flags, error of the device.
pub(super) fn session_info(flags: u64) -> Vec<u8> {
    let [read_only, read_write] = STATES;
    let state = if flags & READ_WRITE == 0 { read_only } else { read_write };
    Output::default().ulong(SLOT).ulong(state).ulong(flags).ulong(0).finish()
}

/// CK_MECHANISM_INFO: a digest has no keys.
pub(super) fn mechanism_info() -> Vec<u8> {
    Output::default().ulong(0).ulong(0).ulong(DIGEST).finish()
}

/// The hash of a mechanism, if there is one that the policy and the library have.
pub(super) fn hash_of(mechanism: u64, policy: AlgorithmPolicy) -> Option<H> {
    let (_, hash) = MECHANISMS.iter().find(|(number, _)| *number == mechanism)?;
    (may_hash(policy, *hash).is_ok() && crypto::hash::is_supported(*hash)).then_some(*hash)
}

/// The mechanisms under the policy.
pub(super) fn mechanisms(policy: AlgorithmPolicy) -> Vec<u64> {
    MECHANISMS.iter().map(|(number, _)| *number).filter(|number| hash_of(*number, policy).is_some()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_are_as_long_as_their_fields() {
        let info = info(&Offer::default());
        assert_eq!(info.len(), 2 + 32 + 8 + 32 + 2);
        assert!(info.get(2..34).unwrap().starts_with(b"Clavis   "));
        assert_eq!(slot_info(&Offer::default(), "acme").len(), 64 + 32 + 8 + 2 + 2);
        assert_eq!((session_info(4).len(), mechanism_info().len()), (4 * 8, 3 * 8));
    }

    #[test]
    fn a_mechanism_is_told_where_it_may_be_used() {
        let anssi = mechanisms(AlgorithmPolicy::Anssi);
        assert!(anssi.contains(&0x250) && !anssi.contains(&0x220) && !anssi.contains(&0x210));
        let legacy = mechanisms(AlgorithmPolicy::Legacy);
        assert!(legacy.contains(&0x220) && anssi.iter().all(|one| legacy.contains(one)));
        assert_eq!(hash_of(0x1082, AlgorithmPolicy::Legacy), None, "CKM_AES_CBC is no digest");
    }
}
