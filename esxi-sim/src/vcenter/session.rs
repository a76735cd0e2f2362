//! One short TLS connection with one server: KMIP 1.1, Discover Versions first, items marked as vCenter marks them.

use std::sync::Arc;

use kmip::ProtocolVersion;
use kmip::message::{Credential as WireCredential, ItemPayload, Outcome, RequestHeader, RequestItem, RequestMessage};
use kmip::payload::{DiscoverVersionsRequest, DiscoverVersionsResponse, RequestPayload, ResponsePayload, Verb};
use kmip::registry::{ResultReason, ResultStatus};
use kmip_client::{Client, Error};
use secret::Secret;

use super::counters::Counters;
use super::provider::{Credential, Server, Tls};

/// vCenter stays at 1.1, whatever the server offers.
const VERSION: ProtocolVersion = ProtocolVersion::V1_1;

/// What every mark of a batch item begins with; a number from 1, four bytes little endian, follows.
const MARK: &[u8; 4] = b"QLKC";

/// An open connection on which the first Discover Versions has been answered.
pub(super) struct Session<'a> {
    client: Client,
    counters: &'a Counters,
    credential: Option<&'a Credential>,
}

impl<'a> Session<'a> {
    /// Connects, and asks for the versions as the first message of every connection does: without a mark.
    pub(super) async fn open(server: &Server, tls: &Tls, counters: &'a Counters) -> Result<Self, Error> {
        let client = connect(server, tls, counters).await?;
        let mut session = Self { client, counters, credential: None };
        let items = vec![RequestItem::new(DiscoverVersionsRequest::default())];
        let versions = session.exchange(items, false).await?;
        let versions: DiscoverVersionsResponse = only(versions)?;
        if !versions.protocol_versions.contains(&VERSION) {
            return Err(Error::Mismatch("the server does not speak KMIP 1.1"));
        }
        Ok(session)
    }

    /// From now on, [`Session::ask_as_user`] sends this credential.
    pub(super) fn with_credential(mut self, credential: Option<&'a Credential>) -> Self {
        self.credential = credential;
        self
    }

    /// Asks for one operation.
    pub(super) async fn ask<V: Verb>(&mut self, payload: V) -> Result<V::Response, Error> {
        only(self.exchange(marked([payload.into()]), false).await?)
    }

    /// Asks for one operation, with the provider's credential if it has one.
    pub(super) async fn ask_as_user<V: Verb>(&mut self, payload: V) -> Result<V::Response, Error> {
        only(self.exchange(marked([payload.into()]), true).await?)
    }

    /// Asks for several operations in one message; all have to succeed.
    pub(super) async fn ask_all(&mut self, payloads: impl IntoIterator<Item = RequestPayload>) -> Result<(), Error> {
        self.exchange(marked(payloads), false).await.map(drop)
    }

    /// Ends the connection. How it ends is nobody's concern: all answers are here.
    pub(super) async fn close(self) {
        let _ = self.client.close().await;
    }

    async fn exchange(&mut self, items: Vec<RequestItem>, as_user: bool) -> Result<Vec<ResponsePayload>, Error> {
        let mut header = RequestHeader::new(VERSION, i32::try_from(items.len()).unwrap_or(i32::MAX));
        if let Some(credential) = self.credential.filter(|_| as_user) {
            header.authentication = vec![WireCredential::UsernameAndPassword {
                username: credential.username.clone(),
                password: Some(Secret::copy_from(credential.password.expose())),
            }];
        }
        self.counters.count("kmip.messages");
        for item in &items {
            self.counters.count(counter_of(&item.payload));
        }
        let asked: Vec<_> =
            items.iter().map(|item| (item.operation_code(), item.unique_batch_item_id.clone())).collect();
        let answer = self.client.call(RequestMessage { header, items }).await?;
        let mut answers = answer.items.into_iter();
        let mut payloads = Vec::with_capacity(asked.len());
        for (operation, mark) in asked {
            // After a failure the server stops, and answers for the rest are missing; the failure came first.
            let item = answers.next().ok_or(Error::Mismatch("fewer answers than operations"))?;
            let payload = into_result(item.outcome)?;
            if item.operation != operation || item.unique_batch_item_id != mark {
                return Err(Error::Mismatch("another operation or mark"));
            }
            payloads.push(payload);
        }
        match answers.next() {
            None => Ok(payloads),
            Some(_) => Err(Error::Mismatch("more answers than operations")),
        }
    }
}

/// A TLS connection on which nothing is sent.
pub(super) async fn connect(server: &Server, tls: &Tls, counters: &Counters) -> Result<Client, Error> {
    let connected =
        Client::connect_with(&server.address[..], server.tls_name(), Arc::clone(&tls.config), tls.limits).await;
    counters.count(if connected.is_ok() { "tls.connections" } else { "tls.failures" });
    connected
}

fn marked(payloads: impl IntoIterator<Item = RequestPayload>) -> Vec<RequestItem> {
    let marks = (1_u32..).map(|number| [&MARK[..], &number.to_le_bytes()].concat());
    let items = payloads.into_iter().zip(marks);
    items.map(|(payload, mark)| RequestItem { unique_batch_item_id: Some(mark), ..RequestItem::new(payload) }).collect()
}

fn only<T: TryFrom<ResponsePayload>>(payloads: Vec<ResponsePayload>) -> Result<T, Error> {
    let [payload] =
        <[ResponsePayload; 1]>::try_from(payloads).map_err(|_| Error::Mismatch("not exactly one answer"))?;
    T::try_from(payload).map_err(|_| Error::Mismatch("another operation"))
}

fn into_result(outcome: Outcome) -> Result<ResponsePayload, Error> {
    let failed = |status, reason, message| Err(Error::Failed { status, reason, message });
    match outcome {
        Outcome::Success(payload) => Ok(payload),
        Outcome::Failure { status, reason, message } => failed(status, reason, message),
        Outcome::CheckFailed { reason, message, .. } => failed(ResultStatus::OperationFailed, reason, message),
        Outcome::Undone(_) => failed(ResultStatus::OperationUndone, ResultReason::GeneralFailure, String::new()),
        Outcome::Pending { .. } => failed(ResultStatus::OperationPending, ResultReason::GeneralFailure, String::new()),
    }
}

const fn counter_of(payload: &ItemPayload) -> &'static str {
    match payload {
        ItemPayload::Typed(RequestPayload::DiscoverVersions(_)) => "kmip.discover-versions",
        ItemPayload::Typed(RequestPayload::Query(_)) => "kmip.query",
        ItemPayload::Typed(RequestPayload::Create(_)) => "kmip.create",
        ItemPayload::Typed(RequestPayload::Get(_)) => "kmip.get",
        ItemPayload::Typed(RequestPayload::GetAttributes(_)) => "kmip.get-attributes",
        ItemPayload::Typed(RequestPayload::AddAttribute(_)) => "kmip.add-attribute",
        ItemPayload::Typed(RequestPayload::Activate(_)) => "kmip.activate",
        _ => "kmip.other",
    }
}
