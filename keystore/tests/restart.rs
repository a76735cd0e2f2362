//! Starting, refusing to start, starting again, and failing for good.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use audit::{Checkpoint, LogId, PublicKey};
use keystore::limits::SET_DIGEST_INTERVAL;
use keystore::{Faults, KeyStore, Pace, Refusal, SqliteStore, Step, StoreError, StoreOptions, Synchronous};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};

use support::database::{Database, Value, column, set};
use support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_finds_everything_and_goes_on() {
    let (folder, store) = with_domains().await;
    let (kept, gone) = (full_object(ACME), named(ACME, "gone"));
    create(&store, &kept).await;
    create(&store, &gone).await;
    commit(&store, vec![destruction(gone.clone())]).await.unwrap();
    register(&store, identity_row(ACME, 7)).await.unwrap();
    store.put_setting("node", b"one").await.unwrap();
    let log = LogId::Domain(ACME);
    let head = store.tree_head(log).await.unwrap();
    store.close().await;
    assert!(matches!(store.object(ACME, kept.id).await, Err(StoreError::Inactive(_) | StoreError::Closed)));
    assert!(matches!(store.commit(record_only(record(ACME, "Get"))).await, Err(StoreError::Closed)));

    let store = folder.open().await;
    assert_eq!(store.tree_head(log).await.unwrap(), head);
    assert_eq!(store.domains().await.unwrap().len(), 2);
    for domain in [ACME, BOREAL] {
        store.activate(domain, key_of(domain)).await.unwrap();
    }
    assert_eq!(get(&store, &kept).await, kept);
    assert_eq!(get(&store, &gone).await.sealed, None);
    assert_eq!(store.identities(ACME).await.unwrap(), [identity_row(ACME, 7)]);
    assert_eq!(store.setting("node").await.unwrap().unwrap(), b"one");
    let next = store.commit(record_only(record(ACME, "Get"))).await.unwrap();
    assert_eq!(next.positions, [(log, head.0)]);
    let (size, root) = store.tree_head(log).await.unwrap();
    assert_eq!(audit::root_of(&store.leaf_hashes(log, 0, size).await.unwrap()), root);
    assert_eq!(store.verify(ACME, Pace::full()).await.unwrap().findings, []);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_set_digest_is_found_far_from_the_end_of_the_log() {
    let (folder, store) = with_domains().await;
    let reads = |count: u64| {
        let one = || Step { changes: Vec::new(), record: Some(record(ACME, "Get")) };
        unit((0..count).map(|_| one()).collect())
    };
    for count in [SET_DIGEST_INTERVAL - 2, 1, 1, SET_DIGEST_INTERVAL + 5] {
        store.commit(reads(count)).await.unwrap();
        store.deactivate(ACME).await;
        store.activate(ACME, key_of(ACME)).await.unwrap();
    }
    store.close().await;
    let store = folder.open_active().await;
    assert_eq!(store.verify(ACME, Pace::full()).await.unwrap().findings, []);
    // Without the domain's key too: what is known of the log is repeated.
    store.close().await;
    let store = folder.open().await;
    store.commit(reads(2 * SET_DIGEST_INTERVAL)).await.unwrap();
    store.close().await;
    folder.open_active().await.close().await;
}

#[tokio::test]
async fn nobody_else_opens_the_file() {
    let (folder, store) = with_domains().await;
    let second = folder.open_with(StoreOptions::default()).await.err();
    assert!(matches!(second, Some(StoreError::Refused(Refusal::Locked(_)))), "{second:?}");
    store.close().await;
    folder.open().await.close().await;
}

#[tokio::test]
async fn a_store_that_is_dropped_lets_go_of_the_file() {
    let (folder, store) = with_domains().await;
    drop(store);
    loop {
        match folder.open_with(StoreOptions::default()).await {
            Ok(store) => return store.close().await,
            Err(StoreError::Refused(Refusal::Locked(_))) => tokio::task::yield_now().await,
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn weak_settings_are_refused() {
    let folder = Folder::new();
    for synchronous in [Synchronous::Off, Synchronous::Normal] {
        let refused = folder.open_with(StoreOptions { synchronous, ..StoreOptions::default() }).await.err();
        assert!(matches!(refused, Some(StoreError::Refused(Refusal::Synchronous { .. }))), "{refused:?}");
    }
    assert!(!folder.path().exists(), "nothing was made");
    for synchronous in [Synchronous::Full, Synchronous::Extra] {
        let options = StoreOptions { synchronous, ..StoreOptions::default() };
        folder.open_with(options).await.unwrap().close().await;
    }
    let store = folder.open().await;
    let version = store.sqlite_version().await.unwrap();
    let parts: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
    assert!(parts >= vec![3, 51, 3], "{version}");
    store.close().await;
}

#[tokio::test]
async fn files_are_nobody_elses_to_read() {
    let (folder, store) = with_domains().await;
    for name in ["store.db", "store.db-wal", "store.db-shm", "store.db-lock"] {
        let mode = std::fs::metadata(folder.folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    store.close().await;
}

#[tokio::test]
async fn a_schema_that_is_not_ours_is_refused() {
    for (sql, undo) in [
        ("CREATE TRIGGER thief AFTER INSERT ON object BEGIN DELETE FROM audit; END", "DROP TRIGGER thief"),
        ("CREATE VIEW spy AS SELECT * FROM object", "DROP VIEW spy"),
        ("CREATE TABLE more (x)", "DROP TABLE more"),
        ("DROP INDEX identity_of_domain", "CREATE INDEX identity_of_domain ON identity (domain)"),
        ("ALTER TABLE setting ADD COLUMN more TEXT", "ALTER TABLE setting DROP COLUMN more"),
    ] {
        let (folder, store) = with_domains().await;
        store.close().await;
        let mut database = Database::open(&folder.path()).await;
        database.run(sql).await;
        let refused = folder.open_with(StoreOptions::default()).await.err();
        assert!(matches!(refused, Some(StoreError::Refused(Refusal::Schema(_)))), "{sql}: {refused:?}");
        database.run(undo).await;
        database.close().await;
        folder.open().await.close().await;
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = Folder::new();
    std::fs::write(folder.path(), vec![7; 8192]).unwrap();
    assert!(matches!(folder.open_with(StoreOptions::default()).await.err(), Some(StoreError::Io(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_cannot_be_read_is_named_and_stays() {
    let (folder, store) = with_domains().await;
    let row = object(ACME);
    create(&store, &row).await;
    let mut database = Database::open(&folder.path()).await;
    let raw = database.rows("SELECT * FROM object").await.remove(0);
    // A row of a later version: its MAC is good, its state is one that this version does not know.
    let mut later = raw.clone();
    set(&mut later, "state", Value::Integer(99));
    let mac = later_mac(&later);
    set(&mut later, "mac", Value::Blob(mac));
    database.replace("object", &raw, &later).await;
    let id = uuid::Uuid::from_bytes(row.id).to_string();
    match store.object(ACME, row.id).await {
        Err(StoreError::Quarantined { table: "object", row, why }) => {
            assert_eq!((row, why), (id, "state 99".to_owned()))
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(store.candidates(ACME, &[], None, 10).await, Err(StoreError::Quarantined { .. })));
    assert!(matches!(commit(&store, vec![update(row.clone())]).await, Err(StoreError::Quarantined { .. })));
    let findings = store.verify(ACME, Pace::full()).await.unwrap().findings;
    assert_eq!((findings.len(), findings[0].what), (1, "cannot be read"));
    // It is still there, as it was.
    assert_eq!(database.rows("SELECT * FROM object").await, std::slice::from_ref(&later));
    database.replace("object", &later, &raw).await;
    assert_eq!(get(&store, &row).await, row);
    store.close().await;
}

/// The MAC of a row of `object`, worked out from the description in docs/formats.md by nothing of the store's own.
fn later_mac(row: &support::database::RawRow) -> Vec<u8> {
    let hmac = |key: &[u8], message: &[u8]| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
        ring::hmac::sign(&key, message).as_ref().to_vec()
    };
    let extracted = hmac(b"clavis keystore", &[ACME[0]; 32]);
    let key = hmac(&extracted, &[b"row mac 1", &ACME[..], &[1]].concat());
    let mut message = Vec::new();
    let sized = |message: &mut Vec<u8>, bytes: &[u8]| {
        message.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
        message.extend(bytes);
    };
    sized(&mut message, b"object 1");
    for (name, value) in row.iter().filter(|(name, _)| name != "mac") {
        match value {
            Value::Null => message.push(0),
            Value::Integer(number) => {
                message.push(1);
                message.extend(number.to_be_bytes());
            }
            Value::Text(bytes) => {
                message.push(2);
                sized(&mut message, bytes);
            }
            Value::Blob(bytes) if name == "sealed" => {
                message.push(4);
                message.extend(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
            }
            Value::Blob(bytes) => {
                message.push(3);
                sized(&mut message, bytes);
            }
        }
    }
    hmac(&key, &message)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_format_is_the_documented_one() {
    let (folder, store) = with_domains().await;
    create(&store, &full_object(ACME)).await;
    let mut database = Database::open(&folder.path()).await;
    let raw = database.rows("SELECT * FROM object").await.remove(0);
    assert_eq!(column(&raw, "mac"), &Value::Blob(later_mac(&raw)));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_commit_is_final() {
    let folder = Folder::new();
    let faults = Faults { failing_commit: Some(4), ..Faults::default() };
    let store = folder.open_with(StoreOptions { faults, ..StoreOptions::default() }).await.unwrap();
    create_domains(&store).await;
    let (kept, lost) = (object(ACME), object(ACME));
    create(&store, &kept).await;
    let store = Arc::new(store);
    let watcher = Arc::clone(&store);
    let watching = tokio::spawn(async move { watcher.fatal().await });
    assert!(matches!(commit(&*store, vec![creation(lost.clone())]).await, Err(StoreError::Failed(_))));
    let reason = watching.await.unwrap().to_string();
    assert!(reason.contains("injected"), "{reason}");
    // Nothing is tried again, and nothing is answered any more.
    assert!(matches!(commit(&*store, vec![creation(object(ACME))]).await, Err(StoreError::Failed(_))));
    assert!(matches!(store.object(ACME, kept.id).await, Err(StoreError::Failed(_))));
    assert!(matches!(store.tree_head(LogId::System).await, Err(StoreError::Failed(_))));
    assert!(matches!(store.put_setting("x", b"y").await, Err(StoreError::Failed(_))));
    assert!(matches!(store.activate(ACME, key_of(ACME)).await, Err(StoreError::Failed(_))));
    assert!(matches!(store.fatal().await, StoreError::Failed(_)));
    store.close().await;
    let store = folder.open_active().await;
    assert_eq!(get(&store, &kept).await, kept);
    assert_eq!(store.object(ACME, lost.id).await.unwrap(), None);
    assert_eq!(store.verify(ACME, Pace::full()).await.unwrap().findings, []);
    store.close().await;
}

#[tokio::test]
async fn a_full_queue_says_so() {
    let folder = Folder::new();
    let store = folder.open_with(StoreOptions { queue: 1, ..StoreOptions::default() }).await.unwrap();
    create_domains(&store).await;
    // On one thread the writer cannot run between these: the second finds the queue full.
    let (first, second) =
        tokio::join!(store.commit(record_only(record(ACME, "Get"))), store.commit(record_only(record(ACME, "Get"))),);
    assert_eq!(first.unwrap().positions, [(LogId::Domain(ACME), 1)]);
    assert!(matches!(second, Err(StoreError::Full)));
    store.close().await;
}

/// A member's checkpoint key.
struct Signer(EcdsaKeyPair, ring::rand::SystemRandom);

impl Signer {
    fn new() -> Self {
        let random = ring::rand::SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        Self(pair, random)
    }

    fn note(&self, log: LogId, size: u64, root: audit::Hash) -> String {
        let checkpoint = Checkpoint::new("test", log, size, root).unwrap();
        let r_s = self.0.sign(&self.1, checkpoint.body().as_bytes()).unwrap().as_ref().try_into().unwrap();
        let public: [u8; 65] = self.0.public_key().as_ref().try_into().unwrap();
        checkpoint.sign("test", &PublicKey::from_sec1(&public).unwrap(), &r_s).unwrap().format()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_must_be_that_of_its_checkpoint() {
    let (folder, store) = with_domains().await;
    let (signer, log) = (Signer::new(), LogId::Domain(ACME));
    for _ in 0..5 {
        store.commit(record_only(record(ACME, "Get"))).await.unwrap();
    }
    let (size, root) = store.tree_head(log).await.unwrap();
    let note = signer.note(log, size, root);
    for (why, wrong) in [
        ("another root", signer.note(log, size, [7; 32])),
        ("more records than there are", signer.note(log, size + 1, root)),
        ("another log", signer.note(LogId::Domain(BOREAL), size, root)),
        ("no note", "hello".to_owned()),
    ] {
        assert!(matches!(store.store_checkpoint(log, wrong).await, Err(StoreError::InvalidUnit(_))), "{why}");
    }
    store.store_checkpoint(log, note.clone()).await.unwrap();
    store.commit(record_only(record(ACME, "Get"))).await.unwrap();
    // Signing takes a moment, in which the log may have grown.
    store.store_checkpoint(log, note.clone()).await.unwrap();
    store.close().await;
    let store = folder.open_active().await;
    assert_eq!(store.latest_checkpoint(log).await.unwrap(), Some(note));
    store.close().await;

    let mut database = Database::open(&folder.path()).await;
    let records = database.rows("SELECT * FROM audit WHERE log = 2 ORDER BY seq").await;
    // A record changed together with its leaf, before the checkpoint.
    let mut forged = records[2].clone();
    let bytes = record(ACME, "Locate").encode().unwrap();
    set(&mut forged, "leaf", Value::Blob(audit::Record::leaf_hash(&bytes).to_vec()));
    set(&mut forged, "record", Value::Blob(bytes));
    database.replace("audit", &records[2], &forged).await;
    assert!(is_tampered(SqliteStore::open(folder.path(), StoreOptions::default()).await.err()));
    database.replace("audit", &forged, &records[2]).await;
    // The log cut off before the checkpoint.
    for row in &records[4..] {
        database.delete("audit", row).await;
    }
    assert!(is_tampered(SqliteStore::open(folder.path(), StoreOptions::default()).await.err()));
    // The control: with the checkpoint gone too, the cut passes. Only witnesses outside the database can tell.
    database.run("DELETE FROM checkpoint").await;
    database.close().await;
    folder.open_active().await.close().await;
}

fn is_tampered(error: Option<StoreError>) -> bool {
    matches!(error, Some(StoreError::Tampered { .. }))
}
