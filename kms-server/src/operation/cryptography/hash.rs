//! Hash: needs no key. KMIP 1.4 §4.37, 2.1 §6.1.24.

use std::sync::Arc;

use crypto::hash::HashStream;
use kmip::payload::{HashRequest, HashResponse};
use policy::mechanism::may_hash;
use secret::Secret;

use super::asked::{Asked, Part};
use super::parts;
use crate::change::policy_of;
use crate::failure::Failure;
use crate::node::streams::{Produced, Taken, Work};
use crate::scope::Scope;

pub(in crate::operation) async fn run(scope: &mut Scope<'_>, request: &HashRequest) -> Result<HashResponse, Failure> {
    let asked = Asked {
        unique_identifier: None,
        parameters: Some(&request.cryptographic_parameters),
        data: request.data.as_ref(),
        part: Part::of(request.correlation_value.as_deref(), request.init_indicator, request.final_indicator)?,
    };
    let produced = produce(scope, &asked).await?;
    Ok(HashResponse {
        data: produced.data.as_ref().map(Secret::expose).map(<[u8]>::to_vec),
        correlation_value: produced.stream.map(Vec::from),
    })
}

async fn produce(scope: &mut Scope<'_>, asked: &Asked<'_>) -> Result<Arc<Produced>, Failure> {
    if let Part::Next { id, last } = asked.part {
        let mut stream = match parts::resume(scope, &id, None, asked.parameters)? {
            Taken::Done(produced) => return Ok(produced),
            Taken::Open(stream) => *stream,
        };
        let Work::Hash(hash) = &mut stream.work else { return Err(Failure::NoStream) };
        hash.update(asked.data(scope)?)?;
        if !last {
            return Ok(scope.draft.streams.keep(Some(id), id, Some(stream), Produced::default()));
        }
        let Work::Hash(hash) = stream.work else { return Err(Failure::NoStream) };
        return Ok(scope.draft.streams.keep(Some(id), id, None, ended(hash)?));
    }
    let parameters = asked.parameters.cloned().unwrap_or_default();
    let algorithm = parameters.hashing_algorithm.ok_or(Failure::MissingParameter("Hashing Algorithm is missing"))?;
    may_hash(policy_of(&scope.domain.row.policy), algorithm)?;
    let begun = if asked.part == Part::First { scope.draft.streams.begun() } else { None };
    if let Some(produced) = begun {
        return Ok(produced);
    }
    let mut hash = HashStream::new(algorithm)?;
    hash.update(asked.data(scope)?)?;
    if asked.part == Part::First {
        return parts::begin(scope, None, parameters, Work::Hash(hash), Produced::default()).await;
    }
    Ok(Arc::new(ended(hash)?))
}

fn ended(hash: HashStream) -> Result<Produced, Failure> {
    Ok(Produced { data: Some(Secret::new(hash.finish()?)), ..Default::default() })
}
