//! Audit records, in one unit with what they tell.

use std::collections::HashSet;
use std::sync::Arc;

use audit::LogId;
use keystore::limits::SET_DIGEST_INTERVAL;
use keystore::{Step, StoreError};
use kmip::registry::State;

use crate::Store;
use crate::support::{
    ACME, BOREAL, all_records, commit, create, get, object, record, record_for, record_only, unit, update,
};

claims! {
    the_record_tells_revision_and_digest_of_the_row
    concurrent_commits_are_all_there_and_dense
    records_of_a_domain_stay_in_its_log
    the_set_digest_is_repeated
    positions_that_are_not_there_are_not_answered
}

async fn the_record_tells_revision_and_digest_of_the_row(store: Store) {
    let row = object(ACME);
    let created = create(&*store, &row).await;
    let mut changed = row.clone();
    changed.state = State::Active;
    commit(&*store, vec![update(changed)]).await.unwrap();
    let records = all_records(&*store, LogId::Domain(ACME)).await;
    let (log, seq) = created.positions[0];
    assert_eq!(log, LogId::Domain(ACME));
    let told: Vec<_> = records[usize::try_from(seq).unwrap()..].iter().collect();
    let id = uuid::Uuid::from_bytes(row.id).to_string();
    assert!(told.iter().all(|record| record.object.as_ref() == Some(&id)));
    assert_eq!(told.iter().map(|record| record.revision).collect::<Vec<_>>(), [Some(0), Some(1)]);
    assert!(told[0].row_digest.is_some() && told[0].row_digest != told[1].row_digest);
    assert_eq!(told[0].set_digest, None);
}

async fn concurrent_commits_are_all_there_and_dense(store: Store) {
    const TASKS: usize = 64;
    const EACH: usize = 8;
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let store = Arc::clone(&store);
            let domain = if task % 2 == 0 { ACME } else { BOREAL };
            tokio::spawn(async move {
                let mut done = Vec::new();
                for _ in 0..EACH {
                    let row = object(domain);
                    let created = create(&*store, &row).await.positions;
                    let read = store.commit(record_only(record(domain, "Get"))).await.unwrap().positions;
                    done.push((row, created[0], read[0]));
                }
                done
            })
        })
        .collect();
    let mut positions = HashSet::new();
    for task in tasks {
        let mut last = 0;
        for (row, created, read) in task.await.unwrap() {
            assert_eq!(get(&*store, &row).await, row);
            assert!(last < created.1 && created.1 < read.1, "one's own records are in order");
            last = read.1;
            assert!(positions.insert(created) && positions.insert(read), "a position is given once");
        }
    }
    for domain in [ACME, BOREAL] {
        let log = LogId::Domain(domain);
        let (size, root) = store.tree_head(log).await.unwrap();
        assert_eq!(size, u64::try_from(TASKS * EACH + 1).unwrap());
        let leaves = store.leaf_hashes(log, 0, size).await.unwrap();
        assert_eq!(audit::root_of(&leaves), root);
        let records = all_records(&*store, log).await;
        let hashes: Vec<_> = records.iter().map(|record| audit::Record::leaf_hash(&record.encode().unwrap())).collect();
        assert_eq!(hashes, leaves);
    }
}

async fn records_of_a_domain_stay_in_its_log(store: Store) {
    let both = vec![
        Step { changes: Vec::new(), record: Some(record(ACME, "Get")) },
        Step { changes: Vec::new(), record: Some(record_for(LogId::System, "Start")) },
        Step { changes: Vec::new(), record: Some(record(ACME, "Locate")) },
    ];
    let committed = store.commit(unit(both)).await.unwrap();
    assert_eq!(committed.positions, [(LogId::Domain(ACME), 1), (LogId::System, 0), (LogId::Domain(ACME), 2)]);
    let operations =
        |records: Vec<audit::Record>| -> Vec<String> { records.into_iter().map(|record| record.operation).collect() };
    assert_eq!(operations(all_records(&*store, LogId::System).await), ["Start"]);
    assert_eq!(operations(all_records(&*store, LogId::Domain(ACME)).await), ["CreateDomain", "Get", "Locate"]);
    assert_eq!(operations(all_records(&*store, LogId::Domain(BOREAL)).await), ["CreateDomain"]);
    let logs = [LogId::System, LogId::Domain(ACME), LogId::Domain(BOREAL)];
    assert_eq!(store.logs().await.unwrap(), logs);
}

async fn the_set_digest_is_repeated(store: Store) {
    let interval = usize::try_from(SET_DIGEST_INTERVAL).unwrap();
    let steps = |count: usize| {
        let one = || Step { changes: Vec::new(), record: Some(record(ACME, "Get")) };
        unit((0..count).map(|_| one()).collect())
    };
    store.commit(steps(interval)).await.unwrap();
    let records = all_records(&*store, LogId::Domain(ACME)).await;
    let telling: Vec<_> = (0..).zip(&records).filter(|(_, record)| record.set_digest.is_some()).collect();
    assert_eq!(telling.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [0, interval]);
    assert_eq!(telling[0].1.set_digest, telling[1].1.set_digest);
}

async fn positions_that_are_not_there_are_not_answered(store: Store) {
    let log = LogId::Domain(ACME);
    assert_eq!(store.records(log, 1, 10).await.unwrap(), []);
    assert_eq!(store.records(log, u64::try_from(i64::MAX).unwrap(), 10).await.unwrap(), []);
    assert!(matches!(store.leaf_hashes(log, 0, 2).await, Err(StoreError::NotFound)));
    assert_eq!(store.leaf_hashes(log, 0, 1).await.unwrap().len(), 1);
    let unknown = LogId::Domain([5; 16]);
    assert!(matches!(store.records(unknown, 0, 1).await, Err(StoreError::NotFound)));
    assert!(matches!(store.latest_checkpoint(unknown).await, Err(StoreError::NotFound)));
    assert_eq!(store.latest_checkpoint(log).await.unwrap(), None);
    let head = store.tree_head(LogId::System).await.unwrap();
    assert_eq!(head, (0, audit::Tree::new().root()));
}
