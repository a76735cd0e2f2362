//! From a request to a plan, or to every reason against it.

use serde::Serialize;

use crate::ids::{DatastoreId, DiskId, KeyProviderId, TenantId, VStackId, VmId};
use crate::inventory::{Inventory, VirtualDisk};
use crate::permission::Permissions;
use crate::rule::{Case, Encryption, Evidence, Finding, Findings};
use crate::rules;
use crate::sku::Sku;
use crate::units::Bytes;

/// Somebody of a tenant asks that a VM be encrypted: the one click on the padlock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptRequest {
    /// The tenant of the one who asks; a VM of another tenant does not exist for them.
    pub tenant: TenantId,
    /// The VM.
    pub vm: VmId,
    /// What the one who asks may do in that tenant.
    pub permissions: Permissions,
}

/// What encrypting the VM will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The VM.
    pub vm: VmId,
    /// The vStack that does it.
    pub vstack: VStackId,
    /// The provider that gives the key.
    pub provider: KeyProviderId,
    /// The disks that are rewritten, each beside its original.
    pub disks: Vec<PlannedDisk>,
    /// What is charged from then on.
    pub sku: Sku,
}

/// A disk that is rewritten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedDisk {
    /// The disk.
    pub disk: DiskId,
    /// Where the copy is made.
    pub datastore: DatastoreId,
    /// Bytes that the copy takes.
    pub copy: Bytes,
}

/// A change whose effect on encrypted VMs the rules judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// One disk of a VM moves to another datastore of the same tenant.
    MoveDisk {
        /// The VM.
        vm: VmId,
        /// Its disk.
        disk: DiskId,
        /// Where to.
        to: DatastoreId,
    },
    /// A LUN is to be replicated to another zone by Global Mirror.
    StartGlobalMirror {
        /// The LUN.
        datastore: DatastoreId,
    },
    /// A VM is to be replicated to a standby site.
    StartReplication {
        /// The VM.
        vm: VmId,
    },
}

/// Plans the encryption of a VM.
///
/// # Errors
/// All findings at once, in the fixed order: subscription, permission, provider, already encrypted, test mode, power,
/// snapshot, replication and Global Mirror, disk space. A VM that does not exist in the asking tenant, whether foreign
/// or absent, is the one finding that stands alone.
pub fn plan_encryption(inventory: &Inventory, request: &EncryptRequest) -> Result<Plan, Vec<Finding>> {
    let Some(encryption) = look_up(inventory, request) else {
        let evidence = Evidence::UnknownVm { vm: request.vm.clone() };
        return Err(vec![Finding { rule: &rules::known::RULE, evidence }]);
    };
    let (vm, vstack, sku) = (encryption.vm, encryption.vstack, encryption.subscription.clone());
    let findings = ask(&rules::ENCRYPTION, &Case::Encrypt(encryption));
    match &vstack.key_provider {
        Some(provider) if findings.is_empty() => Ok(Plan {
            vm: vm.id.clone(),
            vstack: vstack.id.clone(),
            provider: provider.id.clone(),
            disks: vm.disks.iter().map(planned).collect(),
            sku,
        }),
        _ => Err(findings),
    }
}

/// Whether a change may be made, given that encrypted VMs and replication exclude each other for good (R69).
///
/// # Errors
/// All findings at once. A change that names something unknown has that as its only finding.
pub fn check_change(inventory: &Inventory, change: &Change) -> Result<(), Vec<Finding>> {
    if let Err(evidence) = rules::known::check_names(inventory, change) {
        return Err(vec![Finding { rule: &rules::known::RULE, evidence }]);
    }
    let findings = ask(&rules::CHANGE, &Case::Change { inventory, change });
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

fn ask(rules: &[&'static crate::rule::Rule], case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    for rule in rules {
        (rule.check)(case, &mut findings);
    }
    findings.into_vec()
}

fn look_up<'a>(inventory: &'a Inventory, request: &'a EncryptRequest) -> Option<Encryption<'a>> {
    let vm = inventory.vm(&request.vm)?;
    let vstack = inventory.vstack(&vm.vstack).filter(|vstack| vstack.tenant == request.tenant)?;
    let tenant = inventory.tenant(&vstack.tenant)?;
    let zone = inventory.zone(&vstack.zone)?;
    let subscription = Sku::vm_encryption(&zone.region);
    Some(Encryption { inventory, request, vm, vstack, tenant, subscription })
}

fn planned(disk: &VirtualDisk) -> PlannedDisk {
    PlannedDisk { disk: disk.id.clone(), datastore: disk.datastore.clone(), copy: disk.capacity }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::example;
    use crate::rule::{Kind, Number, Rule};
    use crate::rules::testing::World;
    use crate::{inventory, units::Bytes};

    #[test]
    fn the_plan_says_what_will_be_done() {
        let plan = plan_encryption(&example::inventory(), &example::request()).unwrap();
        assert_eq!((plan.vm.as_str(), plan.vstack.as_str(), plan.provider.as_str()), ("vm-web", "vc-acme", "clavis"));
        assert_eq!(plan.disks.iter().map(|disk| disk.copy.to_string()).collect::<Vec<_>>(), ["20 GiB", "10 GiB"]);
        assert_eq!(plan.sku.to_string(), "csp:fr1:iaas:vmware:encryption:hsm:v1");
    }

    /// For each rule asked before an encryption, in its order, a way to break it and no other.
    fn breakers() -> [fn(&mut World); 10] {
        [
            |world| world.tenant.subscriptions.clear(),
            |world| world.request.permissions.clear(),
            |world| world.vstack.key_provider = None,
            |world| {
                world.vm.encryption = Some(inventory::VmEncryption { provider: "clavis".into(), key: "17".into() });
            },
            |world| world.vm.spp_mode = inventory::SppMode::Test,
            |world| world.vm.power = inventory::PowerState::On,
            |world| world.vm.snapshots.push("before".into()),
            |world| world.vm.replication = Some(inventory::Replication { rpo_hours: 1, paused: false }),
            |world| world.datastore.global_mirror = true,
            |world| world.datastore.free = Bytes(0),
        ]
    }

    #[test]
    fn all_findings_come_at_once_in_the_promised_order() {
        let mut world = World::clean();
        breakers().into_iter().for_each(|spoil| spoil(&mut world));
        let findings = plan_encryption(&world.inventory(), &world.request).unwrap_err();
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let expected = [
            "R68e vm-encryption-subscribed: the tenant has not subscribed to csp:fr1:iaas:vmware:encryption:hsm:v1",
            "requester-may-manage-vms: missing permission: compute_iaas_vmware_read, compute_iaas_vmware_management",
            "R68a vstack-has-key-provider: no key provider is configured on the vStack \"vc-acme\"",
            "R68f vm-not-encrypted-yet: VM \"vm-web\" is already encrypted, with key 17 of provider \"clavis\"",
            "R68g vm-not-in-test-mode: VM \"vm-web\" is a restore test",
            "R68b vm-powered-off: VM \"vm-web\" is powered on; power it off first",
            "R68d vm-has-no-snapshot: VM \"vm-web\" has snapshots: before; delete them first",
            "R68c vm-not-replicated: the replication of VM \"vm-web\" is active; remove it first",
            "R69 encrypted-vm-not-mirrored: VM \"vm-web\" lies on a LUN replicated by Global Mirror: \
             disk-0 on lun-acme-1, disk-1 on lun-acme-1; move it first",
            "datastore-holds-encrypted-copies: not enough free space for the encrypted copies: \
             lun-acme-1 needs 30 GiB, has 0 bytes",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_finding_is_readable_by_programs() {
        let mut world = World::clean();
        world.vm.power = inventory::PowerState::Suspended;
        let findings = plan_encryption(&world.inventory(), &world.request).unwrap_err();
        let expected = serde_json::json!([{
            "rule": "vm-powered-off", "number": "R68b", "kind": "reject",
            "message": "VM \"vm-web\" is suspended; power it off first",
            "why": "The disks are rewritten into encrypted files, and nothing may write to them meanwhile.",
            "evidence": { "what": "not-powered-off", "vm": "vm-web", "power": "suspended" },
        }]);
        assert_eq!(serde_json::to_value(findings).unwrap(), expected);
    }

    #[test]
    fn every_rule_asked_here_refuses() {
        assert!(rules::ENCRYPTION.iter().all(|rule| rule.kind == Kind::Reject));
        assert_eq!(rules::ENCRYPTION.iter().filter(|rule| rule.number == Number::Flow).count(), 2);
    }

    proptest! {
        /// Whatever is broken, in whatever order: exactly those rules are found, in the promised order.
        #[test]
        fn findings_are_complete_and_ordered(
            order in Just((0..10usize).collect::<Vec<_>>()).prop_shuffle(),
            broken in proptest::bits::u16::between(0, 10),
        ) {
            let mut world = World::clean();
            for index in order {
                if broken & (1 << index) != 0 {
                    breakers()[index](&mut world);
                }
            }
            let expected: Vec<&Rule> =
                (0..10).filter(|index| broken & (1 << index) != 0).map(|index| rules::ENCRYPTION[index]).collect();
            match plan_encryption(&world.inventory(), &world.request) {
                Ok(_) => prop_assert!(expected.is_empty()),
                Err(findings) => {
                    prop_assert_eq!(findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), expected);
                }
            }
        }
    }
}
