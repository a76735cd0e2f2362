//! A log of a thousand records, and every byte, line and end of its bundle tampered with.
//!
//! What was read before the tampered place is the same in every case, so each case goes on from a verifier that has
//! read so far, and the thousand cases of a line cost one line each.

use super::{
    super::verify::{Lines, Verifier},
    *,
};

const RECORDS: u64 = 1_000;

/// The bundle, and where its lines begin.
struct Matrix {
    log: Log,
    bundle: Vec<u8>,
    starts: Vec<usize>,
}

impl Matrix {
    fn new() -> Self {
        let log = Log::of(RECORDS);
        let bundle = log.whole().into_bytes();
        let ends = bundle.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        let starts = [0].into_iter().chain(ends).collect();
        Self { log, bundle, starts }
    }

    /// Calls `case` for each record with its number, a verifier that has read all before it, and where its line begins
    /// and ends.
    fn each_record(&self, mut case: impl FnMut(u64, &Verifier<'_>, usize, usize)) {
        let trusted = self.log.trusted();
        let mut lines = Lines::new(&self.bundle[..]);
        let mut verifier = Verifier::start(&mut lines, &trusted, &[]).unwrap();
        for record in 0..RECORDS {
            let line = usize::try_from(record).unwrap() + 1;
            case(record, &verifier, self.starts[line], self.starts[line + 1]);
            verifier.step(&mut lines).unwrap();
        }
        assert!(verifier.read(&mut lines).is_ok(), "untouched, it verifies by the same way");
    }
}

fn fault_of(verifier: &Verifier<'_>, rest: &[u8]) -> BundleError {
    verifier.clone().read(&mut Lines::new(rest)).expect_err("tampering was not noticed")
}

#[test]
fn every_byte_of_a_thousand_records_counts() {
    let matrix = Matrix::new();
    let mut bytes = matrix.bundle.clone();
    let mut cases = 0_u64;
    matrix.each_record(|record, verifier, start, end| {
        for at in start..end {
            let flip = 1 << ((at - start + usize::try_from(record).unwrap()) % 8);
            bytes[at] ^= flip;
            let error = fault_of(verifier, &bytes[start..]);
            assert_eq!(error.record, Some(record), "byte {}: {error}", at - start);
            bytes[at] ^= flip;
            cases += 1;
        }
    });
    assert!(cases > 600 * RECORDS, "{cases} bytes");
}

#[test]
fn every_byte_around_a_thousand_records_counts() {
    let matrix = Matrix::new();
    let trusted = matrix.log.trusted();
    let mut bytes = matrix.bundle.clone();
    for at in 0..matrix.starts[1] {
        bytes[at] ^= 1 << (at % 8);
        assert!(verify_bundle(&bytes[..], &trusted).is_err(), "byte {at} of the first line");
        bytes[at] ^= 1 << (at % 8);
    }
    // All records read, the last line tampered with.
    let mut lines = Lines::new(&matrix.bundle[..]);
    let mut verifier = Verifier::start(&mut lines, &trusted, &[]).unwrap();
    (0..RECORDS).for_each(|_| verifier.step(&mut lines).unwrap());
    let last = matrix.starts[usize::try_from(RECORDS).unwrap() + 1];
    for at in last..bytes.len() {
        for bit in 0..8 {
            bytes[at] ^= 1 << bit;
            let error = fault_of(&verifier, &bytes[last..]);
            assert!(error.record.is_none_or(|record| record == RECORDS), "{error}");
            bytes[at] ^= 1 << bit;
        }
    }
}

#[test]
fn each_of_a_thousand_deleted_swapped_doubled_and_cut_is_named() {
    let matrix = Matrix::new();
    let bundle = &matrix.bundle;
    matrix.each_record(|record, verifier, start, end| {
        let line = &bundle[start..end];
        let rest = &bundle[end..];
        let error = fault_of(verifier, rest);
        assert_eq!(error.record, Some(record), "deleted: {error}");
        if record + 1 < RECORDS {
            let next = matrix.starts[usize::try_from(record).unwrap() + 3];
            let swapped = [&bundle[end..next], line, &bundle[next..]].concat();
            let error = fault_of(verifier, &swapped);
            assert!(matches!(error.fault, Fault::Swapped(other) if other == record + 1), "{error}");
            assert_eq!(error.record, Some(record));
        }
        // A record of the same log from elsewhere, in front of this one.
        let other = usize::try_from((record + 500) % RECORDS).unwrap() + 1;
        let inserted = [&bundle[matrix.starts[other]..matrix.starts[other + 1]], line, rest].concat();
        let error = fault_of(verifier, &inserted);
        assert!(matches!(error.fault, Fault::Inserted(_) | Fault::Missing(_)), "{error}");
        assert_eq!(error.record, Some(record), "inserted: {error}");
        // And this one twice: the second is the one too many.
        let doubled = [line, line, rest].concat();
        assert_eq!(fault_of(verifier, &doubled).record, Some(record + 1));
        // The tail cut off, before the line and within it.
        assert!(matches!(fault_of(verifier, &[]).fault, Fault::Cut));
        assert_eq!(fault_of(verifier, &line[..line.len() / 2]).record, Some(record));
    });
}
