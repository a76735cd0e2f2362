//! Records that retention drops leave tree, proofs and verification as they were, and none goes that has to stay; and a
//! start does not read every leaf.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod support;

use audit::retention::{Dropping, OPERATION};
use audit::{Hash, LogId, Record, inclusion_ranges, verify_inclusion};
use keystore::limits::{MAX_ROWS_PER_LOG, SET_DIGEST_INTERVAL};
use keystore::{Change, Committed, KeyStore, Pace, SqliteStore, Step, StoreError};
use support::database::Database;
use support::*;

const LOG: LogId = LogId::Domain(ACME);
/// The time of the records that the tests write by default, and a moment later.
const OLD_US: i64 = 1_700_000_000_000_000;
const BEFORE_US: i64 = OLD_US + 1;

async fn read(store: &SqliteStore, count: u64, time_us: i64) {
    let one = |_| Step { changes: Vec::new(), record: Some(Record { time_us, ..record(ACME, "Get") }) };
    store.commit(unit((0..count).map(one).collect())).await.unwrap();
}

async fn drop_these(store: &SqliteStore, positions: Vec<u64>, before_us: i64) -> Result<Committed, StoreError> {
    let record = Record { time_us: OLD_US * 2, ..record(ACME, OPERATION) };
    commit(store, vec![step(Change::DropRecords { positions, before_us }, record)]).await
}

/// Drops all that may go; returns the positions.
async fn sweep(store: &SqliteStore, before_us: i64) -> Vec<u64> {
    let (mut from, mut dropped) = (0, Vec::new());
    loop {
        let old = store.old_records(LOG, from, before_us).await.unwrap();
        if !old.positions.is_empty() {
            drop_these(store, old.positions.clone(), before_us).await.unwrap();
        }
        dropped.extend(old.positions);
        if old.end {
            return dropped;
        }
        from = old.next;
    }
}

async fn leaves(store: &SqliteStore) -> (Vec<Hash>, Hash) {
    let (size, root) = store.tree_head(LOG).await.unwrap();
    (store.leaf_hashes(LOG, 0, size).await.unwrap(), root)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_dropped_leaves_tree_proofs_and_verification_as_they_were() {
    let (folder, store) = with_domains().await;
    let (living, changed, gone) = (named(ACME, "living"), named(ACME, "changed"), named(ACME, "gone"));
    for row in [&living, &changed, &gone] {
        create(&store, row).await;
    }
    read(&store, 10, OLD_US).await;
    commit(&store, vec![update(changed.clone())]).await.unwrap();
    let destroyed = commit(&store, vec![destruction(gone)]).await.unwrap().positions[0].1;
    read(&store, 4 * SET_DIGEST_INTERVAL, OLD_US).await;
    let (before, root) = leaves(&store).await;
    assert_eq!(audit::root_of(&before), root);

    let dropped = sweep(&store, BEFORE_US).await;
    // The set-up of the domain and the first record of the object that changed go; the last of each object stays.
    assert_eq!(dropped[..3], [0, 2, 3], "{dropped:?}");
    let stay: Vec<u64> = (0..before.len() as u64).filter(|seq| !dropped.contains(seq)).collect();
    assert_eq!(stay[..3], [1, 14, destroyed]);
    assert_eq!(stay[3], 4 * SET_DIGEST_INTERVAL, "the end of the log stays");

    let (after, _) = leaves(&store).await;
    assert_eq!(after[..before.len()], before);
    let size = after.len() as u64;
    let head = store.tree_head(LOG).await.unwrap().1;
    for index in [0, 2, 300, destroyed, size - 1] {
        let path = store.subtree_roots(LOG, &inclusion_ranges(index, size).unwrap()).await.unwrap();
        verify_inclusion(&after[usize::try_from(index).unwrap()], index, size, &path, &head).unwrap();
    }
    assert_eq!(store.verify(ACME, Pace::full()).await.unwrap().findings, []);
    let error = store.records(LOG, 2, 1).await.unwrap_err();
    assert!(matches!(error, StoreError::Dropped { position: 2, .. }), "{error}");
    assert!(error.to_string().contains(&hex::encode(before[2])), "{error}");
    let kept = store.leaves_as_kept(LOG, 0, 3).await.unwrap();
    assert_eq!(kept.iter().map(|one| one.dropped.is_some()).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(sweep(&store, BEFORE_US).await, [] as [u64; 0], "once is all");

    store.close().await;
    let store = folder.open_active().await;
    assert_eq!(store.tree_head(LOG).await.unwrap().1, head);
    assert_eq!(store.verify(ACME, Pace::full()).await.unwrap().findings, []);
    assert_eq!(get(&store, &living).await, living);
    store.close().await;
    // No byte of a dropped record is left in the file.
    let mut database = Database::open(&folder.path()).await;
    let telling = database.rows("SELECT DISTINCT dropped FROM audit WHERE dropped IS NOT NULL").await;
    assert!(!telling.is_empty());
    database.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_goes_that_is_young_or_has_to_stay() {
    let (_folder, store) = with_domains().await;
    let row = named(ACME, "kept");
    create(&store, &row).await;
    read(&store, SET_DIGEST_INTERVAL, OLD_US).await;
    read(&store, SET_DIGEST_INTERVAL, OLD_US + 10).await;
    let old = store.old_records(LOG, 0, BEFORE_US).await.unwrap();
    assert_eq!((old.positions.len() as u64, old.end), (SET_DIGEST_INTERVAL + 1, true));
    let young = SET_DIGEST_INTERVAL + 10;
    for wrong in [vec![1], vec![young], vec![2 * SET_DIGEST_INTERVAL], vec![2, 1], vec![2, 2], vec![]] {
        let refused = drop_these(&store, wrong.clone(), BEFORE_US).await;
        assert!(matches!(refused, Err(StoreError::InvalidUnit(_))), "{wrong:?}: {refused:?}");
    }
    // A record that tells of a dropping belongs to one.
    let lying = commit(&store, vec![Step { changes: Vec::new(), record: Some(record(ACME, OPERATION)) }]).await;
    assert!(matches!(lying, Err(StoreError::InvalidUnit(_))), "{lying:?}");
    let unsaid = step(Change::DropRecords { positions: vec![2], before_us: BEFORE_US }, record(ACME, "Get"));
    assert!(matches!(commit(&store, vec![unsaid]).await, Err(StoreError::InvalidUnit(_))));
    // The control: what may go, goes, once.
    let told = drop_these(&store, vec![2, 5], BEFORE_US).await.unwrap().positions[0].1;
    let record = Record::decode(&store.records(LOG, told, 1).await.unwrap()[0].bytes).unwrap();
    let dropping = Dropping::parse(record.detail.as_deref().unwrap()).unwrap();
    assert_eq!((dropping.first, dropping.last, dropping.count), (2, 5, 2));
    assert!(drop_these(&store, vec![2, 5], BEFORE_US).await.is_err());
    // A domain that is frozen or destroyed keeps no more than another, and no less.
    let active = store.old_records(LOG, 0, BEFORE_US).await.unwrap().positions;
    store.deactivate(ACME).await;
    assert_eq!(store.old_records(LOG, 0, BEFORE_US).await.unwrap().positions, active);
    drop_these(&store, vec![active[0]], BEFORE_US).await.unwrap();
    assert_eq!(store.old_records(LOG, 0, BEFORE_US).await.unwrap().positions, active[1..]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verification_finds_records_that_somebody_else_dropped() {
    let (folder, store) = with_domains().await;
    read(&store, 3 * SET_DIGEST_INTERVAL, OLD_US).await;
    let told = drop_these(&store, vec![2, 5], BEFORE_US).await.unwrap().positions[0].1;
    read(&store, 3, OLD_US).await;
    let mut database = Database::open(&folder.path()).await;
    for (change, undo, row) in [
        // One more under the same record, one that names no record, one that names another.
        (format!("record = NULL, dropped = {told} WHERE seq = 3"), 3, told),
        (format!("record = NULL, dropped = {} WHERE seq = 7", told + 1), 7, 7),
        ("record = NULL, dropped = 100000 WHERE seq = 9".to_owned(), 9, 9),
    ] {
        let honest = database.rows(&format!("SELECT * FROM audit WHERE log = 2 AND seq = {undo}")).await;
        database.run(&format!("UPDATE audit SET {change} AND log = 2")).await;
        let found = store.verify(ACME, Pace::full()).await.unwrap().findings;
        assert!(found.iter().any(|one| one.row.ends_with(&format!("/{row}"))), "{change}: {found:?}");
        let lying = database.rows(&format!("SELECT * FROM audit WHERE log = 2 AND seq = {undo}")).await;
        database.replace("audit", &lying[0], &honest[0]).await;
        assert_eq!(store.verify(ACME, Pace::full()).await.unwrap().findings, [], "{change} undone");
    }
    // A stored subtree, and a leaf under one, which a start no longer looks at.
    for change in [
        "UPDATE subtree SET root = zeroblob(32) WHERE log = 2 AND place = 1",
        "UPDATE audit SET leaf = zeroblob(32) WHERE log = 2 AND seq = 700",
    ] {
        database.run(change).await;
        assert_ne!(store.verify(ACME, Pace::full()).await.unwrap().findings, [], "{change}");
    }
    database.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_reads_few_rows_however_long_the_log_is() {
    let (folder, mut store) = with_domains().await;
    let mut read_at = Vec::new();
    // The last is past the second level of stored subtrees.
    for more in [250_u64, 4_000, 66_000] {
        for part in [more / 2, more - more / 2] {
            for chunk in 0..part.div_ceil(4_000) {
                read(&store, 4_000.min(part - chunk * 4_000), OLD_US).await;
            }
        }
        let head = store.tree_head(LOG).await.unwrap();
        store.close().await;
        store = folder.open_active().await;
        assert_eq!(store.tree_head(LOG).await.unwrap(), head);
        read_at.push((head.0, store.rows_at_start()));
    }
    println!("records and rows read at start: {read_at:?}");
    // Three logs, and the two others have a record or none.
    assert!(read_at.iter().all(|(_, rows)| *rows <= MAX_ROWS_PER_LOG + 1), "{read_at:?}");
    assert!(read_at[2].1 < read_at[2].0 / 50, "{read_at:?}");
    assert_eq!(read_at[0].1, read_at[0].0 + 1, "the count counts: of a short log every leaf is read");
    let (all, root) = leaves(&store).await;
    assert_eq!(audit::root_of(&all), root);
    assert_eq!(store.verify(ACME, Pace::full()).await.unwrap().findings, []);
    store.close().await;
    // A subtree that is missing is noticed.
    let mut database = Database::open(&folder.path()).await;
    database.run("DELETE FROM subtree WHERE log = 2 AND level = 2").await;
    database.close().await;
    let refused = folder.open_with(keystore::StoreOptions::default()).await.err();
    assert!(matches!(refused, Some(StoreError::Tampered { table: "subtree", .. })), "{refused:?}");
}
