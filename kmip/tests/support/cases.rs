//! The published OASIS test cases. They are not part of this repository: `KMIP_CONFORMANCE_DIR` names a folder of them,
//! one folder per version, `.xml` files somewhere below.

use std::path::{Path, PathBuf};

use kmip::ttlv::ItemType;
use kmip::xml::Element;

/// Files that are no well-formed XML as published: a second closing tag at the end.
const NOT_WELL_FORMED: [&str; 1] = ["TC-ECDSA-SIGN-1-14.xml"];

/// The messages of one file, with every placeholder filled in.
pub struct Case {
    pub path: PathBuf,
    pub messages: Result<Vec<Element>, String>,
}

/// All cases; `None`, after saying so, where there is no folder of them.
pub fn all() -> Option<Vec<Case>> {
    let Some(folder) = std::env::var_os("KMIP_CONFORMANCE_DIR") else {
        println!("did not run: KMIP_CONFORMANCE_DIR names no folder of OASIS test cases");
        return None;
    };
    let mut files = Vec::new();
    xml_files(Path::new(&folder), &mut files);
    assert!(!files.is_empty(), "no case below {}", Path::new(&folder).display());
    files.retain(|path| !NOT_WELL_FORMED.iter().any(|name| path.ends_with(name)));
    Some(files.into_iter().map(read).collect())
}

fn read(path: PathBuf) -> Case {
    let xml = std::fs::read_to_string(&path).unwrap();
    let messages = Element::parse(&xml).map_err(|error| error.to_string()).map(|mut root| {
        fill_in_placeholders(&mut root);
        root.children
    });
    Case { path, messages }
}

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
