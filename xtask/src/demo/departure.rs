//! Chapter: a tenant leaves, and two security officers end the domain; one alone cannot.

use serde_json::Value;

use super::story::{Failure, Story};
use super::world::World;

/// The tenant whose contract ends.
const LEAVING: &str = "cobalt";

/// Destroys a domain under dual control.
pub fn show(story: &mut Story, world: &World) -> Result<(), Failure> {
    story.chapter("A tenant leaves, and two officers sign");
    let asked = world.kmsctl_json("operator", &["domain", "destroy", LEAVING])?;
    let id = asked["id"].as_str().unwrap_or_default().to_owned();
    for line in asked["signed"]["request"].as_str().unwrap_or_default().lines() {
        story.quote(line);
    }
    world.kmsctl("officer1", &["request", "approve", &id])?;
    let execute = || -> Result<_, Failure> {
        let addresses = &world.server()?.addresses;
        Ok(world.stage.kmsctl(&world.programs, addresses, "operator", &["request", "execute", &id])?)
    };
    let alone = execute()?;
    story.quote(alone.stderr.trim());
    story.claim("one officer's signature is not enough", !alone.status.success() && state(world)? == "active")?;
    world.kmsctl("officer2", &["request", "approve", &id])?;
    let done = execute()?;
    story.claim(
        format!("with the second one {LEAVING} is destroyed"),
        done.status.success() && state(world)? == "destroyed",
    )?;
    story.claim("the request cannot be executed again", !execute()?.status.success())?;
    let domains = world.kmsctl_json("operator", &["domain", "list"])?;
    let active = |name: &str| {
        let named = |one: &Value| one["name"] == name && one["state"] == "active";
        domains.as_array().is_some_and(|all| all.iter().any(named))
    };
    story.claim("acme and boreal are served as before", active("acme") && active("boreal"))
}

fn state(world: &World) -> Result<String, Failure> {
    let domain = world.kmsctl_json("operator", &["domain", "show", LEAVING])?;
    Ok(domain["state"].as_str().unwrap_or_default().to_owned())
}
