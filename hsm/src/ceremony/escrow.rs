//! The escrow: the Root of Trust under a key that exists only in shares, each sealed to one custodian.
//!
//! A share at rest is AES-256-GCM under Argon2id of the custodian's passphrase; its additional data names the Root of
//! Trust, the custodian and the scheme, so a share is not mistaken for one of another ceremony. The escrow key itself
//! is in clear only in the ceremony process, in locked memory, between the draw or the joining and its import.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use argon2::Argon2;
use blahaj::{Share, Sharks};
use ring::rand::{SecureRandom, SystemRandom};
use secret::Secret;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::error::CeremonyError;
use crate::limits::{MAX_CUSTODIANS, MIN_PASSPHRASE_LEN, WRAPPED_KEY_LEN};
use crate::raw::Locked;

/// Bytes of the escrow key: AES-256.
pub(super) const ESCROW_KEY_LEN: usize = 32;
/// The point (1) and one value for each byte of the key.
const SHARE_LEN: usize = 1 + ESCROW_KEY_LEN;
/// Argon2id: 64 MiB, 3 passes, 1 lane – the second recommendation of RFC 9106 §4 with one lane instead of four.
const ARGON2_MEMORY_KIB: u32 = 64 * 1024;
const ARGON2_PASSES: u32 = 3;
const ARGON2_LANES: u32 = 1;
/// What a share file may ask of this process at most: four times what we write.
const MAX_ARGON2_MEMORY_KIB: u32 = 256 * 1024;
const MAX_ARGON2_PASSES: u32 = 12;
const MAX_ARGON2_LANES: u32 = 4;

/// Someone who keeps one share.
pub struct Custodian {
    /// Also part of a file name: letters, digits, `-` and `_`, at most 32.
    pub name: String,
    /// At least 12 bytes.
    pub passphrase: Secret,
}

/// The Root of Trust wrapped under the escrow key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscrowBlob {
    /// Of the Root of Trust inside.
    #[serde(with = "hex::serde")]
    pub rot_fingerprint: [u8; 32],
    /// AES-KW (RFC 3394), 40 bytes.
    #[serde(with = "hex::serde")]
    pub wrapped: [u8; WRAPPED_KEY_LEN],
    /// How many shares open it.
    pub threshold: u8,
}

/// One share, sealed to its custodian's passphrase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedShare {
    /// Whose it is.
    pub custodian: String,
    /// The Root of Trust it helps to restore.
    #[serde(with = "hex::serde")]
    pub rot_fingerprint: [u8; 32],
    /// How many shares are needed.
    pub threshold: u8,
    /// Argon2id: memory in KiB.
    pub argon2_memory_kib: u32,
    /// Argon2id: passes.
    pub argon2_passes: u32,
    /// Argon2id: lanes.
    pub argon2_lanes: u32,
    /// Argon2id: salt.
    #[serde(with = "hex::serde")]
    pub salt: [u8; 16],
    /// AES-256-GCM: IV.
    #[serde(with = "hex::serde")]
    pub iv: [u8; 12],
    /// AES-256-GCM: the share and its tag.
    #[serde(with = "hex::serde")]
    pub ciphertext: Vec<u8>,
}

/// Refuses what cannot be a board of custodians. Returns the threshold as the scheme takes it.
pub(super) fn check_custodians(custodians: &[Custodian], threshold: usize) -> Result<u8, CeremonyError> {
    let fault = |text: String| Err(CeremonyError::Escrow(text));
    if custodians.len() > MAX_CUSTODIANS {
        return fault(format!("{} custodians; {MAX_CUSTODIANS} are allowed", custodians.len()));
    }
    if threshold < 2 || threshold > custodians.len() {
        return fault(format!("{threshold} of {} shares: at least 2, at most all", custodians.len()));
    }
    for (at, custodian) in custodians.iter().enumerate() {
        let name = &custodian.name;
        let letters = name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
        if name.is_empty() || name.len() > 32 || !letters {
            return fault(format!("custodian {name:?}: letters, digits, - and _ make a name, 1 to 32 of them"));
        }
        if custodians.iter().take(at).any(|earlier| earlier.name == *name) {
            return fault(format!("two custodians are called {name}"));
        }
        if custodian.passphrase.len() < MIN_PASSPHRASE_LEN {
            return fault(format!("the passphrase of {name} is shorter than {MIN_PASSPHRASE_LEN} bytes"));
        }
    }
    u8::try_from(threshold).map_err(|_| CeremonyError::Escrow("the threshold is too large".into()))
}

/// Splits the escrow key and seals each share. Tells whether all memory could be locked.
pub(super) fn split(
    key: &Locked,
    custodians: &[Custodian],
    threshold: u8,
    rot_fingerprint: &[u8; 32],
) -> Result<(Vec<SealedShare>, bool), CeremonyError> {
    let mut memory_locked = key.is_locked();
    let mut sealed = Vec::with_capacity(custodians.len());
    // The shares of the library wipe themselves when they are dropped.
    for (custodian, share) in custodians.iter().zip(Sharks(threshold).dealer(key.expose())) {
        let share = Locked::new(Secret::new(Vec::from(&share)));
        memory_locked &= share.is_locked();
        sealed.push(SealedShare::seal(custodian, &share, threshold, rot_fingerprint)?);
    }
    Ok((sealed, memory_locked))
}

/// Joins opened shares to the escrow key.
pub(super) fn join(blob: &EscrowBlob, shares: &[(SealedShare, Secret)]) -> Result<Locked, CeremonyError> {
    let fault = |text: String| CeremonyError::Escrow(text);
    if shares.len() > MAX_CUSTODIANS {
        return Err(fault(format!("{} shares; {MAX_CUSTODIANS} are allowed", shares.len())));
    }
    let mut opened: Vec<Share> = Vec::with_capacity(shares.len());
    for (sealed, passphrase) in shares {
        if sealed.rot_fingerprint != blob.rot_fingerprint || sealed.threshold != blob.threshold {
            return Err(fault(format!("the share of {} belongs to another ceremony", sealed.custodian)));
        }
        let bytes = sealed.open(passphrase)?;
        let share = Share::try_from(bytes.expose())
            .map_err(|_| fault(format!("the share of {} is damaged", sealed.custodian)))?;
        if opened.iter().any(|earlier| earlier.x == share.x) {
            return Err(fault(format!("the share of {} is there twice", sealed.custodian)));
        }
        opened.push(share);
    }
    if opened.len() < usize::from(blob.threshold) {
        return Err(fault(format!("{} shares; {} are needed", opened.len(), blob.threshold)));
    }
    let key = Sharks(blob.threshold).recover(&opened).map_err(|cause| fault(cause.to_string()))?;
    Ok(Locked::new(Secret::new(key)))
}

impl SealedShare {
    fn seal(
        custodian: &Custodian,
        share: &Locked,
        threshold: u8,
        rot_fingerprint: &[u8; 32],
    ) -> Result<Self, CeremonyError> {
        let fault = |text: &str| CeremonyError::Escrow(format!("the share of {}: {text}", custodian.name));
        let mut sealed = Self {
            custodian: custodian.name.clone(),
            rot_fingerprint: *rot_fingerprint,
            threshold,
            argon2_memory_kib: ARGON2_MEMORY_KIB,
            argon2_passes: ARGON2_PASSES,
            argon2_lanes: ARGON2_LANES,
            salt: [0; 16],
            iv: [0; 12],
            ciphertext: Vec::new(),
        };
        let random = SystemRandom::new();
        random.fill(&mut sealed.salt).map_err(|_| fault("no randomness"))?;
        random.fill(&mut sealed.iv).map_err(|_| fault("no randomness"))?;
        let cipher = sealed.cipher(&custodian.passphrase)?;
        let aad = sealed.additional_data();
        sealed.ciphertext = cipher
            .encrypt(&Nonce::from(sealed.iv), Payload { msg: share.expose(), aad: &aad })
            .map_err(|_| fault("it could not be sealed"))?;
        Ok(sealed)
    }

    /// The share in clear.
    fn open(&self, passphrase: &Secret) -> Result<Locked, CeremonyError> {
        let fault = |text: &str| CeremonyError::Escrow(format!("the share of {}: {text}", self.custodian));
        let aad = self.additional_data();
        let mut opened = self
            .cipher(passphrase)?
            .decrypt(&Nonce::from(self.iv), Payload { msg: &self.ciphertext, aad: &aad })
            .map_err(|_| fault("the passphrase is wrong, or the share was altered"))?;
        if opened.len() != SHARE_LEN {
            opened.zeroize();
            return Err(fault("it has the wrong length"));
        }
        Ok(Locked::new(Secret::new(opened)))
    }

    fn cipher(&self, passphrase: &Secret) -> Result<Aes256Gcm, CeremonyError> {
        let fault = |text: &str| CeremonyError::Escrow(format!("the share of {}: {text}", self.custodian));
        if self.argon2_memory_kib > MAX_ARGON2_MEMORY_KIB
            || self.argon2_passes > MAX_ARGON2_PASSES
            || self.argon2_lanes > MAX_ARGON2_LANES
        {
            return Err(fault("it asks for more memory or time than a share of ours"));
        }
        let params =
            argon2::Params::new(self.argon2_memory_kib, self.argon2_passes, self.argon2_lanes, Some(ESCROW_KEY_LEN))
                .map_err(|_| fault("its Argon2 parameters cannot be"))?;
        let mut key = Zeroizing::new([0; ESCROW_KEY_LEN]);
        Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
            .hash_password_into(passphrase.expose(), &self.salt, &mut key[..])
            .map_err(|_| fault("Argon2 failed"))?;
        Aes256Gcm::new_from_slice(&key[..]).map_err(|_| fault("the key has the wrong length"))
    }

    fn additional_data(&self) -> Vec<u8> {
        let mut aad = b"clavis escrow share 1\0".to_vec();
        aad.extend_from_slice(&self.rot_fingerprint);
        aad.push(self.threshold);
        aad.extend_from_slice(self.custodian.as_bytes());
        aad
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINGERPRINT: [u8; 32] = [6; 32];

    fn custodians(count: usize) -> Vec<Custodian> {
        (0..count)
            .map(|number| Custodian {
                name: format!("custodian-{number}"),
                passphrase: Secret::new(format!("a long passphrase {number}").into_bytes()),
            })
            .collect()
    }

    fn blob(threshold: u8) -> EscrowBlob {
        EscrowBlob { rot_fingerprint: FINGERPRINT, wrapped: [1; WRAPPED_KEY_LEN], threshold }
    }

    fn shares() -> Vec<SealedShare> {
        let key = Locked::new(Secret::copy_from(&[0x5a; ESCROW_KEY_LEN]));
        split(&key, &custodians(3), 2, &FINGERPRINT).unwrap().0
    }

    fn opened(all: &[SealedShare], which: &[usize]) -> Result<Locked, CeremonyError> {
        let board = custodians(3);
        let chosen: Vec<_> =
            which.iter().map(|at| (all[*at].clone(), Secret::copy_from(board[*at].passphrase.expose()))).collect();
        join(&blob(2), &chosen)
    }

    #[test]
    fn any_two_of_three_shares_make_the_key_and_one_does_not() {
        let all = shares();
        for pair in [[0, 1], [0, 2], [1, 2], [2, 0]] {
            assert_eq!(opened(&all, &pair).unwrap().expose(), [0x5a; ESCROW_KEY_LEN]);
        }
        assert!(opened(&all, &[1]).is_err());
        assert!(opened(&all, &[1, 1]).is_err());
    }

    #[test]
    fn a_share_opens_for_its_custodian_only() {
        let all = shares();
        let wrong = vec![
            (all[0].clone(), Secret::copy_from(b"a long passphrase 1")),
            (all[1].clone(), Secret::copy_from(b"a long passphrase 1")),
        ];
        assert!(join(&blob(2), &wrong).is_err());
    }

    #[test]
    fn an_altered_share_does_not_open() {
        let genuine = shares();
        for alter in [
            |share: &mut SealedShare| share.ciphertext[3] ^= 1,
            |share: &mut SealedShare| share.salt[0] ^= 1,
            |share: &mut SealedShare| share.iv[0] ^= 1,
            |share: &mut SealedShare| share.custodian.push('x'),
            |share: &mut SealedShare| share.rot_fingerprint[0] ^= 1,
            |share: &mut SealedShare| share.threshold = 3,
            |share: &mut SealedShare| share.argon2_memory_kib = u32::MAX,
            |share: &mut SealedShare| share.argon2_lanes = 0,
        ] {
            let mut all = genuine.clone();
            alter(&mut all[0]);
            assert!(opened(&all, &[0, 1]).is_err());
        }
    }

    #[test]
    fn a_share_survives_its_file() {
        let all = shares();
        let text = serde_json::to_string(&all[2]).unwrap();
        assert_eq!(serde_json::from_str::<SealedShare>(&text).unwrap(), all[2]);
        let text = serde_json::to_string(&blob(2)).unwrap();
        assert_eq!(serde_json::from_str::<EscrowBlob>(&text).unwrap(), blob(2));
    }

    #[test]
    fn boards_that_cannot_be_are_refused() {
        check_custodians(&custodians(3), 2).unwrap();
        assert!(check_custodians(&custodians(3), 1).is_err());
        assert!(check_custodians(&custodians(3), 4).is_err());
        assert!(check_custodians(&custodians(17), 2).is_err());
        for (name, passphrase) in [("../x", "long enough passphrase"), ("", "long enough passphrase"), ("x", "short")] {
            let mut board = custodians(3);
            board[1].name = name.into();
            board[1].passphrase = Secret::copy_from(passphrase.as_bytes());
            assert!(check_custodians(&board, 2).is_err(), "{name}");
        }
        let mut board = custodians(3);
        board[1].name = "custodian-0".into();
        assert!(check_custodians(&board, 2).is_err());
    }
}
