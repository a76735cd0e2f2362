//! R69: encrypted VMs and Global Mirror exclude each other, before the encryption and ever after; VM replication too.

use crate::ids::{DatastoreId, DiskId, VmId};
use crate::inventory::{Inventory, Vm};
use crate::plan::Change;
use crate::rule::{Case, Evidence, Kind, Number, Rule};

/// See the module.
pub static RULE: Rule = Rule {
    id: "encrypted-vm-not-mirrored",
    number: Number::Promise(69, None),
    kind: Kind::Reject,
    source: "Verschlüsselte virtuelle Maschinen sind nicht kompatibel mit der Global Mirror-Replikation",
    why: "Encrypted VMs are not compatible with Global Mirror or VM replication.",
    check: |case, findings| match case {
        Case::Encrypt(encryption) => {
            let disks = mirrored_disks(encryption.inventory, encryption.vm);
            if !disks.is_empty() {
                findings.push(&RULE, Evidence::OnGlobalMirror { vm: encryption.vm.id.clone(), disks });
            }
        }
        Case::Change { inventory, change } => {
            if let Some(evidence) = broken_by(inventory, change) {
                findings.push(&RULE, evidence);
            }
        }
    },
};

fn mirrored_disks(inventory: &Inventory, vm: &Vm) -> Vec<(DiskId, DatastoreId)> {
    vm.disks
        .iter()
        .filter(|disk| is_mirrored(inventory, &disk.datastore))
        .map(|disk| (disk.id.clone(), disk.datastore.clone()))
        .collect()
}

fn broken_by(inventory: &Inventory, change: &Change) -> Option<Evidence> {
    match change {
        Change::MoveDisk { vm, disk, to } => (is_encrypted(inventory, vm) && is_mirrored(inventory, to))
            .then(|| Evidence::EncryptedToGlobalMirror { vm: vm.clone(), disk: disk.clone(), datastore: to.clone() }),
        Change::StartGlobalMirror { datastore } => {
            let lies_here = |vm: &&Vm| vm.disks.iter().any(|disk| disk.datastore == *datastore);
            let encrypted = inventory.vms().filter(|vm| vm.encryption.is_some()).filter(lies_here);
            let vms: Vec<VmId> = encrypted.map(|vm| vm.id.clone()).collect();
            (!vms.is_empty()).then(|| Evidence::MirrorUnderEncrypted { datastore: datastore.clone(), vms })
        }
        Change::StartReplication { vm } => {
            is_encrypted(inventory, vm).then(|| Evidence::ReplicationOfEncrypted { vm: vm.clone() })
        }
    }
}

/// A datastore that is not in the inventory counts as mirrored: an unknown place is not a safe one.
fn is_mirrored(inventory: &Inventory, datastore: &DatastoreId) -> bool {
    inventory.datastore(datastore).is_none_or(|datastore| datastore.global_mirror)
}

fn is_encrypted(inventory: &Inventory, vm: &VmId) -> bool {
    inventory.vm(vm).is_some_and(|vm| vm.encryption.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::{self, DATASTORE, MIRRORED_DATASTORE, VM};
    use crate::inventory::VmEncryption;
    use crate::plan::check_change;
    use crate::rule::Finding;
    use crate::rules::testing::expect_only;

    #[test]
    fn a_vm_with_one_disk_on_a_mirrored_lun_is_refused() {
        let disks = vec![("disk-1".into(), MIRRORED_DATASTORE.into())];
        expect_only(&RULE, Evidence::OnGlobalMirror { vm: VM.into(), disks }, |world| {
            world.vm.disks[1].datastore = MIRRORED_DATASTORE.into();
        });
    }

    fn changes() -> [(Change, Evidence); 3] {
        let vm = || VmId::from(VM);
        [
            (
                Change::MoveDisk { vm: vm(), disk: "disk-0".into(), to: MIRRORED_DATASTORE.into() },
                Evidence::EncryptedToGlobalMirror {
                    vm: vm(),
                    disk: "disk-0".into(),
                    datastore: MIRRORED_DATASTORE.into(),
                },
            ),
            (
                Change::StartGlobalMirror { datastore: DATASTORE.into() },
                Evidence::MirrorUnderEncrypted { datastore: DATASTORE.into(), vms: vec![vm()] },
            ),
            (Change::StartReplication { vm: vm() }, Evidence::ReplicationOfEncrypted { vm: vm() }),
        ]
    }

    #[test]
    fn a_vm_in_clear_may_be_mirrored_and_replicated() {
        for (change, _) in changes() {
            assert_eq!(check_change(&example::inventory(), &change), Ok(()), "{change:?}");
        }
    }

    #[test]
    fn an_encrypted_vm_may_not_be_mirrored_or_replicated_afterwards() {
        let mut inventory = example::inventory();
        let encryption = Some(VmEncryption { provider: "clavis".into(), key: "17".into() });
        inventory.put_vm(Vm { encryption, ..example::vm() }).unwrap();
        for (change, evidence) in changes() {
            assert_eq!(check_change(&inventory, &change), Err(vec![Finding { rule: &RULE, evidence }]));
        }
    }

    #[test]
    fn an_encrypted_vm_may_move_to_a_lun_without_mirror() {
        let mut inventory = example::inventory();
        let encryption = Some(VmEncryption { provider: "clavis".into(), key: "17".into() });
        let mut vm = Vm { encryption, ..example::vm() };
        vm.disks[0].datastore = MIRRORED_DATASTORE.into();
        inventory.put_vm(vm).unwrap();
        let back = Change::MoveDisk { vm: VM.into(), disk: "disk-0".into(), to: DATASTORE.into() };
        assert_eq!(check_change(&inventory, &back), Ok(()));
    }
}
