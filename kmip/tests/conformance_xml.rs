//! The published OASIS test cases, transcoded: every message becomes TTLV and comes back.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "support/cases.rs"]
mod cases;
#[path = "support/rewrite.rs"]
mod rewrite;

use kmip::xml::Element;

#[test]
fn published_messages_become_ttlv_and_come_back() {
    let Some(cases) = cases::all() else { return };
    let (mut messages, mut faults) = (0, Vec::new());
    for case in &cases {
        match &case.messages {
            Err(fault) => faults.push(format!("{}: {fault}", case.path.display())),
            Ok(of_this) => {
                for (at, message) in of_this.iter().enumerate() {
                    messages += 1;
                    if let Err(fault) = transcode(message) {
                        faults.push(format!("{}, message {at}: {fault}", case.path.display()));
                    }
                }
            }
        }
    }
    println!("{messages} messages in {} files", cases.len());
    assert!(messages > 0);
    if !faults.is_empty() {
        panic!("{} faults:\n{}", faults.len(), faults.join("\n"));
    }
}

fn transcode(message: &Element) -> Result<(), String> {
    let bytes = message.to_ttlv().map_err(|error| error.to_string())?;
    let again = rewrite::rewrite(&bytes).map_err(|error| error.to_string())?;
    if again != *bytes {
        return Err("TTLV changes when it is read and written".to_owned());
    }
    let back = Element::from_ttlv(&bytes).map_err(|error| error.to_string())?;
    let printed = back.print().map_err(|error| error.to_string())?;
    let parsed = Element::parse(&printed).map_err(|error| error.to_string())?;
    if *parsed.to_ttlv().map_err(|error| error.to_string())? != *bytes {
        return Err("XML made from TTLV is another message".to_owned());
    }
    Ok(())
}
