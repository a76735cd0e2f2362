//! KMIP clients of a domain: registered by certificate, issued by the domain's authority, revoked.

use std::sync::Arc;

use audit::Record;
use keystore::{Access, Change, Credential, IdentityKind, IdentityRow, Step, Subject};
use secret::{DomainId, Secret};

use super::acting::{Acting, AdminFailure, unit};
use super::credentials::hashed;
use crate::failure::Failure;
use crate::node::Node;
use crate::node::auditing::log_of;
use crate::node::directory::Domain;
use crate::shell::peer::Fingerprint;

/// Longest name of a client, in bytes.
const MAX_NAME_LEN: usize = 128;
/// Longest username, in bytes.
const MAX_USERNAME_LEN: usize = 255;
/// Clients of one domain.
const MAX_CLIENTS: usize = 10_000;

/// A username and password as an administrator sets them.
pub struct NewCredential {
    /// Compared as it is.
    pub username: String,
    /// Hashed, then forgotten.
    pub password: Secret,
}

/// What the domain's authority issued.
pub struct IssuedCertificate {
    /// The registered client.
    pub client: Arc<IdentityRow>,
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// The private key, PEM, where the server made it: told once, kept nowhere.
    pub key_pem: Option<zeroize::Zeroizing<String>>,
    /// The authority's certificate, PEM.
    pub authority_pem: String,
}

impl Node {
    /// Registers a certificate as a client of the domain. Self-signed ones are as good as any: the key counts.
    ///
    /// # Errors
    /// [`AdminFailure`]; every refusal is recorded.
    pub async fn register_client(
        &self,
        acting: &Acting,
        domain: &Domain,
        certificate: &[u8],
        name: &str,
        credential: Option<NewCredential>,
    ) -> Result<Arc<IdentityRow>, AdminFailure> {
        const OPERATION: &str = "Register Client";
        match self.try_register(acting, domain, certificate, name, credential, OPERATION).await {
            Ok(client) => Ok(client),
            Err(failure) => acting.refuse(self, log_of(domain.row.id), OPERATION, failure).await,
        }
    }

    /// Has the domain's authority issue a certificate, for a signing request or with a new key, and registers it.
    ///
    /// # Errors
    /// [`AdminFailure`]; every refusal is recorded.
    pub async fn issue_client(
        &self,
        acting: &Acting,
        domain: &Domain,
        name: &str,
        signing_request: Option<&str>,
        credential: Option<NewCredential>,
    ) -> Result<IssuedCertificate, AdminFailure> {
        const OPERATION: &str = "Issue Client";
        match self.try_issue(acting, domain, name, signing_request, credential, OPERATION).await {
            Ok(issued) => Ok(issued),
            Err(failure) => acting.refuse(self, log_of(domain.row.id), OPERATION, failure).await,
        }
    }

    async fn try_issue(
        &self,
        acting: &Acting,
        domain: &Domain,
        name: &str,
        signing_request: Option<&str>,
        credential: Option<NewCredential>,
        operation: &str,
    ) -> Result<IssuedCertificate, AdminFailure> {
        let authority = self.authority(acting, domain).await?;
        let (certificate_pem, der, key_pem) = match signing_request {
            Some(request) => {
                let signed = authority
                    .sign_csr(request.as_bytes())
                    .map_err(|_| AdminFailure::Unusable("the signing request cannot be signed"))?;
                (signed.cert_pem, signed.cert_der, None)
            }
            None => {
                let issued = authority
                    .issue_client(name)
                    .map_err(|_| AdminFailure::Unusable("no certificate can have this name"))?;
                (issued.cert_pem, issued.cert_der, Some(issued.key_pem))
            }
        };
        let client = self.try_register(acting, domain, &der, name, credential, operation).await?;
        Ok(IssuedCertificate { client, certificate_pem, key_pem, authority_pem: authority.cert_pem().to_owned() })
    }

    async fn try_register(
        &self,
        acting: &Acting,
        domain: &Domain,
        certificate: &[u8],
        name: &str,
        credential: Option<NewCredential>,
        operation: &str,
    ) -> Result<Arc<IdentityRow>, AdminFailure> {
        if name.is_empty() || name.len() > MAX_NAME_LEN || name.chars().any(char::is_control) {
            return Err(AdminFailure::Unusable("a client's name has 1 to 128 bytes without control characters"));
        }
        if !self.has_room_for_client(&domain.row.id) {
            return Err(AdminFailure::Unusable("the domain has as many clients as it may have"));
        }
        let fingerprint = certs::spki_fingerprint(certificate)
            .map_err(|_| AdminFailure::Unusable("the certificate cannot be read"))?;
        if self.directory.is_registered(&fingerprint) {
            return Err(AdminFailure::Exists("the certificate's key is registered already"));
        }
        let credential = match credential {
            None => None,
            Some(NewCredential { username, password }) => {
                if username.is_empty() || username.len() > MAX_USERNAME_LEN {
                    return Err(AdminFailure::Unusable("a username has 1 to 255 bytes"));
                }
                let argon2 = Some(hashed(password).await?);
                Some(Credential { subject: Subject::User(username), argon2, access: Access::default() })
            }
        };
        let row = IdentityRow {
            domain: domain.row.id,
            fingerprint,
            origin: fingerprint,
            name: name.to_owned(),
            kind: IdentityKind::Client,
            certificate: certificate.to_vec(),
            access: Access::default(),
            credential_demanded: false,
            credentials: credential.into_iter().collect(),
            created_us: self.clock.now_us(),
            revoked: false,
            revision: 1,
        };
        self.put_identity(acting, domain, row, operation).await
    }

    /// Refuses a client from its next request on. A revoked client stays listed.
    ///
    /// # Errors
    /// [`AdminFailure`]; every refusal is recorded.
    pub async fn revoke_client(
        &self,
        acting: &Acting,
        domain: &Domain,
        fingerprint: &Fingerprint,
        dry_run: bool,
    ) -> Result<Arc<IdentityRow>, AdminFailure> {
        const OPERATION: &str = "Revoke Client";
        let known =
            self.directory.identities_of(&domain.row.id).into_iter().find(|one| one.fingerprint == *fingerprint);
        let Some(known) = known else {
            let failure = AdminFailure::Request(Failure::NotFound);
            return acting.refuse(self, log_of(domain.row.id), OPERATION, failure).await;
        };
        let mut row = IdentityRow::clone(&known);
        row.revoked = true;
        if dry_run || known.revoked {
            acting.note(self, log_of(domain.row.id), OPERATION, Some("nothing changed")).await?;
            return Ok(if known.revoked { known } else { Arc::new(row) });
        }
        match self.put_identity(acting, domain, row, OPERATION).await {
            Ok(client) => Ok(client),
            Err(failure) => acting.refuse(self, log_of(domain.row.id), OPERATION, failure).await,
        }
    }

    /// Whether the domain may have one client more; revoked ones count, because they are kept.
    pub(crate) fn has_room_for_client(&self, domain: &DomainId) -> bool {
        self.directory.identities_of(domain).len() < MAX_CLIENTS
    }

    pub(super) async fn put_identity(
        &self,
        acting: &Acting,
        domain: &Domain,
        row: IdentityRow,
        operation: &str,
    ) -> Result<Arc<IdentityRow>, AdminFailure> {
        let detail = Some(format!("client {}", hex::encode(row.fingerprint)));
        let record = Record { detail, ..acting.record(self, log_of(domain.row.id), operation) };
        let changes = vec![Change::PutIdentity(row.clone())];
        self.store.commit(unit(vec![Step { changes, record: Some(record) }])).await?;
        let fingerprint = row.fingerprint;
        // The store added one to the revision of a row that was there already.
        let stored = self.store.identities(domain.row.id).await?.into_iter().find(|one| one.fingerprint == fingerprint);
        let stored = stored.ok_or(Failure::Internal("identity vanished from the store"))?;
        self.directory.put_identity(stored.clone());
        Ok(Arc::new(stored))
    }
}
