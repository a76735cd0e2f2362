//! RNG Seed: the client's bytes stir the HSM's generator, which replaces nothing. KMIP 1.4 §4.36, 2.1 §6.1.50.

use hsm::HsmError;
use kmip::payload::{RngSeedRequest, RngSeedResponse};
use policy::mechanism::may_seed;

use crate::change::policy_of;
use crate::failure::Failure;
use crate::scope::Scope;

/// Bytes of a seed that are used; what the HSM group takes. The answer says how many they were.
const MAX_SEED_LEN: usize = 4096;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &RngSeedRequest,
) -> Result<RngSeedResponse, Failure> {
    may_seed(policy_of(&scope.domain.row.policy))?;
    let seed = scope.data(&request.data)?.expose();
    let used = seed.get(..seed.len().min(MAX_SEED_LEN)).unwrap_or_default();
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
