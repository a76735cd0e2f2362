//! Revoke: Deactivated, or Compromised where the reason says so. KMIP 1.4 §4.20.

use keystore::Revocation;
use kmip::payload::{RevokeRequest, RevokeResponse};
use kmip::registry::{ObjectType, RevocationReasonCode};
use policy::lifecycle::Event;

use crate::attributes::is_cryptographic;
use crate::failure::Failure;
use crate::lifecycle;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

/// Longest Revocation Message kept, in bytes.
const MAX_MESSAGE_LEN: usize = 1024;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &RevokeRequest,
) -> Result<RevokeResponse, Failure> {
    let reason = request.revocation_reason.clone();
    if reason.message.as_ref().is_some_and(|message| message.len() > MAX_MESSAGE_LEN) {
        return Err(Failure::InvalidField("revocation message is too long"));
    }
    let compromised = matches!(reason.code, RevocationReasonCode::KeyCompromise | RevocationReasonCode::CaCompromise);
    if request.compromise_occurrence_date.is_some() && !compromised {
        return Err(Failure::InvalidField("compromise occurrence date without a compromise"));
    }
    let mut row = scope.object(request.unique_identifier.as_ref()).await?;
    if row.object_type == ObjectType::Template {
        return Err(Failure::IllegalOperation("a template cannot be revoked"));
    }
    // An opaque object has no state; it keeps the reason and the dates.
    if is_cryptographic(row.object_type) {
        lifecycle::apply(&mut row, if compromised { &Event::ReportCompromise } else { &Event::Deactivate })?;
    }
    if compromised {
        let occurred = request.compromise_occurrence_date.map_or(row.dates.initial, |date| date.0);
        row.dates.compromise_occurrence = Some(occurred);
        row.dates.compromise = Some(scope.now_s);
    } else {
        row.dates.deactivation = Some(scope.now_s);
    }
    row.dates.last_change = scope.now_s;
    row.revocation = Some(Revocation { code: reason.code, message: reason.message });
    let unique_identifier = identifier_text(row.id);
    scope.draft.update(row);
    Ok(RevokeResponse { unique_identifier })
}
