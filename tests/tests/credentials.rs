//! Users and devices in the message's header: checked whenever they come, demanded where an administrator says so, each
//! reaching what it was given.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use admin_api::{Access, ClientAccess, Device, Effect, NewCredential, SecretText};
use kmip::ProtocolVersion;
use kmip::message::{
    Credential, DeviceCredential, HashedPasswordCredential, OneTimePasswordCredential, Outcome, Password,
    RequestMessage, ResponseMessage,
};
use kmip::payload::{GetRequest, LocateRequest, RequestPayload};
use kmip::registry::ResultReason;
use kmip::ttlv::DateTimeExtended;
use secret::Secret;
use system_tests::asking::{aes, name, successes};
use system_tests::node::{Connection, Node, Tenant, repository};

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

/// A credential of a user, with what it reaches.
fn user(name: &str, own: bool, operations: Option<&[&str]>) -> NewCredential {
    let operations = operations.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    NewCredential {
        username: Some(name.to_owned()),
        device: None,
        password: Some(SecretText::new(PASSWORD.to_owned())),
        access: Access { own, operations },
    }
}

fn created(answer: ResponseMessage) -> String {
    match successes(answer).unwrap().pop().unwrap() {
        kmip::payload::ResponsePayload::Create(made) => made.unique_identifier,
        other => panic!("{other:?}"),
    }
}

fn located(connection: &mut Connection, username: &str) -> Vec<String> {
    let answer = connection.call(with(username, PASSWORD, LocateRequest::default())).unwrap();
    match successes(answer).unwrap().pop().unwrap() {
        kmip::payload::ResponsePayload::Locate(found) => found.unique_identifiers,
        other => panic!("{other:?}"),
    }
}

#[test]
fn users_of_one_client_reach_what_each_of_them_was_given() {
    const DENIED: Option<ResultReason> = Some(ResultReason::PermissionDenied);
    let mut node = Node::start().unwrap();
    let tenant = node.tenant("users", "anssi").unwrap();
    let admin = node.admin("operator").unwrap();
    let reader = ["Locate", "Get Attributes"];
    for new in [user("fred", true, None), user("barney", true, None), user("reader", false, Some(&reader))] {
        admin.credential_add(&tenant.name, tenant.client, &new).unwrap();
    }
    assert!(admin.credential_add(&tenant.name, tenant.client, &user("fred", false, None)).is_err(), "one of a name");
    let unknown = user("wilma", false, Some(&["Open Sesame"]));
    assert!(admin.credential_add(&tenant.name, tenant.client, &unknown).is_err(), "no such operation");

    let mut connection = node.connect(&tenant.identity).unwrap();
    let of_fred = created(connection.call(with("fred", PASSWORD, aes(vec![name("of fred")]))).unwrap());
    let of_all = created(connection.call(RequestMessage::single(V1_1, aes(Vec::new()))).unwrap());
    // It is his after a restart as well.
    node.restart().unwrap();
    let mut connection = node.connect(&tenant.identity).unwrap();
    let get = |id: &str| GetRequest::of(id);
    successes(connection.call(with("fred", PASSWORD, get(&of_fred))).unwrap()).unwrap();
    assert_eq!(reason(connection.call(with("barney", PASSWORD, get(&of_fred))).unwrap()), DENIED);
    assert_eq!(reason(connection.call(with("fred", PASSWORD, get(&of_all))).unwrap()), DENIED);
    successes(connection.call(RequestMessage::single(V1_1, get(&of_fred))).unwrap()).unwrap();
    assert_eq!(located(&mut connection, "fred"), std::slice::from_ref(&of_fred));
    assert_eq!(located(&mut connection, "barney"), [""; 0]);
    assert_eq!(located(&mut connection, "reader").len(), 2);
    assert_eq!(reason(connection.call(with("reader", PASSWORD, get(&of_all))).unwrap()), DENIED);
    assert_eq!(reason(connection.call(with("reader", PASSWORD, aes(Vec::new()))).unwrap()), DENIED);

    // Demanded: the certificate alone is not enough any more. It restricts, too.
    let admin = node.admin("operator").unwrap();
    let demanded = ClientAccess { credential_demanded: true, ..ClientAccess::default() };
    admin.client_access(&tenant.name, tenant.client, &demanded, Effect::Real).unwrap();
    let alone = connection.call(RequestMessage::single(V1_1, get(&of_all))).unwrap();
    assert_eq!(reason(alone), Some(ResultReason::AuthenticationNotSuccessful));
    let access = Access { own: false, operations: Some(vec!["Locate".to_owned()]) };
    let restricted = ClientAccess { access, credential_demanded: false };
    admin.client_access(&tenant.name, tenant.client, &restricted, Effect::Real).unwrap();
    assert_eq!(keys(&mut connection), 2);
    assert_eq!(reason(connection.call(RequestMessage::single(V1_1, get(&of_all))).unwrap()), DENIED);

    // Removed: refused at once, on the open connection too.
    let left = admin.credential_remove(&tenant.name, tenant.client, "fred", Effect::Real).unwrap();
    assert_eq!(left.credentials.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["barney", "reader"]);
    let gone = connection.call(with("fred", PASSWORD, get(&of_fred))).unwrap();
    assert_eq!(reason(gone), Some(ResultReason::AuthenticationNotSuccessful));
    assert!(admin.credential_remove(&tenant.name, tenant.client, "fred", Effect::Real).is_err());
}

#[test]
fn a_device_shows_all_that_it_was_registered_with() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("device", "anssi").unwrap();
    let admin = node.admin("operator").unwrap();
    let device = |serial: &str, media: Option<&str>| Device {
        serial_number: Some(serial.to_owned()),
        media: media.map(str::to_owned),
        ..Device::default()
    };
    let new = |device, password: Option<&str>| NewCredential {
        username: None,
        device: Some(device),
        password: password.map(|text| SecretText::new(text.to_owned())),
        access: Access::default(),
    };
    admin.credential_add(&tenant.name, tenant.client, &new(device("s1", Some("m1")), Some(PASSWORD))).unwrap();
    admin.credential_add(&tenant.name, tenant.client, &new(device("s2", None), None)).unwrap();
    let mut connection = node.connect(&tenant.identity).unwrap();
    let mut show = |serial: &str, media: Option<&str>, password: Option<&str>| {
        let mut request = RequestMessage::single(V1_1, LocateRequest::default());
        request.header.authentication.push(Credential::Device(DeviceCredential {
            device_serial_number: Some(serial.to_owned()),
            password: password.and_then(|text| Password::new(Secret::copy_from(text.as_bytes()))),
            media_identifier: media.map(str::to_owned),
            ..DeviceCredential::default()
        }));
        reason(connection.call(request).unwrap())
    };
    assert_eq!(show("s1", Some("m1"), Some(PASSWORD)), None);
    assert_eq!(show("s2", None, None), None);
    for (serial, media, password) in [
        ("s1", Some("m1"), Some("wrong")),
        ("s1", Some("m1"), None),
        ("s1", None, Some(PASSWORD)),
        ("s1", Some("m2"), Some(PASSWORD)),
        ("s2", None, Some(PASSWORD)),
        ("s3", None, None),
    ] {
        let answer = show(serial, media, password);
        assert_eq!(answer, Some(ResultReason::AuthenticationNotSuccessful), "{serial} {media:?} {password:?}");
    }
}

/// What is refused whatever was registered: the client hears why, and the page of what is not supported says the same.
#[test]
fn credentials_that_are_never_taken_are_refused_with_their_reason() {
    const V2_1: ProtocolVersion = ProtocolVersion::V2_1;
    let node = Node::start().unwrap();
    let tenant = tenant(&node);
    let mut connection = node.connect(&tenant.identity).unwrap();
    let unsupported = std::fs::read_to_string(repository().join("UNSUPPORTED.md")).unwrap();
    let password = || Password::new(Secret::copy_from(PASSWORD.as_bytes())).unwrap();
    let once = OneTimePasswordCredential {
        username: USER.to_owned(),
        password: Some(password()),
        one_time_password: password(),
    };
    let hashed = HashedPasswordCredential {
        username: USER.to_owned(),
        timestamp: DateTimeExtended(1_700_000_000_000_000),
        hashing_algorithm: None,
        hashed_password: Secret::copy_from(&[7; 64]),
    };
    let credentials = [Credential::OneTimePassword(once), Credential::HashedPassword(hashed)];
    for (credential, word) in credentials.into_iter().zip(["one-time", "hashed"]) {
        let mut request = RequestMessage::single(V2_1, LocateRequest::default());
        request.header.authentication.push(credential);
        let outcome = connection.call(request).unwrap().items.pop().unwrap().outcome;
        let Outcome::Failure { reason, message, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(reason, ResultReason::AuthenticationNotSuccessful);
        assert!(message.starts_with(word) && unsupported.contains(&message), "{message}");
    }
    // The control: the same user is taken with the password itself.
    successes(connection.call(with(USER, PASSWORD, aes(Vec::new()))).unwrap()).unwrap();
}
