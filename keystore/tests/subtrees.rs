//! Roots of subtrees, as proofs and tiles need them, against the tree over all leaves.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod support;

use std::ops::Range;

use audit::{Hash, LogId, consistency_ranges, inclusion_ranges, root_of, verify_consistency, verify_inclusion};
use keystore::{KeyStore, SqliteStore, Step, StoreError};
use support::{ACME, BOREAL, commit, record_for, with_domains};

const LOG: LogId = LogId::Domain(ACME);

async fn commit_records(store: &SqliteStore, log: LogId, count: usize) {
    let step = |_| Step { changes: Vec::new(), record: Some(record_for(log, "Get")) };
    commit(store, (0..count).map(step).collect()).await.unwrap();
}

async fn leaves(store: &SqliteStore) -> Vec<Hash> {
    let (size, _) = store.tree_head(LOG).await.unwrap();
    store.leaf_hashes(LOG, 0, size).await.unwrap()
}

/// The ranges of every proof that is asked for here, and of tiles.
fn ranges(size: u64) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    for at in [0, 1, 255, 256, 257, 511, 600, size - 1].into_iter().filter(|at| *at < size) {
        ranges.extend(inclusion_ranges(at, size).unwrap());
        ranges.extend(consistency_ranges(at, size).unwrap());
    }
    ranges.extend([0..1, 0..256, 256..512, 0..size, 512..size, 5..6]);
    ranges.retain(|range| range.end <= size && !range.is_empty());
    ranges
}

async fn check(store: &SqliteStore) {
    let leaves = leaves(store).await;
    let ranges = ranges(leaves.len() as u64);
    let at = |bound: u64| usize::try_from(bound).unwrap();
    let expected: Vec<Hash> = ranges.iter().map(|range| root_of(&leaves[at(range.start)..at(range.end)])).collect();
    for (ranges, expected) in ranges.chunks(100).zip(expected.chunks(100)) {
        assert_eq!(store.subtree_roots(LOG, ranges).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn roots_are_those_of_the_tree_while_the_log_grows_and_after_a_restart() {
    let (folder, store) = with_domains().await;
    for more in [5, 300, 1, 600] {
        commit_records(&store, LOG, more).await;
        commit_records(&store, LogId::Domain(BOREAL), more / 2).await;
        check(&store).await;
    }
    store.close().await;
    drop(store);
    let store = folder.open_active().await;
    check(&store).await;
    commit_records(&store, LOG, 700).await;
    check(&store).await;
}

#[tokio::test]
async fn roots_make_proofs_that_verify() {
    let (_folder, store) = with_domains().await;
    commit_records(&store, LOG, 700).await;
    let leaves = leaves(&store).await;
    let size = leaves.len() as u64;
    let root = root_of(&leaves);
    for index in [0, 300, size - 1] {
        let path = store.subtree_roots(LOG, &inclusion_ranges(index, size).unwrap()).await.unwrap();
        verify_inclusion(&leaves[usize::try_from(index).unwrap()], index, size, &path, &root).unwrap();
    }
    for old in [1, 256, 511, size] {
        let path = store.subtree_roots(LOG, &consistency_ranges(old, size).unwrap()).await.unwrap();
        let old_root = root_of(&leaves[..usize::try_from(old).unwrap()]);
        verify_consistency(old, size, &old_root, &root, &path).unwrap();
    }
}

#[tokio::test]
async fn ranges_that_are_no_subtrees_or_not_there_are_refused() {
    let (_folder, store) = with_domains().await;
    commit_records(&store, LOG, 700).await;
    let (size, _) = store.tree_head(LOG).await.unwrap();
    let ask = async |range: Range<u64>| store.subtree_roots(LOG, &[range]).await.unwrap_err();
    assert!(matches!(ask(0..size + 1).await, StoreError::NotFound));
    assert!(matches!(ask(1..300).await, StoreError::InvalidUnit(_)));
    assert!(matches!(ask(5..5).await, StoreError::InvalidUnit(_)));
    let many = vec![0..1; 257];
    assert!(matches!(store.subtree_roots(LOG, &many).await.unwrap_err(), StoreError::InvalidUnit(_)));
    let nowhere = store.subtree_roots(LogId::Domain([9; 16]), std::slice::from_ref(&(0..1))).await.unwrap_err();
    assert!(matches!(nowhere, StoreError::NotFound));
}
