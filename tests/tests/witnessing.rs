//! Witnesses outside of the database: what they saw, the node cannot take back.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use admin_api::ErrorCode;
use audit::SignedCheckpoint;
use kmip::ProtocolVersion;
use kmip::payload::GetRequest;
use system_tests::asking::{aes, name};
use system_tests::exported::{records, trusted_keys};
use system_tests::node::{Node, Tenant};
use system_tests::random::count;
use system_tests::witnesses::Witnesses;
use xtask::stage::{StageOptions, finish};

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
/// The database, and what SQLite keeps beside it.
const FILES: [&str; 2] = ["", "-wal"];

fn create(node: &Node, tenant: &Tenant, key: &str) -> String {
    let mut connection = node.connect(&tenant.identity).unwrap();
    let id = connection.request(V1_4, aes(vec![name(key)])).unwrap().unique_identifier;
    connection.request(V1_4, GetRequest::of(&id)).unwrap();
    id
}

/// Has the witnesses see everything, as happens every second by itself.
fn witness_now(node: &Node) -> String {
    node.admin("auditor").unwrap().audit_checkpoint("system").unwrap().note
}

fn file(store: &Path, suffix: &str) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

fn copy_store(from: &Path, to: &Path) {
    for suffix in FILES {
        let _ = fs::remove_file(file(to, suffix));
        if file(from, suffix).exists() {
            fs::copy(file(from, suffix), file(to, suffix)).unwrap();
        }
    }
    let _ = fs::remove_file(file(to, "-shm"));
}

fn without_witnesses(node: &Node) -> String {
    let config = fs::read_to_string(node.stage.config()).unwrap();
    let bare = config.split("\n[[witnesses]]").next().unwrap().to_owned();
    fs::write(node.stage.config(), bare).unwrap();
    config
}

#[test]
fn every_older_database_that_is_put_back_is_refused_and_without_witnesses_it_passes() {
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    let mut witnesses = Witnesses::of(&node).unwrap();
    node.serve().unwrap();
    let tenant = node.tenant("rolled", "anssi").unwrap();
    let store = node.stage.store();
    let snapshots = count("CLAVIS_ROLLBACKS", 5);
    for number in 0..snapshots {
        copy_store(&store, &node.dir().join(format!("snapshot-{number}")));
        create(&node, &tenant, &format!("key-{number}"));
        witness_now(&node);
    }
    node.stop().unwrap();
    let newest = node.dir().join("newest");
    copy_store(&store, &newest);
    for number in 0..snapshots {
        copy_store(&node.dir().join(format!("snapshot-{number}")), &store);
        let error = node.serve().unwrap_err().to_string();
        assert!(error.contains("a witness saw"), "snapshot {number}: {error}");
    }
    // The newest one serves, as before.
    copy_store(&newest, &store);
    node.serve().unwrap();
    create(&node, &tenant, "after all");
    node.stop().unwrap();

    // The control: the same older database, and nobody who remembers.
    let config = without_witnesses(&node);
    copy_store(&node.dir().join("snapshot-0"), &store);
    node.serve().unwrap();
    node.stop().unwrap();

    // The way out: the holders of the witnesses say that it was meant, each in the journal; the node tells it too.
    fs::write(node.stage.config(), config).unwrap();
    assert!(node.serve().is_err());
    for witness in witnesses.all() {
        assert!(witness.rebase("a restore").is_err(), "not while it serves");
        witness.kill();
        witness.rebase("the backup of Tuesday was restored").unwrap();
        assert!(witness.journal().contains("the backup of Tuesday was restored; it remembered:"));
        witness.start().unwrap();
    }
    node.serve().unwrap();
    let told = records(&node, "system").unwrap();
    let rebased = told.iter().filter(|record| record.operation == "Witness Rebased").count();
    assert_eq!(rebased, 3);
    create(&node, &tenant, "a new life");
    witness_now(&node);
    node.restart().unwrap();
}

#[test]
fn a_fork_of_one_domains_log_under_an_honest_system_log_is_refused() {
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    let _witnesses = Witnesses::of(&node).unwrap();
    node.serve().unwrap();
    let tenant = node.tenant("forked", "anssi").unwrap();
    create(&node, &tenant, "a key");
    witness_now(&node);
    node.stop().unwrap();
    // Whoever holds the database changes a source address in a record, and its leaf hash with it.
    let script = "import hashlib, sqlite3, sys\n\
                  database = sqlite3.connect(sys.argv[1])\n\
                  rows = database.execute('SELECT id, record FROM audit WHERE log > 1 ORDER BY id DESC').fetchall()\n\
                  row, record = next(row for row in rows if b'Get' in row[1] and b'127.0.0.1:' in row[1])\n\
                  forged = record.replace(b'127.0.0.1:', b'127.0.0.9:')\n\
                  leaf = hashlib.sha256(b'\\0' + forged).digest()\n\
                  database.execute('UPDATE audit SET record = ?, leaf = ? WHERE id = ?', (forged, leaf, row))\n\
                  database.commit()\n\
                  database.close()\n";
    let forged = finish(Command::new("python3").args(["-c", script]).arg(node.stage.store())).unwrap();
    assert!(forged.status.success(), "{}", forged.stderr);
    let error = node.serve().unwrap_err().to_string();
    assert!(error.contains("the log was forked"), "{error}");
    // The control: nobody who remembers, and the forged history is the history.
    without_witnesses(&node);
    node.serve().unwrap();
    let told = records(&node, &tenant.name).unwrap();
    assert!(told.iter().any(|record| record.source.starts_with("127.0.0.9:")));
}

#[test]
fn two_of_three_suffice_and_fewer_publish_nothing() {
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    let mut witnesses = Witnesses::of(&node).unwrap();
    node.serve().unwrap();
    let tenant = node.tenant("majority", "anssi").unwrap();
    let auditor = node.admin("auditor").unwrap();
    create(&node, &tenant, "with three");
    let note = witness_now(&node);
    let body = SignedCheckpoint::parse(&note).unwrap().checkpoint.body();
    assert!(body.starts_with("clavis/"));
    // The head that is published carries the co-signatures, and is still a note by the HSM's key.
    let published = String::from_utf8(auditor.audit_tile("system", "checkpoint").unwrap()).unwrap();
    let signed = SignedCheckpoint::parse(&published).unwrap();
    signed.verify(&trusted_keys(&node).unwrap()).unwrap();
    for witness in witnesses.all() {
        let body = signed.checkpoint.body();
        let line = published.split_inclusive('\n').find(|line| line.contains(&format!(" {} ", witness.key.name())));
        assert!(witness.key.verify_cosignature(&body, line.unwrap()).is_ok(), "{}", witness.key.name());
    }

    witnesses.get(0).kill();
    create(&node, &tenant, "with two");
    auditor.audit_checkpoint(&tenant.name).unwrap();
    witnesses.get(1).kill();
    create(&node, &tenant, "with one");
    let refused = auditor.audit_checkpoint(&tenant.name).unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::Unavailable), "{refused}");
    // Keys are still handed out and made for a while; nobody may start on so few.
    create(&node, &tenant, "still with one");
    node.kill();
    let error = node.serve().unwrap_err().to_string();
    assert!(error.contains("1 of 3 witnesses answered"), "{error}");
    // One that was away for long is shown all that it missed.
    witnesses.get(0).start().unwrap();
    node.serve().unwrap();
    create(&node, &tenant, "with two again");
    let auditor = node.admin("auditor").unwrap();
    auditor.audit_checkpoint(&tenant.name).unwrap();
}
