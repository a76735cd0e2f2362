//! Export: an object with all its attributes, even of one that is destroyed. KMIP 1.4 §4.40, 2.1 §6.1.18.

use keystore::ObjectRow;
use kmip::attribute::AttributeValue;
use kmip::object::{Certificate, CertificateRequest, KeyBlock, ManagedObject, OpaqueObject, PgpKey, SecretData};
use kmip::payload::{ExportRequest, ExportResponse};
use kmip::registry::{
    CertificateRequestType, CertificateType, KeyFormatType, ObjectType, OpaqueDataType, SecretDataType,
};
use secret::Secret;

use super::handing_out::{self, Wanted};
use crate::attributes;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &ExportRequest,
) -> Result<ExportResponse, Failure> {
    let mut row = scope.object(request.unique_identifier.as_ref()).await?;
    let object = if row.dates.destroy.is_some() {
        remains(&row)?
    } else {
        let wanted = Wanted {
            format: request.key_format_type,
            wrap_type: request.key_wrap_type,
            compression: request.key_compression_type,
            wrapping: request.key_wrapping_specification.as_deref(),
        };
        handing_out::object(scope, &row, wanted).await?
    };
    let told = attributes::visible(&row, scope.view()).into_iter().map(attributes::unnumbered).collect();
    if row.fresh && row.dates.destroy.is_none() && attributes::is_cryptographic(row.object_type) {
        row.fresh = false;
        scope.draft.update(row.clone());
    }
    scope.placeholder = Some(row.id);
    Ok(ExportResponse {
        object_type: row.object_type,
        unique_identifier: identifier_text(row.id),
        attributes: told,
        object,
    })
}

/// What is left of a destroyed object: its kind and what its attributes say, without a byte of it.
fn remains(row: &ObjectRow) -> Result<ManagedObject, Failure> {
    let digested = row.attributes.iter().find_map(|one| match &one.value {
        AttributeValue::Digest(digest) => digest.key_format_type,
        _ => None,
    });
    let key_block = KeyBlock {
        format: digested.unwrap_or(KeyFormatType::Raw),
        compression: None,
        value: None,
        algorithm: row.algorithm,
        length: row.length,
        wrapping: None,
    };
    let certificate_type = row.attributes.iter().find_map(|one| match one.value {
        AttributeValue::CertificateType(kind) => Some(kind),
        _ => None,
    });
    Ok(match row.object_type {
        ObjectType::SymmetricKey | ObjectType::PublicKey | ObjectType::PrivateKey => {
            ManagedObject::from_key_block(row.object_type, key_block)
                .map_err(|_| Failure::Internal("a key that is no key"))?
        }
        ObjectType::SecretData => {
            ManagedObject::SecretData(SecretData { secret_data_type: SecretDataType::Password, key_block })
        }
        ObjectType::PgpKey => ManagedObject::PgpKey(PgpKey { version: PGP_VERSION, key_block }),
        ObjectType::Certificate => ManagedObject::Certificate(Certificate {
            certificate_type: certificate_type.unwrap_or(CertificateType::X509),
            value: Vec::new(),
        }),
        ObjectType::CertificateRequest => ManagedObject::CertificateRequest(CertificateRequest {
            certificate_request_type: CertificateRequestType::Pkcs10,
            value: Vec::new(),
        }),
        ObjectType::OpaqueObject => ManagedObject::OpaqueObject(OpaqueObject {
            opaque_data_type: OpaqueDataType(0),
            value: Secret::new(Vec::new()),
        }),
        // Which part of which whole it was went with the part.
        ObjectType::SplitKey => return Err(Failure::Destroyed),
        ObjectType::Template => ManagedObject::Template(kmip::object::Template { attributes: row.attributes.clone() }),
    })
}

/// The version that PGP keys have had since 1998; the key itself is gone.
const PGP_VERSION: i32 = 4;
