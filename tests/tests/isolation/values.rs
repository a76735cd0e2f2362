//! Values that the server gave to another domain: of answers that wait, of streams, of tickets; and news from elsewhere.

use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue, Identifier};
use kmip::message::{Credential, Outcome as Answer, SUPPORTED_VERSIONS, TicketCredential};
use kmip::payload::{
    AsynchronousCorrelationValues, AttributeChanges, CancelRequest, DelegatedLoginRequest, GetAttributeListRequest,
    GetRequest, LocateRequest, LoginRequest, LogoutRequest, NotifyRequest, Objects, Operations, PollRequest,
    ProcessRequest, PutRequest, QueryAsynchronousRequestsRequest, RequestPayload, ResponsePayload, Right, Rights,
    Ticket,
};
use kmip::registry::{AsynchronousIndicator, CancellationResult, Operation, PutFunction, ResultReason, TicketType};
use kmip::ttlv::DateTime;
use secret::Secret;
use system_tests::asking;
use system_tests::node::Node;
use uuid::Uuid;

use crate::{answer_to, is_not_found};

#[test]
fn an_answer_of_another_domain_is_one_that_nobody_waits_for() {
    let node = Node::start().unwrap();
    let (owner, asker) = (node.tenant("owner", "anssi").unwrap(), node.tenant("asker", "anssi").unwrap());
    let mut owners = node.connect(&owner.identity).unwrap();
    let mut askers = node.connect(&asker.identity).unwrap();
    for version in SUPPORTED_VERSIONS {
        let later = if version.is_2_x() { AsynchronousIndicator::Mandatory } else { AsynchronousIndicator::Optional };
        let put_off = answer_to(&mut owners, version, LocateRequest::default(), Some(later), None);
        let Answer::Pending { asynchronous_correlation_value: given } = put_off else { panic!("{put_off:?}") };
        let never_given = Uuid::new_v4().into_bytes().to_vec();
        let mut answers = [given.clone(), never_given].map(|value| {
            let asynchronous_correlation_value = value.clone();
            let poll = PollRequest { asynchronous_correlation_value: value.clone() };
            let cancel = CancelRequest { asynchronous_correlation_value };
            let mut found = vec![
                answer_to(&mut askers, version, poll, None, None),
                answer_to(&mut askers, version, cancel, None, None),
            ];
            if version == ProtocolVersion::V2_1 {
                let process = ProcessRequest { asynchronous_correlation_value: value.clone() };
                found.push(answer_to(&mut askers, version, process, None, None));
                let query = QueryAsynchronousRequestsRequest {
                    asynchronous_correlation_values: Some(AsynchronousCorrelationValues { values: vec![value] }),
                    operations: None,
                };
                found.push(answer_to(&mut askers, version, query, None, None));
            }
            found
        });
        for answer in answers.iter_mut().flatten() {
            // In 1.x the answer to Cancel repeats the value that was asked about.
            if let Answer::Success(ResponsePayload::Cancel(cancel)) = answer {
                assert_eq!(cancel.cancellation_result, CancellationResult::Unavailable);
                cancel.asynchronous_correlation_value.clear();
            }
        }
        let [foreign, absent] = answers;
        assert_eq!(foreign, absent, "version {version}");
        assert!(matches!(foreign[0], Answer::Failure { .. }), "{foreign:?}");
        // Its own client has it as if nobody had asked, and once.
        let poll = || PollRequest { asynchronous_correlation_value: given.clone() };
        let own = answer_to(&mut owners, version, poll(), None, None);
        assert!(matches!(own, Answer::Success(ResponsePayload::Locate(_))), "version {version}: {own:?}");
        let again = answer_to(&mut owners, version, poll(), None, None);
        assert_eq!(again, absent[0], "version {version}");
    }
}

#[test]
fn news_of_an_object_of_another_domain_are_news_of_none() {
    let node = Node::start().unwrap();
    let (owner, asker) = (node.tenant("owner", "anssi").unwrap(), node.tenant("asker", "anssi").unwrap());
    let mut owners = node.connect(&owner.identity).unwrap();
    let mut askers = node.connect(&asker.identity).unwrap();
    let material = [7; 32];
    for version in SUPPORTED_VERSIONS {
        let held = owners.request(version, asking::known_aes(&material, Vec::new())).unwrap().unique_identifier;
        let news = |id: &str, material: &[u8]| -> [RequestPayload; 2] {
            let date = Attribute::new(AttributeValue::LastChangeDate(DateTime(1)));
            let changes = AttributeChanges { changed: vec![date.clone()], ..AttributeChanges::default() };
            let put = PutRequest {
                unique_identifier: id.to_owned(),
                put_function: PutFunction::New,
                replaced_unique_identifier: None,
                object: asking::known_aes(material, Vec::new()).object,
                attributes: vec![date],
            };
            [NotifyRequest { unique_identifier: id.to_owned(), changes }.into(), put.into()]
        };
        let absent = Uuid::now_v7().to_string();
        let [of_foreign, of_absent] = [&held, &absent]
            .map(|id| news(id, &material).map(|payload| answer_to(&mut askers, version, payload, None, None)));
        assert_eq!(of_foreign, of_absent, "version {version}");
        assert!(of_foreign.iter().all(is_not_found), "version {version}: {of_foreign:?}");
        let of_own = news(&held, &material).map(|payload| answer_to(&mut owners, version, payload, None, None));
        assert!(of_own.iter().all(|answer| matches!(answer, Answer::Success(_))), "version {version}: {of_own:?}");
        // Another key under its identifier has not arrived, and is not said to have.
        let [_, other] = news(&held, &[8; 32]).map(|payload| answer_to(&mut owners, version, payload, None, None));
        assert!(matches!(other, Answer::Failure { reason: ResultReason::FeatureNotSupported, .. }), "{other:?}");
    }
}

#[test]
fn a_ticket_of_another_domain_is_none() {
    const V2_1: ProtocolVersion = ProtocolVersion::V2_1;
    let node = Node::start().unwrap();
    let (owner, asker) = (node.tenant("owner", "anssi").unwrap(), node.tenant("asker", "anssi").unwrap());
    let mut owners = node.connect(&owner.identity).unwrap();
    let mut askers = node.connect(&asker.identity).unwrap();
    let login = answer_to(&mut owners, V2_1, LoginRequest::default(), None, None);
    let Answer::Success(ResponsePayload::Login(login)) = login else { panic!("{login:?}") };
    let given = login.ticket.ticket_value.expose().to_vec();
    let ticket = |value: &[u8]| Ticket { ticket_type: TicketType::Login, ticket_value: Secret::copy_from(value) };
    let shown = |value: &[u8]| Some(Credential::Ticket(TicketCredential { ticket: ticket(value) }));
    let [foreign, absent] = [given.clone(), vec![7; given.len()]].map(|value| {
        [
            answer_to(&mut askers, V2_1, LocateRequest::default(), None, shown(&value)),
            answer_to(&mut askers, V2_1, LogoutRequest { ticket: ticket(&value) }, None, None),
        ]
    });
    assert_eq!(foreign, absent);
    assert!(foreign.iter().all(|answer| matches!(answer, Answer::Failure { .. })), "{foreign:?}");
    let own = answer_to(&mut owners, V2_1, LocateRequest::default(), None, shown(&given));
    assert!(matches!(own, Answer::Success(_)), "{own:?}");
    let logout = answer_to(&mut owners, V2_1, LogoutRequest { ticket: ticket(&given) }, None, None);
    assert!(matches!(logout, Answer::Success(_)), "{logout:?}");
    let ended = answer_to(&mut owners, V2_1, LocateRequest::default(), None, shown(&given));
    assert_eq!(ended, absent[0]);
}

#[test]
fn a_delegated_ticket_reaches_what_its_rights_say_and_nothing_of_another_domain() {
    const V2_1: ProtocolVersion = ProtocolVersion::V2_1;
    let node = Node::start().unwrap();
    let (owner, asker) = (node.tenant("owner", "anssi").unwrap(), node.tenant("asker", "anssi").unwrap());
    let mut owners = node.connect(&owner.identity).unwrap();
    let mut askers = node.connect(&asker.identity).unwrap();
    let foreign = askers.request(V2_1, asking::aes(Vec::new())).unwrap().unique_identifier;
    let [named, other] = [(); 2].map(|()| owners.request(V2_1, asking::aes(Vec::new())).unwrap().unique_identifier);
    let right = Right {
        operations: Some(Box::new(Operations { operations: vec![Operation::GetAttributeList, Operation::Locate] })),
        objects: Some(Box::new(Objects {
            unique_identifiers: vec![Identifier::from(&named), Identifier::from(&foreign)],
        })),
        ..Right::default()
    };
    let login = DelegatedLoginRequest {
        lease_time: None,
        request_count: None,
        usage_limits: None,
        rights: Rights { rights: vec![right] },
    };
    let granted = answer_to(&mut owners, V2_1, login, None, None);
    let Answer::Success(ResponsePayload::DelegatedLogin(granted)) = granted else { panic!("{granted:?}") };
    let mut with_ticket = |payload: RequestPayload| {
        let ticket_value = Secret::copy_from(granted.ticket.ticket_value.expose());
        let ticket = Ticket { ticket_type: TicketType::Login, ticket_value };
        answer_to(&mut owners, V2_1, payload, None, Some(Credential::Ticket(TicketCredential { ticket })))
    };
    let list = |id: &str| GetAttributeListRequest { unique_identifier: Some(Identifier::from(id)) }.into();
    assert!(matches!(with_ticket(list(&named)), Answer::Success(_)));
    let beside = with_ticket(list(&other));
    assert!(matches!(beside, Answer::Failure { reason: ResultReason::PermissionDenied, .. }), "{beside:?}");
    let away = with_ticket(list(&foreign));
    assert!(is_not_found(&away), "{away:?}");
    // Neither what no right names, nor what would go beyond the objects that it names, nor a ticket for more.
    for refused in [
        GetRequest::of(&named).into(),
        LocateRequest::default().into(),
        LoginRequest::default().into(),
        asking::aes(Vec::new()).into(),
    ] {
        let answer = with_ticket(refused);
        assert!(matches!(answer, Answer::Failure { reason: ResultReason::PermissionDenied, .. }), "{answer:?}");
    }
}
