//! Random sequences of requests against a live server: no object is ever seen in a state that the life-cycle does not
//! lead to, whatever is asked in whatever order and version. KMIP 1.4 §3.22, 2.1 §4.57.
//!
//! The transitions below are written down from the specification, and know nothing of the code that they judge.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::time::{SystemTime, UNIX_EPOCH};

use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue, RevocationReason};
use kmip::message::{Outcome, RequestMessage};
use kmip::payload::{
    ActivateRequest, DestroyRequest, GetAttributesRequest, GetRequest, LocateRequest, ModifyAttributeRequest,
    RequestPayload, ResponsePayload, RevokeRequest,
};
use kmip::registry::{BatchErrorContinuationOption, RevocationReasonCode, State};
use kmip::ttlv::DateTime;
use system_tests::asking;
use system_tests::node::{Connection, Node};
use system_tests::random::{Random, count};
use xtask::stage::StageOptions;

/// Objects in play at one time; a destroyed one is replaced.
const OBJECTS: usize = 12;
/// Half a day.
const FAR_S: i64 = 43_200;

/// What is asked of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Activate,
    Deactivate,
    Compromise,
    Destroy,
    Get,
    /// Activation Date to a date that has passed.
    BeginInThePast,
    /// Activation Date to a date far ahead.
    BeginLater,
    /// Deactivation Date to a date that has passed.
    EndInThePast,
    /// Deactivation Date to a date far ahead.
    EndLater,
}

const STEPS: [Step; 9] = [
    Step::Activate,
    Step::Deactivate,
    Step::Compromise,
    Step::Destroy,
    Step::Get,
    Step::BeginInThePast,
    Step::BeginLater,
    Step::EndInThePast,
    Step::EndLater,
];

/// An object as the model knows it.
#[derive(Debug)]
struct Object {
    id: String,
    state: State,
}

/// The state after a step that succeeded; `None` where the specification lets it succeed from no such state.
fn after(state: State, step: Step) -> Option<State> {
    use State as S;
    Some(match (state, step) {
        (S::PreActive, Step::Activate | Step::BeginInThePast) => S::Active,
        (S::PreActive, Step::BeginLater) => S::PreActive,
        (S::PreActive | S::Active, Step::EndLater) => state,
        // A date that has passed deactivates what is active; what never was active cannot end.
        (S::Active, Step::Deactivate | Step::EndInThePast) => S::Deactivated,
        (S::PreActive | S::Active | S::Deactivated, Step::Compromise) => S::Compromised,
        (S::PreActive | S::Deactivated, Step::Destroy) => S::Destroyed,
        (S::Compromised, Step::Destroy) => S::DestroyedCompromised,
        (S::Destroyed, Step::Compromise) => S::DestroyedCompromised,
        (S::PreActive | S::Active | S::Deactivated | S::Compromised, Step::Get) => state,
        _ => return None,
    })
}

/// Steps that have to succeed wherever [`after`] lets them; dates may be refused for other reasons, such as their order.
fn has_to_succeed(step: Step) -> bool {
    matches!(step, Step::Activate | Step::Compromise | Step::Destroy | Step::Get)
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn request(step: Step, id: &str) -> RequestPayload {
    let dated = |value: AttributeValue| ModifyAttributeRequest {
        unique_identifier: Some(id.into()),
        current_attribute: None,
        attribute: Attribute::new(value),
    };
    match step {
        Step::Activate => ActivateRequest::of(id).into(),
        Step::Deactivate => asking::cessation(Some(id.to_owned())).into(),
        Step::Compromise => RevokeRequest {
            unique_identifier: Some(id.into()),
            revocation_reason: RevocationReason { code: RevocationReasonCode::KeyCompromise, message: None },
            compromise_occurrence_date: Some(DateTime(now() - FAR_S)),
        }
        .into(),
        Step::Destroy => DestroyRequest::of(id).into(),
        Step::Get => GetRequest::of(id).into(),
        Step::BeginInThePast => dated(AttributeValue::ActivationDate(DateTime(now() - FAR_S))).into(),
        Step::BeginLater => dated(AttributeValue::ActivationDate(DateTime(now() + FAR_S))).into(),
        Step::EndInThePast => dated(AttributeValue::DeactivationDate(DateTime(now() - 1))).into(),
        Step::EndLater => dated(AttributeValue::DeactivationDate(DateTime(now() + 2 * FAR_S))).into(),
    }
}

/// One message of two items: the step, and the state behind it.
fn take(connection: &mut Connection, version: ProtocolVersion, step: Step, id: &str) -> (bool, State) {
    let look = GetAttributesRequest::of(id, &["State"]).into();
    let mut message = RequestMessage::batch(version, [request(step, id), look]);
    message.header.batch_error_continuation = Some(BatchErrorContinuationOption::Continue);
    let mut outcomes = connection.call(message).unwrap().items.into_iter().map(|item| item.outcome);
    let succeeded = matches!(outcomes.next().unwrap(), Outcome::Success(_));
    let state = match outcomes.next().unwrap() {
        Outcome::Success(ResponsePayload::GetAttributes(answer)) => {
            answer.attributes.iter().find_map(|attribute| match attribute.value {
                AttributeValue::State(state) => Some(state),
                _ => None,
            })
        }
        other => panic!("{step:?} on {id}: {other:?}"),
    };
    (succeeded, state.unwrap())
}

fn make(connection: &mut Connection, random: &mut Random, version: ProtocolVersion) -> Object {
    let (further, state) = match random.below(3) {
        // With dates, so that the dates can be modified.
        0 => (vec![AttributeValue::ActivationDate(DateTime(now() + FAR_S))], State::PreActive),
        1 => (vec![AttributeValue::ActivationDate(DateTime(now() - 2 * FAR_S))], State::Active),
        _ => (Vec::new(), State::PreActive),
    };
    let id = connection.request(version, asking::aes(further)).unwrap().unique_identifier;
    Object { id, state }
}

#[test]
fn no_sequence_of_requests_leads_to_a_state_that_the_life_cycle_forbids() {
    // A long walk leaves many destroyed objects behind, which the Locate at its end looks at, too.
    let limits = vec![("locate_examined".to_owned(), 1_000_000)];
    let node = Node::start_with(&StageOptions { limits, ..StageOptions::default() }, &[]).unwrap();
    let tenant = node.tenant("lifecycle", "anssi").unwrap();
    let mut connection = node.connect(&tenant.identity).unwrap();
    let mut random = Random::announced("no_sequence_of_requests_leads_to_a_state_that_the_life_cycle_forbids");
    let versions = connection
        .request(ProtocolVersion::V1_4, kmip::payload::DiscoverVersionsRequest::default())
        .unwrap()
        .protocol_versions;
    let steps = count("CLAVIS_LIFECYCLE_STEPS", 3_000);
    let mut objects: Vec<Object> =
        (0..OBJECTS).map(|_| make(&mut connection, &mut random, ProtocolVersion::V1_4)).collect();
    let (mut succeeded, mut seen) = (0_u64, std::collections::BTreeSet::new());
    for number in 0..steps {
        let version = *random.one_of(&versions).unwrap();
        let step = *random.one_of(&STEPS).unwrap();
        let at = random.below(OBJECTS);
        let object = &mut objects[at];
        let (worked, state) = take(&mut connection, version, step, &object.id);
        let told = format!("step {number}: {step:?} on {object:?} in {version}: worked {worked}, now {state}");
        match (worked, after(object.state, step)) {
            (true, Some(expected)) => assert_eq!(state, expected, "{told}"),
            (true, None) => panic!("{told}: it should have been refused"),
            (false, allowed) => {
                assert_eq!(state, object.state, "{told}: a refusal changed the state");
                assert!(allowed.is_none() || !has_to_succeed(step), "{told}: it should have worked");
            }
        }
        object.state = state;
        seen.insert(state);
        succeeded += u64::from(worked);
        if state == State::DestroyedCompromised || (state == State::Destroyed && random.below(4) == 0) {
            objects[at] = make(&mut connection, &mut random, version);
        }
    }
    // The walk means something only if it came around.
    assert_eq!(seen.len(), 6, "{seen:?}");
    assert!(succeeded * 10 > steps, "{succeeded} of {steps} steps worked");
    locate_agrees(&mut connection, &objects);
}

/// What Locate finds by each state is what the objects are in, destroyed ones found only by asking for them.
fn locate_agrees(connection: &mut Connection, objects: &[Object]) {
    for state in [State::PreActive, State::Active, State::Deactivated, State::Compromised] {
        let request =
            LocateRequest { attributes: vec![AttributeValue::State(state).into()], ..LocateRequest::default() };
        let found = connection.request(ProtocolVersion::V1_4, request).unwrap().unique_identifiers;
        for object in objects {
            assert_eq!(found.contains(&object.id), object.state == state, "{object:?} and a Locate of {state}");
        }
    }
}
