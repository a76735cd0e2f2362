//! A blocking client: one method per path, a client certificate, one private authority, deadlines, bounded answers.

mod custody;

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::Response;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body, RequestBuilder};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::error::{ClientError, ErrorBody, ErrorDetail};
use crate::limits::{
    CALL_DEADLINE, CONNECT_DEADLINE, EXPORT_SILENCE, MAX_ANSWER_LEN, MAX_ERROR_LEN, MAX_REQUEST_LEN, MAX_TILE_LEN,
};
use crate::path::path;
use crate::types::{
    Administrator, Approvals, AuditQuery, Checkpoint, Client, ClientAccess, Domain, DomainChange, Fingerprint, Health,
    HsmStatus, IssueClient, IssuedClient, NewCredential, NewDomain, NewHold, NewRetention, Object, ObjectPage, Proof,
    ProofQuery, ProtectedAct, RegisterClient, Request, Retention, RevokeObject, TrustAnchor, Verification,
};

/// Whether a destructive call takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It does.
    Real,
    /// The server decides and answers as if, and changes nothing.
    DryRun,
}

/// How long a client waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// For finding the host, TCP and TLS together.
    pub connect: Duration,
    /// For a whole call, exports excepted.
    pub call: Duration,
    /// For the next bytes of an export.
    pub silence: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { connect: CONNECT_DEADLINE, call: CALL_DEADLINE, silence: EXPORT_SILENCE }
    }
}

/// How much is copied at a time from an export.
const COPY_LEN: usize = 64 << 10;

/// A client of one server's admin API. It may be shared between threads.
#[derive(Clone, Debug)]
pub struct AdminClient {
    agent: Agent,
    base_url: String,
    deadlines: Deadlines,
}

impl AdminClient {
    /// A client of the server at `base_url`, `https://localhost:9443`, which must show a certificate under one of the
    /// authorities in `ca_pem`. `cert_pem` (leaf first) and `key_pem` prove who the administrator is. Nothing is sent
    /// yet.
    ///
    /// # Errors
    /// [`ClientError::Configuration`].
    pub fn new(base_url: &str, ca_pem: &[u8], cert_pem: &[u8], key_pem: &[u8]) -> Result<Self, ClientError> {
        let base_url = base_url.trim_end_matches('/').to_owned();
        let uri: ureq::http::Uri = base_url.parse().map_err(|_| wrong(format!("'{base_url}' is not an address")))?;
        if uri.scheme_str() != Some("https") || uri.host().is_none() || !matches!(uri.path(), "" | "/") {
            return Err(wrong(format!("'{base_url}' is not https://HOST:PORT")));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let authorities = certificates(ca_pem, "CA file")?;
        let chain = certificates(cert_pem, "certificate file")?;
        let key = PrivateKeyDer::from_pem_slice(key_pem).map_err(|_| wrong("no private key in the key file"))?;
        check_identity(&provider, &authorities, &chain, &key)?;

        let roots: Vec<Certificate<'static>> =
            authorities.iter().map(|one| Certificate::from_der(one).to_owned()).collect();
        let chain: Vec<Certificate<'static>> = chain.iter().map(|one| Certificate::from_der(one).to_owned()).collect();
        let key = PrivateKey::from_pem(key_pem).map_err(|_| wrong("no private key in the key file"))?;
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(RootCerts::new_with_certs(&roots))
            .client_cert(Some(ClientCert::new_with_certs(&chain, key)))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .https_only(true)
            // A refusal carries a body that says why.
            .http_status_as_error(false)
            // The API never redirects; something that does is not the API.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // A proxy from the environment would be let in between an administrator and the KMS.
            .proxy(None)
            // Each request has a connection of its own: on one that the server is just closing, nobody could tell
            // whether a change was made.
            .max_idle_connections(0)
            .user_agent(concat!("clavis-admin/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self { agent, base_url, deadlines: Deadlines::default() })
    }

    /// The same client with other deadlines.
    #[must_use]
    pub fn with_deadlines(self, deadlines: Deadlines) -> Self {
        Self { deadlines, ..self }
    }

    /// Whether the node can do its work.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn health(&self) -> Result<Health, ClientError> {
        self.get(&["health"], &[])
    }

    /// The HSM group and its members.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn hsm_status(&self) -> Result<HsmStatus, ClientError> {
        self.get(&["hsm"], &[])
    }

    /// The keys under which this server signs checkpoints, as it says itself.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn trust_anchor(&self) -> Result<TrustAnchor, ClientError> {
        self.get(&["trust-anchor"], &[])
    }

    /// All administrators, oldest first, revoked ones too.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn administrator_list(&self) -> Result<Vec<Administrator>, ClientError> {
        self.get(&["administrators"], &[])
    }

    /// Asks for an act that security officers have to approve.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn request_ask(&self, act: &ProtectedAct, effect: Effect) -> Result<Request, ClientError> {
        self.post(&["requests"], effect, act)
    }

    /// All requests that the server keeps, oldest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn request_list(&self) -> Result<Vec<Request>, ClientError> {
        self.get(&["requests"], &[])
    }

    /// One request.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn request_show(&self, id: Uuid) -> Result<Request, ClientError> {
        self.get(&["requests", &id.to_string()], &[])
    }

    /// Hands in approvals.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn request_approve(&self, id: Uuid, approvals: &Approvals) -> Result<Request, ClientError> {
        self.post(&["requests", &id.to_string(), "approvals"], Effect::Real, approvals)
    }

    /// Has an approved request executed; approvals that were given offline may come along.
    ///
    /// # Errors
    /// [`ClientError`]; [`ErrorCode::WrongState`](crate::ErrorCode::WrongState) where it cannot be executed now.
    pub fn request_execute(&self, id: Uuid, approvals: &Approvals, effect: Effect) -> Result<Request, ClientError> {
        self.post(&["requests", &id.to_string(), "execute"], effect, approvals)
    }

    /// Takes a request back.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn request_withdraw(&self, id: Uuid, effect: Effect) -> Result<Request, ClientError> {
        self.delete(&["requests", &id.to_string()], effect)
    }

    /// Makes a domain with a Domain Key in the HSM.
    ///
    /// # Errors
    /// [`ClientError`]; [`ErrorCode::Conflict`](crate::ErrorCode::Conflict) where the name is taken.
    pub fn domain_create(&self, domain: &NewDomain) -> Result<Domain, ClientError> {
        self.post(&["domains"], Effect::Real, domain)
    }

    /// All domains, by name.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn domain_list(&self) -> Result<Vec<Domain>, ClientError> {
        self.get(&["domains"], &[])
    }

    /// The domain with this name or identifier.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn domain_show(&self, domain: &str) -> Result<Domain, ClientError> {
        self.get(&["domains", domain], &[])
    }

    /// Freezes or thaws a domain, or begins to rotate its Domain Key.
    ///
    /// # Errors
    /// [`ClientError`]; [`ErrorCode::WrongState`](crate::ErrorCode::WrongState) where its state does not allow it.
    pub fn domain_change(&self, domain: &str, change: DomainChange, effect: Effect) -> Result<Domain, ClientError> {
        self.post(&["domains", domain, change.path()], effect, &())
    }

    /// Compares every row of a domain, or of `system`, with its audit log. It reads everything: for a large domain
    /// longer than a call may take, and what was found is then in the domain's audit log alone.
    ///
    /// # Errors
    /// [`ClientError`]; [`ErrorCode::Unavailable`](crate::ErrorCode::Unavailable) while another one runs.
    pub fn domain_verify(&self, domain: &str) -> Result<Verification, ClientError> {
        self.get(&["domains", domain, "verify"], &[])
    }

    /// How long the log of a domain, or of `system`, is kept.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn retention(&self, domain: &str) -> Result<Retention, ClientError> {
        self.get(&["domains", domain, "retention"], &[])
    }

    /// Says how long it is kept.
    ///
    /// # Errors
    /// [`ClientError`]; [`ErrorCode::BadRequest`](crate::ErrorCode::BadRequest) for less than six months without a reason.
    pub fn retention_set(&self, domain: &str, new: &NewRetention, effect: Effect) -> Result<Retention, ClientError> {
        self.post(&["domains", domain, "retention"], effect, new)
    }

    /// Sets a legal hold on a log: nothing is dropped of it.
    ///
    /// # Errors
    /// [`ClientError`]; [`ErrorCode::Conflict`](crate::ErrorCode::Conflict) where one of that name is set.
    pub fn hold_set(&self, domain: &str, hold: &NewHold) -> Result<Retention, ClientError> {
        self.post(&["domains", domain, "retention", "holds"], Effect::Real, hold)
    }

    /// Lifts a legal hold.
    ///
    /// # Errors
    /// [`ClientError`]; [`ErrorCode::NotFound`](crate::ErrorCode::NotFound) where none of that name is set.
    pub fn hold_lift(&self, domain: &str, name: &str, effect: Effect) -> Result<Retention, ClientError> {
        self.delete(&["domains", domain, "retention", "holds", name], effect)
    }

    /// Registers a certificate that exists already.
    ///
    /// # Errors
    /// [`ClientError`]; [`ErrorCode::Conflict`](crate::ErrorCode::Conflict) where its key is registered, here or elsewhere.
    pub fn client_register(&self, domain: &str, client: &RegisterClient) -> Result<Client, ClientError> {
        self.post(&["domains", domain, "clients"], Effect::Real, client)
    }

    /// Has the domain's authority issue a certificate, and registers it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn client_issue(&self, domain: &str, client: &IssueClient) -> Result<IssuedClient, ClientError> {
        self.post(&["domains", domain, "clients", "issue"], Effect::Real, client)
    }

    /// All clients of a domain, oldest first, revoked ones too.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn client_list(&self, domain: &str) -> Result<Vec<Client>, ClientError> {
        self.get(&["domains", domain, "clients"], &[])
    }

    /// Refuses a client from now on.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn client_revoke(&self, domain: &str, client: Fingerprint, effect: Effect) -> Result<Client, ClientError> {
        self.delete(&["domains", domain, "clients", &client.to_string()], effect)
    }

    /// Registers one more user or device that the client's messages may name.
    ///
    /// # Errors
    /// [`ClientError`]; [`ErrorCode::Conflict`](crate::ErrorCode::Conflict) where the client has one of that name.
    pub fn credential_add(
        &self,
        domain: &str,
        client: Fingerprint,
        credential: &NewCredential,
    ) -> Result<Client, ClientError> {
        self.post(&["domains", domain, "clients", &client.to_string(), "credentials"], Effect::Real, credential)
    }

    /// Refuses a user or device of a client from now on.
    ///
    /// # Errors
    /// [`ClientError`]; [`ErrorCode::NotFound`](crate::ErrorCode::NotFound) where the client has none of that name.
    pub fn credential_remove(
        &self,
        domain: &str,
        client: Fingerprint,
        name: &str,
        effect: Effect,
    ) -> Result<Client, ClientError> {
        self.delete(&["domains", domain, "clients", &client.to_string(), "credentials", name], effect)
    }

    /// Says what a client reaches by its certificate alone.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn client_access(
        &self,
        domain: &str,
        client: Fingerprint,
        access: &ClientAccess,
        effect: Effect,
    ) -> Result<Client, ClientError> {
        self.post(&["domains", domain, "clients", &client.to_string(), "access"], effect, access)
    }

    /// A page of a domain's objects, in the order of their identifiers.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn object_list(
        &self,
        domain: &str,
        after: Option<Uuid>,
        limit: Option<u32>,
    ) -> Result<ObjectPage, ClientError> {
        let mut query = Vec::new();
        if let Some(after) = after {
            query.push(("after", after.to_string()));
        }
        if let Some(limit) = limit {
            query.push(("limit", limit.to_string()));
        }
        self.get(&["domains", domain, "objects"], &query)
    }

    /// One object.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn object_show(&self, domain: &str, object: Uuid) -> Result<Object, ClientError> {
        self.get(&["domains", domain, "objects", &object.to_string()], &[])
    }

    /// Revokes an object.
    ///
    /// # Errors
    /// [`ClientError`]; [`ErrorCode::WrongState`](crate::ErrorCode::WrongState).
    pub fn object_revoke(
        &self,
        domain: &str,
        object: Uuid,
        revoke: &RevokeObject,
        effect: Effect,
    ) -> Result<Object, ClientError> {
        self.post(&["domains", domain, "objects", &object.to_string(), "revoke"], effect, revoke)
    }

    /// Destroys an object's key material. What remains says that it existed.
    ///
    /// # Errors
    /// [`ClientError`]; [`ErrorCode::WrongState`](crate::ErrorCode::WrongState) while it is Active.
    pub fn object_destroy(&self, domain: &str, object: Uuid, effect: Effect) -> Result<Object, ClientError> {
        self.delete(&["domains", domain, "objects", &object.to_string()], effect)
    }

    /// Writes the audit bundle of a domain, or of `system`, to `out` as it arrives. Returns its length in bytes. After
    /// an error what was written is not a whole bundle.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::Write`] where `out` fails.
    pub fn audit_export(&self, domain: &str, out: &mut dyn Write) -> Result<u64, ClientError> {
        self.audit_read(domain, &AuditQuery::default(), out)
    }

    /// Writes the chosen records of the log of a domain, or of `system`, to `out` as they arrive. Returns the length in
    /// bytes; with [`AuditQuery::follow`] it returns only when the server ends or `out` fails.
    ///
    /// # Errors
    /// As [`AdminClient::audit_export`].
    pub fn audit_read(&self, domain: &str, query: &AuditQuery, out: &mut dyn Write) -> Result<u64, ClientError> {
        let request = self
            .agent
            .get(self.url(&["domains", domain, "audit"]))
            .query_pairs(query.pairs())
            .config()
            .timeout_connect(Some(self.deadlines.connect))
            // An export takes as long as it takes, but it may not fall silent.
            .timeout_per_read(Some(self.deadlines.silence))
            .build();
        let response = check(request.call().map_err(|error| transport(&error))?)?;
        let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
        let mut buffer = vec![0; COPY_LEN];
        let mut written = 0_u64;
        loop {
            let read = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(transport(&ureq::Error::from(error))),
            };
            out.write_all(buffer.get(..read).unwrap_or_default()).map_err(ClientError::Write)?;
            written += read as u64;
        }
        out.flush().map_err(ClientError::Write)?;
        Ok(written)
    }

    /// The signed head of the log of a domain, or of `system`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn audit_checkpoint(&self, domain: &str) -> Result<Checkpoint, ClientError> {
        self.get(&["domains", domain, "checkpoint"], &[])
    }

    /// A proof about the log of a domain, or of `system`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn audit_prove(&self, domain: &str, claim: ProofQuery) -> Result<Proof, ClientError> {
        let pairs = [("record", claim.record), ("from", claim.from), ("to", claim.to)];
        let query: Vec<_> = pairs.iter().filter_map(|(name, value)| Some((*name, (*value)?.to_string()))).collect();
        self.get(&["domains", domain, "audit", "proof"], &query)
    }

    /// A file of the tlog-tiles layout of the log of a domain, or of `system`: `checkpoint`, `tile/0/000`,
    /// `tile/entries/000.p/7`.
    ///
    /// # Errors
    /// [`ClientError`]; [`ErrorCode::NotFound`](crate::ErrorCode::NotFound) where the log has no such tile.
    pub fn audit_tile(&self, domain: &str, file: &str) -> Result<Vec<u8>, ClientError> {
        let parts: Vec<&str> = ["domains", domain, "tiles"].into_iter().chain(file.split('/')).collect();
        let request = self.timed(self.agent.get(self.url(&parts)));
        let mut response = check(request.call().map_err(|error| transport(&error))?)?;
        let body = response.body_mut().with_config().limit(MAX_TILE_LEN).read_to_vec();
        body.map_err(|error| transport(&error))
    }

    fn timed<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        request.config().timeout_connect(Some(self.deadlines.connect)).timeout_global(Some(self.deadlines.call)).build()
    }

    fn url(&self, parts: &[&str]) -> String {
        format!("{}{}", self.base_url, path(parts))
    }

    fn get<T: DeserializeOwned>(&self, parts: &[&str], query: &[(&str, String)]) -> Result<T, ClientError> {
        let request = self.agent.get(self.url(parts)).query_pairs(query.iter().map(|(name, value)| (*name, value)));
        answer(self.timed(request).call())
    }

    fn delete<T: DeserializeOwned>(&self, parts: &[&str], effect: Effect) -> Result<T, ClientError> {
        answer(self.timed(with_effect(self.agent.delete(self.url(parts)), effect)).call())
    }

    fn post<T: DeserializeOwned>(
        &self,
        parts: &[&str],
        effect: Effect,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        // A password may be in it: reserved at once, because growing leaves copies behind, and wiped.
        let mut json = Zeroizing::new(Vec::with_capacity(MAX_REQUEST_LEN));
        serde_json::to_writer(&mut *json, body).map_err(|error| wrong(error.to_string()))?;
        let request = self.agent.post(self.url(parts)).content_type("application/json");
        answer(self.timed(with_effect(request, effect)).send(json.as_slice()))
    }
}

fn with_effect<B>(request: RequestBuilder<B>, effect: Effect) -> RequestBuilder<B> {
    match effect {
        Effect::Real => request,
        Effect::DryRun => request.query("dry_run", "true"),
    }
}

fn wrong(what: impl Into<String>) -> ClientError {
    ClientError::Configuration(what.into())
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, ClientError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(wrong(format!("no certificate in the {what}"))),
    }
}

/// The HTTP client builds its TLS from these when it first connects, and panics where they do not fit together.
fn check_identity(
    provider: &Arc<CryptoProvider>,
    authorities: &[CertificateDer<'static>],
    chain: &[CertificateDer<'static>],
    key: &PrivateKeyDer<'static>,
) -> Result<(), ClientError> {
    let mut roots = rustls::RootCertStore::empty();
    for authority in authorities {
        roots.add(authority.clone()).map_err(|error| wrong(format!("CA file: {error}")))?;
    }
    rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(error.to_string()))?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain.to_vec(), key.clone_key())
        .map_err(|error| wrong(format!("certificate and key: {error}")))?;
    Ok(())
}

fn answer<T: DeserializeOwned>(result: Result<Response<Body>, ureq::Error>) -> Result<T, ClientError> {
    let mut response = check(result.map_err(|error| transport(&error))?)?;
    let bytes = response.body_mut().with_config().limit(MAX_ANSWER_LEN).read_to_vec();
    let bytes = Zeroizing::new(bytes.map_err(|error| transport(&error))?);
    serde_json::from_slice(&bytes).map_err(|error| ClientError::Answer(format!("its JSON does not fit: {error}")))
}

/// Lets a success through and turns everything else into [`ClientError::Refused`] or [`ClientError::Answer`].
fn check(mut response: Response<Body>) -> Result<Response<Body>, ClientError> {
    let status = response.status().as_u16();
    if (200..300).contains(&status) {
        return Ok(response);
    }
    let body = response.body_mut().with_config().limit(MAX_ERROR_LEN).read_to_vec().unwrap_or_default();
    match serde_json::from_slice::<ErrorBody>(&body) {
        Ok(ErrorBody { error: ErrorDetail { code, message } }) => Err(ClientError::Refused {
            status,
            // What a server says ends on somebody's terminal.
            detail: ErrorDetail { code, message: message.chars().filter(|one| !one.is_control()).collect() },
        }),
        Err(_) => Err(ClientError::Answer(format!("status {status} without an error body"))),
    }
}

fn transport(error: &ureq::Error) -> ClientError {
    match error {
        ureq::Error::Timeout(phase) => match phase {
            ureq::Timeout::Resolve | ureq::Timeout::Connect => ClientError::Unreachable(format!("{phase} timed out")),
            _ => ClientError::Deadline(phase.to_string()),
        },
        ureq::Error::Rustls(error) => tls(error),
        ureq::Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(error) => tls(error),
            None => ClientError::Unreachable(error.to_string()),
        },
        ureq::Error::HostNotFound => ClientError::Unreachable("host not found".to_owned()),
        ureq::Error::ConnectionFailed => ClientError::Unreachable("connection failed".to_owned()),
        ureq::Error::BodyExceedsLimit(limit) => ClientError::Answer(format!("it is over {limit} bytes")),
        ureq::Error::LargeResponseHeader(found, limit) => {
            ClientError::Answer(format!("its header has {found} bytes, {limit} are allowed"))
        }
        other => ClientError::Answer(other.to_string()),
    }
}

fn tls(error: &rustls::Error) -> ClientError {
    match error {
        // With TLS 1.3 the server's verdict on the client certificate arrives as an alert after the handshake.
        rustls::Error::AlertReceived(alert) => ClientError::CertificateRefused(format!("{alert:?}")),
        other => ClientError::ServerNotTrusted(other.to_string()),
    }
}
