//! What a request names exists in the tenant that asks.

use crate::inventory::Inventory;
use crate::plan::Change;
use crate::rule::{Evidence, Kind, Number, Rule};

/// Asked before all others: without it there is nothing to ask them about. A foreign VM is answered like an absent one.
pub static RULE: Rule = Rule {
    id: "request-names-what-exists",
    number: Number::Flow,
    kind: Kind::Reject,
    source: "",
    why: "Only what exists in your tenant can be changed.",
    check: |_, _| {},
};

/// Whether everything that `change` names exists.
///
/// # Errors
/// The first thing that does not.
pub fn check_names(inventory: &Inventory, change: &Change) -> Result<(), Evidence> {
    let vm_exists = |id| inventory.vm(id).ok_or_else(|| Evidence::UnknownVm { vm: id.clone() });
    let datastore_exists =
        |id| inventory.datastore(id).ok_or_else(|| Evidence::UnknownDatastore { datastore: id.clone() });
    match change {
        Change::MoveDisk { vm: id, disk, to } => {
            let vm = vm_exists(id)?;
            if !vm.disks.iter().any(|candidate| candidate.id == *disk) {
                return Err(Evidence::UnknownDisk { vm: id.clone(), disk: disk.clone() });
            }
            let tenant = inventory.vstack(&vm.vstack).map(|vstack| &vstack.tenant);
            if tenant != Some(&datastore_exists(to)?.tenant) {
                return Err(Evidence::UnknownDatastore { datastore: to.clone() });
            }
            Ok(())
        }
        Change::StartGlobalMirror { datastore } => datastore_exists(datastore).map(drop),
        Change::StartReplication { vm } => vm_exists(vm).map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;
    use crate::plan::{check_change, plan_encryption};
    use crate::rule::Finding;

    fn alone(evidence: Evidence) -> Vec<Finding> {
        vec![Finding { rule: &RULE, evidence }]
    }

    #[test]
    fn a_foreign_vm_is_answered_like_an_absent_one() {
        let mut foreign = example::request();
        foreign.tenant = example::FOREIGN_TENANT.into();
        let expected = alone(Evidence::UnknownVm { vm: example::VM.into() });
        assert_eq!(plan_encryption(&example::inventory(), &foreign).unwrap_err(), expected);
        let mut emptied = example::inventory();
        emptied.remove_vm(&example::VM.into());
        assert_eq!(plan_encryption(&emptied, &foreign).unwrap_err(), expected);
    }

    #[test]
    fn a_change_that_names_something_unknown_is_refused() {
        let inventory = example::inventory();
        let move_to =
            |disk: &str, to: &str| Change::MoveDisk { vm: example::VM.into(), disk: disk.into(), to: to.into() };
        let cases = [
            (
                move_to("disk-9", example::DATASTORE),
                Evidence::UnknownDisk { vm: example::VM.into(), disk: "disk-9".into() },
            ),
            (move_to("disk-0", "nowhere"), Evidence::UnknownDatastore { datastore: "nowhere".into() }),
            (
                move_to("disk-0", example::FOREIGN_DATASTORE),
                Evidence::UnknownDatastore { datastore: example::FOREIGN_DATASTORE.into() },
            ),
            (Change::StartReplication { vm: "none".into() }, Evidence::UnknownVm { vm: "none".into() }),
            (
                Change::StartGlobalMirror { datastore: "none".into() },
                Evidence::UnknownDatastore { datastore: "none".into() },
            ),
        ];
        for (change, evidence) in cases {
            assert_eq!(check_change(&inventory, &change).unwrap_err(), alone(evidence));
        }
    }
}
