//! Domains that hold more than a search looks at in one go, and such in which most of what ever was is gone.

use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue};
use kmip::message::RequestMessage;
use kmip::payload::{DestroyRequest, LocateRequest, LocateResponse, RequestPayload, ResponsePayload};
use kmip::registry::{ObjectType, ResultReason, State, StorageStatusMask};
use system_tests::asking;
use system_tests::node::{Connection, Node};
use xtask::stage::StageOptions;

const V2_1: ProtocolVersion = ProtocolVersion::V2_1;
/// More objects than a search looks at before it takes its turn among the long ones.
const MANY: usize = 6_000;
/// Items of one message.
const BATCH: usize = 200;

/// Sends as many messages as it takes.
fn each<T>(client: &mut Connection, of: &[T], payload: impl Fn(&T) -> RequestPayload) -> Vec<ResponsePayload> {
    let send = |batch: &[T]| client.call(RequestMessage::batch(V2_1, batch.iter().map(&payload))).unwrap();
    of.chunks(BATCH).map(send).flat_map(|answer| asking::successes(answer).unwrap()).collect()
}

fn make(client: &mut Connection, count: usize) -> Vec<String> {
    let made = each(client, &vec![(); count], |()| asking::aes(Vec::new()).into());
    let id = |payload| if let ResponsePayload::Create(made) = payload { Some(made.unique_identifier) } else { None };
    made.into_iter().filter_map(id).collect()
}

fn destroy(client: &mut Connection, ids: &[String]) {
    each(client, ids, |id| DestroyRequest { unique_identifier: Some(id.as_str().into()) }.into());
}

/// Asks with an offset, so that all that match are counted.
fn locate(client: &mut Connection, mask: Option<StorageStatusMask>, wanted: &[AttributeValue]) -> LocateResponse {
    let request = LocateRequest {
        storage_status_mask: mask,
        offset_items: Some(0),
        attributes: wanted.iter().cloned().map(Attribute::new).collect(),
        ..LocateRequest::default()
    };
    client.request(V2_1, request).unwrap()
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort_unstable();
    ids
}

#[test]
fn a_domain_of_many_objects_is_searched_to_its_end_by_several_at_a_time() {
    let limits = vec![("long_searches".to_owned(), 1), ("located_items".to_owned(), 100_000)];
    let node = Node::start_with(&StageOptions { limits, ..StageOptions::default() }, &[]).unwrap();
    let tenant = node.tenant("large", "anssi").unwrap();
    let ids = sorted(make(&mut node.connect(&tenant.identity).unwrap(), MANY));
    assert_eq!(ids.len(), MANY);
    // No index has the state.
    let unindexed = [AttributeValue::State(State::PreActive)];
    let indexed = [AttributeValue::ObjectType(ObjectType::SymmetricKey)];
    std::thread::scope(|scope| {
        for wanted in [&unindexed, &indexed, &unindexed, &indexed] {
            scope.spawn(|| {
                let mut client = node.connect(&tenant.identity).unwrap();
                let found = locate(&mut client, None, wanted);
                assert_eq!(found.located_items, i32::try_from(MANY).ok());
                assert_eq!(sorted(found.unique_identifiers), ids);
            });
        }
    });
}

#[test]
fn what_is_gone_does_not_count_among_what_a_search_may_look_at() {
    let limits = vec![("locate_examined".to_owned(), 300)];
    let node = Node::start_with(&StageOptions { limits, ..StageOptions::default() }, &[]).unwrap();
    let tenant = node.tenant("gone", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let gone = make(&mut client, 600);
    let kept = sorted(make(&mut client, 50));
    let unindexed = [AttributeValue::State(State::PreActive)];
    let indexed = [AttributeValue::ObjectType(ObjectType::SymmetricKey)];
    let refused = |client: &mut Connection, mask: Option<StorageStatusMask>, wanted: &[AttributeValue]| {
        let attributes = wanted.iter().cloned().map(Attribute::new).collect();
        let request = LocateRequest { storage_status_mask: mask, attributes, ..LocateRequest::default() };
        client.request(V2_1, request).unwrap_err().reason()
    };
    // The control: they count for as long as they live.
    for wanted in [&unindexed, &indexed] {
        assert_eq!(refused(&mut client, None, wanted), Some(ResultReason::ServerLimitExceeded));
    }
    destroy(&mut client, &gone);
    for wanted in [&unindexed, &indexed] {
        assert_eq!(sorted(locate(&mut client, None, wanted).unique_identifiers), kept);
    }
    // And where they are asked for.
    let destroyed = Some(StorageStatusMask::DESTROYED_STORAGE);
    assert_eq!(refused(&mut client, destroyed, &indexed), Some(ResultReason::ServerLimitExceeded));
    let newest = LocateRequest { storage_status_mask: destroyed, maximum_items: Some(1), ..LocateRequest::default() };
    let found = client.request(V2_1, newest).unwrap().unique_identifiers;
    assert!(found.len() == 1 && gone.contains(&found[0]), "{found:?}");
}
