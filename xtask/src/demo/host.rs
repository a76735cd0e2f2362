//! Chapter: the host reboots and forgets; a key that is gone locks its VM.

use serde_json::json;

use super::encryption::{DOOMED_VM, VM};
use super::original::Original;
use super::story::{Failure, Story};
use super::world::World;

/// Reboots the host, once with all keys at the server and once with one destroyed.
pub fn show(story: &mut Story, world: &mut World, original: &Original) -> Result<(), Failure> {
    story.chapter("The host reboots");
    let doomed = world.host_get(&format!("/vms/{DOOMED_VM}"))?["key"]["keyId"].as_str().unwrap_or_default().to_owned();
    world.kmsctl("operator", &["object", "revoke", "acme", &doomed, "--reason", "cessation-of-operation"])?;
    world.kmsctl("operator", &["object", "destroy", "acme", &doomed])?;
    story.step(&format!("the operator destroys the key of {DOOMED_VM}; then the host is killed and boots again"));
    world.reboot_host()?;
    let memory = world.host_get("/counters")?;
    story.claim("after the boot the host holds no key", memory["keysInHostMemory"] == 0)?;
    let unlocked = world.host_post(&format!("/vms/{VM}/unlock"), &json!({}))?;
    story.claim(format!("{VM} gets its key back by KMIP and runs"), unlocked["state"] == "unlocked")?;
    original.is_read_back(story, world, "after-reboot")?;
    let (_, answer) = world.host_try(&format!("/vms/{DOOMED_VM}/unlock"), &json!({}))?;
    let status = world.host_get(&format!("/vms/{DOOMED_VM}"))?;
    let message = status["message"].as_str().or(answer["error"]["message"].as_str()).unwrap_or_default().to_owned();
    story.quote(&message);
    story.claim(
        format!("{DOOMED_VM} is locked and says which key is missing"),
        status["state"] == "locked" && message.contains(&doomed),
    )
}
