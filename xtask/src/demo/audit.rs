//! Chapter: the tenant's log, exported and checked offline; a copy with one byte changed.

use std::fs;

use super::story::{Failure, Story};
use super::world::World;

/// Exports acme's log, verifies it, and shows that a changed copy is caught.
pub fn show(story: &mut Story, world: &World) -> Result<(), Failure> {
    story.chapter("The audit log, checked offline");
    let bundle = world.path("acme.jsonl");
    let keys = world.stage.dir.join("ceremony/checkpoint-keys.txt").display().to_string();
    let to = bundle.display().to_string();
    world.kmsctl("auditor", &["audit", "export", "acme", "--to", &to])?;
    let text = fs::read_to_string(&bundle)?;
    let records = text.lines().filter(|line| line.starts_with("{\"index\":")).count();
    let said = world.kmsctl("auditor", &["verify", "bundle", &to, "--keys", &keys])?;
    story.quote(said.trim());
    story.claim(
        format!("the export of acme's log, {records} records, verifies with nothing but the public keys"),
        records > 0,
    )?;
    for operation in ["Create", "Get", "Activate", "Add Attribute", "Destroy", "Register Client"] {
        let told = text.contains(&format!("\"operation\":\"{operation}\""));
        story.claim(format!("it tells of {operation}"), told)?;
    }

    let victim = records / 2;
    let changed = world.path("acme.changed.jsonl");
    fs::write(&changed, change_one_byte(&text, victim)?)?;
    let finished = world.stage.kmsctl(
        &world.programs,
        &world.server()?.addresses,
        "auditor",
        &["verify", "bundle", &changed.display().to_string(), "--keys", &keys],
    )?;
    let said = finished.stderr.trim().to_owned();
    story.quote(&said);
    let names_it = said.contains(&format!("record {victim}"));
    story.claim(
        format!("a copy with one byte changed fails, at record {victim}"),
        !finished.status.success() && names_it,
    )
}

/// The bundle with one digit of the record's time changed.
fn change_one_byte(text: &str, victim: usize) -> Result<String, Failure> {
    let mark = format!("{{\"index\":{victim},\"time\":\"2");
    let at = text.find(&mark).ok_or_else(|| Failure::new("the record to be changed is not there"))? + mark.len();
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    Ok(String::from_utf8(bytes)?)
}
