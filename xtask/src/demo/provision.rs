//! The padlock: the provisioning core is asked, and only its plan lets a VM be encrypted.

use provisioning::inventory::{Inventory, PowerState, SppMode, VirtualDisk, Vm};
use provisioning::units::Bytes;
use provisioning::{EncryptRequest, Finding, example, plan_encryption};
use serde_json::{Value, json};

use super::story::Failure;
use super::world::World;

/// The inventory of the IaaS with this VM in it as its host describes it: identifier, disks and their sizes.
pub fn inventory(world: &World, vm: &str) -> Result<(Inventory, Vm), Failure> {
    let told = world.host_get(&format!("/vms/{vm}"))?;
    let id = told["id"].as_str().ok_or_else(|| Failure::new("the host tells no identifier"))?;
    let disks = told["disks"].as_array().cloned().unwrap_or_default();
    let disk = |(number, disk): (usize, &Value)| {
        let bytes = disk["bytes"].as_u64().ok_or_else(|| Failure::new("the host tells no size of a disk"))?;
        Ok(VirtualDisk {
            id: format!("disk-{number}").as_str().into(),
            datastore: example::DATASTORE.into(),
            capacity: Bytes(bytes),
        })
    };
    let vm = Vm {
        id: id.into(),
        name: id.to_owned(),
        vstack: example::VSTACK.into(),
        power: PowerState::Off,
        spp_mode: SppMode::Production,
        snapshots: Vec::new(),
        replication: None,
        encryption: None,
        disks: disks.iter().enumerate().map(disk).collect::<Result<_, Failure>>()?,
    };
    let mut inventory = example::inventory();
    inventory.put_vm(vm.clone())?;
    Ok((inventory, vm))
}

/// Encrypts a VM if the rules allow it; otherwise nobody is asked for anything.
pub fn encrypt(world: &World, inventory: &Inventory, vm: &str) -> Result<Result<(), Vec<Finding>>, Failure> {
    let request = EncryptRequest { vm: vm.into(), ..example::request() };
    match plan_encryption(inventory, &request) {
        Err(findings) => Ok(Err(findings)),
        Ok(plan) => {
            world.host_post(&format!("/vms/{}/encrypt", plan.vm), &json!({ "provider": plan.provider.as_str() }))?;
            Ok(Ok(()))
        }
    }
}

/// How many objects the server has for acme, destroyed ones included.
pub fn objects(world: &World) -> Result<usize, Failure> {
    let listed = world.kmsctl_json("operator", &["object", "list", "acme"])?;
    let objects = listed["objects"].as_array().or(listed.as_array());
    objects.map(Vec::len).ok_or_else(|| Failure::new("kmsctl lists no objects"))
}
