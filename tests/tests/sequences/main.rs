//! Random sequences of requests against a running server: several clients of two domains, by TTLV and by HTTPS in every
//! encoding, with good and bad credentials, in every version, in batches; valid, odd, and spoiled on the way.
//!
//! Whatever comes, the server answers with a message that matches the request, stays within its limits, shows nobody
//! another domain's objects, brings no object to a state but by a transition of the life-cycle that something which
//! succeeded has brought about, and goes on serving others.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod life;
mod requests;
#[path = "../attribute_rules/samples.rs"]
mod samples;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use admin_api::{Credential, Permission, SecretText};
use kmip::attribute::AttributeValue;
use kmip::encoding::Encoding;
use kmip::message::{
    Credential as Claim, Outcome, RequestMessage, ResponseMessage, SUPPORTED_VERSIONS, TicketCredential,
};
use kmip::payload::{
    GetAttributesRequest, LocateRequest, QueryAsynchronousRequestsRequest, QueryRequest, ResponsePayload, Ticket,
};
use kmip::registry::{
    AsynchronousIndicator, BatchErrorContinuationOption, Operation, ProcessingStage, QueryFunction, State,
    StorageStatusMask, TicketType,
};
use kmip::ttlv::DateTime;
use kmip::{ProtocolVersion, Tag};
use kmip_client::TlsVersions;
use life::{Causes, Seen};
use requests::Maker;
use secret::Secret;
use system_tests::asking;
use system_tests::mutation::mutate;
use system_tests::node::{Connection, Dial, Node, Tenant, Web};
use system_tests::oasis::Exchange;
use system_tests::random::{Random, count};
use system_tests::strict::{Tree, faults, strangers};

/// Objects of a domain in play at one time.
const OBJECTS: usize = 24;
/// Values that the server gave and that are shown again.
const VALUES: usize = 8;
/// Messages between two looks at the states of all objects in play, and at whether others are served.
const BETWEEN_LOOKS: u64 = 50;
/// Messages after which two new domains take the place of the old ones: looking at all of a domain takes the longer, the
/// more there is in it.
const CHAPTER: u64 = 5_000;
/// The most that a client is answered who said that it takes nothing at all: a refusal has a size.
const SMALLEST_ANSWER: usize = 256;
/// In so many messages every operation succeeds sometimes.
const EVERYTHING_WORKS_IN: u64 = 500_000;
/// But for these: a successful Poll answers as the operation that it asks for, and random bytes are never those of an
/// object that is here.
const WITHOUT_SUCCESS: [Operation; 2] = [Operation::Poll, Operation::Put];
const PASSWORD: &str = "correct horse";

/// A domain, as far as the test knows it.
struct Domain {
    tenant: Tenant,
    /// Objects in play, as they were last seen.
    objects: Vec<(String, Option<Seen>)>,
    /// What happened to them since.
    causes: Causes,
    values: Vec<Vec<u8>>,
    /// Identifiers that may stand in the domain's answers whoever else has them: of what was made here, and those of the
    /// other domain that the client has named. An Import of either domain makes the other's identifier its own, too.
    known: BTreeSet<String>,
    /// Ways in: bare TTLV and three encodings by HTTPS.
    ways: Vec<Way>,
    dial: Dial,
    watcher: Connection,
}

enum Way {
    Plain(Option<Box<Connection>>),
    Web(Encoding, Web),
}

impl Domain {
    fn open(node: &Node, stem: &str, policy: &str) -> Self {
        let credential = Credential { username: stem.to_owned(), password: SecretText::new(PASSWORD.to_owned()) };
        // Every permission under `legacy`, but that a random request may lock the domain's only client out.
        let mut allow = if policy == "legacy" { Permission::ALL.to_vec() } else { Vec::new() };
        allow.retain(|one| *one != Permission::ReProvision);
        let tenant = node.tenant_allowed(stem, policy, allow, Some(credential)).unwrap();
        let web = |encoding| Way::Web(encoding, Web::open(node, &tenant.identity, encoding).unwrap());
        let mut ways = vec![web(Encoding::Ttlv), web(Encoding::Xml), web(Encoding::Json)];
        ways.extend((0..3).map(|_| Way::Plain(None)));
        let dial = Dial::to(node, &tenant.identity, TlsVersions::Both).unwrap();
        let watcher = dial.connect().unwrap();
        let causes = Causes::default();
        Self { tenant, objects: Vec::new(), causes, values: Vec::new(), known: BTreeSet::new(), ways, dial, watcher }
    }

    /// The name under which it was asked for, which is the client's username, too.
    fn stem(&self) -> &str {
        self.tenant.name.split('-').next().unwrap_or_default()
    }

    fn identifiers(&self) -> Vec<String> {
        self.objects.iter().map(|(id, _)| id.clone()).collect()
    }

    fn came_into_being(&mut self, id: &str, random: &mut Random) {
        self.known.insert(id.to_owned());
        if self.objects.iter().any(|(known, _)| known == id) {
            return;
        }
        if self.objects.len() < OBJECTS {
            self.objects.push((id.to_owned(), None));
        } else {
            let at = random.below(OBJECTS);
            self.objects[at] = (id.to_owned(), None);
        }
    }

    fn was_given(&mut self, value: Vec<u8>) {
        self.values.push(value);
        if self.values.len() > VALUES {
            self.values.remove(0);
        }
    }
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn claim(name: &str, password: &str) -> Claim {
    let password = Some(Secret::copy_from(password.as_bytes()));
    Claim::UsernameAndPassword { username: name.to_owned(), password }
}

/// A message of one to four items with odd options.
fn message(random: &mut Random, version: ProtocolVersion, own: &Domain, foreign: &[String]) -> RequestMessage {
    let known: Vec<Operation> =
        Operation::ALL.iter().copied().filter(|operation| operation.is_known_to(version)).collect();
    let objects = own.identifiers();
    let mut maker = Maker { random, version, now_s: now(), own: &objects, foreign, values: &own.values };
    let items: Vec<_> = (0..1 + maker.random.below(4))
        .map(|_| {
            // Making things often enough that there are some.
            let operation = match maker.random.below(8) {
                0 => Operation::Create,
                1 => Operation::Register,
                _ => *maker.random.one_of(&known).unwrap(),
            };
            maker.request(operation)
        })
        .collect();
    let mut message = RequestMessage::batch(version, items);
    let header = &mut message.header;
    header.batch_error_continuation = match random.below(4) {
        0 => None,
        1 => random.one_of(BatchErrorContinuationOption::ALL).copied(),
        _ => Some(BatchErrorContinuationOption::Continue),
    };
    if random.below(12) == 0 {
        header.maximum_response_size = random.one_of(&[0, 1, 300, 1000, -1, i32::MAX]).copied();
    }
    if random.below(10) == 0 {
        header.asynchronous = random.one_of(AsynchronousIndicator::ALL).copied();
    }
    let stem = own.stem();
    match random.below(40) {
        0 => {}
        1 => header.authentication.push(claim(stem, "wrong")),
        2 => header.authentication.push(claim("nobody", PASSWORD)),
        3 if version.is_2_x() => {
            let ticket_value = Secret::new(random.one_of(&own.values).cloned().unwrap_or_default());
            let ticket = Ticket { ticket_type: TicketType::Login, ticket_value };
            header.authentication.push(Claim::Ticket(TicketCredential { ticket }));
        }
        _ => header.authentication.push(claim(stem, PASSWORD)),
    }
    message
}

/// Sends a message by one of the ways. `None` where it is spoiled so that the encoding cannot carry it.
fn exchange(domain: &mut Domain, at: usize, bytes: &[u8]) -> Option<Vec<u8>> {
    match &mut domain.ways[at] {
        Way::Plain(connection) => {
            let open = match connection {
                Some(open) => open,
                None => connection.insert(Box::new(domain.dial.connect().unwrap())),
            };
            Some(open.raw(bytes).unwrap())
        }
        // A text that XML cannot write is told by an HTTP status, in either direction.
        Way::Web(encoding, web) => match encoding.from_ttlv(bytes) {
            Ok(_) => match web.exchange(bytes) {
                Ok(answer) => Some(answer),
                Err(error) if *encoding == Encoding::Xml && error.starts_with("HTTP 406") => None,
                Err(error) => panic!("{encoding:?}: {error}"),
            },
            Err(_) => None,
        },
    }
}

/// What is wrong with an answer, given what was asked. Of what was spoiled nobody knows what it asks; its answer is one
/// that can be read, in a version that there is, and with no more items than a batch may have.
fn wrong_with(request: &[u8], is_spoiled: bool, answer: &[u8]) -> Vec<String> {
    let Ok(tree) = Tree::read(answer) else { return vec!["it cannot be read".to_owned()] };
    let Ok(decoded) = ResponseMessage::decode(answer) else { return vec!["it cannot be decoded".to_owned()] };
    let items = usize::try_from(decoded.header.batch_count).ok();
    if items != Some(decoded.items.len()) || !SUPPORTED_VERSIONS.contains(&decoded.header.version) {
        return vec!["its header does not fit".to_owned()];
    }
    if is_spoiled {
        // An operation that nobody knows is repeated as it came.
        let all = strangers(&tree, decoded.header.version).into_iter();
        return all.filter(|one| !one.starts_with("Operation ")).collect();
    }
    // Where the sender is not known, the message is answered as a whole.
    if let [only] = decoded.items.as_slice()
        && only.operation.is_none()
    {
        let is_refused = matches!(only.outcome, Outcome::Failure { .. });
        return if is_refused { Vec::new() } else { vec!["a success of nothing".to_owned()] };
    }
    match Tree::read(request) {
        Ok(asked) => {
            // The answer to Poll is that of the operation that it asks for (docs/decisions/0011).
            let is_poll =
                |item: &Tree| item.child(Tag::OPERATION).and_then(Tree::number) == Some(Operation::Poll.value());
            let polls = asked.all(Tag::BATCH_ITEM).any(is_poll);
            faults(&asked, &tree)
                .into_iter()
                .filter(|fault| !polls || fault != "Operation is not the request's")
                .collect()
        }
        Err(error) => vec![format!("the request of the test: {error}")],
    }
}

/// Looks at the objects in play that `wanted` takes: the state of each is one that what happened to it leads to.
fn look(domain: &mut Domain, wanted: impl Fn(&str) -> bool, told: &dyn Fn() -> String) -> BTreeMap<State, usize> {
    let mut states = BTreeMap::new();
    let places: Vec<usize> = (0..domain.objects.len()).filter(|at| wanted(&domain.objects[*at].0)).collect();
    if places.is_empty() {
        return states;
    }
    let names = ["State", "Activation Date", "Deactivation Date"];
    let looks = places.iter().map(|at| GetAttributesRequest::of(domain.objects[*at].0.as_str(), &names).into());
    let mut message = RequestMessage::batch(ProtocolVersion::V1_4, looks);
    message.header.authentication.push(claim(domain.stem(), PASSWORD));
    let answers = asking::successes(domain.watcher.call(message).unwrap()).unwrap_or_else(|why| panic!("{why}"));
    let now_s = now();
    for (at, answer) in places.into_iter().zip(answers) {
        let ResponsePayload::GetAttributes(got) = answer else { panic!("{answer:?}") };
        let (mut state, mut activation, mut deactivation) = (None, None, None);
        for attribute in &got.attributes {
            match attribute.value {
                AttributeValue::State(is) => state = Some(is),
                AttributeValue::ActivationDate(DateTime(at)) => activation = Some(at),
                AttributeValue::DeactivationDate(DateTime(at)) => deactivation = Some(at),
                _ => {}
            }
        }
        // Opaque objects have none.
        let Some(state) = state else { continue };
        let (id, before) = &mut domain.objects[at];
        if let Some(before) = *before {
            let allowed = domain.causes.allow(id, before, state, now_s);
            assert!(allowed, "{id}: {before:?} became {state}, which nothing has brought about\n{}", told());
        }
        *before = Some(Seen { state, activation, deactivation });
        *states.entry(state).or_default() += 1;
    }
    states
}

/// Asks until nothing that was put off is still to be done: it would change the picture.
fn settle(domain: &mut Domain) {
    loop {
        let query = QueryAsynchronousRequestsRequest::default();
        let mut message = RequestMessage::single(ProtocolVersion::V2_1, query);
        message.header.authentication.push(claim(domain.stem(), PASSWORD));
        let outcome = domain.watcher.call(message).unwrap().items.remove(0).outcome;
        let Outcome::Success(ResponsePayload::QueryAsynchronousRequests(found)) = outcome else {
            panic!("{outcome:?}")
        };
        if found.asynchronous_requests.iter().all(|one| one.processing_stage == ProcessingStage::Completed) {
            return;
        }
    }
}

fn was_undone(answer: &[u8]) -> bool {
    let items = ResponseMessage::decode(answer).unwrap().items;
    items.iter().any(|item| matches!(item.outcome, Outcome::Undone(_)))
}

/// What a client sees of a domain: all its objects, and every attribute of some of them.
fn picture(domain: &mut Domain, random: &mut Random) -> impl Fn(&mut Domain) -> Vec<u8> + use<> {
    let ids: Vec<String> = (0..6).filter_map(|_| random.one_of(&domain.identifiers()).cloned()).collect();
    move |domain| {
        let everything = StorageStatusMask::ON_LINE_STORAGE
            .union(StorageStatusMask::ARCHIVAL_STORAGE)
            .union(StorageStatusMask::DESTROYED_STORAGE);
        let all = LocateRequest { storage_status_mask: Some(everything), ..LocateRequest::default() };
        let looks = ids.iter().map(|id| GetAttributesRequest::of(id.as_str(), &[]).into());
        let mut message = RequestMessage::batch(ProtocolVersion::V2_1, looks.chain([all.into()]));
        message.header.batch_error_continuation = Some(BatchErrorContinuationOption::Continue);
        message.header.authentication.push(claim(domain.stem(), PASSWORD));
        let answer = domain.watcher.call(message).unwrap();
        format!("{:?}", answer.items).into_bytes()
    }
}

fn memory_kib(node: &Node) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.server().unwrap().id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// What an answer tells: objects that were made, values that were given.
fn learn(domain: &mut Domain, answer: ResponseMessage, random: &mut Random) -> (usize, usize) {
    let (mut worked, mut refused) = (0, 0);
    for item in answer.items {
        use ResponsePayload as P;
        let payload = match item.outcome {
            Outcome::Success(payload) => payload,
            Outcome::Pending { asynchronous_correlation_value } => {
                domain.was_given(asynchronous_correlation_value);
                continue;
            }
            _ => {
                refused += 1;
                continue;
            }
        };
        worked += 1;
        let made: Vec<String> = match payload {
            P::Create(made) => vec![made.unique_identifier],
            P::Register(made) => vec![made.unique_identifier],
            P::ReKey(made) => vec![made.unique_identifier],
            P::DeriveKey(made) => vec![made.unique_identifier],
            P::CreateKeyPair(made) => vec![made.private_key_unique_identifier, made.public_key_unique_identifier],
            P::CreateSplitKey(made) => made.unique_identifiers,
            P::Import(made) => {
                // It may have taken the place of an object in any state.
                domain.objects.retain(|(id, _)| *id != made.unique_identifier);
                vec![made.unique_identifier]
            }
            P::Login(login) => {
                domain.was_given(login.ticket.ticket_value.expose().to_vec());
                Vec::new()
            }
            P::Encrypt(answer) => {
                answer.correlation_value.into_iter().for_each(|value| domain.was_given(value));
                Vec::new()
            }
            P::Hash(answer) => {
                answer.correlation_value.into_iter().for_each(|value| domain.was_given(value));
                Vec::new()
            }
            P::Pkcs11(answer) => {
                answer.correlation_value.into_iter().for_each(|value| domain.was_given(value));
                Vec::new()
            }
            _ => Vec::new(),
        };
        for id in made {
            domain.came_into_being(&id, random);
        }
    }
    (worked, refused)
}

#[test]
fn no_sequence_of_requests_breaks_anything() {
    let mut random = Random::announced("no_sequence_of_requests_breaks_anything");
    let node = Node::start().unwrap();
    let mut domains = [Domain::open(&node, "left", "legacy"), Domain::open(&node, "right", "anssi")];
    let bystander = node.tenant("bystander", "anssi").unwrap();
    let mut bystander = node.connect(&bystander.identity).unwrap();
    let steps = count("CLAVIS_SEQUENCE_STEPS", 3_000);
    let (mut worked, mut refused, mut spoiled, mut undone) = (0, 0, 0, 0);
    let (mut states, mut before_kib) = (BTreeMap::new(), 0);
    let mut by_operation: BTreeMap<Operation, (u64, u64)> = BTreeMap::new();
    let mut last = Vec::new();
    let begun = Instant::now();
    for step in 0..steps {
        if step > 0 && step % CHAPTER == 0 {
            domains = [Domain::open(&node, "left", "legacy"), Domain::open(&node, "right", "anssi")];
            println!("{step} of {steps} messages, {} s", begun.elapsed().as_secs());
        }
        let at = random.below(domains.len());
        let foreign = domains[1 - at].identifiers();
        let domain = &mut domains[at];
        let version = *random.one_of(&SUPPORTED_VERSIONS).unwrap();
        // What a version has no words for cannot be asked in it.
        let (limit, undo, encoded) = loop {
            let message = message(&mut random, version, domain, &foreign);
            let limit = message.header.maximum_response_size;
            let undo = message.header.batch_error_continuation == Some(BatchErrorContinuationOption::Undo);
            if let Ok(encoded) = message.encode() {
                break (limit, undo, encoded);
            }
        };
        let is_spoiled = random.below(4) == 0;
        let request = if is_spoiled { mutate(&encoded, &last, &mut random) } else { encoded.to_vec() };
        last = encoded.to_vec();
        // An identifier that another domain has is free to be imported, at once or later.
        let says = |bytes: &[u8]| request.windows(bytes.len()).any(|window| window == bytes);
        domain.known.extend(foreign.iter().filter(|id| says(id.as_bytes())).cloned());
        let way = random.below(domain.ways.len());
        if undo {
            settle(domain);
        }
        let picture = (undo && !is_spoiled).then(|| picture(domain, &mut random));
        let before = picture.as_ref().map(|picture| picture(domain));
        let Some(answer) = exchange(domain, way, &request) else {
            // Done, perhaps, and what cannot be written in XML was not told.
            domain.objects.iter_mut().for_each(|(_, seen)| *seen = None);
            continue;
        };
        let told = || {
            let told = [kmip::text::render(&request), kmip::text::render(&answer)];
            format!("step {step}, {version}, spoiled {is_spoiled}:\n{}\n{}", told[0], told[1])
        };
        let wrong = wrong_with(&request, is_spoiled, &answer);
        assert!(wrong.is_empty(), "{wrong:#?}\n{}", told());
        if let (Some(limit), false) = (limit, is_spoiled) {
            let limit = usize::try_from(limit).unwrap_or(0).max(SMALLEST_ANSWER);
            assert!(answer.len() <= limit, "{} bytes, {limit} allowed\n{}", answer.len(), told());
        }
        // What is another domain's is in no answer, unless the client said it first.
        for id in &foreign {
            let is_in = |bytes: &[u8]| bytes.windows(id.len()).any(|window| window == id.as_bytes());
            assert!(!is_in(&answer) || domain.known.contains(id), "{id} is told\n{}", told());
        }
        // A batch that is undone leaves everything as it was. (The failure that a Poll fetches is another message's.)
        if let (Some(picture), Some(before)) = (picture, before)
            && was_undone(&answer)
        {
            let after = picture(domain);
            let same = before.iter().zip(&after).take_while(|(one, other)| one == other).count();
            let around = |bytes: &[u8]| {
                let (from, to) = (same.saturating_sub(200), (same + 200).min(bytes.len()));
                String::from_utf8_lossy(&bytes[from.min(to)..to]).into_owned()
            };
            assert!(before == after, "{}\nbefore …{}\nafter …{}", told(), around(&before), around(&after));
            undone += 1;
        }
        let has = |bytes: &[u8], id: &str| bytes.windows(id.len()).any(|window| window == id.as_bytes());
        let is_named = |id: &str| has(&request, id) || has(&answer, id);
        let named: Vec<String> = domain.identifiers().into_iter().filter(|id| is_named(id)).collect();
        let asked = if is_spoiled { None } else { RequestMessage::decode(&request).ok() };
        let decoded = ResponseMessage::decode(&answer).unwrap();
        domain.causes.learn(asked.as_ref(), &decoded, &named);
        for item in &decoded.items {
            let Some(operation) = item.operation.and_then(|number| Operation::try_from(number).ok()) else { continue };
            let (worked, refused): &mut (u64, u64) = by_operation.entry(operation).or_default();
            let has_worked = matches!(item.outcome, Outcome::Success(_) | Outcome::Pending { .. });
            *(if has_worked { worked } else { refused }) += 1;
        }
        let learnt = learn(domain, decoded, &mut random);
        look(domain, |id| named.iter().any(|named| named == id), &told);
        (worked, refused) = (worked + learnt.0, refused + learnt.1);
        spoiled += u64::from(is_spoiled);
        if step % BETWEEN_LOOKS == 0 {
            for domain in &mut domains {
                for (state, seen) in look(domain, |_| true, &|| format!("step {step}, long after")) {
                    *states.entry(state).or_insert(0) += seen;
                }
            }
            let query =
                RequestMessage::single(ProtocolVersion::V1_4, QueryRequest::of(vec![QueryFunction::QueryOperations]));
            asking::successes(bystander.call(query).unwrap()).unwrap();
            if step == steps / 3 / BETWEEN_LOOKS * BETWEEN_LOOKS {
                before_kib = memory_kib(&node);
            }
        }
    }
    println!("{worked} items worked, {refused} were refused, {spoiled} messages spoiled, {undone} undone; {states:?}");
    for (operation, (worked, refused)) in &by_operation {
        println!("{:<28} {worked:>8} worked, {refused:>8} refused", operation.text());
    }
    if steps >= EVERYTHING_WORKS_IN {
        let never = |operation: &&Operation| {
            !WITHOUT_SUCCESS.contains(*operation) && by_operation.get(*operation).is_none_or(|(worked, _)| *worked == 0)
        };
        let never: Vec<_> = Operation::ALL.iter().filter(never).collect();
        assert!(never.is_empty(), "these never worked: {never:?}");
    }
    // The walk means something only if it came around.
    assert!(worked * 6 > refused && refused > 0 && spoiled > 0 && undone > 0, "{worked} worked, {refused} refused");
    assert!(states.len() == 6, "{states:?}");
    // What a password takes to be hashed comes and goes.
    let least = (0..20).map(|_| memory_kib(&node)).min().unwrap_or_default();
    let grown = least.saturating_sub(before_kib);
    assert!(grown < 256 << 10, "the server grew by {grown} KiB");
    let log = node.log().unwrap();
    let own_faults: Vec<&str> =
        log.lines().filter(|line| line.contains("panicked") || line.contains("\"ERROR\"")).collect();
    assert!(own_faults.is_empty(), "{own_faults:#?}");
}
