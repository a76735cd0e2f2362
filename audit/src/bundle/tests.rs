//! What a bundle shows, and everything that may be done to one.

mod dropped;
mod matrix;

use super::*;
use crate::{
    Identity, Outcome, SignedCheckpoint, TrustedKeys, checkpoint::tests::signed, key::tests::Signer, leaf_hash,
    record::Record, record::tests::example, right_edge, root_of,
};

const KMS: &str = "paris";
const COUNT: u64 = 40;

/// A log of [`COUNT`] records and who signs for it.
struct Log {
    signer: Signer,
    records: Vec<Record>,
}

impl Log {
    fn new() -> Self {
        Self::of(COUNT)
    }

    fn of(count: u64) -> Self {
        let records = (0..count)
            .map(|n| Record {
                counter: n,
                time_us: example().time_us + i64::try_from(n).unwrap(),
                operation: ["Create", "Get", "Activate", "Destroy"][usize::try_from(n).unwrap() % 4].into(),
                reason: n.is_multiple_of(5).then(|| "ItemNotFound".into()),
                outcome: if n.is_multiple_of(5) { Outcome::Failed } else { Outcome::Success },
                identity: match n % 4 {
                    0 => Identity::None,
                    1 => Identity::Client { fingerprint: [1; 32] },
                    2 => Identity::Admin { fingerprint: [2; 32], name: "Zoë \"Z\"".into() },
                    _ => Identity::Node,
                },
                approvals: if n % 4 == 2 { vec!["officer1".into(), "officer2".into()] } else { vec![] },
                set_digest: (n % 7 == 0).then_some([3; 32]),
                ..example()
            })
            .collect();
        Self { signer: Signer::new(), records }
    }

    fn log(&self) -> LogId {
        example().log
    }

    fn trusted(&self) -> TrustedKeys {
        TrustedKeys::new(KMS, vec![self.signer.public(), Signer::new().public()]).unwrap()
    }

    fn bytes(&self) -> Vec<Vec<u8>> {
        self.records.iter().map(|record| record.encode().unwrap()).collect()
    }

    fn leaves(&self) -> Vec<Hash> {
        self.bytes().iter().map(|bytes| leaf_hash(bytes)).collect()
    }

    fn head(&self, size: usize) -> SignedCheckpoint {
        signed(&self.signer, KMS, self.log(), size as u64, root_of(&self.leaves()[..size]))
    }

    /// The bundle of records `from` to `to`, with a checkpoint after each of `stops`.
    fn bundle(&self, from: usize, to: usize, stops: &[usize]) -> String {
        let (bytes, leaves) = (self.bytes(), self.leaves());
        let mut before = Tree::new();
        leaves[..from].iter().for_each(|leaf| before.append(*leaf));
        let header = Header::part(KMS, self.log(), &before, (to - from) as u64, &[self.signer.public()]);
        let mut writer = BundleWriter::new(Vec::new(), &header).unwrap();
        for at in from..to {
            writer.record(&bytes[at], &leaves[at]).unwrap();
            if stops.contains(&(at + 1)) {
                writer.checkpoint(&self.head(at + 1)).unwrap();
            }
        }
        let out = writer.finish(&right_edge(to as u64, &leaves[to..]), &self.head(leaves.len())).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn whole(&self) -> String {
        self.bundle(0, self.records.len(), &[])
    }
}

fn lines(bundle: &str) -> Vec<String> {
    bundle.split_inclusive('\n').map(str::to_owned).collect()
}

fn fault(bundle: &[String], trusted: &TrustedKeys) -> BundleError {
    verify_bundle(bundle.concat().as_bytes(), trusted).unwrap_err()
}

#[test]
fn a_whole_log_verifies_alone() {
    let log = Log::new();
    let verified = verify_bundle(log.whole().as_bytes(), &log.trusted()).unwrap();
    let expected = Verified {
        log: log.log(),
        first: 0,
        count: COUNT,
        size: COUNT,
        root: root_of(&log.leaves()),
        signers: vec![log.signer.public()],
        period_us: Some((log.records[0].time_us, log.records[39].time_us)),
        compared: 0,
        dropped: 0,
        untold: 0,
    };
    assert_eq!(verified, expected);
}

#[test]
fn every_stretch_of_a_log_verifies_alone() {
    let log = Log::new();
    for from in 0..=40 {
        for to in from..=40 {
            let bundle = log.bundle(from, to, &[from + 1, to]);
            let verified = verify_bundle(bundle.as_bytes(), &log.trusted());
            let verified = verified.unwrap_or_else(|error| panic!("{from} to {to}: {error}"));
            assert_eq!((verified.first, verified.count, verified.size), (from as u64, (to - from) as u64, COUNT));
        }
    }
}

#[test]
fn an_empty_log_verifies() {
    let log = Log { records: vec![], ..Log::new() };
    assert_eq!(verify_bundle(log.whole().as_bytes(), &log.trusted()).unwrap().count, 0);
}

#[test]
fn every_changed_letter_case_is_noticed() {
    let log = Log::new();
    let (bundle, trusted) = (log.bundle(13, 16, &[14]), log.trusted());
    for (at, byte) in bundle.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_alphabetic()) {
        let mut changed = bundle.clone().into_bytes();
        changed[at] = byte ^ 0x20;
        assert!(verify_bundle(&changed[..], &trusted).is_err(), "byte {at}");
    }
}

#[test]
fn every_deleted_record_is_named() {
    let log = Log::new();
    let all = lines(&log.whole());
    for at in 0..40 {
        let mut cut = all.clone();
        cut.remove(1 + at);
        let error = fault(&cut, &log.trusted());
        assert_eq!(error.record, Some(at as u64));
        match error.fault {
            Fault::Missing(found) => assert_eq!(found, at as u64 + 1),
            Fault::Cut => assert_eq!(at, 39),
            other => panic!("{at}: {other}"),
        }
    }
}

#[test]
fn every_swapped_pair_is_named() {
    let log = Log::new();
    let all = lines(&log.whole());
    for at in 0..39 {
        let mut swapped = all.clone();
        swapped.swap(1 + at, 2 + at);
        let error = fault(&swapped, &log.trusted());
        assert_eq!(error.record, Some(at as u64));
        assert!(matches!(error.fault, Fault::Swapped(other) if other == at as u64 + 1), "{error}");
    }
}

#[test]
fn every_inserted_record_is_named() {
    let log = Log::new();
    let all = lines(&log.whole());
    for at in 0..=40 {
        for copy in 0..40 {
            let mut longer = all.clone();
            longer.insert(1 + at, all[1 + copy].clone());
            let error = fault(&longer, &log.trusted());
            // A copy in front of its original reads as the original; the original is then the one too many.
            let place = if copy == at { at + 1 } else { at };
            assert_eq!(error.record, Some(place as u64), "{copy} at {at}: {error}");
            match error.fault {
                Fault::Inserted(found) => assert_eq!(found, copy as u64, "{copy} at {at}"),
                Fault::Extra => assert_eq!(place, 40),
                other => panic!("{copy} at {at}: {other}"),
            }
        }
    }
}

#[test]
fn every_cut_is_noticed() {
    let log = Log::new();
    let bundle = log.whole();
    let trusted = log.trusted();
    let all = lines(&bundle);
    for kept in 0..all.len() {
        let error = fault(&all[..kept], &trusted);
        assert!(matches!(error.fault, Fault::Cut), "{error}");
        assert_eq!(error.record, (1..=40).contains(&kept).then(|| kept as u64 - 1));
    }
    // And in the middle of a line.
    for len in (0..bundle.len()).step_by(97) {
        assert!(verify_bundle(&bundle.as_bytes()[..len], &trusted).is_err(), "{len} bytes");
    }
}

#[test]
fn a_log_forged_throughout_has_the_wrong_root() {
    let log = Log::new();
    let genuine = lines(&log.whole());
    for at in [0, 17, 39] {
        let mut forged = Log { signer: Signer::new(), records: log.records.clone() };
        forged.records[at].operation = "Locate".into();
        // The forger holds the database but not the HSM: all but the signature is made anew.
        let mut bundle = lines(&forged.whole());
        bundle[0] = genuine[0].clone();
        bundle[41] = genuine[41].clone();
        let error = fault(&bundle, &log.trusted());
        assert!(matches!(error.fault, Fault::Root { from: 0, to: 39 }), "{error}");
        assert_eq!(error.record, None);
    }
}

#[test]
fn checkpoints_in_between_narrow_the_fault() {
    let log = Log::new();
    let genuine = lines(&log.bundle(0, 40, &[10, 20, 30]));
    let mut forged = Log { signer: Signer::new(), records: log.records.clone() };
    forged.records[14].object = None;
    let mut bundle = lines(&forged.bundle(0, 40, &[10, 20, 30]));
    for (line, genuine) in bundle.iter_mut().zip(&genuine).filter(|(line, _)| !line.starts_with("{\"index\"")) {
        line.clone_from(genuine);
    }
    let error = fault(&bundle, &log.trusted());
    assert!(matches!(error.fault, Fault::Root { from: 10, to: 19 }), "{error}");
}

#[test]
fn a_deleted_record_with_everything_renumbered_has_the_wrong_root() {
    let log = Log::new();
    let mut forged = Log { signer: Signer::new(), records: log.records.clone() };
    forged.records.remove(20);
    let mut bundle = lines(&forged.whole());
    let genuine = lines(&log.whole());
    bundle[0] = genuine[0].replace("\"count\":40", "\"count\":39");
    bundle[40] = genuine[41].replace("\"total\":40", "\"total\":39");
    assert!(matches!(fault(&bundle, &log.trusted()).fault, Fault::Edge(_)), "a right edge is missing");
    // With a right edge of the forger's making the signed root is not reached.
    let edge = format!("\"right\":[\"{}\"]", hex::encode([9; 32]));
    bundle[40] = bundle[40].replace("\"right\":[]", &edge);
    assert!(matches!(fault(&bundle, &log.trusted()).fault, Fault::Root { from: 0, to: 38 }));
}

#[test]
fn what_people_read_must_be_what_the_record_says() {
    let log = Log::new();
    let mut bundle = lines(&log.whole());
    bundle[6] = bundle[6].replace("\"operation\":\"Get\"", "\"operation\":\"Locate\"");
    let error = fault(&bundle, &log.trusted());
    assert_eq!(error.to_string(), "record 5: field `operation` says \"Locate\", the record \"Get\"",);
}

#[test]
fn bytes_that_are_no_record_any_more_are_written_and_named() {
    let log = Log::new();
    let mut bytes = log.bytes();
    let leaves = log.leaves();
    bytes[3].truncate(50);
    let header = Header::whole(KMS, log.log(), COUNT, &[log.signer.public()]);
    let out = write_bundle(Vec::new(), &header, bytes.into_iter().zip(leaves), &[], &log.head(40)).unwrap();
    let error = verify_bundle(&out[..], &log.trusted()).unwrap_err();
    assert_eq!(error.record, Some(3));
    assert!(matches!(error.fault, Fault::LeafHash));
}

#[test]
fn a_record_of_another_log_does_not_belong_here() {
    let mut log = Log::new();
    log.records[8].log = LogId::System;
    let error = verify_bundle(log.whole().as_bytes(), &log.trusted()).unwrap_err();
    assert_eq!(error.record, Some(8));
    assert!(matches!(error.fault, Fault::ForeignLog(LogId::System)));
}

#[test]
fn only_trusted_keys_of_this_kms_count() {
    let log = Log::new();
    let bundle = log.whole();
    let strangers = TrustedKeys::new(KMS, vec![Signer::new().public()]).unwrap();
    assert!(matches!(verify_bundle(bundle.as_bytes(), &strangers).unwrap_err().fault, Fault::ForeignKey(_)));
    let elsewhere = TrustedKeys::new("lyon", vec![log.signer.public()]).unwrap();
    assert!(matches!(verify_bundle(bundle.as_bytes(), &elsewhere).unwrap_err().fault, Fault::Header(_)));
}

#[test]
fn a_checkpoint_of_another_log_does_not_close_this_one() {
    let log = Log::new();
    let other = signed(&log.signer, KMS, LogId::System, COUNT, root_of(&log.leaves()));
    let header = Header::whole(KMS, log.log(), COUNT, &[log.signer.public()]);
    let records = log.bytes().into_iter().zip(log.leaves());
    let out = write_bundle(Vec::new(), &header, records, &[], &other).unwrap();
    assert!(matches!(verify_bundle(&out[..], &log.trusted()).unwrap_err().fault, Fault::OtherCheckpoint));
}

#[test]
fn a_kept_checkpoint_shows_a_cut_and_a_rewritten_log() {
    let log = Log::new();
    let shorter = Log { signer: Signer::new(), records: log.records[..30].to_vec() };
    let check = |bundle: &str, kept: SignedCheckpoint| {
        verify_bundle_with(bundle.as_bytes(), &log.trusted(), &[kept]).map_err(|error| error.fault)
    };
    assert_eq!(check(&log.whole(), log.head(40)).unwrap().compared, 1);
    assert_eq!(check(&log.whole(), log.head(17)).unwrap().compared, 1);
    assert_eq!(check(&log.bundle(20, 40, &[]), log.head(17)).unwrap().compared, 0);
    // The tail was cut and the shorter log signed by the genuine key: only what was kept can tell.
    let cut = {
        let header = Header::whole(KMS, log.log(), 30, &[log.signer.public()]);
        let records = shorter.bytes().into_iter().zip(shorter.leaves());
        String::from_utf8(write_bundle(Vec::new(), &header, records, &[], &log.head(30)).unwrap()).unwrap()
    };
    assert!(verify_bundle(cut.as_bytes(), &log.trusted()).is_ok(), "without a kept checkpoint the cut passes");
    assert!(matches!(check(&cut, log.head(40)), Err(Fault::Behind(40))));
    let fork = signed(&log.signer, KMS, log.log(), 17, [8; 32]);
    assert!(matches!(check(&log.whole(), fork), Err(Fault::Forked(17))));
    let other_log = signed(&log.signer, KMS, LogId::System, 99, [8; 32]);
    assert_eq!(check(&log.whole(), other_log).unwrap().compared, 0);
}

#[test]
fn a_header_that_announces_another_number_is_refused() {
    let log = Log::new();
    let header = Header::whole(KMS, log.log(), 41, &[log.signer.public()]);
    let records = log.bytes().into_iter().zip(log.leaves());
    let written = write_bundle(Vec::new(), &header, records, &[], &log.head(40));
    assert!(matches!(written, Err(WriteError::Count { announced: 41, written: 40 })));
}

#[test]
fn an_endless_line_is_not_read_to_its_end() {
    let log = Log::new();
    let endless = std::io::BufReader::new(std::io::repeat(b'a'));
    assert!(matches!(verify_bundle(endless, &log.trusted()).unwrap_err().fault, Fault::LineTooLong));
}

#[test]
fn times_are_written_in_utc_with_six_decimals() {
    assert_eq!(utc(0), "1970-01-01T00:00:00.000000Z");
    assert_eq!(utc(crate::limits::MAX_TIME_US), "9999-12-31T23:59:59.999999Z");
    assert_eq!(utc(1_795_347_000_123_456), "2026-11-22T11:30:00.123456Z");
    assert_eq!(utc(i64::MIN), i64::MIN.to_string());
}
