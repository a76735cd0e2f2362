//! What the fuzzer once found worth keeping, asked again without a fuzzer.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "../../fuzz/src/lib.rs"]
mod claims;
#[path = "support/vectors.rs"]
mod vectors;

use std::path::PathBuf;

/// Fewer would mean that the files were not read to their end.
const SEEDS_AT_LEAST: usize = 150;

/// The committed seeds of a target, and all vectors.
fn inputs(target: &str) -> Vec<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../fuzz/seeds/{target}.hex"));
    let lines = std::fs::read_to_string(path).unwrap();
    let mut inputs: Vec<Vec<u8>> =
        lines.lines().map(|line| hex::decode(line.split_once(' ').unwrap().1).unwrap()).collect();
    assert!(inputs.len() >= SEEDS_AT_LEAST, "{}", inputs.len());
    inputs.extend(vectors::well_formed().into_iter().map(|(_, bytes)| bytes));
    inputs
}

#[test]
fn messages_are_refused_or_written_as_they_are_read() {
    inputs("ttlv_reader").iter().for_each(|bytes| claims::ttlv_reader(bytes));
}

#[test]
fn requests_are_written_as_they_are_understood() {
    inputs("request_message").iter().for_each(|bytes| claims::request_message(bytes));
}

#[test]
fn responses_are_written_as_they_are_understood() {
    inputs("response_message").iter().for_each(|bytes| claims::response_message(bytes));
}

#[test]
fn xml_documents_are_refused_or_become_messages() {
    inputs("xml_document").iter().for_each(|bytes| claims::xml_document(bytes));
}

#[test]
fn json_documents_are_refused_or_become_messages() {
    inputs("json_document").iter().for_each(|bytes| claims::json_document(bytes));
}
