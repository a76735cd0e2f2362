//! Chapter: what the ceremony proved about the keys in the HSMs.

use std::fs;

use serde_json::Value;

use super::story::{Failure, Story};
use super::world::World;

/// Shows and checks the ceremony's protocol.
pub fn show(story: &mut Story, world: &World) -> Result<(), Failure> {
    let protocol: Value = serde_json::from_slice(&fs::read(world.stage.dir.join("ceremony/protocol.json"))?)?;
    let members = protocol["members"].as_array().cloned().unwrap_or_default();
    let labels: Vec<_> = members.iter().filter_map(|member| member["label"].as_str()).collect();
    story.claim("the Root of Trust is on PAR7S, TH3S and AZ07", labels == ["PAR7S", "TH3S", "AZ07"])?;
    let fingerprint = members.first().map(|member| member["fingerprint"].clone()).unwrap_or_default();
    let same = fingerprint.is_string() && members.iter().all(|member| member["fingerprint"] == fingerprint);
    story
        .claim(format!("its fingerprint is the same on all three: {}", fingerprint.as_str().unwrap_or("none")), same)?;

    let attempts: Vec<&Value> = members.iter().filter_map(|member| member["attempts"].as_array()).flatten().collect();
    for target in ["root-of-trust", "domain-key"] {
        let of_first = members.first().and_then(|member| member["attempts"].as_array()).cloned().unwrap_or_default();
        story.step(&format!("tried on the {} of PAR7S:", target.replace('-', " ")));
        for attempt in of_first.iter().filter(|attempt| attempt["target"] == target) {
            let text = |key: &str| attempt[key].as_str().unwrap_or("?").to_owned();
            story.quote(&format!("{} → {}", text("attempt"), text("answer")));
        }
        let on_target: Vec<_> = attempts.iter().filter(|attempt| attempt["target"] == target).collect();
        let all_refused = !on_target.is_empty() && on_target.iter().all(|attempt| attempt["refused"] == true);
        story.claim(
            format!("all {} attempts on the {} were refused", on_target.len(), target.replace('-', " ")),
            all_refused,
        )?;
    }
    let shares = ["custodian1", "custodian2", "custodian3"]
        .iter()
        .filter(|name| world.stage.dir.join(format!("custodians/{name}.share")).exists())
        .count();
    let blob = world.stage.dir.join("escrow/escrow.blob").exists();
    story.claim("the escrow lies apart: one blob, three sealed shares of which two are needed", blob && shares == 3)
}
