//! The way in from outside: HTTP and JSON on a loopback address, for the provisioning side, demonstrations and tests.
//!
//! | request | does |
//! |---|---|
//! | `GET /health` | says who the host is and how far it is prepared |
//! | `POST /providers`, `GET /providers` | registers a key provider and establishes trust; lists them |
//! | `POST /providers/{id}/trust` | establishes trust, once the key server knows the client certificate |
//! | `GET /providers/{id}/status` | does the health check now |
//! | `POST /vms`, `GET /vms`, `GET /vms/{id}` | registers a VM with its disk images; tells about them |
//! | `POST /vms/{id}/encrypt`, `…/unlock`, `…/rekey` | does that, and answers when it is done |
//! | `GET /vms/{id}/disks/{n}/read?offset=&len=` | bytes of the disk, decrypted |
//! | `POST /vms/{id}/disks/{n}/decrypted-copy` | the whole disk in clear in a new file; only if switched on |
//! | `GET /counters` | what was sent and done since the start |
//!
//! Errors are `{"error":{"code","message"}}`. There is no authentication: whoever reaches the port is the hypervisor's
//! operator. Therefore only loopback addresses are served, and only requests whose `Host` is one, so that a web page
//! cannot reach in through a browser.

mod error;
mod handler;

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use self::error::ApiError;
use crate::limits::{HEADER_DEADLINE, MAX_CONNECTIONS, MAX_REQUEST};
use crate::pair::Pair;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Context {
    pair: Arc<Pair>,
    decrypted_copies: bool,
}

/// The routes over `pair`. `decrypted_copies` switches on the one that writes disks in clear.
pub fn router(pair: Arc<Pair>, decrypted_copies: bool) -> Router {
    Router::new()
        .route("/health", get(handler::health))
        .route("/counters", get(handler::counters))
        .route("/providers", get(handler::providers).post(handler::register_provider))
        .route("/providers/{id}/status", get(handler::provider_status))
        .route("/providers/{id}/trust", post(handler::trust))
        .route("/vms", get(handler::vms).post(handler::register_vm))
        .route("/vms/{id}", get(handler::vm))
        .route("/vms/{id}/encrypt", post(handler::encrypt))
        .route("/vms/{id}/unlock", post(handler::unlock))
        .route("/vms/{id}/rekey", post(handler::rekey))
        .route("/vms/{id}/disks/{number}/read", get(handler::read))
        .route("/vms/{id}/disks/{number}/decrypted-copy", post(handler::decrypted_copy))
        .fallback(async || ApiError::not_found("no such path"))
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .layer(middleware::from_fn(only_from_here))
        .with_state(Context { pair, decrypted_copies })
}

/// Serves until `stop` is ready, then finishes what is under way.
///
/// # Errors
/// An address that is not loopback, and the listener's.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) -> io::Result<()> {
    if !listener.local_addr()?.ip().is_loopback() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the API is for loopback addresses only"));
    }
    let mut connections = JoinSet::new();
    let (stopping, stopped) = tokio::sync::watch::channel(());
    tokio::pin!(stop);
    loop {
        let stream = tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of descriptors, or the peer gone before we looked: neither ends the service.
                    tracing::warn!(%error, "accept");
                    tokio::task::yield_now().await;
                    continue;
                }
            },
        };
        let service = TowerToHyperService::new(router.clone());
        let mut stopped = stopped.clone();
        connections.spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_DEADLINE)
                .serve_connection(TokioIo::new(stream), service);
            tokio::pin!(connection);
            let served = tokio::select! {
                served = connection.as_mut() => served,
                _ = stopped.changed() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = served {
                tracing::debug!(%error, "connection");
            }
        });
    }
    drop(listener);
    drop(stopping);
    while connections.join_next().await.is_some() {}
    Ok(())
}

async fn only_from_here(headers: HeaderMap, request: Request, next: Next) -> Response {
    match headers.get(HOST).map(|host| host.to_str()) {
        Some(Ok(host)) if names_loopback(host) => next.run(request).await,
        _ => ApiError::forbidden("the Host of a request has to be a loopback address").into_response(),
    }
}

fn names_loopback(host: &str) -> bool {
    let name = match host.parse::<SocketAddr>() {
        Ok(address) => return address.ip().is_loopback(),
        Err(_) => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_here() {
        for here in ["127.0.0.1:8080", "127.0.0.1", "localhost", "localhost:80", "[::1]:80"] {
            assert!(names_loopback(here), "{here}");
        }
        for elsewhere in ["", "example.org", "localhost.example.org:80", "10.0.0.1:80", "127.0.0.1.example.org"] {
            assert!(!names_loopback(elsewhere), "{elsewhere}");
        }
    }
}
