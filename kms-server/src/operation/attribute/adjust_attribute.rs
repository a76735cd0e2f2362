//! Adjust Attribute: a number, a date or a Boolean changes relative to what it is. KMIP 2.1 §6.1.3, §11.1.

use kmip::Tag;
use kmip::attribute::{AttributeKind, AttributeValue};
use kmip::payload::{AdjustAttributeRequest, AdjustAttributeResponse};
use kmip::registry::AdjustmentType;
use kmip::ttlv::{DateTime, Interval, ItemType, OwnedItem};

use super::assigning;
use crate::attributes;
use crate::failure::Failure;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &AdjustAttributeRequest,
) -> Result<AdjustAttributeResponse, Failure> {
    let name = request.attribute_reference.0.as_str();
    let kind = request.attribute_reference.kind().ok_or(Failure::InvalidField("no such attribute"))?;
    let mut row = scope.object(request.unique_identifier.as_ref()).await?;
    let there = attributes::instances(&row, scope.view(), name);
    let adjust = |old: &AttributeValue| adjusted(old, request.adjustment_type, request.adjustment_value.as_ref());
    match there.as_slice() {
        [] => {
            let new = adjust(&nothing(kind).ok_or(Failure::DataType)?)?;
            assigning::add(scope, &mut row, new).await?;
        }
        [only] => {
            let new = adjust(&only.value)?;
            assigning::replace(scope, &mut row, only, new).await?;
        }
        _ => return Err(Failure::MultiValued),
    }
    Ok(AdjustAttributeResponse { unique_identifier: assigning::finish(scope, row)? })
}

/// What an attribute without a value counts as: 0, or false; a date has no such value.
fn nothing(kind: AttributeKind) -> Option<AttributeValue> {
    use AttributeValue as V;
    Some(match kind {
        AttributeKind::CryptographicLength => V::CryptographicLength(0),
        AttributeKind::CertificateLength => V::CertificateLength(0),
        AttributeKind::RotateGeneration => V::RotateGeneration(0),
        AttributeKind::LeaseTime => V::LeaseTime(Interval(0)),
        AttributeKind::ProtectionPeriod => V::ProtectionPeriod(Interval(0)),
        AttributeKind::RotateInterval => V::RotateInterval(Interval(0)),
        AttributeKind::RotateOffset => V::RotateOffset(Interval(0)),
        AttributeKind::Fresh => V::Fresh(false),
        AttributeKind::Sensitive => V::Sensitive(false),
        AttributeKind::Extractable => V::Extractable(false),
        AttributeKind::KeyValuePresent => V::KeyValuePresent(false),
        AttributeKind::QuantumSafe => V::QuantumSafe(false),
        AttributeKind::RotateAutomatic => V::RotateAutomatic(false),
        AttributeKind::RotateLatest => V::RotateLatest(false),
        // A vendor's attribute has the type of its value, and it has none.
        _ => return None,
    })
}

/// The value after the adjustment.
///
/// # Errors
/// [`Failure::DataType`] for types that the adjustment is not for, or that differ; [`Failure::NumericRange`].
fn adjusted(
    old: &AttributeValue,
    adjustment: AdjustmentType,
    by: Option<&OwnedItem>,
) -> Result<AttributeValue, Failure> {
    use AttributeValue as V;
    let integer = |old: i32| i32::try_from(moved(i64::from(old), adjustment, by, ItemType::Integer)?).map_err(range);
    let interval = |Interval(old): Interval| {
        let new = moved(i64::from(old), adjustment, by, ItemType::Interval)?;
        u32::try_from(new).map(Interval).map_err(range)
    };
    let date = |DateTime(old): DateTime| moved(old, adjustment, by, ItemType::DateTime).map(DateTime);
    let truth = |old: bool| if adjustment == AdjustmentType::Negate { Ok(!old) } else { Err(Failure::DataType) };
    Ok(match old {
        V::CryptographicLength(old) => V::CryptographicLength(integer(*old)?),
        V::CertificateLength(old) => V::CertificateLength(integer(*old)?),
        V::RotateGeneration(old) => V::RotateGeneration(integer(*old)?),
        V::LeaseTime(old) => V::LeaseTime(interval(*old)?),
        V::ProtectionPeriod(old) => V::ProtectionPeriod(interval(*old)?),
        V::RotateInterval(old) => V::RotateInterval(interval(*old)?),
        V::RotateOffset(old) => V::RotateOffset(interval(*old)?),
        V::InitialDate(old) => V::InitialDate(date(*old)?),
        V::ActivationDate(old) => V::ActivationDate(date(*old)?),
        V::ProcessStartDate(old) => V::ProcessStartDate(date(*old)?),
        V::ProtectStopDate(old) => V::ProtectStopDate(date(*old)?),
        V::DeactivationDate(old) => V::DeactivationDate(date(*old)?),
        V::DestroyDate(old) => V::DestroyDate(date(*old)?),
        V::CompromiseOccurrenceDate(old) => V::CompromiseOccurrenceDate(date(*old)?),
        V::CompromiseDate(old) => V::CompromiseDate(date(*old)?),
        V::ArchiveDate(old) => V::ArchiveDate(date(*old)?),
        V::LastChangeDate(old) => V::LastChangeDate(date(*old)?),
        V::OriginalCreationDate(old) => V::OriginalCreationDate(date(*old)?),
        V::RotateDate(old) => V::RotateDate(date(*old)?),
        V::Fresh(old) => V::Fresh(truth(*old)?),
        V::Sensitive(old) => V::Sensitive(truth(*old)?),
        V::AlwaysSensitive(old) => V::AlwaysSensitive(truth(*old)?),
        V::Extractable(old) => V::Extractable(truth(*old)?),
        V::NeverExtractable(old) => V::NeverExtractable(truth(*old)?),
        V::KeyValuePresent(old) => V::KeyValuePresent(truth(*old)?),
        V::QuantumSafe(old) => V::QuantumSafe(truth(*old)?),
        V::RotateAutomatic(old) => V::RotateAutomatic(truth(*old)?),
        V::RotateLatest(old) => V::RotateLatest(truth(*old)?),
        V::Custom { name, value } => return custom(name, value, adjustment, by),
        _ => return Err(Failure::DataType),
    })
}

/// A vendor's attribute, by the type that it has.
fn custom(
    name: &str,
    old: &OwnedItem,
    adjustment: AdjustmentType,
    by: Option<&OwnedItem>,
) -> Result<AttributeValue, Failure> {
    const TAG: Tag = Tag::ATTRIBUTE_VALUE;
    let item = old.item();
    let other_type = |_| Failure::DataType;
    let kind = old.item_type();
    let new = match kind {
        ItemType::Integer => {
            let new = moved(i64::from(item.integer().map_err(other_type)?), adjustment, by, kind)?;
            let new = i32::try_from(new).map_err(range)?;
            AttributeValue::custom(name, |w| w.integer(TAG, new))
        }
        ItemType::LongInteger => {
            let new = moved(item.long_integer().map_err(other_type)?, adjustment, by, kind)?;
            AttributeValue::custom(name, |w| w.long_integer(TAG, new))
        }
        ItemType::Interval => {
            let new = moved(i64::from(item.interval().map_err(other_type)?), adjustment, by, kind)?;
            let new = u32::try_from(new).map_err(range)?;
            AttributeValue::custom(name, |w| w.interval(TAG, new))
        }
        ItemType::DateTime => {
            let new = moved(item.date_time().map_err(other_type)?, adjustment, by, kind)?;
            AttributeValue::custom(name, |w| w.date_time(TAG, new))
        }
        ItemType::DateTimeExtended => {
            let new = moved(item.date_time_extended().map_err(other_type)?, adjustment, by, kind)?;
            AttributeValue::custom(name, |w| w.date_time_extended(TAG, new))
        }
        ItemType::Boolean if adjustment == AdjustmentType::Negate => {
            let new = !item.boolean().map_err(other_type)?;
            AttributeValue::custom(name, |w| w.boolean(TAG, new))
        }
        _ => return Err(Failure::DataType),
    };
    new.ok_or(Failure::DataType)
}

/// `old` up or down by the adjustment value, 1 where there is none; or with its sign changed.
fn moved(old: i64, adjustment: AdjustmentType, by: Option<&OwnedItem>, kind: ItemType) -> Result<i64, Failure> {
    let by = match by {
        None => 1,
        Some(item) => number(item, kind)?,
    };
    match adjustment {
        AdjustmentType::Increment => old.checked_add(by),
        AdjustmentType::Decrement => old.checked_sub(by),
        // Intervals and dates have no sign.
        AdjustmentType::Negate if matches!(kind, ItemType::Integer | ItemType::LongInteger) => old.checked_neg(),
        AdjustmentType::Negate => return Err(Failure::DataType),
    }
    .ok_or(Failure::NumericRange)
}

/// The adjustment value: of the attribute's own type, or for a date an interval or a number of seconds.
fn number(by: &OwnedItem, kind: ItemType) -> Result<i64, Failure> {
    let item = by.item();
    let is_date = matches!(kind, ItemType::DateTime | ItemType::DateTimeExtended);
    match by.item_type() {
        ItemType::Integer => item.integer().map(i64::from),
        ItemType::LongInteger if kind != ItemType::Integer => item.long_integer(),
        ItemType::Interval if is_date || kind == ItemType::Interval => item.interval().map(i64::from),
        ItemType::DateTime if kind == ItemType::DateTime => item.date_time(),
        ItemType::DateTimeExtended if kind == ItemType::DateTimeExtended => item.date_time_extended(),
        _ => return Err(Failure::DataType),
    }
    .map_err(|_| Failure::DataType)
}

/// For `map_err` of a conversion into a narrower number.
fn range(_: std::num::TryFromIntError) -> Failure {
    Failure::NumericRange
}

#[cfg(test)]
mod tests {
    use AdjustmentType::{Decrement, Increment, Negate};

    use super::*;

    fn item(value: &impl kmip::ttlv::Wire) -> OwnedItem {
        OwnedItem::of(Tag::ADJUSTMENT_VALUE, value).unwrap()
    }

    #[test]
    fn numbers_move_by_one_or_by_what_is_said() {
        let period = |seconds| AttributeValue::ProtectionPeriod(Interval(seconds));
        assert_eq!(adjusted(&period(5), Increment, None).unwrap(), period(6));
        assert_eq!(adjusted(&period(5), Decrement, Some(&item(&Interval(5)))).unwrap(), period(0));
        assert!(matches!(adjusted(&period(0), Decrement, None), Err(Failure::NumericRange)));
        assert!(matches!(adjusted(&period(u32::MAX), Increment, None), Err(Failure::NumericRange)));
        assert!(matches!(adjusted(&period(5), Negate, None), Err(Failure::DataType)));
        assert!(matches!(adjusted(&period(5), Increment, Some(&item(&true))), Err(Failure::DataType)));
    }

    #[test]
    fn dates_move_by_seconds() {
        let stop = |at| AttributeValue::ProtectStopDate(DateTime(at));
        assert_eq!(adjusted(&stop(100), Increment, None).unwrap(), stop(101));
        assert_eq!(adjusted(&stop(100), Decrement, Some(&item(&Interval(30)))).unwrap(), stop(70));
        assert!(matches!(adjusted(&stop(i64::MAX), Increment, None), Err(Failure::NumericRange)));
    }

    #[test]
    fn truths_are_only_negated() {
        let sensitive = AttributeValue::Sensitive;
        assert_eq!(adjusted(&sensitive(false), Negate, None).unwrap(), sensitive(true));
        assert!(matches!(adjusted(&sensitive(false), Increment, None), Err(Failure::DataType)));
        let text = AttributeValue::Description("words".to_owned());
        assert!(matches!(adjusted(&text, Increment, None), Err(Failure::DataType)));
    }

    #[test]
    fn a_vendors_attribute_keeps_its_type() {
        let long = |value| AttributeValue::custom("x-count", |w| w.long_integer(Tag::ATTRIBUTE_VALUE, value)).unwrap();
        assert_eq!(adjusted(&long(7), Increment, Some(&item(&3_i64))).unwrap(), long(10));
        assert_eq!(adjusted(&long(7), Negate, None).unwrap(), long(-7));
        assert!(matches!(adjusted(&long(i64::MIN), Negate, None), Err(Failure::NumericRange)));
        let text = AttributeValue::custom_text("x-tag", "a").unwrap();
        assert!(matches!(adjusted(&text, Negate, None), Err(Failure::DataType)));
    }
}
