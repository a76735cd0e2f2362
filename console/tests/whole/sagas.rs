//! Encrypt, re-key, decrypt against the real key server, killed at every step: the activity ends, the inventory and the
//! host agree, and the guest's data are what they were.

use console::config::Config;
use console::hypervisor::{Hypervisors, Place};
use console::identity;
use console::platform::{Conditions, Platform};
use console::store::Store;
use provisioning::Command;
use serde_json::Value;
use xtask::stage::console::OWNER;

use crate::world::World;

const VM: &str = "vm-web";
const STEPS: [&str; 6] = ["make-key", "give-key-to-host", "write-copies", "commit", "delete-old", "let-go"];
const MOMENTS: [&str; 3] = ["before", "done", "written"];

/// What a host and the inventory say of the VM while no console runs: its key by each, and what its guest reads.
async fn found(world: &World) -> (Option<String>, Option<String>, Vec<u8>) {
    let config = Config::load(&world.stage.dir.join("console.toml")).unwrap();
    let (_, inventory) = Store::open(&config.store).await.unwrap().inventory().await.unwrap();
    let place = Place::of(&inventory, &VM.into()).unwrap();
    assert_eq!(place.vm.held_by, None, "somebody holds it still");
    let keys: Vec<_> = place.vm.disks.iter().map(|disk| disk.key.as_ref().map(ToString::to_string)).collect();
    let hypervisors = Hypervisors::new(config.hypervisors.clone(), config.image_mib << 20, config.specs().unwrap());
    let by_inventory = place.vm.encryption.as_ref().map(|encryption| encryption.key.to_string());
    assert!(keys.iter().all(|key| *key == by_inventory));
    let by_host = hypervisors.key_of(&place).await.unwrap().map(|key| key.to_string());
    let data = hypervisors.read(&place, 512).await.unwrap();
    (by_inventory, by_host, data)
}

/// Begins a command on a console that may die of it; the activity once it has ended, by a console that does not.
fn carried_out(world: &World, personal: &str, command: &str, body: &str, dies_at: Option<&str>) -> Value {
    let console = world.console(dies_at);
    let access = world.access(&console, personal);
    let path = format!("/compute/v1/vcenters/virtual_machines/{VM}/{command}");
    let begun = world.ask(&console, "POST", &path, Some(&access), Some(body));
    if let Some((status, body)) = &begun {
        assert_eq!(*status, 201, "{command}: {body}");
    }
    if dies_at.is_some() {
        console.wait();
    } else {
        followed(world, &console, &access);
        console.stop();
    }
    let console = world.console(None);
    let access = world.access(&console, personal);
    let ended = followed(world, &console, &access);
    console.stop();
    ended
}

/// Follows the newest activity to its end.
fn followed(world: &World, console: &xtask::stage::console::Console, access: &str) -> Value {
    let list = format!("/activity/v1/activities?limit=1&vm={VM}");
    let newest = || world.ask(console, "GET", &list, Some(access), None).unwrap().1["items"][0].clone();
    let path = format!("/activity/v1/activities/{}/events", newest()["id"].as_str().unwrap());
    // The events end when it does.
    world.ask(console, "GET", &path, Some(access), None).unwrap();
    newest()
}

#[test]
fn an_activity_that_is_killed_at_any_step_ends_and_no_byte_is_lost() {
    let world = World::new();
    let personal = world.personal_token();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (none, clear, original) = runtime.block_on(found(&world));
    assert_eq!((none, clear), (None, None));
    assert!(original.starts_with(b"virtual machine vm-web, disk-0: what the guest has written"));
    let commands = [
        ("encrypt", "", true),
        ("rekey", r#"{"depth":"deep"}"#, true),
        ("rekey", r#"{"depth":"shallow"}"#, true),
        ("decrypt", "", false),
    ];
    let mut killed = 0;
    let mut last_key = None;
    for step in STEPS {
        for moment in MOMENTS {
            let point = format!("do:{step}:{moment}");
            for (command, body, encrypts) in commands {
                let has = match (command, body) {
                    ("decrypt", _) => step != "make-key",
                    (_, body) if body.contains("shallow") => step != "delete-old",
                    _ => true,
                };
                let point = match body.contains("shallow") {
                    true => point.replace("write-copies", "wrap-disk-keys"),
                    false => point.clone(),
                };
                let ended = carried_out(&world, &personal, command, body, has.then_some(&point[..]));
                assert_eq!(ended["state"], "completed", "{command} {point}: {ended}");
                let (by_inventory, by_host, data) = runtime.block_on(found(&world));
                assert_eq!(by_inventory, by_host, "{command} {point}");
                assert_eq!(by_host.is_some(), encrypts, "{command} {point}");
                assert!(by_host.is_none() || by_host != last_key, "{command} {point}: the key of before");
                assert!(data == original, "{command} {point}: other data");
                last_key = by_host;
                killed += usize::from(has);
            }
        }
    }
    assert_eq!(killed, 18 * 4 - 3 - 3);
}

#[test]
fn an_activity_that_the_rules_overtake_is_undone_to_the_last_byte() {
    let world = World::new();
    let personal = world.personal_token();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_, _, original) = runtime.block_on(found(&world));
    // It dies when the host has encrypted and the inventory does not know it.
    let console = world.console(Some("do:write-copies:written"));
    let access = world.access(&console, &personal);
    let path = format!("/compute/v1/vcenters/virtual_machines/{VM}/encrypt");
    world.ask(&console, "POST", &path, Some(&access), None);
    console.wait();
    // Meanwhile the subscription ends.
    runtime.block_on(async {
        let config = Config::load(&world.stage.dir.join("console.toml")).unwrap();
        let hypervisors = Hypervisors::new(config.hypervisors.clone(), 1 << 20, [].into());
        let platform = Platform::open(Store::open(&config.store).await.unwrap(), hypervisors).await.unwrap();
        let who = identity::in_tenant(&platform.store, OWNER, None).await.unwrap();
        let sku = provisioning::sku::Sku::new("csp:fr1:iaas:vmware:encryption:hsm:v1");
        platform.begin(&who, Command::Unsubscribe { sku }, &Conditions::default()).await.unwrap();
    });
    // It is killed in the middle of undoing, too.
    for dies_at in
        [Some("undo:write-copies:before"), Some("undo:write-copies:done"), Some("undo:make-key:written"), None]
    {
        let console = world.console(dies_at);
        match dies_at {
            Some(_) => console.wait(),
            None => {
                let access = world.access(&console, &personal);
                let ended = followed(&world, &console, &access);
                assert_eq!(ended["state"], "failed");
                assert!(ended["reason"].as_str().unwrap().contains("rules refuse"), "{ended}");
                console.stop();
            }
        }
    }
    assert_eq!(runtime.block_on(found(&world)), (None, None, original));
}
