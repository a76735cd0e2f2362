//! KMIP messages in HTTP bodies: `POST /kmip` with TTLV, XML or JSON (KMIP Profiles 2.1, HTTPS, XML and JSON).
//!
//! A document becomes TTLV before anything else looks at it, and the answer becomes a document again on its way out,
//! so that there is one path through the node for all encodings.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use kmip::encoding::{Encoding, EncodingErrorKind};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::shell::connection::Kmip;
use crate::shell::http::{self, Requests};
use crate::shell::peer::Peer;
use crate::shell::service::FrameFault;
use crate::shell::shutdown::Stopping;

/// The one path.
const PATH: &str = "/kmip";

/// Beginnings of HTTP requests, as many bytes as a TTLV header has. No TTLV message begins with any of them.
const METHODS: [&[u8]; 7] = [b"POST ", b"GET ", b"HEAD ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PATCH "];

/// Whether `start`, the first bytes of a connection, begin an HTTP request.
#[must_use]
pub fn is_http(start: &[u8]) -> bool {
    METHODS.iter().any(|method| start.starts_with(method))
}

/// Answers HTTP requests on `stream` until either side has had enough.
pub(super) async fn converse<S>(kmip: &Arc<Kmip>, stream: S, peer: &Peer, stopping: &mut Stopping)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(|request| -> Answering {
        let (kmip, peer) = (Arc::clone(kmip), peer.clone());
        Box::pin(async move { Ok(answer(&kmip, &peer, request).await) })
    });
    if let Err(error) = http::converse(stream, service, Requests::Many, kmip.limits(), stopping).await {
        tracing::debug!(connection = peer.connection, %error, "an HTTP connection ended early");
    }
}

type Answer = Response<Full<Bytes>>;
type Answering = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

async fn answer(kmip: &Kmip, peer: &Peer, request: Request<Incoming>) -> Answer {
    if kmip.expired(peer) {
        return refusal(StatusCode::FORBIDDEN);
    }
    let encoding = match wanted(&request) {
        Ok(encoding) => encoding,
        Err(status) => {
            // The answer has nowhere to go; what counts is its record.
            let _recorded = kmip.refuse(peer, FrameFault::NotARequest, &[]).await;
            return refusal(status);
        }
    };
    let document = match timeout(kmip.limits().body_deadline, read(kmip, request.into_body())).await {
        Ok(Ok(document)) => document,
        Ok(Err(Unread::Broken)) => return refusal(StatusCode::BAD_REQUEST),
        Ok(Err(Unread::TooLong(announced))) => {
            let answer = kmip.refuse(peer, FrameFault::TooLong { announced }, &[]).await;
            return respond(StatusCode::PAYLOAD_TOO_LARGE, encoding, &answer);
        }
        Err(_) => {
            let answer = kmip.refuse(peer, FrameFault::Late, &[]).await;
            return respond(StatusCode::REQUEST_TIMEOUT, encoding, &answer);
        }
    };
    // An answer in KMIP is an answer: that it tells of an error is no matter of HTTP.
    let answer = match encoding.to_ttlv(&document) {
        Ok(message) if message.len() > kmip.limits().request_bytes => {
            let announced = message.len() as u64;
            kmip.refuse(peer, FrameFault::TooLong { announced }, &message).await
        }
        Ok(message) => {
            drop(document);
            kmip.answer(peer, message).await
        }
        Err(error) => {
            tracing::info!(connection = peer.connection, identity = peer.identity.name, %error, "no message");
            kmip.refuse(peer, FrameFault::NotARequest, &[]).await
        }
    };
    respond(StatusCode::OK, encoding, &answer)
}

/// The encoding of a request that asks for what there is.
fn wanted(request: &Request<Incoming>) -> Result<Encoding, StatusCode> {
    if request.uri().path() != PATH {
        return Err(StatusCode::NOT_FOUND);
    }
    if request.method() != Method::POST {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.and_then(Encoding::from_content_type).ok_or(StatusCode::UNSUPPORTED_MEDIA_TYPE)
}

/// Why there is no document.
enum Unread {
    /// It is longer than a request may be; so many bytes are known of.
    TooLong(u64),
    /// The peer went away or does not speak HTTP.
    Broken,
}

/// A body within the limit, in a buffer that is wiped: documents hold keys, too.
async fn read(kmip: &Kmip, mut body: Incoming) -> Result<Zeroizing<Vec<u8>>, Unread> {
    let most = kmip.limits().document_bytes;
    let mut document = Zeroizing::new(Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        let length = document.len().saturating_add(data.len());
        if length > most {
            return Err(Unread::TooLong(length as u64));
        }
        if document.capacity() < length {
            // Growing in place would leave copies behind that nobody wipes.
            let mut larger = Zeroizing::new(Vec::with_capacity(length.saturating_mul(2).min(most)));
            larger.extend_from_slice(&document);
            document = larger;
        }
        document.extend_from_slice(&data);
    }
    Ok(document)
}

/// `answer`, a TTLV message, as a document. An empty one could not be recorded: then there is no answer.
fn respond(status: StatusCode, encoding: Encoding, answer: &[u8]) -> Answer {
    if answer.is_empty() {
        return refusal(StatusCode::SERVICE_UNAVAILABLE);
    }
    match encoding.from_ttlv(answer) {
        Ok(document) => {
            let mut response = plain(status, Bytes::from_owner(Wiped(document)));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(encoding.content_type()));
            response
        }
        // A text that a client gave in another encoding: no fault of anybody, and the object is there for the others.
        Err(error) if matches!(error.kind, EncodingErrorKind::NotXml { .. }) => {
            tracing::info!(%error, "an answer cannot be written in XML");
            refusal(StatusCode::NOT_ACCEPTABLE)
        }
        Err(error) => {
            tracing::error!(%error, "an answer cannot be written in the encoding of its request");
            refusal(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// An answer that says nothing but its status.
fn refusal(status: StatusCode) -> Answer {
    let mut response = plain(status, Bytes::new());
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

fn plain(status: StatusCode, body: Bytes) -> Answer {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A document on its way out, wiped when the last byte is written.
struct Wiped(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttlv_message_is_not_taken_for_http() {
        assert!(is_http(b"POST /km"));
        assert!(is_http(b"OPTIONS "));
        assert!(!is_http(&[0x42, 0x00, 0x78, 0x01, 0, 0, 0, 8]));
        assert!(!is_http(b"POSTMAN "));
        assert!(!is_http(b""));
    }
}
