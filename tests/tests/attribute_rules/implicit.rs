//! Which operations set attributes that nobody told them: the data that the server is built with against the
//! specification's, and a running server, asked for every operation that makes or changes an object.

use std::collections::BTreeSet;

use kmip::ProtocolVersion;
use kmip::attribute::{
    Attribute, AttributeKind, AttributeReference, AttributeValue, Link, RevocationReason, UsageLimits,
};
use kmip::message::{RequestMessage, SUPPORTED_VERSIONS};
use kmip::object::{KeyBlock, KeyMaterial, ManagedObject, PrivateKey, SecretData};
use kmip::payload::{
    ActivateRequest, AddAttributeRequest, AdjustAttributeRequest, ArchiveRequest, CertifyRequest, CheckRequest,
    CreateSplitKeyRequest, DeleteAttributeRequest, DerivationParameters, DeriveKeyRequest, DestroyRequest,
    ExportRequest, GetAttributesRequest, GetRequest, GetUsageAllocationRequest, ImportRequest, JoinSplitKeyRequest,
    LocateRequest, ModifyAttributeRequest, ObtainLeaseRequest, ReCertifyRequest, ReKeyKeyPairRequest, ReKeyRequest,
    ReProvisionRequest, RecoverRequest, RegisterRequest, RequestPayload, ResponsePayload, RevokeRequest,
    SetAttributeRequest,
};
use kmip::registry::{
    AdjustmentType, DerivationMethod, HashingAlgorithm, KeyFormatType, LinkType, ObjectGroupMember, ObjectType,
    Operation, RevocationReasonCode, SecretDataType, SplitKeyMethod, UsageLimitsUnit, UsageMask,
};
use kmip::ttlv::DateTime;
use policy::attributes::{deviations, sets_implicitly};
use secret::Secret;
use system_tests::asking;
use system_tests::node::{Connection, Node};

use crate::{registration, words};

/// A private key and its certificate under the password `password`, with the friendly name `friendly`.
const PKCS12: &[u8] = include_bytes!("../../vectors/attributes/friendly.pfx");

#[test]
fn the_operations_that_the_server_is_built_with_are_those_of_the_tables() {
    for kind in AttributeKind::ALL {
        let built: BTreeSet<_> = kind.rules().implicitly_set_by.iter().copied().collect();
        assert_eq!(built, words::operations(*kind), "{}", kind.text());
    }
    for same in deviations::SAME_WORK {
        let of = |kind: &AttributeKind| words::operations(*kind).contains(&same.operation);
        assert!(!AttributeKind::ALL.iter().any(of), "the tables do name {}", same.operation.text());
    }
    for one in deviations::IMPLICIT {
        for kind in one.kinds {
            let mut by = one.by.iter();
            assert!(by.all(|operation| !words::operations(*kind).contains(operation)), "{}: {}", kind.text(), one.why);
        }
    }
    assert!(!sets_implicitly(Operation::Get, AttributeKind::State), "an operation that makes and changes nothing");
}

/// What the table, apart from any deviation, lets the operation set.
fn by_the_tables(operation: Operation, kind: AttributeKind) -> bool {
    words::operations(kind).contains(&operation)
}

struct Walk<'a> {
    client: &'a mut Connection,
    version: ProtocolVersion,
    /// What was set that the tables alone do not allow.
    used: &'a mut BTreeSet<(Operation, AttributeKind)>,
    looked: &'a mut usize,
    faults: &'a mut Vec<String>,
}

impl Walk<'_> {
    fn kinds(&mut self, id: &str) -> BTreeSet<AttributeKind> {
        let told = self.client.request(self.version, GetAttributesRequest::of(id, &[])).unwrap();
        told.attributes.iter().map(|one| one.value.kind()).collect()
    }

    /// The object came of the operation with everything in `set`, of which `given` was told.
    fn judge(&mut self, operation: Operation, set: &BTreeSet<AttributeKind>, given: &[AttributeKind]) {
        for kind in set.iter().filter(|kind| !given.contains(kind)) {
            *self.looked += 1;
            if !sets_implicitly(operation, *kind) {
                self.faults.push(format!("{} in {} sets {}", operation.text(), self.version, kind.text()));
            } else if !by_the_tables(operation, *kind) {
                self.used.insert((operation, *kind));
            }
        }
    }

    fn made(&mut self, operation: Operation, id: &str, given: &[AttributeKind]) {
        let set = self.kinds(id);
        self.judge(operation, &set, given);
    }

    /// A request that changes an object, or does not.
    fn changed(&mut self, id: &str, request: impl Into<RequestPayload>, given: &[AttributeKind]) {
        let before = self.kinds(id);
        let request = request.into();
        let operation = request.operation();
        self.client.operation(self.version, request).unwrap();
        let after = self.kinds(id);
        self.judge(operation, &after.difference(&before).copied().collect(), given);
    }

    /// Objects made in every way, each with the attributes that were told.
    fn make(&mut self) {
        use AttributeKind as K;
        const KEY: &[AttributeKind] = &[K::CryptographicAlgorithm, K::CryptographicLength, K::CryptographicUsageMask];
        const MASK: &[AttributeKind] = &[K::CryptographicUsageMask];
        let version = self.version;
        let further = vec![
            asking::name(&format!("carried over in {version}")),
            AttributeValue::ContactInformation("somebody".to_owned()),
            AttributeValue::custom_text("x-own", "told").unwrap(),
        ];
        let told: Vec<_> = KEY.iter().copied().chain([K::Name, K::ContactInformation, K::Custom]).collect();
        let created = self.client.request(version, asking::aes(further)).unwrap().unique_identifier;
        self.made(Operation::Create, &created, &told);
        let rekey = ReKeyRequest { unique_identifier: Some(created.as_str().into()), ..Default::default() };
        let before = self.kinds(&created);
        let renewed = self.client.request(version, rekey).unwrap().unique_identifier;
        self.made(Operation::ReKey, &renewed, &[]);
        let after = self.kinds(&created);
        self.judge(Operation::ReKey, &after.difference(&before).copied().collect(), &[]);

        for object_type in
            [ObjectType::SymmetricKey, ObjectType::PrivateKey, ObjectType::Certificate, ObjectType::OpaqueObject]
        {
            let id = self.client.request(version, registration(object_type)).unwrap().unique_identifier;
            self.made(Operation::Register, &id, MASK);
        }
        if version >= ProtocolVersion::V1_4 {
            self.out_of_pkcs12();
            self.imported();
        }
        self.pairs_and_certificates();
        self.derived();
        if version >= ProtocolVersion::V1_2 {
            self.split();
        }
        if version >= ProtocolVersion::V1_1 {
            let wanted = AttributeValue::ObjectGroup("default".to_owned());
            let locate = LocateRequest {
                object_group_member: Some(ObjectGroupMember::GroupMemberFresh),
                attributes: vec![Attribute::new(wanted)],
                ..Default::default()
            };
            let fresh = self.client.request(version, locate).unwrap().unique_identifiers.remove(0);
            self.made(Operation::Locate, &fresh, &[K::CryptographicUsageMask, K::ObjectGroup]);
            // Whoever fetches it takes it off the stock.
            self.changed(&fresh, GetRequest::of(&fresh), &[]);
        }
    }

    fn out_of_pkcs12(&mut self) {
        let key_block = KeyBlock::without_algorithm(KeyFormatType::Raw, Secret::copy_from(b"password"));
        let secret = SecretData { secret_data_type: SecretDataType::Password, key_block };
        let attributes = vec![
            AttributeValue::CryptographicUsageMask(UsageMask::default()),
            AttributeValue::ActivationDate(DateTime(1)),
        ];
        let password = RegisterRequest::new(ManagedObject::SecretData(secret), attributes);
        let password = self.client.request(self.version, password).unwrap().unique_identifier;
        let material = KeyMaterial::Bytes(Secret::copy_from(PKCS12));
        let key_block = KeyBlock::new(KeyFormatType::Pkcs12, material, None, None);
        let link = Link { link_type: LinkType::Pkcs12PasswordLink, linked_object_identifier: password.as_str().into() };
        let attributes = vec![AttributeValue::CryptographicUsageMask(UsageMask::SIGN), AttributeValue::Link(link)];
        let register = RegisterRequest::new(ManagedObject::PrivateKey(PrivateKey { key_block }), attributes);
        let id = self.client.request(self.version, register).unwrap().unique_identifier;
        self.made(Operation::Register, &id, &[AttributeKind::CryptographicUsageMask]);
        assert!(self.kinds(&id).contains(&AttributeKind::Pkcs12FriendlyName), "the file has a name");
    }

    fn imported(&mut self) {
        let version = self.version;
        let import = ImportRequest {
            unique_identifier: uuid::Uuid::now_v7().to_string(),
            object_type: version.is_2_x().then_some(ObjectType::SymmetricKey),
            replace_existing: None,
            key_wrap_type: None,
            attributes: vec![AttributeValue::CryptographicUsageMask(UsageMask::ENCRYPT).into()],
            object: registration(ObjectType::SymmetricKey).object,
        };
        let id = self.client.request(version, import).unwrap().unique_identifier;
        self.made(Operation::Import, &id, &[AttributeKind::CryptographicUsageMask]);
        let export = ExportRequest { unique_identifier: Some(id.as_str().into()), ..Default::default() };
        self.changed(&id, export, &[]);
    }

    fn pairs_and_certificates(&mut self) {
        use AttributeKind as K;
        let version = self.version;
        let pair = self.client.request(version, asking::p256_pair(Vec::new())).unwrap();
        let halves = [pair.private_key_unique_identifier, pair.public_key_unique_identifier];
        let told = [K::CryptographicAlgorithm, K::CryptographicLength, K::CryptographicUsageMask];
        for id in &halves {
            self.made(Operation::CreateKeyPair, id, &told);
        }
        let [private, public] = halves;
        let before = self.kinds(&public);
        let certify = CertifyRequest { unique_identifier: Some(public.as_str().into()), ..Default::default() };
        let certificate = self.client.request(version, certify).unwrap().unique_identifier;
        self.made(Operation::Certify, &certificate, &[]);
        let after = self.kinds(&public);
        self.judge(Operation::Certify, &after.difference(&before).copied().collect(), &[]);
        let before = self.kinds(&certificate);
        let again = ReCertifyRequest { unique_identifier: Some(certificate.as_str().into()), ..Default::default() };
        let again = self.client.request(version, again).unwrap().unique_identifier;
        self.made(Operation::ReCertify, &again, &[]);
        let after = self.kinds(&certificate);
        self.judge(Operation::ReCertify, &after.difference(&before).copied().collect(), &[]);
        if version >= ProtocolVersion::V1_1 {
            let rekey = ReKeyKeyPairRequest {
                private_key_unique_identifier: Some(private.as_str().into()),
                ..Default::default()
            };
            let renewed = self.client.request(version, rekey).unwrap();
            self.made(Operation::ReKeyKeyPair, &renewed.private_key_unique_identifier, &[]);
            self.made(Operation::ReKeyKeyPair, &renewed.public_key_unique_identifier, &[]);
        }
    }

    fn derived(&mut self) {
        use AttributeKind as K;
        let mask = AttributeValue::CryptographicUsageMask(UsageMask::DERIVE_KEY);
        let mut base = asking::known_aes(&[3; 32], vec![AttributeValue::ActivationDate(DateTime(1))]);
        base.template_attribute.attributes.retain(|one| one.kind() != K::CryptographicUsageMask);
        base.template_attribute.attributes.push(Attribute::new(mask));
        let base = self.client.request(self.version, base).unwrap().unique_identifier;
        let parameters = kmip::attribute::CryptographicParameters {
            hashing_algorithm: Some(HashingAlgorithm::Sha256),
            ..Default::default()
        };
        let derive = DeriveKeyRequest {
            object_type: ObjectType::SymmetricKey,
            unique_identifiers: vec![base.as_str().into()],
            derivation_method: DerivationMethod::Hmac,
            derivation_parameters: DerivationParameters {
                cryptographic_parameters: Some(Box::new(parameters)),
                initialization_vector: None,
                derivation_data: vec![Secret::copy_from(b"for what")],
                salt: None,
                iteration_count: None,
            },
            template_attribute: asking::aes(Vec::new()).template_attribute,
        };
        let id = self.client.request(self.version, derive).unwrap().unique_identifier;
        let told = [K::CryptographicAlgorithm, K::CryptographicLength, K::CryptographicUsageMask];
        self.made(Operation::DeriveKey, &id, &told);
    }

    fn split(&mut self) {
        use AttributeKind as K;
        let told = [K::CryptographicAlgorithm, K::CryptographicLength, K::CryptographicUsageMask];
        let split = CreateSplitKeyRequest {
            object_type: ObjectType::SplitKey,
            unique_identifier: None,
            split_key_parts: 3,
            split_key_threshold: 3,
            split_key_method: SplitKeyMethod::Xor,
            prime_field_size: None,
            template_attribute: asking::aes(Vec::new()).template_attribute,
            protection_storage_masks: None,
        };
        let parts = self.client.request(self.version, split).unwrap().unique_identifiers;
        for part in &parts {
            self.made(Operation::CreateSplitKey, part, &told);
        }
        let join = JoinSplitKeyRequest {
            object_type: ObjectType::SymmetricKey,
            unique_identifiers: parts.iter().map(|id| id.as_str().into()).collect(),
            secret_data_type: None,
            template_attribute: None,
            protection_storage_masks: None,
        };
        let joined = self.client.request(self.version, join).unwrap().unique_identifier;
        self.made(Operation::JoinSplitKey, &joined, &[]);
    }

    /// The life of one object, and everything that is done to it.
    fn live(&mut self) {
        use AttributeKind as K;
        let version = self.version;
        let limits = UsageLimits { total: Some(1000), count: None, unit: Some(UsageLimitsUnit::Byte) };
        let limits = AttributeValue::UsageLimits(Box::new(limits));
        let id = self.client.request(version, asking::aes(vec![limits])).unwrap().unique_identifier;
        let of = || Some(id.as_str().into());
        let contact = |text: &str| Attribute::new(AttributeValue::ContactInformation(text.to_owned()));
        let told = &[K::ContactInformation][..];
        self.changed(&id, AddAttributeRequest { unique_identifier: of(), attribute: contact("one") }, told);
        let modify =
            ModifyAttributeRequest { unique_identifier: of(), current_attribute: None, attribute: contact("two") };
        self.changed(&id, modify, told);
        if version.is_2_x() {
            self.changed(&id, SetAttributeRequest { unique_identifier: of(), attribute: contact("three") }, told);
            let adjust = AdjustAttributeRequest {
                unique_identifier: of(),
                attribute_reference: AttributeReference("Sensitive".to_owned()),
                adjustment_type: AdjustmentType::Negate,
                adjustment_value: None,
            };
            self.changed(&id, adjust, &[]);
        }
        let delete = DeleteAttributeRequest {
            unique_identifier: of(),
            attribute_name: "Contact Information".to_owned(),
            attribute_index: None,
            current_attribute: None,
        };
        self.changed(&id, delete, &[]);
        self.changed(&id, ActivateRequest::of(id.as_str()), &[]);
        self.changed(&id, ObtainLeaseRequest { unique_identifier: of() }, &[]);
        self.changed(&id, CheckRequest { unique_identifier: of(), ..Default::default() }, &[]);
        self.changed(&id, GetUsageAllocationRequest { unique_identifier: of(), usage_limits_count: 10 }, &[]);
        self.changed(&id, ArchiveRequest { unique_identifier: of() }, &[]);
        self.changed(&id, RecoverRequest { unique_identifier: of() }, &[]);
        let revoke = RevokeRequest {
            unique_identifier: of(),
            revocation_reason: RevocationReason { code: RevocationReasonCode::KeyCompromise, message: None },
            compromise_occurrence_date: None,
        };
        self.changed(&id, revoke, &[]);
        self.changed(&id, DestroyRequest::of(id.as_str()), &[]);
        let other = self.client.request(version, asking::aes(vec![])).unwrap().unique_identifier;
        self.changed(&other, ActivateRequest::of(other.as_str()), &[]);
        self.changed(&other, asking::cessation(Some(other.clone())), &[]);
    }
}

/// The only client of a domain gets a new key pair and a new certificate. Gives the connection as who it is from then
/// on, and the objects that were made.
fn re_provisioned(node: &Node, version: ProtocolVersion) -> (Connection, Vec<String>) {
    let tenant = node.tenant("credential", "legacy").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let as_pkcs8 = GetRequest { key_format_type: Some(KeyFormatType::Pkcs8), ..Default::default() };
    let certificates = LocateRequest {
        attributes: vec![AttributeValue::ObjectType(ObjectType::Certificate).into()],
        ..LocateRequest::default()
    };
    let batch =
        [ReProvisionRequest::default().into(), as_pkcs8.into(), certificates.into(), GetRequest::default().into()];
    let answers = asking::successes(client.call(RequestMessage::batch(version, batch)).unwrap()).unwrap();
    let [_, ResponsePayload::Get(key), _, ResponsePayload::Get(own)] = answers.as_slice() else {
        panic!("{answers:?}")
    };
    let ManagedObject::Certificate(certificate) = &own.object else { panic!("no certificate") };
    let pem = |label: &str, der: &[u8]| {
        let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    };
    let identity = certs::Issued {
        cert_pem: pem("CERTIFICATE", &certificate.value),
        key_pem: zeroize::Zeroizing::new(pem("PRIVATE KEY", asking::bytes(key).unwrap())),
        cert_der: certificate.value.clone(),
    };
    let mut client = node.connect(&identity).unwrap();
    let made = client.request(version, LocateRequest::default()).unwrap().unique_identifiers;
    (client, made)
}

#[test]
fn no_operation_sets_what_neither_the_tables_nor_a_deviation_let_it() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("implicit", "legacy").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let (mut used, mut looked, mut faults) = (BTreeSet::new(), 0, Vec::new());
    for version in SUPPORTED_VERSIONS {
        let (used, looked, faults) = (&mut used, &mut looked, &mut faults);
        let mut walk = Walk { client: &mut client, version, used, looked, faults };
        walk.make();
        walk.live();
    }
    let version = ProtocolVersion::V2_1;
    let (mut client, made) = re_provisioned(&node, version);
    assert_eq!(made.len(), 3, "two halves and a certificate");
    let (on, at, wrong) = (&mut used, &mut looked, &mut faults);
    let mut walk = Walk { client: &mut client, version, used: on, looked: at, faults: wrong };
    for id in &made {
        // A credential is active from the start.
        walk.made(Operation::ReProvision, id, &[AttributeKind::ActivationDate]);
    }
    println!("{looked} values that nobody told");
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(looked > 2000, "{looked}");
    for one in deviations::IMPLICIT {
        for operation in one.by {
            let is_used = one.kinds.iter().any(|kind| used.contains(&(*operation, *kind)));
            assert!(is_used, "{} needs no deviation: {}", operation.text(), one.why);
        }
    }
    for same in deviations::SAME_WORK {
        let sets_something = used.iter().any(|(operation, _)| *operation == same.operation);
        // An object has every value that is modified already.
        let only_changes = matches!(same.operation, Operation::SetAttribute | Operation::AdjustAttribute);
        assert!(sets_something || only_changes, "{} sets nothing", same.operation.text());
    }
}
