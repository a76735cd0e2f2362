//! A date that passes changes the state of an object for whoever reads it and for the audit log alike, though nobody
//! touches the object. KMIP 1.4 §3.22, transitions 4 and 6.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use audit::{Identity, Record};
use kmip::ProtocolVersion;
use kmip::attribute::{AttributeValue, CryptographicParameters};
use kmip::payload::{Data, DecryptRequest, EncryptRequest, GetAttributesRequest, GetRequest, LocateRequest};
use kmip::registry::{BlockCipherMode, State};
use kmip::ttlv::DateTime;
use kmip_client::TlsVersions;
use secret::Secret;
use system_tests::asking;
use system_tests::exported::records;
use system_tests::node::{Connection, Dial, Node, Tenant};
use xtask::stage::StageOptions;

const VERSIONS: [ProtocolVersion; 3] = [ProtocolVersion::V1_0, ProtocolVersion::V1_4, ProtocolVersion::V2_1];
/// How often the node of most tests looks for what is due, and never again after its start.
const OFTEN_MS: u64 = 100;
const NEVER_MS: u64 = 3_600_000;
/// Far enough that no date comes while a test prepares itself.
const SOON_S: i64 = 100_000;
const LATER_S: i64 = 2 * SOON_S;
/// For a machine that does other things.
const PATIENCE: Duration = Duration::from_secs(120);

/// A node whose clock a test moves.
struct World {
    node: Node,
    clock: PathBuf,
    tenant: Tenant,
    begin: i64,
}

impl World {
    fn new(round_ms: u64) -> Self {
        let limits = vec![("dates_round_ms".to_owned(), round_ms)];
        let mut node = Node::prepare(&StageOptions { limits, ..StageOptions::default() }).unwrap();
        let clock = node.dir().join("clock");
        std::fs::write(&clock, "0").unwrap();
        node.set_environment(&[("CLAVIS_CLOCK_FILE", clock.to_str().unwrap())]);
        node.serve().unwrap();
        let tenant = node.tenant("dated", "legacy").unwrap();
        let begin = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
        Self { node, clock, tenant, begin }
    }

    fn connect(&self) -> Connection {
        self.node.connect(&self.tenant.identity).unwrap()
    }

    /// From now on it is so many seconds after the beginning, and a few.
    fn move_to(&self, seconds: i64) {
        std::fs::write(&self.clock, seconds.to_string()).unwrap();
    }

    fn at(&self, seconds: i64) -> DateTime {
        DateTime(self.begin + seconds)
    }

    /// What the log tells of transitions, in its order.
    fn transitions(&self) -> Vec<Transition> {
        transitions(&records(&self.node, &self.tenant.name).unwrap())
    }

    /// Asks the log, and nobody else, until it tells of as many transitions.
    fn log_with(&self, expected: usize) -> Vec<Transition> {
        let begin = Instant::now();
        loop {
            let told = self.transitions();
            if told.len() >= expected {
                return told;
            }
            assert!(begin.elapsed() < PATIENCE, "{} of {expected} transitions: {told:?}", told.len());
        }
    }
}

/// The object, the event, when it fell due.
type Transition = (String, String, i64);

/// The records of what dates brought about; each names the node, and no address.
fn transitions(records: &[Record]) -> Vec<Transition> {
    let due = records.iter().filter_map(|record| {
        let at = record.detail.as_deref()?.strip_prefix("due at ")?.parse().ok()?;
        assert_eq!((&record.identity, record.source.as_str()), (&Identity::Node, ""));
        Some((record.object.clone()?, record.operation.clone(), at))
    });
    due.collect()
}

/// Transitions that are told more than once.
fn told_twice(told: &[Transition]) -> Vec<Transition> {
    let mut seen = BTreeSet::new();
    told.iter().filter(|one| !seen.insert(*one)).cloned().collect()
}

fn dates(activation: Option<DateTime>, deactivation: Option<DateTime>) -> Vec<AttributeValue> {
    let activation = activation.map(AttributeValue::ActivationDate);
    activation.into_iter().chain(deactivation.map(AttributeValue::DeactivationDate)).collect()
}

fn make(client: &mut Connection, further: Vec<AttributeValue>) -> String {
    client.request(ProtocolVersion::V1_4, asking::aes(further)).unwrap().unique_identifier
}

fn encrypts(client: &mut Connection, id: &str) -> bool {
    let request = EncryptRequest {
        unique_identifier: Some(id.into()),
        cryptographic_parameters: Some(Box::new(ecb())),
        data: Some(Data::Bytes(Secret::copy_from(&[7; 16]))),
        ..EncryptRequest::default()
    };
    client.request(ProtocolVersion::V1_4, request).is_ok()
}

fn decrypts(client: &mut Connection, id: &str) -> bool {
    let request = DecryptRequest {
        unique_identifier: Some(id.into()),
        cryptographic_parameters: Some(Box::new(ecb())),
        data: Some(Data::Bytes(Secret::copy_from(&[7; 16]))),
        ..DecryptRequest::default()
    };
    client.request(ProtocolVersion::V1_4, request).is_ok()
}

fn ecb() -> CryptographicParameters {
    CryptographicParameters { block_cipher_mode: Some(BlockCipherMode::Ecb), ..CryptographicParameters::default() }
}

/// What every reader says of the object: its State in each version, by Get Attributes and by Locate. It still can be
/// had, and it encrypts while it is Active.
fn is_in(client: &mut Connection, id: &str, state: State) {
    for version in VERSIONS {
        let told = client.request(version, GetAttributesRequest::of(id, &["State"])).unwrap().attributes;
        let told: Vec<AttributeValue> = told.into_iter().map(|one| one.value).collect();
        assert_eq!(told, [AttributeValue::State(state)], "{id} in {version}");
        for asked in [State::PreActive, State::Active, State::Deactivated] {
            let request =
                LocateRequest { attributes: vec![AttributeValue::State(asked).into()], ..LocateRequest::default() };
            let found = client.request(version, request).unwrap().unique_identifiers;
            assert_eq!(found.iter().any(|one| one == id), asked == state, "{id} by {asked:?} in {version}");
        }
    }
    client.request(ProtocolVersion::V1_4, GetRequest::of(id)).unwrap();
    assert_eq!(encrypts(client, id), state == State::Active, "{id}");
}

#[test]
fn the_log_tells_of_a_date_that_passed_and_all_readers_agree() {
    let world = World::new(OFTEN_MS);
    let mut client = world.connect();
    let past = DateTime(1);
    let (soon, later) = (world.at(SOON_S), world.at(LATER_S));
    let begins = make(&mut client, dates(Some(soon), None));
    let ends = make(&mut client, dates(Some(past), Some(soon)));
    let both = make(&mut client, dates(Some(soon), Some(later)));
    let never = make(&mut client, dates(None, Some(soon)));
    let protects = make(&mut client, [dates(Some(past), None), vec![AttributeValue::ProtectStopDate(soon)]].concat());
    let processes = make(&mut client, [dates(Some(past), None), vec![AttributeValue::ProcessStartDate(soon)]].concat());
    for (id, state) in [(&begins, State::PreActive), (&ends, State::Active), (&both, State::PreActive)] {
        is_in(&mut client, id, state);
    }
    assert!(encrypts(&mut client, &protects) && !decrypts(&mut client, &processes));
    assert_eq!(world.transitions(), []);

    world.move_to(SOON_S + 60);
    let at = |date: DateTime| date.0;
    let event = |id: &String, event: &str, date| (id.clone(), event.to_owned(), at(date));
    let mut told = world.log_with(3);
    told.sort();
    let mut expected =
        vec![event(&begins, "Activate", soon), event(&both, "Activate", soon), event(&ends, "Deactivate", soon)];
    expected.sort();
    assert_eq!(told, expected);
    for (id, state) in [
        (&begins, State::Active),
        (&ends, State::Deactivated),
        (&both, State::Active),
        (&never, State::PreActive),
        (&processes, State::Active),
    ] {
        is_in(&mut client, id, state);
    }
    // Dates that govern use and no state: the one key protects no more, the other processes from now on.
    assert!(!encrypts(&mut client, &protects) && decrypts(&mut client, &protects) && decrypts(&mut client, &processes));

    world.move_to(LATER_S + 60);
    assert_eq!(world.log_with(4).last(), Some(&event(&both, "Deactivate", later)));
    is_in(&mut client, &both, State::Deactivated);
    // What was read meanwhile added nothing: all was stored already.
    assert_eq!(world.transitions().len(), 4);
}

#[test]
fn readers_do_not_wait_for_the_log_and_a_start_makes_up_for_it() {
    let mut world = World::new(NEVER_MS);
    let mut client = world.connect();
    let (soon, later) = (world.at(SOON_S), world.at(LATER_S));
    let key = make(&mut client, dates(Some(soon), Some(later)));
    let untouched = make(&mut client, dates(Some(soon), Some(later)));
    world.move_to(SOON_S + 60);
    // Only the key that was asked for has a record: the node looks by itself once an hour here.
    is_in(&mut client, &key, State::Active);
    assert_eq!(world.transitions(), [(key.clone(), "Activate".to_owned(), soon.0)]);
    drop(client);

    // While the node is down, the other date comes.
    world.node.kill();
    world.move_to(LATER_S + 60);
    world.node.serve().unwrap();
    let told = world.log_with(4);
    let of = |id: &String| -> Vec<(&str, i64)> {
        told.iter().filter(|(object, ..)| object == id).map(|(_, event, at)| (event.as_str(), *at)).collect()
    };
    for id in [&key, &untouched] {
        assert_eq!(of(id), [("Activate", soon.0), ("Deactivate", later.0)]);
    }
    let mut client = world.connect();
    for id in [&key, &untouched] {
        is_in(&mut client, id, State::Deactivated);
    }
    assert_eq!(world.transitions().len(), 4);
}

#[test]
fn a_transition_is_told_once_whoever_comes_first_and_over_kills() {
    const KEYS: usize = 300;
    const READERS: usize = 4;
    const KILLS: usize = 3;
    let mut world = World::new(OFTEN_MS);
    let mut client = world.connect();
    let (soon, later) = (world.at(SOON_S), world.at(LATER_S));
    let ids: Vec<String> = (0..KEYS).map(|_| make(&mut client, dates(Some(soon), Some(later)))).collect();
    drop(client);
    for (moment, due) in [(SOON_S + 60, KEYS), (LATER_S + 60, 2 * KEYS)] {
        world.move_to(moment);
        for kill in 0..KILLS {
            let dial = Dial::to(&world.node, &world.tenant.identity, TlsVersions::Both).unwrap();
            let (read, progress) = mpsc::channel();
            thread::scope(|scope| {
                for reader in 0..READERS {
                    let (dial, read, ids) = (dial.clone(), read.clone(), &ids);
                    scope.spawn(move || {
                        let Ok(mut connection) = dial.connect() else { return };
                        // From the end, where the node comes last, and each its own share; until the server is gone.
                        for id in ids.iter().rev().skip(reader).step_by(READERS) {
                            match connection.request(ProtocolVersion::V1_4, GetRequest::of(id)) {
                                Ok(_) => read.send(()).unwrap(),
                                Err(_) => return,
                            }
                        }
                    });
                }
                drop(read);
                // In the middle of it, each time a little further on.
                let _some = progress.iter().take(5 + 20 * kill).count();
                world.node.kill();
            });
            world.node.serve().unwrap();
        }
        assert_eq!(world.log_with(due).len(), due);
    }
    let told = world.transitions();
    assert_eq!(told_twice(&told), []);
    let mut of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, event, _) in &told {
        of.entry(id).or_default().push(event);
    }
    assert!(ids.iter().all(|id| of.get(id.as_str()).is_some_and(|events| *events == ["Activate", "Deactivate"])));
    // The control: the comparison sees a record that is there twice.
    let again = told.iter().chain(told.last()).cloned().collect::<Vec<_>>();
    assert_eq!(told_twice(&again).len(), 1);
}
