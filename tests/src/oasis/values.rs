//! What a case has fixed so far: its clock, the values behind its placeholders, what requests said, what the server
//! chose.

use std::collections::{HashMap, HashSet};

use kmip::ttlv::ItemType;
use kmip::xml::{Element, XmlError};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Names the values of two cases take from an answer that had a literal where the next request has a placeholder
/// (CS-BC-M-13 and CS-AC-M-6): the placeholder without its number, and the field.
const LIKE_NAMED: [(&str, &str); 3] =
    [("$DATA", "Data"), ("$IV_COUNTER_NONCE", "IVCounterNonce"), ("$MAC_DATA", "MACData")];

/// What a free value is, so that equal texts of different kinds stay apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A unique identifier: two of the case's are two of the server's.
    Identifier,
    /// Key material that the server made.
    Material,
    /// A digest.
    Digest,
    /// The result of a cryptographic operation with the server's key or randomness.
    Computed,
}

/// The memory of a comparison.
#[derive(Clone, Debug)]
pub struct Values {
    now: OffsetDateTime,
    /// Placeholders.
    bound: HashMap<String, String>,
    /// Literals of the case in whose place the server has a value of its own.
    chosen: HashMap<(Kind, String), String>,
    /// Identifiers in use, and what they stand for in the case.
    identifiers: HashMap<String, String>,
    /// Dates that clients set: the object, and the attribute's name without blanks.
    dates: HashSet<(String, String)>,
    /// Whether a request of this case set an Object Group.
    group: bool,
    /// The last value of each field in an answer.
    last: HashMap<String, String>,
    /// Objects whose key the server made; kept from case to case of one tenant.
    made: HashSet<String>,
    /// Objects that a client brought; likewise.
    brought: HashSet<String>,
    /// Objects whose parameters draw randomness for each use.
    randomized: HashSet<String>,
}

impl Values {
    /// Nothing is known but the time.
    #[must_use]
    pub fn new() -> Self {
        Self {
            now: now(),
            bound: HashMap::new(),
            chosen: HashMap::new(),
            identifiers: HashMap::new(),
            dates: HashSet::new(),
            group: false,
            last: HashMap::new(),
            made: HashSet::new(),
            brought: HashSet::new(),
            randomized: HashSet::new(),
        }
    }

    /// Forgets everything that belongs to one case.
    pub fn next_case(&mut self) {
        let (made, brought) = (std::mem::take(&mut self.made), std::mem::take(&mut self.brought));
        *self = Self { made, brought, ..Self::new() };
    }

    /// Fills in the placeholders of a request.
    ///
    /// # Errors
    /// The placeholder that nothing was bound to.
    pub fn fill_in(&self, element: &mut Element) -> Result<(), String> {
        if let Some(text) = &element.value {
            if let Some(date) = self.moment(text) {
                element.value = Some(date);
            } else if text.starts_with("$UNIQUE_IDENTIFIER_RANDOM") {
                // The name says it: an identifier that does not exist.
                element.value = Some(Uuid::new_v4().to_string());
            } else if text.starts_with('$') {
                element.value = Some(self.of_placeholder(text).ok_or_else(|| text.clone())?);
            } else if is_identifier(element, None)
                && let Some(own) = self.chosen.get(&(Kind::Identifier, text.clone()))
            {
                element.value = Some(own.clone());
            }
        }
        element.children.iter_mut().try_for_each(|child| self.fill_in(child))
    }

    fn of_placeholder(&self, name: &str) -> Option<String> {
        let like_named = || {
            let (_, field) = LIKE_NAMED.iter().find(|(stem, _)| {
                name.strip_prefix(stem).is_some_and(|rest| {
                    rest.is_empty() || rest.strip_prefix('_').is_some_and(|n| n.parse::<u32>().is_ok())
                })
            })?;
            self.last.get(*field)
        };
        self.bound.get(name).or_else(like_named).cloned()
    }

    /// `$NOW`, `$NOW-3600`, `$NOW+3600` as a date.
    pub(super) fn moment(&self, text: &str) -> Option<String> {
        let rest = text.strip_prefix("$NOW")?;
        let seconds: i64 = if rest.is_empty() { 0 } else { rest.parse().ok()? };
        self.now.checked_add(Duration::seconds(seconds))?.format(&Rfc3339).ok()
    }

    /// Learns from a request that was filled in.
    pub fn learn_request(&mut self, element: &Element) {
        let mut attribute = None;
        for child in &element.children {
            if child.name == "AttributeName" {
                attribute = child.value.as_deref();
            }
            self.group |= child.name == "ObjectGroup"
                || child.name == "AttributeValue"
                    && attribute.is_some_and(|name| without_blanks(name) == "ObjectGroup");
            self.learn_request(child);
        }
    }

    /// Learns from the answer to one operation that succeeded; `sent` are the names of the dates in its request, without
    /// blanks.
    pub fn learn_answer(&mut self, operation: &str, object: Option<&str>, sent: &[String], payload: &Element) {
        let makes = matches!(
            operation,
            "Create" | "CreateKeyPair" | "ReKey" | "ReKeyKeyPair" | "DeriveKey" | "CreateSplitKey" | "JoinSplitKey"
        );
        for child in &payload.children {
            let Some(value) = &child.value else { continue };
            if makes && is_identifier(child, None) {
                self.made.insert(value.clone());
            }
            if matches!(operation, "Register" | "Import") && is_identifier(child, None) {
                self.brought.insert(value.clone());
            }
            self.last.insert(child.name.clone(), value.clone());
        }
        let Some(object) = object else { return };
        if operation == "Activate" {
            // The server's own from now on.
            self.dates.remove(&(object.to_owned(), "ActivationDate".to_owned()));
        }
        if operation != "Locate" {
            self.dates.extend(sent.iter().map(|name| (object.to_owned(), name.clone())));
        }
    }

    /// The object was found as a fresh member of its group. One that nobody brought the server has made for that (KMIP 1.1
    /// §4.9).
    pub fn learn_fresh(&mut self, object: &str) {
        if !self.brought.contains(object) {
            self.made.insert(object.to_owned());
        }
    }

    /// Whether the server made the key of this object.
    #[must_use]
    pub fn server_made(&self, identifier: &str) -> bool {
        self.made.contains(identifier)
    }

    /// The object draws randomness for each use.
    pub fn learn_randomized(&mut self, object: &str) {
        self.randomized.insert(object.to_owned());
    }

    /// Whether results with the object's key are random, whoever made it.
    #[must_use]
    pub fn is_randomized(&self, object: &str) -> bool {
        self.randomized.contains(object)
    }

    /// Whether a request of this case set an Object Group.
    #[must_use]
    pub fn group_was_sent(&self) -> bool {
        self.group
    }

    /// Whether a client set this date of this object.
    #[must_use]
    pub fn date_was_sent(&self, object: &str, name: &str) -> bool {
        self.dates.contains(&(object.to_owned(), without_blanks(name)))
    }

    /// Binds a placeholder at its first appearance; afterwards it must be the same.
    pub(super) fn agree_placeholder(&mut self, name: &str, actual: &str, identifier: bool) -> Result<(), String> {
        if let Some(bound) = self.bound.get(name) {
            return if bound == actual { Ok(()) } else { Err(format!("{name} was {bound} and is now {actual}")) };
        }
        if identifier {
            self.claim(name, actual)?;
        }
        self.bound.insert(name.to_owned(), actual.to_owned());
        Ok(())
    }

    /// Binds a placeholder anew: what the case calls by one name, the server gives for each stream or request.
    pub(super) fn rebind(&mut self, name: &str, actual: &str) {
        self.bound.insert(name.to_owned(), actual.to_owned());
    }

    /// The same for a literal in whose place the server may have a value of its own.
    pub(super) fn agree_literal(&mut self, kind: Kind, literal: &str, actual: &str) -> Result<(), String> {
        let key = (kind, literal.to_owned());
        if let Some(own) = self.chosen.get(&key) {
            return if own == actual { Ok(()) } else { Err("differs from what it was before".to_owned()) };
        }
        if kind == Kind::Identifier {
            self.claim(literal, actual)?;
        }
        self.chosen.insert(key, actual.to_owned());
        Ok(())
    }

    /// One identifier cannot stand for two of the case's.
    fn claim(&mut self, name: &str, actual: &str) -> Result<(), String> {
        match self.identifiers.insert(actual.to_owned(), name.to_owned()) {
            Some(other) if other != name => Err(format!("{name} is {actual}, which is {other} already")),
            _ => Ok(()),
        }
    }
}

impl Default for Values {
    fn default() -> Self {
        Self::new()
    }
}

/// Whole seconds, as KMIP has them.
fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(0).unwrap_or(now)
}

/// Whether an element holds a unique identifier; `attribute` is the name that stands before an Attribute Value.
pub(super) fn is_identifier(element: &Element, attribute: Option<&str>) -> bool {
    match element.name.as_str() {
        "UniqueIdentifier" | "PrivateKeyUniqueIdentifier" | "PublicKeyUniqueIdentifier" | "LinkedObjectIdentifier" => {
            true
        }
        "AttributeValue" => attribute == Some("Unique Identifier"),
        _ => false,
    }
}

pub(super) fn without_blanks(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The value of an element in one spelling: hexadecimal in lower case, dates in UTC, masks in the order of their bits.
///
/// # Errors
/// [`XmlError`] for a value that does not read as its type.
pub(super) fn normal(element: &Element, attribute: Option<&str>) -> Result<String, XmlError> {
    let mut parent = Element {
        name: "Attribute".to_owned(),
        tag: None,
        item_type: ItemType::Structure,
        value: None,
        children: Vec::new(),
    };
    if let Some(attribute) = attribute {
        parent.children.push(Element {
            name: "AttributeName".to_owned(),
            item_type: ItemType::TextString,
            value: Some(attribute.to_owned()),
            ..parent.clone()
        });
    }
    parent.children.push(element.clone());
    let mut read = Element::from_ttlv(&parent.to_ttlv()?)?;
    Ok(read.children.pop().and_then(|child| child.value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::compare::compare;
    use super::*;

    /// Plays one operation whose answer is as expected but for the key bytes, and says whether that went through.
    fn answered(values: &mut Values, operation: &str, asked: &str, expected: &str, actual: &str) -> bool {
        let message = |inside: &str| {
            Element::parse(&format!("<ResponseMessage><BatchItem>{inside}</BatchItem></ResponseMessage>")).unwrap()
        };
        let operation = format!("<Operation type=\"Enumeration\" value=\"{operation}\"/>");
        let request = message(&format!("{operation}<RequestPayload>{asked}</RequestPayload>"));
        let answer = |payload: &str| message(&format!("{operation}<ResponsePayload>{payload}</ResponsePayload>"));
        compare(&request, &answer(expected), &answer(actual), values).is_empty()
    }

    fn got(values: &mut Values) -> bool {
        let key = |material: &str| {
            format!(
                "{ID}<SymmetricKey><KeyBlock><KeyValue><KeyMaterial type=\"ByteString\" value=\"{material}\"/>\
                 </KeyValue></KeyBlock></SymmetricKey>"
            )
        };
        answered(values, "Get", ID, &key("00"), &key("11"))
    }

    const ID: &str = "<UniqueIdentifier type=\"TextString\" value=\"own-1\"/>";
    const FRESH: &str = "<ObjectGroupMember type=\"Enumeration\" value=\"GroupMemberFresh\"/>";

    #[test]
    fn a_fresh_member_of_a_group_is_the_server_s_unless_a_client_brought_it() {
        let mut values = Values::new();
        assert!(answered(&mut values, "Locate", FRESH, ID, ID));
        assert!(got(&mut values));
        // Brought by an earlier case of the tenant.
        let mut values = Values::new();
        assert!(answered(&mut values, "Register", "", ID, ID));
        values.next_case();
        assert!(answered(&mut values, "Locate", FRESH, ID, ID));
        assert!(!got(&mut values));
        // Found without asking for a fresh one.
        let mut values = Values::new();
        assert!(answered(&mut values, "Locate", "", ID, ID));
        assert!(!got(&mut values));
    }
}
