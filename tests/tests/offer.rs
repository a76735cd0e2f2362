//! What an operator switches off is refused, on a real node; the same requests on a node as it comes are the control.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use admin_api::Permission;
use kmip::ProtocolVersion;
use kmip::attribute::CryptographicParameters;
use kmip::message::{Outcome, RequestMessage};
use kmip::payload::{
    Data, ExportRequest, HashRequest, ImportRequest, PollRequest, QueryRequest, ReProvisionRequest, RequestPayload,
};
use kmip::registry::{
    AsynchronousIndicator, BatchErrorContinuationOption, HashingAlgorithm, Operation, QueryFunction, ResultReason,
};
use secret::Secret;
use system_tests::asking;
use system_tests::node::{Connection, Node};
use xtask::stage::StageOptions;

const V2_1: ProtocolVersion = ProtocolVersion::V2_1;

fn outcome(client: &mut Connection, message: RequestMessage) -> Outcome {
    client.call(message).unwrap().items.pop().unwrap().outcome
}

fn under(option: BatchErrorContinuationOption) -> RequestMessage {
    let mut message = RequestMessage::batch(V2_1, vec![RequestPayload::from(asking::aes(Vec::new()))]);
    message.header.batch_error_continuation = Some(option);
    message
}

fn later() -> RequestMessage {
    let mut message = RequestMessage::single(V2_1, asking::aes(Vec::new()));
    message.header.asynchronous = Some(AsynchronousIndicator::Mandatory);
    message
}

fn first_part() -> RequestMessage {
    let hash = HashRequest {
        cryptographic_parameters: Box::new(CryptographicParameters {
            hashing_algorithm: Some(HashingAlgorithm::Sha256),
            ..CryptographicParameters::default()
        }),
        data: Some(Data::Bytes(Secret::copy_from(b"x"))),
        correlation_value: None,
        init_indicator: Some(true),
        final_indicator: None,
    };
    RequestMessage::single(V2_1, hash)
}

#[test]
fn what_is_switched_off_is_refused_and_query_says_so() {
    let sections = "[offer]\nstreaming = false\nasynchronous = false\nbatch_undo = false\nbatch_continue = false\n";
    for (sections, on) in [("", true), (sections, false)] {
        let options = StageOptions { sections: sections.to_owned(), ..StageOptions::default() };
        let node = Node::start_with(&options, &[]).unwrap();
        let tenant = node.tenant("offer", "anssi").unwrap();
        let mut client = node.connect(&tenant.identity).unwrap();
        let query = QueryRequest::of(vec![QueryFunction::QueryCapabilities, QueryFunction::QueryOperations]);
        let told = client.request(V2_1, query).unwrap();
        let capabilities = &told.capability_information[0];
        assert_eq!(capabilities.streaming_capability, Some(on));
        assert_eq!(capabilities.asynchronous_capability, Some(on));
        assert_eq!(capabilities.batch_undo_capability, Some(on));
        assert_eq!(capabilities.batch_continue_capability, Some(on));
        assert_eq!(told.operations.contains(&Operation::Poll), on);

        let requests = [
            under(BatchErrorContinuationOption::Undo),
            under(BatchErrorContinuationOption::Continue),
            later(),
            first_part(),
        ];
        for (number, request) in requests.into_iter().enumerate() {
            let outcome = outcome(&mut client, request);
            let refused = matches!(outcome, Outcome::Failure { reason: ResultReason::FeatureNotSupported, .. });
            assert_eq!(refused, !on, "request {number} with all {on}: {outcome:?}");
            // What comes later has to have come before it is counted.
            if let Outcome::Pending { asynchronous_correlation_value } = outcome {
                let poll = RequestMessage::single(V2_1, PollRequest { asynchronous_correlation_value });
                let made = self::outcome(&mut client, poll);
                assert!(matches!(made, Outcome::Success(_)), "{made:?}");
            }
        }
        // Without a wish for what is off, everything goes on; nothing of what was refused was done.
        outcome(&mut client, under(BatchErrorContinuationOption::Stop));
        let keys = client.request(V2_1, kmip::payload::LocateRequest::default()).unwrap().unique_identifiers.len();
        assert_eq!(keys, if on { 4 } else { 1 });
        let poll = RequestMessage::single(V2_1, PollRequest { asynchronous_correlation_value: vec![1; 16] });
        let Outcome::Failure { reason, .. } = outcome(&mut client, poll) else { panic!("polled out of nothing") };
        assert_eq!(reason == ResultReason::OperationNotSupported, !on, "{reason:?}");
    }
}

#[test]
fn query_lists_what_the_domain_permits_and_everything_else_is_refused() {
    let node = Node::start().unwrap();
    let wanting = [
        (Permission::Export, Operation::Export),
        (Permission::Import, Operation::Import),
        (Permission::ReProvision, Operation::ReProvision),
    ];
    let request = |operation| match operation {
        Operation::Export => RequestPayload::from(ExportRequest::default()),
        Operation::Import => ImportRequest {
            unique_identifier: "0190163d-8694-739b-aea5-966c26f8ad91".to_owned(),
            object_type: None,
            replace_existing: None,
            key_wrap_type: None,
            attributes: Vec::new(),
            object: asking::known_aes(&[2; 32], Vec::new()).object,
        }
        .into(),
        _ => ReProvisionRequest::default().into(),
    };
    for allowed in [None, Some(Permission::Export), Some(Permission::Import), Some(Permission::ReProvision)] {
        let tenant = node.tenant_allowed("permits", "anssi", allowed.into_iter().collect(), None).unwrap();
        let mut client = node.connect(&tenant.identity).unwrap();
        let query = QueryRequest::of(vec![QueryFunction::QueryOperations]);
        let listed = client.request(V2_1, query).unwrap().operations;
        for (permission, operation) in wanting {
            let permitted = allowed == Some(permission);
            assert_eq!(listed.contains(&operation), permitted, "{operation} where {allowed:?}");
            let outcome = outcome(&mut client, RequestMessage::single(V2_1, request(operation)));
            let refused = matches!(outcome, Outcome::Failure { reason: ResultReason::PermissionDenied, .. });
            assert_eq!(refused, !permitted, "{operation} where {allowed:?}: {outcome:?}");
        }
    }
}
