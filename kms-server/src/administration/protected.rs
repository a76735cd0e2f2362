//! The acts behind requests: what a request says of each, and what is done when it is executed.

use std::sync::Arc;

use admin_api::ProtectedAct;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystore::{Change, DomainRow, IdentityKind, IdentityRow};
use policy::access::Actor;
use quorum::{Approver, Request};

use super::acting::AdminFailure;
use super::restoring::Restoration;
use crate::failure::Failure;
use crate::node::Node;
use crate::node::directory::Domain;
use crate::node::sealing;
use crate::quorums::ActKind;

/// Bytes of an administrator's certificate, DER: in base64 it stands in the request.
const MAX_CERTIFICATE_LEN: usize = 4096;
/// Bytes of an administrator's name.
const MAX_NAME_LEN: usize = 64;

/// What an act changes.
pub(super) struct Planned {
    /// Changes of the administrators' domain.
    pub(super) in_system: Vec<Change>,
    /// A tenant's domain that ends, and its last row.
    pub(super) domain: Option<(Arc<Domain>, DomainRow)>,
    /// What comes back from a backup.
    pub(super) restoration: Option<Restoration>,
    /// What the records name as their object.
    pub(super) object: Option<String>,
    /// What the records say.
    pub(super) detail: String,
}

/// The approver that an identity is, if it is one now.
pub(crate) fn approver(row: &IdentityRow) -> Option<Approver> {
    let IdentityKind::Admin { role } = &row.kind else { return None };
    if row.revoked || Actor::of_role(role) != Some(Actor::Officer) {
        return None;
    }
    Approver::new(&row.name, &certs::public_key_info(&row.certificate).ok()?).ok()
}

fn role(name: &str) -> Result<Actor, AdminFailure> {
    Actor::of_role(name).ok_or(AdminFailure::Unusable("the role is none of operator, officer and auditor"))
}

/// A parameter that this node wrote into the request.
fn parameter<'r>(request: &'r Request, name: &str) -> Result<&'r str, AdminFailure> {
    request.parameter(name).ok_or(AdminFailure::Request(Failure::Internal("a request without its parameter")))
}

impl Node {
    /// What a request says of an act: everything by its one exact name.
    pub(super) async fn named(&self, act: &ProtectedAct) -> Result<(ActKind, Vec<(String, String)>), AdminFailure> {
        let pair = |name: &str, value: String| (name.to_owned(), value);
        match act {
            ProtectedAct::DestroyDomain { domain } => {
                let domain = self.directory.tenant(domain).ok_or(Failure::NotFound)?;
                let id = sealing::identifier_text(domain.row.id);
                Ok((ActKind::DestroyDomain, vec![pair("domain", id), pair("name", domain.row.name.clone())]))
            }
            ProtectedAct::RestoreDomain { backup, domain } => {
                let domain = self.directory.tenant(domain).ok_or(Failure::NotFound)?;
                Ok((ActKind::RestoreDomain, self.plan_restoration(*backup, domain).await?.parameters(*backup)))
            }
            ProtectedAct::AddAdministrator { name, role, certificate } => {
                let der = certs::certificate_der(certificate.as_bytes())
                    .map_err(|_| AdminFailure::Unusable("the certificate cannot be read"))?;
                if der.len() > MAX_CERTIFICATE_LEN {
                    return Err(AdminFailure::Unusable("an administrator's certificate has at most 4096 bytes"));
                }
                let fingerprint = certs::spki_fingerprint(&der)
                    .map_err(|_| AdminFailure::Unusable("the certificate cannot be read"))?;
                let parameters = vec![
                    pair("name", name.clone()),
                    pair("role", role.clone()),
                    pair("fingerprint", hex::encode(fingerprint)),
                    pair("certificate", STANDARD.encode(der)),
                ];
                Ok((ActKind::AddAdministrator, parameters))
            }
            ProtectedAct::RevokeAdministrator { administrator } => {
                let row = self.administrator(administrator)?;
                let parameters =
                    vec![pair("name", row.name.clone()), pair("fingerprint", hex::encode(row.fingerprint))];
                Ok((ActKind::RevokeAdministrator, parameters))
            }
            ProtectedAct::ChangeRole { administrator, role } => {
                let row = self.administrator(administrator)?;
                let parameters = vec![
                    pair("name", row.name.clone()),
                    pair("fingerprint", hex::encode(row.fingerprint)),
                    pair("role", role.clone()),
                ];
                Ok((ActKind::ChangeRole, parameters))
            }
        }
    }

    /// The administrator of this name or fingerprint who is not revoked.
    fn administrator(&self, name_or_fingerprint: &str) -> Result<Arc<IdentityRow>, AdminFailure> {
        let system = self.system_domain()?;
        let is_it =
            |row: &IdentityRow| row.name == name_or_fingerprint || hex::encode(row.fingerprint) == name_or_fingerprint;
        let mut all = self.directory.identities_of(&system.row.id).into_iter();
        all.find(|row| !row.revoked && is_it(row)).ok_or(AdminFailure::Request(Failure::NotFound))
    }

    /// What executing a request would change, decided on what is there now. Nothing is changed yet.
    pub(super) async fn plan(&self, act: ActKind, request: &Request) -> Result<Planned, AdminFailure> {
        match act {
            ActKind::DestroyDomain => {
                let domain = self.directory.tenant(parameter(request, "domain")?).ok_or(Failure::NotFound)?;
                self.plan_destruction(domain)
            }
            ActKind::RestoreDomain => {
                let domain = self.directory.tenant(parameter(request, "domain")?).ok_or(Failure::NotFound)?;
                let backup = parameter(request, "backup")?.parse();
                let backup = backup.map_err(|_| Failure::Internal("a request with another identifier"))?;
                let restoration = self.plan_restoration(backup, domain).await?;
                // What was approved is exactly this: no other object, and none stale that was not named.
                let same = |(name, value): &(String, String)| request.parameter(name) == Some(value);
                if !restoration.parameters(backup).iter().all(same) {
                    return Err(AdminFailure::NotApproved(
                        "it would restore something else than was approved".to_owned(),
                    ));
                }
                let (object, detail) = (sealing::identifier_text(restoration.domain.row.id), restoration.detail());
                let restoration = Some(restoration);
                Ok(Planned { in_system: Vec::new(), domain: None, restoration, object: Some(object), detail })
            }
            ActKind::AddAdministrator => self.plan_addition(request),
            ActKind::RevokeAdministrator | ActKind::ChangeRole => {
                let known = self.administrator(parameter(request, "fingerprint")?)?;
                let mut row = IdentityRow::clone(&known);
                let detail = if act == ActKind::RevokeAdministrator {
                    row.revoked = true;
                    format!("administrator {}", row.name)
                } else {
                    let role = role(parameter(request, "role")?)?.name();
                    row.kind = IdentityKind::Admin { role: role.to_owned() };
                    format!("administrator {} as {role}", row.name)
                };
                self.check_who_is_left(&row)?;
                Ok(Planned {
                    in_system: vec![Change::PutIdentity(row)],
                    domain: None,
                    restoration: None,
                    object: None,
                    detail,
                })
            }
        }
    }

    fn plan_addition(&self, request: &Request) -> Result<Planned, AdminFailure> {
        let (name, role) = (parameter(request, "name")?, role(parameter(request, "role")?)?);
        let certificate = STANDARD
            .decode(parameter(request, "certificate")?)
            .map_err(|_| Failure::Internal("a request with another certificate"))?;
        let fingerprint = certs::spki_fingerprint(&certificate)
            .map_err(|_| AdminFailure::Unusable("the certificate cannot be read"))?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !(1..=MAX_NAME_LEN).contains(&name.len()) || !name.bytes().all(plain) {
            return Err(AdminFailure::Unusable("an administrator's name has 1 to 64 letters, digits, '-', '_' or '.'"));
        }
        // The quorum counts names.
        if self.administrator(name).is_ok() {
            return Err(AdminFailure::Exists("an administrator has this name"));
        }
        if self.directory.is_registered(&fingerprint) {
            return Err(AdminFailure::Exists("the certificate's key is registered already"));
        }
        let system = self.system_domain()?;
        let row = IdentityRow {
            domain: system.row.id,
            fingerprint,
            origin: fingerprint,
            name: name.to_owned(),
            kind: IdentityKind::Admin { role: role.name().to_owned() },
            certificate,
            access: keystore::Access::default(),
            credential_demanded: false,
            credentials: Vec::new(),
            created_us: self.clock.now_us(),
            revoked: false,
            revision: 1,
        };
        if role == Actor::Officer && approver(&row).is_none() {
            return Err(AdminFailure::Unusable("a security officer's key is on P-256, on P-384, or of Ed25519"));
        }
        let detail = format!("administrator {name} as {}", role.name());
        Ok(Planned { in_system: vec![Change::PutIdentity(row)], domain: None, restoration: None, object: None, detail })
    }

    /// Refuses a change after which the node could not be administered any more.
    fn check_who_is_left(&self, changed: &IdentityRow) -> Result<(), AdminFailure> {
        let system = self.system_domain()?;
        let mut after: Vec<IdentityRow> =
            self.directory.identities_of(&system.row.id).iter().map(|row| IdentityRow::clone(row)).collect();
        for row in &mut after {
            if row.fingerprint == changed.fingerprint {
                *row = changed.clone();
            }
        }
        let officers = after.iter().filter(|row| approver(row).is_some()).count();
        let was_approver = self.approvers()?.iter().any(|one| *one.fingerprint() == changed.fingerprint);
        if was_approver && approver(changed).is_none() && officers < self.quorums.greatest() {
            return Err(AdminFailure::NotApproved(
                "fewer security officers would be left than a quorum needs".to_owned(),
            ));
        }
        let operates = |row: &&IdentityRow| {
            !row.revoked && matches!(&row.kind, IdentityKind::Admin { role } if role == Actor::Operator.name())
        };
        if !after.iter().any(|row| operates(&row)) {
            return Err(AdminFailure::NotApproved("no operator would be left".to_owned()));
        }
        Ok(())
    }
}
