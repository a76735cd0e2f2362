//! The escrow: the Root of Trust under a key that exists only in shares, each sealed to one custodian.
//!
//! The escrow key itself is in clear only in the ceremony process, in locked memory, between the draw or the joining
//! and its import. How a share is sealed is told in `share`.

use blahaj::{Share, Sharks};
use secret::Secret;
use serde::{Deserialize, Serialize};

use super::error::CeremonyError;
use super::share::{Custodian, Lock, Opener, SealedShare};
use crate::limits::{MAX_CUSTODIANS, MIN_PASSPHRASE_LEN, WRAPPED_KEY_LEN};
use crate::raw::Locked;

/// Bytes of the escrow key: AES-256.
pub(super) const ESCROW_KEY_LEN: usize = 32;
/// The point (1) and one value for each byte of the key.
pub(super) const SHARE_LEN: usize = 1 + ESCROW_KEY_LEN;
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
        match &custodian.lock {
            Lock::Passphrase(passphrase) if passphrase.len() < MIN_PASSPHRASE_LEN => {
                return fault(format!("the passphrase of {name} is shorter than {MIN_PASSPHRASE_LEN} bytes"));
            }
            Lock::PublicKey(key) if holders_of(key, custodians) > 1 => {
                return fault(format!("{name} and another custodian have one key"));
            }
            Lock::Passphrase(_) | Lock::PublicKey(_) => {}
        }
    }
    u8::try_from(threshold).map_err(|_| CeremonyError::Escrow("the threshold is too large".into()))
}

fn holders_of(key: &[u8], custodians: &[Custodian]) -> usize {
    custodians.iter().filter(|one| matches!(&one.lock, Lock::PublicKey(theirs) if theirs == key)).count()
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
pub(super) fn join(blob: &EscrowBlob, shares: &[(SealedShare, Opener)]) -> Result<Locked, CeremonyError> {
    let fault = |text: String| CeremonyError::Escrow(text);
    if shares.len() > MAX_CUSTODIANS {
        return Err(fault(format!("{} shares; {MAX_CUSTODIANS} are allowed", shares.len())));
    }
    let mut opened: Vec<Share> = Vec::with_capacity(shares.len());
    for (sealed, opener) in shares {
        if sealed.rot_fingerprint != blob.rot_fingerprint || sealed.threshold != blob.threshold {
            return Err(fault(format!("the share of {} belongs to another ceremony", sealed.custodian)));
        }
        let bytes = sealed.open(opener)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    const FINGERPRINT: [u8; 32] = [6; 32];

    fn custodians(count: usize) -> Vec<Custodian> {
        (0..count)
            .map(|number| Custodian {
                name: format!("custodian-{number}"),
                lock: Lock::Passphrase(Secret::new(format!("a long passphrase {number}").into_bytes())),
            })
            .collect()
    }

    fn opener(custodian: &Custodian) -> Opener {
        let Lock::Passphrase(passphrase) = &custodian.lock else { panic!("it has a passphrase") };
        Opener::Passphrase(Secret::copy_from(passphrase.expose()))
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
        let chosen: Vec<_> = which.iter().map(|at| (all[*at].clone(), opener(&board[*at]))).collect();
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
    fn a_share_or_blob_of_another_ceremony_is_refused() {
        let board = custodians(3);
        let open = |share: &SealedShare, at: usize| (share.clone(), opener(&board[at]));
        let (all, other) = (shares(), shares());
        let mixed = [open(&all[0], 0), open(&other[1], 1)];
        // Both ceremonies claim the same Root of Trust, so only the key that comes out is another.
        assert_ne!(join(&blob(2), &mixed).unwrap().expose(), [0x5a; ESCROW_KEY_LEN]);
        let pair = [open(&all[0], 0), open(&all[1], 1)];
        assert!(join(&blob(3), &pair).is_err());
        assert!(join(&EscrowBlob { rot_fingerprint: [7; 32], ..blob(2) }, &pair).is_err());
    }

    #[test]
    fn a_blob_survives_its_file() {
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
            board[1].lock = Lock::Passphrase(Secret::copy_from(passphrase.as_bytes()));
            assert!(check_custodians(&board, 2).is_err(), "{name}");
        }
        let mut board = custodians(3);
        board[1].name = "custodian-0".into();
        assert!(check_custodians(&board, 2).is_err());
        let mut board = custodians(3);
        board[0].lock = Lock::PublicKey(vec![1]);
        board[1].lock = Lock::PublicKey(vec![2]);
        check_custodians(&board, 2).unwrap();
        board[1].lock = Lock::PublicKey(vec![1]);
        assert!(check_custodians(&board, 2).is_err());
    }
}
