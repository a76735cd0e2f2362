//! Names in a batch that mean several objects, and data that is kept for the items behind: KMIP 2.1 §8.3, §11.58.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use kmip::ProtocolVersion;
use kmip::attribute::{AttributeValue, CryptographicParameters, Identifier};
use kmip::message::{Outcome, RequestMessage, ResponseItem};
use kmip::payload::{
    ActivateRequest, CreateSplitKeyRequest, Data, DestroyRequest, GetAttributesRequest, GetRequest, HashRequest,
    JoinSplitKeyRequest, LocateRequest, RequestPayload, ResponsePayload, RngRetrieveRequest,
};
use kmip::registry::{
    AsynchronousIndicator, BatchErrorContinuationOption as Continuation, DataPlaceholder, HashingAlgorithm, ObjectType,
    Operation, ResultReason, SplitKeyMethod, State, UniqueIdentifierPlaceholder as Place,
};
use ring::digest;
use secret::Secret;
use system_tests::asking;
use system_tests::node::{Connection, Node};
use xtask::stage::StageOptions;

const V2_1: ProtocolVersion = ProtocolVersion::V2_1;
/// Batch items that the node takes in one test.
const FEW: u64 = 5;

fn of(place: Place) -> Option<Identifier> {
    Some(Identifier::Placeholder(place))
}

/// All keys of an object group.
fn locate(group: &str) -> RequestPayload {
    LocateRequest { attributes: vec![AttributeValue::ObjectGroup(group.to_owned()).into()], ..Default::default() }
        .into()
}

fn activate(place: Place) -> RequestPayload {
    ActivateRequest { unique_identifier: of(place) }.into()
}

/// Keys of a group, not yet active.
fn keys(client: &mut Connection, group: &str, count: usize) -> Vec<String> {
    let make = |_| client.request(V2_1, asking::aes(vec![AttributeValue::ObjectGroup(group.to_owned())])).unwrap();
    (0..count).map(make).map(|made| made.unique_identifier).collect()
}

fn ask(client: &mut Connection, option: Continuation, items: Vec<RequestPayload>) -> Vec<ResponseItem> {
    let mut message = RequestMessage::batch(V2_1, items);
    message.header.batch_error_continuation = Some(option);
    client.call(message).unwrap().items
}

/// The numbers of the items that are answered, in the order of the answers.
fn marks(answered: &[ResponseItem]) -> Vec<u32> {
    let number =
        |item: &ResponseItem| u32::from_be_bytes(item.unique_batch_item_id.clone().unwrap().try_into().unwrap());
    answered.iter().map(number).collect()
}

fn states(client: &mut Connection, ids: &[String]) -> Vec<State> {
    let state = |id: &String| {
        let got = client.request(V2_1, GetAttributesRequest::of(id.as_str(), &["State"])).unwrap();
        got.attributes
            .iter()
            .find_map(|one| if let AttributeValue::State(state) = one.value { Some(state) } else { None })
    };
    ids.iter().map(state).map(Option::unwrap).collect()
}

fn reason(item: &ResponseItem) -> ResultReason {
    let Outcome::Failure { reason, .. } = &item.outcome else { panic!("{item:?}") };
    *reason
}

#[test]
fn an_operation_on_several_objects_is_answered_for_each() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("several", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let mut ids = keys(&mut client, "a", 3);
    let asked = vec![locate("a"), activate(Place::Locate), asking::aes(Vec::new()).into()];
    let answered = ask(&mut client, Continuation::Stop, asked);
    assert_eq!(marks(&answered), [1, 2, 2, 2, 3]);
    let activated: Vec<String> = answered[1..4]
        .iter()
        .map(|item| match &item.outcome {
            Outcome::Success(ResponsePayload::Activate(done)) => done.unique_identifier.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    // Locate answers the newest first.
    ids.reverse();
    assert_eq!(activated, ids);
    assert_eq!(states(&mut client, &ids), [State::Active; 3]);
    // Each has its record.
    let log = String::from_utf8_lossy(&node.export(&tenant.name).unwrap()).into_owned();
    for id in &ids {
        let of_activation = |line: &&str| line.contains("Activate") && line.contains(id.as_str());
        assert_eq!(log.lines().filter(of_activation).count(), 1, "{id}");
    }
    // One object is one answer, and none is a failure.
    let one = keys(&mut client, "b", 1);
    assert_eq!(marks(&ask(&mut client, Continuation::Stop, vec![locate("b"), activate(Place::Locate)])), [1, 2]);
    assert_eq!(states(&mut client, &one), [State::Active]);
    let none = ask(&mut client, Continuation::Stop, vec![locate("nothing"), activate(Place::Locate)]);
    assert_eq!((marks(&none), reason(&none[1])), (vec![1, 2], ResultReason::ObjectNotFound));
}

#[test]
fn a_failure_among_them_counts_like_that_of_an_item() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("failing", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let destroy = || RequestPayload::from(DestroyRequest { unique_identifier: of(Place::Locate) });
    for (option, expected) in [
        (Continuation::Stop, vec![1, 2, 2]),
        (Continuation::Continue, vec![1, 2, 2, 2, 3]),
        (Continuation::Undo, vec![1, 2, 2]),
    ] {
        let group = format!("{option:?}");
        let ids = keys(&mut client, &group, 3);
        // The one in the middle is active, so that it is not destroyed.
        client.request(V2_1, ActivateRequest { unique_identifier: Some(ids[1].as_str().into()) }).unwrap();
        let answered = ask(&mut client, option, vec![locate(&group), destroy(), asking::aes(Vec::new()).into()]);
        assert_eq!(marks(&answered), expected, "{option:?}");
        let failures: Vec<usize> =
            (0..answered.len()).filter(|at| matches!(answered[*at].outcome, Outcome::Failure { .. })).collect();
        assert_eq!(failures, [2], "{option:?}: {answered:?}");
        let [oldest, middle, newest] = states(&mut client, &ids)[..] else { panic!() };
        let expected = match option {
            Continuation::Stop => [State::PreActive, State::Active, State::Destroyed],
            Continuation::Continue => [State::Destroyed, State::Active, State::Destroyed],
            Continuation::Undo => [State::PreActive, State::Active, State::PreActive],
        };
        assert_eq!([oldest, middle, newest], expected, "{option:?}");
        let undone = answered.iter().filter(|item| matches!(item.outcome, Outcome::Undone(_))).count();
        assert_eq!(undone, if option == Continuation::Undo { 2 } else { 0 });
    }
}

#[test]
fn a_pair_is_both_its_halves_and_a_split_all_its_parts() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("pairs", "legacy").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let pair = asking::p256_pair(Vec::new());
    let types = GetAttributesRequest {
        unique_identifier: of(Place::CreateKeyPair),
        ..GetAttributesRequest::of("", &["Object Type"])
    };
    let answered = ask(&mut client, Continuation::Stop, vec![pair.into(), types.into()]);
    let found: Vec<ObjectType> = answered[1..]
        .iter()
        .map(|item| match &item.outcome {
            Outcome::Success(ResponsePayload::GetAttributes(got)) => match got.attributes[0].value {
                AttributeValue::ObjectType(object_type) => object_type,
                ref other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(found, [ObjectType::PrivateKey, ObjectType::PublicKey]);

    // In a list, a name stands for all that it means: the parts are joined once, not one by one.
    let key = [7; 32];
    let whole = client.request(V2_1, asking::known_aes(&key, Vec::new())).unwrap().unique_identifier;
    let split = CreateSplitKeyRequest {
        object_type: ObjectType::SplitKey,
        unique_identifier: Some(whole.into()),
        split_key_parts: 3,
        split_key_threshold: 3,
        split_key_method: SplitKeyMethod::Xor,
        prime_field_size: None,
        template_attribute: Default::default(),
        protection_storage_masks: None,
    };
    let join = JoinSplitKeyRequest {
        object_type: ObjectType::SymmetricKey,
        unique_identifiers: of(Place::CreateSplitKey).into_iter().collect(),
        secret_data_type: None,
        template_attribute: None,
        protection_storage_masks: None,
    };
    let get = GetRequest { unique_identifier: of(Place::JoinSplitKey), ..GetRequest::default() };
    let answered = ask(&mut client, Continuation::Stop, vec![split.into(), join.into(), get.into()]);
    assert_eq!(marks(&answered), [1, 2, 3]);
    let Outcome::Success(ResponsePayload::Get(got)) = &answered[2].outcome else { panic!("{answered:?}") };
    assert_eq!(asking::bytes(got), Some(&key[..]));
}

#[test]
fn what_is_repeated_stays_within_the_limits_of_a_batch_and_does_not_wait() {
    let limits = vec![("batch_items".to_owned(), FEW)];
    let node = Node::start_with(&StageOptions { limits, ..StageOptions::default() }, &[]).unwrap();
    let tenant = node.tenant("limits", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    keys(&mut client, "many", 4);
    let answered = ask(&mut client, Continuation::Stop, vec![locate("many"), activate(Place::Locate)]);
    assert_eq!(marks(&answered), [1, 2, 2, 2, 2]);
    let more = keys(&mut client, "many", 1);
    // One answer more than the node gives in one message: nothing of the item is done.
    let get = || {
        RequestPayload::from(GetAttributesRequest {
            unique_identifier: of(Place::Locate),
            ..GetAttributesRequest::of("", &[])
        })
    };
    let answered = ask(&mut client, Continuation::Stop, vec![locate("many"), get()]);
    assert_eq!(marks(&answered), [1, 2]);
    assert_eq!(reason(&answered[1]), ResultReason::ServerLimitExceeded);
    assert_eq!(states(&mut client, &more), [State::PreActive]);
    // Nor one that does not fit into what the client takes.
    let mut message = RequestMessage::batch(V2_1, vec![locate("many"), get()]);
    message.header.maximum_response_size = Some(900);
    message.header.batch_error_continuation = Some(Continuation::Continue);
    let answer = client.raw(&message.encode().unwrap()).unwrap();
    assert!(answer.len() <= 900, "{}", answer.len());
    // How many answers there will be nobody knows beforehand, so none of them can be asked for later.
    let mut message = RequestMessage::batch(V2_1, vec![locate("many"), activate(Place::Locate)]);
    message.header.asynchronous = Some(AsynchronousIndicator::Mandatory);
    let answered = client.call(message).unwrap().items;
    assert_eq!(reason(&answered[0]), ResultReason::FeatureNotSupported);
}

#[test]
fn data_that_a_client_wants_kept_is_there_for_the_items_behind_only() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("kept", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let hash = |data| {
        RequestPayload::from(HashRequest {
            cryptographic_parameters: Box::new(CryptographicParameters {
                hashing_algorithm: Some(HashingAlgorithm::Sha256),
                ..Default::default()
            }),
            data: Some(data),
            correlation_value: None,
            init_indicator: None,
            final_indicator: None,
        })
    };
    let mut message = RequestMessage::batch(
        V2_1,
        vec![
            hash(Data::Bytes(Secret::copy_from(b"first"))),
            hash(Data::Placeholder(DataPlaceholder::Hash)),
            RngRetrieveRequest { data_length: 32 }.into(),
            hash(Data::Placeholder(DataPlaceholder::RngRetrieve)),
        ],
    );
    for (at, ephemeral) in [Some(true), Some(false), Some(true), None].into_iter().enumerate() {
        message.items[at].ephemeral = ephemeral;
    }
    let answered = asking::successes(client.call(message).unwrap()).unwrap();
    let data = |at: usize| match &answered[at] {
        ResponsePayload::Hash(done) => done.data.clone(),
        ResponsePayload::RngRetrieve(done) => Some(done.data.expose().to_vec()),
        other => panic!("{other:?}"),
    };
    let sha256 = |bytes: &[u8]| digest::digest(&digest::SHA256, bytes).as_ref().to_vec();
    assert_eq!(data(0), None);
    assert_eq!(data(1), Some(sha256(&sha256(b"first"))));
    assert_eq!(data(2), Some(Vec::new()));
    // What was kept was what the generator gave, and not nothing.
    assert!(data(3).is_some_and(|hashed| hashed != sha256(b"")));
    assert_eq!(answered[0].operation(), Operation::Hash);
}
