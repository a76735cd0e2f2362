//! Batches on a real node: scripts as data, and random batches held against a model.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;

use kmip::ProtocolVersion;
use kmip::message::{Outcome, RequestMessage, ResponseMessage};
use kmip::payload::{GetRequest, LocateRequest, QueryRequest, RequestPayload, ResponsePayload};
use kmip::registry::{BatchErrorContinuationOption as Continuation, QueryFunction, ResultReason};
use system_tests::asking;
use system_tests::node::{Connection, Node};
use system_tests::random::{Random, count};
use system_tests::script;

const SCRIPTS: &str = include_str!("../scripts/batches.kms");

#[test]
fn every_script_plays_as_it_is_written() {
    let node = Node::start().unwrap();
    let cases = script::parse(SCRIPTS).unwrap();
    assert!(cases.len() >= 30, "{} cases", cases.len());
    let failures: Vec<String> =
        cases.iter().filter_map(|case| script::play(&node, case).err()).map(|error| error.to_string()).collect();
    assert!(failures.is_empty(), "{} of {} failed:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

#[test]
fn a_script_with_a_wrong_expectation_fails() {
    let node = Node::start().unwrap();
    for wrong in [
        "case a\nsend\n  create A\nanswer\n  create undone\n",
        "case a\nsend\n  create A\nanswer\n  create ok\n  create ok\n",
        "case a\nsend\n  get absent\nanswer\n  get PermissionDenied\n",
        "case a\nsend\n  create A\nanswer\nsend\n  state A\nanswer\n  state ok Active\n",
        "case a\nsend count=2\n  create A\nanswer\n  create InvalidMessage\n",
    ] {
        let cases = script::parse(wrong).unwrap();
        assert!(script::play(&node, &cases[0]).is_err(), "{wrong}");
    }
}

/// One item of a random batch, and whether it fails however the batch goes.
fn random_item(random: &mut Random, name: &str) -> (RequestPayload, bool) {
    match random.below(6) {
        0 => (GetRequest::of("01890000-0000-7000-8000-000000000000").into(), true),
        1 => (QueryRequest::of(vec![QueryFunction::QueryOperations]).into(), false),
        2 => (LocateRequest::default().into(), false),
        _ => (asking::aes(vec![asking::name(name)]).into(), false),
    }
}

/// The names of a tenant's keys.
fn names(connection: &mut Connection, wanted: &BTreeSet<String>) -> BTreeSet<String> {
    let there = wanted.iter().filter(|name| {
        let request = LocateRequest { attributes: vec![asking::name(name).into()], ..LocateRequest::default() };
        !connection.request(ProtocolVersion::V1_4, request).unwrap().unique_identifiers.is_empty()
    });
    there.cloned().collect()
}

/// Random batches with every option and random Maximum Response Sizes: no answer is longer than was allowed, and what
/// is there afterwards is what the answer said. P5.
#[test]
fn random_batches_do_what_they_answer_and_never_more_than_fits() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("random", "anssi").unwrap();
    let mut connection = node.connect(&tenant.identity).unwrap();
    let mut random = Random::announced("random_batches_do_what_they_answer_and_never_more_than_fits");
    let (mut undone, mut too_large) = (0, 0);
    for batch in 0..count("CLAVIS_BATCHES", 150) {
        let len = 1 + random.below(8);
        let names_of = |item: usize| format!("{batch}-{item}");
        let (payloads, failing): (Vec<_>, Vec<_>) =
            (0..len).map(|item| random_item(&mut random, &names_of(item))).unzip();
        let wanted: BTreeSet<String> = payloads
            .iter()
            .enumerate()
            .filter(|(_, payload)| matches!(payload, RequestPayload::Create(_)))
            .map(|(item, _)| names_of(item))
            .collect();
        let option = *random
            .one_of(&[None, Some(Continuation::Stop), Some(Continuation::Continue), Some(Continuation::Undo)])
            .unwrap();
        let max = random.one_of(&[None, Some(300), Some(600), Some(1_200), Some(4_000)]).copied().unwrap();
        let mut request = RequestMessage::batch(ProtocolVersion::V1_4, payloads);
        request.header.batch_error_continuation = option;
        request.header.maximum_response_size = max;
        let bytes = connection.raw(&request.encode().unwrap()).unwrap();
        if let Some(max) = max {
            assert!(bytes.len() <= usize::try_from(max).unwrap(), "{} bytes in answer to {request:?}", bytes.len());
        }
        let answer = ResponseMessage::decode(&bytes).unwrap();

        if let [whole] = answer.items.as_slice()
            && whole.operation.is_none()
        {
            // Not even failures would have fitted.
            assert!(matches!(whole.outcome, Outcome::Failure { reason: ResultReason::ResponseTooLarge, .. }));
            assert!(names(&mut connection, &wanted).is_empty());
            continue;
        }
        let failed: Vec<usize> = (0..answer.items.len())
            .filter(|item| matches!(answer.items[*item].outcome, Outcome::Failure { .. }))
            .collect();
        let stops = option != Some(Continuation::Continue);
        if let (Some(first), true) = (failed.first(), stops) {
            assert_eq!(*first + 1, answer.items.len(), "nothing is done after a failure: {answer:?}");
        } else {
            assert_eq!(answer.items.len(), len, "every item is answered: {answer:?}");
        }
        for (item, answered) in answer.items.iter().enumerate() {
            assert!(!(failing[item] && matches!(answered.outcome, Outcome::Success(_))), "{answered:?}");
        }
        let all_undone = option == Some(Continuation::Undo) && !failed.is_empty();
        let before_failure = &answer.items[..answer.items.len() - usize::from(all_undone)];
        assert_eq!(
            all_undone && !before_failure.is_empty(),
            before_failure.iter().any(|item| matches!(item.outcome, Outcome::Undone(_))),
            "{answer:?}"
        );
        undone += usize::from(all_undone && !before_failure.is_empty());
        too_large += usize::from(max.is_some() && failed.iter().any(|item| !failing[*item]));

        let made: BTreeSet<String> = answer
            .items
            .iter()
            .enumerate()
            .filter(|(_, item)| matches!(item.outcome, Outcome::Success(ResponsePayload::Create(_))))
            .map(|(item, _)| names_of(item))
            .collect();
        assert_eq!(names(&mut connection, &wanted), made, "what is there is what was answered: {answer:?}");
    }
    // The run must have met what it is about.
    assert!(undone >= 5 && too_large >= 5, "{undone} batches undone, {too_large} answers too large");
}
