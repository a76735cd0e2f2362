//! Bundles of logs of which retention dropped a part.

use super::*;
use crate::retention::{Dropping, LedgerError, OPERATION};

/// A log of which records 2, 3, 5 are gone, as record 39 tells.
struct Thinned {
    log: Log,
    gone: Vec<usize>,
}

impl Thinned {
    fn new(told: &[u64], gone: &[usize]) -> Self {
        let mut log = Log::new();
        let detail = Dropping::of(told, 0).map(|dropping| dropping.detail());
        log.records[39] = Record { operation: OPERATION.into(), detail, ..example() };
        Self { log, gone: gone.to_vec() }
    }

    fn bundle(&self, from: usize, to: usize) -> String {
        let (bytes, leaves) = (self.log.bytes(), self.log.leaves());
        let mut before = Tree::new();
        leaves[..from].iter().for_each(|leaf| before.append(*leaf));
        let header = Header::part(KMS, self.log.log(), &before, (to - from) as u64, &[self.log.signer.public()]);
        let mut writer = BundleWriter::new(Vec::new(), &header).unwrap();
        for at in from..to {
            if self.gone.contains(&at) {
                writer.dropped(39, &leaves[at]).unwrap();
            } else {
                writer.record(&bytes[at], &leaves[at]).unwrap();
            }
        }
        let out = writer.finish(&right_edge(to as u64, &leaves[to..]), &self.log.head(leaves.len())).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn verify(&self, from: usize, to: usize) -> Result<Verified, BundleError> {
        verify_bundle(self.bundle(from, to).as_bytes(), &self.log.trusted())
    }
}

#[test]
fn what_remains_verifies_and_says_what_was_dropped() {
    let log = Thinned::new(&[2, 3, 5], &[2, 3, 5]);
    let whole = log.verify(0, 40).unwrap();
    assert_eq!((whole.count, whole.dropped, whole.untold), (40, 3, 0));
    assert_eq!(whole.root, root_of(&log.log.leaves()));
    // A period that ends before the telling record, and one that begins among the dropped.
    let part = log.verify(1, 20).unwrap();
    assert_eq!((part.dropped, part.untold), (3, 3));
    let part = log.verify(3, 40).unwrap();
    assert_eq!((part.dropped, part.untold), (2, 0));
}

#[test]
fn a_record_that_nobody_tells_was_dropped_is_missed() {
    // One more is gone, one less, another one; the tree is whole in each.
    for gone in [&[2, 3, 5, 6][..], &[2, 3], &[2, 3, 6]] {
        let error = Thinned::new(&[2, 3, 5], gone).verify(0, 40).unwrap_err();
        assert!(matches!(error.fault, Fault::Dropped(LedgerError::Other)), "{gone:?}: {error}");
        assert_eq!(error.record, Some(39));
    }
    let error = Thinned::new(&[2, 3, 5], &[2, 3, 5, 39]).verify(0, 40).unwrap_err();
    assert!(matches!(error.fault, Fault::Dropped(LedgerError::Impossible(39))), "{error}");
}

#[test]
fn a_changed_line_of_a_dropped_record_is_noticed() {
    let log = Thinned::new(&[2, 3, 5], &[2, 3, 5]);
    let bundle = lines(&log.bundle(0, 40));
    let line = bundle[3].clone();
    for at in 0..line.len() - 1 {
        let mut changed = line.clone().into_bytes();
        changed[at] ^= 1;
        let mut tampered = bundle.clone();
        tampered[3] = String::from_utf8(changed).unwrap();
        fault(&tampered, &log.log.trusted());
    }
}
