//! What an answer may differ in from the expected one, and nothing else.
//!
//! | may differ | here |
//! |---|---|
//! | unique identifiers, linked ones | bound at first sight, the same ever after, two of the case's never one |
//! | correlation values | placeholders, bound; the Server Correlation Value is not looked at |
//! | Time Stamp, date attributes that no request set | any date |
//! | key material that the server made or wrapped | the same length where it is plain bytes, the same each time |
//! | results of operations with the server's key, random output | the same length where they are data |
//! | Digest: hash, key format, and the value with them or of a key the server made | the same each time |
//! | the key format of a key the server made | where the request asked for none |
//! | Query: vendor, server information, namespaces, extensions, more operations and object types | |
//! | more versions in Discover Versions | the expected ones in their order |
//! | more attributes in an answer | where the request named none; Object Group and `y-` ones always |
//! | Object Group | may be absent if no request of the case set one |
//! | Template-Attribute in an answer, Result Message, Attribute Index 0 | there or not |
//! | message extensions that are not critical | |
//! | order of attributes, order of a mask's bits, case of hexadecimal | |
//!
//! Types count, and so do Result Status, Result Reason, the operation, the order of everything else, and batch item
//! ids: they are those that were sent.

use std::collections::HashSet;
use std::fmt;

use kmip::ttlv::ItemType;
use kmip::xml::Element;

use super::values::{Kind, Values, is_identifier, normal, without_blanks};

/// Something that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where, as element names from the message down.
    pub path: String,
    /// What. No key material.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

/// Everything in which an answer differs from what it should be. `request` is the request as it was sent.
pub fn compare(request: &Element, expected: &Element, actual: &Element, values: &mut Values) -> Vec<Difference> {
    let mut comparison = Comparison {
        values,
        question: Question::default(),
        questions: request.children.iter().filter(|child| child.name == "BatchItem").map(Question::of).collect(),
        path: Vec::new(),
        other_digest: false,
        found: Vec::new(),
    };
    comparison.element(expected, actual, None);
    comparison.found
}

/// What the request says that matters to the comparison of an answer.
#[derive(Clone, Default)]
struct Question {
    operation: String,
    object: Option<String>,
    /// Attributes asked for by name; in 2.x, references.
    named: HashSet<String>,
    /// Whether a key format was asked for.
    format: bool,
    /// Key that is to wrap the answer.
    wrapped_by: Option<String>,
    /// Whether the request has the operation, or each use of the key that it brings, draw randomness.
    randomized: bool,
    /// Whether fresh members of a group are looked for.
    fresh: bool,
    /// Dates in it: the names of their attributes or fields, without blanks.
    dates: Vec<String>,
}

impl Question {
    fn of(item: &Element) -> Self {
        let mut question = Self {
            operation: item.child("Operation").and_then(|child| child.value.clone()).unwrap_or_default(),
            ..Self::default()
        };
        let Some(payload) = item.child("RequestPayload") else { return question };
        question.randomized = question.operation == "RNGRetrieve" || draws_randomness(payload);
        dates_of(payload, &mut question.dates);
        for child in &payload.children {
            match (child.name.as_str(), &child.value) {
                ("UniqueIdentifier", Some(value)) => question.object = Some(value.clone()),
                ("AttributeName" | "AttributeReference", Some(value)) => {
                    question.named.insert(without_blanks(value));
                }
                ("AttributeReference", None) => {
                    question.named.extend(
                        child.child("AttributeName").and_then(|name| name.value.as_deref()).map(without_blanks),
                    );
                }
                ("KeyFormatType", _) => question.format = true,
                ("ObjectGroupMember", Some(value)) => question.fresh = value == "GroupMemberFresh",
                ("KeyWrappingSpecification", _) => {
                    let key = child.child("EncryptionKeyInformation").and_then(|info| info.child("UniqueIdentifier"));
                    question.wrapped_by = key.and_then(|key| key.value.clone());
                }
                _ => {}
            }
        }
        question
    }
}

/// Whether parameters in a request name a scheme with randomness of its own: RSA encryption, PSS, DSA, ECDSA, an IV
/// that the server makes. An RSA public key encrypts in no other way.
fn draws_randomness(element: &Element) -> bool {
    let value = element.value.as_deref().unwrap_or_default();
    let own = match element.name.as_str() {
        "PaddingMethod" => matches!(value, "OAEP" | "PSS"),
        "DigitalSignatureAlgorithm" => ["PSS", "DSA"].iter().any(|scheme| value.contains(scheme)),
        "CryptographicAlgorithm" => matches!(value, "DSA" | "ECDSA" | "EC"),
        "RandomIV" => value == "true",
        "AttributeValue" => value == "ECDSA",
        _ => false,
    };
    own || element.children.iter().any(draws_randomness)
}

fn dates_of(element: &Element, names: &mut Vec<String>) {
    let mut attribute = None;
    for child in &element.children {
        if child.name == "AttributeName" {
            attribute = child.value.as_deref();
        }
        if child.item_type == ItemType::DateTime {
            let name = if child.name == "AttributeValue" { attribute.unwrap_or_default() } else { &child.name };
            names.push(without_blanks(name));
        }
        dates_of(child, names);
    }
}

struct Comparison<'a> {
    values: &'a mut Values,
    /// The operation whose answer is being compared.
    question: Question,
    questions: Vec<Question>,
    /// Names of the elements around; an Attribute Value stands there under its attribute's name without blanks.
    path: Vec<String>,
    /// Whether the Digest being compared is made by another hash or of another format.
    other_digest: bool,
    found: Vec<Difference>,
}

/// Children that are not compared one after the other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    InOrder,
    /// Attributes: any order.
    Attribute,
    /// Plain values of which there may be more, in any order.
    AtLeast,
    /// Versions: more of them, in order.
    Versions,
    /// Not looked at.
    Free,
}

impl Comparison<'_> {
    fn differ(&mut self, name: &str, what: impl Into<String>) {
        let mut path = self.path.join("/");
        if !name.is_empty() {
            path.push('/');
            path.push_str(name);
        }
        self.found.push(Difference { path, what: what.into() });
    }

    /// `attribute` is the attribute's name where the element is its value.
    fn element(&mut self, expected: &Element, actual: &Element, attribute: Option<&str>) {
        self.path.push(match attribute {
            Some(attribute) if expected.name == "AttributeValue" => without_blanks(attribute),
            _ => expected.name.clone(),
        });
        // A key that comes back wrapped is a Byte String where a plain one is a structure: types count first.
        if expected.item_type != actual.item_type {
            self.differ("", format!("is a {}, expected a {}", actual.item_type, expected.item_type));
        } else if expected.item_type == ItemType::Structure {
            self.structure(expected, actual);
        } else {
            self.leaf(expected, actual, attribute);
        }
        self.path.pop();
    }

    fn structure(&mut self, expected: &Element, actual: &Element) {
        match expected.name.as_str() {
            "ServerInformation" if self.question.operation == "Query" => return,
            "ResponseMessage" => return self.message(expected, actual),
            "ResponsePayload" => {
                // Asked by the ID Placeholder, or made by the operation, the object is the one that the answer names.
                if self.question.object.is_none() {
                    self.question.object = actual.child("UniqueIdentifier").and_then(|child| child.value.clone());
                }
                let Question { operation, object, dates, randomized, fresh, .. } = &self.question;
                self.values.learn_answer(operation, object.as_deref(), dates, actual);
                if let ("Locate", true, Some(object)) = (operation.as_str(), *fresh, object) {
                    self.values.learn_fresh(object);
                }
                if let ("Register", true, Some(object)) = (operation.as_str(), *randomized, object) {
                    self.values.learn_randomized(object);
                }
            }
            _ if self.path.last().is_some_and(|part| part == "Digest") => {
                let text =
                    |element: &Element, name: &str| element.child(name).and_then(|child| normal(child, None).ok());
                self.other_digest =
                    ["HashingAlgorithm", "KeyFormatType"].iter().any(|name| text(expected, name) != text(actual, name));
            }
            _ => {}
        }
        let classes = |class: Class| {
            let of = |element: &Element| -> Vec<Element> {
                element.children.iter().filter(|child| self.class(expected, child) == class).cloned().collect()
            };
            (of(expected), of(actual))
        };
        let (in_order, attributes, at_least, versions) =
            (classes(Class::InOrder), classes(Class::Attribute), classes(Class::AtLeast), classes(Class::Versions));
        self.sequence(&expected.name, &in_order.0, &in_order.1);
        self.attributes(&expected.name, &attributes.0, attributes.1);
        self.at_least(&at_least.0, &at_least.1);
        self.versions(&versions.0, &versions.1);
    }

    /// Header, then the answers, each with the request item it belongs to.
    fn message(&mut self, expected: &Element, actual: &Element) {
        let (mut left, mut right) = (expected.children.iter(), actual.children.iter());
        let mut questions = std::mem::take(&mut self.questions).into_iter();
        loop {
            match (left.next(), right.next()) {
                (None, None) => return,
                (Some(missing), None) => self.differ(&missing.name, "is missing"),
                (None, Some(extra)) => self.differ(&extra.name, "was not expected"),
                (Some(expected), Some(actual)) if expected.name != actual.name => {
                    self.differ(&actual.name, format!("stands where a {} was expected", expected.name));
                }
                (Some(expected), Some(actual)) => {
                    if expected.name == "BatchItem" {
                        self.question = questions.next().unwrap_or_default();
                    }
                    self.element(expected, actual, None);
                }
            }
        }
    }

    fn class(&self, parent: &Element, child: &Element) -> Class {
        let operation = self.question.operation.as_str();
        match (parent.name.as_str(), child.name.as_str()) {
            (_, "Attribute") | ("Attributes", _) => Class::Attribute,
            ("ResponsePayload", name) => match (operation, name) {
                ("Query", "Operation" | "ObjectType")
                | ("GetAttributeList", "AttributeName" | "AttributeReference") => Class::AtLeast,
                ("Query", "ApplicationNamespace" | "ExtensionInformation") => Class::Free,
                ("DiscoverVersions", "ProtocolVersion") => Class::Versions,
                (
                    _,
                    "TemplateAttribute"
                    | "CommonTemplateAttribute"
                    | "PrivateKeyTemplateAttribute"
                    | "PublicKeyTemplateAttribute",
                ) => Class::Free,
                _ => Class::InOrder,
            },
            ("ResponseHeader", "ServerCorrelationValue") | ("BatchItem", "ResultMessage") => Class::Free,
            ("BatchItem", "MessageExtension") if is_uncritical(child) => Class::Free,
            ("Attribute", "AttributeIndex") if child.value.as_deref() == Some("0") => Class::Free,
            _ => Class::InOrder,
        }
    }

    fn sequence(&mut self, parent: &str, expected: &[Element], actual: &[Element]) {
        let mut rest = actual.iter().peekable();
        // The name that stands before an Attribute Value, as the server and as the case have it: the same, or a
        // difference of its own.
        let mut attribute = None;
        for wanted in expected {
            match rest.next_if(|next| next.name == wanted.name) {
                Some(next) => {
                    self.element(wanted, next, attribute);
                    if wanted.name == "AttributeName" {
                        attribute = wanted.value.as_deref();
                    }
                }
                None => self.differ(&wanted.name, "is missing"),
            }
        }
        for extra in rest {
            self.differ(&extra.name, format!("was not expected in {parent}"));
        }
    }

    /// Attributes are a set: each expected one needs one that equals it.
    fn attributes(&mut self, parent: &str, expected: &[Element], mut actual: Vec<Element>) {
        for wanted in expected {
            let equal = actual.iter().position(|candidate| self.would_agree(wanted, candidate));
            let name = attribute_name(wanted);
            // For a message that helps: the one of that name, if there is just one.
            let mut of_name = actual.iter().enumerate().filter(|(_, candidate)| attribute_name(candidate) == name);
            let only = of_name.next().map(|(at, _)| at).filter(|_| of_name.next().is_none());
            match equal.or(only) {
                Some(at) => {
                    let candidate = actual.swap_remove(at);
                    self.element(wanted, &candidate, None);
                }
                None if self.may_be_absent(name.unwrap_or_default()) => {}
                None => self.differ(&format!("{:?}", name.unwrap_or_default()), "is missing, or has another value"),
            }
        }
        for extra in actual {
            let name = attribute_name(&extra).unwrap_or_default().to_owned();
            if !self.may_be_extra(parent, &name) {
                self.differ(&format!("{name:?}"), "was not expected");
            }
        }
    }

    fn may_be_extra(&self, parent: &str, attribute: &str) -> bool {
        let listing = self.question.operation == "GetAttributes" && matches!(parent, "ResponsePayload" | "Attributes");
        let open = self.question.named.is_empty();
        listing && (open || without_blanks(attribute) == "ObjectGroup" || attribute.starts_with("y-"))
    }

    /// An Object Group that no request of the case set is the other server's own.
    fn may_be_absent(&self, attribute: &str) -> bool {
        without_blanks(attribute) == "ObjectGroup" && !self.values.group_was_sent()
    }

    fn would_agree(&self, expected: &Element, actual: &Element) -> bool {
        let mut values = self.values.clone();
        let mut trial = Comparison {
            values: &mut values,
            question: self.question.clone(),
            questions: Vec::new(),
            path: self.path.clone(),
            other_digest: false,
            found: Vec::new(),
        };
        trial.element(expected, actual, None);
        trial.found.is_empty()
    }

    fn at_least(&mut self, expected: &[Element], actual: &[Element]) {
        for wanted in expected {
            let there =
                actual.iter().any(|candidate| candidate.name == wanted.name && self.would_agree(wanted, candidate));
            let name = wanted.value.as_deref().unwrap_or_default();
            let free = wanted.name == "AttributeName" && self.may_be_absent(name);
            if !there && !free {
                self.differ(&wanted.name, format!("{} is missing", wanted.value.as_deref().unwrap_or_default()));
            }
        }
    }

    fn versions(&mut self, expected: &[Element], actual: &[Element]) {
        let mut rest = actual.iter();
        for wanted in expected {
            if !rest.any(|candidate| self.would_agree(wanted, candidate)) {
                self.differ("ProtocolVersion", "is missing or in another order");
            }
        }
    }

    fn leaf(&mut self, expected: &Element, actual: &Element, attribute: Option<&str>) {
        let (Some(wanted), Some(got)) = (expected.value.as_deref(), actual.value.as_deref()) else {
            return self.differ("", "has no value");
        };
        if expected.item_type == ItemType::DateTime {
            return self.date(expected, got, attribute);
        }
        if wanted.starts_with('$') {
            let correlation = matches!(expected.name.as_str(), "AsynchronousCorrelationValue" | "CorrelationValue");
            // Asked by one, the answer repeats it; else it is a new one.
            if correlation && !matches!(self.question.operation.as_str(), "Cancel" | "Poll") {
                return self.values.rebind(wanted, got);
            }
            let identifier = is_identifier(expected, attribute);
            if let Err(what) = self.values.agree_placeholder(wanted, got, identifier) {
                self.differ("", what);
            }
            return;
        }
        let wanted = match normal(expected, attribute) {
            Ok(wanted) => wanted,
            Err(error) => return self.differ("", format!("the expectation cannot be read: {error}")),
        };
        let Some(freedom) = self.freedom(expected, attribute) else {
            if wanted != got {
                self.differ("", self.unequal(&wanted, got));
            }
            return;
        };
        if freedom.same_length && wanted.len() != got.len() {
            return self.differ("", format!("has {} digits, expected {}", got.len(), wanted.len()));
        }
        if let Some(kind) = freedom.kind
            && let Err(what) = self.values.agree_literal(kind, &wanted, got)
        {
            self.differ("", what);
        }
    }

    fn date(&mut self, expected: &Element, got: &str, attribute: Option<&str>) {
        let name = attribute.unwrap_or(&expected.name);
        let mut expected = expected.clone();
        if let Some(moment) = expected.value.as_deref().and_then(|text| self.values.moment(text)) {
            expected.value = Some(moment);
        }
        let fixed = self.question.object.as_deref().is_some_and(|object| self.values.date_was_sent(object, name));
        match normal(&expected, None) {
            Ok(wanted) if fixed && wanted != got => {
                self.differ("", format!("is {got}, expected {wanted}, as a client set it"));
            }
            Ok(_) => {}
            Err(error) => self.differ("", format!("the expectation cannot be read: {error}")),
        }
    }

    /// What a literal may be replaced by; `None` if it counts as it is.
    fn freedom(&self, element: &Element, attribute: Option<&str>) -> Option<Freedom> {
        let inside = |name: &str| self.path.iter().any(|part| part == name);
        let made = |object: &Option<String>| object.as_deref().is_some_and(|object| self.values.server_made(object));
        let of_server = made(&self.question.object) || made(&self.question.wrapped_by);
        let random = self.question.randomized
            || self.question.object.as_deref().is_some_and(|object| self.values.is_randomized(object));
        // DER is as long as its numbers happen to be.
        let pair = inside("PrivateKey") || inside("PublicKey");
        let free = |kind, same_length| Some(Freedom { kind, same_length });
        match element.name.as_str() {
            _ if is_identifier(element, attribute) => free(Some(Kind::Identifier), false),
            "AsynchronousCorrelationValue" | "CorrelationValue" => free(None, false),
            "VendorIdentification" if self.question.operation == "Query" => free(None, false),
            "DigestValue" if inside("Digest") && (of_server || self.other_digest) => free(Some(Kind::Digest), false),
            "HashingAlgorithm" | "KeyFormatType" if inside("Digest") => free(None, false),
            "KeyFormatType" if of_server && !self.question.format && inside("KeyBlock") => free(None, false),
            "KeyMaterial" if of_server => free(Some(Kind::Material), !pair),
            // The whole Key Value is one Byte String where it is wrapped.
            "KeyValue" if of_server => free(Some(Kind::Material), true),
            _ if of_server && inside("KeyMaterial") => free(Some(Kind::Material), false),
            "Data" if of_server || random && self.draws() => free(Some(Kind::Computed), true),
            "IVCounterNonce" if of_server || random => free(Some(Kind::Computed), true),
            "SignatureData" | "MACData" | "AuthenticatedEncryptionTag" if of_server || random => {
                free(Some(Kind::Computed), false)
            }
            _ => None,
        }
    }

    /// Whether the operation draws randomness where its key does: what comes back by Decrypt is what it was.
    fn draws(&self) -> bool {
        matches!(self.question.operation.as_str(), "Encrypt" | "RNGRetrieve")
    }

    fn unequal(&self, wanted: &str, got: &str) -> String {
        // Test vectors or not: this tool does not print keys.
        if self.path.iter().any(|part| part == "KeyBlock") && wanted.len().max(got.len()) >= 16 {
            return format!("has another value ({} digits, expected {})", got.len(), wanted.len());
        }
        format!("is {got:?}, expected {wanted:?}")
    }
}

/// How free a literal is.
struct Freedom {
    /// Where equal literals of the case must stay equal.
    kind: Option<Kind>,
    same_length: bool,
}

fn is_uncritical(extension: &Element) -> bool {
    extension.child("CriticalityIndicator").is_some_and(|critical| critical.value.as_deref() == Some("false"))
}

/// In 1.x the name inside; in 2.x the element's own.
fn attribute_name(attribute: &Element) -> Option<&str> {
    match attribute.child("AttributeName") {
        Some(name) => name.value.as_deref(),
        None => Some(&attribute.name),
    }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
