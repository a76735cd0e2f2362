//! What vCenter does with a key provider, message by message, and with which server.
//!
//! | action | messages after Discover Versions |
//! |---|---|
//! | [`probe`](Provider::check) | none: the handshake alone |
//! | health | Discover Versions again, now with a mark |
//! | vendor | Query, function Query Server Information |
//! | [`generate`](Provider::generate) | Create |
//! | [`fetch`](Provider::fetch) | Get; Get Attributes `State`; Activate if Pre-Active |
//! | [`tag`](Provider::tag_product) | Get Attributes, one per name; Add Attribute for all in one batch |
//!
//! Each runs against the servers in their configured order until one does it; the error has each one's reason.

use std::sync::Arc;

use kmip::attribute::{Attribute, AttributeKind, AttributeValue, Identifier, TemplateAttribute};
use kmip::object::{KeyMaterial, KeyValue, ManagedObject};
use kmip::payload::{
    ActivateRequest, AddAttributeRequest, CreateRequest, DiscoverVersionsRequest, GetAttributesRequest, GetRequest,
    QueryRequest, RequestPayload,
};
use kmip::registry::{CryptographicAlgorithm, KeyFormatType, QueryFunction, State, UsageMask};
use kmip_client::Error;
use secret::Secret;
use uuid::Uuid;

use super::error::{Attempt, KmsError};
use super::provider::{Provider, Server};
use super::session::{self, Session};
use crate::key::CryptoKeyId;

/// `x-Product_Version`: the vCenter whose messages these are.
pub const PRODUCT_VERSION: &str = "7.0.3 build-19480866";
const VENDOR: &str = "VMware, Inc.";
const PRODUCT: &str = "VMware vSphere";
const KEY_BITS: i32 = 256;
const KEY_BYTES: usize = 32;

/// A key as it came from the key server.
#[derive(Debug)]
pub struct Fetched {
    /// The key bytes, for a host's memory.
    pub secret: Arc<Secret>,
}

/// What came back on one connection.
enum Got {
    Key(Secret),
    NotActive(State),
}

impl Provider {
    /// Has a key made (`GenerateKey`): AES-256 for Encrypt and Decrypt, Pre-Active, without a name.
    ///
    /// # Errors
    /// [`KmsError::AllFailed`] with each server's reason.
    pub async fn generate(&self) -> Result<CryptoKeyId, KmsError> {
        let mut tries = Tries::begin(self, "generate key");
        for server in self.servers() {
            match create(self, server).await {
                Ok(key_id) => {
                    let named = CryptoKeyId::new(&key_id, self.id().clone());
                    return named.map_err(|error| self.unusable(error.to_string()));
                }
                Err(error) => tries.failed(server, error),
            }
        }
        Err(tries.give_up())
    }

    /// Fetches a key for a host, and activates it if it is Pre-Active.
    ///
    /// # Errors
    /// [`KmsError::KeyMissing`], [`KmsError::KeyNotActive`], [`KmsError::AllFailed`].
    pub async fn fetch(&self, key: &CryptoKeyId) -> Result<Fetched, KmsError> {
        let mut tries = Tries::begin(self, "get key");
        for server in self.servers() {
            match get(self, server, &key.key_id).await {
                Ok(Got::Key(secret)) => return Ok(Fetched { secret: Arc::new(secret) }),
                Ok(Got::NotActive(state)) => {
                    return Err(KmsError::KeyNotActive { key: key.clone(), state: state.to_string() });
                }
                Err(error) => tries.failed(server, error),
            }
        }
        // A server that was not reached holds no key that the others have lost: they all have the same.
        let missing = tries.attempts.iter().any(Attempt::key_is_missing);
        if missing && tries.attempts.iter().all(|attempt| attempt.key_is_missing() || !attempt.answered()) {
            return Err(KmsError::KeyMissing(key.clone()));
        }
        Err(tries.give_up())
    }

    /// Notes at the key server which product a key is for. Not doing so harms nothing.
    ///
    /// # Errors
    /// [`KmsError::AllFailed`].
    pub async fn tag_product(&self, key: &CryptoKeyId) -> Result<(), KmsError> {
        let tags = [("x-Product_Version", PRODUCT_VERSION), ("x-Vendor", VENDOR), ("x-Product", PRODUCT)];
        self.tag(key, &tags).await
    }

    /// Notes at the key server which host or VM a key belongs to. Not doing so harms nothing.
    ///
    /// # Errors
    /// [`KmsError::AllFailed`].
    pub async fn tag_owner(
        &self,
        key: &CryptoKeyId,
        uuid: Uuid,
        component: Component,
        name: &str,
    ) -> Result<(), KmsError> {
        let uuid = uuid.to_string();
        let tags = [("x-Identifier", &uuid[..]), ("x-Component", component.text()), ("x-Name", name)];
        self.tag(key, &tags).await
    }

    async fn tag(&self, key: &CryptoKeyId, tags: &[(&str, &str)]) -> Result<(), KmsError> {
        let mut tries = Tries::begin(self, "tag key");
        for server in self.servers() {
            match tag(self, server, key, tags).await {
                Ok(()) => return Ok(()),
                Err(error) => tries.failed(server, error),
            }
        }
        Err(tries.give_up())
    }
}

/// The servers that did not do it so far.
struct Tries<'a> {
    provider: &'a Provider,
    action: &'static str,
    attempts: Vec<Attempt>,
}

impl<'a> Tries<'a> {
    const fn begin(provider: &'a Provider, action: &'static str) -> Self {
        Self { provider, action, attempts: Vec::new() }
    }

    fn failed(&mut self, server: &Server, error: Error) {
        self.provider.counters().count("kmip.failures");
        let attempt = Attempt { server: server.address.clone(), error };
        tracing::warn!(provider = %self.provider.id(), action = self.action, "{attempt}");
        self.attempts.push(attempt);
    }

    fn give_up(self) -> KmsError {
        KmsError::AllFailed { action: self.action, provider: self.provider.id().clone(), attempts: self.attempts }
    }
}

/// What a key belongs to, `x-Component`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// A host's own key.
    Host,
    /// The key of a VM.
    VirtualMachine,
}

impl Component {
    const fn text(self) -> &'static str {
        match self {
            Self::Host => "ESXi Server",
            Self::VirtualMachine => "Virtual Machine",
        }
    }
}

/// The handshake, a connection closed without a byte of KMIP, then two Discover Versions: how vCenter checks health.
pub(super) async fn check(provider: &Provider, server: &Server) -> Result<Vec<String>, Error> {
    provider.counters().count("kms.probes");
    let probe = session::connect(server, provider.tls(), provider.counters()).await?;
    // Closing may fail where a server of TLS 1.3 refuses the certificate only now; the next connection shows that.
    let _ = probe.close().await;
    let mut session = Session::open(server, provider.tls(), provider.counters()).await?;
    let versions = session.ask(DiscoverVersionsRequest::default()).await?;
    session.close().await;
    Ok(versions.protocol_versions.iter().map(ToString::to_string).collect())
}

/// Who made the server, asked once after trust was established.
pub(super) async fn vendor(provider: &Provider, server: &Server) -> Result<Option<String>, Error> {
    let mut session = Session::open(server, provider.tls(), provider.counters()).await?;
    let answer = session.ask(QueryRequest::of(vec![QueryFunction::QueryServerInformation])).await?;
    session.close().await;
    Ok(answer.vendor_identification)
}

async fn create(provider: &Provider, server: &Server) -> Result<String, Error> {
    let mut session = open_as_user(provider, server).await?;
    let attributes = [
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Aes),
        AttributeValue::CryptographicUsageMask(UsageMask::ENCRYPT.union(UsageMask::DECRYPT)),
        AttributeValue::CryptographicLength(KEY_BITS),
    ];
    let attributes: Vec<Attribute> = attributes.into_iter().map(Attribute::new).collect();
    let template_attribute = TemplateAttribute { names: Vec::new(), attributes };
    let request = CreateRequest::symmetric_key(template_attribute);
    let answer = session.ask_as_user(request).await?;
    session.close().await;
    Ok(answer.unique_identifier)
}

async fn get(provider: &Provider, server: &Server, key_id: &str) -> Result<Got, Error> {
    let id = Some(Identifier::from(key_id));
    let mut session = open_as_user(provider, server).await?;
    let object = session.ask_as_user(GetRequest { unique_identifier: id.clone(), ..GetRequest::default() }).await?;
    if object.unique_identifier != key_id {
        return Err(Error::Mismatch("another key"));
    }
    let secret = aes_256(object.object)?;
    let attribute_names = vec![AttributeKind::State.text().to_owned()];
    let request = GetAttributesRequest { unique_identifier: id.clone(), attribute_names };
    let answer = session.ask_as_user(request).await?;
    let state = answer.attributes.iter().find_map(|attribute| match attribute.value {
        AttributeValue::State(state) => Some(state),
        _ => None,
    });
    let got = match state.ok_or(Error::Mismatch("no State"))? {
        State::Active => Got::Key(secret),
        State::PreActive => {
            session.ask_as_user(ActivateRequest { unique_identifier: id }).await?;
            Got::Key(secret)
        }
        other => Got::NotActive(other),
    };
    session.close().await;
    Ok(got)
}

async fn tag(provider: &Provider, server: &Server, key: &CryptoKeyId, tags: &[(&str, &str)]) -> Result<(), Error> {
    let id = || Some(Identifier::from(key.key_id.as_str()));
    let mut session = Session::open(server, provider.tls(), provider.counters()).await?;
    for (name, _) in tags {
        // The answer makes no difference to vCenter, which adds what it wants to add.
        session
            .ask(GetAttributesRequest { unique_identifier: id(), attribute_names: vec![(*name).to_owned()] })
            .await?;
    }
    let additions = tags.iter().map(|(name, value)| {
        let value = AttributeValue::custom_text(*name, value).ok_or(Error::Mismatch("not a custom attribute"))?;
        let attribute = Attribute::new(value);
        Ok(RequestPayload::from(AddAttributeRequest { unique_identifier: id(), attribute }))
    });
    session.ask_all(additions.collect::<Result<Vec<_>, Error>>()?).await?;
    session.close().await;
    Ok(())
}

async fn open_as_user<'a>(provider: &'a Provider, server: &Server) -> Result<Session<'a>, Error> {
    let session = Session::open(server, provider.tls(), provider.counters()).await?;
    Ok(session.with_credential(provider.credential()))
}

/// The key bytes of an AES-256 key in clear, and of nothing else.
fn aes_256(object: ManagedObject) -> Result<Secret, Error> {
    let ManagedObject::SymmetricKey(key) = object else { return Err(Error::Mismatch("not a symmetric key")) };
    let block = key.key_block;
    if block.format != KeyFormatType::Raw
        || block.algorithm.is_some_and(|algorithm| algorithm != CryptographicAlgorithm::Aes)
        || block.length.is_some_and(|bits| bits != KEY_BITS)
    {
        return Err(Error::Mismatch("not a raw AES-256 key"));
    }
    match block.value {
        Some(KeyValue::Plain { material: KeyMaterial::Bytes(secret), .. }) if secret.len() == KEY_BYTES => Ok(secret),
        _ => Err(Error::Mismatch("not 32 key bytes in clear")),
    }
}
