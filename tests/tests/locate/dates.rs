//! Every date that an object may have.

use kmip::attribute::{AttributeKind, AttributeValue};
use kmip::ttlv::DateTime;

/// An attribute that is a date, and how its value is made.
pub(crate) type DateAttribute = (AttributeKind, fn(DateTime) -> AttributeValue);

/// Every date that an object may have.
pub(crate) const DATES: [DateAttribute; 12] = [
    (AttributeKind::InitialDate, AttributeValue::InitialDate),
    (AttributeKind::ActivationDate, AttributeValue::ActivationDate),
    (AttributeKind::ProcessStartDate, AttributeValue::ProcessStartDate),
    (AttributeKind::ProtectStopDate, AttributeValue::ProtectStopDate),
    (AttributeKind::DeactivationDate, AttributeValue::DeactivationDate),
    (AttributeKind::DestroyDate, AttributeValue::DestroyDate),
    (AttributeKind::CompromiseOccurrenceDate, AttributeValue::CompromiseOccurrenceDate),
    (AttributeKind::CompromiseDate, AttributeValue::CompromiseDate),
    (AttributeKind::ArchiveDate, AttributeValue::ArchiveDate),
    (AttributeKind::LastChangeDate, AttributeValue::LastChangeDate),
    (AttributeKind::OriginalCreationDate, AttributeValue::OriginalCreationDate),
    (AttributeKind::RotateDate, AttributeValue::RotateDate),
];

/// Seconds since 1970 of one of them.
pub(crate) fn at_of(value: &AttributeValue) -> i64 {
    use AttributeValue as V;
    match value {
        V::InitialDate(DateTime(at))
        | V::ActivationDate(DateTime(at))
        | V::ProcessStartDate(DateTime(at))
        | V::ProtectStopDate(DateTime(at))
        | V::DeactivationDate(DateTime(at))
        | V::DestroyDate(DateTime(at))
        | V::CompromiseOccurrenceDate(DateTime(at))
        | V::CompromiseDate(DateTime(at))
        | V::ArchiveDate(DateTime(at))
        | V::LastChangeDate(DateTime(at))
        | V::OriginalCreationDate(DateTime(at))
        | V::RotateDate(DateTime(at)) => *at,
        other => panic!("{other:?} is no date"),
    }
}
