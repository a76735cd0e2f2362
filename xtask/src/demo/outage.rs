//! Chapter: an HSM is pulled out, and the node goes on.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::encryption::VM;
use super::original::Original;
use super::story::{Failure, Story};
use super::world::World;

/// The member that is pulled out: the first one asked.
const LOST: &str = "PAR7S";
/// Time between two probes of a member (`probe_interval_ms`, whose default the stage leaves as it is).
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// What may pass beyond it: a probe may hang until the deadline of its call (`call_deadline_ms`, the default).
const CALL_DEADLINE: Duration = Duration::from_secs(2);
/// Between two looks at the status.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Pulls PAR7S out, works without it, shows that failover is what carries it, and puts it back.
pub fn show(story: &mut Story, world: &mut World, original: &Original) -> Result<(), Failure> {
    story.chapter("An HSM is pulled out");
    let token = token_of(world, LOST)?;
    // Out of the folder altogether: SoftHSM looks into every folder beside its tokens when it starts.
    let aside = world.stage.dir.join("pulled-out");
    fs::rename(&token, &aside)?;
    let gone = Instant::now();
    story.step(&format!("the token directory of {LOST} is gone"));
    let status = wait_until_down(world, gone)?;
    let after = gone.elapsed();
    let reason = member(&status, LOST)["reason"].as_str().unwrap_or("no reason").to_owned();
    story.quote(&format!("{LOST}: {reason}"));
    story.claim(
        format!(
            "hsm status says that {LOST} is down after {} ms: the probe's interval is {} ms, its call may take {} ms",
            after.as_millis(),
            PROBE_INTERVAL.as_millis(),
            CALL_DEADLINE.as_millis(),
        ),
        world.members_up(&status) == ["TH3S", "AZ07"] && after <= PROBE_INTERVAL + CALL_DEADLINE,
    )?;

    world.kmsctl("operator", &["domain", "create", "delta"])?;
    story.claim("a new domain is made all the same", world.kmsctl("operator", &["domain", "show", "delta"]).is_ok())?;
    story.step("the node is stopped and started without that HSM …");
    world.stop_server()?;
    world.start_server(&[])?;
    let unlocked = unlock_after_reboot(world);
    story.claim("an old domain opens: the VM's key comes by KMIP as before", unlocked.is_ok())?;
    original.is_read_back(story, world, "without-an-hsm")?;
    let status = world.kmsctl_json("operator", &["hsm", "status"])?;
    let opened = |label: &str| member(&status, label)["opened"].as_u64().unwrap_or(0);
    story.quote(&format!(
        "opened since the start: PAR7S {}, TH3S {}, AZ07 {}",
        opened("PAR7S"),
        opened("TH3S"),
        opened("AZ07")
    ));
    story.claim("the counters show who served: TH3S, and not PAR7S", opened(LOST) == 0 && opened("TH3S") > 0)?;

    control(story, world, &token, &aside)?;

    fs::rename(&aside, &token)?;
    world.start_server(&[])?;
    let status = world.kmsctl_json("operator", &["hsm", "status"])?;
    story
        .claim("put back, all three are up after a restart", world.members_up(&status) == ["PAR7S", "TH3S", "AZ07"])?;
    unlock_after_reboot(world)?;
    story.claim("and every key still opens", every_key_opens(world)?)?;
    original.is_read_back(story, world, "after-the-outage")
}

/// Shows that it is failover that carries the node: switched off, the same check fails, and for want of that member.
/// Begins and ends with the member pulled out; the node may have stopped.
fn control(story: &mut Story, world: &mut World, token: &Path, aside: &Path) -> Result<(), Failure> {
    const OFF: [(&str, &str); 1] = [("CLAVIS_HSM_FAULT", "no-failover")];
    story.step("the control: the same with failover switched off by the fault injector …");
    if !world.can_inject_faults()? {
        return Err(Failure::new("kms-server was built without its fault injector; scripts/build-tested builds it"));
    }
    world.stop_server()?;
    fs::rename(aside, token)?;
    world.start_server(&OFF)?;
    let works = unlock_after_reboot(world);
    story.claim(
        format!("with {LOST} there and failover off the VM's key comes: the switch breaks nothing"),
        works.is_ok(),
    )?;
    world.stop_server()?;
    fs::rename(token, aside)?;
    let log = world.stage.dir.join("kms-server.log");
    let said_before = fs::read_to_string(&log)?.len();
    let (failed, why) = match world.start_server(&OFF) {
        // It need not even start.
        Err(failure) => (true, failure.to_string()),
        Ok(()) => match unlock_after_reboot(world) {
            Ok(()) => (false, String::new()),
            Err(failure) => (true, failure.to_string()),
        },
    };
    let said = fs::read_to_string(&log)?.split_off(said_before);
    let reason = said.lines().chain(why.lines()).find(|line| is_for_want_of_the_lost(line));
    story.quote(reason.unwrap_or("no line gives that reason"));
    story.claim(
        format!("without {LOST} and without failover this very check fails, for want of {LOST}"),
        failed && reason.is_some(),
    )?;
    // It may not have started at all.
    let _ = world.stop_server();
    Ok(())
}

/// Whether a line says that no HSM could be asked, the lost one being the only one that was considered. That it did not
/// open is said with failover, too, and is no reason to fail.
fn is_for_want_of_the_lost(line: &str) -> bool {
    line.split_once("no HSM member is available: ")
        .is_some_and(|(_, reasons)| reasons.starts_with(LOST) && !reasons.contains("TH3S") && !reasons.contains("AZ07"))
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

/// The first status that says that the member is down. Goes on well beyond what is allowed, so that the claim can tell.
fn wait_until_down(world: &World, gone: Instant) -> Result<Value, Failure> {
    while gone.elapsed() < 4 * (PROBE_INTERVAL + CALL_DEADLINE) {
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
