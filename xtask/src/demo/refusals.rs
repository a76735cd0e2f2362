//! Chapter: what is refused, and why.

use std::fs;

use kmip::registry::ResultReason;
use kmip_client::Error;
use provisioning::model::vm::{PowerState, Snapshot, Vm};
use provisioning::units::Bytes;
use provisioning::{Document, example};
use serde_json::json;

use super::encryption::VM;
use super::original::Original;
use super::story::{Failure, Story};
use super::world::World;
use super::{provision, tenant};

/// A key identifier that no server ever handed out.
const ABSENT: &str = "01890000-0000-7000-8000-000000000000";
/// The VM that is refused four times.
const REFUSED_VM: &str = "ledger";

/// Shows the rules of the provisioning core, and the wall between two tenants.
pub fn show(story: &mut Story, world: &World, original: &Original) -> Result<(), Failure> {
    story.chapter("What is refused, and why");
    let disk = world.path("disks/ledger.img");
    fs::copy(&original.image, &disk)?;
    world.host_post("/vms", &json!({ "id": REFUSED_VM, "disks": [disk] }))?;
    refused(story, world, "a VM with a snapshot", "vm-has-no-snapshot", |document| {
        let snapshot = Snapshot { id: "before-update".into(), size: Bytes(0), key: None };
        told(document)?.snapshots.push(snapshot);
        Ok(())
    })?;
    refused(story, world, "a VM that is powered on", "vm-powered-off", |document| {
        told(document)?.power = PowerState::On;
        Ok(())
    })?;
    refused(story, world, "a VM with a disk on a Global Mirror LUN", "vm-not-replicated", |document| {
        for disk in &mut told(document)?.disks {
            disk.datastore = example::MIRRORED_DATASTORE.into();
        }
        Ok(())
    })?;
    refused(story, world, "a VM whose tenant has no subscription", "vm-encryption-subscribed", |document| {
        document.tenants.iter_mut().for_each(|tenant| tenant.subscriptions.clear());
        Ok(())
    })?;
    // The control: were nothing ever counted, nothing would have shown above.
    let before = provision::objects(world)?;
    let document = provision::document(world, REFUSED_VM)?;
    story.step(&format!("the reasons gone, {REFUSED_VM} is encrypted …"));
    let allowed = provision::encrypt(world, document, REFUSED_VM)?.is_ok();
    let one_more = provision::objects(world)? == before + 1;
    story.claim("without these reasons the same VM is encrypted, and acme has one object more", allowed && one_more)?;
    wall(story, world)
}

/// Two tenants and one key.
fn wall(story: &mut Story, world: &World) -> Result<(), Failure> {
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

/// The VM in the document, which stands last.
fn told(document: &mut Document) -> Result<&mut Vm, Failure> {
    document.vms.last_mut().ok_or_else(|| Failure::new("the document has no VM"))
}

/// Asks for [`REFUSED_VM`] to be encrypted in an inventory with one thing spoiled.
fn refused(
    story: &mut Story,
    world: &World,
    what: &str,
    rule: &str,
    spoil: impl FnOnce(&mut Document) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut document = provision::document(world, REFUSED_VM)?;
    spoil(&mut document)?;
    let before = provision::objects(world)?;
    let findings = provision::encrypt(world, document, REFUSED_VM)?.err().unwrap_or_default();
    for finding in &findings {
        story.quote(&finding.to_string());
    }
    let named: Vec<_> = findings.iter().map(|finding| finding.rule.id).collect();
    story.claim(format!("{what} is refused for exactly that reason"), named == [rule])?;
    let clear = world.host_get(&format!("/vms/{REFUSED_VM}"))?["state"] == "clear";
    story.claim(
        format!("the server was asked for no key: acme has {before} objects as before, and the VM is clear"),
        clear && provision::objects(world)? == before,
    )
}
