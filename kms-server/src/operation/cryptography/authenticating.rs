//! MAC and MAC Verify: a code made and a code checked. KMIP 1.4 §4.33, §4.34; 2.1 §6.1.32, §6.1.33.

use std::sync::Arc;

use crypto::mac::{MacSpec, MacStream};
use policy::mechanism::Purpose;
use secret::Secret;

use super::asked::{Asked, Part};
use super::in_use::{self, Key, Use};
use super::parts;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::node::streams::{Produced, Stream, StreamId, Taken, Work};
use crate::scope::Scope;

/// Makes a code, or checks `code`; gives the identifier of the key and what came out.
///
/// # Errors
/// Why not. A wrong code is none.
pub(super) async fn run(
    scope: &mut Scope<'_>,
    usage: Use,
    asked: &Asked<'_>,
    code: Option<&[u8]>,
) -> Result<(String, Arc<Produced>), Failure> {
    let mut key = in_use::find(scope, usage, asked.unique_identifier, asked.parameters).await?;
    let unique_identifier = identifier_text(key.row.id);
    let produced = match asked.part {
        Part::Whole => {
            key.decide(scope, Purpose::Mac)?;
            let bytes = asked.data(scope)?.len();
            key.count(scope, bytes, true)?;
            let mut stream = open(scope, &key).await?;
            stream.update(asked.data(scope)?)?;
            Arc::new(end(usage, stream, code)?)
        }
        Part::First => {
            key.decide(scope, Purpose::Mac)?;
            let bytes = asked.data(scope)?.len();
            key.count(scope, bytes, true)?;
            match scope.draft.streams.begun() {
                Some(produced) => produced,
                None => first(scope, key, asked, code).await?,
            }
        }
        Part::Next { id, last } => {
            let taken = parts::resume(scope, &id, Some(key.row.id), asked.parameters)?;
            key.may_go_on(scope)?;
            let bytes = asked.data(scope)?.len();
            key.count(scope, bytes, false)?;
            match taken {
                Taken::Done(produced) => produced,
                Taken::Open(stream) => next(scope, usage, asked, code, (id, *stream), last)?,
            }
        }
    };
    Ok((unique_identifier, produced))
}

async fn open(scope: &Scope<'_>, key: &Key) -> Result<MacStream, Failure> {
    let spec = MacSpec::resolve(key.algorithm, &key.parameters)?;
    let opened = key.open(scope).await?;
    Ok(spec.stream(opened.symmetric()?)?)
}

fn end(usage: Use, stream: MacStream, code: Option<&[u8]>) -> Result<Produced, Failure> {
    if usage == Use::Mac {
        return Ok(Produced { data: Some(Secret::new(stream.finish()?)), ..Default::default() });
    }
    let code = code.ok_or(Failure::MissingParameter("MAC Data is missing"))?;
    Ok(Produced { valid: Some(stream.verify(code)?), ..Default::default() })
}

async fn first(
    scope: &mut Scope<'_>,
    key: Key,
    asked: &Asked<'_>,
    code: Option<&[u8]>,
) -> Result<Arc<Produced>, Failure> {
    let mut stream = open(scope, &key).await?;
    stream.update(asked.data(scope)?)?;
    let work = match key.usage {
        Use::Mac => Work::Mac(stream),
        _ => Work::MacVerify(stream, code.map(<[u8]>::to_vec)),
    };
    parts::begin(scope, Some(key.row.id), key.parameters, work, Produced::default()).await
}

fn next(
    scope: &mut Scope<'_>,
    usage: Use,
    asked: &Asked<'_>,
    code: Option<&[u8]>,
    (id, mut stream): (StreamId, Stream),
    last: bool,
) -> Result<Arc<Produced>, Failure> {
    match &mut stream.work {
        Work::Mac(mac) => mac.update(asked.data(scope)?)?,
        Work::MacVerify(mac, known) => {
            mac.update(asked.data(scope)?)?;
            parts::bring(known, code)?;
        }
        _ => return Err(Failure::NoStream),
    }
    if !last {
        return Ok(scope.draft.streams.keep(Some(id), id, Some(stream), Produced::default()));
    }
    let produced = match stream.work {
        Work::Mac(mac) => end(usage, mac, None)?,
        Work::MacVerify(mac, known) => end(usage, mac, known.as_deref())?,
        _ => return Err(Failure::NoStream),
    };
    Ok(scope.draft.streams.keep(Some(id), id, None, produced))
}
