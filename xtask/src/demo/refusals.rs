//! Chapter: what is refused, and why.

use kmip::registry::ResultReason;
use kmip_client::Error;
use provisioning::ids::SnapshotId;
use provisioning::inventory::{Inventory, PowerState, Vm};
use provisioning::{EncryptRequest, Finding, example, plan_encryption};

use super::encryption::VM;
use super::story::{Failure, Story};
use super::tenant;
use super::world::World;

/// A key identifier that no server ever handed out.
const ABSENT: &str = "01890000-0000-7000-8000-000000000000";

/// Shows the rules of the provisioning core, and the wall between two tenants.
pub fn show(story: &mut Story, world: &World) -> Result<(), Failure> {
    story.chapter("What is refused, and why");
    refused(story, "a VM with a snapshot", &["vm-has-no-snapshot"], |vm| {
        vm.snapshots.push(SnapshotId::new("before-update"))
    })?;
    refused(story, "a VM that is powered on", &["vm-powered-off"], |vm| vm.power = PowerState::On)?;
    refused(story, "a VM with a disk on a Global Mirror LUN", &["encrypted-vm-not-mirrored"], |vm| {
        for disk in vm.disks.iter_mut().take(1) {
            disk.datastore = example::MIRRORED_DATASTORE.into();
        }
    })?;
    unsubscribed(story)?;

    let key = world.host_get(&format!("/vms/{VM}"))?["key"]["keyId"].as_str().unwrap_or_default().to_owned();
    let own = tenant::get(world, "acme", &key)?;
    story.claim("acme gets the key of its own VM", own.is_ok())?;
    let foreign = tenant::get(world, "boreal", &key)?;
    let absent = tenant::get(world, "boreal", ABSENT)?;
    if let Err(error) = &foreign {
        story.quote(&format!("boreal asks for it: {error}"));
    }
    story.claim("boreal asking for the same key is told: item not found", is_not_found(&foreign))?;
    let same = matches!((&foreign, &absent), (Err(one), Err(other)) if one.to_string() == other.to_string());
    story.claim("in the words it would hear of a key that never existed", same)
}

fn is_not_found<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Failed { reason: ResultReason::ItemNotFound, .. }))
}

fn refused(story: &mut Story, what: &str, rules: &[&str], spoil: impl FnOnce(&mut Vm)) -> Result<(), Failure> {
    let mut inventory = example::inventory();
    let mut vm = example::vm();
    spoil(&mut vm);
    inventory.remove_vm(&example::VM.into());
    inventory.put_vm(vm)?;
    told(story, what, rules, plan_encryption(&inventory, &example::request()).err())
}

fn unsubscribed(story: &mut Story) -> Result<(), Failure> {
    let mut inventory: Inventory = example::inventory();
    let mut tenant =
        inventory.tenant(&example::TENANT.into()).cloned().ok_or_else(|| Failure::new("the example has no tenant"))?;
    tenant.subscriptions.clear();
    inventory.put_tenant(tenant);
    let request: EncryptRequest = example::request();
    told(
        story,
        "a VM whose tenant has no subscription",
        &["vm-encryption-subscribed"],
        plan_encryption(&inventory, &request).err(),
    )
}

fn told(story: &mut Story, what: &str, rules: &[&str], findings: Option<Vec<Finding>>) -> Result<(), Failure> {
    let findings = findings.unwrap_or_default();
    for finding in &findings {
        story.quote(&finding.to_string());
    }
    let named: Vec<_> = findings.iter().map(|finding| finding.rule.id).collect();
    story.claim(format!("{what} is refused for exactly that reason"), named == rules)
}
