//! What may be changed, case by case; the whole table stands in `tests/golden/attributes.txt`.

use kmip::{
    Tag,
    attribute::{Name, UsageLimits},
    registry::UsageLimitsUnit,
    ttlv::DateTime,
};
use proptest::{prelude::*, sample::select};

use super::*;

const NOW: i64 = 1_000_000;

fn subject<'a>(state: State, dates: &'a Dates) -> Subject<'a> {
    Subject {
        object_type: ObjectType::SymmetricKey,
        state,
        dates,
        usage_allocated: false,
        version: ProtocolVersion::V1_4,
        now: NOW,
    }
}

fn activation(date: i64) -> AttributeValue {
    AttributeValue::ActivationDate(DateTime(date))
}

fn deactivation(date: i64) -> AttributeValue {
    AttributeValue::DeactivationDate(DateTime(date))
}

#[test]
fn the_activation_date_of_an_active_object_is_fixed() {
    let dates = Dates { activation: Some(NOW - 10), ..Dates::default() };
    let refused = may_modify(&subject(State::Active, &dates), Some(&activation(NOW - 10)), &activation(NOW));
    let kind = AttributeKind::ActivationDate;
    assert_eq!(refused, Err(AttributeRefusal::WrongState { kind, state: State::Active }));
    assert_eq!(may_modify(&subject(State::PreActive, &dates), Some(&activation(5)), &activation(NOW)), Ok(()));
}

#[test]
fn a_date_that_is_reached_is_fixed() {
    let dates = Dates { protect_stop: Some(NOW), ..Dates::default() };
    let stop = |date| AttributeValue::ProtectStopDate(DateTime(date));
    let later = may_modify(&subject(State::Active, &dates), Some(&stop(NOW)), &stop(NOW + 10));
    assert_eq!(later, Err(AttributeRefusal::Reached(AttributeKind::ProtectStopDate)));
    let dates = Dates { protect_stop: Some(NOW + 1), ..Dates::default() };
    assert_eq!(may_modify(&subject(State::Active, &dates), Some(&stop(NOW + 1)), &stop(NOW + 10)), Ok(()));
}

#[test]
fn an_active_object_may_be_deactivated_by_a_date_in_the_past() {
    let dates = Dates { activation: Some(NOW), protect_stop: Some(NOW + 5), ..Dates::default() };
    assert_eq!(may_add(&subject(State::Active, &dates), 0, &deactivation(NOW - 100)), Ok(()));
    assert!(matches!(
        may_add(&subject(State::Active, &dates), 0, &deactivation(NOW + 3)),
        Err(AttributeRefusal::InvalidValue { kind: AttributeKind::DeactivationDate, .. })
    ));
    assert!(may_add(&subject(State::PreActive, &dates), 0, &deactivation(NOW - 100)).is_err());
}

#[test]
fn a_disorder_of_other_dates_is_not_held_against_a_new_one() {
    // An Activate moved the Activation Date behind the Process Start Date.
    let dates = Dates { activation: Some(NOW), process_start: Some(NOW - 50), ..Dates::default() };
    assert_eq!(may_add(&subject(State::Active, &dates), 0, &deactivation(NOW + 100)), Ok(()));
}

#[test]
fn sensitivity_is_a_one_way_road() {
    let dates = Dates::default();
    let object = subject(State::Active, &dates);
    let sensitive = AttributeValue::Sensitive;
    let extractable = AttributeValue::Extractable;
    assert_eq!(may_modify(&object, Some(&sensitive(false)), &sensitive(true)), Ok(()));
    let back = may_modify(&object, Some(&sensitive(true)), &sensitive(false));
    assert_eq!(back, Err(AttributeRefusal::OneWay(AttributeKind::Sensitive)));
    assert_eq!(may_modify(&object, Some(&extractable(true)), &extractable(false)), Ok(()));
    let back = may_modify(&object, Some(&extractable(false)), &extractable(true));
    assert_eq!(back, Err(AttributeRefusal::OneWay(AttributeKind::Extractable)));
}

#[test]
fn read_only_is_said_before_not_set() {
    let dates = Dates::default();
    let object = subject(State::Active, &dates);
    let length = AttributeValue::CertificateLength(123);
    assert_eq!(may_modify(&object, None, &length), Err(AttributeRefusal::ReadOnly(AttributeKind::CertificateLength)));
    let description = AttributeValue::Description("x".into());
    assert_eq!(may_modify(&object, None, &description), Err(AttributeRefusal::NotSet(AttributeKind::Description)));
}

#[test]
fn the_usage_mask_cannot_be_changed_by_clients() {
    let dates = Dates::default();
    let object = subject(State::PreActive, &dates);
    let mask = AttributeValue::CryptographicUsageMask(kmip::registry::UsageMask::SIGN);
    let refusal = AttributeRefusal::ReadOnly(AttributeKind::CryptographicUsageMask);
    assert_eq!(may_add(&object, 0, &mask), Err(refusal));
    assert_eq!(may_modify(&object, Some(&mask), &mask), Err(refusal));
    let required = AttributeRefusal::Required(AttributeKind::CryptographicUsageMask);
    assert_eq!(may_delete(&object, "Cryptographic Usage Mask"), Err(required));
}

#[test]
fn client_attributes_are_the_clients_and_server_attributes_are_not() {
    let dates = Dates::default();
    let object = subject(State::Active, &dates);
    let (ours, theirs) = (AttributeValue::custom_text("y-a", "1"), AttributeValue::custom_text("x-a", "1"));
    let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
    let refusal = Err(AttributeRefusal::ReadOnly(AttributeKind::Custom));
    assert_eq!(may_add(&object, 0, &ours), refusal);
    assert_eq!(may_modify(&object, Some(&ours), &ours), refusal);
    assert_eq!(may_delete(&object, "y-a"), refusal);
    assert_eq!(may_add(&object, 3, &theirs), Ok(()), "custom attributes may have several values");
    assert_eq!(may_delete(&object, "x-a"), Ok(()));
    assert_eq!(may_delete(&object, "No Such Thing"), Err(AttributeRefusal::Unknown));
}

#[test]
fn usage_limits_are_fixed_once_used() {
    let dates = Dates::default();
    let mut object = subject(State::Active, &dates);
    let limits = |count| {
        AttributeValue::UsageLimits(Box::new(UsageLimits { total: Some(16), count, unit: Some(UsageLimitsUnit::Byte) }))
    };
    assert_eq!(may_add(&object, 0, &limits(None)), Ok(()));
    assert!(matches!(may_add(&object, 0, &limits(Some(16))), Err(AttributeRefusal::InvalidValue { .. })));
    object.usage_allocated = true;
    assert_eq!(may_modify(&object, Some(&limits(None)), &limits(None)), Err(AttributeRefusal::UsageAllocated));
    assert_eq!(may_delete(&object, "Usage Limits"), Err(AttributeRefusal::UsageAllocated));
}

#[test]
fn a_structure_has_no_structures_in_a_custom_attribute() {
    let flat = AttributeValue::custom("x-s", |w| w.structure(Tag::ATTRIBUTE_VALUE, |w| w.integer(Tag::BATCH_COUNT, 1)));
    let deep = AttributeValue::custom("x-s", |w| {
        w.structure(Tag::ATTRIBUTE_VALUE, |w| w.structure(Tag::ATTRIBUTE, |w| w.integer(Tag::BATCH_COUNT, 1)));
    });
    assert_eq!(check_value(&flat.unwrap()), Ok(()));
    assert!(matches!(check_value(&deep.unwrap()), Err(AttributeRefusal::InvalidValue { .. })));
}

#[test]
fn texts_have_limits() {
    let name = |len: usize| check_value(&AttributeValue::Name(Name::text("n".repeat(len))));
    assert!(name(0).is_err() && name(1).is_ok() && name(1024).is_ok() && name(1025).is_err());
    let custom = |name: &str, len: usize| check_value(&AttributeValue::custom_text(name, &"v".repeat(len)).unwrap());
    assert!(custom("x-", 1).is_err() && custom("x-a", 255).is_ok() && custom("x-a", 17_000).is_err());
    assert!(custom(&format!("x-{}", "n".repeat(511)), 1).is_err());
    assert!(check_value(&AttributeValue::Description(String::new())).is_ok());
}

#[test]
fn conditions_of_the_table_have_gates() {
    // The table's words are matched by hand; a condition that is new in the table has to be decided here.
    let decided = [
        ("Activation Date", Gate::PreActive),
        ("Process Start Date", Gate::NotReached),
        ("Protect Stop Date", Gate::NotReached),
        ("Deactivation Date", Gate::Live),
        ("Usage Limits", Gate::NotAllocated),
        // Client-created ones only: decided by the name, `x-` or `y-`.
        ("Custom Attribute", Gate::Always),
    ];
    for kind in AttributeKind::ALL {
        let rules = kind.rules();
        let has_words = rules.modifiable_by_client_if.is_some() || rules.deletable_by_client_if.is_some();
        let found = decided.iter().find(|(name, _)| *name == kind.text());
        assert_eq!(has_words, found.is_some(), "{}", kind.text());
        assert_eq!(gate(*kind), found.map_or(Gate::Always, |(_, gate)| *gate), "{}", kind.text());
    }
}

proptest! {
    #[test]
    fn nothing_changes_after_destruction(
        kind in select(AttributeKind::ALL.to_vec()), state in select(vec![State::Destroyed, State::DestroyedCompromised]),
        text in "[a-z]{1,20}"
    ) {
        let dates = Dates::default();
        let object = subject(state, &dates);
        prop_assert!(may_delete(&object, kind.text()).is_err());
        let value = AttributeValue::Description(text);
        prop_assert!(may_add(&object, 0, &value).is_err());
        prop_assert!(may_modify(&object, Some(&value), &value).is_err());
    }

    #[test]
    fn whatever_dates_are_accepted_while_pre_active_stay_in_order(
        changes in prop::collection::vec((0_u8..4, NOW - 50..NOW + 50), 1..20)
    ) {
        let mut dates = Dates::default();
        for (which, date) in changes {
            let value = match which {
                0 => activation(date),
                1 => AttributeValue::ProcessStartDate(DateTime(date)),
                2 => AttributeValue::ProtectStopDate(DateTime(date)),
                _ => deactivation(date),
            };
            if may_add(&subject(State::PreActive, &dates), 0, &value).is_ok() {
                let place = match which {
                    0 => &mut dates.activation,
                    1 => &mut dates.process_start,
                    2 => &mut dates.protect_stop,
                    _ => &mut dates.deactivation,
                };
                *place = Some(date);
            }
            prop_assert_eq!(check_order(&dates), Ok(()));
        }
    }
}
