//! Certify: a certificate for a public key, signed by the domain's authority. KMIP 1.4 §4.7, 2.1 §6.1.4.

use keystore::ObjectRow;
use kmip::attribute::{Attribute, AttributeValue};
use kmip::object::ManagedObject;
use kmip::payload::{CertifyRequest, CertifyResponse};
use kmip::registry::{CertificateType, KeyFormatType, LinkType, ObjectType};
use policy::creation::Origin;

use super::birth::{self, Birth};
use super::issuing::{self, Subject};
use super::{create_key_pair, distinguished_name, links, source};
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &CertifyRequest,
) -> Result<CertifyResponse, Failure> {
    birth::may_be_kept(request.protection_storage_masks.as_ref())?;
    let given = create_key_pair::given(scope, request.template_attribute.as_ref()).await?;
    require_x509(&given)?;
    let named = request.unique_identifier.as_ref();
    let of_request = match &request.certificate_request {
        Some(bytes) => Some(issuing::read_request(request.certificate_request_type, bytes)?),
        None => None,
    };
    // A request says everything itself; then no object needs to be named.
    let row = if of_request.is_some() && named.is_none() && scope.placeholder.is_none() {
        None
    } else {
        Some(source::find(scope, named).await?)
    };
    let (subject, public_key) = match (of_request, row) {
        (Some(subject), row) => (subject, row.map(require_public_key).transpose()?),
        (None, Some(row)) if row.object_type == ObjectType::CertificateRequest => {
            (held_request(scope, &row).await?, None)
        }
        (None, Some(row)) => {
            let row = require_public_key(row)?;
            (of_public_key(scope, &row).await?, Some(row))
        }
        (None, None) => return Err(Failure::MissingData("what is to be certified")),
    };

    let mut birth = Birth::begin(scope, Origin::Certified, ObjectType::Certificate);
    birth.set_attributes(scope, given)?;
    let certificate = issuing::sign(scope, &mut birth, subject, issuing::usage_of(public_key.as_ref())).await?;
    if let Some(mut row) = public_key {
        birth.give(links::to(LinkType::PublicKeyLink, row.id));
        links::add(scope, &mut row, LinkType::CertificateLink, birth.id())?;
        scope.draft.update(row);
    }
    let id = birth.complete(scope, Some(&ManagedObject::Certificate(certificate))).await?;
    Ok(CertifyResponse { unique_identifier: identifier_text(id), template_attribute: None })
}

/// The server signs X.509 certificates and no others.
pub(super) fn require_x509(given: &[Attribute]) -> Result<(), Failure> {
    let is_other =
        |one: &Attribute| matches!(one.value, AttributeValue::CertificateType(kind) if kind != CertificateType::X509);
    if given.iter().any(is_other) { Err(Failure::UnsupportedFeature("certificate type")) } else { Ok(()) }
}

fn require_public_key(row: ObjectRow) -> Result<ObjectRow, Failure> {
    if row.object_type == ObjectType::PublicKey {
        return Ok(row);
    }
    Err(Failure::UnusableObject("only public keys are certified"))
}

/// The request that the server holds as an object.
pub(super) async fn held_request(scope: &mut Scope<'_>, row: &ObjectRow) -> Result<Subject, Failure> {
    match source::open(scope, row).await? {
        ManagedObject::CertificateRequest(held) => {
            issuing::read_request(Some(held.certificate_request_type), &held.value)
        }
        _ => Err(Failure::UnusableObject("only public keys and certificate requests are certified")),
    }
}

/// A public key without a request: its Name, or its identifier, becomes the common name.
async fn of_public_key(scope: &mut Scope<'_>, row: &ObjectRow) -> Result<Subject, Failure> {
    let object = source::open(scope, row).await?;
    let key = source::public_key(&object, row)?;
    let common_name = row.names().next().map_or_else(|| identifier_text(row.id), str::to_owned);
    Ok(Subject {
        name: distinguished_name::of_common_name(&common_name),
        alternative_names: Vec::new(),
        public_key: key.to_encoded(KeyFormatType::X509)?,
    })
}
