//! Re-certify: a successor to a certificate, for the same key pair. KMIP 1.4 §4.8, 2.1 §6.1.45.

use crypto::x509::parse_certificate;
use kmip::object::ManagedObject;
use kmip::payload::{ReCertifyRequest, ReCertifyResponse};
use kmip::registry::{LinkType, ObjectType};

use super::birth::{self, Birth};
use super::issuing::{self, Subject};
use super::{certify, create_key_pair, links, renewal, source};
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &ReCertifyRequest,
) -> Result<ReCertifyResponse, Failure> {
    birth::may_be_kept(request.protection_storage_masks.as_ref())?;
    let mut old = source::find_typed(scope, request.unique_identifier.as_ref(), ObjectType::Certificate).await?;
    let given = create_key_pair::given(scope, request.template_attribute.as_ref()).await?;
    certify::require_x509(&given)?;
    let mut public_key = match links::linked(&old, LinkType::PublicKeyLink) {
        Some(id) => Some(source::find_typed(scope, Some(&id), ObjectType::PublicKey).await?),
        None => None,
    };
    let subject = match (&request.certificate_request, &request.certificate_request_unique_identifier) {
        (Some(bytes), _) => issuing::read_request(request.certificate_request_type, bytes)?,
        (None, Some(id)) => {
            let row = source::find_typed(scope, Some(id), ObjectType::CertificateRequest).await?;
            certify::held_request(scope, &row).await?
        }
        (None, None) => {
            let ManagedObject::Certificate(certificate) = source::open(scope, &old).await? else {
                return Err(Failure::Internal("a certificate that is none"));
            };
            let facts = parse_certificate(&certificate.value)
                .map_err(|_| Failure::UnusableObject("a certificate that cannot be read"))?;
            Subject {
                name: facts.subject.der,
                alternative_names: facts.subject_alternative_names,
                public_key: facts.public_key,
            }
        }
    };

    let mut birth = Birth::renew(scope, &old, request.offset, given)?;
    let usage = issuing::usage_of(public_key.as_ref());
    let certificate = issuing::sign(scope, &mut birth, subject, usage).await?;
    birth.give(links::to(LinkType::ReplacedObjectLink, old.id));
    // The old certificate gives up its names before the new one takes them.
    renewal::retire(&mut old, scope.now_s);
    links::add(scope, &mut old, LinkType::ReplacementObjectLink, birth.id())?;
    scope.draft.update(old);
    if let Some(mut row) = public_key.take() {
        birth.give(links::to(LinkType::PublicKeyLink, row.id));
        links::redirect(scope, &mut row, LinkType::CertificateLink, birth.id())?;
        scope.draft.update(row);
    }
    let id = birth.complete(scope, Some(&ManagedObject::Certificate(certificate))).await?;
    Ok(ReCertifyResponse { unique_identifier: identifier_text(id), template_attribute: None })
}
