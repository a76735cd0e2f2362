//! What every back end of the store must do: one suite over the trait, run on each.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod support;

use std::collections::HashSet;
use std::sync::Arc;

use audit::LogId;
use keystore::limits::{MAX_CHANGES, MAX_PAGE, MAX_TERMS, SET_DIGEST_INTERVAL};
use keystore::{Change, DomainState, IndexTerm, KeyStore, ObjectRow, Step, StoreError, Unit};
use kmip::attribute::{Attribute, AttributeValue};
use kmip::registry::{CryptographicAlgorithm, ObjectType, State};

use support::*;

/// A back end under test, with the domains ACME and BOREAL.
type Store = Arc<dyn KeyStore>;

/// Runs each claim on each back end.
macro_rules! claims {
    ($($claim:ident)*) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $claim() {
                    let (_folder, store) = crate::support::with_domains().await;
                    let store: crate::Store = std::sync::Arc::new(store);
                    super::$claim(std::sync::Arc::clone(&store)).await;
                    for domain in [crate::support::ACME, crate::support::BOREAL] {
                        if let Ok(verification) = store.verify(domain).await {
                            assert_eq!(verification.findings, [], "what the claim left behind");
                        }
                    }
                    store.close().await;
                }
            )*
        }
    };
}

claims! {
    an_object_comes_back_as_it_was_stored
    an_object_of_another_domain_is_not_there
    a_change_needs_the_revision_that_was_read
    of_many_changes_at_one_revision_one_succeeds
    a_failing_step_undoes_its_unit_and_nothing_else
    later_steps_see_earlier_ones
    the_record_tells_revision_and_digest_of_the_row
    names_are_unique_among_living_objects_of_a_domain
    of_many_creations_of_one_name_one_succeeds
    a_name_leads_to_the_living_object_that_holds_it
    a_name_given_up_can_be_taken
    destruction_keeps_the_row_and_drops_the_key_bytes
    a_destroyed_object_stays_destroyed
    objects_are_found_by_all_their_terms
    pages_of_candidates_follow_each_other
    a_changed_attribute_changes_what_finds_the_object
    concurrent_commits_are_all_there_and_dense
    records_of_a_domain_stay_in_its_log
    identities_come_back_and_change_by_revision
    a_certificate_key_belongs_to_one_domain
    a_domain_is_frozen_by_revision
    of_many_first_authorities_one_stays
    domain_names_are_unique
    an_inactive_domain_is_closed_but_tells
    the_set_digest_is_repeated
    units_that_make_no_sense_are_refused
    limits_are_kept
    frozen_changes_are_refused_and_records_are_taken
    settings_are_replaced
    positions_that_are_not_there_are_not_answered
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

async fn names_are_unique_among_living_objects_of_a_domain(store: Store) {
    let first = named(ACME, "unique");
    create(&*store, &first).await;
    let second = named(ACME, "unique");
    assert!(matches!(commit(&*store, vec![creation(second.clone())]).await, Err(StoreError::NameTaken)));
    create(&*store, &named(BOREAL, "unique")).await;
    let other = named(ACME, "other");
    create(&*store, &other).await;
    let mut renamed = get(&*store, &other).await;
    renamed.attributes = vec![name("unique")];
    assert!(matches!(commit(&*store, vec![update(renamed)]).await, Err(StoreError::NameTaken)));
    commit(&*store, vec![destruction(first)]).await.unwrap();
    create(&*store, &second).await;
}

async fn a_name_leads_to_the_living_object_that_holds_it(store: Store) {
    let ours = ObjectRow { attributes: vec![name("first"), name("second")], ..object(ACME) };
    let theirs = named(BOREAL, "first");
    for row in [&ours, &theirs] {
        create(&*store, row).await;
    }
    for held in ["first", "second"] {
        assert_eq!(store.object_named(ACME, held).await.unwrap().as_ref(), Some(&ours), "{held}");
    }
    assert_eq!(store.object_named(BOREAL, "first").await.unwrap(), Some(theirs));
    for free in ["First", "first ", "", "third"] {
        assert_eq!(store.object_named(ACME, free).await.unwrap(), None, "{free}");
    }
    commit(&*store, vec![destruction(ours)]).await.unwrap();
    assert_eq!(store.object_named(ACME, "first").await.unwrap(), None);
    let heir = named(ACME, "first");
    create(&*store, &heir).await;
    assert_eq!(store.object_named(ACME, "first").await.unwrap(), Some(heir));
    store.deactivate(ACME).await;
    assert!(matches!(store.object_named(ACME, "first").await, Err(StoreError::Inactive(ACME))));
}

async fn of_many_creations_of_one_name_one_succeeds(store: Store) {
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { commit(&*store, vec![creation(named(ACME, "race"))]).await })
        })
        .collect();
    let mut succeeded = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => succeeded += 1,
            Err(StoreError::NameTaken) => {}
            Err(other) => panic!("{other}"),
        }
    }
    let term = IndexTerm::of(&name("race").value);
    assert_eq!((succeeded, store.candidates(ACME, &[term], None, 10).await.unwrap().len()), (1, 1));
}

async fn a_name_given_up_can_be_taken(store: Store) {
    let first = named(ACME, "old");
    create(&*store, &first).await;
    let mut renamed = first.clone();
    renamed.attributes = vec![name("new"), name("second")];
    commit(&*store, vec![update(renamed)]).await.unwrap();
    create(&*store, &named(ACME, "old")).await;
    for taken in ["new", "second"] {
        assert!(matches!(commit(&*store, vec![creation(named(ACME, taken))]).await, Err(StoreError::NameTaken)));
    }
}

async fn destruction_keeps_the_row_and_drops_the_key_bytes(store: Store) {
    let row = full_object(ACME);
    create(&*store, &row).await;
    commit(&*store, vec![destruction(row.clone())]).await.unwrap();
    let read = get(&*store, &row).await;
    assert_eq!((read.state, read.sealed, read.attributes), (State::Destroyed, None, row.attributes.clone()));
    let records = all_records(&*store, LogId::Domain(ACME)).await;
    assert!(records.last().unwrap().set_digest.is_some(), "a tombstone changes the set");
    let found = store.candidates(ACME, &[IndexTerm::of(&row.attributes[0].value)], None, 10).await.unwrap();
    assert_eq!(found.len(), 1, "a destroyed object can still be found");
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

async fn objects_are_found_by_all_their_terms(store: Store) {
    let site = |value: &str| Attribute::new(AttributeValue::custom_text("x-site", value).unwrap());
    let mut one = named(ACME, "one");
    one.attributes.push(site("PAR7S"));
    let mut two = named(ACME, "two");
    two.attributes.push(site("PAR7S"));
    two.length = Some(128);
    let mut other = named(ACME, "three");
    other.attributes.push(site("TH3S"));
    for row in [&one, &two, &other] {
        create(&*store, row).await;
    }
    let term = |value: &AttributeValue| IndexTerm::of(value);
    let aes = term(&AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Aes));
    let key = term(&AttributeValue::ObjectType(ObjectType::SymmetricKey));
    let par7s = term(&site("PAR7S").value);
    let long = term(&AttributeValue::CryptographicLength(256));
    let found = |terms: Vec<IndexTerm>| {
        let store = Arc::clone(&store);
        async move {
            let rows = store.candidates(ACME, &terms, None, 10).await.unwrap();
            rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(found(vec![]).await, [one.id, two.id, other.id]);
    assert_eq!(found(vec![aes.clone(), key.clone()]).await, [one.id, two.id, other.id]);
    assert_eq!(found(vec![par7s.clone()]).await, [one.id, two.id]);
    assert_eq!(found(vec![aes, par7s.clone(), key, long]).await, [one.id]);
    assert_eq!(found(vec![term(&name("two").value), par7s]).await, [two.id]);
    assert!(found(vec![term(&site("AZ07").value)]).await.is_empty());
    // The same value under another attribute's name is another term.
    let renamed = IndexTerm { attribute: "x-zone".to_owned(), value: site("PAR7S").value.canonical_bytes() };
    assert!(found(vec![renamed]).await.is_empty());
}

async fn pages_of_candidates_follow_each_other(store: Store) {
    let mut rows: Vec<_> = (0..25).map(|_| object(ACME)).collect();
    rows.sort_by_key(|row| row.id);
    for row in &rows {
        create(&*store, row).await;
    }
    let term = IndexTerm::of(&AttributeValue::ObjectType(ObjectType::SymmetricKey));
    for terms in [vec![], vec![term]] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.candidates(ACME, &terms, after, 10).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            found.extend(page);
        }
        assert_eq!(found, rows);
        let (mut newest, mut before) = (Vec::new(), None);
        loop {
            let page = store.newest(ACME, &terms, before, 10).await.unwrap();
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            newest.extend(page);
        }
        newest.reverse();
        assert_eq!(newest, rows);
    }
}

async fn a_changed_attribute_changes_what_finds_the_object(store: Store) {
    let row = named(ACME, "before");
    create(&*store, &row).await;
    let mut changed = row.clone();
    changed.attributes = vec![name("after")];
    changed.length = None;
    commit(&*store, vec![update(changed)]).await.unwrap();
    let count = |value: AttributeValue| {
        let store = Arc::clone(&store);
        async move { store.candidates(ACME, &[IndexTerm::of(&value)], None, 10).await.unwrap().len() }
    };
    assert_eq!(count(name("before").value).await, 0);
    assert_eq!(count(name("after").value).await, 1);
    assert_eq!(count(AttributeValue::CryptographicLength(256)).await, 0);
    assert_eq!(count(AttributeValue::ObjectType(ObjectType::SymmetricKey)).await, 1);
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
    support::create(&*store, &row).await;
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
