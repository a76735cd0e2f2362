//! What leaves the server and what does not: wrapped keys, exports, archived objects, attributes of every type.
//! KMIP 1.4 §2.1.6, §4.11, §4.22, §4.40; 2.1 §6.1.3, §6.1.51.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use kmip::attribute::{Attribute, AttributeReference, AttributeValue, CryptographicParameters};
use kmip::object::{EncryptionKeyInformation, KeyValue, KeyWrappingSpecification};
use kmip::payload::{
    AddAttributeRequest, AdjustAttributeRequest, ArchiveRequest, DeleteAttributeRequest, ExportRequest,
    GetAttributesRequest, GetRequest, ImportRequest, ObtainLeaseRequest, RecoverRequest, RegisterRequest,
    SetAttributeRequest,
};
use kmip::registry::{AdjustmentType, BlockCipherMode, EncodingOption, ResultReason, UsageMask, WrappingMethod};
use kmip::ttlv::{DateTime, Interval, OwnedItem};
use kmip::{ProtocolVersion, Tag};
use system_tests::asking;
use system_tests::node::{Connection, Node};
use uuid::Uuid;

const V: ProtocolVersion = ProtocolVersion::V1_4;
/// The key of RFC 3394 §4.1 and the data that it wraps, and the result.
const KEK: &str = "000102030405060708090a0b0c0d0e0f";
const DATA: &str = "00112233445566778899aabbccddeeff";
const WRAPPED: &str = "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5";

fn registered(client: &mut Connection, hex: &str, mask: UsageMask, further: Vec<AttributeValue>) -> String {
    let bytes = hex::decode(hex).unwrap();
    let mut request = asking::known_aes(&bytes, further);
    let attributes = &mut request.template_attribute.attributes;
    attributes.retain(|one| !matches!(one.value, AttributeValue::CryptographicUsageMask(_)));
    attributes.push(AttributeValue::CryptographicUsageMask(mask).into());
    for one in attributes {
        if let AttributeValue::CryptographicLength(length) = &mut one.value {
            *length = 128;
        }
    }
    request.object.key_block_mut().unwrap().length = Some(128);
    client.request(V, request).unwrap().unique_identifier
}

fn active() -> Vec<AttributeValue> {
    vec![AttributeValue::ActivationDate(DateTime(1))]
}

fn under(kek: &str, encoding: EncodingOption, names: &[&str]) -> Option<Box<KeyWrappingSpecification>> {
    let mode = CryptographicParameters { block_cipher_mode: Some(BlockCipherMode::NistKeyWrap), ..Default::default() };
    Some(Box::new(KeyWrappingSpecification {
        wrapping_method: WrappingMethod::Encrypt,
        encryption_key_information: Some(EncryptionKeyInformation {
            unique_identifier: kek.to_owned(),
            cryptographic_parameters: Some(Box::new(mode)),
        }),
        mac_signature_key_information: None,
        attribute_names: names.iter().copied().map(str::to_owned).collect(),
        encoding_option: Some(encoding),
    }))
}

fn get_wrapped(id: &str, key_wrapping_specification: Option<Box<KeyWrappingSpecification>>) -> GetRequest {
    GetRequest { key_wrapping_specification, ..GetRequest::of(id) }
}

#[test]
fn a_key_leaves_wrapped_under_a_key_that_may_wrap_and_no_other() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("wraps", "legacy").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let both = UsageMask::ENCRYPT.union(UsageMask::DECRYPT);
    let key = registered(&mut client, DATA, both, Vec::new());
    let kek = registered(&mut client, KEK, UsageMask::WRAP_KEY, active());
    let bare = get_wrapped(&key, under(&kek, EncodingOption::NoEncoding, &[]));
    let object = client.request(V, bare).unwrap().object;
    let Some(KeyValue::Wrapped(bytes)) = &object.key_block().unwrap().value else { panic!("{object:?}") };
    assert_eq!(hex::encode(bytes.expose()), WRAPPED);

    let mut refused = |kek: &str, encoding, names: &[&str]| {
        client.request(V, get_wrapped(&key, under(kek, encoding, names))).unwrap_err().reason().unwrap()
    };
    let with_names = refused(&kek, EncodingOption::NoEncoding, &["State"]);
    assert_eq!(with_names, ResultReason::EncodingOptionError);
    assert_eq!(refused(&Uuid::now_v7().to_string(), EncodingOption::NoEncoding, &[]), ResultReason::ItemNotFound);
    let doubtful = [
        // What decrypts would open what it wrapped.
        (UsageMask::WRAP_KEY.union(UsageMask::DECRYPT), active()),
        (both, active()),
        (UsageMask::WRAP_KEY, Vec::new()),
    ];
    for (mask, attributes) in doubtful {
        let other = registered(&mut client, KEK, mask, attributes);
        let answer = client.request(V, get_wrapped(&key, under(&other, EncodingOption::NoEncoding, &[]))).unwrap_err();
        assert_eq!(answer.reason(), Some(ResultReason::PermissionDenied), "{mask:?}: {answer}");
    }
    // A foreign wrapping key is as absent as one that never was.
    let neighbour = node.tenant("neighbour", "legacy").unwrap();
    let mut other = node.connect(&neighbour.identity).unwrap();
    let foreign = registered(&mut other, KEK, UsageMask::WRAP_KEY, active());
    let answers = [foreign, Uuid::now_v7().to_string()].map(|id| {
        client.request(V, get_wrapped(&key, under(&id, EncodingOption::NoEncoding, &[]))).unwrap_err().to_string()
    });
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn a_domain_as_it_comes_hands_out_nothing_wrapped_exports_nothing_and_imports_nothing() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("strict", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let key = registered(&mut client, DATA, UsageMask::ENCRYPT, Vec::new());
    let kek = registered(&mut client, KEK, UsageMask::WRAP_KEY, active());
    let wrapped = client.request(V, get_wrapped(&key, under(&kek, EncodingOption::TtlvEncoding, &[]))).unwrap_err();
    let export = ExportRequest { unique_identifier: Some(key.as_str().into()), ..Default::default() };
    let exported = client.request(V, export).unwrap_err();
    let import = ImportRequest {
        unique_identifier: Uuid::now_v7().to_string(),
        object_type: None,
        replace_existing: None,
        key_wrap_type: None,
        attributes: Vec::new(),
        object: asking::known_aes(&[3; 32], Vec::new()).object,
    };
    let imported = client.request(V, import).unwrap_err();
    for refusal in [wrapped, exported, imported] {
        assert_eq!(refusal.reason(), Some(ResultReason::PermissionDenied), "{refusal}");
    }
}

#[test]
fn what_was_exported_is_imported_with_its_history() {
    let node = Node::start().unwrap();
    let [from, to] = ["from", "to"].map(|stem| node.tenant(stem, "legacy").unwrap());
    let (mut from, mut to) = (node.connect(&from.identity).unwrap(), node.connect(&to.identity).unwrap());
    let attributes = vec![asking::name("travels"), AttributeValue::ActivationDate(DateTime(86_400))];
    let id = registered(&mut from, DATA, UsageMask::ENCRYPT, attributes);
    let export = || ExportRequest { unique_identifier: Some(id.as_str().into()), ..Default::default() };
    let exported = from.request(V, export()).unwrap();
    let (object, attributes) = (exported.object, exported.attributes);
    let import = ImportRequest {
        unique_identifier: id.clone(),
        object_type: None,
        replace_existing: None,
        key_wrap_type: None,
        attributes: attributes.clone(),
        object,
    };
    assert_eq!(to.request(V, import).unwrap().unique_identifier, id);
    let again = to.request(V, export()).unwrap();
    assert_eq!(again.object, from.request(V, export()).unwrap().object);
    let names = |attributes: &[Attribute]| {
        let mut told: Vec<String> = attributes
            .iter()
            // The first Export has had the key, so that it is fresh no more.
            .filter(|one| !matches!(one.value, AttributeValue::Fresh(_)))
            .map(|one| format!("{:?}", one.value))
            .collect();
        told.sort();
        told
    };
    assert_eq!(names(&again.attributes), names(&attributes));
}

#[test]
fn an_archived_object_shows_its_attributes_and_nothing_else_until_it_is_recovered() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("archives", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let id = client.request(V, asking::aes(Vec::new())).unwrap().unique_identifier;
    let named = || Some(id.as_str().into());
    client.request(V, ArchiveRequest { unique_identifier: named() }).unwrap();
    let got = client.request(V, GetRequest::of(id.as_str())).unwrap_err();
    let lease = client.request(V, ObtainLeaseRequest { unique_identifier: named() }).unwrap_err();
    let again = client.request(V, ArchiveRequest { unique_identifier: named() }).unwrap_err();
    for refusal in [got, lease, again] {
        assert_eq!(refusal.reason(), Some(ResultReason::ObjectArchived), "{refusal}");
    }
    let date = |client: &mut Connection| {
        client.request(V, GetAttributesRequest::of(id.as_str(), &["Archive Date"])).unwrap().attributes.len()
    };
    assert_eq!(date(&mut client), 1);
    client.request(V, RecoverRequest { unique_identifier: named() }).unwrap();
    assert_eq!(date(&mut client), 0);
    client.request(V, GetRequest::of(id.as_str())).unwrap();
}

#[test]
fn vendors_attributes_of_every_type_come_back_byte_for_byte() {
    const TAG: Tag = Tag::ATTRIBUTE_VALUE;
    let node = Node::start().unwrap();
    let tenant = node.tenant("vendors", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let id = client.request(V, asking::aes(Vec::new())).unwrap().unique_identifier;
    let values: Vec<AttributeValue> = [
        AttributeValue::custom("x-integer", |w| w.integer(TAG, -7)),
        AttributeValue::custom("x-long", |w| w.long_integer(TAG, i64::MIN)),
        AttributeValue::custom("x-big", |w| w.big_integer(TAG, &[0, 0, 0, 0, 0, 0, 0, 9])),
        AttributeValue::custom("x-enumeration", |w| w.enumeration(TAG, 0x8000_0001)),
        AttributeValue::custom("x-boolean", |w| w.boolean(TAG, true)),
        AttributeValue::custom_text("x-text", "Ωμέγα"),
        AttributeValue::custom("x-bytes", |w| w.bytes(TAG, &[0, 255, 1])),
        AttributeValue::custom("x-date", |w| w.date_time(TAG, -1)),
        AttributeValue::custom("x-interval", |w| w.interval(TAG, u32::MAX)),
        AttributeValue::custom("x-structure", |w| {
            w.structure(TAG, |w| {
                w.text(Tag(0x54_0001), "inside");
                w.integer(Tag(0x54_0002), 5);
            });
        }),
    ]
    .into_iter()
    .map(Option::unwrap)
    .collect();
    for value in &values {
        let add = AddAttributeRequest { unique_identifier: Some(id.as_str().into()), attribute: value.clone().into() };
        client.request(V, add).unwrap();
    }
    for version in [ProtocolVersion::V1_0, V, ProtocolVersion::V2_1] {
        for value in &values {
            let told = client.request(version, GetAttributesRequest::of(id.as_str(), &[value.name()])).unwrap();
            let came: Vec<Vec<u8>> = told.attributes.iter().map(|one| one.value.canonical_bytes()).collect();
            assert_eq!(came, [value.canonical_bytes()], "{} in {version}", value.name());
        }
    }
}

#[test]
fn attributes_are_set_adjusted_and_deleted_as_2_1_says() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("adjusts", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let v = ProtocolVersion::V2_1;
    let id = client.request(V, asking::aes(Vec::new())).unwrap().unique_identifier;
    let named = || Some(id.as_str().into());
    let held = |client: &mut Connection, name: &str| -> Vec<AttributeValue> {
        let told = client.request(v, GetAttributesRequest::of(id.as_str(), &[name])).unwrap();
        told.attributes.into_iter().map(|one| one.value).collect()
    };
    let set = |value: AttributeValue| SetAttributeRequest { unique_identifier: named(), attribute: value.into() };
    let adjust = |name: &str, adjustment_type, by: Option<OwnedItem>| AdjustAttributeRequest {
        unique_identifier: named(),
        attribute_reference: AttributeReference(name.to_owned()),
        adjustment_type,
        adjustment_value: by,
    };
    let delete = |name: &str, current: Option<AttributeValue>| DeleteAttributeRequest {
        unique_identifier: named(),
        attribute_name: name.to_owned(),
        attribute_index: None,
        current_attribute: current.map(Attribute::new),
    };

    // Set makes it, then changes it; Adjust moves it.
    let period = |seconds| AttributeValue::ProtectionPeriod(Interval(seconds));
    for seconds in [10, 20] {
        client.request(v, set(period(seconds))).unwrap();
        assert_eq!(held(&mut client, "Protection Period"), [period(seconds)]);
    }
    let five = OwnedItem::of(Tag::ADJUSTMENT_VALUE, &Interval(5)).unwrap();
    client.request(v, adjust("Protection Period", AdjustmentType::Decrement, Some(five))).unwrap();
    assert_eq!(held(&mut client, "Protection Period"), [period(15)]);
    client.request(v, adjust("Sensitive", AdjustmentType::Negate, None)).unwrap();
    assert_eq!(held(&mut client, "Sensitive"), [AttributeValue::Sensitive(true)]);
    let back = client.request(v, adjust("Sensitive", AdjustmentType::Negate, None)).unwrap_err();
    assert_eq!(back.reason(), Some(ResultReason::PermissionDenied), "{back}");
    let state = client.request(v, adjust("State", AdjustmentType::Increment, None)).unwrap_err();
    assert_eq!(state.reason(), Some(ResultReason::InvalidDataType), "{state}");

    // Of several values neither is meant; one goes by its value, the rest by the name.
    let tag = |text| AttributeValue::custom_text("ACME-tag", text).unwrap();
    for text in ["a", "b", "c"] {
        client.request(v, AddAttributeRequest { unique_identifier: named(), attribute: tag(text).into() }).unwrap();
    }
    let several = client.request(v, set(tag("d"))).unwrap_err();
    assert_eq!(several.reason(), Some(ResultReason::MultiValuedAttribute), "{several}");
    client.request(v, delete("ACME-tag", Some(tag("b")))).unwrap();
    assert_eq!(held(&mut client, "ACME-tag"), [tag("a"), tag("c")]);
    client.request(v, delete("ACME-tag", None)).unwrap();
    assert_eq!(held(&mut client, "ACME-tag"), []);
    let gone = client.request(v, delete("ACME-tag", None)).unwrap_err();
    assert_eq!(gone.reason(), Some(ResultReason::AttributeNotFound), "{gone}");
}

#[test]
fn a_certificate_chain_is_validated_at_the_date_that_is_asked_for() {
    use kmip::object::{Certificate, ManagedObject};
    use kmip::payload::ValidateRequest;
    use kmip::registry::{CertificateType, ValidityIndicator};
    let node = Node::start().unwrap();
    let tenant = node.tenant("validates", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let authority = certs::Authority::new("root").unwrap();
    let leaf = authority.issue_client("leaf").unwrap();
    let stranger = certs::Authority::new("stranger").unwrap();
    let certificate = |der: &[u8]| Certificate { certificate_type: CertificateType::X509, value: der.to_vec() };
    let root = ManagedObject::Certificate(certificate(authority.cert_der()));
    let root = client.request(V, RegisterRequest::new(root, Vec::<AttributeValue>::new())).unwrap().unique_identifier;
    let mut validate = |with: &[u8], date: Option<i64>| {
        let request = ValidateRequest {
            certificates: vec![certificate(with)],
            unique_identifiers: vec![root.as_str().into()],
            validity_date: date.map(DateTime),
        };
        client.request(V, request).unwrap().validity_indicator
    };
    assert_eq!(validate(&leaf.cert_der, None), ValidityIndicator::Valid);
    assert_eq!(validate(&leaf.cert_der, Some(0)), ValidityIndicator::Invalid);
    assert_eq!(validate(stranger.cert_der(), None), ValidityIndicator::Invalid);
    let key = client.request(V, asking::aes(Vec::new())).unwrap().unique_identifier;
    let of_key = ValidateRequest { unique_identifiers: vec![key.into()], ..Default::default() };
    assert_eq!(client.request(V, of_key).unwrap_err().reason(), Some(ResultReason::IllegalOperation));
}
