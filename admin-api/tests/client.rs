//! The client against a TLS server in the same process: what it sends, what it takes, and how each failure is named.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use std::net::TcpListener;
use std::time::Duration;

use admin_api::{
    AdminClient, ClientError, Credential, Deadlines, DomainState, Effect, ErrorCode, Fingerprint, IssueClient,
    NewDomain, RegisterClient, RevocationReason, RevokeObject, SecretText,
};
use certs::{Authority, Issued};
use support::{Request, Server, json, refusal};
use uuid::Uuid;

struct World {
    authority: Authority,
    server: Issued,
    admin: Issued,
}

impl World {
    fn new() -> Self {
        let authority = Authority::new("Test CA").unwrap();
        let server = authority.issue_server(&["127.0.0.1"]).unwrap();
        let admin = authority.issue_client("operator").unwrap();
        Self { authority, server, admin }
    }

    fn serve(&self, answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> (Server, AdminClient) {
        let server = Server::start(&self.server, &self.authority, answer);
        let client = self.client(&server.url);
        (server, client)
    }

    fn client(&self, url: &str) -> AdminClient {
        let (ca, cert, key) = (self.authority.cert_pem(), &self.admin.cert_pem, &self.admin.key_pem);
        AdminClient::new(url, ca.as_bytes(), cert.as_bytes(), key.as_bytes()).unwrap()
    }
}

const ID: &str = "0197f9a0-7c1e-7b7a-9d2e-5c1f00000001";

fn domain() -> String {
    format!(
        r#"{{"id":"{ID}","name":"acme","state":"frozen","created":7,"policy":"anssi","key_version":3,"objects":5,
            "clients":2,"a_field_of_a_later_version":true}}"#
    )
}

fn client_json() -> String {
    format!(
        r#"{{"fingerprint":"{}","name":"vc","subject":"CN=vc","not_after":9,"access":{{}},"credential_demanded":true,"credentials":[{{"name":"vc","has_password":true,"access":{{"own":true}}}}],"revoked":false,
            "created":8}}"#,
        "ab".repeat(32)
    )
}

fn object_json() -> String {
    format!(
        r#"{{"id":"{ID}","object_type":"Symmetric Key","state":"Active","algorithm":"AES","length":256,
            "usage":["Encrypt"],"names":["kek"],"dates":{{"initial":1,"last_change":2}},"revocation":null,
            "attributes":[],"owner":"{}","revision":4}}"#,
        "cd".repeat(32)
    )
}

#[test]
fn every_call_sends_its_method_and_path() {
    let (server, client) = World::new().serve(|request| match (request.method.as_str(), request.target.as_str()) {
        ("GET", "/v1/domains") => json(200, &format!("[{}]", domain())),
        ("GET", "/v1/domains/acme/clients") => json(200, &format!("[{}]", client_json())),
        (_, target) if target.contains("/objects?") => {
            json(200, &format!(r#"{{"objects":[{}],"next":null}}"#, object_json()))
        }
        (_, target) if target.contains("/objects/") => json(200, &object_json()),
        ("POST", "/v1/domains/acme/clients/issue") => {
            json(201, &format!(r#"{{"client":{},"certificate":"C","private_key":"K","authority":"A"}}"#, client_json()))
        }
        (_, target) if target.contains("/clients") => json(200, &client_json()),
        (_, target) if target.ends_with("/checkpoint") => json(200, r#"{"log":"system","size":3,"note":"n\n"}"#),
        _ => json(201, &domain()),
    });
    let id: Uuid = ID.parse().unwrap();
    let fingerprint = Fingerprint([0xab; 32]);
    let revoke = RevokeObject {
        reason: RevocationReason::KeyCompromise,
        message: Some("stolen".to_owned()),
        compromise_occurrence: Some(5),
    };
    let credential = Credential { username: "vc".to_owned(), password: SecretText::new("pass \"word\"".to_owned()) };

    let created =
        client.domain_create(&NewDomain { name: "acme".to_owned(), policy: None, allow: Vec::new() }).unwrap();
    assert_eq!((created.id, created.state, created.key_version), (id, DomainState::Frozen, 3));
    assert_eq!(client.domain_list().unwrap(), [created]);
    client.domain_show("a/b?").unwrap();
    let register = RegisterClient { certificate: "PEM".to_owned(), name: None, credential: Some(credential.clone()) };
    let registered = client.client_register("acme", &register).unwrap();
    assert!(registered.alone.credential_demanded && registered.credentials[0].access.own);
    let issue = IssueClient { name: "vc".to_owned(), csr: None, credential: None };
    let issued = client.client_issue("acme", &issue).unwrap();
    assert_eq!(issued.private_key.unwrap().expose(), "K");
    assert_eq!(client.client_list("acme").unwrap()[0].fingerprint, fingerprint);
    client.client_revoke("acme", fingerprint, Effect::DryRun).unwrap();
    assert_eq!(client.object_list("acme", Some(id), Some(10)).unwrap().objects[0].length, Some(256));
    client.object_show("acme", id).unwrap();
    client.object_revoke("acme", id, &revoke, Effect::Real).unwrap();
    client.object_destroy("acme", id, Effect::DryRun).unwrap();
    assert_eq!(client.audit_checkpoint("system").unwrap().note, "n\n");

    let seen = server.seen();
    let lines: Vec<String> = seen.iter().map(|request| format!("{} {}", request.method, request.target)).collect();
    let objects = format!("/v1/domains/acme/objects/{ID}");
    assert_eq!(
        lines,
        [
            "POST /v1/domains".to_owned(),
            "GET /v1/domains".to_owned(),
            "GET /v1/domains/a%2Fb%3F".to_owned(),
            "POST /v1/domains/acme/clients".to_owned(),
            "POST /v1/domains/acme/clients/issue".to_owned(),
            "GET /v1/domains/acme/clients".to_owned(),
            format!("DELETE /v1/domains/acme/clients/{fingerprint}?dry_run=true"),
            format!("GET /v1/domains/acme/objects?after={ID}&limit=10"),
            format!("GET {objects}"),
            format!("POST {objects}/revoke"),
            format!("DELETE {objects}?dry_run=true"),
            "GET /v1/domains/system/checkpoint".to_owned(),
        ]
    );
    assert_eq!(seen[0].body, br#"{"name":"acme"}"#);
    assert_eq!(seen[0].header("content-type"), Some("application/json"));
    let sent: RegisterClient = serde_json::from_slice(&seen[3].body).unwrap();
    assert_eq!(sent.credential, Some(credential));
    assert_eq!(seen[9].body, br#"{"reason":"key_compromise","message":"stolen","compromise_occurrence":5}"#);
}

#[test]
fn the_server_sees_the_administrators_certificate() {
    let world = World::new();
    let (server, client) = world.serve(|_| json(200, "[]"));
    client.domain_list().unwrap();
    assert_eq!(server.seen()[0].client, world.admin.cert_der);
}

#[test]
fn a_refusal_keeps_its_code_and_cannot_move_the_cursor() {
    let (_server, client) = World::new().serve(|request| match request.target.as_str() {
        "/v1/domains/gone" => refusal(404, "not_found", "no such\\u001b[2J domain"),
        "/v1/domains/later" => refusal(418, "a_later_code", "?"),
        "/v1/domains/plain" => b"HTTP/1.1 502 x\r\ncontent-length: 3\r\n\r\nbad".to_vec(),
        "/v1/domains/moved" => b"HTTP/1.1 302 x\r\nlocation: /v1/domains\r\ncontent-length: 0\r\n\r\n".to_vec(),
        _ => refusal(403, "forbidden", "no"),
    });
    let error = client.domain_show("gone").unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::NotFound));
    assert_eq!(error.to_string(), "no such[2J domain (not_found)");
    assert_eq!(client.domain_show("later").unwrap_err().code(), Some(ErrorCode::Unknown));
    assert!(matches!(client.domain_show("plain"), Err(ClientError::Answer(_))));
    assert!(matches!(client.domain_show("moved"), Err(ClientError::Answer(_))));
    assert_eq!(client.audit_export("x", &mut Vec::new()).unwrap_err().code(), Some(ErrorCode::Forbidden));
}

#[test]
fn an_export_is_passed_on_as_it_arrives_and_a_broken_one_is_noticed() {
    let line = "x".repeat(1000) + "\n";
    let whole = line.repeat(2000);
    let (_server, client) = World::new().serve(move |request| {
        let mut answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for _ in 0..2000 {
            answer.extend_from_slice(format!("{:x}\r\n{line}\r\n", line.len()).as_bytes());
        }
        if request.target.contains("acme") {
            answer.extend_from_slice(b"0\r\n\r\n");
        }
        answer
    });
    let mut out = Vec::new();
    assert_eq!(client.audit_export("acme", &mut out).unwrap(), whole.len() as u64);
    assert!(out == whole.as_bytes());
    let mut out = Vec::new();
    match client.audit_export("cut", &mut out) {
        Err(ClientError::Unreachable(_) | ClientError::Answer(_)) => {}
        other => panic!("{other:?}"),
    }
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    assert!(matches!(client.audit_export("acme", &mut Full), Err(ClientError::Write(_))));
}

#[test]
fn answers_over_the_limit_are_not_taken_in() {
    let (_server, client) = World::new().serve(|request| match request.target.as_str() {
        "/v1/domains" => {
            let body = format!("[{}]", " ".repeat(17 << 20));
            json(200, &body)
        }
        _ => format!("HTTP/1.1 200 x\r\nx: {}\r\ncontent-length: 0\r\n\r\n", "y".repeat(1 << 20)).into_bytes(),
    });
    assert!(matches!(client.domain_list(), Err(ClientError::Answer(_))));
    assert!(matches!(client.hsm_status(), Err(ClientError::Answer(_))));
}

#[test]
fn a_server_under_another_authority_is_not_trusted() {
    let world = World::new();
    let other = Authority::new("Test CA").unwrap();
    let impostor = other.issue_server(&["127.0.0.1"]).unwrap();
    let server = Server::start(&impostor, &world.authority, |_| json(200, "[]"));
    assert!(matches!(world.client(&server.url).domain_list(), Err(ClientError::ServerNotTrusted(_))));
    let elsewhere = world.authority.issue_server(&["kms.example"]).unwrap();
    let server = Server::start(&elsewhere, &world.authority, |_| json(200, "[]"));
    assert!(matches!(world.client(&server.url).domain_list(), Err(ClientError::ServerNotTrusted(_))));
    assert!(server.seen().is_empty());
}

#[test]
fn a_certificate_that_the_server_refuses_is_named_as_such() {
    let world = World::new();
    let server = Server::start(&world.server, &Authority::new("Test CA").unwrap(), |_| json(200, "[]"));
    let error = world.client(&server.url).domain_list().unwrap_err();
    assert!(matches!(error, ClientError::CertificateRefused(_)), "{error:?}");
}

#[test]
fn nobody_there_and_nobody_answering_differ() {
    let world = World::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let client = world.client(&format!("https://127.0.0.1:{port}"));
    assert!(matches!(client.domain_list(), Err(ClientError::Unreachable(_))));

    // The kernel accepts for this one, and nobody ever speaks.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let short = Deadlines {
        connect: Duration::from_millis(50),
        call: Duration::from_millis(50),
        silence: Duration::from_millis(50),
    };
    let client = world.client(&format!("https://{}", silent.local_addr().unwrap())).with_deadlines(short);
    let error = client.domain_list().unwrap_err();
    assert!(matches!(error, ClientError::Unreachable(_) | ClientError::Deadline(_)), "{error:?}");
    let error = client.audit_export("acme", &mut Vec::new()).unwrap_err();
    assert!(matches!(error, ClientError::Unreachable(_) | ClientError::Deadline(_)), "{error:?}");
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_is_sent() {
    let world = World::new();
    let (ca, cert, key) =
        (world.authority.cert_pem().as_bytes(), world.admin.cert_pem.as_bytes(), world.admin.key_pem.as_bytes());
    let new = |url, ca, cert, key| match AdminClient::new(url, ca, cert, key) {
        Err(ClientError::Configuration(text)) => text,
        other => panic!("{other:?}"),
    };
    for url in ["", "localhost:9443", "http://localhost:9443", "https://localhost:9443/v1", "https://"] {
        assert!(new(url, ca, cert, key).contains("HOST") || new(url, ca, cert, key).contains("address"), "{url}");
    }
    let good = "https://localhost:9443";
    assert!(new(good, key, cert, key).contains("CA file"));
    assert!(new(good, ca, key, key).contains("certificate file"));
    assert!(new(good, ca, cert, cert).contains("key file"));
    let other = world.authority.issue_client("officer1").unwrap();
    assert!(new(good, ca, cert, other.key_pem.as_bytes()).contains("certificate and key"));
}
