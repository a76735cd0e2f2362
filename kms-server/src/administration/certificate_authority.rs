//! A domain's own certificate authority: an EC P-256 key, sealed like a managed object, opened for one signature.

use certs::Authority;
use secret::{Sealed, Secret};
use zeroize::Zeroizing;

use super::acting::AdminFailure;
use crate::failure::Failure;
use crate::node::Node;
use crate::node::directory::Domain;
use crate::node::sealing::identifier_text;

/// Leads the additional data of the seal.
const FACTS: &[u8; 20] = b"clavis/domain-ca\x00\x00\x00\x01";
/// Bytes before the certificate in the sealed form: its length, big endian.
const LENGTH_PREFIX: usize = 4;

fn setting(domain: &Domain) -> String {
    format!("domain-ca/{}", identifier_text(domain.row.id))
}

fn facts(domain: &Domain) -> Vec<u8> {
    [FACTS.as_slice(), &domain.row.id].concat()
}

impl Node {
    /// The domain's authority, made when it is first needed. Settings carry no MAC; the seal's additional data and
    /// its tag do what a MAC would.
    pub(super) async fn authority(&self, domain: &Domain) -> Result<Authority, AdminFailure> {
        let broken = || AdminFailure::Request(Failure::Internal("the domain's certificate authority cannot be read"));
        if let Some(bytes) = self.store.setting(&setting(domain)).await? {
            let sealed = Sealed::from_bytes(bytes).map_err(|_| broken())?;
            let plain = self.hsm.open_sealed(&domain.key, &facts(domain), &sealed).await?;
            let (certificate, key) = split(plain.expose()).ok_or_else(broken)?;
            return Authority::from_der(certificate, key).map_err(|_| broken());
        }
        let authority = Authority::new(&format!("{} domain authority", domain.row.name)).map_err(|_| broken())?;
        let plain = join(authority.cert_der(), &authority.key_der()).ok_or_else(broken)?;
        let sealed = self.hsm.seal(&domain.key, &facts(domain), &plain).await?;
        self.store.put_setting(&setting(domain), sealed.as_bytes()).await?;
        Ok(authority)
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
