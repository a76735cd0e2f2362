//! What exists: regions, zones, tenants, vStacks, datastores and VMs, each referring to the others by id.
//!
//! An [`Inventory`] never holds a dangling reference: what refers to something unknown is not taken in. Rules may
//! therefore walk from a VM to its region without inventing an answer for a gap.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ids::{DatastoreId, DiskId, KeyId, KeyProviderId, RegionId, SnapshotId, TenantId, VStackId, VmId, ZoneId};
use crate::sku::Sku;
use crate::units::Bytes;

/// An availability zone of a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Its name, such as `PAR7S`.
    pub id: ZoneId,
    /// The region it lies in.
    pub region: RegionId,
}

/// A customer's tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Identifier.
    pub id: TenantId,
    /// What people call it.
    pub name: String,
    /// Everything it has ordered.
    pub subscriptions: BTreeSet<Sku>,
}

/// The group of key servers that a vStack's vCenter asks for keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyProvider {
    /// The provider's name in the vCenter.
    pub id: KeyProviderId,
    /// Whether VMs of this vStack may be encrypted with it ("Chiffrement des machines virtuelles: Activé").
    pub enabled: bool,
}

/// One vCenter with its hosts, of one tenant in one zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VStack {
    /// Identifier, such as `vc-vstack-001-t0001`.
    pub id: VStackId,
    /// Whose it is: nothing of a vStack is shared between customers (R1).
    pub tenant: TenantId,
    /// Where its hosts stand.
    pub zone: ZoneId,
    /// None until the operator has configured one.
    pub key_provider: Option<KeyProvider>,
}

/// A datastore, which is one LUN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Datastore {
    /// Identifier.
    pub id: DatastoreId,
    /// LUNs are reserved per customer (R26).
    pub tenant: TenantId,
    /// Where the storage stands.
    pub zone: ZoneId,
    /// Size of the LUN.
    pub capacity: Bytes,
    /// What is not used by any file.
    pub free: Bytes,
    /// Whether the LUN is replicated to another zone by Global Mirror.
    pub global_mirror: bool,
}

/// Power state as the Console shows it. Only [`PowerState::Off`] counts as off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PowerState {
    /// Powered off.
    Off,
    /// Running.
    On,
    /// Memory kept on disk; the VM still holds its disks open in the sense of encryption.
    Suspended,
    /// An operation of the hypervisor is under way.
    Processing,
    /// Its host does not answer.
    HostDisconnected,
    /// The hypervisor cannot read the VM's configuration; a locked VM looks like this.
    Invalid,
}

/// What the backup service made the VM for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SppMode {
    /// An ordinary VM.
    Production,
    /// A restore test, thrown away afterwards.
    Test,
    /// A restored copy that stays.
    Clone,
}

/// VM replication to a standby site (R53).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replication {
    /// Recovery point objective in hours, 1 to 24.
    pub rpo_hours: u8,
    /// A paused replication still exists and still keeps a copy.
    pub paused: bool,
}

/// How an encrypted VM's key is found again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmEncryption {
    /// The provider to ask.
    pub provider: KeyProviderId,
    /// The key's identifier there.
    pub key: KeyId,
}

/// A disk of a VM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VirtualDisk {
    /// Identifier, unique within the VM.
    pub id: DiskId,
    /// Where its file lies.
    pub datastore: DatastoreId,
    /// Size the guest sees. A thin disk may use less of the datastore, its encrypted copy uses all of it.
    pub capacity: Bytes,
}

/// A virtual machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vm {
    /// Identifier.
    pub id: VmId,
    /// What people call it.
    pub name: String,
    /// The vStack it runs on, and with it the tenant it belongs to.
    pub vstack: VStackId,
    /// Power state.
    pub power: PowerState,
    /// What the backup service made it for.
    pub spp_mode: SppMode,
    /// Snapshots, oldest first.
    pub snapshots: Vec<SnapshotId>,
    /// None unless VM replication is configured.
    pub replication: Option<Replication>,
    /// None while the VM is in clear.
    pub encryption: Option<VmEncryption>,
    /// Disks in the order of the guest's controllers.
    pub disks: Vec<VirtualDisk>,
}

/// Why something was not taken into the inventory.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InventoryError {
    /// It refers to something that does not exist.
    #[error("{from} refers to the unknown {what} \"{id}\"")]
    Unknown {
        /// Who refers.
        from: String,
        /// Kind of the missing thing.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// A VM's disk lies on another customer's LUN (R26), or a vStack and its datastore belong to different tenants.
    #[error("disk \"{disk}\" of VM \"{vm}\" lies on datastore \"{datastore}\" of another tenant")]
    ForeignDatastore {
        /// The VM.
        vm: VmId,
        /// Its disk.
        disk: DiskId,
        /// The other tenant's datastore.
        datastore: DatastoreId,
    },
    /// Two disks of a VM have the same id.
    #[error("VM \"{vm}\" has two disks \"{disk}\"")]
    DuplicateDisk {
        /// The VM.
        vm: VmId,
        /// The id that appears twice.
        disk: DiskId,
    },
    /// A datastore is said to have more free space than it is large.
    #[error("datastore \"{0}\" has more free space than capacity")]
    FreeOverCapacity(DatastoreId),
}

/// Everything that exists, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Document", into = "Document")]
pub struct Inventory {
    zones: BTreeMap<ZoneId, Zone>,
    tenants: BTreeMap<TenantId, Tenant>,
    vstacks: BTreeMap<VStackId, VStack>,
    datastores: BTreeMap<DatastoreId, Datastore>,
    vms: BTreeMap<VmId, Vm>,
}

/// The inventory as written in a file: lists, in the order in which they refer to each other.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    zones: Vec<Zone>,
    #[serde(default)]
    tenants: Vec<Tenant>,
    #[serde(default)]
    vstacks: Vec<VStack>,
    #[serde(default)]
    datastores: Vec<Datastore>,
    #[serde(default)]
    vms: Vec<Vm>,
}

impl Inventory {
    /// Takes in or replaces a zone.
    pub fn put_zone(&mut self, zone: Zone) {
        self.zones.insert(zone.id.clone(), zone);
    }

    /// Takes in or replaces a tenant.
    pub fn put_tenant(&mut self, tenant: Tenant) {
        self.tenants.insert(tenant.id.clone(), tenant);
    }

    /// Takes in or replaces a vStack.
    ///
    /// # Errors
    /// [`InventoryError`] where its tenant or zone is unknown, or where VMs on it would change their tenant.
    pub fn put_vstack(&mut self, vstack: VStack) -> Result<(), InventoryError> {
        let from = || format!("vStack \"{}\"", vstack.id);
        self.need_tenant(from, &vstack.tenant)?;
        self.need_zone(from, &vstack.zone)?;
        for vm in self.vms.values().filter(|vm| vm.vstack == vstack.id) {
            self.check_disks(vm, &vstack.tenant)?;
        }
        self.vstacks.insert(vstack.id.clone(), vstack);
        Ok(())
    }

    /// Takes in or replaces a datastore.
    ///
    /// # Errors
    /// [`InventoryError`] where its tenant or zone is unknown, its numbers contradict each other, or disks on it would
    /// come to lie on another tenant's LUN.
    pub fn put_datastore(&mut self, datastore: Datastore) -> Result<(), InventoryError> {
        let from = || format!("datastore \"{}\"", datastore.id);
        self.need_tenant(from, &datastore.tenant)?;
        self.need_zone(from, &datastore.zone)?;
        if datastore.free > datastore.capacity {
            return Err(InventoryError::FreeOverCapacity(datastore.id));
        }
        let (id, tenant) = (datastore.id.clone(), datastore.tenant.clone());
        let before = self.datastores.insert(id.clone(), datastore);
        for vm in self.vms.values() {
            let owner = self.vstacks.get(&vm.vstack).map(|vstack| &vstack.tenant);
            if let Some(disk) = vm.disks.iter().find(|disk| disk.datastore == id)
                && owner != Some(&tenant)
            {
                let error = InventoryError::ForeignDatastore {
                    vm: vm.id.clone(),
                    disk: disk.id.clone(),
                    datastore: id.clone(),
                };
                match before {
                    Some(before) => self.datastores.insert(id, before),
                    None => self.datastores.remove(&id),
                };
                return Err(error);
            }
        }
        Ok(())
    }

    /// Takes in or replaces a VM.
    ///
    /// # Errors
    /// [`InventoryError`] where its vStack or a datastore is unknown or another tenant's, or two disks share an id.
    pub fn put_vm(&mut self, vm: Vm) -> Result<(), InventoryError> {
        let Some(vstack) = self.vstacks.get(&vm.vstack) else {
            return Err(unknown(format!("VM \"{}\"", vm.id), "vStack", vm.vstack.as_str()));
        };
        self.check_disks(&vm, &vstack.tenant)?;
        self.vms.insert(vm.id.clone(), vm);
        Ok(())
    }

    /// Forgets a VM; `None` if there was none.
    pub fn remove_vm(&mut self, id: &VmId) -> Option<Vm> {
        self.vms.remove(id)
    }

    /// The zone of that id.
    #[must_use]
    pub fn zone(&self, id: &ZoneId) -> Option<&Zone> {
        self.zones.get(id)
    }

    /// The tenant of that id.
    #[must_use]
    pub fn tenant(&self, id: &TenantId) -> Option<&Tenant> {
        self.tenants.get(id)
    }

    /// The vStack of that id.
    #[must_use]
    pub fn vstack(&self, id: &VStackId) -> Option<&VStack> {
        self.vstacks.get(id)
    }

    /// The datastore of that id.
    #[must_use]
    pub fn datastore(&self, id: &DatastoreId) -> Option<&Datastore> {
        self.datastores.get(id)
    }

    /// The VM of that id.
    #[must_use]
    pub fn vm(&self, id: &VmId) -> Option<&Vm> {
        self.vms.get(id)
    }

    /// All VMs in the order of their ids.
    pub fn vms(&self) -> impl Iterator<Item = &Vm> {
        self.vms.values()
    }

    /// All datastores in the order of their ids.
    pub fn datastores(&self) -> impl Iterator<Item = &Datastore> {
        self.datastores.values()
    }

    fn check_disks(&self, vm: &Vm, tenant: &TenantId) -> Result<(), InventoryError> {
        let mut seen = BTreeSet::new();
        for disk in &vm.disks {
            if !seen.insert(&disk.id) {
                return Err(InventoryError::DuplicateDisk { vm: vm.id.clone(), disk: disk.id.clone() });
            }
            match self.datastores.get(&disk.datastore) {
                None => return Err(unknown(format!("VM \"{}\"", vm.id), "datastore", disk.datastore.as_str())),
                Some(datastore) if datastore.tenant != *tenant => {
                    return Err(InventoryError::ForeignDatastore {
                        vm: vm.id.clone(),
                        disk: disk.id.clone(),
                        datastore: datastore.id.clone(),
                    });
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn need_tenant(&self, from: impl Fn() -> String, id: &TenantId) -> Result<(), InventoryError> {
        if self.tenants.contains_key(id) { Ok(()) } else { Err(unknown(from(), "tenant", id.as_str())) }
    }

    fn need_zone(&self, from: impl Fn() -> String, id: &ZoneId) -> Result<(), InventoryError> {
        if self.zones.contains_key(id) { Ok(()) } else { Err(unknown(from(), "zone", id.as_str())) }
    }
}

impl TryFrom<Document> for Inventory {
    type Error = InventoryError;

    fn try_from(document: Document) -> Result<Self, InventoryError> {
        let mut inventory = Self::default();
        document.zones.into_iter().for_each(|zone| inventory.put_zone(zone));
        document.tenants.into_iter().for_each(|tenant| inventory.put_tenant(tenant));
        document.vstacks.into_iter().try_for_each(|vstack| inventory.put_vstack(vstack))?;
        document.datastores.into_iter().try_for_each(|datastore| inventory.put_datastore(datastore))?;
        document.vms.into_iter().try_for_each(|vm| inventory.put_vm(vm))?;
        Ok(inventory)
    }
}

impl From<Inventory> for Document {
    fn from(inventory: Inventory) -> Self {
        Self {
            zones: inventory.zones.into_values().collect(),
            tenants: inventory.tenants.into_values().collect(),
            vstacks: inventory.vstacks.into_values().collect(),
            datastores: inventory.datastores.into_values().collect(),
            vms: inventory.vms.into_values().collect(),
        }
    }
}

fn unknown(from: String, what: &'static str, id: &str) -> InventoryError {
    InventoryError::Unknown { from, what, id: id.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    #[test]
    fn a_dangling_reference_is_not_taken_in() {
        let mut inventory = example::inventory();
        let mut vm = example::vm();
        vm.disks[0].datastore = "nowhere".into();
        let refused = inventory.put_vm(vm).unwrap_err();
        assert_eq!(refused.to_string(), "VM \"vm-web\" refers to the unknown datastore \"nowhere\"");
        assert_eq!(inventory, example::inventory());
    }

    #[test]
    fn a_disk_on_another_tenants_lun_is_not_taken_in() {
        let mut inventory = example::inventory();
        let mut vm = example::vm();
        vm.disks[0].datastore = example::FOREIGN_DATASTORE.into();
        assert!(matches!(inventory.put_vm(vm), Err(InventoryError::ForeignDatastore { .. })));
    }

    #[test]
    fn a_lun_under_a_vm_does_not_change_hands() {
        let mut inventory = example::inventory();
        let mut datastore = inventory.datastore(&example::DATASTORE.into()).unwrap().clone();
        datastore.tenant = example::FOREIGN_TENANT.into();
        assert!(matches!(inventory.put_datastore(datastore), Err(InventoryError::ForeignDatastore { .. })));
        assert_eq!(inventory, example::inventory());
    }

    #[test]
    fn reads_back_what_it_writes_and_refuses_a_broken_file() {
        let text = serde_json::to_string(&example::inventory()).unwrap();
        assert_eq!(serde_json::from_str::<Inventory>(&text).unwrap(), example::inventory());
        let broken = text.replace("\"vstack\":\"vc-acme\"", "\"vstack\":\"vc-none\"");
        assert!(serde_json::from_str::<Inventory>(&broken).unwrap_err().to_string().contains("unknown vStack"));
    }
}
