//! Which values attributes take, by themselves and beside the object's dates.

use kmip::{
    ProtocolVersion,
    attribute::{AttributeKind, AttributeValue},
    registry::{State, UsageMask},
    ttlv::{DateTime, ItemType, Reader},
};

use super::{AttributeRefusal, Subject};
use crate::{
    lifecycle::Dates,
    limits::{MAX_CUSTOM_NAME_LEN, MAX_CUSTOM_VALUE_LEN, MAX_DATE, MAX_NAME_LEN, MAX_TEXT_LEN, MIN_DATE},
};

/// Can the attribute have this value at all?
///
/// # Errors
/// [`AttributeRefusal::InvalidValue`].
pub fn check_value(value: &AttributeValue) -> Result<(), AttributeRefusal> {
    use AttributeValue as V;
    let kind = value.kind();
    let refuse = |why| Err(AttributeRefusal::InvalidValue { kind, why });
    match value {
        V::Name(name) => check_text(kind, &name.value, MAX_NAME_LEN),
        V::AlternativeName(name) => check_text(kind, &name.value, MAX_NAME_LEN),
        V::ObjectGroup(text) => check_text(kind, text, MAX_NAME_LEN),
        V::OperationPolicyName(text) | V::Pkcs12FriendlyName(text) => check_text(kind, text, MAX_NAME_LEN),
        V::ContactInformation(text) | V::Description(text) | V::Comment(text) if text.len() > MAX_TEXT_LEN => {
            refuse("too long")
        }
        V::ApplicationSpecificInformation(information) => {
            check_text(kind, &information.application_namespace, MAX_NAME_LEN)?;
            match &information.application_data {
                Some(data) if data.len() > MAX_TEXT_LEN => refuse("too long"),
                _ => Ok(()),
            }
        }
        V::Link(link) => match link.linked_object_identifier.as_text() {
            Some(text) => check_text(kind, text, MAX_NAME_LEN),
            // Stands for an object of the same batch, which the server puts in its place.
            None => Ok(()),
        },
        V::CryptographicLength(length) | V::CertificateLength(length) if *length <= 0 => refuse("not a length"),
        V::CryptographicUsageMask(mask) => check_mask(*mask),
        V::UsageLimits(limits) => {
            if limits.count.is_some() {
                refuse("the count is the server's to keep")
            } else if limits.total.is_none_or(|total| total < 0) {
                refuse("no total")
            } else {
                Ok(())
            }
        }
        V::ActivationDate(DateTime(date))
        | V::ProcessStartDate(DateTime(date))
        | V::ProtectStopDate(DateTime(date))
        | V::DeactivationDate(DateTime(date))
        | V::OriginalCreationDate(DateTime(date)) => {
            if (MIN_DATE..=MAX_DATE).contains(date) {
                Ok(())
            } else {
                refuse("before the year 1 or after 9999")
            }
        }
        V::Custom { name, .. } => {
            if name.len() <= "x-".len() || name.len() > MAX_CUSTOM_NAME_LEN {
                return refuse("name is empty or too long");
            }
            check_custom(kind, &value.canonical_bytes())
        }
        V::Partial { .. } => refuse("a field is missing"),
        _ => Ok(()),
    }
}

/// A text by which something is found or addressed: not empty.
fn check_text(kind: AttributeKind, text: &str, limit: usize) -> Result<(), AttributeRefusal> {
    match text.len() {
        0 => Err(AttributeRefusal::InvalidValue { kind, why: "empty" }),
        len if len > limit => Err(AttributeRefusal::InvalidValue { kind, why: "too long" }),
        _ => Ok(()),
    }
}

fn check_mask(mask: UsageMask) -> Result<(), AttributeRefusal> {
    let known = UsageMask::ALL.iter().fold(UsageMask(0), |known, bit| known.union(*bit));
    if known.contains(mask) {
        return Ok(());
    }
    Err(AttributeRefusal::InvalidValue { kind: AttributeKind::CryptographicUsageMask, why: "unknown bits" })
}

/// A custom attribute has any type; a structure has no structures in it. KMIP 1.4 §3.39.
fn check_custom(kind: AttributeKind, ttlv: &[u8]) -> Result<(), AttributeRefusal> {
    let refuse = |why| AttributeRefusal::InvalidValue { kind, why };
    if ttlv.len() > MAX_CUSTOM_VALUE_LEN {
        return Err(refuse("too long"));
    }
    let malformed = || refuse("not a value");
    let item = Reader::new(ttlv, ProtocolVersion::V2_1).next_item().ok().flatten().ok_or_else(malformed)?;
    if item.item_type != ItemType::Structure {
        return Ok(());
    }
    let mut fields = item.structure().map_err(|_| malformed())?;
    while let Some(field) = fields.next_item().map_err(|_| malformed())? {
        if field.item_type == ItemType::Structure {
            return Err(refuse("a structure within a structure"));
        }
    }
    Ok(())
}

/// Does the new date stand in the right order with the object's other dates? What has begun is not judged again: an
/// Active object may be deactivated by a date in the past (KMIP 1.4 §3.22, transition 6).
pub(super) fn check_against_dates(subject: &Subject<'_>, value: &AttributeValue) -> Result<(), AttributeRefusal> {
    use AttributeValue as V;
    let mut dates = *subject.dates;
    match value {
        V::ActivationDate(DateTime(date)) => dates.activation = Some(*date),
        V::ProcessStartDate(DateTime(date)) => dates.process_start = Some(*date),
        V::ProtectStopDate(DateTime(date)) => dates.protect_stop = Some(*date),
        V::DeactivationDate(DateTime(date)) if subject.state != State::PreActive && *date <= subject.now => {
            return Ok(());
        }
        V::DeactivationDate(DateTime(date)) => dates.deactivation = Some(*date),
        _ => return Ok(()),
    }
    match check_order(&dates) {
        // Only a fault that the new date has a part in is the client's.
        Err((_, parts)) if !parts.contains(&value.kind()) => Ok(()),
        Err((why, _)) => Err(AttributeRefusal::InvalidValue { kind: value.kind(), why }),
        Ok(()) => Ok(()),
    }
}

/// A rule about two dates that is broken, and the two dates.
pub(crate) type Disorder = (&'static str, [AttributeKind; 2]);

/// Processing does not start before activation, protection does not stop after deactivation, and an object is not
/// deactivated before it is activated. KMIP 1.4 §3.24 to §3.27.
pub(crate) fn check_order(dates: &Dates) -> Result<(), Disorder> {
    use AttributeKind as K;
    let rules = [
        (
            (dates.activation, dates.process_start),
            ("the Process Start Date precedes the Activation Date", [K::ActivationDate, K::ProcessStartDate]),
        ),
        (
            (dates.protect_stop, dates.deactivation),
            ("the Protect Stop Date follows the Deactivation Date", [K::ProtectStopDate, K::DeactivationDate]),
        ),
        (
            (dates.activation, dates.deactivation),
            ("the Deactivation Date precedes the Activation Date", [K::ActivationDate, K::DeactivationDate]),
        ),
    ];
    for (pair, disorder) in rules {
        if let (Some(first), Some(second)) = pair
            && second < first
        {
            return Err(disorder);
        }
    }
    Ok(())
}
