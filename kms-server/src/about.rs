//! What a record tells of an object beside its identifier: the names and marks by which people know it, and what it
//! took the place of. `audit::about` has the words.

use audit::about::About;
use audit::limits::MAX_DETAIL_LEN;
use audit::{Record, bounded_text};
use keystore::{Change, ObjectRow};
use kmip::attribute::AttributeValue;
use kmip::registry::{LinkType, Operation};
use kmip::ttlv::ItemType;

/// Operations that put another object in the place of one.
const RENEWALS: [Operation; 3] = [Operation::ReKey, Operation::ReKeyKeyPair, Operation::ReCertify];

/// Says in a record that a change succeeded what is known of its object: of a new one what it is called, of both sides
/// of a renewal the other.
pub fn tell(record: &mut Record, changes: &[Change]) {
    let renews = RENEWALS.iter().any(|operation| operation.text() == record.operation);
    let mut about = About::default();
    for change in changes {
        match change {
            Change::CreateObject(row) => {
                row.attributes.iter().for_each(|attribute| call(&mut about, &attribute.value));
                about.predecessor = newest(row, LinkType::ReplacedObjectLink).filter(|_| renews);
            }
            Change::UpdateObject { row } if renews => about.successor = newest(row, LinkType::ReplacementObjectLink),
            _ => {}
        }
    }
    say(record, &about);
}

/// What is said of the object when a client sets this attribute; `None` for those by which nobody knows it.
#[must_use]
pub fn note_of(value: &AttributeValue) -> Option<String> {
    let mut about = About::default();
    call(&mut about, value);
    about.write(MAX_DETAIL_LEN)
}

fn say(record: &mut Record, about: &About) {
    let front = record.detail.take().map(|front| front + ": ").unwrap_or_default();
    let text = match about.write(MAX_DETAIL_LEN.saturating_sub(front.len())) {
        Some(words) => front + &words,
        None => front.trim_end_matches(": ").to_owned(),
    };
    record.detail = (!text.is_empty()).then(|| bounded_text(&text, MAX_DETAIL_LEN));
}

/// Names, and marks of a client's own that are text; what else an attribute holds may not be for everybody who reads
/// the log.
fn call(about: &mut About, value: &AttributeValue) {
    match value {
        AttributeValue::Name(name) => about.call("Name", &name.value),
        AttributeValue::Custom { name, value } if value.item_type() == ItemType::TextString => {
            if let Ok(text) = value.item().text() {
                about.call(name, text);
            }
        }
        _ => {}
    }
}

/// The object that the row's last link of this type leads to.
fn newest(row: &ObjectRow, link_type: LinkType) -> Option<String> {
    row.attributes.iter().rev().find_map(|one| match &one.value {
        AttributeValue::Link(link) if link.link_type == link_type => {
            Some(link.linked_object_identifier.as_text()?.to_owned())
        }
        _ => None,
    })
}
