//! The encryption of many VMs is queued at once, and console, key server or both are killed again and again meanwhile:
//! every VM is encrypted and can be read, or is untouched.
//!
//! `CLAVIS_QUEUED_VMS` and `CLAVIS_QUEUED_KILLS` say how many.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use console::config::Config;
use console::hypervisor::{Hypervisors, Place};
use console::store::Store;
use provisioning::model::vm::Vm;
use provisioning::units::{Gib, IopsPerTib};
use provisioning::{Document, Inventory, example};
use serde_json::Value;
use xtask::stage::console::Console;

use crate::world::World;

/// Clients that ask at the same time.
const CLIENTS: usize = 8;

fn count(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|count| count.parse().ok()).unwrap_or(otherwise)
}

fn name(number: usize) -> String {
    format!("vm-{number:04}")
}

/// The example with this many small VMs beside its own.
fn fleet(machines: usize) -> Document {
    let mut document = example::document();
    let lun = document.datastores.iter_mut().find(|lun| lun.id.as_str() == "lun-acme-2").unwrap();
    lun.capacity = Gib(8192);
    lun.iops_limit = Some(IopsPerTib(3000).of(lun.capacity));
    document.vms.extend((0..machines).map(|number| {
        let disks = vec![example::disk("disk-0", "lun-acme-2", Gib(1))];
        Vm { disks, ..example::machine(&name(number), "lun-acme-2") }
    }));
    document
}

/// Asks for every VM's encryption, by several clients at once; the activities' names, in the order of the VMs.
fn order(world: &World, console: &Console, access: &str, machines: &[usize]) -> Vec<String> {
    let ask = |number: &usize| {
        let path = format!("/compute/v1/vcenters/virtual_machines/{}/encrypt", name(*number));
        let token = format!("encrypt-{number}");
        let answer = world.ask_with(console, "POST", &path, Some(access), &[("client-token", &token)], None);
        let (status, body) = answer.expect("the console answers");
        assert_eq!(status, 201, "{path}: {body}");
        body["id"].as_str().unwrap().to_owned()
    };
    let shares = machines.chunks(machines.len().div_ceil(CLIENTS).max(1));
    thread::scope(|scope| {
        let clients: Vec<_> =
            shares.map(|share| scope.spawn(move || share.iter().map(ask).collect::<Vec<_>>())).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

/// Follows an activity until it has ended.
fn followed(world: &World, console: &Console, personal: &str, id: &str) -> Value {
    let path = format!("/activity/v1/activities/{id}");
    loop {
        let access = world.access(console, personal);
        world.ask(console, "GET", &format!("{path}/events"), Some(&access), None).unwrap();
        let (_, activity) = world.ask(console, "GET", &path, Some(&access), None).unwrap();
        if activity["state"] == "completed" || activity["state"] == "failed" {
            return activity;
        }
    }
}

/// What is true of a VM that is whole: its key, if it has one.
async fn whole(inventory: &Inventory, hypervisors: &Hypervisors, vm: &str) -> Result<Option<String>, String> {
    let place = Place::of(inventory, &vm.into()).ok_or("it is gone")?;
    if let Some(holder) = &place.vm.held_by {
        return Err(format!("{holder} holds it still"));
    }
    let by_inventory = place.vm.encryption.as_ref().map(|encryption| encryption.key.clone());
    if place.vm.disks.iter().any(|disk| disk.key != by_inventory) {
        return Err("a disk has another key".to_owned());
    }
    let by_host = hypervisors.key_of(&place).await.map_err(|error| error.to_string())?;
    if by_host != by_inventory {
        return Err(format!("its host says {by_host:?}, the inventory {by_inventory:?}"));
    }
    let expected = format!("{:<511}\n", format!("virtual machine {vm}, disk-0: what the guest has written"));
    let read = hypervisors.read(&place, 512).await.map_err(|error| error.to_string())?;
    if read != expected.as_bytes() {
        return Err("its guest reads something else".to_owned());
    }
    Ok(by_inventory.map(|key| key.to_string()))
}

/// The files in which a VM's disk lies.
fn files(folder: &Path, vm: &str) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder.join(example::VSTACK).join("disks").join(vm)).unwrap();
    listed.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn what_is_queued_at_once_ends_whole_though_console_and_key_server_are_killed_again_and_again() {
    let (machines, kills) = (count("CLAVIS_QUEUED_VMS", 60), count("CLAVIS_QUEUED_KILLS", 6));
    let mut world = World::with(fleet(machines));
    // It is the number of VMs that matters here, not the size of their disks.
    let file = world.stage.dir.join("console.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("image_mib = 8", "image_mib = 1")).unwrap();
    let personal = world.personal_token();
    let all: Vec<usize> = (0..machines).collect();

    // The console dies while half of it is ordered; the client, who does not know what was taken, orders everything.
    let mut console = world.console(None);
    let access = world.access(&console, &personal);
    let half = order(&world, &console, &access, &all[..machines / 2]);
    console.kill();
    console = world.console(None);
    let access = world.access(&console, &personal);
    let activities = order(&world, &console, &access, &all);
    assert_eq!(activities[..half.len()], half[..], "what was asked for twice is done once");
    assert_eq!(activities.iter().collect::<BTreeSet<_>>().len(), machines);

    // The first of these kills was the one above. What is followed to its end is spread over the queue; what is cut off
    // then are the others.
    for kill in 1..kills {
        let after = machines * kill / (kills + 1);
        followed(&world, &console, &personal, &activities[after]);
        match kill % 3 {
            0 => {
                console.kill();
                console = world.console(None);
            }
            1 => {
                let at = world.kill_node();
                world.start_node(&at);
            }
            _ => {
                let at = world.kill_node();
                console.kill();
                console = world.console(None);
                world.start_node(&at);
            }
        }
    }
    let ended: Vec<Value> = activities.iter().map(|id| followed(&world, &console, &personal, id)).collect();
    console.stop();

    let config = Config::load(&world.stage.dir.join("console.toml")).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_, inventory) =
        runtime.block_on(async { Store::open(&config.store).await.unwrap().inventory().await.unwrap() });
    // Hosts that have just booted: what they read they read with keys that the key server gives them.
    let booted = || Hypervisors::new(config.hypervisors.clone(), config.image_mib << 20, config.specs().unwrap());
    let hypervisors = booted();
    let mut keys = BTreeSet::new();
    for (number, activity) in ended.iter().enumerate() {
        let vm = name(number);
        let key = runtime.block_on(whole(&inventory, &hypervisors, &vm)).unwrap_or_else(|why| panic!("{vm}: {why}"));
        assert_eq!(key.is_some(), activity["state"] == "completed", "{vm}: {activity}");
        assert!(key.is_none() || activity["key"] == key.as_deref().unwrap(), "{vm}: {activity}");
        for file in files(&config.hypervisors, &vm) {
            let is_clear = fs::read(&file).unwrap().starts_with(b"virtual machine");
            assert_eq!(is_clear, key.is_none(), "{}: a file is left over", file.display());
        }
        keys.extend(key);
    }
    let failed = ended.iter().filter(|activity| activity["state"] == "failed").count();
    assert_eq!(keys.len(), machines - failed, "each has a key of its own");
    println!("{machines} VMs, {kills} kills: {} encrypted, {failed} untouched", keys.len());
    assert!(failed < machines / 10, "{failed} of {machines} were given up");

    // The look itself: a VM that has another's data is not whole.
    let encrypted: Vec<String> =
        (0..machines).filter(|number| ended[*number]["state"] == "completed").map(name).take(2).collect();
    let [one, other] = &encrypted[..] else { panic!("two at least are encrypted") };
    fs::copy(&files(&config.hypervisors, one)[0], &files(&config.hypervisors, other)[0]).unwrap();
    drop(hypervisors);
    let rebooted = booted();
    assert!(runtime.block_on(whole(&inventory, &rebooted, one)).is_ok());
    assert!(runtime.block_on(whole(&inventory, &rebooted, other)).is_err(), "{other} has the disk of {one}");
}
