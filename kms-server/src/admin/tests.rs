//! The HTTP layer over real sockets and real handshakes.

mod memory;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use admin_api::{
    Access, AuditFormat, AuditQuery, ClientAccess, ClientError, Credential, DomainChange, Effect, ErrorCode,
    Fingerprint, IssueClient, NewCredential, NewDomain, NewHold, NewRetention, ProofQuery, RegisterClient,
    RevocationReason, RevokeObject, SecretText,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use self::memory::ID;
use self::world::{World, read_all, silent};
use super::backend::NobodyReads;
use crate::shell::service::StrangerKind;

#[tokio::test]
async fn every_call_of_the_client_arrives_whole_and_with_its_caller() {
    let world = World::new().await;
    let calls = world
        .call(|client| {
            let who = Fingerprint([0xab; 32]);
            let revoke =
                RevokeObject { reason: RevocationReason::Superseded, message: None, compromise_occurrence: None };
            let credential =
                Some(Credential { username: "u".to_owned(), password: SecretText::new("p\"w".to_owned()) });
            let user = NewCredential {
                username: Some("fred".to_owned()),
                device: None,
                password: Some(SecretText::new("p".to_owned())),
                access: Access { own: true, operations: Some(vec!["Get".to_owned()]) },
            };
            client.health()?;
            client.hsm_status()?;
            client.trust_anchor()?;
            client.domain_list()?;
            client.domain_create(&NewDomain {
                name: "acme".to_owned(),
                policy: Some("legacy".to_owned()),
                allow: Vec::new(),
            })?;
            client.domain_show("a/b é")?;
            client.domain_change("acme", DomainChange::Freeze, Effect::Real)?;
            client.domain_change("acme", DomainChange::Thaw, Effect::DryRun)?;
            client.domain_change("acme", DomainChange::RotateKey, Effect::Real)?;
            assert_eq!(client.domain_verify("acme")?.records, 2);
            assert_eq!(client.retention("system")?.days, 184);
            let pilot = NewRetention { days: Some(30), reason: Some("a pilot".to_owned()) };
            client.retention_set("acme", &pilot, Effect::DryRun)?;
            client.hold_set("acme", &NewHold { name: "a/b".to_owned(), reason: "é".to_owned() })?;
            client.hold_lift("acme", "a/b é", Effect::DryRun)?;
            client.client_list("acme")?;
            let register = RegisterClient { certificate: "PEM".to_owned(), name: None, credential };
            client.client_register("acme", &register)?;
            let issue = IssueClient { name: "vc".to_owned(), csr: Some("CSR".to_owned()), credential: None };
            assert_eq!(client.client_issue("acme", &issue)?.private_key.unwrap().expose(), "KEY");
            client.client_revoke("acme", who, Effect::Real)?;
            client.client_revoke("acme", who, Effect::DryRun)?;
            client.credential_add("acme", who, &user)?;
            client.credential_remove("acme", who, "fred/é", Effect::DryRun)?;
            let demanded = ClientAccess { credential_demanded: true, ..ClientAccess::default() };
            client.client_access("acme", who, &demanded, Effect::DryRun)?;
            client.object_list("acme", None, None)?;
            client.object_list("acme", Some(ID), Some(1000))?;
            assert_eq!(client.object_show("acme", ID)?.id, ID);
            client.object_revoke("acme", ID, &revoke, Effect::DryRun)?;
            client.object_destroy("acme", ID, Effect::Real)?;
            client.audit_checkpoint("system")?;
            assert_eq!(
                client.audit_prove("acme", ProofQuery { record: Some(7), ..ProofQuery::default() })?.document,
                "{}\n"
            );
            assert_eq!(client.audit_tile("acme", "tile/0/x001/234.p/7")?, [0, 0xff]);
            let gets = AuditQuery {
                format: AuditFormat::Cef,
                operation: Some("Get Attributes".to_owned()),
                ..AuditQuery::default()
            };
            client.audit_read("acme", &gets, &mut std::io::sink())?;
            let holes = AuditQuery { format: AuditFormat::Bundle, ..gets };
            let refused = client.audit_read("acme", &holes, &mut std::io::sink()).unwrap_err();
            assert_eq!(refused.code(), Some(ErrorCode::BadRequest));
            Ok::<_, ClientError>(())
        })
        .await;
    calls.unwrap();
    let expected = [
        "health",
        "hsm_status",
        "trust_anchor",
        "domain_list",
        "domain_create acme Some(\"legacy\")",
        "domain_show a/b é",
        "domain_change acme Freeze Real",
        "domain_change acme Thaw DryRun",
        "domain_change acme RotateKey Real",
        "domain_verify acme",
        "retention system Show Real",
        "retention acme Days(NewRetention { days: Some(30), reason: Some(\"a pilot\") }) DryRun",
        "retention acme Hold(NewHold { name: \"a/b\", reason: \"é\" }) Real",
        "retention acme Lift(\"a/b é\") DryRun",
        "client_list acme",
        "client_register acme PEM None Some(\"p\\\"w\")",
        "client_issue acme vc Some(\"CSR\")",
        "client_revoke acme ab Real",
        "client_revoke acme ab DryRun",
        "credential_add acme ab Some(\"fred\") Some(\"p\") Access { own: true, operations: Some([\"Get\"]) }",
        "credential_remove acme ab fred/é DryRun",
        "client_access acme ab true DryRun",
        "object_list acme false 100",
        "object_list acme true 1000",
        "object_show acme",
        "object_revoke acme Superseded DryRun",
        "object_destroy acme Real",
        "checkpoint system",
        "audit_prove acme Some(7) None None",
        "audit_tile acme tile/0/x001/234.p/7",
        "audit_export acme Cef Some(\"Get Attributes\")",
    ];
    assert_eq!(world.memory.calls(), expected);
    // What an act does or refuses, it tells itself; the query with holes never became one.
    assert_eq!(world.memory.refusals(), ["GET /v1/domains/acme/audit bad_request"]);
    let callers = world.memory.callers.lock().unwrap();
    let operator = certs::spki_fingerprint(&world.admin.cert_der).unwrap();
    assert!(callers.iter().all(|caller| caller.fingerprint == operator && caller.address.ip().is_loopback()));
    let requests: std::collections::BTreeSet<_> = callers.iter().map(|caller| caller.request).collect();
    assert_eq!(requests.len(), callers.len(), "two requests have one identifier");
}

#[tokio::test]
async fn only_a_registered_key_gets_past_the_handshake() {
    let mut world = World::new().await;
    let stranger = world.client_as(&world.authority.issue_client("operator").unwrap());
    let error = tokio::task::spawn_blocking(move || stranger.health()).await.unwrap().unwrap_err();
    // The reset that follows the alert may overtake it.
    assert!(matches!(error, ClientError::CertificateRefused(_) | ClientError::Unreachable(_)), "{error:?}");
    assert_eq!(world.strangers.recv().await, Some(StrangerKind::Unregistered));
    let mut plain = TcpStream::connect(world.address).await.unwrap();
    plain.write_all(b"GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"));
    assert_eq!(world.strangers.recv().await, Some(StrangerKind::BrokenHandshake));
    assert!(world.memory.calls().is_empty());
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_and_told_and_never_becomes_an_act() {
    let world = World::new().await;
    let mut expected = Vec::new();
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(300_000));
    for (path, content_type, body, status) in [
        ("/v1/domains", "application/json", "{", "400 Bad Request"),
        ("/v1/domains", "application/json", "", "400 Bad Request"),
        ("/v1/domains", "application/json", r#"{"name":"a","polcy":"anssi"}"#, "400 Bad Request"),
        ("/v1/domains", "application/json", r#"{"name":"a b"}"#, "400 Bad Request"),
        ("/v1/domains", "application/json", r#"{"name":"system"}"#, "400 Bad Request"),
        ("/v1/domains", "text/plain", r#"{"name":"a"}"#, "400 Bad Request"),
        ("/v1/domains", "application/x-www-form-urlencoded", "name=a", "400 Bad Request"),
        ("/v1/domains", "application/json", long.as_str(), "413 Payload Too Large"),
        ("/v1/domains/a/clients/issue", "application/json", r#"{"name":""}"#, "400 Bad Request"),
        ("/v1/domains/a/objects/7/revoke", "application/json", r#"{"reason":"superseded"}"#, "400 Bad Request"),
        ("/v1/hsm", "application/json", "{}", "405 Method Not Allowed"),
        ("/v1/nowhere", "application/json", "{}", "404 Not Found"),
        ("/", "application/json", "{}", "404 Not Found"),
    ] {
        let answer = world.post(path, content_type, body).await;
        let code = match status {
            "400 Bad Request" => "bad_request",
            "413 Payload Too Large" => "too_large",
            "405 Method Not Allowed" => "method_not_allowed",
            _ => "not_found",
        };
        expected.push(format!("POST {path} {code}"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{path} {body:.40}: {answer}");
        assert!(answer.contains(r#"{"error":{"code":""#), "{path}: {answer}");
        assert!(answer.contains("cache-control: no-store"), "{path}: {answer}");
    }
    for target in [
        "/v1/domains/a/objects?limit=0",
        "/v1/domains/a/objects?limit=1001",
        "/v1/domains/a/objects?lim=5",
        "/v1/domains/a/objects?after=x",
        "/v1/domains/%ff",
    ] {
        let answer = world.raw(format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{target}: {answer}");
        expected.push(format!("GET {} bad_request", target.split('?').next().unwrap()));
    }
    for target in ["/v1/domains/a/clients/ab", "/v1/domains/a/objects/1", "/v1/domains/a/objects/x?dry_run=maybe"] {
        let answer = world.raw(format!("DELETE {target} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{target}: {answer}");
        expected.push(format!("DELETE {} bad_request", target.split('?').next().unwrap()));
    }
    let many: String = (0..100).map(|number| format!("x-{number}: y\r\n")).collect();
    let large = format!("x: {}\r\n", "y".repeat(32 << 10));
    for headers in [many, large] {
        let answer = world.raw(format!("GET /v1/hsm HTTP/1.1\r\nhost: x\r\n{headers}\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431 ") || answer.is_empty(), "{answer}");
        expected.push("a request that cannot be read bad_request".to_owned());
    }
    assert!(world.memory.calls().is_empty(), "{:?}", world.memory.calls());
    // The last of them is told of after the connection was closed.
    while world.memory.refusals().len() < expected.len() {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.memory.refusals(), expected);

    // Where it cannot be recorded, the administrator is told that and nothing else.
    let answer = world.raw(b"GET /unwritable HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
}

#[tokio::test]
async fn refusals_and_faults_of_the_node_reach_the_client_with_their_code() {
    let world = World::new().await;
    let code = |name: &'static str| world.call(move |client| client.domain_show(name).unwrap_err().code());
    assert_eq!(code("none").await, Some(ErrorCode::NotFound));
    assert_eq!(world.memory.refusals(), [""; 0], "a refusal of the backend is told by the backend");
    assert_eq!(code("panic").await, Some(ErrorCode::Internal));
    assert_eq!(world.memory.refusals(), ["GET /v1/domains/panic internal"], "an act that broke off told nothing");
    assert_eq!(world.call(|client| client.domain_show("acme").unwrap().name).await, "acme");
}

#[tokio::test]
async fn the_head_of_a_tiled_log_is_text_and_its_tiles_are_bytes() {
    let world = World::new().await;
    for (file, content_type) in
        [("checkpoint", "text/plain; charset=utf-8"), ("tile/0/x001/234.p/7", "application/octet-stream")]
    {
        let target = format!("GET /v1/domains/acme/tiles/{file} HTTP/1.1\r\nhost: x\r\n\r\n");
        let answer = world.raw(target.as_bytes()).await;
        assert!(answer.contains(&format!("content-type: {content_type}\r\n")), "{file}: {answer}");
    }
}

#[tokio::test]
async fn silent_connections_hold_up_nobody() {
    let world = World::with(|limits| limits.handshake_deadline = Duration::from_secs(600)).await;
    let held = silent(&world).await;
    world.call(|client| client.health().unwrap()).await;
    drop(held);
}

#[tokio::test]
async fn silent_connections_are_closed() {
    let mut world = World::with(|limits| limits.handshake_deadline = Duration::from_millis(50)).await;
    for mut socket in silent(&world).await {
        assert_eq!(world.strangers.recv().await, Some(StrangerKind::SilentHandshake));
        let _ = socket.read_to_end(&mut Vec::new()).await;
    }
}

#[tokio::test]
async fn slow_heads_end_at_their_deadline() {
    let world = World::with(|limits| limits.header_deadline = Duration::from_millis(50)).await;
    for part in [&b""[..], b"GET /v1/hsm HTTP/1.1\r\nhos"] {
        let answer = world.raw(part).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    assert!(world.memory.calls().is_empty());
}

#[tokio::test]
async fn slow_bodies_end_at_their_deadline() {
    let world = World::with(|limits| limits.body_deadline = Duration::from_millis(50)).await;
    let head = "POST /v1/domains HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{";
    let answer = world.raw(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains(r#""code":"timeout""#), "{answer}");
    assert!(world.memory.calls().is_empty());
}

#[tokio::test]
async fn a_refusal_arrives_although_the_body_was_not_read() {
    let world = World::new().await;
    for path in ["/v1/nowhere", "/v1/hsm", "/v1/domains"] {
        let answer = world.post(path, "text/plain", &"x".repeat(4 << 20)).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_budget_that_is_spent_turns_away_and_comes_back() {
    let mut world = World::with(|limits| limits.admin_connections = 1).await;
    let held = world.connect().await;
    let mut refused = TcpStream::connect(world.address).await.unwrap();
    assert_eq!(world.strangers.recv().await, Some(StrangerKind::OverBudget));
    let _ = refused.read_to_end(&mut Vec::new()).await;
    drop(held);
    // The place comes back when the server sees the end; until then it may turn away.
    while world.call(|client| client.health().is_err()).await {}
}

#[tokio::test]
async fn one_request_is_served_per_connection() {
    let world = World::new().await;
    let request = "GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\n";
    let answer = world.raw(request.repeat(2).as_bytes()).await;
    assert!(answer.contains("connection: close"), "{answer}");
    assert_eq!((answer.matches("HTTP/1.1 200").count(), world.memory.calls().len()), (1, 1));
}

#[tokio::test]
async fn an_act_goes_on_when_the_peer_goes_away() {
    let world = World::new().await;
    let mut stream = world.connect().await;
    stream.write_all(b"GET /v1/domains/slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    world.memory.began.notified().await;
    drop(stream);
    // The server is seen to serve others after the peer has gone, and only then the act is let go.
    world.call(|client| client.health().unwrap()).await;
    world.memory.release.notify_one();
    world.stop.stop();
    world.served.await.unwrap();
    assert!(world.memory.finished.load(Ordering::SeqCst));
}

#[tokio::test]
async fn an_act_over_its_deadline_is_answered_and_goes_on() {
    let world = World::with(|limits| limits.admin_deadline = Duration::from_millis(50)).await;
    let error = world.call(|client| client.domain_show("slow").unwrap_err()).await;
    assert_eq!(error.code(), Some(ErrorCode::Unavailable));
    assert!(!world.memory.finished.load(Ordering::SeqCst));
    world.memory.release.notify_one();
    world.stop.stop();
    world.served.await.unwrap();
    assert!(world.memory.finished.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_stop_finishes_what_was_begun_and_accepts_nothing_new() {
    let world = World::new().await;
    let mut stream = world.connect().await;
    stream.write_all(b"GET /v1/domains/slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    world.memory.began.notified().await;
    let mut silent = TcpStream::connect(world.address).await.unwrap();
    world.stop.stop();
    // A handshake that has not finished is dropped at once; its end shows that the stop was seen.
    let _ = silent.read_to_end(&mut Vec::new()).await;
    world.memory.release.notify_one();
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(r#""name":"slow""#), "{answer}");
    world.served.await.unwrap();
    assert!(TcpStream::connect(world.address).await.is_err());
}

#[tokio::test]
async fn work_that_does_not_end_is_left_at_the_drain_deadline() {
    let world = World::with(|limits| limits.drain_deadline = Duration::from_millis(50)).await;
    let mut stream = world.connect().await;
    stream.write_all(b"GET /v1/domains/slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    world.memory.began.notified().await;
    world.stop.stop();
    world.served.await.unwrap();
    assert!(!world.memory.finished.load(Ordering::SeqCst));
}

#[tokio::test]
async fn an_export_is_whole_or_seen_to_be_broken() {
    let world = World::new().await;
    let counted = Arc::new(AtomicUsize::new(0));
    struct Count(Arc<AtomicUsize>);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.fetch_add(bytes.len(), Ordering::SeqCst);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let out = Arc::clone(&counted);
    let length = world.call(move |client| client.audit_export("acme", &mut Count(out)).unwrap()).await;
    assert_eq!((length, counted.load(Ordering::SeqCst)), (100 * (64 << 10), 100 * (64 << 10)));
    let broken = world.call(|client| client.audit_export("broken", &mut Vec::new())).await;
    assert!(matches!(broken, Err(ClientError::Unreachable(_) | ClientError::Answer(_))), "{broken:?}");
}

#[tokio::test]
async fn a_peer_that_stops_reading_an_export_is_given_up() {
    let mut world = World::with(|limits| limits.write_deadline = Duration::from_millis(50)).await;
    let mut stream = world.connect().await;
    stream.write_all(b"GET /v1/domains/endless/audit HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    // Nothing is read: the sockets' buffers fill, the deadline passes, and the maker is told.
    assert_eq!(world.unread.recv().await, Some(NobodyReads));
    drop(stream);
}
