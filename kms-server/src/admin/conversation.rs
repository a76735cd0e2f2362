//! One request over one connection, by HTTP/1.1.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use admin_api::ErrorCode;
use axum::Router;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tower_service::Service as _;

use super::backend::Caller;
use super::routes::App;
use crate::limits::Limits;
use crate::shell::http::{self, Requests};
use crate::shell::listener::Conversation;
use crate::shell::peer::Peer;
use crate::shell::shutdown::Stopping;

type Answering = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// Speaks HTTP for the router.
pub(super) struct Https {
    pub(super) router: Router,
    pub(super) app: App,
    pub(super) limits: Arc<Limits>,
}

impl Conversation for Https {
    fn hold(
        self: Arc<Self>,
        stream: TlsStream<TcpStream>,
        peer: Peer,
        mut stopping: Stopping,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let (fingerprint, address) = (peer.fingerprint, peer.address);
            let service = service_fn(|mut request: Request<Incoming>| -> Answering {
                let caller = Caller { fingerprint, address, request: uuid::Uuid::now_v7().into_bytes() };
                request.extensions_mut().insert(caller);
                Box::pin(self.router.clone().call(request))
            });
            if let Err(error) = http::converse(stream, service, Requests::One, &self.limits, &mut stopping).await {
                tracing::debug!(connection = peer.connection, %error, "an admin connection ended early");
                // What is no HTTP never came to the router.
                if error.is_parse() {
                    let caller = Caller { fingerprint, address, request: uuid::Uuid::now_v7().into_bytes() };
                    let asked = "a request that cannot be read".to_owned();
                    if let Err(refusal) = self.app.note_refusal(caller, asked, ErrorCode::BadRequest).await {
                        tracing::error!(%address, refusal = refusal.message, "a refusal could not be recorded");
                    }
                }
            }
        })
    }
}
