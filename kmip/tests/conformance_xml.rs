//! The published OASIS test cases, transcoded: every message becomes TTLV, XML and JSON and comes back.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "support/cases.rs"]
mod cases;
#[path = "support/rewrite.rs"]
mod rewrite;

use kmip::xml::Element;
use kmip::{json, xml};

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
    // The tree says what the published one says, whatever the spelling.
    let tree = Element::from_ttlv(&bytes).map_err(|error| error.to_string())?;
    let printed = tree.print().map_err(|error| error.to_string())?;
    let read = Element::parse(&printed).map_err(|error| error.to_string())?;
    if read != tree || *read.to_ttlv().map_err(|error| error.to_string())? != *bytes {
        return Err("the tree made from TTLV is another message".to_owned());
    }
    if !same_names(message, &tree) {
        return Err("the tree made from TTLV has other elements".to_owned());
    }
    // As it was published, as it is written, and by way of JSON.
    let published = message.print().map_err(|error| error.to_string())?;
    let xml = xml::from_ttlv(&bytes).map_err(|error| error.to_string())?;
    let json = json::from_ttlv(&bytes).map_err(|error| error.to_string())?;
    for (what, again) in
        [("published XML", xml::to_ttlv(&published)), ("XML", xml::to_ttlv(&xml)), ("JSON", json::to_ttlv(&json))]
    {
        if again.map_err(|error| format!("{what}: {error}"))? != bytes {
            return Err(format!("{what} is another message"));
        }
    }
    let by_json = json::to_ttlv(&json).and_then(|bytes| xml::from_ttlv(&bytes)).map_err(|error| error.to_string())?;
    if by_json != xml {
        return Err("XML by way of JSON is another document".to_owned());
    }
    Ok(())
}

/// Whether two trees have the same elements of the same types. Names of one tag differ between versions.
fn same_names(a: &Element, b: &Element) -> bool {
    a.tag() == b.tag()
        && a.item_type == b.item_type
        && a.children.len() == b.children.len()
        && a.children.iter().zip(&b.children).all(|(a, b)| same_names(a, b))
}
