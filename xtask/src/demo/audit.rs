//! Chapter: the logs, exported and checked offline; a copy with one byte changed.

use std::fs;

use serde_json::Value;

use super::story::{Failure, Story};
use super::world::World;

/// Exports three logs, verifies them, and shows that a changed copy is caught.
pub fn show(story: &mut Story, world: &World) -> Result<(), Failure> {
    story.chapter("The audit logs, checked offline");
    let (text, records) = verified(story, world, "acme")?;
    for operation in ["Create", "Get", "Activate", "Add Attribute", "Destroy", "Register Client"] {
        let told = text.contains(&format!("\"operation\":\"{operation}\""));
        story.claim(format!("it tells of {operation}"), told)?;
    }
    verified(story, world, "boreal")?;
    verified(story, world, "system")?;

    let victim = records / 2;
    let changed = world.path("acme.changed.jsonl");
    fs::write(&changed, change_one_byte(&text, victim)?)?;
    let finished = verify(world, &changed.display().to_string())?;
    story.quote(finished.stderr.trim());
    let said: Value = serde_json::from_str(&finished.stdout)?;
    story.claim(
        format!("a copy with one byte changed fails, at record {victim}"),
        !finished.status.success() && said["verified"] == false && said["record"] == victim,
    )
}

/// Exports a log and verifies it; returns it with the number of its records, by the verifier's count.
fn verified(story: &mut Story, world: &World, log: &str) -> Result<(String, u64), Failure> {
    let bundle = world.path(&format!("{log}.jsonl"));
    let to = bundle.display().to_string();
    world.kmsctl("auditor", &["audit", "export", log, "--to", &to])?;
    let finished = verify(world, &to)?;
    if !finished.status.success() {
        return Err(Failure::new(finished.stderr));
    }
    let said: Value = serde_json::from_str(&finished.stdout)?;
    let records = said["records"].as_u64().unwrap_or_default();
    story.quote(&format!("{log}: root {}", said["root"].as_str().unwrap_or_default()));
    let text = fs::read_to_string(&bundle)?;
    let lines = text.lines().filter(|line| line.starts_with("{\"index\":")).count();
    story.claim(
        format!("the export of the log of {log}, {records} records, verifies with nothing but the public keys"),
        said["verified"] == true && records > 0 && u64::try_from(lines).is_ok_and(|lines| lines == records),
    )?;
    Ok((text, records))
}

fn verify(world: &World, bundle: &str) -> Result<xtask::stage::Finished, Failure> {
    let keys = world.stage.dir.join("ceremony/checkpoint-keys.txt").display().to_string();
    let addresses = &world.server()?.addresses;
    let args = ["verify", "bundle", bundle, "--keys", &keys, "--output", "json"];
    Ok(world.stage.kmsctl(&world.programs, addresses, "auditor", &args)?)
}

/// The bundle with one digit of the record's time changed.
fn change_one_byte(text: &str, victim: u64) -> Result<String, Failure> {
    let mark = format!("{{\"index\":{victim},\"time\":\"2");
    let at = text.find(&mark).ok_or_else(|| Failure::new("the record to be changed is not there"))? + mark.len();
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    Ok(String::from_utf8(bytes)?)
}
