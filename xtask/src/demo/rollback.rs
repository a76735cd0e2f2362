//! Chapter: an older database is put back, and the witnesses tell.

use std::fs;
use std::path::{Path, PathBuf};

use super::story::{Failure, Story};
use super::world::World;

/// The database, and what SQLite keeps beside it.
const FILES: [&str; 2] = ["", "-wal"];

/// Shows a checkpoint that the witnesses co-signed, and that yesterday's database is refused today.
pub fn show(story: &mut Story, world: &mut World) -> Result<(), Failure> {
    story.chapter("Yesterday's database, put back");
    let note = world.kmsctl("auditor", &["audit", "checkpoint", "acme"])?;
    let file = world.path("acme.checkpoint").display().to_string();
    fs::write(&file, &note)?;
    let keys = world.stage.dir.join("ceremony/checkpoint-keys.txt").display().to_string();
    let witnesses: Vec<String> = world.witnesses.keys().iter().map(audit::witness::WitnessKey::verifier_key).collect();
    let mut args = vec!["verify", "checkpoint", &file, "--keys", &keys];
    witnesses.iter().for_each(|key| args.extend(["--witness", key]));
    let said = world.kmsctl("auditor", &args)?;
    story.quote(said.trim_end());
    let named = ["PAR7S", "TH3S", "AZ07"].iter().filter(|zone| said.contains(&format!("{zone} at "))).count();
    story.claim(
        "the head of acme's log is signed in the HSM and co-signed by the witnesses of two zones or three",
        named >= 2,
    )?;

    world.stop_server()?;
    let (store, older) = (world.stage.store(), world.path("older.sqlite"));
    copy(&store, &older)?;
    world.start_server(&[])?;
    world.kmsctl("operator", &["domain", "create", "epsilon", "--policy", "anssi"])?;
    world.kmsctl("auditor", &["audit", "checkpoint", "system"])?;
    world.stop_server()?;
    let newest = world.path("newest.sqlite");
    copy(&store, &newest)?;
    story.step("a domain was made since; now the database of before is put back, whole and consistent …");
    copy(&older, &store)?;
    let refused = world.start_server(&[]).err().map(|failure| failure.to_string()).unwrap_or_default();
    let line = refused.lines().find(|line| line.contains("a witness saw")).unwrap_or_default();
    story.quote(line);
    story.claim("the node refuses to serve it: a witness saw more", !line.is_empty())?;
    copy(&newest, &store)?;
    world.start_server(&[])?;
    let domains = world.kmsctl("operator", &["domain", "list"])?;
    story.claim("with the newest database it serves again", domains.contains("epsilon"))
}

fn file(store: &Path, suffix: &str) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Copies a database that nobody has open, and removes what SQLite kept beside the one that was there.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    for suffix in FILES {
        let (from, to) = (file(from, suffix), file(to, suffix));
        if to.exists() {
            fs::remove_file(&to)?;
        }
        if from.exists() {
            fs::copy(&from, &to)?;
        }
    }
    let shared = file(to, "-shm");
    if shared.exists() {
        fs::remove_file(shared)?;
    }
    Ok(())
}
