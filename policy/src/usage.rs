//! Whether a key may be used now: by its state, its dates and its usage mask. KMIP 1.4 §3.19, §3.22 to §3.27.

use kmip::attribute::UsageLimits;
use kmip::registry::{State, UsageLimitsUnit, UsageMask};
use thiserror::Error;

use crate::lifecycle::Dates;

/// What a key is, as far as its use goes.
#[derive(Clone, Copy, Debug)]
pub struct Usable<'a> {
    /// The state that counts now, see [`crate::lifecycle::effective`].
    pub state: State,
    /// Its dates.
    pub dates: &'a Dates,
    /// What it may be used for.
    pub mask: UsageMask,
}

/// Why a key may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UsageRefusal {
    /// Not in this state.
    #[error("not in state {}", .0.text())]
    State(State),
    /// Not before the Process Start Date.
    #[error("before the Process Start Date")]
    BeforeProcessStart,
    /// Not after the Protect Stop Date.
    #[error("after the Protect Stop Date")]
    AfterProtectStop,
    /// Not for this: the usage mask lacks these bits.
    #[error("the usage mask lacks {0:?}")]
    Mask(UsageMask),
}

/// May the key apply protection (encrypt, sign, wrap, MAC, derive), for which its mask has to have `need`?
///
/// # Errors
/// [`UsageRefusal`]. State and dates are looked at before the mask.
pub fn may_protect(key: &Usable<'_>, need: UsageMask, now: i64) -> Result<(), UsageRefusal> {
    match key.state {
        State::Active => {}
        State::PreActive | State::Deactivated | State::Compromised | State::Destroyed | State::DestroyedCompromised => {
            return Err(UsageRefusal::State(key.state));
        }
    }
    if key.dates.protect_stop.is_some_and(|stop| now > stop) {
        return Err(UsageRefusal::AfterProtectStop);
    }
    mask_allows(key.mask, need)
}

/// May the key process what is protected (decrypt, verify, unwrap, verify a MAC), for which its mask has to have
/// `need`? Deactivated and compromised keys may: what they protected has to be read somehow, and the domain's clients
/// are those who are trusted to.
///
/// # Errors
/// [`UsageRefusal`]. State and dates are looked at before the mask.
pub fn may_process(key: &Usable<'_>, need: UsageMask, now: i64) -> Result<(), UsageRefusal> {
    match key.state {
        State::Active | State::Deactivated | State::Compromised => {}
        State::PreActive | State::Destroyed | State::DestroyedCompromised => {
            return Err(UsageRefusal::State(key.state));
        }
    }
    if key.dates.process_start.is_some_and(|start| now < start) {
        return Err(UsageRefusal::BeforeProcessStart);
    }
    mask_allows(key.mask, need)
}

/// May the object be handed out? In every state in which it still exists: vCenter fetches keys that are Pre-Active,
/// and hosts need those that were revoked until their disks are re-encrypted. Use is for the client to restrain; the
/// state stands beside the key.
///
/// # Errors
/// [`UsageRefusal::State`] for destroyed objects.
pub fn may_get(state: State) -> Result<(), UsageRefusal> {
    match state {
        State::PreActive | State::Active | State::Deactivated | State::Compromised => Ok(()),
        State::Destroyed | State::DestroyedCompromised => Err(UsageRefusal::State(state)),
    }
}

/// How much may still be protected: the count of the Usage Limits. KMIP 1.4 §3.21.
///
/// # Errors
/// [`LimitSpent`] where `units` is more than what is left. What is below zero was never granted.
pub fn take_units(limits: &UsageLimits, units: i64) -> Result<UsageLimits, LimitSpent> {
    let left = limits.count.or(limits.total).unwrap_or(0);
    match left.checked_sub(units) {
        Some(rest) if rest >= 0 && units >= 0 => Ok(UsageLimits { count: Some(rest), ..limits.clone() }),
        _ => Err(LimitSpent { left, asked: units }),
    }
}

/// The units that protecting `bytes` of data once takes; `first` tells the first part of an object from the others.
#[must_use]
pub fn units_of(limits: &UsageLimits, bytes: usize, first: bool) -> i64 {
    match limits.unit {
        Some(UsageLimitsUnit::Object) => i64::from(first),
        Some(UsageLimitsUnit::Byte) | None => i64::try_from(bytes).unwrap_or(i64::MAX),
    }
}

/// The Usage Limits have less left than is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{asked} units asked for, {left} left")]
pub struct LimitSpent {
    /// What is left.
    pub left: i64,
    /// What was asked for.
    pub asked: i64,
}

fn mask_allows(mask: UsageMask, need: UsageMask) -> Result<(), UsageRefusal> {
    let missing = UsageMask(need.0 & !mask.0);
    if missing.0 == 0 { Ok(()) } else { Err(UsageRefusal::Mask(missing)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: UsageMask = UsageMask(UsageMask::ENCRYPT.0 | UsageMask::DECRYPT.0);

    fn key(dates: &Dates) -> Usable<'_> {
        Usable { state: State::Active, dates, mask: BOTH }
    }

    #[test]
    fn the_protect_stop_date_is_the_last_second_of_protection() {
        let dates = Dates { protect_stop: Some(10), ..Dates::default() };
        assert_eq!(may_protect(&key(&dates), UsageMask::ENCRYPT, 10), Ok(()));
        assert_eq!(may_protect(&key(&dates), UsageMask::ENCRYPT, 11), Err(UsageRefusal::AfterProtectStop));
        assert_eq!(may_process(&key(&dates), UsageMask::DECRYPT, 11), Ok(()), "reading goes on");
    }

    #[test]
    fn the_process_start_date_is_the_first_second_of_processing() {
        let dates = Dates { process_start: Some(10), ..Dates::default() };
        assert_eq!(may_process(&key(&dates), UsageMask::DECRYPT, 9), Err(UsageRefusal::BeforeProcessStart));
        assert_eq!(may_process(&key(&dates), UsageMask::DECRYPT, 10), Ok(()));
        assert_eq!(may_protect(&key(&dates), UsageMask::ENCRYPT, 9), Ok(()), "protecting goes on");
    }

    #[test]
    fn what_the_mask_lacks_is_named() {
        let wrap_too = UsageMask(UsageMask::ENCRYPT.0 | UsageMask::WRAP_KEY.0);
        let refused = may_protect(&key(&Dates::default()), wrap_too, 0);
        assert_eq!(refused, Err(UsageRefusal::Mask(UsageMask::WRAP_KEY)));
    }

    #[test]
    fn units_are_taken_until_none_is_left() {
        let limits = UsageLimits { total: Some(32), count: Some(20), unit: Some(UsageLimitsUnit::Byte) };
        let rest = take_units(&limits, 16).unwrap();
        assert_eq!((rest.total, rest.count), (Some(32), Some(4)));
        assert_eq!(take_units(&rest, 5), Err(LimitSpent { left: 4, asked: 5 }));
        assert_eq!(take_units(&rest, 4).unwrap().count, Some(0));
        assert!(take_units(&rest, -1).is_err() && take_units(&rest, i64::MIN).is_err());
        // A total of which nothing was taken yet.
        assert_eq!(take_units(&UsageLimits { count: None, ..limits }, 32).unwrap().count, Some(0));
    }

    #[test]
    fn an_object_counts_once_however_many_parts_it_has() {
        let limits = |unit| UsageLimits { total: Some(9), count: Some(9), unit: Some(unit) };
        assert_eq!([true, false].map(|first| units_of(&limits(UsageLimitsUnit::Object), 100, first)), [1, 0]);
        assert_eq!([true, false].map(|first| units_of(&limits(UsageLimitsUnit::Byte), 100, first)), [100, 100]);
    }
}
