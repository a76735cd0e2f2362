//! Username and password in the message's header: checked whenever they come, demanded of nobody.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use admin_api::SecretText;
use kmip::ProtocolVersion;
use kmip::message::{Credential, RequestMessage, ResponseMessage};
use kmip::payload::{GetRequest, LocateRequest, RequestPayload};
use kmip::registry::ResultReason;
use secret::Secret;
use system_tests::asking::{aes, name, successes};
use system_tests::node::{Connection, Node, Tenant};

/// As vCenter speaks.
const V1_1: ProtocolVersion = ProtocolVersion::V1_1;
const USER: &str = "kmip-user";
/// A marker: it must be found nowhere.
const PASSWORD: &str = "a-Password/which+nobody_logs";

fn with(username: &str, password: &str, payload: impl Into<RequestPayload>) -> RequestMessage {
    let mut request = RequestMessage::single(V1_1, payload);
    let password = Some(Secret::copy_from(password.as_bytes()));
    request.header.authentication.push(Credential::UsernameAndPassword { username: username.to_owned(), password });
    request
}

fn reason(answer: ResponseMessage) -> Option<ResultReason> {
    use kmip::message::Outcome;
    match answer.items.into_iter().next().unwrap().outcome {
        Outcome::Failure { reason, .. } => Some(reason),
        _ => None,
    }
}

fn tenant(node: &Node) -> Tenant {
    let credential =
        admin_api::Credential { username: USER.to_owned(), password: SecretText::new(PASSWORD.to_owned()) };
    node.tenant_with("credential", "anssi", Some(credential)).unwrap()
}

fn keys(connection: &mut Connection) -> usize {
    connection.request(V1_1, LocateRequest::default()).unwrap().unique_identifiers.len()
}

#[test]
fn the_right_credential_is_taken_and_none_is_demanded() {
    let mut node = Node::start().unwrap();
    let tenant = tenant(&node);
    let mut connection = node.connect(&tenant.identity).unwrap();
    // At first sight by its hash, then by what this process remembers, then by a process that remembers nothing.
    for _ in 0..3 {
        successes(connection.call(with(USER, PASSWORD, aes(Vec::new()))).unwrap()).unwrap();
    }
    // vCenter sends none with its tags and health checks.
    connection.request(V1_1, aes(Vec::new())).unwrap();
    node.restart().unwrap();
    let mut connection = node.connect(&tenant.identity).unwrap();
    successes(connection.call(with(USER, PASSWORD, aes(Vec::new()))).unwrap()).unwrap();
    assert_eq!(keys(&mut connection), 5);
}

#[test]
fn a_wrong_credential_is_refused_and_nothing_is_done() {
    let node = Node::start().unwrap();
    let tenant = tenant(&node);
    let mut connection = node.connect(&tenant.identity).unwrap();
    let too_long = PASSWORD.repeat(100);
    for (username, password) in [
        (USER, "another password"),
        (USER, ""),
        (USER, too_long.as_str()),
        ("another-user", PASSWORD),
        ("", PASSWORD),
        ("KMIP-USER", PASSWORD),
    ] {
        let answer = connection.call(with(username, password, aes(Vec::new()))).unwrap();
        assert_eq!(reason(answer), Some(ResultReason::AuthenticationNotSuccessful), "{username:?}");
    }
    // One that is right does not make up for one that is wrong.
    let mut both = with(USER, PASSWORD, aes(Vec::new()));
    both.header.authentication.push(Credential::UsernameAndPassword { username: USER.to_owned(), password: None });
    assert_eq!(reason(connection.call(both).unwrap()), Some(ResultReason::AuthenticationNotSuccessful));
    assert_eq!(keys(&mut connection), 0, "nothing was made, and the connection is still good");
}

#[test]
fn every_item_of_a_refused_batch_fails() {
    let node = Node::start().unwrap();
    let tenant = tenant(&node);
    let mut connection = node.connect(&tenant.identity).unwrap();
    let mut batch = RequestMessage::batch(V1_1, [aes(vec![name("a")]).into(), aes(vec![name("b")]).into()]);
    batch.header.batch_error_continuation = Some(kmip::registry::BatchErrorContinuationOption::Continue);
    batch.header.authentication = with(USER, "wrong", aes(Vec::new())).header.authentication;
    let answer = connection.call(batch).unwrap();
    assert_eq!(answer.items.len(), 2);
    assert!(answer.items.iter().all(|item| item.unique_batch_item_id.is_some()));
    assert_eq!(keys(&mut connection), 0);
}

#[test]
fn a_credential_is_good_for_its_own_client_only() {
    let node = Node::start().unwrap();
    let (with_one, with_none) = (tenant(&node), node.tenant("credential", "anssi").unwrap());
    // Registered with another client of the same domain, and with a client of another domain.
    let colleague = certs::self_signed_vcenter_client().unwrap();
    node.register(&with_one.name, &colleague, None).unwrap();
    for identity in [&with_none.identity, &colleague] {
        let mut connection = node.connect(identity).unwrap();
        let answer = connection.call(with(USER, PASSWORD, aes(Vec::new()))).unwrap();
        assert_eq!(reason(answer), Some(ResultReason::AuthenticationNotSuccessful));
        connection.request(V1_1, aes(Vec::new())).unwrap();
    }
}

#[test]
fn guessing_ends_after_some_tries() {
    let node = Node::start().unwrap();
    let (guessed, neighbour) = (tenant(&node), tenant(&node));
    let mut connection = node.connect(&guessed.identity).unwrap();
    for guess in 0..20 {
        let answer = connection.call(with(USER, &format!("guess {guess}"), LocateRequest::default())).unwrap();
        assert_eq!(reason(answer), Some(ResultReason::AuthenticationNotSuccessful));
    }
    let answer = connection.call(with(USER, PASSWORD, LocateRequest::default())).unwrap();
    assert_eq!(reason(answer), Some(ResultReason::AuthenticationNotSuccessful), "not even the right one, for a while");
    // Others are not disturbed, nor is who sends no credential.
    let mut other = node.connect(&neighbour.identity).unwrap();
    successes(other.call(with(USER, PASSWORD, LocateRequest::default())).unwrap()).unwrap();
    connection.request(V1_1, LocateRequest::default()).unwrap();
}

#[test]
fn passwords_are_in_no_log_no_record_and_no_database() {
    let mut node = Node::start().unwrap();
    let tenant = tenant(&node);
    let mut connection = node.connect(&tenant.identity).unwrap();
    let id = connection.request(V1_1, aes(Vec::new())).unwrap().unique_identifier;
    successes(connection.call(with(USER, PASSWORD, GetRequest::of(&id))).unwrap()).unwrap();
    let answer = connection.raw(&with("nobody", PASSWORD, GetRequest::of(&id)).encode().unwrap()).unwrap();
    let exports = [node.export(&tenant.name).unwrap(), node.export("system").unwrap()];
    let listed = serde_json::to_vec(&node.admin("operator").unwrap().client_list(&tenant.name).unwrap()).unwrap();
    node.stop().unwrap();
    let holds = |bytes: &[u8]| bytes.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes());
    assert!(holds(&with(USER, PASSWORD, GetRequest::of(&id)).encode().unwrap()), "the search finds what is there");
    assert!(!holds(&answer));
    assert!(!holds(&listed));
    assert!(exports.iter().all(|export| !holds(export)));
    let mut folders = vec![node.dir().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert!(!holds(&std::fs::read(&path).unwrap()), "{}", path.display());
            }
        }
    }
}
