//! Delegated Login: a ticket that any client of the domain may show, to do no more than its rights say. KMIP 2.1 §6.1.12.

use kmip::payload::{DelegatedLoginRequest, DelegatedLoginResponse, Right};

use super::granting::{Wanted, grant, uses};
use crate::failure::Failure;
use crate::node::tickets::{HeldRight, Reach};
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &DelegatedLoginRequest,
) -> Result<DelegatedLoginResponse, Failure> {
    let rights = request.rights.rights.iter().map(|right| held(scope, right)).collect::<Result<_, _>>()?;
    let wanted = Wanted {
        lifetime: request.lease_time,
        requests: request.request_count,
        usage_limits: request.usage_limits.as_ref(),
        rights: Some(rights),
    };
    Ok(DelegatedLoginResponse { ticket: grant(scope, wanted).await? })
}

/// The right as it is held. Objects that the client does not have are reached by nobody, and nothing is said of them.
fn held(scope: &Scope<'_>, right: &Right) -> Result<HeldRight, Failure> {
    let objects = match &right.objects {
        Some(objects) => {
            let named = scope.each_of(&objects.unique_identifiers);
            let named = named.iter().map(|one| scope.identify(Some(one)));
            Some(named.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        }
        None => None,
    };
    Ok(HeldRight {
        operations: right.operations.as_ref().map(|list| list.operations.clone()),
        reach: Reach { objects, groups: right.object_groups.as_ref().map(|list| list.object_groups.clone()) },
        uses_left: uses(right.usage_limits.as_deref())?,
    })
}
