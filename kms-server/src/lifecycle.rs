//! The life-cycle rules of `policy`, applied to rows of the store.

use keystore::ObjectRow;
use kmip::registry::{Operation, State};
use policy::lifecycle::{self, DueTransition, Event};

use crate::attributes::is_cryptographic;
use crate::failure::Failure;

/// Carries out an event on the row's state.
///
/// # Errors
/// [`Failure::WrongState`].
pub fn apply(row: &mut ObjectRow, event: &Event) -> Result<(), Failure> {
    row.state = lifecycle::after(row.state, event).map_err(|_| Failure::WrongState)?;
    Ok(())
}

/// An object without a life-cycle is destroyed from wherever it is.
pub fn destroy_stateless(row: &mut ObjectRow) {
    row.state = State::Destroyed;
}

/// Only cryptographic objects have a life-cycle.
///
/// # Errors
/// [`Failure::IllegalOperation`].
pub fn require_life_cycle(row: &ObjectRow) -> Result<(), Failure> {
    if is_cryptographic(row.object_type) { Ok(()) } else { Err(Failure::IllegalOperation("the object has no state")) }
}

/// Whether the operation works on an archived object: what reads its attributes, and what brings it back. KMIP 1.4
/// §4.22, §4.23, §11.
#[must_use]
pub const fn may_be_archived(operation: Operation) -> bool {
    matches!(operation, Operation::GetAttributes | Operation::GetAttributeList | Operation::Recover | Operation::Locate)
}

/// Transitions of the row whose date has come, oldest first. KMIP 1.4 §3.22.
#[must_use]
pub fn due(row: &ObjectRow, now_s: i64) -> Vec<DueTransition> {
    if !is_cryptographic(row.object_type) {
        return Vec::new();
    }
    lifecycle::effective(row.state, &dates(row), now_s).due
}

/// Carries out a transition that a date brought about. What `due` lists is permitted, one after the other.
pub fn apply_due(row: &mut ObjectRow, due: &DueTransition) {
    if let Ok(state) = lifecycle::after(row.state, &due.event) {
        row.state = state;
        row.dates.last_change = row.dates.last_change.max(due.at);
    }
}

/// Puts the row in the state that its dates mean at `now_s`, without a record of it.
pub fn bring_up_to(row: &mut ObjectRow, now_s: i64) {
    for due in due(row, now_s) {
        apply_due(row, &due);
    }
}

/// The row's dates in the words of `policy`.
#[must_use]
pub fn dates(row: &ObjectRow) -> lifecycle::Dates {
    lifecycle::Dates {
        activation: row.dates.activation,
        process_start: row.dates.process_start,
        protect_stop: row.dates.protect_stop,
        deactivation: row.dates.deactivation,
    }
}
