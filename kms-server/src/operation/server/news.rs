//! Notify and Put: a peer that holds the objects of this domain tells of them. KMIP 1.4 §5.1, §5.2, 2.1 §6.2.2, §6.2.3.
//!
//! They are the operations that servers send; this one sends none, but it hears them. What it hears goes into the audit
//! log and changes nothing: objects enter by Register and Import, attributes change by the operations made for that. So
//! a Put is acknowledged only where it brings what is here already, to the bit; everything else would have the peer
//! believe that its object had arrived.

use keystore::ObjectRow;
use kmip::attribute::{AttributeValue, Identifier};
use kmip::object::ManagedObject;
use kmip::payload::{NotifyRequest, NotifyResponse, PutRequest, PutResponse};

use crate::failure::Failure;
use crate::operation::making::birth;
use crate::scope::Scope;

/// Notify: the news is about an object of the domain, and is noted.
pub(in crate::operation) async fn notify(
    scope: &mut Scope<'_>,
    request: &NotifyRequest,
) -> Result<NotifyResponse, Failure> {
    scope.object(Some(&Identifier::from(&request.unique_identifier))).await?;
    Ok(NotifyResponse)
}

/// Put: the object is here, and is the one that the peer has.
pub(in crate::operation) async fn put(scope: &mut Scope<'_>, request: &PutRequest) -> Result<PutResponse, Failure> {
    let row = scope.object(Some(&Identifier::from(&request.unique_identifier))).await?;
    if row.object_type != request.object.object_type() || !is_same(&row, &request.object) {
        return Err(Failure::UnsupportedFeature("objects come by Register and Import"));
    }
    Ok(PutResponse)
}

/// Whether the material has the digest that the row tells of. An object without one cannot be compared.
fn is_same(row: &ObjectRow, object: &ManagedObject) -> bool {
    let Some(brought) = birth::digest_of(object) else { return false };
    row.attributes.iter().any(|one| match &one.value {
        AttributeValue::Digest(digest) => {
            digest.hashing_algorithm == brought.hashing_algorithm && digest.digest_value == brought.digest_value
        }
        _ => false,
    })
}
