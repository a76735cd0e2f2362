//! The client against a TLS server that answers well, badly and not at all.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use std::sync::Arc;

use kmip::ProtocolVersion;
use kmip::message::{Outcome, RequestMessage, ResponseItem, ResponseMessage};
use kmip::object::{KeyBlock, ManagedObject, SymmetricKey};
use kmip::payload::{ActivateRequest, ActivateResponse, DestroyResponse, GetRequest, GetResponse};
use kmip::registry::{CryptographicAlgorithm, ObjectType, Operation, ResultReason, ResultStatus};
use kmip::ttlv::DateTime;
use kmip_client::{Client, ClientIdentity, Error, Limits, TlsVersions, tls_config_for};
use rustls::AlertDescription;
use secret::Secret;
use support::{Reply, Seen, Server};

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;

/// A server that answers each item of a request with `answer`.
async fn server(mut answer: impl FnMut(usize, &RequestMessage) -> Option<Outcome> + Send + 'static) -> Server {
    Server::start(move |bytes| {
        let request = RequestMessage::decode(bytes).unwrap();
        let items = request.items.iter().enumerate().map_while(|(number, item)| {
            answer(number, &request).map(|outcome| ResponseItem {
                operation: item.operation_code(),
                unique_batch_item_id: item.unique_batch_item_id.clone(),
                outcome,
            })
        });
        let items = items.collect();
        Reply::Bytes(ResponseMessage::new(request.header.version, DateTime(0), items).encode().to_vec())
    })
    .await
}

fn activated(id: &str) -> Outcome {
    Outcome::Success(ActivateResponse { unique_identifier: id.into() }.into())
}

async fn connect(server: &Server) -> Client {
    Client::connect(server.address, "localhost", server.identity(), server.roots()).await.unwrap()
}

#[tokio::test]
async fn a_key_comes_back_over_both_versions_of_tls() {
    for (versions, negotiated) in [
        (TlsVersions::Only12, rustls::ProtocolVersion::TLSv1_2),
        (TlsVersions::Only13, rustls::ProtocolVersion::TLSv1_3),
        (TlsVersions::Both, rustls::ProtocolVersion::TLSv1_3),
    ] {
        let mut server = server(|_, _| {
            let key_block = KeyBlock::raw(Secret::copy_from(&[7; 32]), CryptographicAlgorithm::Aes, 256);
            let object = ManagedObject::SymmetricKey(SymmetricKey { key_block });
            let object_type = ObjectType::SymmetricKey;
            Some(Outcome::Success(GetResponse { object_type, unique_identifier: "k".into(), object }.into()))
        })
        .await;
        let tls = Arc::new(tls_config_for(server.identity(), server.roots(), versions).unwrap());
        let mut client = Client::connect_with(server.address, "127.0.0.1", tls, Limits::default()).await.unwrap();
        let got = client.request(V1_4, GetRequest::default()).await.unwrap();
        assert_eq!(got.object.key_block().unwrap().material().unwrap().secret().unwrap().expose(), [7; 32]);
        client.close().await.unwrap();
        assert_eq!(server.next_seen().await, Seen::Handshake(Some(negotiated), 1));
        assert!(matches!(server.next_seen().await, Seen::Piece(_)));
        assert_eq!(server.next_seen().await, Seen::Goodbye);
    }
}

#[tokio::test]
async fn a_connection_may_end_before_any_request() {
    // The trust probe of vCenter.
    let mut server = server(|_, _| None).await;
    connect(&server).await.close().await.unwrap();
    assert!(matches!(server.next_seen().await, Seen::Handshake(..)));
    assert_eq!(server.next_seen().await, Seen::Goodbye);
}

#[tokio::test]
async fn a_request_leaves_in_one_piece() {
    let mut server = server(|_, _| Some(activated("a"))).await;
    let mut client = connect(&server).await;
    let request = RequestMessage::single(V1_4, ActivateRequest { unique_identifier: Some("a".repeat(4000).into()) });
    client.call(&request).await.unwrap();
    assert!(matches!(server.next_seen().await, Seen::Handshake(..)));
    assert_eq!(server.next_seen().await, Seen::Piece(request.encode().unwrap().len()));
}

#[tokio::test]
async fn a_refusal_is_an_error_with_its_reason_and_leaves_the_connection_usable() {
    let mut refused = false;
    let server = server(move |_, _| {
        Some(if std::mem::replace(&mut refused, true) {
            activated("a")
        } else {
            Outcome::failed(ResultReason::ItemNotFound, "no such object")
        })
    })
    .await;
    let mut client = connect(&server).await;
    let error = client.request(V1_4, ActivateRequest::default()).await.unwrap_err();
    assert_eq!(error.reason(), Some(ResultReason::ItemNotFound));
    assert_eq!(error.to_string(), "Operation Failed: Item Not Found: no such object");
    assert_eq!(client.request(V1_4, ActivateRequest::default()).await.unwrap().unique_identifier, "a");
}

#[tokio::test]
async fn a_batch_has_as_many_results_as_were_begun() {
    let server = server(|number, _| match number {
        0 => Some(activated("a")),
        1 => Some(Outcome::failed(ResultReason::PermissionDenied, "")),
        _ => None,
    })
    .await;
    let payloads = || (0..3).map(|_| ActivateRequest::default().into());
    let results = connect(&server).await.batch(V1_4, payloads()).await.unwrap();
    let [Ok(_), Err(Error::Failed { status, reason, message })] = &results[..] else { panic!("{results:?}") };
    assert_eq!((*status, *reason), (ResultStatus::OperationFailed, ResultReason::PermissionDenied));
    assert!(message.is_empty());
}

#[tokio::test]
async fn an_answer_to_something_else_is_refused() {
    let other = || Outcome::Success(DestroyResponse { unique_identifier: "a".into() }.into());
    let wrong_operation = Server::start(move |_| {
        let item =
            ResponseItem { operation: Some(Operation::Destroy.value()), unique_batch_item_id: None, outcome: other() };
        Reply::Bytes(ResponseMessage::new(V1_4, DateTime(0), vec![item]).encode().to_vec())
    })
    .await;
    let error = connect(&wrong_operation).await.request(V1_4, ActivateRequest::default()).await.unwrap_err();
    assert!(matches!(error, Error::Mismatch(_)), "{error:?}");

    let wrong_marks = Server::start(|_| {
        let items = [2, 1].map(|number: u8| ResponseItem {
            operation: Some(Operation::Activate.value()),
            unique_batch_item_id: Some(vec![0, 0, 0, number]),
            outcome: activated("a"),
        });
        Reply::Bytes(ResponseMessage::new(V1_4, DateTime(0), items.into()).encode().to_vec())
    })
    .await;
    let payloads = (0..2).map(|_| ActivateRequest::default().into());
    let error = connect(&wrong_marks).await.batch(V1_4, payloads).await.unwrap_err();
    assert!(matches!(error, Error::Mismatch(_)), "{error:?}");
}

#[tokio::test]
async fn an_answer_to_an_unreadable_message_is_a_failure() {
    let server = Server::start(|_| {
        let item = ResponseItem::failure(None, None, ResultReason::InvalidMessage, "message cannot be parsed");
        Reply::Bytes(ResponseMessage::new(V1_4, DateTime(0), vec![item]).encode().to_vec())
    })
    .await;
    let error = connect(&server).await.request(V1_4, ActivateRequest::default()).await.unwrap_err();
    assert_eq!(error.reason(), Some(ResultReason::InvalidMessage));
}

#[tokio::test]
async fn an_announced_length_over_the_limit_is_refused_before_it_is_stored() {
    let server = Server::start(|_| Reply::Bytes([0x42, 0, 0x7B, 1, 0xFF, 0xFF, 0xFF, 0xF8].to_vec())).await;
    let mut client = connect(&server).await;
    let error = client.send_raw(&[0; 8]).await.unwrap_err();
    assert!(matches!(error, Error::TooLong { announced: 0x1_0000_0000, .. }), "{error:?}");
    assert!(matches!(client.send_raw(&[0; 8]).await, Err(Error::Broken)));
}

#[tokio::test]
async fn the_longest_answer_is_taken_and_one_byte_more_is_not() {
    let server = Server::start(|request| {
        let mut answer = vec![0; 8 + request.len()];
        answer[4..8].copy_from_slice(&u32::try_from(request.len()).unwrap().to_be_bytes());
        Reply::Bytes(answer)
    })
    .await;
    let tls = Arc::new(tls_config_for(server.identity(), server.roots(), TlsVersions::Both).unwrap());
    let limits = Limits { response_len: 8 + 1000, ..Limits::default() };
    let mut client = Client::connect_with(server.address, "localhost", tls, limits).await.unwrap();
    assert_eq!(client.send_raw(&[1; 1000]).await.unwrap().len(), 1008);
    assert!(matches!(client.send_raw(&[1; 1001]).await, Err(Error::TooLong { announced: 1009, limit: 1008 })));
}

#[tokio::test]
async fn an_answer_that_is_no_message_is_refused() {
    let server = Server::start(|_| Reply::Bytes(vec![0; 8])).await;
    let error = connect(&server).await.request(V1_4, ActivateRequest::default()).await.unwrap_err();
    assert!(matches!(error, Error::Decode(_)), "{error:?}");
}

#[tokio::test]
async fn half_an_answer_is_a_broken_connection() {
    let server = Server::start(|_| Reply::BytesThenEnd([0x42, 0, 0x7B, 1, 0, 0, 0, 64, 1, 2].to_vec())).await;
    let mut client = connect(&server).await;
    let error = client.send_raw(&[0; 8]).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert!(matches!(client.send_raw(&[0; 8]).await, Err(Error::Broken)));
}

#[tokio::test]
async fn a_silent_server_is_given_up_at_the_deadline() {
    let server = Server::start(|_| Reply::Silence).await;
    let mut client = connect(&server).await;
    // From here on time jumps to the next deadline whenever nothing else is left to do.
    tokio::time::pause();
    let error = client.send_raw(&[0; 8]).await.unwrap_err();
    assert!(matches!(error, Error::Deadline { phase: "call" }), "{error:?}");
    assert!(matches!(client.send_raw(&[0; 8]).await, Err(Error::Broken)));
}

#[tokio::test]
async fn a_server_that_never_ends_the_handshake_is_given_up_at_the_deadline() {
    let server = server(|_, _| None).await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    tokio::time::pause();
    let error = Client::connect(address, "localhost", server.identity(), server.roots()).await.unwrap_err();
    assert!(matches!(error, Error::Deadline { phase: "connect" }), "{error:?}");
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_no_usable_connection() {
    let mut server = Server::start(|_| Reply::Silence).await;
    let mut client = connect(&server).await;
    assert!(matches!(server.next_seen().await, Seen::Handshake(..)));
    tokio::select! {
        answer = client.send_raw(&[0; 8]) => panic!("{answer:?}"),
        seen = server.next_seen() => assert_eq!(seen, Seen::Piece(8)),
    }
    assert!(matches!(client.send_raw(&[0; 8]).await, Err(Error::Broken)));
}

#[tokio::test]
async fn a_server_of_another_authority_is_not_trusted() {
    let (ours, theirs) = (server(|_, _| None).await, server(|_, _| None).await);
    let error = Client::connect(ours.address, "localhost", ours.identity(), theirs.roots()).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert_eq!(error.alert(), None);
}

#[tokio::test]
async fn a_server_of_another_name_is_not_trusted() {
    let server = server(|_, _| None).await;
    for name in ["example.org", "127.0.0.2"] {
        let error = Client::connect(server.address, name, server.identity(), server.roots()).await.unwrap_err();
        assert!(matches!(error, Error::Transport(_)), "{error:?}");
    }
    let error = Client::connect(server.address, "not a name", server.identity(), server.roots()).await.unwrap_err();
    assert!(matches!(error, Error::Tls(_)), "{error:?}");
}

#[tokio::test]
async fn a_refused_certificate_is_told_by_the_alert() {
    let (ours, theirs) = (server(|_, _| None).await, server(|_, _| None).await);
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        let tls = Arc::new(tls_config_for(theirs.identity(), ours.roots(), versions).unwrap());
        let error = match Client::connect_with(ours.address, "localhost", tls, Limits::default()).await {
            Err(error) => error,
            // With TLS 1.3 the client is done before the server has looked at the certificate.
            Ok(mut client) => client.request(V1_4, ActivateRequest::default()).await.unwrap_err(),
        };
        assert_eq!(error.alert(), Some(AlertDescription::UnknownCA), "{error:?}");
    }
}

#[tokio::test]
async fn nobody_listening_is_a_transport_error() {
    let server = server(|_, _| None).await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = Client::connect(free, "localhost", server.identity(), server.roots()).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
}

#[tokio::test]
async fn what_the_version_cannot_express_is_not_sent() {
    let mut server = server(|_, _| None).await;
    let mut client = connect(&server).await;
    let discover = kmip::payload::DiscoverVersionsRequest::default();
    let error = client.request(ProtocolVersion::V1_0, discover).await.unwrap_err();
    assert!(matches!(error, Error::Encode(_)), "{error:?}");
    client.close().await.unwrap();
    assert!(matches!(server.next_seen().await, Seen::Handshake(..)));
    assert_eq!(server.next_seen().await, Seen::Goodbye);
}

#[test]
fn an_identity_is_read_from_pem_and_shows_no_key() {
    let issued = certs::Authority::new("test").unwrap().issue_client("client").unwrap();
    let identity = support::identity(&issued);
    assert_eq!(format!("{identity:?}"), "ClientIdentity(1 certificates)");
    assert!(matches!(ClientIdentity::from_pem(issued.cert_pem.as_bytes(), b"no key"), Err(Error::Pem(_))));
    let empty = ClientIdentity::from_pem(b"", issued.key_pem.as_bytes());
    assert!(matches!(empty, Err(Error::Pem(_))), "{empty:?}");
}
