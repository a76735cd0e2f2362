//! From a request message to its response: authenticate, run the items in order, commit, answer.
//!
//! All effects of a message and one audit record per item are one unit for the store. The answer is built beforehand
//! and leaves only after the commit. If somebody else changed one of the rows meanwhile, the message is worked out
//! again from what is now there.

use std::sync::Arc;

use audit::bounded_text;
use keystore::{ObjectId, ObjectRow, StoreError};
use kmip::ProtocolVersion;
use kmip::message::{
    Credential, ItemPayload, Outcome, RequestItem, RequestMessage, ResponseHeader, ResponseItem, ResponseMessage,
};
use kmip::payload::RequestPayload;
use kmip::registry::BatchErrorContinuationOption as Continuation;
use kmip::registry::{Operation, ResultStatus};
use kmip::ttlv::{DateTime, DecodeErrorKind};
use policy::access::Actor;
use secret::DomainId;
use zeroize::Zeroizing;

use crate::draft::Draft;
use crate::effect;
use crate::failure::Failure;
use crate::items;
use crate::later::{self, PutOff};
use crate::login::Login;
use crate::node::Node;
use crate::node::auditing::Told;
use crate::node::directory::Domain;
use crate::node::jobs::Work;
use crate::node::sealing::identifier_text;
use crate::node::streams::Hand;
use crate::node::tickets::{self, Permit};
use crate::operation;
use crate::room::{self, Room};
use crate::scope::Scope;
use crate::shell::peer::{Fingerprint, Peer};

/// Times a message is worked out again because a row it read was changed by another. Each round somebody gets on.
const MAX_ROUNDS: usize = 16;

/// Bytes of a credential's name in an audit record.
const MAX_TOLD_LOGIN_LEN: usize = 64;

/// What an undecodable message is called in the audit log.
pub const UNREADABLE: &str = "unreadable message";

/// Answers one frame. An error is an answer too; only where not even its record can be written is there no answer at
/// all: then what is returned is empty, and the connection is closed without a word.
pub async fn answer(node: &Node, peer: &Peer, frame: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    let decoded = RequestMessage::decode(&frame);
    let mut told = Told::of_client(peer.identity.domain, peer.fingerprint, peer.address);
    match decoded {
        Ok(message) => {
            let len = frame.len();
            drop(frame);
            told.version = format!("version {}", message.header.version);
            told.correlate(message.header.client_correlation_value.as_deref());
            answer_message(node, peer, message, len, told).await
        }
        Err(error) => {
            let version = spoken_or_newest(kmip::message::peek_version(&frame));
            let failure = match error.kind {
                // The header names it, so it could be read.
                DecodeErrorKind::UnsupportedVersion(asked) => Failure::Version(asked),
                _ => Failure::Malformed(error),
            };
            refuse(node, told, version, failure).await
        }
    }
}

/// An answer with one item that fails as a whole message failed: no Operation, a reason. KMIP 1.4 §11.1.
pub async fn refuse(node: &Node, told: Told, version: ProtocolVersion, failure: Failure) -> Zeroizing<Vec<u8>> {
    let (answer, record) = failed_item(node, &told, version, None, None, failure);
    if let Err(error) = node.record(record).await {
        return unrecorded(&error);
    }
    ResponseMessage::new(version, DateTime(node.clock.now_s()), vec![answer]).encode()
}

/// No answer leaves without its record, a refusal no more than a key.
pub(crate) fn unrecorded(error: &StoreError) -> Zeroizing<Vec<u8>> {
    tracing::error!(%error, "an answer could not be recorded, so there is none");
    Zeroizing::default()
}

/// The version to answer in: the client's if it is spoken here, else the newest of its major version. Who speaks an
/// unknown one understands at least that, and who says none is rather old than new.
#[must_use]
pub fn spoken_or_newest(version: Option<ProtocolVersion>) -> ProtocolVersion {
    match version {
        Some(version) if operation::VERSIONS.contains(&version) => version,
        Some(version) if version.major >= 2 => operation::VERSIONS[0],
        _ => ProtocolVersion::V1_4,
    }
}

async fn answer_message(
    node: &Node,
    peer: &Peer,
    message: RequestMessage,
    len: usize,
    mut told: Told,
) -> Zeroizing<Vec<u8>> {
    let version = message.header.version;
    if !operation::VERSIONS.contains(&version) {
        return refuse(node, told, spoken_or_newest(Some(version)), Failure::Version(version)).await;
    }
    if message.items.len() > node.limits.batch_items {
        return refuse(node, told, version, Failure::OverLimit("more batch items than the server takes")).await;
    }
    if let Some(what) = option_not_offered(node, &message) {
        return refuse_every_item(node, &told, &message, || Failure::UnsupportedFeature(what)).await;
    }
    let Admitted { domain, login, permits } = match admit(node, peer, &message, &mut told).await {
        Ok(admitted) => admitted,
        Err(failure) => return refuse_every_item(node, &told, &message, || again(&failure)).await,
    };
    let budget = response_budget(node, &message);
    let work = Box::new(Work { client: peer.fingerprint, login, domain, told, message, permits });
    match later::put_off(node, work, len).await {
        PutOff::Answered(answer) => answer,
        PutOff::AtOnce(work) => work_out(node, &work, budget).await,
    }
}

/// The option of the header that the node does not offer: then nothing of the message is done. KMIP 1.4 §6.13.
fn option_not_offered(node: &Node, message: &RequestMessage) -> Option<&'static str> {
    match message.header.batch_error_continuation {
        Some(Continuation::Undo) if !node.offer.batch_undo => Some("Batch Error Continuation Option Undo"),
        Some(Continuation::Continue) if !node.offer.batch_continue => Some("Batch Error Continuation Option Continue"),
        _ => None,
    }
}

/// The same failure once more, for the next item.
fn again(failure: &Failure) -> Failure {
    match failure {
        Failure::Authentication(why) => Failure::Authentication(why),
        Failure::CredentialType(why) => Failure::CredentialType(why),
        Failure::Contradiction(why) => Failure::Contradiction(why),
        Failure::DomainInactive => Failure::DomainInactive,
        Failure::Busy => Failure::Busy,
        _ => Failure::Internal("admission"),
    }
}

/// Works a message out until its changes and records are durable, and gives its answer.
pub(crate) async fn work_out(node: &Node, work: &Work, budget: usize) -> Zeroizing<Vec<u8>> {
    let answer = rounds(node, work, budget).await;
    node.jobs.unclaim(work.told.request_id);
    answer
}

async fn rounds(node: &Node, work: &Work, budget: usize) -> Zeroizing<Vec<u8>> {
    let Work { client, login, domain, told, message, permits } = work;
    let mut streams = Hand::default();
    for round in 1.. {
        // In each round what is now there, the domain's own row too.
        let Some(domain) = active(node, *domain) else {
            return refuse_every_item(node, told, message, || Failure::DomainInactive).await;
        };
        let mut scope = Scope::new(node, domain, message.header.version, *client, told.clone(), Actor::Client);
        scope.login = login.clone();
        scope.draft.streams = streams.again();
        let answered = items::run(&mut scope, message, permits, budget).await;
        streams = std::mem::take(&mut scope.draft.streams);
        let (unit, effects) = std::mem::take(&mut scope.draft).into_parts();
        match node.store.commit(unit).await {
            Ok(_) => {
                node.streams.put_back(streams, scope.now_s);
                effect::carry_out(node, effects);
                return answered;
            }
            Err(StoreError::Conflict | StoreError::NameTaken) if round < MAX_ROUNDS => {
                tracing::debug!(round, "a row changed meanwhile; working the message out again");
            }
            Err(error) => {
                tracing::error!(%error, "nothing of the message was committed");
                let busy = matches!(error, StoreError::Full | StoreError::Conflict | StoreError::NameTaken);
                let failure = || if busy { Failure::Busy } else { Failure::Internal("nothing was committed") };
                return refuse_every_item(node, told, message, failure).await;
            }
        }
    }
    refuse_every_item(node, told, message, || Failure::Busy).await
}

/// The domain, if its requests are served now.
pub(crate) fn active(node: &Node, domain: DomainId) -> Option<Arc<Domain>> {
    node.directory.domain(&domain).filter(|domain| domain.is_active())
}

/// What an admitted message may do.
struct Admitted {
    /// The client's domain.
    domain: DomainId,
    /// Whom it speaks for.
    login: Login,
    /// What its ticket lets each item do.
    permits: Vec<Permit>,
}

/// The client's domain, its login, and what its ticket lets each item do, if identity, credentials and domain are in
/// order *now*: freezing or revoking acts on the next message of an open connection.
async fn admit(node: &Node, peer: &Peer, message: &RequestMessage, told: &mut Told) -> Result<Admitted, Failure> {
    let registered =
        || node.directory.identity(&peer.fingerprint).ok_or(Failure::Authentication("identity was revoked"));
    let credentials = &message.header.authentication;
    let name = node.credentials.check(&*registered()?, credentials, node.clock.now_s()).await?;
    // Checking a password takes a while, in which the identity may have been revoked.
    let identity = registered()?;
    let domain = active(node, identity.domain).ok_or(Failure::DomainInactive)?.row.id;
    let has_ticket = credentials.iter().any(|one| matches!(one, Credential::Ticket(_)));
    let login = Login::of(&identity, name.as_deref(), has_ticket)?;
    if let Some(name) = login.name() {
        told.version.push_str(&format!(", as {}", bounded_text(&name.replace(": ", ":"), MAX_TOLD_LOGIN_LEN)));
    }
    let mut tickets = credentials.iter().filter_map(|credential| match credential {
        Credential::Ticket(shown) => Some(&shown.ticket),
        _ => None,
    });
    let permits = match (tickets.next(), tickets.next()) {
        (None, _) => vec![Permit::Full; message.items.len()],
        (Some(_), Some(_)) => return Err(Failure::Contradiction("more than one ticket")),
        (Some(ticket), None) => {
            let id = tickets::id_of(ticket.ticket_value.expose());
            // Enough of it to tell one from another, and of no use to anybody else.
            told.version.push_str(&format!(", ticket {}", hex::encode(&id[..4])));
            let operations: Vec<_> = message.items.iter().map(|item| item.operation.ok()).collect();
            let is_registered = |giver: &Fingerprint| node.directory.identity(giver).is_some();
            node.tickets.show(&id, domain, peer.fingerprint, &operations, node.clock.now_s(), is_registered)?
        }
    };
    Ok(Admitted { domain, login, permits })
}

/// Carries out one request that came another way than in a KMIP message, by the same rules and with its record. Gives
/// the object as it is afterwards; after a dry run, as it would be.
///
/// # Errors
/// Why it failed; the failure is recorded.
pub async fn perform(
    node: &Node,
    domain: &Arc<Domain>,
    fingerprint: Fingerprint,
    told: Told,
    actor: Actor,
    request: &RequestPayload,
    dry_run: bool,
) -> Result<Option<ObjectRow>, Failure> {
    // Administrators read the words of the version that most clients speak.
    let version = ProtocolVersion::V1_4;
    for _ in 0..MAX_ROUNDS {
        let mut scope = Scope::new(node, domain.clone(), version, fingerprint, told.clone(), actor);
        scope.operation = request.operation();
        let name = request.operation().text();
        let result = operation::run(&mut scope, request).await;
        let changed = scope.object.and_then(|id| scope.draft.row(&id).cloned());
        match &result {
            Ok(_) if dry_run => {
                let mut record = scope.told.success(node, name, scope.object);
                record.detail = Some("dry run: nothing changed".to_owned());
                scope.draft.drop_item(record);
            }
            Ok(_) => {
                let told = &scope.told;
                scope.draft.keep_item(scope.object, |object, changes| told.change(node, name, object, changes));
            }
            Err(failure) => {
                let reason = failure.answer(version).reason.text();
                let asked = request.unique_identifier();
                scope.draft.drop_item(scope.told.failure(node, name, asked, failure, reason));
            }
        }
        match node.store.commit(std::mem::take(&mut scope.draft).into_unit()).await {
            Ok(_) => return result.map(|_| changed),
            Err(StoreError::Conflict | StoreError::NameTaken) => {}
            // Nothing can be recorded, and nothing was done.
            Err(error) => return Err(error.into()),
        }
    }
    let reason = Failure::Busy.answer(version).reason.text();
    let record = told.failure(node, request.operation().text(), request.unique_identifier(), &Failure::Busy, reason);
    node.record(record).await?;
    Err(Failure::Busy)
}

pub(crate) fn answer_to(item: &RequestItem, outcome: Outcome) -> ResponseItem {
    ResponseItem { operation: item.operation_code(), unique_batch_item_id: item.unique_batch_item_id.clone(), outcome }
}

/// The object that an item names, for the audit log.
fn named(item: &RequestItem) -> Option<&str> {
    match &item.payload {
        ItemPayload::Typed(payload) => payload.unique_identifier(),
        _ => None,
    }
}

pub(crate) fn operation_name(item: &RequestItem) -> &'static str {
    item.operation.map_or("unknown operation", Operation::text)
}

/// The largest answer allowed: what the client said, but never more than the node's own limit.
pub(crate) fn response_budget(node: &Node, message: &RequestMessage) -> usize {
    // Who asks for less than nothing gets as little as there is.
    let asked = message.header.maximum_response_size.map(|size| usize::try_from(size).unwrap_or(0));
    asked.unwrap_or(usize::MAX).min(node.limits.response_bytes)
}

/// The header of an answer. The client's correlation value stays out of it: it is for the log, and in an answer it would
/// be that of a client who is asked. KMIP 1.4 §6.18, 2.1 §9.9.
pub(crate) fn header(node: &Node, version: ProtocolVersion) -> ResponseHeader {
    ResponseHeader::new(version, DateTime(node.clock.now_s()))
}

/// The answer to an item that failed, and the record of it. `item` is absent where the message could not be read.
pub(crate) fn failed_item(
    node: &Node,
    told: &Told,
    version: ProtocolVersion,
    item: Option<&RequestItem>,
    object: Option<ObjectId>,
    failure: Failure,
) -> (ResponseItem, audit::Record) {
    let answer = failure.answer(version);
    if failure.is_ours() {
        tracing::error!(error = &failure as &dyn std::error::Error, "request failed by our fault");
    }
    let object = object.map(identifier_text);
    let asked = item.and_then(named).or(object.as_deref());
    let record = told.failure(node, item.map_or(UNREADABLE, operation_name), asked, &failure, answer.reason.text());
    let message = answer.message.into_owned();
    let outcome = match failure {
        Failure::CheckRefused(payload) if !version.is_2_x() => {
            Outcome::CheckFailed { reason: answer.reason, message, payload }
        }
        _ => Outcome::Failure { status: ResultStatus::OperationFailed, reason: answer.reason, message },
    };
    let response = match item {
        Some(item) => answer_to(item, outcome),
        None => ResponseItem { operation: None, unique_batch_item_id: None, outcome },
    };
    (response, record)
}

/// The answer when nothing of a message is done: with Stop the first failure ends the batch, with Continue each item
/// has its own.
pub(crate) async fn refuse_every_item(
    node: &Node,
    told: &Told,
    message: &RequestMessage,
    mut failure: impl FnMut() -> Failure,
) -> Zeroizing<Vec<u8>> {
    let version = message.header.version;
    let option = message.header.batch_error_continuation.unwrap_or(Continuation::Stop);
    let header = header(node, version);
    let mut draft = Draft::default();
    let answer = if let Some(mut room) = Room::for_answers(&header, message, option, response_budget(node, message)) {
        let told_of = if option == Continuation::Continue { message.items.len() } else { 1 };
        let mut answers = Vec::with_capacity(told_of);
        for item in message.items.iter().take(told_of) {
            let (answer, record) = failed_item(node, told, version, Some(item), None, failure());
            draft.drop_item(record);
            answers.push(room.take_failure(answer, version));
        }
        ResponseMessage::assemble(&header, &answers)
    } else {
        let (answer, record) = failed_item(node, told, version, None, None, failure());
        draft.drop_item(record);
        room::smallest_answer(header, answer)
    };
    if let Err(error) = node.store.commit(draft.into_unit()).await {
        return unrecorded(&error);
    }
    answer
}
