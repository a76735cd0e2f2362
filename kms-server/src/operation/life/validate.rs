//! Validate: does a chain of certificates hold? KMIP 1.4 §4.24, 2.1 §6.1.57.
//!
//! The chain is what the request gives and names; its anchor is the certificate in it that signs itself. One that was
//! revoked here is valid no more, whatever it says itself. A chain that does not hold is a success of the operation: that
//! was the question.

use crypto::CryptoError;
use crypto::limits::MAX_CHAIN_LEN;
use crypto::x509::{Chain, verify_chain};
use kmip::object::ManagedObject;
use kmip::payload::{ValidateRequest, ValidateResponse};
use kmip::registry::{CertificateType, ObjectType, State, ValidityIndicator};

use crate::failure::Failure;
use crate::node::sealing;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &ValidateRequest,
) -> Result<ValidateResponse, Failure> {
    let named = scope.each_of(&request.unique_identifiers);
    let count = request.certificates.len().saturating_add(named.len());
    if count == 0 {
        return Err(Failure::Contradiction("no certificate to validate"));
    }
    if count > MAX_CHAIN_LEN {
        return Err(Failure::OverLimit("certificates in a chain"));
    }
    let mut chain = Vec::with_capacity(count);
    for certificate in &request.certificates {
        chain.push((certificate.certificate_type, certificate.value.clone()));
    }
    let at = request.validity_date.map_or(scope.now_s, |date| date.0);
    let mut is_revoked = false;
    for id in &named {
        let row = scope.object(Some(id)).await?;
        if row.dates.destroy.is_some() {
            return Err(Failure::Destroyed);
        }
        if row.object_type != ObjectType::Certificate {
            return Err(Failure::IllegalOperation("only certificates are validated"));
        }
        let was_ended = row.state == State::Deactivated && row.dates.deactivation.is_none_or(|end_s| end_s <= at);
        is_revoked |= was_ended || row.state == State::Compromised;
        match sealing::open(&scope.node.hsm, &scope.domain.key, &row).await? {
            ManagedObject::Certificate(certificate) => chain.push((certificate.certificate_type, certificate.value)),
            _ => return Err(Failure::Internal("a certificate that is none")),
        }
    }
    if chain.iter().any(|(kind, _)| *kind != CertificateType::X509) {
        return Ok(ValidateResponse { validity_indicator: ValidityIndicator::Unknown });
    }
    let der: Vec<&[u8]> = chain.iter().map(|(_, value)| value.as_slice()).collect();
    let validity_indicator = match verify_chain(&der, &[], at) {
        _ if is_revoked => ValidityIndicator::Invalid,
        Ok(Chain::Valid) => ValidityIndicator::Valid,
        Ok(Chain::Invalid) | Err(CryptoError::InvalidInput(_) | CryptoError::InvalidKey(_)) => {
            ValidityIndicator::Invalid
        }
        Ok(Chain::Unknown) | Err(CryptoError::Unsupported(_)) => ValidityIndicator::Unknown,
        Err(CryptoError::TooLong(what)) => return Err(Failure::OverLimit(what)),
        Err(_) => return Err(Failure::Internal("validation")),
    };
    Ok(ValidateResponse { validity_indicator })
}
