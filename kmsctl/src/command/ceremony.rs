//! The record of a ceremony, verified offline: every custodian signed, and it is of this trust anchor.

use std::path::Path;

use quorum::{CeremonyRecord, SignedCeremony};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::exit::Failure;
use crate::files;
use crate::output::{Out, Sheet, utc};

/// What of a trust anchor is compared. It may hold more: the keys of members of other ceremonies.
#[derive(Deserialize)]
struct Anchor {
    rot_fingerprint: String,
    checkpoint_keys: Vec<AnchorKey>,
    #[serde(default)]
    retired_keys: Vec<AnchorKey>,
}

#[derive(Deserialize)]
struct AnchorKey {
    member: String,
    public_key: String,
}

#[derive(Serialize)]
struct Held {
    verified: bool,
    kms: String,
    act: &'static str,
    held: String,
    root_of_trust: String,
    threshold: u8,
    signed_by: Vec<Signed>,
    members: Vec<String>,
    trust_anchor_compared: bool,
    protocol_compared: bool,
}

#[derive(Serialize)]
struct Signed {
    custodian: String,
    key: String,
}

/// Verifies the record at `file`, with what else is given.
pub(super) fn verify(
    file: &Path,
    trust_anchor: Option<&Path>,
    protocol: Option<&Path>,
    custodians: &[String],
    out: &Out,
) -> Result<(), Failure> {
    let bad = |text: String| Failure::NotVerified(text);
    let signed = SignedCeremony::from_json(&files::read(file)?).map_err(|fault| bad(fault.to_string()))?;
    let (record, by, missing) = signed.verify().map_err(|fault| bad(fault.to_string()))?;
    if !missing.is_empty() {
        return Err(bad(format!("not signed by {}", missing.join(", "))));
    }
    if by.is_empty() {
        return Err(bad("it has no custodians".to_owned()));
    }
    let signed_by: Vec<Signed> =
        by.iter().map(|one| Signed { custodian: one.name.clone(), key: hex::encode(one.fingerprint()) }).collect();
    if let Some(unknown) = custodians.iter().find(|key| !signed_by.iter().any(|one| one.key.eq_ignore_ascii_case(key)))
    {
        return Err(bad(format!("the custodian with the key {unknown} is none of those who signed")));
    }
    if let Some(path) = protocol
        && digest(&SHA256, &files::read(path)?).as_ref() != record.protocol
    {
        return Err(bad(format!("{} is not the protocol that was signed for", path.display())));
    }
    if let Some(path) = trust_anchor {
        compare(&record, path)?;
    }
    let held = Held {
        verified: true,
        kms: record.kms.clone(),
        act: record.act.text(),
        held: utc(record.held_s),
        root_of_trust: hex::encode(record.root_of_trust),
        threshold: record.threshold,
        signed_by,
        members: record.members.iter().map(|member| member.label.clone()).collect(),
        trust_anchor_compared: trust_anchor.is_some(),
        protocol_compared: protocol.is_some(),
    };
    out.write(&held, || sheet(&held, &record))
}

/// The anchor pins this Root of Trust, and knows the key of each member of the record.
fn compare(record: &CeremonyRecord, path: &Path) -> Result<(), Failure> {
    let anchor: Anchor = serde_json::from_slice(&files::read(path)?)
        .map_err(|error| Failure::file(path, std::io::Error::new(std::io::ErrorKind::InvalidData, error)))?;
    if anchor.rot_fingerprint != hex::encode(record.root_of_trust) {
        return Err(Failure::NotVerified(format!("{} pins another Root of Trust", path.display())));
    }
    for member in &record.members {
        let key = hex::encode(member.checkpoint_key);
        let mut known = anchor.checkpoint_keys.iter().chain(&anchor.retired_keys);
        if !known.any(|one| one.member == member.label && one.public_key == key) {
            let text = format!("{} does not know the checkpoint key of {}", path.display(), member.label);
            return Err(Failure::NotVerified(text));
        }
    }
    Ok(())
}

fn sheet(held: &Held, record: &CeremonyRecord) -> String {
    let mut sheet = Sheet::new();
    sheet
        .line("verified", "yes")
        .line("kms", &held.kms)
        .line("act", held.act)
        .line("held", &held.held)
        .line("root of trust", &held.root_of_trust)
        .line("shares needed", held.threshold.to_string());
    for member in &record.members {
        sheet.line("member", format!("{}, {} attacks refused", member.label, member.refused));
    }
    for one in &held.signed_by {
        sheet.line("signed by", format!("{} {}", one.custodian, one.key));
    }
    sheet.line("trust anchor", if held.trust_anchor_compared { "is of this ceremony" } else { "not compared" });
    sheet.line("protocol", if held.protocol_compared { "is what was signed for" } else { "not compared" });
    sheet.render()
}
