//! Check: may the object be used in this way? KMIP 1.4 §4.10.

use kmip::attribute::AttributeValue;
use kmip::payload::{CheckRequest, CheckResponse};

use crate::attributes;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(scope: &mut Scope<'_>, request: &CheckRequest) -> Result<CheckResponse, Failure> {
    let row = scope.object(request.unique_identifier.as_ref()).await?;
    if row.dates.destroy.is_some() {
        return Err(Failure::Destroyed);
    }
    if !attributes::is_cryptographic(row.object_type) {
        return Err(Failure::IllegalOperation("only cryptographic objects are checked"));
    }
    let mut response = CheckResponse::default();
    if let Some(wanted) = request.usage_limits_count {
        let left = row.attributes.iter().find_map(|one| match &one.value {
            AttributeValue::UsageLimits(limits) => limits.count,
            _ => None,
        });
        response.usage_limits_count = left.is_some_and(|left| wanted > left).then_some(wanted);
    }
    if let Some(wanted) = request.cryptographic_usage_mask {
        response.cryptographic_usage_mask = (!row.usage_mask.contains(wanted)).then_some(wanted);
    }
    if let Some(wanted) = request.lease_time {
        response.lease_time = (wanted.0 > scope.node.offer.lease_s).then_some(wanted);
    }
    let refused = response.usage_limits_count.is_some()
        || response.cryptographic_usage_mask.is_some()
        || response.lease_time.is_some();
    if refused {
        // The items of the batch that come after must not work on an object the client may not use so.
        scope.placeholder = None;
        return Err(Failure::CheckRefused(response));
    }
    Ok(CheckResponse { unique_identifier: Some(identifier_text(row.id)), ..CheckResponse::default() })
}
