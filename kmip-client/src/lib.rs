//! An async KMIP client over mutual TLS.
//!
//! ```no_run
//! # async fn example(identity: kmip_client::ClientIdentity, roots: rustls::RootCertStore) -> Result<(), kmip_client::Error> {
//! use kmip::ProtocolVersion;
//! use kmip::payload::GetRequest;
//! use kmip_client::Client;
//!
//! let mut client = Client::connect("127.0.0.1:5696", "localhost", identity, roots).await?;
//! let request = GetRequest::of("0198…");
//! let key = client.request(ProtocolVersion::V1_4, request).await?;
//! println!("{}", key.object_type);
//! client.close().await
//! # }
//! ```

mod connection;
mod error;
mod limits;
mod tls;

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use kmip::ProtocolVersion;
use kmip::message::{Outcome, RequestMessage, ResponseItem, ResponseMessage};
use kmip::payload::{RequestPayload, ResponsePayload, Verb};
use kmip::registry::{ResultReason, ResultStatus};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::ToSocketAddrs;
use zeroize::Zeroizing;

use connection::Connection;
pub use error::Error;
pub use limits::{CALL_DEADLINE, CONNECT_DEADLINE, Limits, MAX_RESPONSE_LEN};
pub use tls::{ClientIdentity, TlsVersions, roots_from_pem, tls_config, tls_config_for};

/// A connection to a KMIP server. One call at a time; for more, open more.
///
/// A call that fails in transport, or whose future is dropped, leaves the connection unusable ([`Error::Broken`]):
/// the next answer might be the old one's. A call that the server refuses does not.
pub struct Client {
    connection: Connection,
}

impl Client {
    /// Connects with the default [`Limits`], TLS 1.3 or 1.2. `server_name` is the name or address that the server's
    /// certificate has to have.
    ///
    /// # Errors
    /// [`Error::Transport`], [`Error::Deadline`], [`Error::Tls`].
    pub async fn connect(
        address: impl ToSocketAddrs,
        server_name: &str,
        identity: ClientIdentity,
        roots: RootCertStore,
    ) -> Result<Self, Error> {
        let tls = Arc::new(tls_config(identity, roots)?);
        Self::connect_with(address, server_name, tls, Limits::default()).await
    }

    /// Connects with a TLS configuration and limits of the caller's.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub async fn connect_with(
        address: impl ToSocketAddrs,
        server_name: &str,
        tls: Arc<ClientConfig>,
        limits: Limits,
    ) -> Result<Self, Error> {
        Ok(Self { connection: Connection::open(address, server_name, tls, limits).await? })
    }

    /// Sends bytes as they are and returns the message that comes back.
    ///
    /// # Errors
    /// [`Error::Transport`], [`Error::Deadline`], [`Error::TooLong`], [`Error::Broken`].
    pub async fn send_raw(&mut self, message: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.connection.exchange(message).await
    }

    /// Sends a request and returns the response, whatever it says.
    ///
    /// # Errors
    /// As [`Client::send_raw`], [`Error::Encode`], [`Error::Decode`].
    pub async fn call(&mut self, request: impl Borrow<RequestMessage>) -> Result<ResponseMessage, Error> {
        let bytes = request.borrow().encode()?;
        // Not held across the wait: a request may hold a key.
        drop(request);
        let answer = self.send_raw(&bytes).await?;
        Ok(ResponseMessage::decode(&answer)?)
    }

    /// Asks for one operation.
    ///
    /// # Errors
    /// As [`Client::call`], [`Error::Failed`] where the server refuses, [`Error::Mismatch`] for an answer to
    /// something else.
    pub async fn operation(
        &mut self,
        version: ProtocolVersion,
        payload: impl Into<RequestPayload>,
    ) -> Result<ResponsePayload, Error> {
        let request = RequestMessage::single(version, payload);
        let asked = request.items.first().and_then(|item| item.operation_code());
        let response = self.call(request).await?;
        let [item] = <[ResponseItem; 1]>::try_from(response.items)
            .map_err(|_| Error::Mismatch("one operation was asked for, another number of answers came"))?;
        // An answer to a message that could not be read names no operation.
        if item.operation != asked && item.operation.is_some() {
            return Err(Error::Mismatch("another operation"));
        }
        into_result(item.outcome)
    }

    /// Asks for one operation and returns its own response type.
    ///
    /// # Errors
    /// As [`Client::operation`].
    pub async fn request<V: Verb>(&mut self, version: ProtocolVersion, payload: V) -> Result<V::Response, Error> {
        let answer = self.operation(version, payload.into()).await?;
        V::Response::try_from(answer).map_err(|_| Error::Mismatch("another operation"))
    }

    /// Asks for several operations in one message, in order. There are as many results as the server began: after a
    /// failure the rest is missing, since the server stops there.
    ///
    /// # Errors
    /// As [`Client::call`], [`Error::Mismatch`] where an answer belongs to none of the operations. What a single
    /// operation failed with is inside.
    pub async fn batch(
        &mut self,
        version: ProtocolVersion,
        payloads: impl IntoIterator<Item = RequestPayload>,
    ) -> Result<Vec<Result<ResponsePayload, Error>>, Error> {
        let request = RequestMessage::batch(version, payloads);
        let marks: Vec<_> = request.items.iter().map(|item| item.unique_batch_item_id.clone()).collect();
        let response = self.call(request).await?;
        if response.items.len() > marks.len() {
            return Err(Error::Mismatch("more answers than operations"));
        }
        let mut results = Vec::with_capacity(response.items.len());
        for (item, mark) in response.items.into_iter().zip(marks) {
            // A message that could not be read is answered as a whole, without marks.
            if item.unique_batch_item_id != mark && item.operation.is_some() {
                return Err(Error::Mismatch("answers in another order"));
            }
            results.push(into_result(item.outcome));
        }
        Ok(results)
    }

    /// Ends the connection in order.
    ///
    /// # Errors
    /// [`Error::Transport`], [`Error::Deadline`].
    pub async fn close(self) -> Result<(), Error> {
        self.connection.close().await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

fn into_result(outcome: Outcome) -> Result<ResponsePayload, Error> {
    match outcome {
        Outcome::Success(payload) => Ok(payload),
        Outcome::Failure { status, reason, message } => Err(Error::Failed { status, reason, message }),
        Outcome::CheckFailed { reason, message, .. } => {
            Err(Error::Failed { status: ResultStatus::OperationFailed, reason, message })
        }
        Outcome::Undone(_) => Err(Error::Failed {
            status: ResultStatus::OperationUndone,
            reason: ResultReason::GeneralFailure,
            message: String::new(),
        }),
        Outcome::Pending { .. } => Err(Error::Failed {
            status: ResultStatus::OperationPending,
            reason: ResultReason::GeneralFailure,
            message: String::new(),
        }),
    }
}
