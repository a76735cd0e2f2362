//! Every case in every encoding: the answers are compared with each other, not with what the case expects.
//!
//! Each encoding has a tenant and a server's choices of its own, so answers are the same *up to renaming*: an identifier, or
//! a byte string that the server chose, of one answer stands for one of the other, always the same and never two; dates are
//! as far from the clock. What a server chooses is named below: nothing else may differ, and nothing that the case sent
//! itself. Everything else is equal: structure, types, order, enumerations, reasons, texts, lengths.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use kmip::encoding::Encoding;
use kmip::ttlv::ItemType;
use kmip::xml::Element;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::case::{CaseFile, find};
use super::play::{Exchange, play_while};
use super::run::{Way, on_stage};
use super::worlds::Worlds;
use crate::node::{Node, Result};

/// What is compared: bare TTLV with each of the others.
const WAYS: [Way; 4] =
    [Way::AsWritten, Way::Https(Encoding::Ttlv), Way::Https(Encoding::Xml), Way::Https(Encoding::Json)];
/// Groups in play at one time.
const WORKERS: usize = 4;
/// Dates further from the clock than this are the case's own, and compared as they stand.
const NEAR_S: i64 = 400 * 86_400;
/// So far apart in time are the messages of two ways at most.
const APART_S: i64 = 120;
/// Bytes by which encodings of keys, signatures and certificates differ from one to the next: a DER integer has a zero in
/// front or has not.
const DER_SLACK: usize = 16;
/// Fewer bytes have a fixed length: symmetric keys, IVs, tags, correlation values.
const FIXED_LEN: usize = 64;

/// Fields with which the server marks what is to be found again.
const MARKS: [&str; 4] = ["AsynchronousCorrelationValue", "CorrelationValue", "TicketValue", "ShortUniqueIdentifier"];
/// Fields that hold, or follow from, what the server has drawn at random, once it has drawn something: keys in every
/// form, what they make of data, digests of them, certificates that it signed and what they say of themselves.
const DRAWN: [&str; 23] = [
    "KeyMaterial",
    "KeyValue",
    "Key",
    "Modulus",
    "PrivateExponent",
    "P",
    "Q",
    "PrimeExponentP",
    "PrimeExponentQ",
    "CRTCoefficient",
    "D",
    "QString",
    "Data",
    "IVCounterNonce",
    "AuthenticatedEncryptionTag",
    "MACData",
    "SignatureData",
    "DigestValue",
    "CertificateValue",
    "CertificateSerialNumber",
    "SerialNumber",
    "IssuerDistinguishedName",
    "SubjectDistinguishedName",
];
/// Requests upon which the server draws: fields with these values.
const DRAWING: [(&str, &[&str]); 6] = [
    (
        "Operation",
        &[
            "Create",
            "CreateKeyPair",
            "ReKey",
            "ReKeyKeyPair",
            "Certify",
            "ReCertify",
            "CreateSplitKey",
            "RNGRetrieve",
            "ReProvision",
        ],
    ),
    // A fresh member of a group that the server fills by itself.
    ("ObjectGroupMember", &["GroupMemberFresh"]),
    // Salts and IVs of the encrypted form.
    ("KeyFormatType", &["PKCS_12"]),
    ("RandomIV", &["true"]),
    ("PaddingMethod", &["OAEP", "PSS"]),
    ("CryptographicAlgorithm", &["ECDSA", "EC"]),
];

/// What came of it.
#[derive(Debug, Default)]
pub struct Equivalence {
    /// Cases that were played.
    pub cases: usize,
    /// Answers that were compared with those by bare TTLV.
    pub answers: usize,
    /// What differs: case, way, place.
    pub differences: Vec<String>,
}

/// Plays the cases below `dir` in every way and compares their answers.
///
/// # Errors
/// Where the cases or the node cannot be reached.
pub fn run(node: &Node, dir: &Path) -> Result<Equivalence> {
    let worlds = Worlds::of_this_tree()?;
    let groups = worlds.groups(find(dir).map_err(|error| format!("{}: {error}", dir.display()))?);
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Equivalence::default()));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let of_group = of_group(node, group, &worlds).unwrap_or_else(|error| Equivalence {
                        differences: vec![format!("{}: {error}", group.first().map_or("", |case| &case.id))],
                        ..Equivalence::default()
                    });
                    let mut found = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    found.cases += of_group.cases;
                    found.answers += of_group.answers;
                    found.differences.extend(of_group.differences);
                }
            });
        }
    });
    Ok(found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn of_group(node: &Node, group: &[CaseFile], worlds: &Worlds) -> Result<Equivalence> {
    let mut result = Equivalence { cases: group.len(), ..Equivalence::default() };
    let mut first: Option<Vec<Said>> = None;
    for way in WAYS {
        let said = said(node, way, group, worlds)?;
        let Some(expected) = &first else {
            first = Some(said);
            continue;
        };
        let mut renaming = Renaming::default();
        if expected.len() != said.len() {
            let what = format!("{} answers, {} by bare TTLV", said.len(), expected.len());
            result.differences.push(format!("{} by {}: {what}", group_name(group), way.name()));
        }
        for (one, other) in expected.iter().zip(&said) {
            result.answers += 1;
            renaming.hear(&one.request);
            if let Some(difference) = renaming.difference(&one.answer, &other.answer) {
                result.differences.push(format!("{} by {}: {difference}", one.case, way.name()));
                // What follows from a difference is none.
                break;
            }
        }
    }
    Ok(result)
}

fn group_name(group: &[CaseFile]) -> &str {
    group.first().map_or("", |case| &case.id)
}

/// One answer of a case.
struct Said {
    case: String,
    request: Element,
    answer: Element,
}

/// Plays the group in the world that it presupposes, whatever the cases expect, as far as they go.
fn said(node: &Node, way: Way, group: &[CaseFile], worlds: &Worlds) -> Result<Vec<Said>> {
    on_stage(node, way, group, worlds, |server, values, moves| {
        let mut all = Vec::new();
        for file in group {
            let Ok(case) = file.read() else { continue };
            let mut heard = Heard { server: &mut *server, answers: Vec::new() };
            // Passing is for the other runs. A case that fails here fails at the same place in every way.
            let _outcome = play_while(&case, &mut heard, values, moves);
            let read = |bytes: &[u8]| Element::from_ttlv(bytes).map_err(|error| format!("{}: {error}", file.id));
            for (request, answer) in &heard.answers {
                all.push(Said { case: file.id.clone(), request: read(request)?, answer: read(answer)? });
            }
        }
        Ok(all)
    })?
}

/// Keeps requests and answers; of a Poll that is repeated the last one.
struct Heard<'a> {
    server: &'a mut dyn Exchange,
    answers: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Exchange for Heard<'_> {
    fn exchange(&mut self, request: &[u8]) -> std::result::Result<Vec<u8>, String> {
        let answer = self.server.exchange(request)?;
        self.answers.pop_if(|(last, _)| last == request);
        self.answers.push((request.to_vec(), answer.clone()));
        Ok(answer)
    }
}

/// Which value of the one side stands for which of the other.
#[derive(Debug, Default)]
struct Renaming {
    forth: HashMap<String, String>,
    back: HashMap<String, String>,
    /// The last Attribute Name.
    attribute: Option<String>,
    /// Values that the case sent by itself: they come back as they are.
    sent: HashSet<String>,
    /// Whether the server has drawn anything.
    has_drawn: bool,
}

impl Renaming {
    /// A request, in the words of the first side.
    fn hear(&mut self, element: &Element) {
        if let Some(value) = &element.value {
            let draws = |(name, values): &(&str, &[&str])| element.name == *name && values.contains(&value.as_str());
            self.has_drawn |= DRAWING.iter().any(draws);
            // What an answer brought is the server's, though the case sends it again.
            if !value.is_empty() && !self.forth.contains_key(value) {
                self.sent.insert(value.clone());
            }
        }
        for child in &element.children {
            self.hear(child);
        }
    }

    /// Whether the server may have chosen the value of this field.
    fn may_be_chosen(&self, element: &Element, value: &str) -> bool {
        let name = element.name.as_str();
        !self.sent.contains(value) && (MARKS.contains(&name) || self.has_drawn && DRAWN.contains(&name))
    }

    /// The first thing in which two answers differ, with its place.
    fn difference(&mut self, one: &Element, other: &Element) -> Option<String> {
        if (&one.name, one.item_type) != (&other.name, other.item_type) {
            return Some(format!("{} ({:?}) and {} ({:?})", one.name, one.item_type, other.name, other.item_type));
        }
        if one.name == "AttributeName" {
            self.attribute.clone_from(&one.value);
        }
        let within = |what: String| format!("{}/{what}", one.name);
        match (&one.value, &other.value) {
            (Some(a), Some(b)) if a == b => self.same(one, a, b),
            (Some(a), Some(b)) => self.renamed(one, a, b),
            (None, None) => Ok(()),
            _ => Err("a value and none".to_owned()),
        }
        .err()
        .or_else(|| {
            let lengths = (one.children.len(), other.children.len());
            (lengths.0 != lengths.1).then(|| format!("{} and {} fields", lengths.0, lengths.1))
        })
        .or_else(|| one.children.iter().zip(&other.children).find_map(|(one, other)| self.difference(one, other)))
        .map(within)
    }

    /// An equal value: what was renamed before is not itself now.
    fn same(&mut self, element: &Element, a: &str, b: &str) -> std::result::Result<(), String> {
        if is_name(element) { self.bind(a, b) } else { Ok(()) }
    }

    fn renamed(&mut self, element: &Element, a: &str, b: &str) -> std::result::Result<(), String> {
        let told = || Err(format!("{a} and {b}"));
        match element.item_type {
            ItemType::DateTime | ItemType::DateTimeExtended => {
                if are_as_far(a, b) {
                    Ok(())
                } else {
                    told()
                }
            }
            ItemType::ByteString | ItemType::BigInteger => {
                if !self.forth.contains_key(a) && !self.may_be_chosen(element, a) {
                    return told();
                }
                let fits = a.len() == b.len()
                    || a.len().min(b.len()) > 2 * FIXED_LEN && a.len().abs_diff(b.len()) <= 2 * DER_SLACK;
                if fits { self.bind(a, b) } else { Err(format!("{} and {} digits", a.len(), b.len())) }
            }
            ItemType::TextString if is_name(element) => self.bind(a, b),
            ItemType::Integer if self.is_certificate_length(element) && are_near(a, b) => Ok(()),
            _ if element.name == "SerialNumber" && self.may_be_chosen(element, a) => self.bind(a, b),
            _ => told(),
        }
    }

    /// 1.x has the attribute's name beside its value.
    fn is_certificate_length(&self, element: &Element) -> bool {
        element.name == "CertificateLength"
            || element.name == "AttributeValue" && self.attribute.as_deref() == Some("Certificate Length")
    }

    /// From now on `a` stands for `b`, if nothing else does and it stands for nothing else.
    fn bind(&mut self, a: &str, b: &str) -> std::result::Result<(), String> {
        let forth = self.forth.entry(a.to_owned()).or_insert_with(|| b.to_owned());
        let back = self.back.entry(b.to_owned()).or_insert_with(|| a.to_owned());
        if forth == b && back == a { Ok(()) } else { Err(format!("{a} stood for {forth}, {b} for {back}")) }
    }
}

/// Whether the value is a name that the server chose: a UUID as text.
fn is_name(element: &Element) -> bool {
    element.item_type == ItemType::TextString
        && element.value.as_deref().is_some_and(|value| value.parse::<uuid::Uuid>().is_ok())
}

/// Whether two numbers of bytes are those of certificates of different keys.
fn are_near(a: &str, b: &str) -> bool {
    matches!((a.parse::<usize>(), b.parse::<usize>()), (Ok(a), Ok(b)) if a.abs_diff(b) <= DER_SLACK)
}

/// Whether two dates near the clock are near each other. Those far from it are the case's own.
fn are_as_far(a: &str, b: &str) -> bool {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let [Ok(a), Ok(b)] = [a, b].map(|text| OffsetDateTime::parse(text, &Rfc3339)) else { return false };
    let [a, b] = [a, b].map(OffsetDateTime::unix_timestamp);
    (a - now).abs() < NEAR_S && (a - b).abs() <= APART_S
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "01890000-0000-7000-8000-000000000001";
    const TWO: &str = "01890000-0000-7000-8000-000000000002";

    fn leaf(name: &str, item_type: ItemType, value: &str) -> Element {
        Element { name: name.to_owned(), tag: None, item_type, value: Some(value.to_owned()), children: Vec::new() }
    }

    fn both(children: [Element; 2]) -> Element {
        Element {
            name: "ResponsePayload".to_owned(),
            tag: None,
            item_type: ItemType::Structure,
            value: None,
            children: children.into(),
        }
    }

    fn ids(first: &str, second: &str) -> Element {
        both([first, second].map(|id| leaf("UniqueIdentifier", ItemType::TextString, id)))
    }

    fn difference(one: &Element, other: &Element) -> Option<String> {
        Renaming::default().difference(one, other)
    }

    #[test]
    fn identifiers_may_be_others_and_stay_the_same() {
        assert_eq!(difference(&ids(ONE, ONE), &ids(TWO, TWO)), None);
        assert_eq!(difference(&ids(ONE, TWO), &ids(TWO, ONE)), None);
        assert!(difference(&ids(ONE, ONE), &ids(TWO, ONE)).is_some(), "two for one");
        assert!(difference(&ids(ONE, TWO), &ids(TWO, TWO)).is_some(), "one for two");
    }

    #[test]
    fn everything_else_is_equal() {
        let text = |value| {
            both([leaf("Comment", ItemType::TextString, value), leaf("State", ItemType::Enumeration, "Active")])
        };
        assert_eq!(difference(&text("a"), &text("a")), None);
        assert!(difference(&text("a"), &text("b")).is_some());
        let mut other = text("a");
        other.children[1].value = Some("PreActive".to_owned());
        assert!(difference(&text("a"), &other).is_some(), "an enumeration");
        let mut other = text("a");
        other.children.swap(0, 1);
        assert!(difference(&text("a"), &other).is_some(), "the order");
        let mut other = text("a");
        other.children.pop();
        assert!(difference(&text("a"), &other).is_some(), "a missing field");
        let mut other = text("a");
        other.children[0].item_type = ItemType::ByteString;
        assert!(difference(&text("a"), &other).is_some(), "a type");
    }

    #[test]
    fn only_what_the_server_drew_may_differ() {
        let data =
            |value: &str| both(["Data", "UniqueBatchItemID"].map(|name| leaf(name, ItemType::ByteString, value)));
        let only = |at: usize, value: &str| Element { children: vec![data(value).children.remove(at)], ..data("") };
        let only_data = |value: &str| only(0, value);
        let request = |operation: &str, bytes: &str| {
            both([leaf("Operation", ItemType::Enumeration, operation), leaf("Data", ItemType::ByteString, bytes)])
        };
        let after = |request: &Element, one: &Element, other: &Element| {
            let mut renaming = Renaming::default();
            renaming.hear(request);
            renaming.difference(one, other)
        };
        let (created, registered) = (request("Create", "aa"), request("Register", "aa"));
        assert_eq!(after(&created, &only_data("01"), &only_data("02")), None);
        assert!(after(&registered, &only_data("01"), &only_data("02")).is_some(), "nothing was drawn");
        assert!(after(&created, &only_data("aa"), &only_data("02")).is_some(), "the case sent it");
        assert!(after(&created, &only(1, "01"), &only(1, "02")).is_some(), "no server chooses the other field");
    }

    #[test]
    fn bytes_have_their_length_and_dates_their_distance() {
        let bytes = |a: &str, b: &str| both([a, b].map(|value| leaf("CorrelationValue", ItemType::ByteString, value)));
        assert_eq!(difference(&bytes("0102", "0102"), &bytes("0304", "0304")), None);
        assert!(difference(&bytes("0102", "0102"), &bytes("0304", "0305")).is_some());
        assert!(difference(&bytes("0102", ""), &bytes("0304", "03")).is_some());
        let now = OffsetDateTime::now_utc();
        let date = |seconds| {
            let at = (now + time::Duration::seconds(seconds)).format(&Rfc3339).unwrap();
            both([leaf("InitialDate", ItemType::DateTime, &at), leaf("Data", ItemType::ByteString, "")])
        };
        assert_eq!(difference(&date(0), &date(5)), None);
        assert!(difference(&date(0), &date(3600)).is_some());
        assert!(difference(&date(-NEAR_S * 2), &date(-NEAR_S * 2 + 5)).is_some(), "a date of the case's own");
    }
}
