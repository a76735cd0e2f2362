//! One request over one connection, by HTTP/1.1.
//!
//! One, because the handshake asks who is registered and whose certificate is valid *now*.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tower_service::Service as _;

use super::backend::Caller;
use super::watched::Watched;
use crate::limits::Limits;
use crate::shell::listener::Conversation;
use crate::shell::peer::Peer;
use crate::shell::shutdown::Stopping;

/// Header lines of a request; a browser sends a third.
const MAX_HEADERS: usize = 64;

/// Bytes of a request's head.
const MAX_HEAD_LEN: usize = 16 << 10;

type Answering = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// Speaks HTTP for the router.
pub(super) struct Https {
    pub(super) router: Router,
    pub(super) limits: Arc<Limits>,
}

impl Conversation for Https {
    fn hold(
        self: Arc<Self>,
        stream: TlsStream<TcpStream>,
        peer: Peer,
        stopping: Stopping,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move { self.converse(stream, &peer, stopping).await })
    }
}

impl Https {
    async fn converse(&self, stream: TlsStream<TcpStream>, peer: &Peer, mut stopping: Stopping) {
        let (fingerprint, address) = (peer.fingerprint, peer.address);
        let service = service_fn(|mut request: Request<Incoming>| -> Answering {
            let caller = Caller { fingerprint, address, request: uuid::Uuid::now_v7().into_bytes() };
            request.extensions_mut().insert(caller);
            Box::pin(self.router.clone().call(request))
        });
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_deadline)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD_LEN)
            .keep_alive(false)
            .serve_connection(TokioIo::new(Watched::new(stream, self.limits.write_deadline)), service);
        let ended = tokio::select! {
            ended = poll_fn(|context| connection.poll_without_shutdown(context)) => ended,
            () = stopping.wait() => {
                Pin::new(&mut connection).graceful_shutdown();
                poll_fn(|context| connection.poll_without_shutdown(context)).await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(connection = peer.connection, %error, "an admin connection ended early");
        }
        part(connection.into_parts().io.into_inner(), self.limits.linger_deadline).await;
    }
}

/// Closes this side and reads until the peer has closed the other. Closing with unread bytes, such as the rest of a
/// body that nobody wanted, would reset the connection, and a reset may overtake the answer.
async fn part<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, deadline: Duration) {
    let farewell = async {
        stream.shutdown().await?;
        let mut unread = [0; 4096];
        while stream.read(&mut unread).await? > 0 {}
        Ok::<(), std::io::Error>(())
    };
    // Whatever happens here, the conversation is over.
    let _over = tokio::time::timeout(deadline, farewell).await;
}
