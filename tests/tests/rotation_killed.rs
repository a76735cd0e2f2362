//! A rotation of a Domain Key is killed at every step that it has, under clients that retry: it finishes after each
//! start, no request of theirs fails, no key is lost, and nothing stays under the former version.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use admin_api::{DomainChange, Effect};
use kmip::ProtocolVersion;
use kmip::payload::GetRequest;
use kmip_client::TlsVersions;
use system_tests::asking::{self, known_aes};
use system_tests::faults::demand_injector;
use system_tests::node::{Connection, Dial, Node, Tenant};
use system_tests::random::count;
use xtask::stage::StageOptions;

const V: ProtocolVersion = ProtocolVersion::V1_4;
/// The list that the server's own test holds against its code.
const STEPS: &str = include_str!("../../kms-server/src/node/rotation_steps.txt");
/// What the server reads.
const DIE_AT: &str = "CLAVIS_DIE_AT";
const KILLED: i32 = 9;
/// Keys of the domain in `make test`: several pages of a pass.
const KEYS: u64 = 200;
/// Clients at work all the time.
const CLIENTS: usize = 3;
/// For what must come on a machine that does other things.
const PATIENCE: Duration = Duration::from_secs(600);

/// Where the clients find the node, which changes with every start; none while it is down.
type Place = Mutex<Option<Dial>>;

struct Known {
    id: String,
    bytes: [u8; 32],
}

/// Bytes that differ from key to key.
fn bytes_of(number: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (byte, at) in bytes.iter_mut().zip(0_u64..) {
        *byte = u8::try_from((number.wrapping_mul(31) ^ at.wrapping_mul(7)) % 251).unwrap();
    }
    bytes
}

fn register(connection: &mut Connection, number: u64) -> Known {
    let bytes = bytes_of(number);
    let id = connection.request(V, known_aes(&bytes, Vec::new())).unwrap().unique_identifier;
    Known { id, bytes }
}

/// Whether the key opens; false where the connection is gone. An answer that is not the key ends the test.
fn opens(connection: &mut Connection, known: &Known) -> bool {
    match connection.request(V, GetRequest::of(&known.id)) {
        Ok(got) => {
            assert_eq!(asking::bytes(&got), Some(known.bytes.as_slice()), "{} opens as another key", known.id);
            true
        }
        Err(error) => {
            assert_eq!(error.reason(), None, "{} was refused: {error}", known.id);
            false
        }
    }
}

/// Fetches keys until told to stop, and retries whatever the end of a node cut off.
fn fetch(place: &Place, known: &[Known], done: &AtomicBool, served: &AtomicU64) {
    let mut connection: Option<Connection> = None;
    for one in known.iter().cycle() {
        loop {
            if done.load(Ordering::Relaxed) {
                return;
            }
            if connection.as_mut().is_some_and(|connection| opens(connection, one)) {
                served.fetch_add(1, Ordering::Relaxed);
                break;
            }
            let dial = place.lock().unwrap().clone();
            connection = dial.and_then(|dial| dial.connect().ok());
            thread::yield_now();
        }
    }
}

/// Versions under which objects of the domain are sealed, as the database has them: bytes 18 to 21 of an envelope.
fn versions_in(store: &Path, domain: &str) -> String {
    let script = "import sqlite3, sys\n\
                  database = sqlite3.connect('file:%s?mode=ro' % sys.argv[1], uri=True)\n\
                  rows = database.execute('select distinct hex(substr(sealed, 19, 4)) from object where sealed is not null '\n\
                  'and domain = (select id from domain where name = ?)', (sys.argv[2],))\n\
                  print(' '.join(str(int(row[0], 16)) for row in rows))";
    let output = Command::new("python3").args(["-c", script]).arg(store).arg(domain).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what} never came");
        thread::yield_now();
    }
}

fn versions(node: &Node, tenant: &Tenant) -> (u32, Option<u32>) {
    let domain = node.admin("operator").unwrap().domain_show(&tenant.name).unwrap();
    (domain.key_version, domain.former_key_version)
}

fn start(node: &mut Node, tenant: &Tenant, place: &Place, die_at: Option<&str>) {
    let environment: Vec<(&str, &str)> = die_at.map(|step| (DIE_AT, step)).into_iter().collect();
    node.set_environment(&environment);
    node.serve().unwrap();
    *place.lock().unwrap() = Some(Dial::to(node, &tenant.identity, TlsVersions::Both).unwrap());
}

#[test]
fn a_rotation_killed_at_every_step_finishes_each_time() {
    let mut node = Node::start().unwrap();
    demand_injector(&node).unwrap();
    let (tenant, place) = (node.tenant("killed", "anssi").unwrap(), Place::default());
    let mut connection = node.connect(&tenant.identity).unwrap();
    let known: Vec<Known> =
        (0..count("CLAVIS_ROTATED_KEYS", KEYS)).map(|number| register(&mut connection, number)).collect();
    drop(connection);
    node.stop().unwrap();

    let (done, served) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| fetch(&place, &known, &done, &served));
        }
        let walked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut version = 1;
            for step in STEPS.lines() {
                start(&mut node, &tenant, &place, Some(step));
                // It ends at this step: at the first ones in the middle of the administrator's request.
                let officer = node.admin("officer1").unwrap();
                let _ = officer.domain_change(&tenant.name, DomainChange::RotateKey, Effect::Real);
                let status = node.ended().unwrap();
                assert_eq!(status.signal(), Some(KILLED), "{step}: {status}");

                start(&mut node, &tenant, &place, None);
                let (current, former) = versions(&node, &tenant);
                if current == version {
                    assert_eq!((step, former), ("key-made", None), "only a key that nobody stored may be lost");
                    let officer = node.admin("officer1").unwrap();
                    officer.domain_change(&tenant.name, DomainChange::RotateKey, Effect::Real).unwrap();
                }
                version += 1;
                until("the end of the rotation", || (versions(&node, &tenant) == (version, None)).then_some(()));
                // Clients go on at this start, too.
                let before = served.load(Ordering::Relaxed);
                until("an answer", || (served.load(Ordering::Relaxed) > before).then_some(()));
                node.stop().unwrap();
                assert_eq!(versions_in(&node.stage.store(), &tenant.name), version.to_string(), "{step}");
            }
        }));
        done.store(true, Ordering::Relaxed);
        if let Err(panic) = walked {
            std::panic::resume_unwind(panic);
        }
    });

    node.set_environment(&[]);
    node.serve().unwrap();
    let mut connection = node.connect(&tenant.identity).unwrap();
    for one in &known {
        assert!(opens(&mut connection, one));
    }
    let found = node.admin("auditor").unwrap().domain_verify(&tenant.name).unwrap();
    assert_eq!(found.findings, []);
    let log = String::from_utf8(node.export(&tenant.name).unwrap()).unwrap();
    let ends = log.lines().filter(|line| line.contains("Destroy Domain Key")).count();
    assert_eq!(ends, STEPS.lines().count(), "each former version was destroyed once");
}

#[test]
fn a_step_that_there_is_not_kills_nobody_and_a_former_version_is_seen() {
    // The control: where nobody dies, the node answers; and where two versions are in use, the look at the database
    // says so.
    let mut node = Node::start_with(&StageOptions::default(), &[(DIE_AT, "no-such-step")]).unwrap();
    let tenant = node.tenant("alive", "anssi").unwrap();
    let mut connection = node.connect(&tenant.identity).unwrap();
    let known = register(&mut connection, 1);
    let officer = node.admin("officer1").unwrap();
    officer.domain_change(&tenant.name, DomainChange::RotateKey, Effect::Real).unwrap();
    until("the end of the rotation", || (versions(&node, &tenant) == (2, None)).then_some(()));
    assert!(opens(&mut connection, &known));
    node.stop().unwrap();
    assert_eq!(versions_in(&node.stage.store(), &tenant.name), "2");

    start(&mut node, &tenant, &Place::default(), Some("begun"));
    let officer = node.admin("officer1").unwrap();
    let _ = officer.domain_change(&tenant.name, DomainChange::RotateKey, Effect::Real);
    assert_eq!(node.ended().unwrap().signal(), Some(KILLED));
    // Begun and not gone on: version 3 seals, and all that is there is under version 2.
    assert_eq!(versions_in(&node.stage.store(), &tenant.name), "2");
}
