//! A small key server for these tests: it keeps what it is told in memory, answers as the protocol says, and writes
//! down every message. It can be told to fail. The real server is tested elsewhere, with this client.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use certs::Authority;
use kmip::attribute::AttributeValue;
use kmip::message::{ItemPayload, Outcome, RequestMessage, ResponseItem, ResponseMessage};
use kmip::object::{KeyBlock, ManagedObject, SymmetricKey};
use kmip::payload::{
    ActivateResponse, AddAttributeResponse, CreateResponse, DiscoverVersionsResponse, GetAttributesResponse,
    GetResponse, QueryResponse, RequestPayload,
};
use kmip::registry::{CryptographicAlgorithm, ObjectType, ResultReason, State};
use kmip::ttlv::DateTime;
use kmip::{ProtocolVersion, attribute::Attribute};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use secret::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio_rustls::TlsAcceptor;

/// Certificates in a folder of their own.
pub struct Pki {
    pub folder: tempfile::TempDir,
    authority: Authority,
}

impl Pki {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("test").unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.cert_pem()).unwrap();
        let client = authority.issue_client("vcenter").unwrap();
        std::fs::write(folder.path().join("client.pem"), &client.cert_pem).unwrap();
        std::fs::write(folder.path().join("client.key"), &*client.key_pem).unwrap();
        Self { folder, authority }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn server_config(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.authority.cert_der().to_vec())).unwrap();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
        let issued = self.authority.issue_server(&["localhost", "127.0.0.1"]).unwrap();
        let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![CertificateDer::from(issued.cert_der)], key)
            .unwrap();
        Arc::new(config)
    }
}

/// A key as the server has it.
#[derive(Clone)]
pub struct Key {
    pub bytes: [u8; 32],
    pub state: State,
    pub tags: BTreeMap<String, String>,
}

/// How the server is to misbehave.
#[derive(Default)]
pub struct Manner {
    pub refuse_create: bool,
    pub refuse_tags: bool,
    /// Answers the first question of a tagging only after a Get has arrived on another connection.
    pub tags_wait_for_get: bool,
}

#[derive(Default)]
struct Shared {
    keys: Mutex<BTreeMap<String, Key>>,
    connections: Mutex<Vec<Vec<Vec<u8>>>>,
    manner: Mutex<Manner>,
    got: Notify,
}

pub struct KeyServer {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl KeyServer {
    pub fn start(pki: &Pki) -> Self {
        Self::sharing(pki, Arc::default())
    }

    /// A second server of the same group: the same keys, another address.
    pub fn sibling(&self, pki: &Pki) -> Self {
        Self::sharing(pki, Arc::clone(&self.shared))
    }

    fn sharing(pki: &Pki, shared: Arc<Shared>) -> Self {
        let config = pki.server_config();
        let (ready, address) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let state = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                ready.send(listener.local_addr().unwrap()).unwrap();
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, TlsAcceptor::from(config), state) => {}
                }
            });
        });
        Self { address: address.recv().unwrap(), shared, stop: Some(stop), thread: Some(thread) }
    }

    pub fn manner(&self, change: impl FnOnce(&mut Manner)) {
        change(&mut self.shared.manner.lock().unwrap());
    }

    pub fn keys(&self) -> BTreeMap<String, Key> {
        self.shared.keys.lock().unwrap().clone()
    }

    pub fn change_keys(&self, change: impl FnOnce(&mut BTreeMap<String, Key>)) {
        change(&mut self.shared.keys.lock().unwrap());
    }

    /// Takes what was received so far: per connection, in the order in which they were made, the messages.
    pub fn take_connections(&self) -> Vec<Vec<Vec<u8>>> {
        std::mem::take(&mut *self.shared.connections.lock().unwrap())
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
        tokio::spawn(async move { serve(stream, acceptor, &shared).await });
    }
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, shared: &Shared) {
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    let number = {
        let mut connections = shared.connections.lock().unwrap();
        connections.push(Vec::new());
        connections.len() - 1
    };
    loop {
        let mut frame = vec![0; 8];
        if stream.read_exact(&mut frame).await.is_err() {
            return;
        }
        let len = u32::from_be_bytes(frame[4..8].try_into().unwrap());
        frame.resize(8 + usize::try_from(len).unwrap(), 0);
        stream.read_exact(&mut frame[8..]).await.unwrap();
        if let Some(connection) = shared.connections.lock().unwrap().get_mut(number) {
            connection.push(frame.clone());
        }
        let request = RequestMessage::decode(&frame).unwrap();
        let mut items = Vec::new();
        for item in request.items {
            let ItemPayload::Typed(payload) = item.payload else { panic!("unexpected operation") };
            let operation = item.operation.ok().map(kmip::registry::Operation::value);
            let outcome = answer(payload, shared).await;
            let failed = !matches!(outcome, Outcome::Success(_));
            items.push(ResponseItem { operation, unique_batch_item_id: item.unique_batch_item_id, outcome });
            if failed {
                break;
            }
        }
        let response = ResponseMessage::new(request.header.version, DateTime(1_700_000_000), items);
        stream.write_all(&response.encode()).await.unwrap();
        stream.flush().await.unwrap();
    }
}

async fn answer(payload: RequestPayload, shared: &Shared) -> Outcome {
    use RequestPayload as R;
    let is_tagging = |names: &[String]| names.iter().any(|name| name.starts_with("x-"));
    let wait = matches!(&payload, R::GetAttributes(asked) if is_tagging(&asked.attribute_names))
        && std::mem::take(&mut shared.manner.lock().unwrap().tags_wait_for_get);
    if wait {
        shared.got.notified().await;
    }
    let mut keys = shared.keys.lock().unwrap();
    let manner = shared.manner.lock().unwrap();
    let missing = || Outcome::failed(ResultReason::ItemNotFound, "no such object");
    match payload {
        R::DiscoverVersions(_) => {
            let protocol_versions = vec![ProtocolVersion::V1_2, ProtocolVersion::V1_1, ProtocolVersion::V1_0];
            Outcome::Success(DiscoverVersionsResponse { protocol_versions }.into())
        }
        R::Query(_) => Outcome::Success(
            QueryResponse { vendor_identification: Some("a test".into()), ..QueryResponse::default() }.into(),
        ),
        R::Create(_) if manner.refuse_create => Outcome::failed(ResultReason::GeneralFailure, "not today"),
        R::Create(_) => {
            let id = (keys.len() + 1).to_string();
            let byte = u8::try_from(keys.len() + 1).unwrap();
            keys.insert(id.clone(), Key { bytes: [byte; 32], state: State::PreActive, tags: BTreeMap::new() });
            let object_type = ObjectType::SymmetricKey;
            Outcome::Success(CreateResponse { object_type, unique_identifier: id, template_attribute: None }.into())
        }
        R::Get(asked) => {
            shared.got.notify_one();
            let unique_identifier = asked.unique_identifier.unwrap().to_string();
            let Some(key) = keys.get(&unique_identifier) else { return missing() };
            let key_block = KeyBlock::raw(Secret::copy_from(&key.bytes), CryptographicAlgorithm::Aes, 256);
            let object = ManagedObject::SymmetricKey(SymmetricKey { key_block });
            Outcome::Success(GetResponse { object_type: ObjectType::SymmetricKey, unique_identifier, object }.into())
        }
        R::GetAttributes(asked) => {
            let unique_identifier = asked.unique_identifier.unwrap().to_string();
            let Some(key) = keys.get(&unique_identifier) else { return missing() };
            let tag = |name: &String| Some((name.clone(), key.tags.get(name)?.clone()));
            let mut attributes: Vec<Attribute> = asked
                .attribute_names
                .iter()
                .filter_map(tag)
                .map(|(name, value)| Attribute::new(AttributeValue::custom_text(name, &value).unwrap()))
                .collect();
            if asked.attribute_names == ["State"] {
                attributes.push(Attribute::new(AttributeValue::State(key.state)));
            }
            Outcome::Success(GetAttributesResponse { unique_identifier, attributes }.into())
        }
        R::AddAttribute(_) if manner.refuse_tags => Outcome::failed(ResultReason::PermissionDenied, "no tags"),
        R::AddAttribute(asked) => {
            let unique_identifier = asked.unique_identifier.unwrap().to_string();
            let Some(key) = keys.get_mut(&unique_identifier) else { return missing() };
            let AttributeValue::Custom { name, value } = &asked.attribute.value else { panic!("not custom") };
            key.tags.insert(name.to_string(), value.item().text().unwrap().to_owned());
            Outcome::Success(AddAttributeResponse { unique_identifier, attribute: Some(asked.attribute) }.into())
        }
        R::Activate(asked) => {
            let unique_identifier = asked.unique_identifier.unwrap().to_string();
            let Some(key) = keys.get_mut(&unique_identifier) else { return missing() };
            assert_eq!(key.state, State::PreActive, "activated twice");
            key.state = State::Active;
            Outcome::Success(ActivateResponse { unique_identifier }.into())
        }
        other => panic!("a vCenter never sends {:?}", other.operation()),
    }
}

/// A raw image whose sectors are all different.
pub fn write_image(path: &Path, sectors: u64) {
    let bytes: Vec<u8> = (0..sectors * 64).flat_map(u64::to_le_bytes).collect();
    std::fs::write(path, bytes).unwrap();
}
