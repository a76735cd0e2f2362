//! The generator against a real node: what it counts, and that it hides nothing. No number of it is a speed.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bench::compare::{self, Options, Ours};
use bench::limits::{CONNECTIONS, FAILURES_IN_A_ROW};
use bench::load::{self, Amount, Operation, Plan, Population, Target, TargetOptions};
use bench::measurement::Tally;
use tempfile::TempDir;

const KEYS: usize = 7;

/// Memory where there is some: nothing here is to outlive the test.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("clavis-bench-").tempdir_in(parent).unwrap()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

async fn load(options: &TargetOptions, operation: Operation, keys: &Arc<Population>, connections: usize) -> Tally {
    let target = Arc::new(Target::new("test", options).unwrap());
    let plan = Plan { connections, warm_up: Amount::Requests(3), measured: Amount::Requests(20) };
    load::run(&target, operation, keys, plan, None).await.unwrap().tally
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_is_counted_whether_it_is_done_or_not() {
    let folder = folder();
    let ours = Ours::start(folder.path()).unwrap();
    let options = ours.options();
    let target = Target::new("test", &options).unwrap();
    let keys = Arc::new(Population::make(&target, KEYS).await.unwrap());
    assert_eq!(keys.len(), KEYS);

    for operation in Operation::ALL {
        for connections in [1, 4] {
            let tally = load(&options, operation, &keys, connections).await;
            assert!(tally.errors().is_empty(), "{operation}: {:?}", tally.errors());
            assert_eq!((tally.operations(), tally.refused()), (20, 0), "{operation}");
            assert!(tally.latency_us(0.5) > 0 && tally.latency_us(0.5) <= tally.latency_us(1.0), "{operation}");
        }
    }

    // A client that nobody registered: its certificate is of the right authority, and every operation fails.
    let pki = options.ca.parent().unwrap();
    let (cert, key) = (pki.join("boreal/client.pem"), pki.join("boreal/client.key"));
    let stranger = TargetOptions { cert, key, ..options.clone() };
    for operation in Operation::ALL {
        let tally = load(&stranger, operation, &keys, 2).await;
        assert_eq!(tally.operations(), 0, "{operation}");
        assert_eq!(tally.errors().values().sum::<u64>(), 20, "{operation}: {:?}", tally.errors());
    }

    // Without keys there is nothing to get: the answers are not taken for good because they come fast.
    let tally = load(&options, Operation::Get, &Arc::default(), 1).await;
    assert_eq!((tally.operations(), tally.errors().values().sum::<u64>()), (0, 20));

    // With nobody there, a load ends by itself.
    ours.stop().unwrap();
    let target = Arc::new(target);
    let plan = Plan { connections: 2, warm_up: Amount::Requests(0), measured: Amount::Requests(u64::MAX) };
    let tally = load::run(&target, Operation::Get, &keys, plan, None).await.unwrap().tally;
    assert_eq!((tally.operations(), tally.errors().values().sum::<u64>()), (0, 2 * u64::from(FAILURES_IN_A_ROW)));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_servers_are_measured_in_every_row() {
    let folder = folder();
    let python = repository().join(".venv/bin/python");
    assert!(python.exists(), "PyKMIP is not installed: scripts/setup-python installs it");
    let options = Options {
        python,
        script: repository().join("bench/pykmip_server.py"),
        folder: folder.path().join("bench"),
        time: Duration::from_millis(50),
        rounds: 2,
        keys: KEYS,
        operations: Operation::ALL.to_vec(),
    };
    let report = compare::run(&options, &mut |_| ()).await.unwrap();
    assert_eq!(report.rows.len(), Operation::ALL.len() * CONNECTIONS.len());
    for row in &report.rows {
        for side in [&row.ours, &row.pykmip] {
            assert!(side.errors.is_empty(), "{} {}: {:?}", row.operation, row.connections, side.errors);
            assert!(side.rates.len() == 2 && side.operations > 0, "{} {}", row.operation, row.connections);
        }
        assert!(row.ratio.is_some() && row.ours.refused == 0, "{} {}", row.operation, row.connections);
        // PyKMIP knows no x- attributes; were that not seen, the note under the table would be missing.
        assert_eq!(row.pykmip.refused > 0, row.operation == Operation::Vsphere, "{}", row.operation);
    }
    let table = report.to_string();
    assert!(table.contains("PyKMIP refuses the x- attributes"), "{table}");
    assert!(!report.ours_failed() && !table.contains("FAILED"), "{table}");
    // Nothing of either server stays behind.
    assert!(!options.folder.join("ours").exists() && !options.folder.join("pykmip").exists());
}
