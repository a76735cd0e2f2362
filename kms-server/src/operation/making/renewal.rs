//! What a replacement takes over from the object that it replaces: the tables of Re-key, Re-key Key Pair and Re-certify.
//! KMIP 1.4 §4.4, §4.5, §4.8.

use keystore::{Dates, ObjectRow};
use kmip::attribute::{Attribute, AttributeKind, AttributeValue};
use kmip::registry::State;
use kmip::ttlv::{DateTime, Interval};
use policy::attributes::is_carried_over;

use crate::failure::Failure;

/// The row of the replacement, all but its identifier and its owner: what carries over, names included.
pub(super) fn successor(old: &ObjectRow, now_s: i64) -> ObjectRow {
    let mut row = old.clone();
    row.revision = 0;
    row.state = State::PreActive;
    row.dates = Dates {
        initial: now_s,
        activation: old.dates.activation,
        process_start: old.dates.process_start,
        protect_stop: old.dates.protect_stop,
        deactivation: old.dates.deactivation,
        last_change: now_s,
        ..Dates::default()
    };
    row.revocation = None;
    row.fresh = true;
    row.seal_number = 1;
    row.sealed = None;
    row.attributes.retain(|one| is_carried_over(one.kind()));
    for one in &mut row.attributes {
        // The allowance begins anew.
        if let AttributeValue::UsageLimits(limits) = &mut one.value {
            limits.count = limits.total;
        }
    }
    let generation = old.attributes.iter().find_map(|one| match one.value {
        AttributeValue::RotateGeneration(generation) => Some(generation),
        _ => None,
    });
    row.attributes.push(Attribute::new(AttributeValue::RotateGeneration(generation.unwrap_or(0).saturating_add(1))));
    row.attributes.push(Attribute::new(AttributeValue::RotateLatest(true)));
    row
}

/// The names go to the replacement; who rotates objects by them finds the new one. So does automatic rotation.
pub(super) fn retire(old: &mut ObjectRow, now_s: i64) {
    use AttributeKind as K;
    let was_automatic = old.attributes.iter().any(|one| one.kind() == K::RotateAutomatic);
    old.attributes.retain(|one| !matches!(one.kind(), K::Name | K::RotateDate | K::RotateLatest | K::RotateAutomatic));
    let told = [AttributeValue::RotateDate(DateTime(now_s)), AttributeValue::RotateLatest(false)];
    old.attributes.extend(told.map(Attribute::new));
    if was_automatic {
        old.attributes.push(Attribute::new(AttributeValue::RotateAutomatic(false)));
    }
}

/// New dates by the offset from now to the activation. Tables 172, 176 and 186 of KMIP 1.4.
///
/// # Errors
/// [`Failure::Contradiction`] for an offset beside dates; [`Failure::IllegalOperation`] where there is no Activation Date
/// to count the others from; [`Failure::InvalidField`] beyond the end of time.
pub(super) fn shift(row: &mut ObjectRow, offset: Option<Interval>, given: &[Attribute]) -> Result<(), Failure> {
    use AttributeKind as K;
    let Some(Interval(offset)) = offset else { return Ok(()) };
    let is_date =
        |kind| matches!(kind, K::ActivationDate | K::ProcessStartDate | K::ProtectStopDate | K::DeactivationDate);
    if given.iter().any(|one| is_date(one.kind())) {
        return Err(Failure::Contradiction("an offset beside dates"));
    }
    let beyond = || Failure::InvalidField("a date that is too late");
    let dates = &mut row.dates;
    let activation = dates.initial.checked_add(i64::from(offset)).ok_or_else(beyond)?;
    let others = [&mut dates.process_start, &mut dates.protect_stop, &mut dates.deactivation];
    match dates.activation {
        Some(before) => {
            let later = activation.checked_sub(before).ok_or_else(beyond)?;
            for date in others.into_iter().flatten() {
                *date = date.checked_add(later).ok_or_else(beyond)?;
            }
        }
        None if others.iter().any(|date| date.is_some()) => {
            return Err(Failure::IllegalOperation("an offset without an Activation Date to count from"));
        }
        None => {}
    }
    dates.activation = Some(activation);
    Ok(())
}

#[cfg(test)]
mod tests {
    use kmip::attribute::{Name, UsageLimits};
    use kmip::registry::{ObjectType, UsageLimitsUnit, UsageMask};

    use super::*;

    fn old() -> ObjectRow {
        let limits = UsageLimits { total: Some(16), count: Some(3), unit: Some(UsageLimitsUnit::Byte) };
        let attributes = vec![
            AttributeValue::Name(Name::text("key")),
            AttributeValue::UsageLimits(Box::new(limits)),
            AttributeValue::OriginalCreationDate(DateTime(1)),
            AttributeValue::RotateGeneration(4),
            AttributeValue::RotateAutomatic(true),
        ];
        ObjectRow {
            id: [1; 16],
            domain: [2; 16],
            revision: 7,
            object_type: ObjectType::SymmetricKey,
            state: State::Compromised,
            algorithm: None,
            length: None,
            usage_mask: UsageMask(3),
            dates: Dates {
                initial: 5,
                activation: Some(10),
                protect_stop: Some(50),
                deactivation: Some(100),
                compromise: Some(60),
                ..Dates::default()
            },
            revocation: None,
            owner: [0; 32],
            fresh: false,
            attributes: attributes.into_iter().map(Attribute::new).collect(),
            seal_number: 3,
            sealed: None,
        }
    }

    #[test]
    fn a_successor_takes_names_and_starts_its_life_anew() {
        let new = successor(&old(), 1000);
        assert_eq!((new.state, new.dates.initial, new.dates.compromise), (State::PreActive, 1000, None));
        assert_eq!(new.names().collect::<Vec<_>>(), ["key"]);
        let has = |value: &AttributeValue| new.attributes.iter().any(|one| one.value == *value);
        let whole = UsageLimits { total: Some(16), count: Some(16), unit: Some(UsageLimitsUnit::Byte) };
        assert!(has(&AttributeValue::UsageLimits(Box::new(whole))) && has(&AttributeValue::RotateGeneration(5)));
        assert!(!has(&AttributeValue::OriginalCreationDate(DateTime(1))));
        let mut retired = old();
        retire(&mut retired, 2000);
        assert_eq!(retired.names().count(), 0);
        let is = |row: &ObjectRow, value: AttributeValue| row.attributes.iter().any(|one| one.value == value);
        assert!(is(&new, AttributeValue::RotateLatest(true)) && is(&new, AttributeValue::RotateAutomatic(true)));
        assert!(
            is(&retired, AttributeValue::RotateLatest(false)) && is(&retired, AttributeValue::RotateAutomatic(false))
        );
        assert!(is(&retired, AttributeValue::RotateDate(DateTime(2000))));
    }

    #[test]
    fn an_offset_moves_all_dates_alike() {
        let mut new = successor(&old(), 1000);
        shift(&mut new, Some(Interval(20)), &[]).unwrap();
        let dates = new.dates;
        assert_eq!((dates.activation, dates.protect_stop, dates.deactivation), (Some(1020), Some(1060), Some(1110)));
    }

    #[test]
    fn an_offset_needs_an_activation_date_and_no_other_dates_beside_it() {
        let mut new = successor(&old(), 1000);
        let date = Attribute::new(AttributeValue::DeactivationDate(DateTime(2000)));
        assert!(matches!(shift(&mut new, Some(Interval(0)), &[date]), Err(Failure::Contradiction(_))));
        new.dates.activation = None;
        assert!(matches!(shift(&mut new, Some(Interval(0)), &[]), Err(Failure::IllegalOperation(_))));
        (new.dates.protect_stop, new.dates.deactivation) = (None, None);
        shift(&mut new, Some(Interval(5)), &[]).unwrap();
        assert_eq!(new.dates.activation, Some(1005));
    }
}
