//! Chapter: what the ceremony proved about the keys in the HSMs.

use std::fs;

use serde_json::Value;

use super::story::{Failure, Story};
use super::world::World;

/// The members on which all of it was tried.
const MEMBERS: [&str; 3] = ["PAR7S", "TH3S", "AZ07"];

/// The keys that were attacked, and what they are called here. A tenant's key cannot be attacked so: it is reached
/// through the node alone. The ceremony's own Domain Key is made and imported by the template of theirs.
const TARGETS: [(&str, &str); 2] =
    [("root-of-trust", "the Root of Trust"), ("domain-key", "a Domain Key that the ceremony made for this")];

/// What must have been tried on each target and member, by the names in the protocol.
const ATTEMPTS: [(&str, &[&str]); 4] = [
    ("read", &["C_GetAttributeValue of CKA_VALUE"]),
    ("wrapped out", &["C_WrapKey under the attacker's key", "C_WrapKey under the Root of Trust"]),
    (
        "copied",
        &[
            "C_CopyObject as it is",
            "C_CopyObject with CKA_SENSITIVE=false",
            "C_CopyObject with CKA_EXTRACTABLE=true",
            "C_CopyObject with CKA_COPYABLE=true",
        ],
    ),
    (
        "changed",
        &[
            "C_SetAttributeValue CKA_SENSITIVE=false",
            "C_SetAttributeValue CKA_EXTRACTABLE=true",
            "C_SetAttributeValue CKA_MODIFIABLE=true",
            "C_SetAttributeValue CKA_DECRYPT=true",
            "C_SetAttributeValue CKA_WRAP=true",
        ],
    ),
];

/// Shows and checks the ceremony's protocol.
pub fn show(story: &mut Story, world: &World) -> Result<(), Failure> {
    let protocol: Value = serde_json::from_slice(&fs::read(world.stage.dir.join("ceremony/protocol.json"))?)?;
    let members = protocol["members"].as_array().cloned().unwrap_or_default();
    let labels: Vec<_> = members.iter().filter_map(|member| member["label"].as_str()).collect();
    story.claim("the Root of Trust is on PAR7S, TH3S and AZ07", labels == MEMBERS)?;
    let fingerprint = members.first().map(|member| member["fingerprint"].clone()).unwrap_or_default();
    let same = fingerprint.is_string() && members.iter().all(|member| member["fingerprint"] == fingerprint);
    story
        .claim(format!("its fingerprint is the same on all three: {}", fingerprint.as_str().unwrap_or("none")), same)?;
    for (target, name) in TARGETS {
        refused(story, &members, target, name)?;
    }
    let shares = ["custodian1", "custodian2", "custodian3"]
        .iter()
        .filter(|name| world.stage.dir.join(format!("custodians/{name}.share")).exists())
        .count();
    let blob = world.stage.dir.join("escrow/escrow.blob").exists();
    story.claim("the escrow lies apart: one blob, three sealed shares of which two are needed", blob && shares == 3)
}

fn refused(story: &mut Story, members: &[Value], target: &str, name: &str) -> Result<(), Failure> {
    let on = |member: &Value| -> Vec<Value> {
        let all = member["attempts"].as_array().cloned().unwrap_or_default();
        all.into_iter().filter(|attempt| attempt["target"] == target).collect()
    };
    story.step(&format!("tried on {name}, on PAR7S:"));
    for attempt in members.first().map(on).unwrap_or_default() {
        let text = |key: &str| attempt[key].as_str().unwrap_or("?").to_owned();
        story.quote(&format!("{} → {}", text("attempt"), text("answer")));
    }
    for (what, names) in ATTEMPTS {
        let was_refused = |member: &Value, name: &str| {
            on(member).iter().any(|attempt| attempt["attempt"] == name && attempt["refused"] == true)
        };
        story.claim(
            format!("on each member {name} cannot be {what}, in any of {} ways", names.len()),
            members.len() == MEMBERS.len()
                && members.iter().all(|member| names.iter().all(|name| was_refused(member, name))),
        )?;
    }
    let all: Vec<Value> = members.iter().flat_map(on).collect();
    story.claim(
        format!("nor did any other of the {} attempts on the three members go through", all.len()),
        !all.is_empty() && all.iter().all(|attempt| attempt["refused"] == true),
    )
}
