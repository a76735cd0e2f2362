//! What finds objects: terms, pages, what changes them.

use std::sync::Arc;

use keystore::{Among, DueObject, IndexTerm, Pace};
use kmip::attribute::{Attribute, AttributeValue};
use kmip::registry::{CryptographicAlgorithm, ObjectType, State};

use crate::Store;
use crate::support::{ACME, BOREAL, commit, create, destruction, get, name, named, object, update};

claims! {
    objects_are_found_by_all_their_terms
    pages_of_candidates_follow_each_other
    what_is_destroyed_is_found_by_a_walk_over_everything_only
    a_changed_attribute_changes_what_finds_the_object
    an_object_is_due_from_its_date_until_its_state_is_stored
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
    let term = |value: &AttributeValue| IndexTerm::of(value).unwrap();
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
    let term = IndexTerm::of(&AttributeValue::ObjectType(ObjectType::SymmetricKey)).unwrap();
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
            let page = store.newest(ACME, Among::Living(&terms), before, 10).await.unwrap();
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            newest.extend(page);
        }
        newest.reverse();
        assert_eq!(newest, rows);
    }
}

async fn what_is_destroyed_is_found_by_a_walk_over_everything_only(store: Store) {
    let (kept, gone) = (named(ACME, "kept"), named(ACME, "gone"));
    for row in [&kept, &gone] {
        create(&*store, row).await;
    }
    let terms = [IndexTerm::of(&AttributeValue::ObjectType(ObjectType::SymmetricKey)).unwrap()];
    let found = |among: Among<'static>| {
        let store = Arc::clone(&store);
        async move {
            let rows = store.newest(ACME, among, None, 10).await.unwrap();
            rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
        }
    };
    let mut both = vec![kept.id, gone.id];
    both.sort_unstable_by(|one, other| other.cmp(one));
    assert_eq!(found(Among::Living(&[])).await, both);
    assert_eq!(store.candidates(ACME, &terms, None, 10).await.unwrap().len(), 2);
    commit(&*store, vec![destruction(get(&*store, &gone).await)]).await.unwrap();
    assert_eq!(found(Among::Living(&[])).await, [kept.id]);
    assert_eq!(found(Among::All).await, both);
    let by_terms = store.candidates(ACME, &terms, None, 10).await.unwrap();
    assert_eq!(by_terms.iter().map(|row| row.id).collect::<Vec<_>>(), [kept.id]);
    assert_eq!(store.candidates(ACME, &[], None, 10).await.unwrap().len(), 2);
    assert_eq!(store.verify(ACME, Pace::full()).await.unwrap().findings, []);
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
        async move { store.candidates(ACME, &[IndexTerm::of(&value).unwrap()], None, 10).await.unwrap().len() }
    };
    assert_eq!(count(name("before").value).await, 0);
    assert_eq!(count(name("after").value).await, 1);
    assert_eq!(count(AttributeValue::CryptographicLength(256)).await, 0);
    assert_eq!(count(AttributeValue::ObjectType(ObjectType::SymmetricKey)).await, 1);
}

async fn an_object_is_due_from_its_date_until_its_state_is_stored(store: Store) {
    let waiting = |activation: Option<i64>, deactivation: Option<i64>| {
        let mut row = object(ACME);
        row.dates.activation = activation;
        row.dates.deactivation = deactivation;
        row
    };
    let first = waiting(Some(10), Some(40));
    let mut second = waiting(Some(5), Some(20));
    second.state = State::Active;
    let never = waiting(None, Some(1));
    let mut template = waiting(Some(1), None);
    template.object_type = ObjectType::Template;
    for row in [&first, &second, &never, &template, &object(BOREAL)] {
        create(&*store, row).await;
    }
    let due = |now: i64, after| {
        let store = Arc::clone(&store);
        async move {
            let domains = store.domains_due(now).await.unwrap();
            let found = store.due(ACME, now, after, 1).await.unwrap();
            assert_eq!(domains.is_empty(), found.is_empty() && after.is_none(), "{domains:?}");
            assert!(store.due(BOREAL, now, None, 1).await.unwrap().is_empty());
            found
        }
    };
    assert_eq!(due(9, None).await, []);
    let activation = DueObject { at: 10, id: first.id };
    assert_eq!(due(10, None).await, [activation]);
    assert_eq!(due(19, Some(activation)).await, []);
    let deactivation = DueObject { at: 20, id: second.id };
    assert_eq!(due(20, Some(activation)).await, [deactivation], "one page after the other, the oldest first");
    assert_eq!(due(20, Some(deactivation)).await, []);
    let mut active = store.object(ACME, first.id).await.unwrap().unwrap();
    active.state = State::Active;
    commit(&*store, vec![update(active)]).await.unwrap();
    assert_eq!(due(39, None).await, [deactivation], "what is stored is not due any more");
    assert_eq!(due(40, Some(deactivation)).await, [DueObject { at: 40, id: first.id }]);
}
