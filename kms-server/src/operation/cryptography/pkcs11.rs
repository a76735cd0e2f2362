//! PKCS#11: the server as a Cryptoki library. KMIP 2.1 §6.1.37, Profiles 2.1 §5.18.
//!
//! The client's domain is the one slot and its token. What is offered is what the profile's encoding says without a
//! doubt: the library, slots and mechanisms, sessions, digests, random bytes. Digests and random bytes are those of the
//! operations Hash, RNG Retrieve and RNG Seed, with their permissions and policy. Functions beyond these answer
//! CKR_FUNCTION_NOT_SUPPORTED; UNSUPPORTED.md says why.

mod call;
mod codec;
mod tables;

use std::sync::Arc;

use crypto::hash::{HashStream, hash_len};
use kmip::attribute::CryptographicParameters;
use kmip::payload::{Data, Pkcs11Call, Pkcs11Request, Pkcs11Response, RngRetrieveRequest, RngSeedRequest};
use kmip::registry::{Operation, Pkcs11Function, Pkcs11ReturnCode as Code};
use policy::algorithm::AlgorithmPolicy;
use secret::Secret;

use self::call::Call;
use self::codec::{Output, Room};
use super::asked::Part;
use super::{parts, rng_retrieve, rng_seed};
use crate::change::policy_of;
use crate::failure::Failure;
use crate::node::pkcs11::{Digest, Library, Session};
use crate::node::streams::{Produced, StreamId, Taken, Work};
use crate::operation::is_offered;
use crate::scope::Scope;

/// The name of PKCS#11's own interface.
const INTERFACE: &str = "PKCS 11";

/// How a function ended: its code and its output parameters.
type Returned = (Code, Option<Secret>);

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &Pkcs11Request,
) -> Result<Pkcs11Response, Failure> {
    if request.interface.as_deref().is_some_and(|interface| interface != INTERFACE) {
        return Err(Failure::Pkcs11Interface);
    }
    let Pkcs11Call::Standard(function) = request.function else { return Err(Failure::Pkcs11Function) };
    let input = request.input_parameters.as_ref().map(Secret::expose).unwrap_or_default();
    let answer = |correlation: Option<StreamId>, output: Option<Secret>, return_code| Pkcs11Response {
        interface: request.interface.clone(),
        function: request.function,
        correlation_value: correlation.map(Vec::from),
        output_parameters: output,
        return_code,
    };
    if function == Pkcs11Function::Initialize {
        // The version of the encoding, or nothing.
        if input.len() > 1 {
            return Err(Failure::Pkcs11Codec);
        }
        let begun = match scope.draft.streams.begun() {
            Some(produced) => produced,
            None => {
                let work = Work::Pkcs11(Box::default());
                parts::begin(scope, None, CryptographicParameters::default(), work, Produced::default()).await?
            }
        };
        return Ok(answer(begun.stream, None, Code::Ok));
    }
    let Some(call) = Call::read(function, input)? else { return Ok(answer(None, None, Code::FunctionNotSupported)) };
    let Some(produced) = go_on(scope, request.correlation_value.as_deref(), &call).await? else {
        return Ok(answer(None, None, Code::CryptokiNotInitialized));
    };
    let output = produced.data.as_ref().map(|output| Secret::copy_from(output.expose()));
    Ok(answer(None, output, produced.code.unwrap_or(Code::GeneralError)))
}

/// Goes on with what C_Initialize began. `None` where it was not, or has ended.
async fn go_on(
    scope: &mut Scope<'_>,
    correlation: Option<&[u8]>,
    call: &Call<'_>,
) -> Result<Option<Arc<Produced>>, Failure> {
    let Ok(Part::Next { id, .. }) = Part::of(correlation, None, None) else { return Ok(None) };
    let mut stream = match parts::resume(scope, &id, None, None) {
        Ok(Taken::Done(produced)) => return Ok(Some(produced)),
        Ok(Taken::Open(stream)) => *stream,
        Err(_) => return Ok(None),
    };
    let Work::Pkcs11(library) = &mut stream.work else { return Ok(None) };
    let (code, data) = perform(scope, library, call).await?;
    let produced = Produced { data, code: Some(code), ..Default::default() };
    let kept = (*call != Call::Finalize).then_some(stream);
    Ok(Some(scope.draft.streams.keep(Some(id), id, kept, produced)))
}

async fn perform(scope: &mut Scope<'_>, library: &mut Library, call: &Call<'_>) -> Result<Returned, Failure> {
    let policy = policy_of(&scope.domain.row.policy);
    let is_slot = |slot: &u64| *slot == tables::SLOT;
    Ok(match call {
        Call::Finalize => (Code::Ok, None),
        Call::GetInfo => told(tables::info(&scope.node.offer)),
        Call::GetSlotList { room } => list(*room, &[tables::SLOT]),
        Call::GetSlotInfo { slot }
        | Call::GetMechanismList { slot, .. }
        | Call::GetMechanismInfo { slot, .. }
        | Call::OpenSession { slot, .. }
        | Call::CloseAllSessions { slot }
            if !is_slot(slot) =>
        {
            (Code::SlotIdInvalid, None)
        }
        Call::GetSlotInfo { .. } => told(tables::slot_info(&scope.node.offer, &scope.domain.row.name)),
        Call::GetMechanismList { room, .. } => list(*room, &tables::mechanisms(policy)),
        Call::GetMechanismInfo { mechanism, .. } => match tables::hash_of(*mechanism, policy) {
            Some(_) => told(tables::mechanism_info()),
            None => (Code::MechanismInvalid, None),
        },
        Call::OpenSession { flags, .. } if flags & tables::SERIAL == 0 => (Code::SessionParallelNotSupported, None),
        Call::OpenSession { flags, .. } => match library.open(*flags) {
            Some(handle) => told(Output::default().ulong(handle).finish()),
            None => (Code::SessionCount, None),
        },
        Call::CloseAllSessions { .. } => {
            library.close_all();
            (Code::Ok, None)
        }
        Call::CloseSession { session } if library.close(*session) => (Code::Ok, None),
        Call::CloseSession { .. } => (Code::SessionHandleInvalid, None),
        Call::GetSessionInfo { session }
        | Call::DigestInit { session, .. }
        | Call::Digest { session, .. }
        | Call::DigestUpdate { session, .. }
        | Call::DigestFinal { session, .. }
        | Call::SeedRandom { session, .. }
        | Call::GenerateRandom { session, .. } => match library.session(*session) {
            Some(session) => in_session(scope, session, policy, call).await?,
            None => (Code::SessionHandleInvalid, None),
        },
    })
}

/// What is done in a session that there is.
async fn in_session(
    scope: &mut Scope<'_>,
    session: &mut Session,
    policy: AlgorithmPolicy,
    call: &Call<'_>,
) -> Result<Returned, Failure> {
    let operation = match call {
        Call::GetSessionInfo { .. } => return Ok(told(tables::session_info(session.flags))),
        Call::SeedRandom { .. } => Operation::RngSeed,
        Call::GenerateRandom { .. } => Operation::RngRetrieve,
        _ => Operation::Hash,
    };
    if !may(scope, operation) {
        return Ok((Code::FunctionRejected, None));
    }
    match call {
        Call::DigestInit { mechanism, has_parameter, .. } => begin_digest(session, *mechanism, *has_parameter, policy),
        Call::Digest { data, room, .. } => match &session.digest {
            Some(digest) if digest.in_parts => Ok((Code::OperationActive, None)),
            _ => end_digest(session, data, *room),
        },
        Call::DigestFinal { room, .. } => end_digest(session, &[], *room),
        Call::DigestUpdate { data, .. } => match &mut session.digest {
            Some(digest) => {
                digest.stream.update(data)?;
                digest.in_parts = true;
                Ok((Code::Ok, None))
            }
            None => Ok((Code::OperationNotInitialized, None)),
        },
        Call::SeedRandom { seed, .. } => {
            let request = RngSeedRequest { data: Data::from(Secret::copy_from(seed)) };
            match rng_seed::run(scope, &request).await {
                Ok(taken) if taken.data_length > 0 => Ok((Code::Ok, None)),
                Ok(_) | Err(Failure::Weak(_)) => Ok((Code::RandomSeedNotSupported, None)),
                Err(failure) => Err(failure),
            }
        }
        Call::GenerateRandom { len, .. } => match i32::try_from(*len) {
            Ok(data_length) if (1..=scope.node.limits.random_bytes).contains(len) => {
                let random = rng_retrieve::run(scope, &RngRetrieveRequest { data_length }).await?.data;
                let count = u32::try_from(*len).unwrap_or(u32::MAX).to_be_bytes();
                let mut out = zeroize::Zeroizing::new(Vec::with_capacity(count.len() + random.len()));
                out.extend_from_slice(&count);
                out.extend_from_slice(random.expose());
                Ok((Code::Ok, Some(Secret::from(out))))
            }
            _ => Ok((Code::ArgumentsBad, None)),
        },
        _ => Ok((Code::GeneralError, None)),
    }
}

fn begin_digest(
    session: &mut Session,
    mechanism: u64,
    has_parameter: bool,
    policy: AlgorithmPolicy,
) -> Result<Returned, Failure> {
    if session.digest.is_some() {
        return Ok((Code::OperationActive, None));
    }
    let Some(algorithm) = tables::hash_of(mechanism, policy) else { return Ok((Code::MechanismInvalid, None)) };
    if has_parameter {
        return Ok((Code::MechanismParamInvalid, None));
    }
    session.digest = Some(Digest { algorithm, stream: HashStream::new(algorithm)?, in_parts: false });
    Ok((Code::Ok, None))
}

/// The digest of what went before and of `data`. It goes on where the caller has no room for it (PKCS#11 3.0 §5.2).
fn end_digest(session: &mut Session, data: &[u8], room: Room) -> Result<Returned, Failure> {
    let Some(digest) = session.digest.take() else { return Ok((Code::OperationNotInitialized, None)) };
    let len = hash_len(digest.algorithm)?;
    if room.is_none_or(|room| room < len) {
        session.digest = Some(digest);
        let code = if room.is_none() { Code::Ok } else { Code::BufferTooSmall };
        return Ok((code, Some(Secret::new(Output::default().told(len, None).finish()))));
    }
    let mut stream = digest.stream;
    stream.update(data)?;
    let value = stream.finish()?;
    Ok(told(Output::default().told(len, Some(&value)).finish()))
}

/// Whether the client could have asked for the operation itself. That his ticket is for more than objects was asked of
/// PKCS#11 already.
fn may(scope: &Scope<'_>, operation: Operation) -> bool {
    is_offered(operation, scope.version, &scope.domain.row.policy, &scope.node.offer) && scope.login.permits(operation)
}

fn told(output: Vec<u8>) -> Returned {
    (Code::Ok, Some(Secret::new(output)))
}

/// An array of CK_ULONGs, or their number.
fn list(room: Room, elements: &[u64]) -> Returned {
    let bytes: Vec<u8> = elements.iter().flat_map(|element| element.to_be_bytes()).collect();
    let (code, shown) = match room {
        None => (Code::Ok, None),
        Some(room) if room < elements.len() => (Code::BufferTooSmall, None),
        Some(_) => (Code::Ok, Some(bytes.as_slice())),
    };
    (code, Some(Secret::new(Output::default().told(elements.len(), shown).finish())))
}
