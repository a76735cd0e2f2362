//! Which keys wrap and unwrap other keys, and how. KMIP 1.4 §2.1.5, §2.1.6, §3.19.
//!
//! A key that wraps and also decrypts data hands out in clear what it wrapped, to whoever may ask for a Decrypt. Under
//! `anssi` no such key is made; under `legacy` it is made, because old clients ask for it, and wraps nothing.

use kmip::registry::{BlockCipherMode, UsageMask};
use thiserror::Error;

use crate::algorithm::AlgorithmPolicy;
use crate::usage::{Usable, UsageRefusal, may_process, may_protect};

/// Why a key may not wrap or unwrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WrappingRefusal {
    /// State, dates or mask.
    #[error(transparent)]
    Use(#[from] UsageRefusal),
    /// It could open what it wrapped.
    #[error("a key that decrypts data wraps no keys")]
    AlsoDecrypts,
    /// The mode does not protect a key against being changed.
    #[error("the mode is not for keys")]
    Mode,
    /// The same, where only the domain's policy minds it.
    #[error("the domain's policy wraps keys in modes that notice a change only")]
    WeakMode,
}

/// May the key encrypt another one that leaves the server?
///
/// # Errors
/// [`WrappingRefusal`].
pub fn may_wrap(key: &Usable<'_>, now: i64) -> Result<(), WrappingRefusal> {
    may_protect(key, UsageMask::WRAP_KEY, now)?;
    if key.mask.contains(UsageMask::DECRYPT) {
        return Err(WrappingRefusal::AlsoDecrypts);
    }
    Ok(())
}

/// May the key open another one that it has wrapped? Under `legacy` one that may only wrap is taken too: the cases of
/// KMIP 1.4 register such keys and expect them to unwrap.
///
/// # Errors
/// [`WrappingRefusal`].
pub fn may_unwrap(policy: AlgorithmPolicy, key: &Usable<'_>, now: i64) -> Result<(), WrappingRefusal> {
    let as_usual = may_process(key, UsageMask::UNWRAP_KEY, now);
    match (policy, as_usual) {
        (AlgorithmPolicy::Legacy, Err(UsageRefusal::Mask(_))) => Ok(may_process(key, UsageMask::WRAP_KEY, now)?),
        (_, decided) => Ok(decided?),
    }
}

/// May a symmetric key wrap in this mode? `anssi` takes only modes that notice a changed key; `legacy` the others too,
/// but for ECB, which shows equal blocks. No mode is that of a stream cipher.
///
/// # Errors
/// [`WrappingRefusal::Mode`], [`WrappingRefusal::WeakMode`].
pub const fn may_wrap_in(policy: AlgorithmPolicy, mode: Option<BlockCipherMode>) -> Result<(), WrappingRefusal> {
    use BlockCipherMode as M;
    match (mode, policy) {
        (Some(M::NistKeyWrap | M::AesKeyWrapPadding | M::Gcm | M::Ccm | M::Aead), _) => Ok(()),
        (Some(M::Ecb), _) => Err(WrappingRefusal::Mode),
        (Some(_) | None, AlgorithmPolicy::Legacy) => Ok(()),
        (Some(_) | None, AlgorithmPolicy::Anssi) => Err(WrappingRefusal::WeakMode),
    }
}

#[cfg(test)]
mod tests {
    use kmip::registry::State;

    use super::*;
    use crate::lifecycle::Dates;

    const NEVER: Dates = Dates { activation: None, process_start: None, protect_stop: None, deactivation: None };

    fn key(state: State, mask: UsageMask) -> Usable<'static> {
        Usable { state, dates: &NEVER, mask }
    }

    #[test]
    fn a_key_that_decrypts_wraps_nothing_whatever_the_policy() {
        let mixed = UsageMask::WRAP_KEY.union(UsageMask::DECRYPT);
        assert_eq!(may_wrap(&key(State::Active, mixed), 0), Err(WrappingRefusal::AlsoDecrypts));
        assert_eq!(may_wrap(&key(State::Active, UsageMask::WRAP_KEY), 0), Ok(()));
        let encrypts = UsageMask::WRAP_KEY.union(UsageMask::ENCRYPT);
        assert_eq!(may_wrap(&key(State::Active, encrypts), 0), Ok(()));
    }

    #[test]
    fn only_active_keys_wrap_and_revoked_ones_still_unwrap() {
        for state in State::ALL {
            let active = *state == State::Active;
            assert_eq!(may_wrap(&key(*state, UsageMask::WRAP_KEY), 0).is_ok(), active, "{state:?}");
            let opens = matches!(state, State::Active | State::Deactivated | State::Compromised);
            for policy in AlgorithmPolicy::ALL {
                assert_eq!(may_unwrap(policy, &key(*state, UsageMask::UNWRAP_KEY), 0).is_ok(), opens, "{state:?}");
            }
        }
    }

    #[test]
    fn a_key_that_only_wraps_unwraps_under_legacy_alone() {
        let wraps = key(State::Active, UsageMask::WRAP_KEY);
        assert_eq!(may_unwrap(AlgorithmPolicy::Legacy, &wraps, 0), Ok(()));
        assert!(may_unwrap(AlgorithmPolicy::Anssi, &wraps, 0).is_err());
        let encrypts = key(State::Active, UsageMask::ENCRYPT);
        assert!(may_unwrap(AlgorithmPolicy::Legacy, &encrypts, 0).is_err());
    }

    #[test]
    fn anssi_wraps_in_modes_that_notice_changes() {
        use BlockCipherMode as M;
        for mode in M::ALL {
            let strict = may_wrap_in(AlgorithmPolicy::Anssi, Some(*mode));
            let notices = matches!(mode, M::NistKeyWrap | M::AesKeyWrapPadding | M::Gcm | M::Ccm | M::Aead);
            assert_eq!(strict.is_ok(), notices, "{mode:?}");
            assert_eq!(may_wrap_in(AlgorithmPolicy::Legacy, Some(*mode)).is_ok(), *mode != M::Ecb, "{mode:?}");
        }
    }
}
