//! Changing what an object is: the decisions of `policy` on attributes, and what follows from a change.

use keystore::ObjectRow;
use kmip::ProtocolVersion;
use kmip::attribute::{AttributeKind, AttributeValue};
use kmip::registry::CryptographicAlgorithm;
use policy::algorithm::AlgorithmPolicy;
use policy::attributes::{self as rules, AttributeRefusal, Subject};
use policy::creation::{self, CreationRefusal, Origin};
use policy::lifecycle::Dates;

use crate::attributes::View;
use crate::failure::Failure;
use crate::lifecycle;

impl From<AttributeRefusal> for Failure {
    fn from(refusal: AttributeRefusal) -> Self {
        use AttributeRefusal as R;
        match refusal {
            R::Unknown => Self::InvalidField("no such attribute"),
            R::ReadOnly(_) => Self::ReadOnlyAttribute("set by the server or once and for all"),
            R::Required(_) => Self::ReadOnlyAttribute("objects always have it"),
            R::NotApplicable { .. } => Self::ReadOnlyAttribute("objects of this type do not have it"),
            R::WrongState { .. } | R::Reached(_) => Self::WrongState,
            R::UsageAllocated => Self::Denied("usage has been allocated"),
            R::OneWay(_) => Self::Denied("a protection cannot be taken back"),
            R::SingleValued(_) => Self::SingleValued,
            R::NotSet(_) => Self::AttributeNotSet,
            R::InvalidValue { why, .. } => Self::InvalidField(why),
            R::Unsupported(_) => Self::UnsupportedFeature("attribute"),
        }
    }
}

/// A refusal while an object is being made: there is no attribute to be read-only yet, only a wrong field.
fn at_birth(refusal: AttributeRefusal) -> Failure {
    match refusal {
        AttributeRefusal::Unsupported(_) => Failure::UnsupportedFeature("attribute"),
        AttributeRefusal::InvalidValue { why, .. } => Failure::InvalidField(why),
        AttributeRefusal::SingleValued(_) => Failure::InvalidField("single-valued attribute given twice"),
        AttributeRefusal::NotApplicable { .. } => Failure::InvalidField("attribute of another object type"),
        _ => Failure::InvalidField("attribute cannot be given"),
    }
}

impl From<CreationRefusal> for Failure {
    fn from(refusal: CreationRefusal) -> Self {
        match refusal {
            CreationRefusal::Attribute(refusal) => at_birth(refusal),
            CreationRefusal::Dates(why) | CreationRefusal::Uses(why) => Self::InvalidField(why),
        }
    }
}

fn subject<'a>(row: &ObjectRow, dates: &'a Dates, version: ProtocolVersion, now: i64) -> Subject<'a> {
    Subject {
        object_type: row.object_type,
        state: row.state,
        dates,
        // By Get Usage Allocation or by use: nothing else makes the count differ from the total.
        usage_allocated: row.attributes.iter().any(|one| match &one.value {
            AttributeValue::UsageLimits(limits) => limits.count.is_some_and(|count| limits.total != Some(count)),
            _ => false,
        }),
        version,
        now,
    }
}

/// May the client add this value?
///
/// # Errors
/// Why not.
pub fn may_add(row: &ObjectRow, value: &AttributeValue, version: ProtocolVersion, now: i64) -> Result<(), Failure> {
    let present = crate::attributes::instances(row, View { version, lease_s: 0 }, value.name()).len();
    Ok(rules::may_add(&subject(row, &lifecycle::dates(row), version, now), present, value)?)
}

/// May the client give the instance `old`, if there is one, the value `new`?
///
/// # Errors
/// Why not.
pub fn may_modify(
    row: &ObjectRow,
    old: Option<&AttributeValue>,
    new: &AttributeValue,
    version: ProtocolVersion,
    now: i64,
) -> Result<(), Failure> {
    Ok(rules::may_modify(&subject(row, &lifecycle::dates(row), version, now), old, new)?)
}

/// May the client delete an instance of the attribute called `name`?
///
/// # Errors
/// Why not.
pub fn may_delete(row: &ObjectRow, name: &str, version: ProtocolVersion, now: i64) -> Result<(), Failure> {
    Ok(rules::may_delete(&subject(row, &lifecycle::dates(row), version, now), name)?)
}

/// May the client give these attributes to an object that is being made?
///
/// # Errors
/// Why not, for the first that may not.
pub fn may_set_at_birth(
    origin: Origin,
    row: &ObjectRow,
    values: &[&AttributeValue],
    version: ProtocolVersion,
) -> Result<(), Failure> {
    for value in values {
        creation::may_set(origin, row.object_type, version, value).map_err(at_birth)?;
    }
    creation::check_once(values.iter().copied()).map_err(at_birth)
}

/// Whether objects made from a template get its attribute of this kind: not what tells of the template itself.
#[must_use]
pub fn is_inherited(kind: AttributeKind) -> bool {
    !matches!(kind, AttributeKind::Name | AttributeKind::AlternativeName)
        && (matches!(kind, AttributeKind::CryptographicAlgorithm | AttributeKind::CryptographicLength)
            || kind.rules().set_by_client)
}

/// The domain's algorithm policy; a word that the store should not hold is the stricter one.
pub(crate) fn policy_of(word: &str) -> AlgorithmPolicy {
    AlgorithmPolicy::of_name(word).unwrap_or(AlgorithmPolicy::Anssi)
}

/// The length in bits and in bytes of a key to be created under the domain's policy.
///
/// # Errors
/// [`Failure::Algorithm`], [`Failure::InvalidField`].
pub fn key_length(row: &ObjectRow, algorithm: CryptographicAlgorithm, policy: &str) -> Result<(i32, usize), Failure> {
    let policy = policy_of(policy);
    creation::check_uses(policy, row.usage_mask)?;
    let length = creation::may_create_symmetric(policy, algorithm, row.length)?;
    let bytes = creation::symmetric_key_bytes(algorithm, length)?;
    Ok((length, bytes))
}

/// What follows from a change: dates in order, the state they mean now, the date of the change.
///
/// # Errors
/// [`Failure::InvalidField`].
pub fn finish(row: &mut ObjectRow, now_s: i64) -> Result<(), Failure> {
    creation::check_dates(&lifecycle::dates(row))?;
    lifecycle::bring_up_to(row, now_s);
    row.dates.last_change = now_s;
    Ok(())
}
