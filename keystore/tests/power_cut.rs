//! Bar D1: power cuts at random points under eight writers lose nothing that was acknowledged and leave nothing half
//! made; and three stores that are made weak on purpose do lose something, so that the test would notice.
//!
//! This program is also the writing process: it starts itself under the preload library, reads what was acknowledged
//! from a pipe, kills it, restores what was synced, and looks. `CLAVIS_POWER_CUTS` sets the number of cuts,
//! `CLAVIS_SEED` repeats the choice of moments; the threads' own timing is never the same twice.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

#[path = "../../tests/powercut/powercut.rs"]
mod powercut;
mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;

use audit::{LogId, Record};
use keystore::{Faults, KeyStore, ObjectId, ObjectRow, Pace, SqliteStore, StoreError, StoreOptions, Synchronous};
use kmip::registry::State;
use tempfile::TempDir;

use powercut::PoweredFolder;
use support::*;

const WRITERS: usize = 8;
const DEFAULT_CUTS: u64 = 20;
/// Where nobody sets a seed: the same moments each time.
const USUAL_SEED: u64 = 1;
/// A store suffers so many cuts one after the other; everything in it is looked at after each.
const CUTS_PER_STORE: u64 = 10;
/// Cuts happen after so many acknowledgements at most; enough for the write-ahead log to be carried over many times.
const MOST_LINES: u64 = 400;
/// Small, so that cuts hit the moments in which the write-ahead log is carried over.
const CHECKPOINT_PAGES: u32 = 40;
const WRITER: &str = "--writer";
/// How a writer ends whose store failed.
const STORE_FAILED: u8 = 3;

type Test = fn();

const TESTS: [(&str, Test); 6] = [
    ("power_cuts_lose_nothing_acknowledged", power_cuts_lose_nothing_acknowledged),
    ("control_an_early_answer_is_noticed", || weak_store_is_noticed("early")),
    ("control_synchronous_off_is_noticed", || weak_store_is_noticed("off")),
    ("control_synchronous_normal_is_noticed", || weak_store_is_noticed("normal")),
    ("a_disk_that_fails_ends_the_store_and_loses_nothing", a_disk_that_fails_ends_the_store_and_loses_nothing),
    ("without_a_power_cut_a_kill_loses_nothing", without_a_power_cut_a_kill_loses_nothing),
];

/// As the test harness would, as far as cargo and nextest use it.
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if let [WRITER, path, mode] = arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return write(Path::new(path), mode);
    }
    let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |name: &str| {
        filters.iter().all(|filter| *filter == "terse")
            || filters.iter().any(|filter| if has("--exact") { *filter == name } else { name.contains(*filter) })
    };
    let tests = TESTS.iter().filter(|(name, _)| wanted(name) && !has("--ignored"));
    for (name, test) in tests {
        if has("--list") {
            println!("{name}: test");
        } else {
            test();
            println!("test {name} ... ok");
        }
    }
    ExitCode::SUCCESS
}

// ---- the writing process ----

fn options(mode: &str) -> StoreOptions {
    let (synchronous, faults) = match mode {
        "early" => (Synchronous::Full, Faults { early_answer: true, ..Faults::default() }),
        "off" => (Synchronous::Off, Faults { weak_synchronous: true, ..Faults::default() }),
        "normal" => (Synchronous::Normal, Faults { weak_synchronous: true, ..Faults::default() }),
        _ => (Synchronous::Full, Faults::default()),
    };
    // A weak store is not helped by carrying over, which syncs.
    let checkpoint_pages = if mode == "full" { CHECKPOINT_PAGES } else { 1_000_000 };
    StoreOptions { synchronous, faults, checkpoint_pages, ..StoreOptions::default() }
}

fn write(path: &Path, mode: &str) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(path, options(mode)).await.unwrap();
        if store.domains().await.unwrap().is_empty() {
            create_domains(&store).await;
        }
        for domain in [ACME, BOREAL] {
            store.activate(domain, key_of(domain)).await.unwrap();
        }
        let store = Arc::new(store);
        let mut writers = tokio::task::JoinSet::new();
        for number in 0..WRITERS {
            let domain = if number % 2 == 0 { ACME } else { BOREAL };
            writers.spawn(write_for_ever(Arc::clone(&store), domain, mode == "early"));
        }
        match writers.join_next().await {
            Some(Ok(StoreError::Failed(_))) => ExitCode::from(STORE_FAILED),
            other => panic!("{other:?}"),
        }
    })
}

/// What a KMS does: keys are made, activated, read and destroyed, each step acknowledged on its own.
async fn write_for_ever(store: Arc<SqliteStore>, domain: secret::DomainId, early: bool) -> StoreError {
    for round in 0_u64.. {
        let mut row = object(domain);
        row.id = uuid::Uuid::now_v7().into_bytes();
        row.attributes = vec![name(&format!("vm {}", uuid::Uuid::from_bytes(row.id)))];
        let mut active = row.clone();
        active.state = State::Active;
        let mut used = active.clone();
        used.revision += 1;
        let mut steps = vec![creation(row.clone()), update(active)];
        if round % 3 == 0 {
            steps.push(destruction(used));
        }
        for (revision, step) in (0_u64..).zip(steps) {
            match commit(&*store, vec![step]).await {
                Ok(committed) => acknowledge(&row.id, revision, committed.positions[0].1),
                // Answered before the commit, it cannot be read yet.
                Err(StoreError::NotFound | StoreError::Conflict) if early => break,
                Err(error) => return error,
            }
        }
        if let Err(error) = store.commit(record_only(record(domain, "Get"))).await {
            return error;
        }
    }
    StoreError::Closed
}

fn acknowledge(id: &ObjectId, revision: u64, seq: u64) {
    let line = format!("{} {revision} {seq}\n", hex::encode(id));
    let mut out = std::io::stdout().lock();
    // Nobody reads any more: the power is being cut.
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

// ---- the test ----

/// What was acknowledged about an object last: its revision, and where the record is.
type Acknowledged = BTreeMap<ObjectId, (u64, u64)>;

/// Random numbers enough to choose moments.
struct Moments(u64);

impl Moments {
    /// The moments of a test, which `CLAVIS_SEED` and its name decide.
    fn of(test: &str) -> Self {
        let seed: u64 = std::env::var("CLAVIS_SEED").map_or(USUAL_SEED, |seed| seed.parse().unwrap());
        println!("{test}: CLAVIS_SEED={seed}");
        let mixed = test.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Self(mixed | 1)
    }

    /// From 1 to `most`.
    fn next(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        1 + self.0 % most
    }
}

fn cuts() -> u64 {
    std::env::var("CLAVIS_POWER_CUTS").map_or(DEFAULT_CUTS, |cuts| cuts.parse().unwrap())
}

struct Scene {
    powered: PoweredFolder,
    _scratch: TempDir,
}

impl Scene {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let powered = PoweredFolder::new(scratch.path().join("store"), scratch.path()).unwrap();
        Self { powered, _scratch: scratch }
    }

    fn database(&self) -> std::path::PathBuf {
        self.powered.path().join("store.db")
    }

    fn writer(&self, mode: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(WRITER).arg(self.database()).arg(mode).stdout(Stdio::piped());
        command
    }

    /// Lets a writer work until it has acknowledged `lines`, and kills it. Returns how many it did.
    fn cut(&self, mode: &str, lines: u64, acknowledged: &mut Acknowledged) -> u64 {
        let mut child = self.powered.power(&mut self.writer(mode)).spawn().unwrap();
        let seen = read(&mut child, Some(lines), acknowledged);
        child.wait().unwrap();
        seen
    }

    fn open(&self) -> Result<SqliteStore, StoreError> {
        runtime().block_on(SqliteStore::open(self.database(), StoreOptions::default()))
    }
}

/// Reads acknowledgements; kills the child after `lines`, and reads what it had acknowledged by then.
fn read(child: &mut Child, lines: Option<u64>, acknowledged: &mut Acknowledged) -> u64 {
    let mut seen = 0;
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
        let words: Vec<&str> = line.split_whitespace().collect();
        let id = hex::decode(words[0]).unwrap().try_into().unwrap();
        acknowledged.insert(id, (words[1].parse().unwrap(), words[2].parse().unwrap()));
        seen += 1;
        if Some(seen) == lines {
            child.kill().unwrap();
        }
        line.clear();
    }
    seen
}

/// One for all: a store's writer lives on the runtime that opened it.
fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: std::sync::OnceLock<tokio::runtime::Runtime> = std::sync::OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().unwrap())
}

/// Opens what the power cut left, as the next start would. Returns how much of what was acknowledged is lost.
fn lost_after(scene: &Scene, acknowledged: &Acknowledged) -> usize {
    runtime().block_on(async {
        let Ok(store) = SqliteStore::open(scene.database(), StoreOptions::default()).await else {
            return acknowledged.len();
        };
        let mut lost = 0;
        let mut logs = BTreeMap::new();
        for domain in [ACME, BOREAL] {
            if store.activate(domain, key_of(domain)).await.is_err() {
                store.close().await;
                return acknowledged.len();
            }
            assert_eq!(store.verify(domain, Pace::full()).await.unwrap().findings, [], "half made");
            logs.insert(domain, all_records(&store, LogId::Domain(domain)).await);
        }
        assert_eq!(store.integrity().await.unwrap(), ["ok"]);
        for (id, (revision, seq)) in acknowledged {
            lost += usize::from(!is_kept(&store, &logs, id, *revision, *seq).await);
        }
        store.close().await;
        lost
    })
}

/// Whether an acknowledged change, or a later one, is in the store, and the record that it was promised.
async fn is_kept(
    store: &SqliteStore,
    logs: &BTreeMap<secret::DomainId, Vec<Record>>,
    id: &ObjectId,
    revision: u64,
    seq: u64,
) -> bool {
    for (domain, records) in logs {
        let Some(row) = store.object(*domain, *id).await.unwrap() else { continue };
        let record = records.get(usize::try_from(seq).unwrap());
        let told = record.is_some_and(|record| {
            record.revision == Some(revision)
                && record.object == Some(uuid::Uuid::from_bytes(*id).hyphenated().to_string())
        });
        return told && is_whole(&row) && row.revision >= revision;
    }
    false
}

fn is_whole(row: &ObjectRow) -> bool {
    row.is_destroyed() == row.sealed.is_none() && row.is_destroyed() == (row.revision == 2)
}

fn power_cuts_lose_nothing_acknowledged() {
    let mut moments = Moments::of("power_cuts_lose_nothing_acknowledged");
    let (mut scene, mut acknowledged) = (Scene::new(), Acknowledged::new());
    let (mut seen, mut objects) = (0, 0);
    for cut in 1..=cuts() {
        seen += scene.cut("full", moments.next(MOST_LINES), &mut acknowledged);
        scene.powered.restore().unwrap();
        assert_eq!(lost_after(&scene, &acknowledged), 0, "after cut {cut}");
        if cut % CUTS_PER_STORE == 0 || cut == cuts() {
            objects += acknowledged.len();
            (scene, acknowledged) = (Scene::new(), Acknowledged::new());
        }
    }
    println!("{} cuts, {seen} acknowledged, {objects} objects, 0 lost", cuts());
    assert!(seen >= cuts() && objects > 0);
}

/// The same test, on a store that breaks its promise, must fail.
fn weak_store_is_noticed(mode: &str) {
    let mut moments = Moments::of("weak_store_is_noticed");
    for cut in 1..=cuts().max(DEFAULT_CUTS) {
        let scene = Scene::new();
        // What is there before is on the disk: it is the new work that a weak store loses.
        let store = scene.open().unwrap();
        runtime().block_on(async {
            create_domains(&store).await;
            store.close().await;
        });
        let mut acknowledged = Acknowledged::new();
        scene.cut(mode, moments.next(MOST_LINES), &mut acknowledged);
        scene.powered.restore().unwrap();
        let lost = lost_after(&scene, &acknowledged);
        if lost > 0 {
            return println!("{mode}: cut {cut} lost {lost} of {}", acknowledged.len());
        }
    }
    panic!("{mode}: nothing was lost, so this test proves nothing about the others");
}

fn a_disk_that_fails_ends_the_store_and_loses_nothing() {
    let mut moments = Moments::of("a_disk_that_fails_ends_the_store_and_loses_nothing");
    for _ in 0..5 {
        let scene = Scene::new();
        let store = scene.open().unwrap();
        runtime().block_on(async {
            create_domains(&store).await;
            store.close().await;
        });
        let mut acknowledged = Acknowledged::new();
        // The first syncs are those of opening.
        let count = 10 + u32::try_from(moments.next(60)).unwrap();
        let mut child = scene.powered.fail_sync(&mut scene.writer("full"), count).spawn().unwrap();
        read(&mut child, None, &mut acknowledged);
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(i32::from(STORE_FAILED)), "sync {count} failed, and the writer went on");
        scene.powered.restore().unwrap();
        assert_eq!(lost_after(&scene, &acknowledged), 0, "sync {count} failed");
    }
}

fn without_a_power_cut_a_kill_loses_nothing() {
    let scene = Scene::new();
    let mut acknowledged = Acknowledged::new();
    for lines in [1, 50, 200] {
        let mut child = scene.writer("full").spawn().unwrap();
        read(&mut child, Some(lines), &mut acknowledged);
        child.wait().unwrap();
        assert_eq!(lost_after(&scene, &acknowledged), 0);
    }
}
