//! What Certify and Re-certify share: the request that is read, and the certificate that the domain's authority signs.

use crypto::x509::{CertificateProfile, CertificationRequest, issue, parse_certificate, parse_request};
use keystore::ObjectRow;
use kmip::attribute::AttributeValue;
use kmip::object::Certificate;
use kmip::registry::{CertificateRequestType, CertificateType, UsageMask};
use secret::Secret;

use super::birth::Birth;
use super::{implied, judging};
use crate::failure::Failure;
use crate::scope::Scope;

/// Bytes of a serial number: random, so that nobody can know it before (CA/B BR §7.1 asks for 8 at least).
const SERIAL_LEN: usize = 16;
/// Seconds that a certificate is valid where no date says otherwise: a year and a month to renew it in.
const VALIDITY_S: i64 = 397 * 86_400;
/// Seconds before now from which a certificate is valid, for clocks that are behind.
const CLOCK_SKEW_S: i64 = 300;

/// What a certificate is to be for.
pub(super) struct Subject {
    /// The Name, DER.
    pub(super) name: Vec<u8>,
    /// Each GeneralName of the alternative names, DER.
    pub(super) alternative_names: Vec<Vec<u8>>,
    /// SubjectPublicKeyInfo.
    pub(super) public_key: Vec<u8>,
}

impl From<CertificationRequest> for Subject {
    fn from(request: CertificationRequest) -> Self {
        Self {
            name: request.subject.der,
            alternative_names: request.subject_alternative_names,
            public_key: request.public_key,
        }
    }
}

/// Reads a certificate request and checks that who asks has the private key.
///
/// # Errors
/// [`Failure::CertificateRequest`].
pub(super) fn read_request(kind: Option<CertificateRequestType>, bytes: &[u8]) -> Result<Subject, Failure> {
    let kind = kind.ok_or(Failure::MissingData("certificate request type"))?;
    let request = parse_request(kind, bytes).map_err(|error| match error {
        crypto::CryptoError::Unsupported(why) => Failure::CertificateRequest(why),
        crypto::CryptoError::Authentication => Failure::CertificateRequest("it does not prove possession of its key"),
        _ => Failure::CertificateRequest("it cannot be read"),
    })?;
    Ok(request.into())
}

/// The certificate for `subject` that `birth` describes by its dates and its usage mask, signed by the domain's
/// authority; the birth gets the attributes that it implies.
///
/// # Errors
/// As [`judging::judge_certified`]; [`Failure::InvalidField`] for dates; what signing fails with.
pub(super) async fn sign(
    scope: &Scope<'_>,
    birth: &mut Birth,
    subject: Subject,
    usage: UsageMask,
) -> Result<Certificate, Failure> {
    judging::judge_certified(scope, &subject.public_key)?;
    birth.give_if_absent(AttributeValue::CryptographicUsageMask(usage));
    let (certificate, key) = scope.node.signing_authority(&scope.domain, &scope.told).await?;
    let authority = parse_certificate(&certificate)?;
    let dates = birth.row().dates;
    let not_before = dates.activation.unwrap_or(scope.now_s - CLOCK_SKEW_S).max(authority.not_before);
    let not_after = dates.deactivation.unwrap_or(scope.now_s.saturating_add(VALIDITY_S)).min(authority.not_after);
    if not_after <= not_before {
        return Err(Failure::InvalidField("a certificate that would be valid at no time"));
    }
    let profile = CertificateProfile {
        subject: subject.name,
        public_key: subject.public_key,
        serial: serial(&scope.node.hsm.random(SERIAL_LEN).await?),
        not_before,
        not_after,
        subject_alternative_names: subject.alternative_names,
        usage: Some(birth.row().usage_mask).filter(|mask| !mask.is_empty()),
        is_ca: false,
    };
    let value = issue(&profile, Some(&certificate), &key)?;
    let certificate = Certificate { certificate_type: CertificateType::X509, value };
    implied::of_certificate(birth, &certificate);
    Ok(certificate)
}

/// A positive number of its full length.
fn serial(random: &Secret) -> Vec<u8> {
    let mut digits = random.expose().to_vec();
    if let Some(first) = digits.first_mut() {
        *first = *first & 0x7F | 0x40;
    }
    digits
}

/// The usage mask that the certificate of a key has where nobody gives one: the key's own.
pub(super) fn usage_of(row: Option<&ObjectRow>) -> UsageMask {
    row.map_or(UsageMask(0), |row| row.usage_mask)
}
