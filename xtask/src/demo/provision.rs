//! The padlock: the provisioning core is asked, and only its plan lets a VM be encrypted.

use provisioning::model::vm::{VirtualDisk, Vm};
use provisioning::units::Bytes;
use provisioning::{Actor, Command, Document, Finding, Inventory, Request, example, plan};
use serde_json::{Value, json};

use super::story::Failure;
use super::world::World;

/// The inventory of the IaaS with this VM in it as its host describes it: identifier, disks and their sizes.
pub fn document(world: &World, vm: &str) -> Result<Document, Failure> {
    let told = world.host_get(&format!("/vms/{vm}"))?;
    let id = told["id"].as_str().ok_or_else(|| Failure::new("the host tells no identifier"))?;
    let disks = told["disks"].as_array().cloned().unwrap_or_default();
    let disk = |(number, disk): (usize, &Value)| {
        let bytes = disk["bytes"].as_u64().ok_or_else(|| Failure::new("the host tells no size of a disk"))?;
        let made = example::disk(&format!("disk-{number}"), example::DATASTORE, provisioning::units::Gib(0));
        Ok(VirtualDisk { capacity: Bytes(bytes), ..made })
    };
    let disks = disks.iter().enumerate().map(disk).collect::<Result<_, Failure>>()?;
    let mut document = example::document();
    document.vms.push(Vm { disks, ..example::machine(id, example::DATASTORE) });
    Ok(document)
}

/// Encrypts a VM if the rules allow it; otherwise nobody is asked for anything.
pub fn encrypt(world: &World, document: Document, vm: &str) -> Result<Result<(), Vec<Finding>>, Failure> {
    let inventory = Inventory::build(document)?;
    let provider = inventory.vstack(&example::VSTACK.into()).and_then(|vstack| vstack.key_provider.clone());
    let command = Command::Encrypt { vm: vm.into() };
    let request = Request { actor: Actor::owner(&example::TENANT.into()), command };
    match plan(&inventory, &request) {
        Err(findings) => Ok(Err(findings)),
        Ok(_) => {
            let provider = provider.ok_or_else(|| Failure::new("a plan without a key provider"))?;
            world.host_post(&format!("/vms/{vm}/encrypt"), &json!({ "provider": provider.id.as_str() }))?;
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
