//! What the vCenter half sends, held against what a vCenter 7.0.3 was recorded to send.

use std::path::PathBuf;
use std::sync::Arc;

use crate::key_server::{KeyServer, Pki, write_image};
use esxi_sim::host::{HostError, LockReason, Rekey};
use esxi_sim::key::{CryptoKeyId, VmId};
use esxi_sim::pair::{Pair, PairError};
use esxi_sim::vcenter::{Identity, KmsError, Server, Spec};
use kmip::message::RequestMessage;
use kmip::registry::{Operation, State};
use uuid::Uuid;

struct World {
    pki: Pki,
    folder: tempfile::TempDir,
    server: KeyServer,
}

impl World {
    fn new() -> Self {
        let pki = Pki::new();
        let server = KeyServer::start(&pki);
        Self { pki, folder: tempfile::tempdir().unwrap(), server }
    }

    fn boot(&self) -> Arc<Pair> {
        // The host of the recording.
        let uuid = "8c164d56-7f1c-5960-63e6-4451c6181844".parse().unwrap();
        Arc::new(Pair::start(&self.folder.path().join("state"), "172.16.220.132", Some(uuid)).unwrap())
    }

    fn spec(&self, addresses: &[String]) -> Spec {
        let server = |address: &String| Server { name: "kms".into(), address: address.clone(), server_name: None };
        Spec {
            id: "clavis".parse().unwrap(),
            servers: addresses.iter().map(server).collect(),
            roots: self.pki.path("ca.pem"),
            identity: Identity::Uploaded { certificate: self.pki.path("client.pem"), key: self.pki.path("client.key") },
            username: None,
            password_file: None,
            timeout_seconds: None,
        }
    }

    /// A pair that knows the server, with a VM in clear.
    async fn ready(&self) -> Arc<Pair> {
        let pair = self.boot();
        pair.vcenter().register(&self.spec(&[self.server.address.to_string()])).unwrap();
        self.register_vm(&pair, "test01", Some("4226f566-3ed5-1c8f-cda3-b0b037b6dc97".parse().unwrap())).await;
        pair
    }

    async fn register_vm(&self, pair: &Arc<Pair>, name: &str, uuid: Option<Uuid>) {
        let image = self.image(name);
        write_image(&image, 64);
        pair.register(name.parse().unwrap(), vec![image], uuid).await.unwrap();
    }

    fn image(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.raw"))
    }
}

fn vm() -> VmId {
    "test01".parse().unwrap()
}

#[derive(Debug, PartialEq)]
struct Connection {
    what: String,
    messages: Vec<Vec<u8>>,
}

/// The recorded connections, each with the opening that all of them have.
fn recorded() -> Vec<Connection> {
    let file: serde_json::Value = serde_json::from_str(include_str!("vectors/vcenter-7.0.3.json")).unwrap();
    let message = |hex: &serde_json::Value| hex::decode(hex.as_str().unwrap()).unwrap();
    let opening = message(&file["opening"]);
    let connections = file["connections"].as_array().unwrap().iter().map(|connection| {
        let rest = connection["requests"].as_array().unwrap().iter().map(message);
        let messages = std::iter::once(opening.clone()).chain(rest).collect();
        Connection { what: connection["what"].as_str().unwrap().to_owned(), messages }
    });
    connections.collect()
}

fn operations(connection: &[Vec<u8>]) -> Vec<Operation> {
    let messages = connection.iter().map(|message| RequestMessage::decode(message).unwrap());
    messages.flat_map(|message| message.items).map(|item| item.operation.unwrap()).collect()
}

#[tokio::test]
async fn trust_probes_then_asks_versions_and_vendor_as_recorded() {
    let world = World::new();
    let pair = world.ready().await;
    let provider = pair.vcenter().default_provider().unwrap();
    let status = provider.trust().await;
    assert!(status.healthy, "{status:?}");
    assert_eq!(status.servers[0].vendor.as_deref(), Some("a test"));
    let recorded = recorded();
    let expected: Vec<Vec<Vec<u8>>> = vec![Vec::new(), recorded[0].messages.clone(), recorded[1].messages.clone()];
    assert_eq!(world.server.take_connections(), expected);

    assert!(provider.check().await.healthy);
    assert_eq!(world.server.take_connections(), expected[..2]);
}

#[tokio::test]
async fn the_first_encryption_sends_what_vcenter_7_0_3_sent() {
    let world = World::new();
    let pair = world.ready().await;
    pair.encrypt(&vm(), None).await.unwrap();

    let expected = &recorded()[2..];
    let sent = world.server.take_connections();
    // Byte for byte, each connection for itself. Which of two parallel ones is accepted first is not fixed.
    let position = |what: &str| {
        let wanted = expected.iter().find(|connection| connection.what == what).unwrap();
        let found = sent.iter().position(|messages| *messages == wanted.messages);
        found.unwrap_or_else(|| panic!("\"{what}\" was not sent as recorded: {sent:x?}"))
    };
    assert_eq!(sent.len(), expected.len());
    let in_order = [
        "create VM key",
        "create host key",
        "fetch host key",
        "tag host key with host",
        "fetch VM key",
        "tag VM key with VM",
    ];
    assert!(in_order.map(position).is_sorted());
    assert!(position("create VM key") < position("tag VM key with product"));
    assert!(position("create host key") < position("tag host key with product"));

    let keys = world.server.keys();
    assert!(keys.values().all(|key| key.state == State::Active));
    assert_eq!(keys["1"].tags["x-Name"], "test01");
    assert_eq!(keys["2"].tags["x-Component"], "ESXi Server");
    assert_eq!(keys["1"].tags["x-Product"], "VMware vSphere");
}

#[tokio::test]
async fn tagging_runs_beside_fetching() {
    let world = World::new();
    let pair = world.ready().await;
    // The tagging of the VM's key gets no answer before the host's key is asked for: one after the other would hang.
    world.server.manner(|manner| manner.tags_wait_for_get = true);
    pair.encrypt(&vm(), None).await.unwrap();
    assert_eq!(world.server.keys()["1"].tags.len(), 6);
}

#[tokio::test]
async fn a_safe_host_needs_no_second_host_key() {
    let world = World::new();
    let pair = world.ready().await;
    pair.encrypt(&vm(), None).await.unwrap();
    world.server.take_connections();
    world.register_vm(&pair, "test02", None).await;
    let key = pair.encrypt(&"test02".parse().unwrap(), None).await.unwrap();
    assert_eq!(key.to_string(), "3/clavis");
    assert_eq!(world.server.take_connections().len(), 4, "create, tag, fetch, tag");
}

#[tokio::test]
async fn vms_encrypted_side_by_side_share_one_host_key() {
    let world = World::new();
    let pair = world.ready().await;
    let names: Vec<VmId> = (2..14).map(|number| format!("test{number:02}").parse().unwrap()).collect();
    let mut running = Vec::new();
    for name in &names {
        world.register_vm(&pair, name.as_str(), None).await;
        let (pair, name) = (Arc::clone(&pair), name.clone());
        running.push(tokio::spawn(async move { pair.encrypt(&name, None).await.map(|key| key.key_id) }));
    }
    let mut keys = Vec::new();
    for encrypted in running {
        keys.push(encrypted.await.unwrap().unwrap());
    }
    keys.extend(pair.host().host_key().map(|key| key.key_id));
    keys.sort();
    keys.dedup();
    assert_eq!((keys.len(), world.server.keys().len()), (13, 13), "a key per VM and one for the host");
    for name in &names {
        assert_eq!(*pair.read_disk(name, 0, 512, 8).await.unwrap(), 64_u64.to_le_bytes());
    }
}

#[tokio::test]
async fn the_credential_goes_only_where_vcenter_sends_it() {
    let world = World::new();
    let pair = world.boot();
    let password = world.folder.path().join("password");
    std::fs::write(&password, "geheim\n").unwrap();
    let spec = Spec {
        username: Some("vc".into()),
        password_file: Some(password),
        ..world.spec(&[world.server.address.to_string()])
    };
    pair.vcenter().register(&spec).unwrap();
    world.register_vm(&pair, "test01", None).await;
    pair.encrypt(&vm(), None).await.unwrap();
    for message in world.server.take_connections().iter().flatten() {
        let is_state = message.windows(5).any(|part| part == b"State");
        let request = RequestMessage::decode(message).unwrap();
        let operation = request.items[0].operation.unwrap();
        let expected = match operation {
            Operation::Create | Operation::Get | Operation::Activate => true,
            Operation::GetAttributes => is_state,
            _ => false,
        };
        assert_eq!(!request.header.authentication.is_empty(), expected, "{operation:?}");
        assert_eq!(message.windows(6).any(|part| part == b"geheim"), expected);
    }
}

#[tokio::test]
async fn a_key_without_tags_encrypts_as_well() {
    let world = World::new();
    let pair = world.ready().await;
    world.server.manner(|manner| manner.refuse_tags = true);
    pair.encrypt(&vm(), None).await.unwrap();
    assert_eq!(pair.host().vm(&vm()).unwrap().status().state, "unlocked");
    assert_eq!(pair.vcenter().counters().get("tagging.failures"), 4);
}

#[tokio::test]
async fn servers_are_asked_in_order_and_the_error_has_each_ones_reason() {
    let world = World::new();
    let second = KeyServer::start(&world.pki);
    let pair = world.boot();
    let addresses = [world.server.address.to_string(), second.address.to_string()];
    pair.vcenter().register(&world.spec(&addresses)).unwrap();
    world.register_vm(&pair, "test01", None).await;
    world.server.manner(|manner| manner.refuse_create = true);
    second.manner(|manner| manner.refuse_create = true);
    let refused = pair.encrypt(&vm(), None).await.unwrap_err().to_string();
    let [first, other] = &addresses;
    assert_eq!(
        refused,
        format!(
            "Failed to generate key on key provider clavis: \
             on KMS {first}: Operation Failed: General Failure: not today; \
             on KMS {other}: Operation Failed: General Failure: not today"
        )
    );
    assert_eq!(pair.host().vm(&vm()).unwrap().status().state, "clear");

    // The first still refuses and the second gives a key, which the first does not know.
    second.manner(|manner| manner.refuse_create = false);
    pair.encrypt(&vm(), None).await.unwrap();
    assert_eq!((world.server.keys().len(), second.keys().len()), (0, 2));
}

#[tokio::test]
async fn a_server_that_is_gone_is_passed_over() {
    let world = World::new();
    let first = world.server.sibling(&world.pki);
    let pair = world.boot();
    pair.vcenter().register(&world.spec(&[first.address.to_string(), world.server.address.to_string()])).unwrap();
    world.register_vm(&pair, "test01", None).await;
    drop(first);
    pair.encrypt(&vm(), None).await.unwrap();
    let status = pair.vcenter().default_provider().unwrap().check().await;
    assert_eq!(status.servers.iter().map(|server| server.healthy).collect::<Vec<_>>(), [false, true]);
    assert!(!status.healthy && status.servers[0].error.is_some());
}

async fn rebooted(world: &World) -> (Arc<Pair>, CryptoKeyId) {
    let pair = world.ready().await;
    let key = pair.encrypt(&vm(), None).await.unwrap();
    drop(pair);
    world.server.take_connections();
    (world.boot(), key)
}

#[tokio::test]
async fn after_a_reboot_the_key_is_fetched_and_not_activated_again() {
    let world = World::new();
    let (pair, key) = rebooted(&world).await;
    assert!(matches!(pair.read_disk(&vm(), 0, 0, 8).await, Err(PairError::Host(HostError::Locked { .. }))));
    assert_eq!(pair.unlock(&vm()).await.unwrap(), key);
    assert_eq!(*pair.read_disk(&vm(), 0, 512, 8).await.unwrap(), 64_u64.to_le_bytes());
    use Operation::{DiscoverVersions, Get, GetAttributes};
    let fetch = vec![DiscoverVersions, Get, GetAttributes];
    let sent: Vec<_> = world.server.take_connections().iter().map(|connection| operations(connection)).collect();
    assert_eq!(sent, [fetch.clone(), fetch], "the VM's key, then the host's");
}

#[tokio::test]
async fn a_missing_key_locks_the_vm_and_is_named() {
    let world = World::new();
    let (pair, key) = rebooted(&world).await;
    world.server.change_keys(|keys| drop(keys.remove(&key.key_id)));
    let refused = pair.unlock(&vm()).await.unwrap_err().to_string();
    assert_eq!(refused, "The operation is not allowed in the current state. Key 1/clavis not found");
    let status = pair.host().vm(&vm()).unwrap().status();
    assert_eq!((status.state, status.locked), ("locked", Some(LockReason::KeyMissingOnKms)));
    assert_eq!(status.message.unwrap(), refused);
}

#[tokio::test]
async fn a_key_that_is_no_longer_active_is_not_brought_to_a_host_that_lacks_it() {
    let world = World::new();
    let (pair, key) = rebooted(&world).await;
    for state in [State::Deactivated, State::Compromised] {
        world.server.change_keys(|keys| keys.get_mut(&key.key_id).unwrap().state = state);
        let Err(PairError::Host(HostError::Locked { reason, .. })) = pair.unlock(&vm()).await else {
            panic!("unlocked with a key that is {state}")
        };
        assert_eq!(reason, LockReason::KeyStateNotActiveOrEnabled { state: state.to_string() });
    }
    world.server.change_keys(|keys| keys.get_mut(&key.key_id).unwrap().state = State::Active);
    pair.unlock(&vm()).await.unwrap();
}

#[tokio::test]
async fn a_key_server_that_is_gone_locks_nothing_that_runs() {
    let mut world = World::new();
    let pair = world.ready().await;
    pair.encrypt(&vm(), None).await.unwrap();
    let next = KeyServer::start(&world.pki);
    drop(std::mem::replace(&mut world.server, next));
    assert!(pair.read_disk(&vm(), 0, 0, 8).await.is_ok());
    // The host has the key, so nobody needs to be asked.
    pair.unlock(&vm()).await.unwrap();
    drop(pair);
    let pair = world.boot();
    let Err(PairError::Host(HostError::Locked { reason: LockReason::KmsClusterError { detail }, .. })) =
        pair.unlock(&vm()).await
    else {
        panic!("unlocked without a key server")
    };
    assert!(detail.starts_with("on KMS 127.0.0.1:"), "{detail}");
}

#[tokio::test]
async fn another_keys_bytes_do_not_unlock() {
    let world = World::new();
    let (pair, key) = rebooted(&world).await;
    world.server.change_keys(|keys| keys.get_mut(&key.key_id).unwrap().bytes = [99; 32]);
    let refused = pair.unlock(&vm()).await;
    assert!(
        matches!(refused, Err(PairError::Host(HostError::Locked { reason: LockReason::KeyDoesNotOpen, .. }))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn the_right_key_helps_after_wrong_bytes() {
    let world = World::new();
    let (pair, key) = rebooted(&world).await;
    let right = world.server.keys()[&key.key_id].bytes;
    world.server.change_keys(|keys| keys.get_mut(&key.key_id).unwrap().bytes = [99; 32]);
    assert!(pair.unlock(&vm()).await.is_err());
    world.server.change_keys(|keys| keys.get_mut(&key.key_id).unwrap().bytes = right);
    pair.unlock(&vm()).await.unwrap();
}

#[tokio::test]
async fn rekeys_put_the_vm_under_a_new_key_and_leave_the_old_one_active() {
    let world = World::new();
    let pair = world.ready().await;
    pair.encrypt(&vm(), None).await.unwrap();
    for (how, expected) in [(Rekey::Shallow, "3"), (Rekey::Deep, "4")] {
        let key = pair.rekey(&vm(), how, None).await.unwrap();
        assert_eq!(key.key_id, expected);
        assert_eq!(*pair.read_disk(&vm(), 0, 512, 8).await.unwrap(), 64_u64.to_le_bytes());
    }
    let keys = world.server.keys();
    assert!(keys.len() == 4 && keys.values().all(|key| key.state == State::Active));
    assert_eq!(keys["4"].tags["x-Name"], "test01");
}

#[tokio::test]
async fn a_failed_encryption_makes_no_key_where_it_can_know_beforehand() {
    let world = World::new();
    let pair = world.ready().await;
    pair.encrypt(&vm(), None).await.unwrap();
    world.server.take_connections();
    let again = pair.encrypt(&vm(), None).await;
    assert!(matches!(again, Err(PairError::Host(HostError::AlreadyEncrypted(_)))));
    let unknown = pair.encrypt(&vm(), Some(&"other".parse().unwrap())).await;
    assert!(matches!(unknown, Err(PairError::Host(HostError::AlreadyEncrypted(_)))));
    assert!(world.server.take_connections().is_empty());
}

#[tokio::test]
async fn a_self_signed_client_is_made_once_and_kept() {
    let world = World::new();
    let pair = world.boot();
    let spec = Spec { identity: Identity::SelfSigned, ..world.spec(&[world.server.address.to_string()]) };
    let certificate = pair.vcenter().register(&spec).unwrap().certificate().to_owned();
    assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(matches!(pair.vcenter().register(&spec), Err(KmsError::ProviderExists(_))));
    // This server trusts its own authority only, so that trust has to fail, and say so.
    let status = pair.vcenter().default_provider().unwrap().trust().await;
    assert!(!status.healthy && status.servers[0].error.is_some(), "{status:?}");
    drop(pair);
    assert_eq!(world.boot().vcenter().default_provider().unwrap().certificate(), certificate);
}
