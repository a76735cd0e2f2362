//! HTTP/1.1 over one authenticated connection: limits, deadlines and a parting that no reset overtakes.

use std::future::poll_fn;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::HttpService;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::limits::Limits;
use crate::shell::shutdown::Stopping;
use crate::shell::watched::Watched;

/// Header lines of a request; a browser sends a third.
const MAX_HEADERS: usize = 64;

/// Bytes of a request's head.
const MAX_HEAD_LEN: usize = 16 << 10;

/// How many requests one connection carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requests {
    /// One: the handshake asks who is registered and whose certificate is valid *now*.
    One,
    /// Any number, one after the other; whoever answers asks again for each.
    Many,
}

/// Answers the requests on `stream` by `service`, until either side has had enough.
///
/// # Errors
/// What ended the conversation early; the stream is closed in either case.
pub async fn converse<S, H, B>(
    stream: S,
    service: H,
    requests: Requests,
    limits: &Limits,
    stopping: &mut Stopping,
) -> Result<(), hyper::Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: HttpService<Incoming, ResBody = B> + Unpin,
    H::Future: Unpin,
    H::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Counts from the end of the answer before: an idle connection is closed by it, too.
        .header_read_timeout(limits.header_deadline)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_LEN)
        .keep_alive(requests == Requests::Many)
        .serve_connection(TokioIo::new(Watched::new(stream, limits.write_deadline)), service);
    let ended = tokio::select! {
        ended = poll_fn(|context| connection.poll_without_shutdown(context)) => ended,
        () = stopping.wait() => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|context| connection.poll_without_shutdown(context)).await
        }
    };
    part(connection.into_parts().io.into_inner(), limits).await;
    ended
}

/// Closes this side and reads until the peer has closed the other. Closing with unread bytes, such as the rest of a
/// body that nobody wanted, would reset the connection, and a reset may overtake the answer.
async fn part<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, limits: &Limits) {
    let farewell = async {
        stream.shutdown().await?;
        let mut unread = [0; 4096];
        while stream.read(&mut unread).await? > 0 {}
        Ok::<(), std::io::Error>(())
    };
    // Whatever happens here, the conversation is over.
    let _over = tokio::time::timeout(limits.linger_deadline, farewell).await;
}
