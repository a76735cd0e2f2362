//! `docs/kmip-coverage.md` says what is true of this tree.

use std::path::PathBuf;

use system_tests::answered::Answered;
use system_tests::coverage::{Offer, page, path, stale};
use system_tests::node::Node;
use system_tests::oasis::{Report, Way, run};

#[test]
fn the_page_is_the_one_that_would_be_written_now() {
    let node = Node::start().unwrap();
    let cases = std::env::var_os("KMIP_CONFORMANCE_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let report = match &cases {
        Some(dir) => run::run(&node, dir, Way::AsWritten, &|_| true).unwrap(),
        None => {
            println!("only in part: KMIP_CONFORMANCE_DIR does not say where the OASIS test cases are");
            Report { judged: Vec::new(), absent: Vec::new() }
        }
    };
    let offer = Offer::of(&node).unwrap();
    let own = Answered::of_this_tree().unwrap();
    // A file that claims nothing fails the whole run (`coverage --answered`), and not each test before it is written.
    if cases.is_some() && own != Answered::default() {
        let unasked = offer.unasked(&report, &own);
        assert!(unasked.is_empty(), "offered, and asked by neither a case nor a test of ours: {}", unasked.join(", "));
        // The control: without our own tests there are some.
        assert!(!offer.unasked(&report, &Answered::default()).is_empty());
    }
    let fresh = page(&offer, &report).unwrap();
    let committed = std::fs::read_to_string(path()).unwrap();
    let stale = stale(&committed, &fresh, cases.is_some());
    assert!(stale.is_empty(), "docs/kmip-coverage.md: {stale:?} changed; `make coverage` writes it anew");
}
