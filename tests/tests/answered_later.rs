//! Messages that are answered later, rules for new objects, and what a client writes into its log, on a real node.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue};
use kmip::message::{Outcome, RequestMessage};
use kmip::payload::{
    AttributeSet, CancelRequest, Constraint, Constraints, GetConstraintsRequest, GetRequest, LogRequest, ObjectTypes,
    PollRequest, QueryAsynchronousRequestsRequest, RequestPayload, ResponsePayload, SetConstraintsRequest,
};
use kmip::registry::{
    AsynchronousIndicator, BatchErrorContinuationOption, CancellationResult, ObjectType, Operation, ResultReason,
};
use system_tests::node::{Connection, Node};
use system_tests::{asking, exported};

const V2_1: ProtocolVersion = ProtocolVersion::V2_1;

/// The outcomes of a batch, demanded later or at once.
fn send(client: &mut Connection, payloads: Vec<RequestPayload>, later: bool) -> Vec<Outcome> {
    let mut message = RequestMessage::batch(V2_1, payloads);
    message.header.asynchronous = later.then_some(AsynchronousIndicator::Mandatory);
    message.header.batch_error_continuation = Some(BatchErrorContinuationOption::Undo);
    client.call(message).unwrap().items.into_iter().map(|item| item.outcome).collect()
}

fn one(client: &mut Connection, payload: impl Into<RequestPayload>) -> Outcome {
    send(client, vec![payload.into()], false).pop().unwrap()
}

fn values(outcomes: &[Outcome]) -> Vec<Vec<u8>> {
    let value = |outcome: &Outcome| match outcome {
        Outcome::Pending { asynchronous_correlation_value } => Some(asynchronous_correlation_value.clone()),
        _ => None,
    };
    let given: Vec<_> = outcomes.iter().filter_map(value).collect();
    assert_eq!(given.len(), outcomes.len(), "{outcomes:?}");
    given
}

fn poll(client: &mut Connection, value: &[u8]) -> Outcome {
    one(client, PollRequest { asynchronous_correlation_value: value.to_vec() })
}

#[test]
fn a_batch_is_one_unit_whoever_waits_for_it() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("later", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    // The second fails, so that the first is undone; each answer has its own value.
    let name = || vec![asking::name("twice")];
    let put_off = send(&mut client, vec![asking::aes(name()).into(), asking::aes(name()).into()], true);
    let given = values(&put_off);
    assert_ne!(given[0], given[1]);
    assert!(matches!(poll(&mut client, &given[0]), Outcome::Undone(_)));
    let second = poll(&mut client, &given[1]);
    assert!(matches!(second, Outcome::Failure { reason: ResultReason::NonUniqueNameAttribute, .. }), "{second:?}");
    // Alone it is done, and what it made is there.
    let alone = values(&send(&mut client, vec![asking::aes(name()).into()], true));
    let made = poll(&mut client, &alone[0]);
    let Outcome::Success(ResponsePayload::Create(made)) = made else { panic!("{made:?}") };
    let got = client.request(V2_1, GetRequest::of(made.unique_identifier.as_str())).unwrap();
    assert_eq!(asking::bytes(&got).unwrap().len(), 32);
    // Each item has the record of its promise and that of what became of it.
    let records = exported::records(&node, &tenant.name).unwrap();
    let of = |outcome| records.iter().filter(|one| one.operation == "Create" && one.outcome == outcome).count();
    assert_eq!([audit::Outcome::Success, audit::Outcome::Undone, audit::Outcome::Failed].map(of), [4, 1, 1]);
}

#[test]
fn answers_with_keys_do_not_wait() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("later", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let id = client.request(V2_1, asking::aes(Vec::new())).unwrap().unique_identifier;
    let demanded = send(&mut client, vec![GetRequest::of(id.as_str()).into()], true).pop().unwrap();
    assert!(matches!(demanded, Outcome::Failure { reason: ResultReason::FeatureNotSupported, .. }), "{demanded:?}");
    // In 1.x nothing can be demanded, and the answer comes at once.
    let mut welcome = RequestMessage::single(ProtocolVersion::V1_4, GetRequest::of(id.as_str()));
    welcome.header.asynchronous = Some(AsynchronousIndicator::Optional);
    let got = client.call(welcome).unwrap().items.remove(0).outcome;
    assert!(matches!(got, Outcome::Success(ResponsePayload::Get(_))), "{got:?}");
}

#[test]
fn what_was_done_is_not_cancelled_and_is_outstanding_until_it_is_fetched() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("later", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let given = values(&send(&mut client, vec![asking::aes(Vec::new()).into()], true)).remove(0);
    // Whenever it comes, a Create is either cancelled before it began, or cannot be any more.
    let cancel = CancelRequest { asynchronous_correlation_value: given.clone() };
    let cancelled = one(&mut client, cancel);
    let Outcome::Success(ResponsePayload::Cancel(cancelled)) = cancelled else { panic!("{cancelled:?}") };
    let outstanding = one(&mut client, QueryAsynchronousRequestsRequest::default());
    let Outcome::Success(ResponsePayload::QueryAsynchronousRequests(outstanding)) = outstanding else {
        panic!("{outstanding:?}")
    };
    if cancelled.cancellation_result == CancellationResult::Canceled {
        assert!(outstanding.asynchronous_requests.is_empty());
        assert!(matches!(poll(&mut client, &given), Outcome::Failure { .. }));
    } else {
        let [request] = outstanding.asynchronous_requests.as_slice() else { panic!("{outstanding:?}") };
        assert_eq!(request.asynchronous_correlation_value, given);
        assert_eq!(request.operation, Operation::Create);
        assert!(matches!(poll(&mut client, &given), Outcome::Success(ResponsePayload::Create(_))));
    }
}

#[test]
fn constraints_hold_from_the_next_object_on_and_survive_a_restart() {
    let mut node = Node::start().unwrap();
    let tenant = node.tenant("rules", "anssi").unwrap();
    let constraint = Constraint {
        object_types: Some(Box::new(ObjectTypes { object_types: vec![ObjectType::SymmetricKey] })),
        object_groups: None,
        attributes: Some(Box::new(AttributeSet {
            attributes: vec![Attribute::new(AttributeValue::CryptographicLength(128))],
        })),
    };
    let constraints = Constraints { constraints: vec![constraint] };
    let set = SetConstraintsRequest { constraints: Some(constraints.clone()) };
    let mut client = node.connect(&tenant.identity).unwrap();
    // Undone with its batch, it was never set; within the batch it counts at once.
    let outcomes = send(&mut client, vec![set.clone().into(), asking::aes(Vec::new()).into()], false);
    assert!(matches!(outcomes[0], Outcome::Undone(_)), "{outcomes:?}");
    assert!(matches!(outcomes[1], Outcome::Failure { reason: ResultReason::ConstraintViolation, .. }), "{outcomes:?}");
    assert!(matches!(one(&mut client, asking::aes(Vec::new())), Outcome::Success(_)));
    assert!(matches!(one(&mut client, set), Outcome::Success(_)));
    drop(client);
    node.restart().unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let kept = one(&mut client, GetConstraintsRequest);
    let Outcome::Success(ResponsePayload::GetConstraints(kept)) = kept else { panic!("{kept:?}") };
    assert_eq!(kept.constraints, constraints);
    let refused = one(&mut client, asking::aes(Vec::new()));
    assert!(matches!(refused, Outcome::Failure { reason: ResultReason::ConstraintViolation, .. }), "{refused:?}");
    assert!(matches!(one(&mut client, SetConstraintsRequest::default()), Outcome::Success(_)));
    assert!(matches!(one(&mut client, asking::aes(Vec::new())), Outcome::Success(_)));
}

#[test]
fn a_client_writes_into_the_log_of_its_domain_and_only_what_fits() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("log", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let log = |text: String| LogRequest { log_message: text };
    assert!(matches!(one(&mut client, log("backup has begun".to_owned())), Outcome::Success(_)));
    let long = one(&mut client, log("a".repeat(10_000)));
    assert!(matches!(long, Outcome::Failure { reason: ResultReason::ServerLimitExceeded, .. }), "{long:?}");
    let records = exported::records(&node, &tenant.name).unwrap();
    let said: Vec<_> = records.iter().filter(|one| one.operation == "Log").collect();
    assert!(said[0].detail.as_deref().unwrap().ends_with("backup has begun"), "{said:?}");
    assert_eq!(said[1].outcome, audit::Outcome::Failed);
}
