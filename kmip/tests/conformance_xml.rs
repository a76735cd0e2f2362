//! The published OASIS test cases, transcoded: every message becomes TTLV and comes back.
//!
//! The cases are not part of this repository. `KMIP_CONFORMANCE_DIR` names a folder of them: one folder per version,
//! `.xml` files somewhere below. Without it the test says that it did not run.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "support/rewrite.rs"]
mod rewrite;

use std::path::{Path, PathBuf};

use kmip::ttlv::ItemType;
use kmip::xml::Element;

/// Files that are no well-formed XML as published: a second closing tag at the end.
const NOT_WELL_FORMED: [&str; 1] = ["TC-ECDSA-SIGN-1-14.xml"];

fn xml_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            xml_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "xml") {
            found.push(path);
        }
    }
}

/// Values such as `$NOW` or `$UNIQUE_IDENTIFIER_0` stand for what a run would know; any value of the type does here.
fn fill_in_placeholders(element: &mut Element) {
    if element.value.as_deref().is_some_and(|value| value.starts_with('$')) {
        let stand_in = match element.item_type {
            ItemType::DateTime => "2012-04-27T08:14:38+00:00",
            ItemType::ByteString | ItemType::BigInteger => "0123456789abcdef",
            _ => "placeholder",
        };
        element.value = Some(stand_in.to_owned());
    }
    element.children.iter_mut().for_each(fill_in_placeholders);
}

#[test]
fn published_messages_become_ttlv_and_come_back() {
    let Some(folder) = std::env::var_os("KMIP_CONFORMANCE_DIR") else {
        println!("did not run: KMIP_CONFORMANCE_DIR names no folder of OASIS test cases");
        return;
    };
    let mut files = Vec::new();
    xml_files(Path::new(&folder), &mut files);
    let (mut messages, mut faults) = (0, Vec::new());
    for path in &files {
        let xml = std::fs::read_to_string(path).unwrap();
        let mut root = match Element::parse(&xml) {
            Ok(root) => root,
            Err(_) if NOT_WELL_FORMED.iter().any(|name| path.ends_with(name)) => continue,
            Err(error) => {
                faults.push(format!("{}: {error}", path.display()));
                continue;
            }
        };
        fill_in_placeholders(&mut root);
        for (at, message) in root.children.iter().enumerate() {
            messages += 1;
            if let Err(fault) = transcode(message) {
                faults.push(format!("{}, message {at}: {fault}", path.display()));
            }
        }
    }
    println!("{messages} messages in {} files", files.len());
    assert!(messages > 0, "no message below {}", Path::new(&folder).display());
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
