//! A domain's own certificate authority: an EC P-256 key, sealed like a managed object, opened for one signature.

use audit::Record;
use certs::Authority;
use crypto::key::PrivateKey;
use keystore::{Change, DomainRow, Step, StoreError};
use kmip::registry::KeyFormatType;
use ring::digest;
use secret::{Sealed, Secret};
use zeroize::Zeroizing;

use super::acting::{Acting, AdminFailure, unit};
use crate::failure::Failure;
use crate::node::Node;
use crate::node::auditing::{Told, log_of};
use crate::node::directory::Domain;
use crate::node::domain_keys::DomainKeys;
use crate::node::sealing::{authority_facts as facts, authority_setting as setting};

/// How a record calls the making of an authority.
const CREATE: &str = "Create Authority";
/// Bytes before the certificate in the sealed form: its length, big endian.
const LENGTH_PREFIX: usize = 4;

fn digest_of(authority: &Authority) -> Option<[u8; 32]> {
    digest::digest(&digest::SHA256, authority.cert_der()).as_ref().try_into().ok()
}

fn broken() -> AdminFailure {
    AdminFailure::Request(Failure::Internal("the domain's certificate authority cannot be made or read"))
}

impl Node {
    /// The domain's authority, made when it is first needed and never again.
    ///
    /// A setting carries no MAC, so that the domain's row, which has one, holds the digest of the certificate. Row,
    /// setting and record are one unit and the row's revision guards it: of two that are made at once, one stays.
    pub(super) async fn authority(&self, acting: &Acting, domain: &Domain) -> Result<Authority, AdminFailure> {
        self.authority_of(domain, || acting.record(self, log_of(domain.row.id), CREATE)).await
    }

    /// The authority's certificate in DER and its key, opened for one signature that a client of the domain asked for.
    ///
    /// # Errors
    /// What opening it fails with; [`Failure::Busy`] where something else about the domain changes at this moment.
    pub(crate) async fn signing_authority(
        &self,
        domain: &Domain,
        told: &Told,
    ) -> Result<(Vec<u8>, PrivateKey), Failure> {
        let made = self.authority_of(domain, || told.success(self, CREATE, None)).await;
        let authority = made.map_err(|failure| match failure {
            AdminFailure::Request(failure) => failure,
            AdminFailure::Exists(_)
            | AdminFailure::NotApproved(_)
            | AdminFailure::Dropped(_)
            | AdminFailure::Unsound(_)
            | AdminFailure::Unusable(_) => Failure::Internal("certificate authority"),
        })?;
        let key = Secret::from(authority.key_der());
        Ok((authority.cert_der().to_vec(), PrivateKey::from_encoded(KeyFormatType::Pkcs8, &key)?))
    }

    async fn authority_of(&self, domain: &Domain, record: impl FnOnce() -> Record) -> Result<Authority, AdminFailure> {
        if domain.row.authority.is_some() {
            return self.kept_authority(&domain.key, &domain.row).await;
        }
        let authority = Authority::new(&format!("{} domain authority", domain.row.name)).map_err(|_| broken())?;
        let plain = join(authority.cert_der(), &authority.key_der()).ok_or_else(broken)?;
        let sealed = self.hsm.seal(&domain.key.current, &facts(domain.row.id), &plain).await?;
        let digest = digest_of(&authority).ok_or_else(broken)?;
        let row = DomainRow { authority: Some(digest), ..domain.row.clone() };
        let record = Record { detail: Some(format!("certificate {}", hex::encode(digest))), ..record() };
        let value = sealed.as_bytes().to_vec();
        let changes = vec![Change::UpdateDomain(row), Change::PutSetting { name: setting(domain.row.id), value }];
        let made = self.store.commit(unit(vec![Step { changes, record: Some(record) }])).await;
        if !matches!(made, Ok(_) | Err(StoreError::Conflict)) {
            made?;
        }
        let now = self.reload_domain(&domain.row.id).await?;
        match now.row.authority {
            Some(kept) if kept == digest => Ok(authority),
            Some(_) => self.kept_authority(&now.key, &now.row).await,
            // Something else about the domain changed meanwhile.
            None => Err(AdminFailure::Request(Failure::Busy)),
        }
    }

    /// The authority that the row speaks of. One that is gone, or another, is a fault and never replaced: certificates
    /// that the first one issued are in use.
    async fn kept_authority(&self, keys: &DomainKeys, row: &DomainRow) -> Result<Authority, AdminFailure> {
        let tampered = || {
            let name = setting(row.id);
            tracing::error!(alarm = "tampered", table = "setting", row = name, "not the authority that was made");
            AdminFailure::Request(Failure::Store(StoreError::Tampered { table: "setting", row: name }))
        };
        let bytes = self.store.setting(&setting(row.id)).await?.ok_or_else(tampered)?;
        let sealed = Sealed::from_bytes(bytes).map_err(|_| tampered())?;
        let plain = self.hsm.open_sealed(keys.of_version(sealed.version()), &facts(row.id), &sealed).await?;
        let (certificate, key) = split(plain.expose()).ok_or_else(broken)?;
        let authority = Authority::from_der(certificate, key).map_err(|_| broken())?;
        if digest_of(&authority) != row.authority {
            return Err(tampered());
        }
        Ok(authority)
    }
}

impl Node {
    /// The sealed authority of the domain under its current key, as the change that puts it there; `None` where the
    /// domain has no authority.
    ///
    /// # Errors
    /// What opening it fails with.
    pub(super) async fn resealed_authority(
        &self,
        before: &Domain,
        current: &hsm::DomainKey,
    ) -> Result<Option<Change>, AdminFailure> {
        if before.row.authority.is_none() {
            return Ok(None);
        }
        let authority = self.kept_authority(&before.key, &before.row).await?;
        let plain = join(authority.cert_der(), &authority.key_der()).ok_or_else(broken)?;
        let sealed = self.hsm.seal(current, &facts(before.row.id), &plain).await?;
        Ok(Some(Change::PutSetting { name: setting(before.row.id), value: sealed.as_bytes().to_vec() }))
    }
}

fn join(certificate: &[u8], key: &[u8]) -> Option<Secret> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH_PREFIX + certificate.len() + key.len()));
    bytes.extend_from_slice(&u32::try_from(certificate.len()).ok()?.to_be_bytes());
    bytes.extend_from_slice(certificate);
    bytes.extend_from_slice(key);
    Some(Secret::from(bytes))
}

fn split(plain: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = plain.split_first_chunk::<LENGTH_PREFIX>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_parts_come_apart_again() {
        let joined = join(b"certificate", b"key").unwrap();
        assert_eq!(split(joined.expose()), Some((&b"certificate"[..], &b"key"[..])));
        assert_eq!(split(&[0, 0, 0, 9, 1]), None);
    }
}
