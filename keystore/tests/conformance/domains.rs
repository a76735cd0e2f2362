//! Domains, their identities and settings.

use std::collections::HashSet;
use std::sync::Arc;

use audit::LogId;
use keystore::{Change, DomainState, Step, StoreError};

use crate::Store;
use crate::support::{
    ACME, BOREAL, all_records, commit, create, creation, domain_row, get, identity_row, key_of, next_id, object,
    record, record_for, record_only, register, step, unit,
};

claims! {
    identities_come_back_and_change_by_revision
    a_certificate_key_belongs_to_one_domain
    a_domain_is_frozen_by_revision
    of_many_first_authorities_one_stays
    domain_names_are_unique
    an_inactive_domain_is_closed_but_tells
    frozen_changes_are_refused_and_records_are_taken
    settings_are_replaced
}

async fn identities_come_back_and_change_by_revision(store: Store) {
    let row = identity_row(ACME, 7);
    register(&*store, row.clone()).await.unwrap();
    assert_eq!(store.identities(ACME).await.unwrap(), std::slice::from_ref(&row));
    let mut revoked = row.clone();
    revoked.revoked = true;
    register(&*store, revoked.clone()).await.unwrap();
    assert!(matches!(register(&*store, revoked.clone()).await, Err(StoreError::Conflict)));
    revoked.revision += 1;
    assert_eq!(store.identities(ACME).await.unwrap(), [revoked]);
    let removal = Change::RemoveIdentity { domain: ACME, fingerprint: row.fingerprint };
    commit(&*store, vec![step(removal, record(ACME, "Remove"))]).await.unwrap();
    assert_eq!(store.identities(ACME).await.unwrap(), []);
    let removal = Change::RemoveIdentity { domain: ACME, fingerprint: row.fingerprint };
    let again = commit(&*store, vec![step(removal, record(ACME, "Remove"))]).await;
    assert!(matches!(again, Err(StoreError::NotFound)));
    let digests: Vec<_> = all_records(&*store, LogId::Domain(ACME)).await.iter().map(|one| one.set_digest).collect();
    assert!(digests.iter().all(Option::is_some));
    assert_eq!(digests[0], digests[3], "the set is what it was at first");
    assert_eq!(digests.iter().collect::<HashSet<_>>().len(), 3);
}

async fn a_certificate_key_belongs_to_one_domain(store: Store) {
    register(&*store, identity_row(ACME, 9)).await.unwrap();
    let stolen = register(&*store, identity_row(BOREAL, 9)).await;
    assert!(matches!(stolen, Err(StoreError::IdentityTaken)));
    assert_eq!(store.identities(BOREAL).await.unwrap(), []);
}

async fn a_domain_is_frozen_by_revision(store: Store) {
    let mut row = domain_row(ACME, "acme");
    row.state = DomainState::Frozen;
    let freeze = |row: keystore::DomainRow| vec![step(Change::UpdateDomain(row), record(ACME, "Freeze"))];
    commit(&*store, freeze(row.clone())).await.unwrap();
    assert!(matches!(commit(&*store, freeze(row.clone())).await, Err(StoreError::Conflict)));
    row.revision += 1;
    let domains = store.domains().await.unwrap();
    assert_eq!(domains, [row, domain_row(BOREAL, "boreal")]);
}

/// Setting and row belong to one unit, so that the revision of the row guards the setting, which has none.
async fn of_many_first_authorities_one_stays(store: Store) {
    let tasks: Vec<_> = (0..32)
        .map(|number: u8| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut row = domain_row(ACME, "acme");
                row.authority = Some([number; 32]);
                let setting = Change::PutSetting { name: "domain-ca/acme".to_owned(), value: vec![number] };
                let changes = vec![Change::UpdateDomain(row), setting];
                commit(&*store, vec![Step { changes, record: Some(record(ACME, "CreateAuthority")) }]).await
            })
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
    assert_eq!(succeeded, 1);
    let row = store.domains().await.unwrap().into_iter().find(|row| row.id == ACME).unwrap();
    let setting = store.setting("domain-ca/acme").await.unwrap().unwrap();
    assert_eq!(row.authority, Some([setting[0]; 32]));
    let told = all_records(&*store, LogId::Domain(ACME)).await;
    assert_eq!(told.iter().filter(|record| record.operation == "CreateAuthority").count(), 1);
}

async fn domain_names_are_unique(store: Store) {
    let id = [0xcc; 16];
    let create =
        |name: &str| vec![step(Change::CreateDomain(domain_row(id, name), key_of(id)), record(id, "CreateDomain"))];
    assert!(matches!(commit(&*store, create("acme")).await, Err(StoreError::NameTaken)));
    assert!(matches!(store.tree_head(LogId::Domain(id)).await, Err(StoreError::NotFound)), "no log without domain");
    assert!(matches!(store.object(id, next_id()).await, Err(StoreError::Inactive(_))));
    commit(&*store, create("cobalt")).await.unwrap();
    let row = object(id);
    crate::support::create(&*store, &row).await;
    assert_eq!(get(&*store, &row).await, row, "a new domain is active at once");
}

async fn an_inactive_domain_is_closed_but_tells(store: Store) {
    let row = object(ACME);
    create(&*store, &row).await;
    store.deactivate(ACME).await;
    assert!(matches!(store.object(ACME, row.id).await, Err(StoreError::Inactive(ACME))));
    assert!(matches!(store.candidates(ACME, &[], None, 1).await, Err(StoreError::Inactive(ACME))));
    assert!(matches!(store.identities(ACME).await, Err(StoreError::Inactive(ACME))));
    assert!(matches!(commit(&*store, vec![creation(object(ACME))]).await, Err(StoreError::Inactive(ACME))));
    store.commit(record_only(record(ACME, "Get"))).await.unwrap();
    let wrong = store.activate(ACME, key_of(BOREAL)).await;
    assert!(matches!(wrong, Err(StoreError::Tampered { table: "domain", .. })));
    assert_eq!(store.activate(ACME, key_of(ACME)).await.unwrap(), domain_row(ACME, "acme"));
    assert_eq!(get(&*store, &row).await, row);
    assert!(matches!(store.activate([9; 16], key_of([9; 16])).await, Err(StoreError::NotFound)));
}

async fn frozen_changes_are_refused_and_records_are_taken(store: Store) {
    assert!(!store.freeze_changes(true));
    let row = object(ACME);
    let refused = commit(&*store, vec![creation(row.clone())]).await.unwrap_err();
    assert!(matches!(refused, StoreError::Frozen), "{refused}");
    store.commit(record_only(record(ACME, "Get"))).await.unwrap();
    assert!(store.object(ACME, row.id).await.unwrap().is_none());
    assert!(store.freeze_changes(false));
    commit(&*store, vec![creation(row)]).await.unwrap();
}

async fn settings_are_replaced(store: Store) {
    assert_eq!(store.setting("node").await.unwrap(), None);
    store.put_setting("node", b"one").await.unwrap();
    store.put_setting("node", b"two").await.unwrap();
    assert_eq!(store.setting("node").await.unwrap().unwrap(), b"two");
    let change = Change::PutSetting { name: "node".to_owned(), value: b"three".to_vec() };
    store.commit(unit(vec![step(change, record_for(LogId::System, "Set"))])).await.unwrap();
    assert_eq!(store.setting("node").await.unwrap().unwrap(), b"three");
    let nameless = store.put_setting("", b"x").await;
    assert!(matches!(nameless, Err(StoreError::InvalidUnit(_))));
}
