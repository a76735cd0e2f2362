//! The parts of an operation that spans several messages: begun, gone on with, ended.

use std::sync::Arc;

use keystore::ObjectId;
use kmip::attribute::CryptographicParameters;
use kmip::registry::ValidityIndicator;

use crate::failure::Failure;
use crate::node::streams::{Owner, Produced, STREAM_ID_LEN, StreamId, Taken, Work};
use crate::scope::Scope;

fn owner(scope: &Scope<'_>, object: Option<ObjectId>) -> Owner {
    Owner { domain: Arc::clone(&scope.domain), client: scope.login.owner(), operation: scope.operation, object }
}

/// A Correlation Value that nobody has.
///
/// # Errors
/// [`Failure::Hsm`].
async fn fresh_id(scope: &Scope<'_>) -> Result<StreamId, Failure> {
    let random = scope.node.hsm.random(STREAM_ID_LEN).await?;
    random.expose().try_into().map_err(|_| Failure::Internal("the HSM gave another number of bytes"))
}

/// Opens a stream and keeps it, with what its first part produced.
///
/// # Errors
/// [`Failure::OverLimit`], [`Failure::Hsm`]; [`Failure::UnsupportedFeature`] where the operator has switched parts off.
pub(super) async fn begin(
    scope: &mut Scope<'_>,
    object: Option<ObjectId>,
    parameters: CryptographicParameters,
    work: Work,
    produced: Produced,
) -> Result<Arc<Produced>, Failure> {
    // A session of PKCS#11 goes on over messages as well, and is no operation in parts.
    if !scope.node.offer.streaming && !matches!(work, Work::Pkcs11(_)) {
        return Err(Failure::UnsupportedFeature("a cryptographic operation in parts"));
    }
    let id = fresh_id(scope).await?;
    let node = scope.node;
    let stream = node.streams.open(&node.limits, scope.now_s, owner(scope, object), parameters, work)?;
    Ok(scope.draft.streams.keep(None, id, Some(stream), produced))
}

/// The stream that a part goes on with, or what the part produced in an earlier round of the message. `parameters` are
/// those of the request, if it has any: they may be repeated, not changed.
///
/// # Errors
/// [`Failure::NoStream`], [`Failure::BadParameters`].
pub(super) fn resume(
    scope: &mut Scope<'_>,
    id: &StreamId,
    object: Option<ObjectId>,
    parameters: Option<&CryptographicParameters>,
) -> Result<Taken, Failure> {
    let owner = owner(scope, object);
    let node = scope.node;
    let taken = scope.draft.streams.take(&node.streams, &node.limits, scope.now_s, id, &owner)?;
    if let Taken::Open(stream) = &taken
        && parameters.is_some_and(|parameters| *parameters != stream.parameters)
    {
        return Err(Failure::BadParameters("a stream has the parameters that it began with"));
    }
    Ok(taken)
}

/// Takes the signature or code that is to be verified from the part that brings it. One of them has to.
///
/// # Errors
/// [`Failure::Contradiction`] where two parts bring different ones.
pub(super) fn bring(known: &mut Option<Vec<u8>>, brought: Option<&[u8]>) -> Result<(), Failure> {
    match (known.as_deref(), brought) {
        (Some(known), Some(brought)) if known != brought => {
            Err(Failure::Contradiction("two parts of a stream bring what is to be verified"))
        }
        (None, Some(brought)) => {
            *known = Some(brought.to_vec());
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The verdict in the words of the protocol.
pub(super) const fn verdict(valid: bool) -> ValidityIndicator {
    if valid { ValidityIndicator::Valid } else { ValidityIndicator::Invalid }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_brings_what_is_verified() {
        let mut known = None;
        assert!(bring(&mut known, None).is_ok() && known.is_none());
        assert!(bring(&mut known, Some(&[1])).is_ok() && bring(&mut known, None).is_ok());
        assert_eq!(known, Some(vec![1]));
        assert!(bring(&mut known, Some(&[1])).is_ok());
        assert!(matches!(bring(&mut known, Some(&[2])), Err(Failure::Contradiction(_))));
    }
}
