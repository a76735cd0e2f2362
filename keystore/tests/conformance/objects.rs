//! Objects, their revisions and their units.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use audit::LogId;
use keystore::limits::{MAX_CHANGES, MAX_PAGE, MAX_TERMS};
use keystore::{Change, IndexTerm, Step, StoreError, Unit};
use kmip::registry::State;

use crate::Store;
use crate::support::{
    ACME, BOREAL, all_records, commit, create, creation, destruction, full_object, get, identity_row, named, object,
    record, record_for, record_only, register, step, update,
};

claims! {
    an_object_comes_back_as_it_was_stored
    an_object_of_another_domain_is_not_there
    a_change_needs_the_revision_that_was_read
    of_many_changes_at_one_revision_one_succeeds
    who_reads_after_an_answer_reads_the_change
    a_failing_step_undoes_its_unit_and_nothing_else
    later_steps_see_earlier_ones
    destruction_keeps_the_row_and_drops_the_key_bytes
    a_destroyed_object_stays_destroyed
    units_that_make_no_sense_are_refused
    limits_are_kept
}

async fn an_object_comes_back_as_it_was_stored(store: Store) {
    for row in [full_object(ACME), object(ACME), named(ACME, "vm-17"), named(BOREAL, "vm-17")] {
        create(&*store, &row).await;
        assert_eq!(get(&*store, &row).await, row);
    }
}

async fn an_object_of_another_domain_is_not_there(store: Store) {
    let row = object(ACME);
    create(&*store, &row).await;
    assert_eq!(store.object(BOREAL, row.id).await.unwrap(), None);
    assert_eq!(store.candidates(BOREAL, &[], None, 10).await.unwrap(), []);
    let mut stolen = row.clone();
    stolen.domain = BOREAL;
    assert!(matches!(commit(&*store, vec![update(stolen)]).await, Err(StoreError::NotFound)));
}

async fn a_change_needs_the_revision_that_was_read(store: Store) {
    let row = object(ACME);
    create(&*store, &row).await;
    let mut changed = get(&*store, &row).await;
    changed.state = State::Active;
    commit(&*store, vec![update(changed.clone())]).await.unwrap();
    assert!(matches!(commit(&*store, vec![update(changed.clone())]).await, Err(StoreError::Conflict)));
    let read = get(&*store, &row).await;
    assert_eq!((read.revision, read.state), (changed.revision + 1, State::Active));
    assert!(matches!(commit(&*store, vec![creation(row)]).await, Err(StoreError::Conflict)));
}

async fn of_many_changes_at_one_revision_one_succeeds(store: Store) {
    let row = object(ACME);
    create(&*store, &row).await;
    let tasks: Vec<_> = (0..32)
        .map(|number| {
            let (store, mut row) = (Arc::clone(&store), row.clone());
            row.seal_number = number;
            tokio::spawn(async move { commit(&*store, vec![update(row)]).await })
        })
        .collect();
    let mut succeeded = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => succeeded += 1,
            Err(StoreError::Conflict) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((succeeded, get(&*store, &row).await.revision), (1, 1));
}

async fn who_reads_after_an_answer_reads_the_change(store: Store) {
    let row = object(ACME);
    create(&*store, &row).await;
    let answered = Arc::new(AtomicU64::new(0));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (store, answered, id) = (Arc::clone(&store), Arc::clone(&answered), row.id);
            tokio::spawn(async move {
                let mut reads = 0_u64;
                loop {
                    let before = answered.load(Ordering::SeqCst);
                    let read = store.object(ACME, id).await.unwrap().unwrap();
                    assert!(read.revision >= before, "{} after {before} was answered", read.revision);
                    reads += 1;
                    if read.is_destroyed() {
                        return reads;
                    }
                    // A row in memory is answered without a pause, and the others want to get on, too.
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for _ in 0..200 {
        let read = get(&*store, &row).await;
        let revision = read.revision + 1;
        commit(&*store, vec![update(read)]).await.unwrap();
        answered.store(revision, Ordering::SeqCst);
    }
    commit(&*store, vec![destruction(get(&*store, &row).await)]).await.unwrap();
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
}

async fn a_failing_step_undoes_its_unit_and_nothing_else(store: Store) {
    let taken = named(ACME, "taken");
    create(&*store, &taken).await;
    let (before, after, half) = (object(ACME), object(ACME), object(ACME));
    let head = store.tree_head(LogId::Domain(ACME)).await.unwrap().0;
    let (first, failing, last) = tokio::join!(
        commit(&*store, vec![creation(before.clone())]),
        commit(&*store, vec![creation(half.clone()), creation(named(ACME, "taken"))]),
        commit(&*store, vec![creation(after.clone())]),
    );
    assert!(first.is_ok() && last.is_ok());
    assert!(matches!(failing, Err(StoreError::NameTaken)));
    assert_eq!(store.object(ACME, half.id).await.unwrap(), None);
    assert_eq!(get(&*store, &before).await, before);
    assert_eq!(get(&*store, &after).await, after);
    assert_eq!(store.tree_head(LogId::Domain(ACME)).await.unwrap().0, head + 2);
}

async fn later_steps_see_earlier_ones(store: Store) {
    let row = named(ACME, "batch");
    let mut active = row.clone();
    active.state = State::Active;
    let mut gone = active.clone();
    gone.revision += 1;
    let again = named(ACME, "batch");
    let steps = vec![creation(row.clone()), update(active), destruction(gone), creation(again.clone())];
    let committed = commit(&*store, steps).await.unwrap();
    let positions: Vec<u64> = committed.positions.iter().map(|(_, seq)| *seq).collect();
    assert_eq!(positions, (positions[0]..positions[0] + 4).collect::<Vec<_>>());
    let read = get(&*store, &row).await;
    assert_eq!((read.revision, read.state, read.sealed), (2, State::Destroyed, None));
    assert_eq!(get(&*store, &again).await, again);
}

async fn destruction_keeps_the_row_and_drops_the_key_bytes(store: Store) {
    let row = full_object(ACME);
    create(&*store, &row).await;
    commit(&*store, vec![destruction(row.clone())]).await.unwrap();
    let read = get(&*store, &row).await;
    assert_eq!((read.state, &read.sealed, &read.attributes), (State::Destroyed, &None, &row.attributes));
    let records = all_records(&*store, LogId::Domain(ACME)).await;
    assert!(records.last().unwrap().set_digest.is_some(), "a tombstone changes the set");
    let found = store.candidates(ACME, &[], None, 10).await.unwrap();
    assert_eq!(found, [read], "a destroyed object can still be found");
}

async fn a_destroyed_object_stays_destroyed(store: Store) {
    let row = object(ACME);
    create(&*store, &row).await;
    commit(&*store, vec![destruction(row.clone())]).await.unwrap();
    let destroyed = get(&*store, &row).await;
    let mut revived = destroyed.clone();
    revived.state = State::Active;
    let mut refilled = destroyed.clone();
    refilled.sealed = row.sealed.clone();
    for wrong in [revived, refilled] {
        assert!(matches!(commit(&*store, vec![update(wrong)]).await, Err(StoreError::InvalidUnit(_))));
    }
    let again = commit(&*store, vec![destruction(destroyed.clone())]).await;
    assert!(matches!(again, Err(StoreError::InvalidUnit(_))));
    assert!(matches!(commit(&*store, vec![creation(row.clone())]).await, Err(StoreError::Conflict)));
    let mut compromised = destroyed;
    compromised.state = State::DestroyedCompromised;
    commit(&*store, vec![update(compromised)]).await.unwrap();
    assert_eq!(get(&*store, &row).await.state, State::DestroyedCompromised);
}

async fn units_that_make_no_sense_are_refused(store: Store) {
    let row = object(ACME);
    create(&*store, &row).await;
    let two = Step {
        changes: vec![Change::CreateObject(object(ACME)), Change::CreateObject(object(ACME))],
        record: Some(record(ACME, "Create")),
    };
    let other_object = audit::Record { object: Some("another".to_owned()), ..record(ACME, "Activate") };
    let identity = |log| step(Change::PutIdentity(identity_row(ACME, 3)), record_for(log, "Register"));
    let mut born_destroyed = object(ACME);
    born_destroyed.state = State::Destroyed;
    let mut destroyed_by_update = row.clone();
    destroyed_by_update.state = State::Destroyed;
    destroyed_by_update.sealed = None;
    for (why, wrong) in [
        ("no record", Step { changes: vec![Change::CreateObject(object(ACME))], record: None }),
        ("two objects", two),
        ("another object", step(Change::UpdateObject { row: row.clone() }, other_object)),
        ("another log", step(Change::UpdateObject { row: row.clone() }, record(BOREAL, "Activate"))),
        ("set told elsewhere", identity(LogId::System)),
        ("set told in another domain", identity(LogId::Domain(BOREAL))),
        ("born destroyed", creation(born_destroyed)),
        ("destroyed by update", update(destroyed_by_update)),
        ("destruction that destroys nothing", step(Change::DestroyObject { row: row.clone() }, record(ACME, "x"))),
    ] {
        let refused = commit(&*store, vec![wrong]).await;
        assert!(matches!(refused, Err(StoreError::InvalidUnit(_))), "{why}: {refused:?}");
    }
    let unknown_log = store.commit(record_only(record([5; 16], "Get"))).await;
    assert!(matches!(unknown_log, Err(StoreError::NotFound)));
    let bad_record = audit::Record { operation: String::new(), ..record(ACME, "Get") };
    assert!(matches!(store.commit(record_only(bad_record)).await, Err(StoreError::Record(_))));
    assert_eq!(store.commit(Unit::default()).await.unwrap().positions, []);
    assert_eq!(get(&*store, &row).await, row);
}

async fn limits_are_kept(store: Store) {
    let term = IndexTerm { attribute: "Name".to_owned(), value: vec![1] };
    let terms = vec![term; MAX_TERMS + 1];
    assert!(matches!(store.candidates(ACME, &terms, None, 1).await, Err(StoreError::InvalidUnit(_))));
    assert_eq!(store.candidates(ACME, &terms[1..], None, usize::MAX).await.unwrap(), []);
    let changes =
        (0..=MAX_CHANGES).map(|number| Change::PutSetting { name: number.to_string(), value: Vec::new() }).collect();
    let many = Step { changes, record: Some(record(ACME, "x")) };
    assert!(matches!(commit(&*store, vec![many]).await, Err(StoreError::InvalidUnit(_))));
    let page = store.records(LogId::Domain(ACME), 0, usize::MAX).await.unwrap();
    assert!(page.len() <= MAX_PAGE);
    let mut long = identity_row(ACME, 4);
    long.name = "x".repeat(keystore::limits::MAX_NAME_LEN + 1);
    assert!(matches!(register(&*store, long).await, Err(StoreError::InvalidUnit(_))));
}
