//! Secrets stay where they belong: markers are looked for in everything that a whole life of a node leaves (bars C4 to
//! C6).
//!
//! Keys whose bytes the test knows are registered and used in every operation, well and wrongly, through restarts,
//! crashes and faults of HSM and store, with the most talkative log there is. Then every file of the node (database,
//! write-ahead log, shared memory, log, configuration, the HSM's own token files), every answer, every export and
//! everything that `kmsctl` wrote is searched for them in every form bytes take.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;

use admin_api::{Credential, IssueClient, RegisterClient, SecretText};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystore::{KeyStore, MacKey, SqliteStore, StoreError, StoreOptions};
use kmip::attribute::{Attribute, AttributeValue};
use kmip::message::{
    Credential as Claim, DeviceCredential, Outcome, Password, RequestMessage, ResponseMessage, SUPPORTED_VERSIONS,
};
use kmip::object::{
    EncryptionKeyInformation, KeyBlock, KeyMaterial, KeyValue, KeyWrappingSpecification, ManagedObject, OpaqueObject,
    SecretData, SymmetricKey,
};
use kmip::payload::{
    ActivateRequest, AddAttributeRequest, CheckRequest, DeleteAttributeRequest, DestroyRequest,
    DiscoverVersionsRequest, GetAttributeListRequest, GetAttributesRequest, GetRequest, LocateRequest,
    ModifyAttributeRequest, QueryRequest, RegisterRequest, RequestPayload, ResponsePayload,
};
use kmip::registry::{
    BatchErrorContinuationOption, CryptographicAlgorithm, KeyFormatType, OpaqueDataType, QueryFunction, SecretDataType,
    UsageMask, WrappingMethod,
};
use kmip::{ProtocolVersion, Tag};
use kmip_client::TlsVersions;
use rustix::process::{Signal, geteuid};
use secret::Secret;
use system_tests::asking;
use system_tests::faults::{OF_THE_HSM, OF_THE_STORE, demand_injector};
use system_tests::mutation::mutate;
use system_tests::needles::{Hit, Needles};
use system_tests::node::{Connection, Node, folder};
use system_tests::random::Random;
use system_tests::socket::{Socket, configuration};
use xtask::stage::StageOptions;

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
const TAG: &str = "x-tag";
const USER: &str = "marker-user";
/// Where the private scalar of a P-256 key begins in PKCS#8 (RFC 5915 within RFC 5958), and its length.
const SCALAR: std::ops::Range<usize> = 36..68;

fn talkative() -> StageOptions {
    let limits = vec![("body_deadline_ms".to_owned(), 1_000), ("linger_deadline_ms".to_owned(), 100)];
    StageOptions { limits, log_level: "trace".to_owned(), ..StageOptions::default() }
}

/// What was seen from outside: answers, outputs, exports.
struct Seen {
    needles: Needles,
    hits: Vec<Hit>,
    bytes: usize,
}

impl Seen {
    fn see(&mut self, place: &str, bytes: &[u8]) {
        self.bytes += bytes.len();
        self.hits.extend(self.needles.find(place, bytes));
    }
}

/// One marker, and a new one each time.
fn marker(seen: &mut Seen, random: &mut Random, name: &str) -> Vec<u8> {
    let marker = random.bytes(32);
    seen.needles.add(name, &marker).unwrap();
    marker
}

/// A marker that is text.
fn password(seen: &mut Seen, random: &mut Random, name: &str) -> String {
    let password = format!("pass+/{}", hex::encode(random.bytes(12)));
    seen.needles.add(name, password.as_bytes()).unwrap();
    password
}

/// Sends a message and looks at its answer, unless it has to hold a key: a Get that succeeded.
fn ask(seen: &mut Seen, client: &mut Connection, request: RequestMessage) -> Vec<Outcome> {
    let bytes = request.encode().unwrap();
    let Ok(answer) = client.raw(&bytes) else { return Vec::new() };
    let decoded = ResponseMessage::decode(&answer).unwrap();
    let with_key = |outcome: &Outcome| matches!(outcome, Outcome::Success(ResponsePayload::Get(_)));
    if !decoded.items.iter().any(|item| with_key(&item.outcome)) {
        seen.see("an answer", &answer);
    }
    // What a client's own log would show of it.
    seen.see("an answer as text", kmip::text::render(&answer).as_bytes());
    seen.see("an answer in Debug", format!("{decoded:?}").as_bytes());
    seen.see("a request as text", kmip::text::render(&bytes).as_bytes());
    seen.see("a request in Debug", format!("{request:?}").as_bytes());
    decoded.items.into_iter().map(|item| item.outcome).collect()
}

fn aes_block(key: &[u8]) -> KeyBlock {
    KeyBlock::raw(Secret::copy_from(key), CryptographicAlgorithm::Aes, 256)
}

fn single(version: ProtocolVersion, payload: impl Into<RequestPayload>) -> RequestMessage {
    RequestMessage::single(version, payload)
}

fn secret_data(bytes: &[u8]) -> RequestPayload {
    let key_block = KeyBlock::without_algorithm(KeyFormatType::Raw, Secret::copy_from(bytes));
    let object = ManagedObject::SecretData(SecretData { secret_data_type: SecretDataType::Password, key_block });
    let mask = AttributeValue::CryptographicUsageMask(UsageMask::DERIVE_KEY);
    RequestPayload::Register(RegisterRequest::new(object, vec![mask]))
}

fn opaque(bytes: &[u8]) -> RequestPayload {
    let opaque = OpaqueObject { opaque_data_type: OpaqueDataType(0x8000_0001), value: Secret::copy_from(bytes) };
    RequestPayload::Register(RegisterRequest::new(ManagedObject::OpaqueObject(opaque), Vec::<AttributeValue>::new()))
}

fn transparent(key: &[u8]) -> RequestPayload {
    let material = KeyMaterial::TransparentSymmetric(Secret::copy_from(key));
    let key_block = KeyBlock {
        format: KeyFormatType::TransparentSymmetricKey,
        value: Some(KeyValue::Plain { material, attributes: Vec::new() }),
        ..aes_block(key)
    };
    let mut request = asking::known_aes(key, Vec::new());
    request.object = ManagedObject::SymmetricKey(SymmetricKey { key_block });
    request.into()
}

/// What holds a marker, and how it is registered.
type Kind = (&'static str, fn(&[u8]) -> RequestPayload);

/// Objects of every kind, with a marker in each; returns their identifiers.
fn register_markers(seen: &mut Seen, client: &mut Connection, random: &mut Random) -> Vec<String> {
    let mut ids = Vec::new();
    for version in SUPPORTED_VERSIONS {
        let kinds: [Kind; 4] = [
            ("symmetric key", |key| asking::known_aes(key, Vec::new()).into()),
            ("transparent key", transparent),
            ("secret data", secret_data),
            ("opaque object", opaque),
        ];
        for (kind, request) in kinds {
            let marker = marker(seen, random, &format!("{kind} in {version}"));
            let outcomes = ask(seen, client, single(version, request(&marker)));
            let [Outcome::Success(ResponsePayload::Register(made))] = outcomes.as_slice() else {
                panic!("{kind} in {version}: {outcomes:?}")
            };
            ids.push(made.unique_identifier.clone());
        }
        // Keys that are made here become markers when they are first seen.
        let made = client.request(version, asking::aes(Vec::new())).unwrap().unique_identifier;
        let got = client.request(version, GetRequest::of(made.as_str())).unwrap();
        seen.needles.add(&format!("created in {version}"), asking::bytes(&got).unwrap()).unwrap();
        ids.push(made);
    }
    ids
}

/// Every operation about an object, well and wrongly.
fn use_in_every_way(seen: &mut Seen, client: &mut Connection, id: &str) {
    let tag = |text: &str| Attribute::new(AttributeValue::custom_text(TAG, text).unwrap());
    let wrapped = KeyWrappingSpecification {
        wrapping_method: WrappingMethod::Encrypt,
        encryption_key_information: Some(EncryptionKeyInformation {
            unique_identifier: id.to_owned(),
            cryptographic_parameters: None,
        }),
        mac_signature_key_information: None,
        attribute_names: Vec::new(),
        encoding_option: None,
    };
    let wrong_format = Some(KeyFormatType::Pkcs8);
    let requests: Vec<RequestPayload> = vec![
        DiscoverVersionsRequest::default().into(),
        QueryRequest::of(vec![QueryFunction::QueryOperations]).into(),
        GetRequest::of(id).into(),
        GetRequest { key_format_type: Some(KeyFormatType::TransparentSymmetricKey), ..GetRequest::of(id) }.into(),
        GetRequest { key_format_type: wrong_format, ..GetRequest::of(id) }.into(),
        GetRequest { key_wrapping_specification: Some(Box::new(wrapped)), ..GetRequest::of(id) }.into(),
        GetAttributesRequest::of(id, &[]).into(),
        GetAttributeListRequest::of(id).into(),
        AddAttributeRequest { unique_identifier: Some(id.into()), attribute: tag("one") }.into(),
        AddAttributeRequest { unique_identifier: Some(id.into()), attribute: tag("two") }.into(),
        ModifyAttributeRequest { unique_identifier: Some(id.into()), current_attribute: None, attribute: tag("three") }
            .into(),
        DeleteAttributeRequest {
            unique_identifier: Some(id.into()),
            attribute_name: TAG.to_owned(),
            attribute_index: None,
            current_attribute: None,
        }
        .into(),
        DeleteAttributeRequest {
            unique_identifier: Some(id.into()),
            attribute_name: "State".to_owned(),
            attribute_index: None,
            current_attribute: None,
        }
        .into(),
        LocateRequest::default().into(),
        CheckRequest {
            unique_identifier: Some(id.into()),
            cryptographic_usage_mask: Some(UsageMask::SIGN),
            ..CheckRequest::default()
        }
        .into(),
        ActivateRequest::of(id).into(),
        ActivateRequest::of(id).into(),
        DestroyRequest::of(id).into(),
        asking::cessation(Some(id.to_owned())).into(),
        DestroyRequest::of(id).into(),
        GetRequest::of(id).into(),
    ];
    for request in requests {
        ask(seen, client, single(V1_4, request));
    }
}

/// Markers in messages that are refused in every way there is.
fn be_refused(seen: &mut Seen, node: &Node, client: &mut Connection, random: &mut Random) {
    let refused = |seen: &mut Seen, client: &mut Connection, request: RequestMessage| {
        let outcomes = ask(seen, client, request);
        let failed = |outcome: &Outcome| !matches!(outcome, Outcome::Success(_));
        assert!(outcomes.iter().any(failed), "{outcomes:?}");
    };
    let mut new = |seen: &mut Seen, name: &str| marker(seen, random, name);
    let key = new(seen, "refused for its length");
    let mut request = asking::known_aes(&key, Vec::new());
    request.object = ManagedObject::SymmetricKey(SymmetricKey {
        key_block: KeyBlock::raw(Secret::copy_from(&key), CryptographicAlgorithm::Aes, 128),
    });
    refused(seen, client, single(V1_4, request));

    let key = new(seen, "refused for its algorithm");
    let mut request = asking::known_aes(&key, Vec::new());
    request.object = ManagedObject::SymmetricKey(SymmetricKey {
        key_block: KeyBlock::raw(Secret::copy_from(&key), CryptographicAlgorithm::Des, 256),
    });
    refused(seen, client, single(V1_4, request));

    let key = new(seen, "refused for its attribute");
    let state = AttributeValue::State(kmip::registry::State::Active);
    refused(seen, client, single(V1_4, asking::known_aes(&key, vec![state])));

    let key = new(seen, "undone with its batch");
    let mut batch =
        RequestMessage::batch(V1_4, [asking::known_aes(&key, Vec::new()).into(), GetRequest::of("nowhere").into()]);
    batch.header.batch_error_continuation = Some(BatchErrorContinuationOption::Undo);
    refused(seen, client, batch);

    let key = new(seen, "too large to be answered");
    let mut request = single(V1_4, asking::known_aes(&key, Vec::new()));
    request.header.maximum_response_size = Some(1);
    refused(seen, client, request);

    // As the answer to something else: where an identifier is expected, a name, an attribute.
    let key = new(seen, "sensitive");
    let hidden = asking::known_aes(&key, vec![AttributeValue::Sensitive(true)]);
    refused(seen, client, RequestMessage::batch(V1_4, [hidden.into(), GetRequest::default().into()]));

    // Broken within: the reader stops anywhere, and says where.
    let key = new(seen, "in broken messages");
    let whole = single(V1_4, asking::known_aes(&key, Vec::new())).encode().unwrap();
    let mut spoils = Random::from_seed(7);
    for _ in 0..200 {
        let answer = client.raw(&mutate(&whole, &whole, &mut spoils)).unwrap();
        seen.see("an answer to a broken message", &answer);
    }
    // No message at all, and half of one.
    let identity = certs::self_signed_vcenter_client().unwrap();
    let domain = node.tenant("broken", "legacy").unwrap().name;
    node.register(&domain, &identity, None).unwrap();
    let config = std::sync::Arc::new(configuration(node, &identity, TlsVersions::Both).unwrap());
    for bytes in [&key[..], &[&key[..], &whole[..]].concat(), &whole[..whole.len() - 8]] {
        let mut socket = Socket::open(node.addresses().unwrap().kmip, &config).unwrap();
        socket.send(bytes).unwrap();
        let said = socket.until_closed().unwrap();
        seen.see("an answer to no message", &said);
    }
}

/// Passwords in credentials: the right one, wrong ones, of every kind.
fn claim(seen: &mut Seen, client: &mut Connection, right: &str, random: &mut Random) {
    let wrong = password(seen, random, "a wrong password");
    let device = password(seen, random, "a device's password");
    let named = |password: &str| Claim::UsernameAndPassword {
        username: USER.to_owned(),
        password: Some(Secret::copy_from(password.as_bytes())),
    };
    let of_device = Claim::Device(DeviceCredential {
        device_serial_number: Some("serial".to_owned()),
        password: Password::new(Secret::copy_from(device.as_bytes())),
        ..DeviceCredential::default()
    });
    for (credential, good) in [(named(right), true), (named(&wrong), false), (of_device, false)] {
        let mut request = single(V1_4, LocateRequest::default());
        request.header.authentication.push(credential);
        let outcomes = ask(seen, client, request);
        assert_eq!(matches!(outcomes.as_slice(), [Outcome::Success(_)]), good, "{outcomes:?}");
    }
}

/// Everything that administrators do, by API and by command, and all that they see of it.
fn administer(seen: &mut Seen, node: &Node, domain: &str, id: &str, random: &mut Random) {
    let secret = password(seen, random, "a password given to kmsctl");
    let outside = folder().unwrap();
    let file = |name: &str| outside.path().join(name).to_str().unwrap().to_owned();
    fs::write(file("password"), &secret).unwrap();
    let certificate = certs::self_signed_vcenter_client().unwrap();
    fs::write(file("client.pem"), &certificate.cert_pem).unwrap();
    let register = ["client", "register", domain, &file("client.pem"), "--username", "u", "--password-file"];
    let (password_file, bundle, stem) = (file("password"), file("bundle"), file("issued"));
    let commands: Vec<Vec<&str>> = vec![
        vec!["health"],
        vec!["hsm", "status"],
        vec!["domain", "list"],
        vec!["domain", "show", domain],
        vec!["domain", "show", "nobody"],
        [&register[..], &[&password_file]].concat(),
        [&register[..], &[&password_file]].concat(),
        vec!["client", "issue", domain, "issued", "--out", &stem],
        vec!["client", "list", domain],
        vec!["object", "list", domain],
        vec!["object", "show", domain, id],
        vec!["object", "revoke", domain, id, "--reason", "superseded", "--dry-run"],
        vec!["object", "destroy", domain, id, "--dry-run"],
        vec!["audit", "export", domain],
        vec!["audit", "export", "system"],
        vec!["audit", "export", domain, "--to", &bundle],
        vec!["audit", "checkpoint", domain],
        vec!["audit", "keys"],
    ];
    for command in &commands {
        for (admin, output) in [("operator", "table"), ("officer1", "json"), ("auditor", "json")] {
            let done = node.kmsctl(admin, &[&command[..], &["--output", output]].concat()).unwrap();
            seen.see("kmsctl's output", done.stdout.as_bytes());
            seen.see("kmsctl's errors", done.stderr.as_bytes());
        }
    }
    seen.see("an exported bundle", &fs::read(&bundle).unwrap());
    // The key that was made for a client went into its file and nowhere else.
    let made = fs::read_to_string(format!("{stem}.key")).unwrap();
    seen.needles.add("a client's key, made here", &scalar(&made)).unwrap();
    let operator = node.admin("operator").unwrap();
    let request = IssueClient { name: "by the API".to_owned(), csr: None, credential: None };
    let issued = operator.client_issue(domain, &request).unwrap();
    seen.see("an issued client in Debug", format!("{issued:?}").as_bytes());
    seen.needles.add("another client's key", &scalar(issued.private_key.unwrap().expose())).unwrap();
    let credential = Credential { username: "u".to_owned(), password: SecretText::new(secret) };
    let register =
        RegisterClient { certificate: "no certificate".to_owned(), name: None, credential: Some(credential) };
    seen.see("a request in Debug", format!("{register:?}").as_bytes());
    let error = operator.client_register(domain, &register).unwrap_err();
    seen.see("an error of the admin API", format!("{error} {error:?}").as_bytes());
}

/// The private number of a key in PEM of PKCS#8.
fn scalar(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()[SCALAR].to_vec()
}

/// Secrets that the node itself has in files: each may be in its own file and nowhere else.
fn secrets_of_the_node(seen: &mut Seen, node: &Node) -> Vec<(String, String)> {
    let mut own = Vec::new();
    for folder in ["hsm", "custodians"] {
        for entry in fs::read_dir(node.dir().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with("pin") || name.ends_with(".pass") {
                let path = format!("{folder}/{name}");
                let text = fs::read(node.dir().join(&path)).unwrap();
                seen.needles.add(&path, text.trim_ascii()).unwrap();
                own.push((path.clone(), path));
            }
        }
    }
    let path = "pki/server.key".to_owned();
    let key = scalar(&fs::read_to_string(node.dir().join(&path)).unwrap());
    seen.needles.add(&path, &key).unwrap();
    own.push((path.clone(), path));
    assert_eq!(own.len(), 3 + 3 + 3 + 1, "{own:?}");
    own
}

/// Searches the node's whole folder, as it is now.
fn search(seen: &mut Seen, node: &Node, own: &[(String, String)], expected: &[&str]) {
    let (files, hits) = seen.needles.find_in_folder(node.dir()).unwrap();
    assert!(files > 20, "{files} files");
    for name in expected {
        assert!(node.dir().join(name).exists(), "{name} is not there to be searched");
    }
    let at_home = |hit: &Hit| own.contains(&(hit.secret.clone(), hit.place.clone()));
    // Every secret of the node was found where it is: the search sees what is there.
    for (secret, place) in own {
        assert!(hits.iter().any(|hit| (&hit.secret, &hit.place) == (secret, place)), "{secret} was not found at all");
    }
    seen.hits.extend(hits.into_iter().filter(|hit| !at_home(hit)));
}

#[test]
fn no_secret_is_found_anywhere_after_everything_that_can_happen() {
    let mut random = Random::announced("no_secret_is_found_anywhere_after_everything_that_can_happen");
    let mut seen = Seen { needles: Needles::default(), hits: Vec::new(), bytes: 0 };
    let mut node = Node::start_with(&talkative(), &[]).unwrap();
    demand_injector(&node).unwrap();
    let own = secrets_of_the_node(&mut seen, &node);
    let right = password(&mut seen, &mut random, "a client's password");
    let credential = Credential { username: USER.to_owned(), password: SecretText::new(right.clone()) };
    let named = node.tenant_with("named", "legacy", Some(credential)).unwrap();
    let tenant = node.tenant("marked", "legacy").unwrap();

    let mut client = node.connect(&tenant.identity).unwrap();
    let ids = register_markers(&mut seen, &mut client, &mut random);
    for id in &ids[5..] {
        use_in_every_way(&mut seen, &mut client, id);
    }
    be_refused(&mut seen, &node, &mut client, &mut random);
    claim(&mut seen, &mut node.connect(&named.identity).unwrap(), &right, &mut random);
    administer(&mut seen, &node, &tenant.name, &ids[0], &mut random);

    // What is open while it runs, and what a crash leaves behind.
    search(&mut seen, &node, &own, &["store/clavis.sqlite-wal", "store/clavis.sqlite-shm", "kms-server.log"]);
    node.kill();
    search(&mut seen, &node, &own, &["store/clavis.sqlite-wal"]);

    // HSM members that fail and that lie, then a store that fails under the hands of clients.
    for (variable, fault) in
        [(OF_THE_HSM, "PAR7S=fail,TH3S=garbage"), (OF_THE_HSM, ""), (OF_THE_STORE, "failing-commit=8")]
    {
        node.set_environment(&[(variable, fault)]);
        node.serve().unwrap();
        let mut client = node.connect(&tenant.identity).unwrap();
        for number in 0..8 {
            let key = marker(&mut seen, &mut random, &format!("key {number} under {fault}"));
            ask(&mut seen, &mut client, single(V1_4, asking::known_aes(&key, Vec::new())));
            ask(&mut seen, &mut client, single(V1_4, GetRequest::of(ids[0].as_str())));
        }
        node.kill();
    }
    node.set_environment(&[]);
    node.serve().unwrap();
    for domain in [tenant.name.as_str(), named.name.as_str(), "system"] {
        seen.see("an export", &node.export(domain).unwrap());
    }
    node.stop().unwrap();
    search(&mut seen, &node, &own, &["store/clavis.sqlite"]);

    // The control: what is public is found by the same search, so it would have found the rest.
    let mut public = Needles::default();
    let id = ids[0].parse::<uuid::Uuid>().unwrap();
    public.add("an identifier", id.as_bytes()).unwrap();
    public.add("its text", ids[0].as_bytes()).unwrap();
    let (_, found) = public.find_in_folder(node.dir()).unwrap();
    assert!(found.iter().any(|hit| hit.secret == "an identifier" && hit.place.starts_with("store/")), "{found:?}");
    assert!(found.iter().any(|hit| hit.secret == "its text"), "{found:?}");

    println!("{} bytes of answers and outputs, every file of the node three times", seen.bytes);
    assert!(seen.bytes > 100_000);
    assert_eq!(seen.hits, []);
}

#[test]
fn a_planted_marker_is_found_in_the_database() {
    let mut random = Random::announced("a_planted_marker_is_found_in_the_database");
    let mut needles = Needles::default();
    let mut node = Node::start().unwrap();
    let tenant = node.tenant("planted", "anssi").unwrap();
    // What a client says in clear is stored in clear: a vendor attribute with the bytes of a marker.
    let marker = random.bytes(32);
    needles.add("planted", &marker).unwrap();
    let planted = AttributeValue::custom("x-planted", |w| w.bytes(Tag::ATTRIBUTE_VALUE, &marker)).unwrap();
    node.connect(&tenant.identity).unwrap().request(V1_4, asking::aes(vec![planted])).unwrap();
    node.stop().unwrap();
    let (_, hits) = needles.find_in_folder(node.dir()).unwrap();
    assert!(hits.iter().any(|hit| hit.place.starts_with("store/")), "{hits:?}");
}

#[test]
fn the_process_leaves_no_image_of_its_memory() {
    let mut node = Node::start().unwrap();
    let tenant = node.tenant("dumped", "anssi").unwrap();
    node.connect(&tenant.identity).unwrap().request(V1_4, asking::known_aes(&[7; 32], Vec::new())).unwrap();
    let process = format!("/proc/{}", node.server().unwrap().id());
    let limits = fs::read_to_string(format!("{process}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    // The memory of a process that may not be dumped belongs to root, whoever runs it (proc(5)).
    let owner = fs::metadata(format!("{process}/mem")).unwrap().uid();
    assert!(owner == 0, "owned by {owner}, run by {:?}", geteuid());
    node.server().unwrap().signal(Signal::ABORT);
    let status = node.ended().unwrap();
    assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()));
    assert!(!status.core_dumped());
}

#[test]
fn a_stolen_database_opens_no_key() {
    let mut node = Node::start().unwrap();
    let tenant = node.tenant("stolen", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let made = client.request(V1_4, asking::known_aes(&[7; 32], Vec::new())).unwrap().unique_identifier;
    let id = made.parse::<uuid::Uuid>().unwrap().into_bytes();
    node.stop().unwrap();

    // The thief has the database and our own software, and no HSM.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(node.stage.store(), StoreOptions::default()).await.unwrap();
        let domains = store.domains().await.unwrap();
        let domain = domains.iter().find(|domain| domain.name == tenant.name).unwrap();
        assert!(matches!(store.object(domain.id, id).await, Err(StoreError::Inactive(_))));
        assert!(matches!(store.candidates(domain.id, &[], None, 10).await, Err(StoreError::Inactive(_))));
        // A key for the rows that he makes up does not fit them.
        let guess = MacKey::from_secret(&Secret::copy_from(&[7; 32]), domain.id);
        assert!(matches!(store.activate(domain.id, guess).await, Err(StoreError::Tampered { .. })));
        assert!(matches!(store.object(domain.id, id).await, Err(StoreError::Inactive(_))));
        store.close().await;
    });

    // The whole node without its tokens does not start, PIN files and configuration notwithstanding.
    fs::rename(node.dir().join("tokens"), node.dir().join("elsewhere")).unwrap();
    fs::create_dir(node.dir().join("tokens")).unwrap();
    let error = node.serve().unwrap_err().to_string();
    assert!(error.contains("hsm"), "{error}");
    // With them it does, and the key is what it was.
    fs::remove_dir(node.dir().join("tokens")).unwrap();
    fs::rename(node.dir().join("elsewhere"), node.dir().join("tokens")).unwrap();
    node.serve().unwrap();
    let got = node.connect(&tenant.identity).unwrap().request(V1_4, GetRequest::of(made)).unwrap();
    assert_eq!(asking::bytes(&got).unwrap(), [7; 32]);
}
