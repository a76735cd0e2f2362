//! RNG Seed: the client's bytes stir the HSM's generator, which replaces nothing. KMIP 1.4 §4.36, 2.1 §6.1.50.

use hsm::HsmError;
use kmip::payload::{RngSeedRequest, RngSeedResponse};
use policy::mechanism::may_seed;

use crate::change::policy_of;
use crate::failure::Failure;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &RngSeedRequest,
) -> Result<RngSeedResponse, Failure> {
    may_seed(policy_of(&scope.domain.row.policy))?;
    let seed = scope.data(&request.data)?.expose();
    // The operator says how much of it is used, and the answer how much that was.
    let used = seed.get(..seed.len().min(scope.node.offer.seed_bytes)).unwrap_or_default();
    if used.is_empty() {
        return Ok(RngSeedResponse { data_length: 0 });
    }
    match scope.node.hsm.seed_random(used).await {
        Ok(()) => Ok(RngSeedResponse { data_length: i32::try_from(used.len()).unwrap_or(i32::MAX) }),
        // A device that takes no seed ignores it, for which the protocol has a word.
        Err(HsmError::Unsupported { .. }) => Ok(RngSeedResponse { data_length: 0 }),
        Err(error) => Err(error.into()),
    }
}
