//! Chapter: an HSM is pulled out, and the node goes on.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::encryption::VM;
use super::story::{Failure, Story};
use super::world::World;

/// The member that is pulled out: the first one asked.
const LOST: &str = "PAR7S";
/// Looks at the status so often, so far apart, before the member must show as down: the probe's interval is a second.
const LOOKS: u32 = 40;
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Pulls PAR7S out, works without it, shows that failover is what carries it, and puts it back.
pub fn show(story: &mut Story, world: &mut World) -> Result<(), Failure> {
    story.chapter("An HSM is pulled out");
    let token = token_of(world, LOST)?;
    // Out of the folder altogether: SoftHSM looks into every folder beside its tokens when it starts.
    let aside = world.stage.dir.join("pulled-out");
    fs::rename(&token, &aside)?;
    story.step(&format!("the token directory of {LOST} is gone"));
    let status = wait_until_down(world)?;
    let reason = member(&status, LOST)["reason"].as_str().unwrap_or("no reason").to_owned();
    story.quote(&format!("{LOST}: {reason}"));
    story.claim(format!("hsm status says that {LOST} is down"), world.members_up(&status) == ["TH3S", "AZ07"])?;

    world.kmsctl("operator", &["domain", "create", "delta"])?;
    story.claim("a new domain is made all the same", world.kmsctl("operator", &["domain", "show", "delta"]).is_ok())?;
    story.step("the node is stopped and started without that HSM …");
    world.stop_server()?;
    world.start_server(&[])?;
    let unlocked = unlock_after_reboot(world);
    story.claim("an old domain opens: the VM's key comes by KMIP as before", unlocked.is_ok())?;
    let status = world.kmsctl_json("operator", &["hsm", "status"])?;
    let opened = |label: &str| member(&status, label)["opened"].as_u64().unwrap_or(0);
    story.quote(&format!(
        "opened since the start: PAR7S {}, TH3S {}, AZ07 {}",
        opened("PAR7S"),
        opened("TH3S"),
        opened("AZ07")
    ));
    story.claim("the counters show who served: TH3S, and not PAR7S", opened(LOST) == 0 && opened("TH3S") > 0)?;

    story.step("the control: the same with failover switched off by the fault injector …");
    if !world.can_inject_faults()? {
        return Err(Failure::new("kms-server was built without its fault injector; scripts/build-tested builds it"));
    }
    world.stop_server()?;
    let without_failover = world.start_server(&[("CLAVIS_HSM_FAULT", "no-failover")]);
    let works = without_failover.is_ok() && unlock_after_reboot(world).is_ok();
    story.claim("without failover this very check fails", !works)?;
    // It may not have started at all, which is the expected end.
    let _ = world.stop_server();

    fs::rename(&aside, &token)?;
    world.start_server(&[])?;
    let status = world.kmsctl_json("operator", &["hsm", "status"])?;
    story
        .claim("put back, all three are up after a restart", world.members_up(&status) == ["PAR7S", "TH3S", "AZ07"])?;
    unlock_after_reboot(world)?;
    story.claim("and every key still opens", every_key_opens(world)?)
}

/// The folder of the token with this label.
fn token_of(world: &World, label: &str) -> Result<PathBuf, Failure> {
    for entry in fs::read_dir(world.stage.dir.join("tokens"))? {
        let dir = entry?.path();
        let Ok(object) = fs::read(dir.join("token.object")) else { continue };
        if object.windows(label.len()).any(|window| window == label.as_bytes()) {
            return Ok(dir);
        }
    }
    Err(Failure::new(format!("no token has the label {label}")))
}

fn member<'a>(status: &'a Value, label: &str) -> &'a Value {
    let members = status["members"].as_array();
    members.and_then(|all| all.iter().find(|member| member["label"] == label)).unwrap_or(&Value::Null)
}

fn wait_until_down(world: &World) -> Result<Value, Failure> {
    for _ in 0..LOOKS {
        let status = world.kmsctl_json("operator", &["hsm", "status"])?;
        if member(&status, LOST)["up"] == false {
            return Ok(status);
        }
        thread::sleep(LOOK_EVERY);
    }
    Err(Failure::new(format!("{LOST} does not show as down")))
}

fn unlock_after_reboot(world: &mut World) -> Result<(), Failure> {
    world.reboot_host()?;
    let unlocked = world.host_post(&format!("/vms/{VM}/unlock"), &json!({}))?;
    if unlocked["state"] == "unlocked" {
        Ok(())
    } else {
        Err(Failure::new(format!("{VM} stays {}", unlocked["state"])))
    }
}

/// Gets every object of acme that is not destroyed.
fn every_key_opens(world: &World) -> Result<bool, Failure> {
    let page = world.kmsctl_json("operator", &["object", "list", "acme"])?;
    let objects = page["objects"].as_array().or(page.as_array()).cloned().unwrap_or_default();
    let alive: Vec<_> = objects.iter().filter(|object| object["dates"]["destroy"].is_null()).collect();
    for object in &alive {
        let id = object["id"].as_str().unwrap_or_default();
        if super::tenant::key_bytes(world, "acme", id).is_err() {
            return Ok(false);
        }
    }
    Ok(!alive.is_empty())
}
