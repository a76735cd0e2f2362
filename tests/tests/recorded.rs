//! No answer without its record: mixed requests around kills, failing commits and a store that hangs. Every answer that
//! was delivered, refusals too, has exactly one record for each of its items, and while nothing can be recorded no answer
//! comes at all.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;

use kmip::ProtocolVersion;
use kmip::message::RequestMessage;
use kmip::payload::{ActivateRequest, GetRequest, LocateRequest, RequestPayload, ResponsePayload};
use kmip::registry::BatchErrorContinuationOption;
use kmip_client::TlsVersions;
use rustix::process::{Pid, Signal, kill_process};
use system_tests::asking::{aes, bytes, correlated, name};
use system_tests::exported;
use system_tests::faults::{OF_THE_STORE, demand_injector};
use system_tests::node::{Connection, Dial, Node, Tenant};
use system_tests::random::{Random, count};

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
/// What `make test` does; `make soak` does a hundred thousand.
const REQUESTS: u64 = 2_000;
/// Clients at work at one time.
const CLIENTS: usize = 4;
/// Requests until something happens to the server, at most.
const MOST_BETWEEN: usize = 400;
/// Handshakes that a stalled server is given to betray itself in: they need no record.
const HANDSHAKES: usize = 20;
/// An identifier that no object has.
const NOBODY: &str = "0197f9a0-7c1e-7b7a-9d2e-5c1f00000001";

/// What happens to the server while it works.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// It is killed after so many requests.
    Kill(u64),
    /// The commit of this number fails, and it must end.
    FailingCommit(u64),
    /// Its store hangs after so many requests, goes on, and later it is killed.
    Stall(u64),
}

impl Blow {
    fn at_random(random: &mut Random) -> Self {
        let after = u64::try_from(random.below(MOST_BETWEEN)).unwrap() + 10;
        match random.below(3) {
            0 => Self::Kill(after),
            1 => Self::FailingCommit(after),
            _ => Self::Stall(after),
        }
    }
}

/// Answers that were delivered: items by the mark of the request.
type Delivered = BTreeMap<String, usize>;

struct Episode<'a> {
    dial: Dial,
    blow: Blow,
    number: u64,
    sent: AtomicU64,
    delivered: &'a Mutex<Delivered>,
    stall: &'a Path,
    server: Pid,
}

impl Episode<'_> {
    /// Called for every request; strikes when it is time.
    fn strike(&self) {
        let sent = self.sent.fetch_add(1, Ordering::AcqRel) + 1;
        match self.blow {
            Blow::Kill(after) if sent == after => self.kill(),
            Blow::Stall(after) if sent == after => fs::write(self.stall, "").unwrap(),
            _ => {}
        }
    }

    fn kill(&self) {
        // It may have ended by itself.
        let _ = kill_process(self.server, Signal::KILL);
    }

    /// One client, until the server is gone.
    fn work(&self, client: usize, mut random: Random) {
        let Ok(mut connection) = self.dial.connect() else { return };
        let mut own = None;
        for request in 0.. {
            let mark = format!("{}-{client}-{request}", self.number);
            self.strike();
            let Ok(answer) = connection.call(correlated(message(&mut random, own.as_deref()), &mark)) else { return };
            let made = answer.items.iter().find_map(|item| match &item.outcome {
                kmip::message::Outcome::Success(ResponsePayload::Create(made)) => Some(made.unique_identifier.clone()),
                _ => None,
            });
            own = made.or(own);
            self.delivered.lock().unwrap().insert(mark, answer.items.len());
        }
    }

    /// Lets a stalled server go on, and kills it some requests later.
    fn unstall(&self) {
        if !matches!(self.blow, Blow::Stall(_)) {
            return;
        }
        while !self.stall.exists() {
            thread::yield_now();
        }
        // Nothing is answered meanwhile but handshakes; all clients wait in the end.
        for _ in 0..HANDSHAKES {
            drop(self.dial.connect());
        }
        let before = self.delivered.lock().unwrap().len();
        fs::remove_file(self.stall).unwrap();
        // It recovers by itself: answers come again.
        while self.delivered.lock().unwrap().len() < before + CLIENTS {
            thread::yield_now();
        }
        self.kill();
    }
}

/// Something that succeeds, fails, or both.
fn message(random: &mut Random, own: Option<&str>) -> RequestMessage {
    let own = own.unwrap_or(NOBODY);
    let one: RequestPayload = match random.below(6) {
        0 => aes(Vec::new()).into(),
        1 | 2 => GetRequest::of(own).into(),
        3 => GetRequest::of(NOBODY).into(),
        4 => LocateRequest::default().into(),
        _ => {
            let batch: Vec<RequestPayload> = vec![
                aes(vec![name(&format!("key {:016x}", random.number()))]).into(),
                GetRequest::default().into(),
                ActivateRequest::of(NOBODY).into(),
                GetRequest::of(own).into(),
            ];
            let mut message = RequestMessage::batch(V1_4, batch);
            message.header.batch_error_continuation = Some(BatchErrorContinuationOption::Continue);
            return message;
        }
    };
    RequestMessage::batch(V1_4, [one])
}

fn serve(node: &mut Node, faults: &str) {
    match faults {
        "" => node.set_environment(&[]),
        faults => node.set_environment(&[(OF_THE_STORE, faults)]),
    }
    node.serve().unwrap();
}

/// Records by the mark of their request.
fn told(node: &Node, tenant: &Tenant) -> BTreeMap<String, usize> {
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for record in exported::records(node, &tenant.name).unwrap() {
        if let Some(mark) = record.correlation {
            *told.entry(mark).or_default() += 1;
        }
    }
    told
}

#[test]
fn every_delivered_answer_has_one_record_for_each_item() {
    let mut random = Random::announced("recorded");
    let mut node = Node::start().unwrap();
    demand_injector(&node).unwrap();
    let tenant = node.tenant("recorded", "anssi").unwrap();
    node.stop().unwrap();
    let stall: PathBuf = node.dir().join("stall");
    let delivered = Mutex::new(Delivered::new());
    let (mut requests, mut episodes) = (0, 0);
    while requests < count("CLAVIS_RECORDED", REQUESTS) {
        episodes += 1;
        let blow = Blow::at_random(&mut random);
        let faults = match blow {
            Blow::FailingCommit(number) => format!("failing-commit={number}"),
            Blow::Kill(_) => String::new(),
            Blow::Stall(_) => format!("stalled-by={}", stall.display()),
        };
        serve(&mut node, &faults);
        let server = i32::try_from(node.server().unwrap().id()).ok().and_then(Pid::from_raw).unwrap();
        let dial = Dial::to(&node, &tenant.identity, TlsVersions::Both).unwrap();
        let sent = AtomicU64::new(0);
        let episode = Episode { dial, blow, number: episodes, sent, delivered: &delivered, stall: &stall, server };
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                let own = Random::from_seed(random.number());
                let episode = &episode;
                scope.spawn(move || episode.work(client, own));
            }
            episode.unstall();
        });
        requests += episode.sent.load(Ordering::Acquire);
        node.kill();
    }
    serve(&mut node, "");
    let (delivered, told) = (delivered.into_inner().unwrap(), told(&node, &tenant));
    let wrong: Vec<_> = delivered.iter().filter(|(mark, items)| told.get(*mark) != Some(*items)).collect();
    assert_eq!(wrong, [], "answers and their records");
    // The check looks at something: refusals and batches are among them, and not every request was answered.
    let items: usize = delivered.values().sum();
    println!("{requests} requests, {} answers, {items} items, {episodes} blows: all recorded, once", delivered.len());
    assert!(items > delivered.len() && u64::try_from(delivered.len()).unwrap() < requests);
}

/// A Get that is sent to a server whose store hangs: the channel gets the key when it comes.
fn get_in_the_background(mut connection: Connection, id: &str) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    let message = correlated(RequestMessage::single(V1_4, GetRequest::of(id)), "while it hangs");
    thread::spawn(move || {
        let answer = connection.call(message).unwrap();
        if let Some(kmip::message::Outcome::Success(ResponsePayload::Get(got))) =
            answer.items.into_iter().next().map(|item| item.outcome)
        {
            let _ = sender.send(bytes(&got).unwrap().to_vec());
        }
    });
    receiver
}

#[test]
fn no_key_leaves_while_the_store_hangs_and_all_comes_when_it_goes_on() {
    let mut node = Node::start().unwrap();
    demand_injector(&node).unwrap();
    let tenant = node.tenant("hanging", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let id = client.request(V1_4, aes(vec![name("k")])).unwrap().unique_identifier;
    let key = bytes(&client.request(V1_4, GetRequest::of(id.as_str())).unwrap()).unwrap().to_vec();
    drop(client);
    node.stop().unwrap();
    let stall = node.dir().join("stall");
    let stalled = format!("stalled-by={}", stall.display());

    serve(&mut node, &stalled);
    let connection = node.connect(&tenant.identity).unwrap();
    let dial = Dial::to(&node, &tenant.identity, TlsVersions::Both).unwrap();
    fs::write(&stall, "").unwrap();
    let got = get_in_the_background(connection, &id);
    for _ in 0..HANDSHAKES {
        drop(dial.connect().unwrap());
        assert!(got.try_recv().is_err(), "an answer came that nobody could have recorded");
    }
    fs::remove_file(&stall).unwrap();
    assert_eq!(got.recv().unwrap(), key);
    assert_eq!(told(&node, &tenant).get("while it hangs"), Some(&1));
    node.stop().unwrap();

    // The control: a server that answers before it commits is seen to do so.
    serve(&mut node, &format!("{stalled},early-answer"));
    let connection = node.connect(&tenant.identity).unwrap();
    fs::write(&stall, "").unwrap();
    let got = get_in_the_background(connection, &id);
    assert_eq!(got.recv().unwrap(), key, "the key leaves although the store hangs");
    fs::remove_file(&stall).unwrap();
}
