//! Names, which are unique among the living objects of a domain.

use std::sync::Arc;

use keystore::{IndexTerm, ObjectRow, StoreError};

use crate::Store;
use crate::support::{ACME, BOREAL, commit, create, creation, destruction, get, name, named, object, update};

claims! {
    names_are_unique_among_living_objects_of_a_domain
    of_many_creations_of_one_name_one_succeeds
    a_name_leads_to_the_living_object_that_holds_it
    a_name_given_up_can_be_taken
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
    let term = IndexTerm::of(&name("race").value).unwrap();
    assert_eq!((succeeded, store.candidates(ACME, &[term], None, 10).await.unwrap().len()), (1, 1));
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
