//! The attribute tables of the specification, walked against a running server: every attribute of every version is given
//! at creation, added, modified, deleted, and in 2.x set and adjusted, and each time the server does what the table of
//! that version says. KMIP 1.4 §3, 2.1 §4.
//!
//! The tables are a copy of their own (`tests/vectors/attributes/rules.txt`). Where the server is right to do otherwise,
//! the exception stands below with its reason; one that is not needed any more is a fault of the test.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod always;
mod applies;
mod implicit;
mod samples;
mod table;
mod vendors;
mod words;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeKind, AttributeReference, AttributeValue};
use kmip::message::{Outcome, RequestMessage, SUPPORTED_VERSIONS};
use kmip::object::{Certificate, KeyBlock, ManagedObject, OpaqueObject, PrivateKey};
use kmip::payload::{
    AddAttributeRequest, AdjustAttributeRequest, DeleteAttributeRequest, GetAttributesRequest, ModifyAttributeRequest,
    RegisterRequest, RequestPayload, ResponsePayload, SetAttributeRequest,
};
use kmip::registry::{
    AdjustmentType, CertificateType, CryptographicAlgorithm, KeyFormatType, ObjectType, OpaqueDataType, ResultReason,
    UsageMask,
};
use secret::Secret;
use system_tests::asking;
use system_tests::node::{Connection, Node};
use table::{Rule, Told};

/// What is done to an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    Give,
    Add,
    AddAnother,
    Modify,
    Delete,
    Set,
    Adjust,
}

/// The server does otherwise than the table, which is allowed, or does it where the table forbids it.
const EXCEPTIONS: &[(AttributeKind, &[Deed], &str)] = {
    use AttributeKind as K;
    use Deed as D;
    &[
        (
            K::CryptographicAlgorithm,
            &[D::Give],
            "the table says Server, because the server sets what the request asks for",
        ),
        (
            K::CryptographicLength,
            &[D::Give],
            "the table says Server, because the server sets what the request asks for",
        ),
        (
            K::CertificateType,
            &[D::Give],
            "Register and Certify may say it beside the certificate, in the standard's cases",
        ),
        (K::CertificateLength, &[D::Give], "Register may say it beside the certificate, in the standard's cases"),
        (
            K::DigitalSignatureAlgorithm,
            &[D::Give],
            "Register may say it beside the certificate, in the standard's cases",
        ),
        (
            K::CryptographicDomainParameters,
            &[D::Add, D::Set],
            "they say what to make; of a pair that is made they would say something else than the pair",
        ),
    ]
};

struct Walk<'a> {
    client: &'a mut Connection,
    version: ProtocolVersion,
    kind: AttributeKind,
    now_s: i64,
    /// Exceptions that were needed.
    used: &'a RefCell<BTreeSet<(AttributeKind, Deed)>>,
    faults: &'a RefCell<Vec<String>>,
    cells: &'a RefCell<usize>,
}

impl Walk<'_> {
    fn value(&self, number: u8) -> AttributeValue {
        samples::value(self.kind, number, self.now_s)
    }

    fn ask(&mut self, payload: impl Into<RequestPayload>) -> Outcome {
        let message = RequestMessage::single(self.version, payload);
        self.client.call(message).unwrap().items.remove(0).outcome
    }

    /// A new object that may have the attribute, made with these values of it.
    fn register(&mut self, given: Vec<AttributeValue>) -> Result<String, ResultReason> {
        let kind = self.kind;
        let mut request = registration(table::host(kind));
        // A value of the attribute that is walked stands for the one that the object would have come with.
        if !given.is_empty() {
            request.template_attribute.attributes.retain(|one| one.value.kind() != kind);
        }
        request.template_attribute.attributes.extend(given.into_iter().map(Attribute::new));
        match self.ask(request) {
            Outcome::Success(ResponsePayload::Register(made)) => Ok(made.unique_identifier),
            other => Err(told(&other).unwrap_err()),
        }
    }

    /// Values in the order of their instances.
    fn held(&mut self, id: &str) -> Vec<AttributeValue> {
        let name = self.name();
        match self.ask(GetAttributesRequest::of(id, &[&name])) {
            Outcome::Success(ResponsePayload::GetAttributes(got)) => {
                got.attributes.into_iter().map(|one| one.value).collect()
            }
            other => panic!("{name} of {id}: {other:?}"),
        }
    }

    fn name(&self) -> String {
        self.value(0).name().to_owned()
    }

    /// What was done, held against what the table says. `reasons` are those that may stand for a refusal.
    fn judge(&self, deed: Deed, allowed: bool, outcome: Result<(), ResultReason>, reasons: &[ResultReason]) -> bool {
        *self.cells.borrow_mut() += 1;
        let what = format!("{deed:?} {} in {}", self.kind.text(), self.version);
        let worked = outcome.is_ok();
        if let Err(reason) = outcome
            && !reasons.contains(&reason)
        {
            self.faults.borrow_mut().push(format!("{what}: refused with {reason:?}, expected {reasons:?}"));
        }
        if worked != allowed {
            let excepted = EXCEPTIONS.iter().any(|(kind, deeds, _)| *kind == self.kind && deeds.contains(&deed));
            if excepted {
                self.used.borrow_mut().insert((self.kind, deed));
            } else {
                self.faults.borrow_mut().push(format!("{what}: worked {worked}, the table says {allowed}"));
            }
        }
        worked
    }

    fn expect_held(&mut self, id: &str, expected: &[AttributeValue], after: &str) {
        let found = self.held(id);
        let bytes = |values: &[AttributeValue]| values.iter().map(as_answered).collect::<Vec<_>>();
        if bytes(&found) != bytes(expected) {
            let what = format!("{} in {} after {after}", self.kind.text(), self.version);
            self.faults.borrow_mut().push(format!("{what}: {found:?}, expected {expected:?}"));
        }
    }

    fn read_only(&self) -> ResultReason {
        if self.version.is_2_x() { ResultReason::AttributeReadOnly } else { ResultReason::PermissionDenied }
    }

    fn has_one(&self) -> ResultReason {
        if self.version.is_2_x() { ResultReason::AttributeSingleValued } else { ResultReason::IllegalOperation }
    }

    fn not_set(&self) -> ResultReason {
        if self.version.is_2_x() { ResultReason::AttributeNotFound } else { ResultReason::InvalidField }
    }

    fn no_instance(&self) -> ResultReason {
        if self.version.is_2_x() { ResultReason::AttributeNotFound } else { ResultReason::ItemNotFound }
    }

    fn add(&mut self, id: &str, number: u8) -> (AttributeValue, Outcome) {
        let value = self.value(number);
        let attribute = Attribute::new(value.clone());
        (value, self.ask(AddAttributeRequest { unique_identifier: Some(id.into()), attribute }))
    }

    fn modify(&mut self, id: &str, current: Option<&AttributeValue>, number: u8) -> (AttributeValue, Outcome) {
        let value = self.value(number);
        let request = ModifyAttributeRequest {
            unique_identifier: Some(id.into()),
            current_attribute: current.filter(|_| self.version.is_2_x()).cloned().map(Attribute::new),
            attribute: Attribute::new(value.clone()),
        };
        (value, self.ask(request))
    }

    fn delete(&mut self, id: &str, current: Option<&AttributeValue>) -> Outcome {
        let request = DeleteAttributeRequest {
            unique_identifier: Some(id.into()),
            attribute_name: self.name(),
            attribute_index: None,
            current_attribute: current.filter(|_| self.version.is_2_x()).cloned().map(Attribute::new),
        };
        self.ask(request)
    }

    /// Everything that can be done to the attribute.
    fn all(&mut self, rule: &Rule) {
        let bare = self.register(Vec::new()).unwrap();
        let by_itself = self.held(&bare);
        if rule.always == Told::Yes && by_itself.is_empty() && self.kind != AttributeKind::CertificateIdentifier {
            let what = format!("{} in {}", self.kind.text(), self.version);
            self.faults.borrow_mut().push(format!("{what}: always has a value, and has none"));
        }

        // At creation. No attribute is there yet to be read-only: the field is wrong.
        let wrong = [ResultReason::InvalidField, ResultReason::FeatureNotSupported, self.read_only()];
        let given = self.value(0);
        let made = self.register(vec![given.clone()]);
        self.judge(Deed::Give, rule.by_client, made.as_ref().map(|_| ()).map_err(|reason| *reason), &wrong);
        let given = made.ok().map(|id| (id, given));
        if let Some((id, value)) = &given {
            self.expect_held(id, std::slice::from_ref(value), "Register");
        }

        // The first value later, where there is none.
        if by_itself.is_empty() {
            let (value, outcome) = self.add(&bare, 0);
            if self.judge(Deed::Add, rule.by_client, told(&outcome), &[self.read_only()]) {
                self.expect_held(&bare, &[value], "Add Attribute");
            } else {
                self.expect_held(&bare, &[], "a refused Add Attribute");
                let (_, outcome) = self.modify(&bare, None, 1);
                self.judge(Deed::Modify, false, told(&outcome), &[self.read_only(), self.not_set()]);
            }
            let without = self.register(Vec::new()).unwrap();
            let (_, outcome) = self.modify(&without, None, 1);
            self.judge(Deed::Modify, false, told(&outcome), &[self.read_only(), self.not_set()]);
            let outcome = self.delete(&without, None);
            self.judge(Deed::Delete, false, told(&outcome), &[self.read_only(), self.no_instance()]);
        }

        // An object that has the value that the test gave it, or the one that the server did.
        let held = match given {
            Some((id, _)) => Some(id),
            None => (!by_itself.is_empty()).then(|| self.register(Vec::new()).unwrap()),
        };
        if let Some(id) = held {
            self.with_value(rule, &id);
        }
        if self.version.is_2_x() {
            self.set_and_adjust(rule);
        }
    }

    /// What can be done where there is a value.
    fn with_value(&mut self, rule: &Rule, id: &str) {
        let mut held = self.held(id);
        let (another, outcome) = self.add(id, 1);
        let several = rule.several != Told::No && rule.by_client;
        let refused = [self.read_only(), self.has_one()];
        if self.judge(Deed::AddAnother, several, told(&outcome), &refused) {
            held.push(another.clone());
            self.expect_held(id, &held, "another Add Attribute");
            let outcome = self.delete(id, Some(&held[1]));
            // 1.x deletes the first instance where no index is given, 2.x the one with the value.
            if self.judge(Deed::Delete, rule.delete != Told::No, told(&outcome), &[self.read_only()]) {
                held.remove(usize::from(self.version.is_2_x()));
            }
        }
        self.expect_held(id, &held, "adding another");

        // Instances of 1.x keep their index: without one the first is meant, which may be gone.
        let fresh = if several && !self.version.is_2_x() { self.register(vec![self.value(0)]).ok() } else { None };
        let id = fresh.as_deref().unwrap_or(id);
        let before = self.held(id);
        let (changed, outcome) = self.modify(id, before.first(), 1);
        if self.judge(Deed::Modify, rule.modify != Told::No, told(&outcome), &[self.read_only()]) {
            self.expect_held(id, &[changed], "Modify Attribute");
        } else {
            self.expect_held(id, &before, "a refused Modify Attribute");
        }
        let before = self.held(id);
        let outcome = self.delete(id, before.first());
        if self.judge(Deed::Delete, rule.delete != Told::No, told(&outcome), &[self.read_only()]) {
            self.expect_held(id, &[], "Delete Attribute");
        } else {
            self.expect_held(id, &before, "a refused Delete Attribute");
        }
    }

    /// Set is Add where there is no value and Modify where there is one; so is Adjust, for numbers, dates and truths.
    fn set_and_adjust(&mut self, rule: &Rule) {
        let id = self.register(Vec::new()).unwrap();
        let by_itself = self.held(&id);
        let set = |walk: &mut Self, number| {
            let value = walk.value(number);
            let attribute = Attribute::new(value.clone());
            (value, walk.ask(SetAttributeRequest { unique_identifier: Some(id.as_str().into()), attribute }))
        };
        let may = if by_itself.is_empty() { rule.by_client } else { rule.modify != Told::No };
        let (value, outcome) = set(self, 0);
        if self.judge(Deed::Set, may, told(&outcome), &[self.read_only()]) {
            self.expect_held(&id, &[value], "Set Attribute");
            let (value, outcome) = set(self, 1);
            if self.judge(Deed::Modify, rule.modify != Told::No, told(&outcome), &[self.read_only()]) {
                self.expect_held(&id, &[value], "a second Set Attribute");
            }
        }
        let before = self.held(&id);
        let adjustment_type = match before.first() {
            Some(value) if is_truth(value) => AdjustmentType::Negate,
            _ => AdjustmentType::Increment,
        };
        let request = AdjustAttributeRequest {
            unique_identifier: Some(id.as_str().into()),
            attribute_reference: AttributeReference(self.name()),
            adjustment_type,
            adjustment_value: None,
        };
        let outcome = self.ask(request);
        let Some(old) = before.first() else {
            // A number that is not there counts as 0; of another type there is no next.
            let may = rule.by_client && is_number(self.kind);
            self.judge(Deed::Adjust, may, told(&outcome), &[self.read_only(), ResultReason::InvalidDataType]);
            return;
        };
        let expected = adjusted(old);
        // Sensitive and Extractable go one way: the second sample is at the end of it.
        let one_way = matches!(old, AttributeValue::Sensitive(true) | AttributeValue::Extractable(false));
        let may = rule.modify != Told::No && expected.is_some() && !one_way;
        let reasons = [self.read_only(), ResultReason::InvalidDataType, ResultReason::PermissionDenied];
        if self.judge(Deed::Adjust, may, told(&outcome), &reasons) {
            self.expect_held(&id, &expected.into_iter().collect::<Vec<_>>(), "Adjust Attribute");
        } else {
            self.expect_held(&id, &before, "a refused Adjust Attribute");
        }
    }
}

fn told(outcome: &Outcome) -> Result<(), ResultReason> {
    match outcome {
        Outcome::Success(_) => Ok(()),
        Outcome::Failure { reason, .. } => Err(*reason),
        other => panic!("{other:?}"),
    }
}

/// Limits that nobody has used: what is left is the server's to say.
fn as_answered(value: &AttributeValue) -> Vec<u8> {
    match value {
        AttributeValue::UsageLimits(limits) => {
            let mut limits = limits.clone();
            limits.count = limits.count.or(limits.total);
            AttributeValue::UsageLimits(limits).canonical_bytes()
        }
        other => other.canonical_bytes(),
    }
}

fn is_truth(value: &AttributeValue) -> bool {
    matches!(
        value,
        AttributeValue::Fresh(_)
            | AttributeValue::Sensitive(_)
            | AttributeValue::AlwaysSensitive(_)
            | AttributeValue::Extractable(_)
            | AttributeValue::NeverExtractable(_)
            | AttributeValue::KeyValuePresent(_)
            | AttributeValue::QuantumSafe(_)
            | AttributeValue::RotateAutomatic(_)
            | AttributeValue::RotateLatest(_)
    )
}

/// Whether the attribute is a number or a length of time, of which there may be one more.
fn is_number(kind: AttributeKind) -> bool {
    use AttributeKind as K;
    matches!(
        kind,
        K::CryptographicLength
            | K::CertificateLength
            | K::RotateGeneration
            | K::LeaseTime
            | K::ProtectionPeriod
            | K::RotateInterval
            | K::RotateOffset
    )
}

/// The value one further, for those attributes that a client may modify and that are numbers, dates or truths.
fn adjusted(value: &AttributeValue) -> Option<AttributeValue> {
    use AttributeValue as V;
    use kmip::ttlv::{DateTime, Interval};
    Some(match value {
        V::ActivationDate(DateTime(at)) => V::ActivationDate(DateTime(at + 1)),
        V::ProcessStartDate(DateTime(at)) => V::ProcessStartDate(DateTime(at + 1)),
        V::ProtectStopDate(DateTime(at)) => V::ProtectStopDate(DateTime(at + 1)),
        V::DeactivationDate(DateTime(at)) => V::DeactivationDate(DateTime(at + 1)),
        V::ProtectionPeriod(Interval(seconds)) => V::ProtectionPeriod(Interval(seconds + 1)),
        V::Sensitive(truth) => V::Sensitive(!truth),
        V::Extractable(truth) => V::Extractable(!truth),
        V::QuantumSafe(truth) => V::QuantumSafe(!truth),
        _ => return None,
    })
}

fn registration(object_type: ObjectType) -> RegisterRequest {
    let mask = |mask| vec![AttributeValue::CryptographicUsageMask(mask)];
    match object_type {
        ObjectType::Certificate => {
            let authority = certs::Authority::new("walked").unwrap();
            let certificate =
                Certificate { certificate_type: CertificateType::X509, value: authority.cert_der().to_vec() };
            RegisterRequest::new(ManagedObject::Certificate(certificate), mask(UsageMask::VERIFY))
        }
        ObjectType::OpaqueObject => {
            let opaque =
                OpaqueObject { opaque_data_type: OpaqueDataType(0x8000_0001), value: Secret::copy_from(b"opaque") };
            RegisterRequest::new(ManagedObject::OpaqueObject(opaque), Vec::<AttributeValue>::new())
        }
        ObjectType::PrivateKey => {
            let issued = certs::self_signed_vcenter_client().unwrap();
            let pem: String = issued.key_pem.lines().filter(|line| !line.starts_with('-')).collect();
            let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, pem).unwrap();
            let key_block = KeyBlock::new(
                KeyFormatType::Pkcs8,
                kmip::object::KeyMaterial::Bytes(Secret::new(der)),
                Some(CryptographicAlgorithm::Ecdsa),
                Some(256),
            );
            RegisterRequest::new(ManagedObject::PrivateKey(PrivateKey { key_block }), mask(UsageMask::SIGN))
        }
        _ => asking::known_aes(&[7; 32], Vec::new()),
    }
}

#[test]
fn every_attribute_of_every_version_is_treated_as_its_table_says() {
    let node = Node::start().unwrap();
    // `legacy`, because the tables know nothing of policies.
    let tenant = node.tenant("walked", "legacy").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let now_s = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let (used, faults, cells) = (RefCell::new(BTreeSet::new()), RefCell::new(Vec::new()), RefCell::new(0));
    for version in SUPPORTED_VERSIONS {
        for kind in AttributeKind::ALL.iter().copied().filter(|kind| kind.is_known_to(version)) {
            let rule = table::rule(kind.text(), version).unwrap_or_else(|| panic!("no table has {}", kind.text()));
            let client = &mut client;
            Walk { client, version, kind, now_s, used: &used, faults: &faults, cells: &cells }.all(&rule);
        }
    }
    println!("{} cells", cells.borrow());
    assert!(faults.borrow().is_empty(), "{:#?}", faults.borrow());
    assert!(*cells.borrow() > 1500, "{} cells", cells.borrow());
    for (kind, deeds, why) in EXCEPTIONS {
        for deed in *deeds {
            assert!(used.borrow().contains(&(*kind, *deed)), "{deed:?} {} needs no exception: {why}", kind.text());
        }
    }
}
