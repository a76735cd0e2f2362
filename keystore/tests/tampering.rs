//! Bar C1: whoever can write to the database file can destroy, but not deceive. Every bit of every column of every
//! kind of row is flipped, and every field is swapped between rows and between domains; nothing of it is answered.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod support;

use audit::{LogId, Record};
use keystore::{Among, Change, IdentityKind, IndexTerm, KeyStore, Pace, SqliteStore, StoreError};
use kmip::attribute::AttributeValue;
use kmip::registry::{CryptographicAlgorithm, ObjectType};

use support::database::{Database, RawRow, Value, column, set};
use support::*;

/// The tables whose rows belong to a domain's set: they are verified when the domain is activated.
const SET_TABLES: [&str; 3] = ["domain", "identity", "tombstone"];

/// Two domains, each with something of everything, and nothing of it in memory.
async fn sample() -> (Folder, SqliteStore, Database) {
    let (folder, store) = with_domains_on_disk().await;
    for domain in [ACME, BOREAL] {
        register(&store, identity_row(domain, domain[0])).await.unwrap();
        let mut admin = identity_row(domain, domain[0] + 1);
        admin.kind = IdentityKind::Admin { role: format!("officer of {}", domain[0]) };
        admin.credentials = Vec::new();
        register(&store, admin).await.unwrap();
        let mut row = domain_row(domain, if domain == ACME { "acme" } else { "boreal" });
        row.authority = Some([domain[0]; 32]);
        commit(&store, vec![step(Change::UpdateDomain(row), record(domain, "CreateAuthority"))]).await.unwrap();
        create(&store, &full_object(domain)).await;
        create(&store, &object(domain)).await;
        let gone = full_object(domain);
        create(&store, &gone).await;
        commit(&store, vec![destruction(gone)]).await.unwrap();
    }
    let database = Database::open(&folder.path()).await;
    (folder, store, database)
}

fn id_in(row: &RawRow, name: &str) -> [u8; 16] {
    match column(row, name) {
        Value::Blob(bytes) => bytes.clone().try_into().unwrap(),
        other => panic!("{other:?}"),
    }
}

/// What the store says about a row of `object` as it stands in the database now.
async fn read_object(store: &SqliteStore, row: &RawRow) -> Result<Option<keystore::ObjectRow>, StoreError> {
    store.object(id_in(row, "domain"), id_in(row, "id")).await
}

fn is_refused<T>(result: &Result<T, StoreError>) -> bool {
    // A row moved into a domain that does not exist cannot even be asked for.
    matches!(result, Err(StoreError::Tampered { .. } | StoreError::Inactive(_)))
}

/// Every value a row's column might be changed into, one bit away, or to nothing and back.
fn changes(row: &RawRow) -> Vec<(String, Value)> {
    let mut changes = Vec::new();
    for (name, value) in row {
        // Lengths of keys are checked by the table; a flip keeps them.
        changes.extend(value.flips().into_iter().map(|flipped| (name.clone(), flipped)));
        let other = match (name.as_str(), value) {
            ("revocation_message" | "role", Value::Null) => Some(Value::Text(b"x".to_vec())),
            ("sealed", Value::Null) => Some(Value::Blob(vec![1])),
            (_, Value::Null) => Some(Value::Integer(0)),
            ("revocation_message" | "role" | "sealed" | "authority" | "defaults" | "constraints", _) => {
                Some(Value::Null)
            }
            (name, _) if name.ends_with("_date") && !["initial_date", "last_change_date"].contains(&name) => {
                Some(Value::Null)
            }
            ("algorithm" | "length" | "revocation_code", _) => Some(Value::Null),
            _ => None,
        };
        changes.extend(other.map(|value| (name.clone(), value)));
        match value {
            Value::Blob(bytes) if !["id", "domain", "fingerprint", "object"].contains(&name.as_str()) => {
                changes.push((name.clone(), Value::Blob([&bytes[..], &[0]].concat())));
                if !bytes.is_empty() {
                    changes.push((name.clone(), Value::Blob(bytes[1..].to_vec())));
                    changes.push((name.clone(), Value::Blob(Vec::new())));
                }
            }
            Value::Text(bytes) => changes.push((name.clone(), Value::Text([&bytes[..], b"\0"].concat()))),
            _ => {}
        }
    }
    changes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_changed_bit_of_an_object_is_refused() {
    let (_folder, store, mut database) = sample().await;
    let rows = database.rows("SELECT * FROM object ORDER BY domain, id").await;
    let mut tried = 0;
    for row in rows.iter().filter(|row| id_in(row, "domain") == ACME) {
        let honest = read_object(&store, row).await.unwrap().unwrap();
        for (name, value) in changes(row) {
            let mut changed = row.clone();
            set(&mut changed, &name, value.clone());
            database.replace("object", row, &changed).await;
            let answer = read_object(&store, &changed).await;
            assert!(is_refused(&answer), "{name} = {value:?} gave {answer:?}");
            database.replace("object", &changed, row).await;
            tried += 1;
        }
        // The control: what was refused is the change, not the row.
        assert_eq!(read_object(&store, row).await.unwrap().unwrap(), honest);
    }
    assert!(tried > 3 * 26 * 8, "{tried} changes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_in_memory_stays_what_it_was_and_is_not_changed_into_what_lies_on_the_disk() {
    let (folder, store) = with_domains().await;
    let mut database = Database::open(&folder.path()).await;
    let row = object(ACME);
    create(&store, &row).await;
    let older = database.rows("SELECT * FROM object").await.remove(0);
    commit(&store, vec![update(row.clone())]).await.unwrap();
    let honest = read_object(&store, &older).await.unwrap().unwrap();
    let newer = database.rows("SELECT * FROM object").await.remove(0);
    database.replace("object", &newer, &older).await;
    assert_eq!(read_object(&store, &older).await.unwrap().unwrap(), honest);
    // Who would change it finds another row, and from then on nobody is told what it was.
    let refused = commit(&store, vec![update(honest.clone())]).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    assert_eq!(read_object(&store, &older).await.unwrap().unwrap().revision, honest.revision - 1);
    assert_eq!(only_finding(&store).await.0, "object");
}

async fn reactivate(store: &SqliteStore, domain: secret::DomainId) -> Result<keystore::DomainRow, StoreError> {
    store.deactivate(domain).await;
    store.activate(domain, key_of(domain)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_changed_bit_of_a_domain_an_identity_or_a_tombstone_is_refused() {
    let (_folder, store, mut database) = sample().await;
    for table in SET_TABLES {
        for row in database.rows(&format!("SELECT * FROM {table}")).await {
            let domain = id_in(&row, if table == "domain" { "id" } else { "domain" });
            if domain != ACME {
                continue;
            }
            for (name, value) in changes(&row) {
                let mut changed = row.clone();
                set(&mut changed, &name, value.clone());
                database.replace(table, &row, &changed).await;
                let answer = reactivate(&store, ACME).await;
                assert!(is_refused(&answer), "{table}.{name} = {value:?} gave {answer:?}");
                database.replace(table, &changed, &row).await;
            }
            reactivate(&store, ACME).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_swapped_between_two_objects_is_refused() {
    let (_folder, store, mut database) = sample().await;
    let rows = database.rows("SELECT * FROM object ORDER BY domain, id").await;
    let mut swapped_names = std::collections::BTreeSet::new();
    for (at, one) in rows.iter().enumerate() {
        for two in &rows[at + 1..] {
            for (name, _) in one.iter().filter(|(name, _)| name != "id" && name != "domain") {
                let (ours, theirs) = (column(one, name).clone(), column(two, name).clone());
                if ours == theirs {
                    continue;
                }
                swapped_names.insert(name.clone());
                let (mut new_one, mut new_two) = (one.clone(), two.clone());
                set(&mut new_one, name, theirs);
                set(&mut new_two, name, ours);
                database.replace("object", one, &new_one).await;
                database.replace("object", two, &new_two).await;
                for row in [&new_one, &new_two] {
                    let answer = read_object(&store, row).await;
                    assert!(is_refused(&answer), "{name} swapped gave {answer:?}");
                }
                database.replace("object", &new_one, one).await;
                database.replace("object", &new_two, two).await;
            }
        }
    }
    // Columns in which no two samples differ would not have been tried at all.
    for name in ["state", "attributes", "sealed", "mac", "revision", "revocation_code", "destroy_date"] {
        assert!(swapped_names.contains(name), "{name} was never swapped");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whole_rows_moved_to_another_domain_or_identifier_are_refused() {
    let (_folder, store, mut database) = sample().await;
    let rows = database.rows("SELECT * FROM object ORDER BY domain, id").await;
    let (ours, theirs) = (&rows[0], rows.iter().find(|row| id_in(row, "domain") == BOREAL).unwrap());
    for name in ["domain", "id"] {
        let mut moved = ours.clone();
        set(&mut moved, name, column(theirs, name).clone());
        if name == "domain" {
            database.insert("object", &moved).await;
            assert!(is_refused(&read_object(&store, &moved).await));
            assert!(is_refused(&store.candidates(BOREAL, &[], None, 100).await));
            database.delete("object", &moved).await;
        } else {
            database.insert("object", &moved).await;
            assert!(is_refused(&read_object(&store, &moved).await));
            database.delete("object", &moved).await;
        }
    }
    for table in ["identity", "tombstone"] {
        let rows = database.rows(&format!("SELECT * FROM {table}")).await;
        for row in rows.iter().filter(|row| id_in(row, "domain") == ACME) {
            let mut moved = row.clone();
            set(&mut moved, "domain", Value::Blob(BOREAL.to_vec()));
            database.replace(table, row, &moved).await;
            for domain in [ACME, BOREAL] {
                assert!(is_refused(&reactivate(&store, domain).await), "{table} moved");
            }
            database.replace(table, &moved, row).await;
        }
    }
    for domain in [ACME, BOREAL] {
        reactivate(&store, domain).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_a_set_that_are_gone_added_or_older_are_refused() {
    let (_folder, store, mut database) = sample().await;
    for table in ["identity", "tombstone"] {
        for row in database.rows(&format!("SELECT * FROM {table}")).await {
            let domain = id_in(&row, "domain");
            database.delete(table, &row).await;
            assert!(is_refused(&reactivate(&store, domain).await), "{table} row gone");
            database.insert(table, &row).await;
            reactivate(&store, domain).await.unwrap();
        }
    }
    // An identity as it was before it was revoked: every column and its MAC were written by the store itself.
    let honest = database.rows("SELECT * FROM identity").await;
    let mut revoked = store.identities(ACME).await.unwrap()[0].clone();
    revoked.revoked = true;
    register(&store, revoked.clone()).await.unwrap();
    let fingerprint = Value::Blob(revoked.fingerprint.to_vec());
    let of_it = |row: &&RawRow| column(row, "fingerprint") == &fingerprint;
    let newer = database.rows("SELECT * FROM identity").await.iter().find(of_it).unwrap().clone();
    let older = honest.iter().find(of_it).unwrap();
    database.replace("identity", &newer, older).await;
    assert!(is_refused(&reactivate(&store, ACME).await), "a revocation taken back");
    database.replace("identity", older, &newer).await;
    // The same for one that was removed.
    reactivate(&store, ACME).await.unwrap();
    let removal = keystore::Change::RemoveIdentity { domain: ACME, fingerprint: revoked.fingerprint };
    commit(&store, vec![step(removal, record(ACME, "Remove"))]).await.unwrap();
    database.insert("identity", &newer).await;
    assert!(is_refused(&reactivate(&store, ACME).await), "a removed identity back again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destroyed_object_brought_back_is_refused() {
    let (_folder, store, mut database) = sample().await;
    let row = object(ACME);
    create(&store, &row).await;
    let alive = database.rows("SELECT * FROM object").await.into_iter().find(|raw| id_in(raw, "id") == row.id).unwrap();
    commit(&store, vec![destruction(row.clone())]).await.unwrap();
    let dead = database.rows("SELECT * FROM object").await.into_iter().find(|raw| id_in(raw, "id") == row.id).unwrap();
    database.replace("object", &dead, &alive).await;
    assert!(is_refused(&store.object(ACME, row.id).await), "read");
    assert!(is_refused(&store.candidates(ACME, &[], None, 100).await), "found");
    let mut active = row.clone();
    active.state = kmip::registry::State::Active;
    assert!(is_refused(&commit(&store, vec![update(active)]).await), "changed");
    let verification = store.verify(ACME, Pace::full()).await.unwrap();
    assert_eq!(verification.findings[0].what, "was destroyed and is back");
    // With its tombstone gone too, the row looks like any other: only the digest of the set tells, at activation.
    let tombstones = database.rows("SELECT * FROM tombstone").await;
    let tombstone = tombstones.iter().find(|raw| id_in(raw, "object") == row.id).unwrap();
    database.delete("tombstone", tombstone).await;
    assert!(is_refused(&store.object(ACME, row.id).await), "the node remembers");
    assert!(is_refused(&reactivate(&store, ACME).await), "and so does the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_only_finds_candidates() {
    let (_folder, store, mut database) = sample().await;
    let (one, other) = (named(ACME, "one"), named(ACME, "other"));
    create(&store, &one).await;
    create(&store, &other).await;
    let term = IndexTerm::of(&name("one").value).unwrap();
    let terms = database.rows("SELECT * FROM object_term").await;
    let others_term = terms
        .iter()
        .find(|row| {
            id_in(row, "object") == one.id
                && !terms
                    .iter()
                    .any(|two| id_in(two, "object") == other.id && column(two, "term") == column(row, "term"))
        })
        .unwrap();
    let mut lying = others_term.clone();
    set(&mut lying, "object", Value::Blob(other.id.to_vec()));
    database.insert("object_term", &lying).await;
    let found = store.candidates(ACME, std::slice::from_ref(&term), None, 10).await;
    assert!(matches!(found, Err(StoreError::Tampered { table: "object_term", .. })), "{found:?}");
    assert_eq!(only_finding(&store).await, ("object_term", "says what its object does not"));
    database.delete("object_term", &lying).await;

    set(&mut lying, "object", Value::Blob([0xee; 16].to_vec()));
    database.insert("object_term", &lying).await;
    let found = store.candidates(ACME, std::slice::from_ref(&term), None, 10).await;
    assert!(matches!(found, Err(StoreError::Tampered { table: "object", .. })), "an index row without object");
    database.delete("object_term", &lying).await;

    // An index row that is gone hides its object from searches; only verification notices.
    database.delete("object_term", others_term).await;
    assert_eq!(store.candidates(ACME, &[term], None, 10).await.unwrap(), []);
    assert_eq!(only_finding(&store).await, ("object_term", "is missing"));
    database.insert("object_term", others_term).await;

    let names = database.rows("SELECT * FROM object_name").await;
    let of_one = names.iter().find(|row| id_in(row, "object") == one.id).unwrap();
    database.delete("object_name", of_one).await;
    assert_eq!(only_finding(&store).await, ("object_name", "is missing"));
    let mut lying = of_one.clone();
    set(&mut lying, "name", Value::Blob(vec![1; 16]));
    database.insert("object_name", of_one).await;
    database.insert("object_name", &lying).await;
    assert_eq!(only_finding(&store).await, ("object_name", "says what its object does not"));
}

/// As with an index row that is gone: a search does not find the object, and verification says why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_date_of_destruction_that_was_put_in_hides_an_object_and_is_found() {
    let (_folder, store, mut database) = sample().await;
    let row = object(ACME);
    create(&store, &row).await;
    let found = async || store.newest(ACME, Among::Living(&[]), None, 100).await.unwrap().len();
    let before = found().await;
    let alive = database.rows("SELECT * FROM object").await.into_iter().find(|raw| id_in(raw, "id") == row.id).unwrap();
    let mut hidden = alive.clone();
    set(&mut hidden, "destroy_date", Value::Integer(1));
    database.replace("object", &alive, &hidden).await;
    assert_eq!(found().await, before - 1);
    assert!(is_refused(&store.newest(ACME, Among::All, None, 100).await), "a walk over everything");
    assert!(is_refused(&store.object(ACME, row.id).await), "by its identifier");
    let verification = store.verify(ACME, Pace::full()).await.unwrap();
    assert!(verification.findings.iter().any(|finding| finding.table == "object"), "{:?}", verification.findings);
}

async fn only_finding(store: &SqliteStore) -> (&'static str, &'static str) {
    let verification = store.verify(ACME, Pace::full()).await.unwrap();
    assert_eq!(verification.findings.len(), 1, "{:?}", verification.findings);
    (verification.findings[0].table, verification.findings[0].what)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verification_finds_rows_that_are_older_newer_or_gone() {
    let (_folder, store, mut database) = sample().await;
    let row = object(ACME);
    create(&store, &row).await;
    let raw_of = |rows: Vec<RawRow>| rows.into_iter().find(|raw| id_in(raw, "id") == row.id).unwrap();
    let older = raw_of(database.rows("SELECT * FROM object").await);
    let mut active = row.clone();
    active.state = kmip::registry::State::Active;
    commit(&store, vec![update(active)]).await.unwrap();
    let newer = raw_of(database.rows("SELECT * FROM object").await);
    // Each row is honest by itself, so that reading cannot tell; the window until a verification is known.
    database.replace("object", &newer, &older).await;
    assert_eq!(get(&store, &row).await, row);
    assert_eq!(only_finding(&store).await, ("object", "is older than its last record"));
    database.delete("object", &older).await;
    let terms = database.rows("SELECT * FROM object_term").await;
    let terms: Vec<_> = terms.into_iter().filter(|term| id_in(term, "object") == row.id).collect();
    for term in &terms {
        database.delete("object_term", term).await;
    }
    assert_eq!(only_finding(&store).await, ("object", "is gone, but the log tells of it"));
    database.insert("object", &newer).await;
    for term in &terms {
        database.insert("object_term", term).await;
    }
    assert_eq!(store.verify(ACME, Pace::full()).await.unwrap().findings, []);
    // A row whose record is gone: its place is taken by a copy of another's.
    let log = LogId::Domain(ACME);
    let (size, _) = store.tree_head(log).await.unwrap();
    let records = database.rows("SELECT * FROM audit ORDER BY id").await;
    let mut lying = records.last().unwrap().clone();
    assert_eq!(column(&lying, "seq"), &Value::Integer(i64::try_from(size - 1).unwrap()));
    let honest = lying.clone();
    let forged = record(ACME, "Get").encode().unwrap();
    set(&mut lying, "leaf", Value::Blob(Record::leaf_hash(&forged).to_vec()));
    set(&mut lying, "record", Value::Blob(forged));
    database.replace("audit", &honest, &lying).await;
    assert_eq!(only_finding(&store).await, ("object", "is not what its last record tells"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_changed_bit_of_a_record_is_refused() {
    let (folder, store, mut database) = sample().await;
    let log = LogId::Domain(ACME);
    let records = database.rows("SELECT * FROM audit ORDER BY id").await;
    let id_of_log = column(&records[0], "log").clone();
    let row = records.iter().filter(|row| column(row, "log") == &id_of_log).nth(3).unwrap();
    for name in ["leaf", "record"] {
        for value in column(row, name).flips() {
            let mut changed = row.clone();
            set(&mut changed, name, value);
            database.replace("audit", row, &changed).await;
            let answer = store.records(log, 0, 1000).await;
            assert!(matches!(answer, Err(StoreError::Tampered { table: "audit", .. })), "{name} gave {answer:?}");
            database.replace("audit", &changed, row).await;
        }
    }
    assert!(store.records(log, 0, 1000).await.is_ok());
    database.delete("audit", row).await;
    assert!(is_refused(&store.records(log, 0, 1000).await), "a record that is gone");
    assert!(is_refused(&store.leaf_hashes(log, 0, 5).await), "a leaf that is gone");
    store.close().await;
    let reopened = folder.open_with(keystore::StoreOptions::default()).await.err();
    assert!(matches!(reopened, Some(StoreError::Tampered { table: "audit", .. })), "{reopened:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_handed_out_as_it_lies_there_whatever_was_done_to_it() {
    let (_folder, store, mut database) = sample().await;
    let log = LogId::Domain(ACME);
    let honest = store.leaves_as_kept(log, 0, 1000).await.unwrap();
    let believed = store.records(log, 0, 1000).await.unwrap();
    assert_eq!(honest.iter().map(|one| (one.seq, &one.bytes)).collect::<Vec<_>>(), {
        believed.iter().map(|one| (one.seq, &one.bytes)).collect::<Vec<_>>()
    });
    assert!(honest.iter().all(|one| Record::leaf_hash(&one.bytes) == one.leaf));
    let id_of_log = "(SELECT id FROM log WHERE domain = x'acacacacacacacacacacacacacacacac')";
    for change in [
        "UPDATE audit SET record = zeroblob(1000000) WHERE seq = 1",
        "UPDATE audit SET leaf = x'00' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 3",
    ] {
        assert_eq!(database.run(&format!("{change} AND log = {id_of_log}")).await, 1);
    }
    let kept = store.leaves_as_kept(log, 1, 1000).await.unwrap();
    assert_eq!(kept.len(), honest.len() - 1);
    assert_eq!((kept[0].bytes.len(), kept[0].leaf), (audit::limits::MAX_RECORD_LEN + 1, honest[1].leaf));
    assert_eq!((&kept[1].bytes, kept[1].leaf), (&honest[2].bytes, [0; 32]));
    assert_eq!((kept[2].seq, &kept[2].bytes, kept[2].leaf), (3, &Vec::new(), [0; 32]));
    assert_eq!(kept[3..], honest[4..]);
    assert_eq!(store.leaves_as_kept(log, 1, 2).await.unwrap(), kept[..2]);
    assert_eq!(store.leaves_as_kept(log, u64::MAX, 2).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_swapped_with_another_domains_is_refused() {
    let (folder, store, mut database) = sample().await;
    store.close().await;
    let changed = database
        .run("UPDATE log SET domain = CASE domain WHEN x'acacacacacacacacacacacacacacacac' THEN x'01' ELSE domain END")
        .await;
    assert_eq!(changed, 3);
    database.run("UPDATE log SET domain = x'acacacacacacacacacacacacacacacac' WHERE domain = x'b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0'").await;
    database.run("UPDATE log SET domain = x'b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0' WHERE domain = x'01'").await;
    database.close().await;
    let store = folder.open().await;
    for domain in [ACME, BOREAL] {
        assert!(is_refused(&store.activate(domain, key_of(domain)).await));
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search_terms_of_the_typed_columns_are_indexed() {
    let (_folder, store, _database) = sample().await;
    for value in [
        AttributeValue::ObjectType(ObjectType::SymmetricKey),
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Aes),
        AttributeValue::CryptographicLength(256),
    ] {
        // One of the three is destroyed.
        assert_eq!(store.candidates(ACME, &[IndexTerm::of(&value).unwrap()], None, 10).await.unwrap().len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_leads_astray_is_refused() {
    let (_folder, store, mut database) = sample().await;
    let (one, two, gone) = (named(ACME, "one"), named(ACME, "two"), named(ACME, "gone"));
    for row in [&one, &two, &gone] {
        create(&store, row).await;
    }
    let rows = database.rows("SELECT * FROM object_name").await;
    let entry = |of: &keystore::ObjectRow| {
        rows.iter().find(|row| id_in(row, "object") == of.id && id_in(row, "domain") == ACME).unwrap().clone()
    };
    commit(&store, vec![destruction(gone.clone())]).await.unwrap();
    let honest = entry(&one);
    // To another object, to none at all, to one of another domain, to one that is destroyed.
    let theirs = id_in(rows.iter().find(|row| id_in(row, "domain") == BOREAL).unwrap(), "object");
    for wrong in [two.id, [0xee; 16], theirs, gone.id] {
        let mut changed = honest.clone();
        set(&mut changed, "object", Value::Blob(wrong.to_vec()));
        database.replace("object_name", &honest, &changed).await;
        let answer = store.object_named(ACME, "one").await;
        assert!(is_refused(&answer), "{wrong:?} gave {answer:?}");
        database.replace("object_name", &changed, &honest).await;
    }
    database.insert("object_name", &entry(&gone)).await;
    assert!(is_refused(&store.object_named(ACME, "gone").await));
    assert_eq!(store.object_named(ACME, "one").await.unwrap(), Some(one));
}
