//! Get Usage Allocation: the client takes units that it will use up elsewhere. KMIP 1.4 §4.18, 2.1 §6.1.23.
//!
//! Two clients never get the same unit: the commit asks for the revision that was read, and who comes second is worked
//! out again from what is left.

use kmip::payload::{GetUsageAllocationRequest, GetUsageAllocationResponse};
use kmip::registry::UsageMask;
use policy::usage::{self, Usable};

use super::in_use::usage_limits;
use crate::attributes::is_cryptographic;
use crate::failure::Failure;
use crate::lifecycle;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &GetUsageAllocationRequest,
) -> Result<GetUsageAllocationResponse, Failure> {
    let mut row = scope.object(request.unique_identifier.as_ref()).await?;
    if request.usage_limits_count <= 0 {
        return Err(Failure::InvalidField("usage limits count is not a number of units"));
    }
    if !is_cryptographic(row.object_type) {
        return Err(Failure::IllegalOperation("the object protects nothing"));
    }
    // Which protection the client has in mind is not said; state and dates have to allow any.
    let dates = lifecycle::dates(&row);
    let usable = Usable { state: row.state, dates: &dates, mask: row.usage_mask };
    usage::may_protect(&usable, UsageMask::default(), scope.now_s)?;
    let limits = usage_limits(&mut row).ok_or(Failure::NoUsageLimits)?;
    *limits = usage::take_units(limits, request.usage_limits_count).map_err(|_| Failure::Allocation)?;
    row.dates.last_change = scope.now_s;
    let unique_identifier = identifier_text(row.id);
    scope.draft.update(row);
    Ok(GetUsageAllocationResponse { unique_identifier })
}
