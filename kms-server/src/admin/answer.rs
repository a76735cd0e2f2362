//! Turns results into HTTP answers: JSON, a refusal, or an export that is made while it is sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use admin_api::{ErrorBody, ErrorCode, ErrorDetail};
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use serde::Serialize;
use zeroize::Zeroizing;

use super::backend::{Export, Refusal};

/// Room for an answer that may hold a private key, so that growing leaves no copy of it behind; a certificate chain
/// and a key need a quarter.
const FIRST_BUFFER: usize = 16 << 10;

/// A success with a JSON body.
pub(super) struct Json<T>(pub(super) StatusCode, pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut body = Zeroizing::new(Vec::with_capacity(FIRST_BUFFER));
        match serde_json::to_writer(&mut *body, &self.1) {
            Ok(()) => with_body(self.0, "application/json", Body::from(Bytes::from_owner(body))),
            Err(error) => {
                tracing::error!(%error, "an answer cannot be written as JSON");
                Refusal::internal().into_response()
            }
        }
    }
}

/// A success whose body is bytes.
pub(super) struct Octets(pub(super) Vec<u8>);

impl IntoResponse for Octets {
    fn into_response(self) -> Response {
        with_body(StatusCode::OK, "application/octet-stream", Body::from(self.0))
    }
}

/// A success whose body is text.
pub(super) struct Text(pub(super) Vec<u8>);

impl IntoResponse for Text {
    fn into_response(self) -> Response {
        with_body(StatusCode::OK, "text/plain; charset=utf-8", Body::from(self.0))
    }
}

/// In the extensions of a refusal's answer.
#[derive(Clone, Copy)]
pub(super) struct Refused {
    pub(super) code: ErrorCode,
    /// Whether it is on record.
    pub(super) told: bool,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = ErrorBody { error: ErrorDetail { code: self.code, message: self.message } };
        // A structure of an enumeration and a string always has a JSON form.
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = with_body(status, "application/json", Body::from(json));
        response.extensions_mut().insert(Refused { code: self.code, told: self.told });
        if self.code == ErrorCode::Unavailable {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl IntoResponse for Export {
    fn into_response(self) -> Response {
        with_body(StatusCode::OK, self.content_type, Body::new(ExportBody { export: self, ended: false }))
    }
}

fn with_body(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    // An answer may hold a private key or a customer's log; nothing on the way may keep it.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

struct ExportBody {
    export: Export,
    ended: bool,
}

impl hyper::body::Body for ExportBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        this.export.chunks.poll_recv(context).map(|chunk| match chunk {
            Some(chunk) if chunk.is_empty() => {
                this.ended = true;
                None
            }
            Some(chunk) => Some(Ok(Frame::data(chunk))),
            // Without the last chunk of the transfer coding the peer knows that something is missing.
            None => {
                this.ended = true;
                Some(Err(io::Error::other("the export broke off")))
            }
        })
    }
}
