//! Input that means harm, against the whole server process (bars A5, P3, P4, P5): it answers or closes, stays alive, and
//! an honest client is served all the while.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue};
use kmip::message::{Outcome, RequestMessage, ResponseMessage, SUPPORTED_VERSIONS};
use kmip::payload::{
    AddAttributeRequest, CheckRequest, DestroyRequest, GetAttributeListRequest, GetAttributesRequest, GetRequest,
    LocateRequest, QueryRequest, RequestPayload,
};
use kmip::registry::{BatchErrorContinuationOption, QueryFunction, ResultReason, UsageMask};
use kmip_client::{ClientIdentity, TlsVersions, tls_config_for};
use rustls::client::Resumption;
use rustls::{ClientConfig, HandshakeKind};
use system_tests::mutation::{mutate, nested, with_inserted};
use system_tests::node::{Dial, Node, Tenant};
use system_tests::random::{Random, count};
use system_tests::socket::{Socket, client_hello, configuration, roots, tcp, until_closed};
use system_tests::{asking, exported};
use xtask::stage::StageOptions;

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
/// Every version of TLS that is spoken.
const VERSIONS: [TlsVersions; 2] = [TlsVersions::Only12, TlsVersions::Only13];
/// Sockets that hold on in each phase at one time.
const EACH: usize = 20;
/// Mutants between two looks at whether others are served.
const MUTANTS_BETWEEN: u64 = 50;
/// The most that a client is answered who said that it takes nothing at all: a refusal has a size.
const SMALLEST_ANSWER: usize = 256;
/// What connections at one time may cost in all. The largest message that is allowed would cost eight times as much.
const ALLOWED_KIB: u64 = 4 << 10;
/// What the process may reserve in addition; a believed 4 GiB would show.
const ALLOWED_RESERVE_KIB: u64 = 1 << 20;

/// Brief deadlines, so that a test waits a second for the server's patience to end and not ten.
fn impatient() -> StageOptions {
    let limits = [
        ("handshake_deadline_ms", 2_000),
        ("header_deadline_ms", 1_000),
        ("body_deadline_ms", 1_000),
        ("idle_deadline_ms", 2_000),
        ("linger_deadline_ms", 200),
    ];
    StageOptions { limits: limits.map(|(name, value)| (name.to_owned(), value)).to_vec(), ..StageOptions::default() }
}

fn query() -> RequestMessage {
    RequestMessage::single(V1_4, QueryRequest::of(vec![QueryFunction::QueryOperations]))
}

/// Works on until it is told to stop: an old connection and, each time, a new one.
struct Honest {
    served: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Honest {
    fn at_work(node: &Node, tenant: &Tenant) -> Self {
        let dial = Dial::to(node, &tenant.identity, TlsVersions::Both).unwrap();
        let (served, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (counter, stopping) = (Arc::clone(&served), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let mut old = dial.connect().unwrap();
            while !stopping.load(Ordering::SeqCst) {
                asking::successes(old.call(query()).unwrap()).unwrap();
                asking::successes(dial.connect().unwrap().call(query()).unwrap()).unwrap();
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { served, stop, thread }
    }

    /// How often it was served; a failure of it is a failure of the test.
    fn done(self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap();
        self.served.load(Ordering::SeqCst)
    }
}

/// Nothing that a client sends may be the server's fault.
fn has_no_fault_of_its_own(node: &Node) {
    let log = node.log().unwrap();
    let faults: Vec<&str> =
        log.lines().filter(|line| line.contains("panicked") || line.contains("\"ERROR\"")).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

fn shared(node: &Node, tenant: &Tenant, versions: TlsVersions) -> Arc<ClientConfig> {
    Arc::new(configuration(node, &tenant.identity, versions).unwrap())
}

fn refusal_reason(answer: &[u8]) -> ResultReason {
    let answer = ResponseMessage::decode(answer).unwrap();
    match answer.items.as_slice() {
        [item] => match &item.outcome {
            Outcome::Failure { reason, .. } => *reason,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// A value of `/proc/<pid>/status`, in KiB.
fn memory_kib(node: &Node, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.server().unwrap().id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn an_announced_length_buys_no_memory() {
    let node = Node::start_with(&impatient(), &[]).unwrap();
    let [tenant, other] = ["liar", "honest"].map(|stem| node.tenant(stem, "anssi").unwrap());
    let address = node.addresses().unwrap().kmip;
    let mebibyte = 1_u32 << 20;
    for versions in VERSIONS {
        let config = shared(&node, &tenant, versions);
        // What as many connections cost that announce what they send is not what is asked here.
        let announce = |length: u32, follow: &[u8]| -> Vec<Socket> {
            (0..32)
                .map(|_| {
                    let mut socket = Socket::open(address, &config).unwrap();
                    socket.send(&[&[0x42, 0, 0x78, 1][..], &length.to_be_bytes(), follow].concat()).unwrap();
                    socket
                })
                .collect()
        };
        for socket in &mut announce(64, &[0; 8]) {
            socket.until_closed().unwrap();
        }
        let (resident, reserved) = (memory_kib(&node, "VmHWM"), memory_kib(&node, "VmPeak"));
        let honest = Honest::at_work(&node, &other);
        // 4 GiB are refused at the header; the largest message that is allowed is waited for, not paid for.
        for length in [u32::MAX - 7, u32::MAX - 15, mebibyte - 8] {
            for socket in &mut announce(length, &[0; 8]) {
                let answer = socket.receive().unwrap();
                assert_eq!(refusal_reason(&answer), ResultReason::InvalidMessage, "{length}");
                assert!(socket.until_closed().unwrap().is_empty());
            }
        }
        assert!(honest.done() > 0);
        let grown = memory_kib(&node, "VmHWM") - resident;
        assert!(grown < ALLOWED_KIB, "{grown} KiB for 32 connections at one time");
        assert!(memory_kib(&node, "VmPeak") - reserved < ALLOWED_RESERVE_KIB);
    }
    // The control: what is really sent does cost, so the measure sees it.
    let before = memory_kib(&node, "VmHWM");
    let config = shared(&node, &tenant, TlsVersions::Both);
    let body = vec![0; usize::try_from(mebibyte).unwrap() - 16];
    let mut sockets: Vec<Socket> = (0..32).map(|_| Socket::open(address, &config).unwrap()).collect();
    thread::scope(|scope| {
        for socket in &mut sockets {
            let (header, body) = ([0x42, 0, 0x78, 1, 0, 0x0f, 0xff, 0xf8], &body);
            scope.spawn(move || {
                // All but the last eight bytes: every one of them is held until its deadline.
                socket.send(&header).unwrap();
                socket.send(body).unwrap();
                socket.until_closed().unwrap();
            });
        }
    });
    assert!(memory_kib(&node, "VmHWM") - before > ALLOWED_KIB);
    has_no_fault_of_its_own(&node);
}

#[test]
fn nesting_and_lying_counts_are_refused_and_do_nothing() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("hostile", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let create = |version| RequestMessage::single(version, asking::aes(vec![asking::name("never")])).encode().unwrap();
    let mut sent = 0;
    for version in SUPPORTED_VERSIONS {
        let message = create(version);
        // Deep structures as the message itself, in its header, beside its items and in a payload.
        for depth in [9, 32, 33, 1_000, 100_000] {
            for (outer, inner) in
                [(0x42_0078, 0x42_0078), (0x42_0077, 0x42_0023), (0x42_0078, 0x42_000f), (0x42_0079, 0x42_0008)]
            {
                let deep = with_inserted(&message, outer, &nested(inner, depth)).unwrap();
                let said = ResponseMessage::decode(&client.raw(&deep).unwrap()).unwrap();
                assert!(said.items.iter().all(|item| matches!(item.outcome, Outcome::Failure { .. })), "{said:?}");
                sent += 1;
            }
            let bare = nested(0x42_0078, depth);
            assert_eq!(refusal_reason(&client.raw(&bare).unwrap()), ResultReason::InvalidMessage);
        }
        // The count is the last field of the header; its value stands in the eight bytes behind its own header.
        let tag = [0x42, 0x00, 0x0d, 0x02, 0, 0, 0, 4];
        let at = message.windows(tag.len()).position(|window| window == tag).unwrap() + tag.len();
        for lie in [0, -1, 2, 3, i32::MAX, i32::MIN] {
            let mut lying = message.to_vec();
            lying[at..at + 4].copy_from_slice(&lie.to_be_bytes());
            assert_eq!(refusal_reason(&client.raw(&lying).unwrap()), ResultReason::InvalidMessage, "{lie}");
        }
    }
    assert!(sent > 0);
    let located = client.request(V1_4, LocateRequest::default()).unwrap().unique_identifiers;
    assert!(located.is_empty(), "something was done: {located:?}");
    has_no_fault_of_its_own(&node);
}

/// Valid messages of every operation: those of other implementations, and some about a real key.
fn corpus(id: &str) -> Vec<Vec<u8>> {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("../vectors/kmip/vectors.json")).unwrap();
    let requests = vectors["vectors"].as_array().unwrap().iter().filter_map(|vector| vector["request_hex"].as_str());
    let mut corpus: Vec<Vec<u8>> = requests.map(|request| hex::decode(request).unwrap()).collect();
    assert!(corpus.len() > 100);
    let tag = Attribute::new(AttributeValue::custom_text("x-tag", "value").unwrap());
    for version in SUPPORTED_VERSIONS {
        let items: Vec<RequestPayload> = vec![
            asking::aes(Vec::new()).into(),
            asking::known_aes(&[7; 32], Vec::new()).into(),
            GetRequest::of(id).into(),
            GetAttributesRequest::of(id, &["State", "Digest"]).into(),
            GetAttributeListRequest::of(id).into(),
            AddAttributeRequest { unique_identifier: Some(id.into()), attribute: tag.clone() }.into(),
            CheckRequest {
                unique_identifier: Some(id.into()),
                cryptographic_usage_mask: Some(UsageMask::ENCRYPT),
                ..CheckRequest::default()
            }
            .into(),
            LocateRequest { maximum_items: Some(3), ..LocateRequest::default() }.into(),
            asking::cessation(Some(id.into())).into(),
            DestroyRequest::default().into(),
        ];
        let mut batch = RequestMessage::batch(version, items);
        batch.header.batch_error_continuation = Some(BatchErrorContinuationOption::Continue);
        corpus.push(batch.encode().unwrap().to_vec());
    }
    corpus
}

#[test]
fn every_mutant_is_answered_by_a_message_and_others_are_served_in_between() {
    let node = Node::start().unwrap();
    let [tenant, other] = ["mutant", "honest"].map(|stem| node.tenant(stem, "anssi").unwrap());
    let mut client = node.connect(&tenant.identity).unwrap();
    let mut honest = node.connect(&other.identity).unwrap();
    let key = honest.request(V1_4, asking::aes(vec![asking::name("mine")])).unwrap().unique_identifier;
    let before = node.admin("operator").unwrap().object_show(&other.name, key.parse().unwrap()).unwrap();
    let id = client.request(V1_4, asking::aes(vec![])).unwrap().unique_identifier;
    let corpus = corpus(&id);
    let mut random = Random::announced("every_mutant_is_answered_by_a_message_and_others_are_served_in_between");
    let (mutants, mut succeeded) = (count("CLAVIS_MUTATIONS", 2_000), 0);
    for number in 0..mutants {
        // Half of them are about a key that is there.
        let begin = if random.below(2) == 0 { corpus.len() - SUPPORTED_VERSIONS.len() } else { 0 };
        let (one, other) = (random.one_of(&corpus[begin..]).unwrap(), random.one_of(&corpus).unwrap());
        let mutant = mutate(one, other, &mut random);
        // It is framed as one message, so it must be answered on this very connection.
        let answer = client.raw(&mutant).unwrap_or_else(|error| panic!("{error}: {}", hex::encode(&mutant)));
        let answer =
            ResponseMessage::decode(&answer).unwrap_or_else(|error| panic!("{error}: {}", hex::encode(&mutant)));
        succeeded += u64::from(answer.items.iter().any(|item| matches!(item.outcome, Outcome::Success(_))));
        if number % MUTANTS_BETWEEN == 0 {
            asking::successes(honest.call(query()).unwrap()).unwrap();
        }
    }
    println!("{mutants} mutants, {succeeded} of them did something");
    assert!(succeeded > 0 && succeeded < mutants);
    let after = node.admin("operator").unwrap().object_show(&other.name, key.parse().unwrap()).unwrap();
    assert_eq!(before, after);
    exported::records(&node, &tenant.name).unwrap();
    has_no_fault_of_its_own(&node);
}

#[test]
fn what_is_no_message_is_answered_and_closed() {
    let node = Node::start_with(&impatient(), &[]).unwrap();
    let tenant = node.tenant("hostile", "anssi").unwrap();
    let mut random = Random::announced("what_is_no_message_is_answered_and_closed");
    let message = query().encode().unwrap();
    for round in 0..40_usize {
        let mut socket =
            Socket::open(node.addresses().unwrap().kmip, &shared(&node, &tenant, VERSIONS[round % 2])).unwrap();
        let mut noise = message.to_vec();
        // Another tag, another type, or a length that is not a multiple of 8.
        let at = [0, 1, 2, 3, 7][round % 5];
        noise[at] ^= 1 << random.below(if at == 7 { 3 } else { 8 });
        socket.send(&noise).unwrap();
        assert_eq!(refusal_reason(&socket.receive().unwrap()), ResultReason::InvalidMessage);
        assert!(socket.until_closed().unwrap().is_empty());
    }
    asking::successes(node.connect(&tenant.identity).unwrap().call(query()).unwrap()).unwrap();
    has_no_fault_of_its_own(&node);
}

#[test]
fn silent_and_half_hearted_sockets_are_closed_by_their_deadlines_while_others_are_served() {
    let node = Node::start_with(&impatient(), &[]).unwrap();
    let [slow, other] = ["slow", "honest"].map(|stem| node.tenant(stem, "anssi").unwrap());
    let addresses = node.addresses().unwrap();
    let honest = Honest::at_work(&node, &other);
    let message = query().encode().unwrap();

    // Before the handshake, on both ports: nothing, and half a ClientHello.
    let hello = client_hello(configuration(&node, &slow.identity, TlsVersions::Both).unwrap()).unwrap();
    let mut sockets = Vec::new();
    for address in [addresses.kmip, addresses.admin] {
        for start in [&[][..], &hello[..hello.len() / 2]] {
            for _ in 0..EACH {
                let mut socket = tcp(address).unwrap();
                socket.write_all(start).unwrap();
                sockets.push(socket);
            }
        }
    }
    // After it: nothing, half a header, half a message.
    let mut connections = Vec::new();
    for (number, part) in (0..3 * EACH).zip([0, 4, 40].into_iter().cycle()) {
        let config = shared(&node, &slow, VERSIONS[number % 2]);
        let mut socket = Socket::open(addresses.kmip, &config).unwrap();
        socket.send(&message[..part]).unwrap();
        connections.push((socket, part));
    }
    for socket in &mut sockets {
        assert!(until_closed(socket).unwrap().len() < 16, "more than an alert");
    }
    for (socket, part) in &mut connections {
        let said = socket.until_closed().unwrap();
        // A header told how to answer.
        match part {
            40 => assert_eq!(refusal_reason(&said), ResultReason::InvalidMessage),
            _ => assert!(said.is_empty()),
        }
    }
    let served = honest.done();
    println!("{} sockets closed, {served} rounds of an honest client meanwhile", sockets.len() + connections.len());
    assert!(served > 0);
    has_no_fault_of_its_own(&node);
}

#[test]
fn a_byte_at_a_time_buys_no_time() {
    let node = Node::start_with(&impatient(), &[]).unwrap();
    let [slow, other] = ["slow", "honest"].map(|stem| node.tenant(stem, "anssi").unwrap());
    let address = node.addresses().unwrap().kmip;
    let mut honest = node.connect(&other.identity).unwrap();
    // A byte for some answers to somebody else, so that only the deadline can end it: there are bytes enough.
    let mut hello = tcp(address).unwrap();
    let mut record = vec![0x16, 0x03, 0x01, 0x40, 0x00, 0x01, 0x00, 0x3f, 0xfc];
    record.resize(0x4000, 0);
    let mut serve = || {
        for _ in 0..10 {
            asking::successes(honest.call(query()).unwrap()).unwrap();
        }
    };
    drip(&record, |byte| hello.write_all(byte), &mut serve);
    for versions in VERSIONS {
        let mut socket = Socket::open(address, &shared(&node, &slow, versions)).unwrap();
        let mut message = vec![0x42, 0, 0x78, 1, 0, 0x0f, 0xff, 0xf8];
        socket.send(&message).unwrap();
        message.resize(1 << 20, 0);
        drip(&message[8..], |byte| socket.send(byte), &mut serve);
    }
    has_no_fault_of_its_own(&node);
}

/// Sends byte after byte, and does something in between, until the other side has had enough.
fn drip(bytes: &[u8], mut send: impl FnMut(&[u8]) -> std::io::Result<()>, between: &mut impl FnMut()) {
    for byte in bytes {
        between();
        if send(std::slice::from_ref(byte)).is_err() {
            return;
        }
    }
    panic!("all {} bytes were taken", bytes.len());
}

/// A ClientHello of TLS 1.1 that has all that is asked of one but the version.
fn hello_of_tls_1_1() -> Vec<u8> {
    let mut body = vec![0x03, 0x02];
    body.extend_from_slice(&[7; 32]);
    // No session; ECDHE with AES-CBC, as old clients have it; no compression.
    body.extend_from_slice(&[0, 0, 6, 0xc0, 0x09, 0xc0, 0x13, 0x00, 0x2f, 1, 0]);
    let groups = [0, 10, 0, 6, 0, 4, 0, 0x1d, 0, 0x17];
    let points = [0, 11, 0, 2, 1, 0];
    let signatures = [0, 13, 0, 6, 0, 4, 4, 3, 4, 1];
    body.extend_from_slice(&[0, u8::try_from(groups.len() + points.len() + signatures.len()).unwrap()]);
    body.extend_from_slice(&[&groups[..], &points, &signatures].concat());
    let mut record = vec![0x16, 0x03, 0x01, 0, u8::try_from(body.len() + 4).unwrap(), 0x01, 0, 0];
    record.push(u8::try_from(body.len()).unwrap());
    record.extend_from_slice(&body);
    record
}

fn both(node: &Node) -> [SocketAddr; 2] {
    let addresses = node.addresses().unwrap();
    [addresses.kmip, addresses.admin]
}

#[test]
fn old_tls_and_nameless_clients_are_refused_and_counted() {
    let mut node = Node::start().unwrap();
    let tenant = node.tenant("honest", "anssi").unwrap();
    for address in both(&node) {
        let mut socket = tcp(address).unwrap();
        socket.write_all(&hello_of_tls_1_1()).unwrap();
        // A fatal alert, protocol_version (RFC 5246 §7.2.2), and the end.
        let said = until_closed(&mut socket).unwrap();
        assert!(said.starts_with(&[0x15, 0x03]) && said.ends_with(&[0, 2, 2, 70]), "{said:?}");

        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let nameless = ClientConfig::builder_with_provider(provider)
                .with_protocol_versions(&[version])
                .unwrap()
                .with_root_certificates(roots(&node).unwrap())
                .with_no_client_auth();
            let error = outside(address, nameless);
            assert!(error.contains("CertificateRequired") || error.contains("HandshakeFailure"), "{error}");
        }
        asking::successes(node.connect(&tenant.identity).unwrap().call(query()).unwrap()).unwrap();
    }
    // A certificate that nobody knows; a client is nobody to the admin API, an administrator nobody to KMIP.
    let [kmip, admin] = both(&node);
    let stranger = certs::self_signed_vcenter_client().unwrap();
    let operator = |end| std::fs::read(node.stage.pki().join(format!("admin/operator.{end}"))).unwrap();
    let operator = ClientIdentity::from_pem(&operator("pem"), &operator("key")).unwrap();
    let operator = tls_config_for(operator, roots(&node).unwrap(), TlsVersions::Both).unwrap();
    let strangers = [
        (kmip, configuration(&node, &stranger, TlsVersions::Both).unwrap()),
        (admin, configuration(&node, &tenant.identity, TlsVersions::Both).unwrap()),
        (kmip, operator),
    ];
    for (address, config) in strangers {
        assert!(outside(address, config).contains("AccessDenied"), "{address}");
    }
    // Told by numbers when the node stops at the latest.
    node.restart().unwrap();
    let told = exported::records(&node, "system").unwrap();
    let counted = |reason: &str| -> u32 {
        told.iter().filter(|record| record.reason.as_deref() == Some(reason)).map(|record| record.count).sum()
    };
    assert_eq!(
        [counted("no certificate"), counted("broken handshake"), counted("unregistered")],
        [4, 2, 3],
        "{told:?}"
    );
}

/// The error with which a client learns that it is not let in.
fn outside(address: SocketAddr, config: ClientConfig) -> String {
    // In TLS 1.3 a client thinks itself inside until it reads.
    let inside = Socket::open(address, &Arc::new(config)).map_err(|error| error.to_string()).and_then(|mut socket| {
        // It may be closed already, which the next read tells better.
        let _ = socket.send(&query().encode().unwrap());
        socket.receive().map_err(|error| error.to_string())
    });
    inside.unwrap_err()
}

#[test]
fn no_tls_session_is_ever_resumed() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("resuming", "anssi").unwrap();
    let message = query().encode().unwrap();
    for versions in VERSIONS {
        let mut config = configuration(&node, &tenant.identity, versions).unwrap();
        // Everything that a client can do to be resumed.
        config.resumption = Resumption::in_memory_sessions(16);
        config.enable_early_data = true;
        let config = Arc::new(config);
        for _ in 0..3 {
            let mut socket = Socket::open(node.addresses().unwrap().kmip, &config).unwrap();
            socket.send(&message).unwrap();
            ResponseMessage::decode(&socket.receive().unwrap()).unwrap();
            assert_eq!(socket.tls().handshake_kind(), Some(HandshakeKind::Full));
            assert_eq!(socket.tls().tls13_tickets_received(), 0);
        }
    }
}

#[test]
fn what_a_client_wants_repeated_does_not_break_its_own_limit() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("echo", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let long = "c".repeat(100_000);
    for limit in [i32::MIN, -1, 0, 1, 100, 255, 256, 300, 1_000] {
        for (correlation, mark) in [(None, vec![1]), (Some(&long), vec![1]), (None, long.clone().into_bytes())] {
            let payloads = [(); 5].map(|()| RequestPayload::from(GetRequest::of("nowhere")));
            let mut request = RequestMessage::batch(V1_4, payloads);
            request.items.iter_mut().for_each(|item| item.unique_batch_item_id = Some(mark.clone()));
            request.header.batch_error_continuation = Some(BatchErrorContinuationOption::Continue);
            request.header.client_correlation_value = correlation.cloned();
            request.header.maximum_response_size = Some(limit);
            let answer = client.raw(&request.encode().unwrap()).unwrap();
            let allowed = usize::try_from(limit).unwrap_or(0).max(SMALLEST_ANSWER);
            assert!(answer.len() <= allowed, "{} bytes where {limit} were allowed", answer.len());
            ResponseMessage::decode(&answer).unwrap();
        }
    }
    has_no_fault_of_its_own(&node);
}

/// Who speaks a version that is not spoken here hears so, in one that he may understand: the newest of his major
/// version, or of those below it. KMIP 1.4 §6.1, 2.1 §9.16.
#[test]
fn a_version_that_is_not_spoken_is_told_so() {
    /// Where the numbers stand: behind the headings of message, header, Protocol Version and of the number itself.
    const MAJOR_AT: usize = 32;
    const MINOR_AT: usize = 48;
    let node = Node::start().unwrap();
    let tenant = node.tenant("later", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let in_version = |major: i32, minor: i32| {
        let mut message = query().encode().unwrap().to_vec();
        for (at, number) in [(MAJOR_AT, major), (MINOR_AT, minor)] {
            message[at..at + 4].copy_from_slice(&number.to_be_bytes());
        }
        message
    };
    let mut ask = |major, minor| ResponseMessage::decode(&client.raw(&in_version(major, minor)).unwrap()).unwrap();
    // The control: what was put in these places is the version, and one that is spoken is answered in itself.
    let spoken = ask(1, 2);
    assert_eq!(spoken.header.version, ProtocolVersion::V1_2);
    asking::successes(spoken).unwrap();
    let (old, new) = (ResultReason::InvalidMessage, ResultReason::UnsupportedProtocolVersion);
    for (major, minor, answered_in, expected) in [
        (0, 9, ProtocolVersion::V1_4, old),
        (1, 5, ProtocolVersion::V1_4, old),
        (1, -1, ProtocolVersion::V1_4, old),
        (-1, 0, ProtocolVersion::V1_4, old),
        (2, 2, ProtocolVersion::V2_1, new),
        (3, 0, ProtocolVersion::V2_1, new),
        (i32::MAX, i32::MAX, ProtocolVersion::V2_1, new),
    ] {
        let answer = ask(major, minor);
        assert_eq!(answer.header.version, answered_in, "{major}.{minor}");
        let [item] = answer.items.as_slice() else { panic!("{answer:?}") };
        let Outcome::Failure { reason, message, .. } = &item.outcome else { panic!("{answer:?}") };
        assert_eq!((*reason, message.as_str()), (expected, "protocol version is not supported"), "{major}.{minor}");
    }
    has_no_fault_of_its_own(&node);
}
