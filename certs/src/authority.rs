//! An authority: a certificate and its key, which signs leaves.

use rcgen::{CertificateParams, Issuer, PublicKeyData};
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::error::CertError;
use crate::facts::{CertificateFacts, certificate_der, plain_subject, sha256};
use crate::key::WipedKey;
use crate::profile;
use crate::request::Request;

/// A certificate with its private key.
pub struct Issued {
    /// The certificate alone, PEM.
    pub cert_pem: String,
    /// The private key, PEM of PKCS#8, wiped when dropped.
    pub key_pem: Zeroizing<String>,
    /// The certificate, DER.
    pub cert_der: Vec<u8>,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Issued({} bytes of certificate and a key)", self.cert_der.len())
    }
}

/// A certificate for a key that stays where it was made.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The certificate alone, PEM.
    pub cert_pem: String,
    /// The certificate, DER.
    pub cert_der: Vec<u8>,
}

/// A certificate authority that signs leaves. Its `Debug` shows no key.
pub struct Authority {
    issuer: Issuer<'static, WipedKey>,
    cert_pem: String,
    cert_der: Vec<u8>,
    not_after: OffsetDateTime,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority(valid until {})", self.not_after)
    }
}

impl Authority {
    /// A new authority with an EC P-256 key and a self-signed certificate that is valid from now for ten years.
    ///
    /// # Errors
    /// [`CertError::CommonName`], or [`CertError::Issue`] where the system has no randomness.
    pub fn new(name: &str) -> Result<Self, CertError> {
        Self::with_key(name, WipedKey::generate()?, OffsetDateTime::now_utc())
    }

    /// An authority that exists already: its certificate in PEM or DER, its key in PKCS#8 DER as
    /// [`Authority::key_der`] gave it.
    ///
    /// # Errors
    /// [`CertError::Certificate`], also where it is no CA or belongs to another key; [`CertError::Key`].
    pub fn from_der(certificate: &[u8], key: &[u8]) -> Result<Self, CertError> {
        Self::from_parts(certificate, WipedKey::from_der(key)?)
    }

    /// As [`Authority::from_der`], from two PEM texts.
    ///
    /// # Errors
    /// See [`Authority::from_der`].
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, CertError> {
        Self::from_parts(certificate.as_bytes(), WipedKey::from_pem(key)?)
    }

    /// The authority's certificate, which clients trust.
    #[must_use]
    pub fn cert_pem(&self) -> &str {
        &self.cert_pem
    }

    /// The authority's certificate, DER.
    #[must_use]
    pub fn cert_der(&self) -> &[u8] {
        &self.cert_der
    }

    /// The authority's private key, PKCS#8 DER, to be sealed.
    #[must_use]
    pub fn key_der(&self) -> Zeroizing<Vec<u8>> {
        self.issuer.key().to_der()
    }

    /// The authority's private key, PEM of PKCS#8.
    #[must_use]
    pub fn key_pem(&self) -> Zeroizing<String> {
        self.issuer.key().to_pem()
    }

    /// A server certificate with a new EC P-256 key, for DNS names and IP addresses; 397 days.
    ///
    /// # Errors
    /// [`CertError::CommonName`] for no name or one too long, [`CertError::Issue`] for one that is not ASCII.
    pub fn issue_server(&self, names: &[&str]) -> Result<Issued, CertError> {
        self.issue(profile::server(names, OffsetDateTime::now_utc())?)
    }

    /// A client certificate with a new EC P-256 key; 397 days.
    ///
    /// # Errors
    /// [`CertError::CommonName`].
    pub fn issue_client(&self, common_name: &str) -> Result<Issued, CertError> {
        self.issue(profile::client(common_name, OffsetDateTime::now_utc())?)
    }

    /// A client certificate for a PKCS#10 request in PEM or DER. Taken over are its key and its common name; requested
    /// extensions are ignored.
    ///
    /// # Errors
    /// [`CertError::Request`] where the request does not prove possession of its key or the key is too weak,
    /// [`CertError::CommonName`].
    pub fn sign_csr(&self, request: &[u8]) -> Result<Signed, CertError> {
        let request = Request::read(request)?;
        self.sign(profile::client(&request.common_name, OffsetDateTime::now_utc())?, &request.key)
    }

    pub(crate) fn with_key(name: &str, key: WipedKey, now: OffsetDateTime) -> Result<Self, CertError> {
        let params = profile::authority(name, now)?;
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            not_after: params.not_after,
            cert_pem: certificate.pem(),
            cert_der: certificate.der().to_vec(),
            issuer: Issuer::new(params, key),
        })
    }

    /// Signs a leaf for `key`. No leaf outlives its authority.
    pub(crate) fn sign(&self, mut params: CertificateParams, key: &impl PublicKeyData) -> Result<Signed, CertError> {
        params.not_after = params.not_after.min(self.not_after);
        let certificate = params.signed_by(key, &self.issuer)?;
        Ok(Signed { cert_pem: certificate.pem(), cert_der: certificate.der().to_vec() })
    }

    fn issue(&self, params: CertificateParams) -> Result<Issued, CertError> {
        let key = WipedKey::generate()?;
        let Signed { cert_pem, cert_der } = self.sign(params, &key)?;
        Ok(Issued { cert_pem, key_pem: key.to_pem(), cert_der })
    }

    fn from_parts(certificate: &[u8], key: WipedKey) -> Result<Self, CertError> {
        let cert_der = certificate_der(certificate)?;
        let facts = CertificateFacts::of(&cert_der)?;
        if !facts.is_ca {
            return Err(CertError::Certificate("it is not an authority's"));
        }
        if !plain_subject(&cert_der)? {
            return Err(CertError::Certificate("its subject has a part without exactly one attribute"));
        }
        if facts.fingerprint != sha256(&key.subject_public_key_info()) {
            return Err(CertError::Certificate("it belongs to another key"));
        }
        let not_after = OffsetDateTime::from_unix_timestamp(facts.not_after)
            .map_err(|_| CertError::Certificate("its end of validity is not a date"))?;
        let der = CertificateDer::from(cert_der.as_slice());
        let issuer = Issuer::from_ca_cert_der(&der, key)?;
        Ok(Self { issuer, cert_pem: certificate_pem(&cert_der), cert_der, not_after })
    }

    /// A client certificate for the key of `issued`, under another name.
    #[cfg(test)]
    pub(crate) fn sign_key_of(&self, issued: &Issued, common_name: &str) -> Result<Signed, CertError> {
        let key = WipedKey::from_pem(&issued.key_pem)?;
        self.sign(profile::client(common_name, OffsetDateTime::now_utc())?, &key)
    }
}

/// PEM with lines of 64 characters (RFC 7468 §2).
fn certificate_pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for (at, character) in text.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem.push_str("\n-----END CERTIFICATE-----\n");
    pem
}

/// What a vCenter makes for itself when a key provider is added: self-signed, CA:TRUE, no extended key usage, CN
/// `kmipClient<yyyymmddhhmmss>`. A vCenter takes RSA-2048 for it; this one is EC P-256, because `ring` makes no RSA
/// keys.
///
/// # Errors
/// [`CertError::Issue`] where the system has no randomness.
pub fn self_signed_vcenter_client() -> Result<Issued, CertError> {
    let params = profile::vcenter_client(OffsetDateTime::now_utc())?;
    let key = WipedKey::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok(Issued { cert_pem: certificate.pem(), key_pem: key.to_pem(), cert_der: certificate.der().to_vec() })
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair};

    use x509_parser::certification_request::X509CertificationRequest;
    use x509_parser::prelude::FromDer;

    use super::*;
    use crate::facts::{signed_by, spki_fingerprint};

    fn request(params: &CertificateParams, key: &KeyPair) -> Vec<u8> {
        params.serialize_request(key).unwrap().der().to_vec()
    }

    fn named(common_name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, common_name);
        params
    }

    #[test]
    fn a_server_certificate_names_what_was_asked_for() {
        let authority = Authority::new("Test CA").unwrap();
        let issued = authority.issue_server(&["localhost", "127.0.0.1"]).unwrap();
        let facts = CertificateFacts::of(&issued.cert_der).unwrap();
        assert_eq!(facts.names, ["localhost", "127.0.0.1"]);
        assert!(facts.server_auth && !facts.client_auth && !facts.is_ca);
        assert_eq!(facts.issuer, "CN=Test CA");
        assert!(signed_by(&issued.cert_der, authority.cert_der()).unwrap());
        assert!(!signed_by(&issued.cert_der, Authority::new("Test CA").unwrap().cert_der()).unwrap());
    }

    #[test]
    fn a_vcenter_certificate_is_its_own_authority_without_extended_key_usage() {
        let issued = self_signed_vcenter_client().unwrap();
        let facts = CertificateFacts::of(&issued.cert_der).unwrap();
        let name = facts.common_name.unwrap();
        let digits = name.strip_prefix("kmipClient").unwrap();
        assert!(digits.len() == 14 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{name}");
        assert!(facts.is_ca && !facts.client_auth && !facts.server_auth);
        assert_eq!(facts.subject, facts.issuer);
        assert!(signed_by(&issued.cert_der, &issued.cert_der).unwrap());
    }

    #[test]
    fn a_signed_request_keeps_its_key_and_loses_its_wishes() {
        let key = KeyPair::generate().unwrap();
        let mut wishes = named("acme");
        wishes.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        wishes.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        wishes.subject_alt_names = vec![rcgen::SanType::DnsName("localhost".try_into().unwrap())];
        let authority = Authority::new("Test CA").unwrap();
        let signed = authority.sign_csr(&request(&wishes, &key)).unwrap();
        let facts = CertificateFacts::of(&signed.cert_der).unwrap();
        assert_eq!((facts.common_name.as_deref(), facts.names.len()), (Some("acme"), 0));
        assert!(facts.client_auth && !facts.server_auth && !facts.is_ca);
        assert_eq!(facts.fingerprint, sha256(&key.subject_public_key_info()));
    }

    #[test]
    fn a_request_that_does_not_prove_its_key_is_refused() {
        let authority = Authority::new("Test CA").unwrap();
        let good = request(&named("acme"), &KeyPair::generate().unwrap());
        assert!(authority.sign_csr(&good).is_ok());
        let (_, parsed) = X509CertificationRequest::from_der(&good).unwrap();
        let signed = parsed.certification_request_info.raw;
        let start = good.windows(signed.len()).position(|window| window == signed).unwrap();
        for at in start..start + signed.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(authority.sign_csr(&bad).is_err(), "a change of byte {at} was accepted");
        }
        let nameless = named("");
        assert!(authority.sign_csr(&request(&nameless, &KeyPair::generate().unwrap())).is_err());
        assert!(authority.sign_csr(b"-----BEGIN CERTIFICATE REQUEST-----\n").is_err());
    }

    #[test]
    fn an_authority_comes_back_from_its_parts() {
        let authority = Authority::new("Domain CA of acme").unwrap();
        let again = Authority::from_der(authority.cert_der(), &authority.key_der()).unwrap();
        assert_eq!(again.cert_pem(), authority.cert_pem());
        let issued = again.issue_client("acme").unwrap();
        assert!(signed_by(&issued.cert_der, authority.cert_der()).unwrap());
        assert!(Authority::from_pem(authority.cert_pem(), &authority.key_pem()).is_ok());
    }

    #[test]
    fn an_authority_needs_its_own_key_and_to_be_one() {
        let authority = Authority::new("Test CA").unwrap();
        let other = Authority::new("Test CA").unwrap();
        assert!(Authority::from_der(authority.cert_der(), &other.key_der()).is_err());
        let leaf = authority.issue_client("acme").unwrap();
        assert!(Authority::from_pem(&leaf.cert_pem, &leaf.key_pem).is_err());
    }

    #[test]
    fn no_leaf_outlives_its_authority() {
        let ten_years_ago = OffsetDateTime::now_utc() - time::Duration::days(3600);
        let authority = Authority::with_key("Old CA", WipedKey::generate().unwrap(), ten_years_ago).unwrap();
        let leaf = authority.issue_client("acme").unwrap();
        let (leaf, ca) =
            (CertificateFacts::of(&leaf.cert_der).unwrap(), CertificateFacts::of(authority.cert_der()).unwrap());
        assert_eq!(leaf.not_after, ca.not_after);
    }

    #[test]
    fn debug_shows_no_key() {
        let issued = Authority::new("Test CA").unwrap().issue_client("acme").unwrap();
        assert!(!format!("{issued:?}").contains("PRIVATE"));
        assert_eq!(spki_fingerprint(&issued.cert_der).unwrap().len(), 32);
    }
}
