//! Sign and Signature Verify: one half of a pair and the other. KMIP 1.4 §4.31, §4.32; 2.1 §6.1.55, §6.1.56.

use std::sync::Arc;

use crypto::signature::{self, Message, SignatureScheme, SignatureStream};
use policy::mechanism::Purpose;
use secret::Secret;

use super::asked::{Asked, Part};
use super::in_use::{self, Key, Use, aside};
use super::parts;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::node::streams::{Produced, Stream, StreamId, Taken, Work};
use crate::scope::Scope;

/// What only signatures are given.
pub(super) struct Given<'r> {
    /// The hash of the data, in its place.
    pub digested: Option<&'r Secret>,
    /// What is to be verified.
    pub signature: Option<&'r [u8]>,
}

/// Signs or verifies; gives the identifier of the key and what came out.
///
/// # Errors
/// Why not. A wrong signature is none.
pub(super) async fn run(
    scope: &mut Scope<'_>,
    usage: Use,
    asked: &Asked<'_>,
    given: &Given<'_>,
) -> Result<(String, Arc<Produced>), Failure> {
    let mut key = in_use::find(scope, usage, asked.unique_identifier, asked.parameters).await?;
    let unique_identifier = identifier_text(key.row.id);
    if given.digested.is_some() && (asked.data.is_some() || asked.part != Part::Whole) {
        return Err(Failure::Contradiction("digested data stands for the whole data"));
    }
    let purpose = Purpose::Sign { digested: given.digested.is_some() };
    let produced = match asked.part {
        Part::Whole => {
            key.decide(scope, purpose)?;
            let bytes = match given.digested {
                Some(digest) => digest.len(),
                None => asked.data(scope)?.len(),
            };
            key.count(scope, bytes, true)?;
            Arc::new(whole(scope, &key, asked, given).await?)
        }
        Part::First => {
            key.decide(scope, purpose)?;
            let bytes = asked.data(scope)?.len();
            key.count(scope, bytes, true)?;
            match scope.draft.streams.begun() {
                Some(produced) => produced,
                None => first(scope, key, asked, given).await?,
            }
        }
        Part::Next { id, last } => {
            let taken = parts::resume(scope, &id, Some(key.row.id), asked.parameters)?;
            key.may_go_on(scope)?;
            let bytes = asked.data(scope)?.len();
            key.count(scope, bytes, false)?;
            match taken {
                Taken::Done(produced) => produced,
                Taken::Open(stream) => next(scope, &key, asked, given, (id, *stream), last).await?,
            }
        }
    };
    Ok((unique_identifier, produced))
}

async fn whole(scope: &Scope<'_>, key: &Key, asked: &Asked<'_>, given: &Given<'_>) -> Result<Produced, Failure> {
    let (bytes, digested) = match given.digested {
        Some(digest) => (Secret::copy_from(digest.expose()), true),
        None => (Secret::copy_from(asked.data(scope)?), false),
    };
    let parameters = key.parameters.clone();
    if key.usage == Use::SignatureVerify {
        let signature = given.signature.ok_or(Failure::MissingParameter("Signature Data is missing"))?.to_vec();
        let opened = key.open(scope).await?;
        let valid =
            aside(move || signature::verify(&opened.public()?, &parameters, message_of(&bytes, digested), &signature))
                .await?;
        return Ok(Produced { valid: Some(valid), ..Default::default() });
    }
    let opened = key.open(scope).await?;
    let signature = aside(move || {
        let key = opened.private()?;
        SignatureScheme::resolve(key.kind(), &parameters)?.sign(&key, message_of(&bytes, digested))
    })
    .await?;
    Ok(Produced { data: Some(Secret::new(signature)), ..Default::default() })
}

fn message_of(bytes: &Secret, digested: bool) -> Message<'_> {
    if digested { Message::Digest(bytes.expose()) } else { Message::Data(bytes.expose()) }
}

/// Only the kind of the key is needed before the last part; then it is opened again.
async fn first(
    scope: &mut Scope<'_>,
    key: Key,
    asked: &Asked<'_>,
    given: &Given<'_>,
) -> Result<Arc<Produced>, Failure> {
    let opened = key.open(scope).await?;
    let verifies = key.usage == Use::SignatureVerify;
    let kind =
        aside(
            move || {
                if verifies { opened.public().map(|key| key.kind()) } else { opened.private().map(|key| key.kind()) }
            },
        )
        .await?;
    let mut stream = SignatureStream::new(SignatureScheme::resolve(kind, &key.parameters)?)?;
    stream.update(asked.data(scope)?)?;
    let work = if verifies { Work::Verify(stream, given.signature.map(<[u8]>::to_vec)) } else { Work::Sign(stream) };
    parts::begin(scope, Some(key.row.id), key.parameters, work, Produced::default()).await
}

async fn next(
    scope: &mut Scope<'_>,
    key: &Key,
    asked: &Asked<'_>,
    given: &Given<'_>,
    (id, mut stream): (StreamId, Stream),
    last: bool,
) -> Result<Arc<Produced>, Failure> {
    match &mut stream.work {
        Work::Sign(signing) => signing.update(asked.data(scope)?)?,
        Work::Verify(verifying, signature) => {
            verifying.update(asked.data(scope)?)?;
            parts::bring(signature, given.signature)?;
        }
        _ => return Err(Failure::NoStream),
    }
    if !last {
        return Ok(scope.draft.streams.keep(Some(id), id, Some(stream), Produced::default()));
    }
    let opened = key.open(scope).await?;
    let produced = match stream.work {
        Work::Sign(signing) => {
            let signature = aside(move || signing.sign(&opened.private()?)).await?;
            Produced { data: Some(Secret::new(signature)), ..Default::default() }
        }
        Work::Verify(verifying, Some(signature)) => {
            let valid = aside(move || verifying.verify(&opened.public()?, &signature)).await?;
            Produced { valid: Some(valid), ..Default::default() }
        }
        _ => return Err(Failure::MissingParameter("Signature Data is missing")),
    };
    Ok(scope.draft.streams.keep(Some(id), id, None, produced))
}
