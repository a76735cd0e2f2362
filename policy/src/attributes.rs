//! Which attributes a client may add, modify and delete, and with which values. KMIP 1.4 §3, §4.14 to §4.16.
//!
//! The yes and no of each attribute is the specification's, from the registry's table; what the table says in words
//! ("only while in Pre-Active state") is decided here. Nothing changes any more once the object is destroyed.

mod applies;
pub mod deviations;
mod values;

pub use applies::{applies, is_carried_over, is_cryptographic, sets_implicitly};
use kmip::{
    ProtocolVersion,
    attribute::{AttributeKind, AttributeValue},
    registry::{ObjectType, State},
};
use thiserror::Error;
pub(crate) use values::check_order;
pub use values::check_value;

use crate::lifecycle::{Dates, is_destroyed};

/// The object whose attributes are to be changed.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its type.
    pub object_type: ObjectType,
    /// The state that counts now, see [`crate::lifecycle::effective`]; objects without a life-cycle stay Pre-Active
    /// until they are destroyed.
    pub state: State,
    /// Its dates.
    pub dates: &'a Dates,
    /// Whether Get Usage Allocation has been performed: usage limits are fixed from then on.
    pub usage_allocated: bool,
    /// The client's version.
    pub version: ProtocolVersion,
    /// Now, in seconds since 1970.
    pub now: i64,
}

/// Why an attribute may not be set or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AttributeRefusal {
    /// The specification knows no attribute of this name.
    #[error("no such attribute")]
    Unknown,
    /// Only the server sets it, or it is set once and for all when the object is made.
    #[error("{} is read-only", .0.text())]
    ReadOnly(AttributeKind),
    /// Objects always have it, so it cannot be deleted.
    #[error("{} cannot be deleted", .0.text())]
    Required(AttributeKind),
    /// Not in this state of the object.
    #[error("{} is fixed in state {}", kind.text(), state.text())]
    WrongState {
        /// The attribute.
        kind: AttributeKind,
        /// The state that forbids it.
        state: State,
    },
    /// The date is reached, and with it it is fixed.
    #[error("{} has been reached", .0.text())]
    Reached(AttributeKind),
    /// Get Usage Allocation has been performed.
    #[error("usage has been allocated")]
    UsageAllocated,
    /// It has its one value already.
    #[error("{} has its value already", .0.text())]
    SingleValued(AttributeKind),
    /// There is no value to be modified.
    #[error("{} has no value", .0.text())]
    NotSet(AttributeKind),
    /// Objects of this type do not have it.
    #[error("{} does not apply to {}", kind.text(), object_type.text())]
    NotApplicable {
        /// The attribute.
        kind: AttributeKind,
        /// The type of the object.
        object_type: ObjectType,
    },
    /// It can be changed in the other direction only: what is sensitive stays so, what is not extractable stays so.
    #[error("{} cannot be taken back", .0.text())]
    OneWay(AttributeKind),
    /// The value is outside its range or against another one.
    #[error("{}: {why}", kind.text())]
    InvalidValue {
        /// The attribute.
        kind: AttributeKind,
        /// What is wrong, a fixed text.
        why: &'static str,
    },
    /// The server has no such feature.
    #[error("{} is not supported", .0.text())]
    Unsupported(AttributeKind),
}

/// When a client may change an attribute that he may change at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    /// Whenever the object exists.
    Always,
    /// While Pre-Active.
    PreActive,
    /// While Pre-Active or Active.
    Live,
    /// While Pre-Active or Active, and the date in question is not reached.
    NotReached,
    /// Until usage has been allocated.
    NotAllocated,
}

/// The conditions that the table has in words.
const fn gate(kind: AttributeKind) -> Gate {
    match kind {
        AttributeKind::ActivationDate => Gate::PreActive,
        AttributeKind::DeactivationDate => Gate::Live,
        AttributeKind::ProcessStartDate | AttributeKind::ProtectStopDate => Gate::NotReached,
        AttributeKind::UsageLimits => Gate::NotAllocated,
        _ => Gate::Always,
    }
}

/// Whether a client may set the attribute of an object that has been made without it: whoever may give the first value at
/// all (KMIP 1.4 §3, "Initially set by"). Three are about the making itself: what a pair was made of, what a key is for,
/// and whether anybody has had it.
fn may_set_later(kind: AttributeKind) -> bool {
    use AttributeKind as K;
    kind.rules().set_by_client
        && !matches!(kind, K::CryptographicDomainParameters | K::CryptographicUsageMask | K::Fresh)
}

/// May the client add this value? `present` is the number of instances that the object has. KMIP 1.4 §4.14.
///
/// # Errors
/// [`AttributeRefusal`].
pub fn may_add(subject: &Subject<'_>, present: usize, value: &AttributeValue) -> Result<(), AttributeRefusal> {
    let kind = value.kind();
    still_there(subject, kind)?;
    if !may_set_later(kind) || is_server_made(value.name()) {
        return Err(AttributeRefusal::ReadOnly(kind));
    }
    if !applies(kind, subject.object_type, subject.version) {
        return Err(AttributeRefusal::NotApplicable { kind, object_type: subject.object_type });
    }
    // A custom attribute may have several values by the table, as may whatever the table says so of.
    if present > 0 && !kind.rules().multiple_instances {
        return Err(AttributeRefusal::SingleValued(kind));
    }
    pass(subject, kind)?;
    check_value(value)?;
    values::check_against_dates(subject, value)
}

/// May the client give the instance `old` the value `new`? `old` is `None` where there is no such instance.
/// KMIP 1.4 §4.15.
///
/// # Errors
/// [`AttributeRefusal`]. That an attribute is read-only is said before that it has no value.
pub fn may_modify(
    subject: &Subject<'_>,
    old: Option<&AttributeValue>,
    new: &AttributeValue,
) -> Result<(), AttributeRefusal> {
    let kind = new.kind();
    still_there(subject, kind)?;
    if !kind.rules().modifiable_by_client || is_server_made(new.name()) {
        return Err(AttributeRefusal::ReadOnly(kind));
    }
    let old = old.ok_or(AttributeRefusal::NotSet(kind))?;
    pass(subject, kind)?;
    match (old, new) {
        (AttributeValue::Sensitive(true), AttributeValue::Sensitive(false))
        | (AttributeValue::Extractable(false), AttributeValue::Extractable(true)) => {
            return Err(AttributeRefusal::OneWay(kind));
        }
        _ => {}
    }
    check_value(new)?;
    values::check_against_dates(subject, new)
}

/// May the client delete an instance of the attribute called `name`? KMIP 1.4 §4.16.
///
/// # Errors
/// [`AttributeRefusal`].
pub fn may_delete(subject: &Subject<'_>, name: &str) -> Result<(), AttributeRefusal> {
    let kind = AttributeKind::from_name(name).ok_or(AttributeRefusal::Unknown)?;
    still_there(subject, kind)?;
    let rules = kind.rules();
    if !rules.deletable_by_client || is_server_made(name) {
        let refusal = if rules.always_has_value { AttributeRefusal::Required } else { AttributeRefusal::ReadOnly };
        return Err(refusal(kind));
    }
    pass(subject, kind)
}

/// Whether the name is one that only servers give. KMIP 1.4 §3.39.
pub(crate) fn is_server_made(name: &str) -> bool {
    name.starts_with("y-")
}

fn still_there(subject: &Subject<'_>, kind: AttributeKind) -> Result<(), AttributeRefusal> {
    if is_destroyed(subject.state) { Err(AttributeRefusal::WrongState { kind, state: subject.state }) } else { Ok(()) }
}

fn pass(subject: &Subject<'_>, kind: AttributeKind) -> Result<(), AttributeRefusal> {
    let wrong_state = AttributeRefusal::WrongState { kind, state: subject.state };
    let is_live = matches!(subject.state, State::PreActive | State::Active);
    match gate(kind) {
        Gate::Always => Ok(()),
        Gate::PreActive if subject.state == State::PreActive => Ok(()),
        Gate::Live if is_live => Ok(()),
        Gate::PreActive | Gate::Live => Err(wrong_state),
        Gate::NotReached if !is_live => Err(wrong_state),
        Gate::NotReached => {
            let date = match kind {
                AttributeKind::ProcessStartDate => subject.dates.process_start,
                _ => subject.dates.protect_stop,
            };
            if date.is_some_and(|date| date <= subject.now) { Err(AttributeRefusal::Reached(kind)) } else { Ok(()) }
        }
        Gate::NotAllocated if subject.usage_allocated => Err(AttributeRefusal::UsageAllocated),
        Gate::NotAllocated => Ok(()),
    }
}

#[cfg(test)]
mod tests;
