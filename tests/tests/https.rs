//! KMIP over HTTPS against the whole server: every encoding, on the KMIP address, and what is no request for it.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use kmip::ProtocolVersion;
use kmip::encoding::Encoding;
use kmip::message::{Outcome, RequestMessage, ResponseMessage};
use kmip::payload::{DiscoverVersionsRequest, GetRequest, QueryRequest, ResponsePayload};
use kmip::registry::{QueryFunction, ResultReason};
use system_tests::asking;
use system_tests::exported;
use system_tests::node::{Node, Web, WebAnswer};
use system_tests::oasis::Exchange;

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;

fn outcome(answer: &[u8]) -> Outcome {
    ResponseMessage::decode(answer).unwrap().items.remove(0).outcome
}

fn single(payload: impl Into<kmip::payload::RequestPayload>) -> Vec<u8> {
    RequestMessage::single(V1_4, payload).encode().unwrap().to_vec()
}

#[test]
fn a_key_made_in_one_encoding_is_fetched_in_every_other_and_by_plain_ttlv() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("https", "anssi").unwrap();
    let mut web = Web::open(&node, &tenant.identity, Encoding::Json).unwrap();
    let created = web.exchange(&single(asking::aes(vec![asking::name("of JSON")]))).unwrap();
    let Outcome::Success(ResponsePayload::Create(created)) = outcome(&created) else { panic!("{created:?}") };
    let id = created.unique_identifier;
    let key = |answer: &[u8]| match outcome(answer) {
        Outcome::Success(ResponsePayload::Get(got)) => asking::bytes(&got).unwrap().to_vec(),
        other => panic!("{other:?}"),
    };
    let mut plain = node.connect(&tenant.identity).unwrap();
    let expected = key(&plain.exchange(&single(GetRequest::of(&id))).unwrap());
    assert_eq!(expected.len(), 32);
    for encoding in [Encoding::Ttlv, Encoding::Xml, Encoding::Json] {
        let mut web = Web::open(&node, &tenant.identity, encoding).unwrap();
        // Twice over one connection.
        for _ in 0..2 {
            assert_eq!(key(&web.exchange(&single(GetRequest::of(&id))).unwrap()), expected, "{encoding:?}");
        }
    }
}

#[test]
fn what_is_no_message_is_answered_in_its_own_encoding_and_recorded() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("https", "anssi").unwrap();
    let web = Web::open(&node, &tenant.identity, Encoding::Json).unwrap();
    let refused = |encoding: Encoding, body: &[u8]| {
        let answer = web.post(encoding.content_type(), body).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        let ttlv = encoding.to_ttlv(&answer.body).unwrap();
        match outcome(&ttlv) {
            Outcome::Failure { reason, .. } => assert_eq!(reason, ResultReason::InvalidMessage),
            other => panic!("{other:?}"),
        }
    };
    refused(Encoding::Json, b"{\"tag\":\"RequestMessage\",");
    refused(Encoding::Json, b"[]");
    refused(Encoding::Xml, b"<RequestMessage><NoSuchTag type=\"Integer\" value=\"1\"/></RequestMessage>");
    refused(Encoding::Xml, &[0xff, 0xfe, 0x00]);
    refused(Encoding::Ttlv, &[0x42, 0x00, 0x78, 0x01, 0, 0, 0, 8]);
    let records = exported::records(&node, &tenant.name).unwrap();
    assert_eq!(records.iter().filter(|record| record.operation == "unreadable message").count(), 5, "{records:?}");
}

#[test]
fn only_post_to_the_one_path_in_a_known_encoding_is_a_request() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("https", "anssi").unwrap();
    let web = Web::open(&node, &tenant.identity, Encoding::Json).unwrap();
    let query = single(QueryRequest::of(vec![QueryFunction::QueryOperations]));
    let ttlv = Encoding::Ttlv.content_type();
    let status = |answer: WebAnswer| answer.status;
    assert_eq!(status(web.post(ttlv, &query).unwrap()), 200);
    assert_eq!(status(web.post_to_path("/", ttlv, &query).unwrap()), 404);
    assert_eq!(status(web.post_to_path("/kmip/more", ttlv, &query).unwrap()), 404);
    assert_eq!(status(web.post("application/x-www-form-urlencoded", &query).unwrap()), 415);
    let long = vec![b' '; 5 << 20];
    assert_eq!(status(web.post(Encoding::Json.content_type(), &long).unwrap()), 413);
    // None of this took the service from others.
    assert_eq!(status(web.post(ttlv, &query).unwrap()), 200);
}

#[test]
fn a_revoked_client_is_refused_on_the_connection_it_has() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("https", "anssi").unwrap();
    let mut web = Web::open(&node, &tenant.identity, Encoding::Xml).unwrap();
    let ask = single(DiscoverVersionsRequest::default());
    assert!(matches!(outcome(&web.exchange(&ask).unwrap()), Outcome::Success(_)));
    let fingerprint = certs::spki_fingerprint(&tenant.identity.cert_der).unwrap();
    node.revoke(&tenant.name, admin_api::Fingerprint(fingerprint)).unwrap();
    // Over the open connection the message is refused; were it closed meanwhile, no new one would be let in.
    match web.exchange(&ask) {
        Ok(answer) => match outcome(&answer) {
            Outcome::Failure { reason, .. } => assert_eq!(reason, ResultReason::AuthenticationNotSuccessful),
            other => panic!("{other:?}"),
        },
        Err(error) => assert!(!error.contains("HTTP 200"), "{error}"),
    }
}
