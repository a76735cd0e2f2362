//! A small inventory that breaks no rule: the ground on which tests break exactly one, and a start for demonstrations.

use crate::ids::{RegionId, TenantId};
use crate::inventory::{
    Datastore, Inventory, InventoryError, KeyProvider, PowerState, SppMode, Tenant, VStack, VirtualDisk, Vm, Zone,
};
use crate::permission::Permission;
use crate::plan::EncryptRequest;
use crate::sku::Sku;
use crate::units::Gib;

/// The tenant whose VM the example encrypts.
pub const TENANT: &str = "acme";
/// Its vStack.
pub const VSTACK: &str = "vc-acme";
/// The datastore of its VM.
pub const DATASTORE: &str = "lun-acme-1";
/// A datastore of the same tenant that is replicated by Global Mirror.
pub const MIRRORED_DATASTORE: &str = "lun-acme-gm";
/// The VM.
pub const VM: &str = "vm-web";
/// Another tenant, without a subscription.
pub const FOREIGN_TENANT: &str = "boreal";
/// Its datastore.
pub const FOREIGN_DATASTORE: &str = "lun-boreal-1";

/// The region of the example.
#[must_use]
pub fn region() -> RegionId {
    "fr1".into()
}

/// The VM that can be encrypted: off, without snapshot, replication or mirror, two disks of together 30 GiB.
#[must_use]
pub fn vm() -> Vm {
    let disk = |id: &str, size: Gib| VirtualDisk { id: id.into(), datastore: DATASTORE.into(), capacity: size.bytes() };
    Vm {
        id: VM.into(),
        name: "web".to_owned(),
        vstack: VSTACK.into(),
        power: PowerState::Off,
        spp_mode: SppMode::Production,
        snapshots: Vec::new(),
        replication: None,
        encryption: None,
        disks: vec![disk("disk-0", Gib(20)), disk("disk-1", Gib(10))],
    }
}

/// One region, three zones, two tenants, the VM of [`vm()`].
#[must_use]
pub fn inventory() -> Inventory {
    // The parts refer only to each other, so `build` succeeds; the test below holds it to that.
    build().unwrap_or_default()
}

/// The request to which the example answers with a plan.
#[must_use]
pub fn request() -> EncryptRequest {
    EncryptRequest {
        tenant: TENANT.into(),
        vm: VM.into(),
        permissions: [Permission::ComputeRead, Permission::ComputeManagement].into(),
    }
}

fn build() -> Result<Inventory, InventoryError> {
    let mut inventory = Inventory::default();
    for zone in ["PAR7S", "TH3S", "AZ07"] {
        inventory.put_zone(Zone { id: zone.into(), region: region() });
    }
    let tenant = |id: &str, subscriptions: &[Sku]| Tenant {
        id: id.into(),
        name: id.to_owned(),
        subscriptions: subscriptions.iter().cloned().collect(),
    };
    inventory.put_tenant(tenant(TENANT, &[Sku::vm_encryption(&region())]));
    inventory.put_tenant(tenant(FOREIGN_TENANT, &[]));
    inventory.put_vstack(VStack {
        id: VSTACK.into(),
        tenant: TENANT.into(),
        zone: "PAR7S".into(),
        key_provider: Some(KeyProvider { id: "clavis".into(), enabled: true }),
    })?;
    let datastore = |id: &str, tenant: &str, global_mirror| Datastore {
        id: id.into(),
        tenant: TenantId::from(tenant),
        zone: "PAR7S".into(),
        capacity: Gib(500).bytes(),
        free: Gib(100).bytes(),
        global_mirror,
    };
    inventory.put_datastore(datastore(DATASTORE, TENANT, false))?;
    inventory.put_datastore(datastore(MIRRORED_DATASTORE, TENANT, true))?;
    inventory.put_datastore(datastore(FOREIGN_DATASTORE, FOREIGN_TENANT, false))?;
    inventory.put_vm(vm())?;
    Ok(inventory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::plan_encryption;

    #[test]
    fn the_example_is_whole_and_clean() {
        assert_eq!(build().unwrap().vms().count(), 1);
        assert_eq!(inventory(), build().unwrap());
        assert!(plan_encryption(&inventory(), &request()).is_ok());
    }
}
