//! One client's conversation: messages in, answers out, in order, each answer in one write.
//!
//! Messages that a client sends ahead wait in the socket's buffers, which hold it back by themselves; nothing is read
//! before the answer to what came earlier is written.

use std::future::Future;
use std::io::Cursor;
use std::pin::Pin;
use std::sync::Arc;

use rustls::time_provider::TimeProvider;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use zeroize::Zeroizing;

use crate::limits::Limits;
use crate::shell::farewell;
use crate::shell::frame::{self, End, Incoming};
use crate::shell::https;
use crate::shell::listener::Conversation;
use crate::shell::peer::Peer;
use crate::shell::service::{FrameFault, KmipService};
use crate::shell::shutdown::Stopping;

/// KMIP over TLS.
pub struct Kmip {
    service: Arc<dyn KmipService>,
    limits: Limits,
    time: Arc<dyn TimeProvider>,
    /// One permit per request in work.
    work: Semaphore,
}

impl Kmip {
    /// Conversations with `service`, by the clock `time`.
    #[must_use]
    pub fn new(service: Arc<dyn KmipService>, limits: Limits, time: Arc<dyn TimeProvider>) -> Arc<Self> {
        let work = Semaphore::new(limits.requests_in_work.min(Semaphore::MAX_PERMITS));
        Arc::new(Self { service, limits, time, work })
    }

    /// The limits in force.
    pub(super) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Answers message after message until either side has had enough.
    async fn converse<S>(self: &Arc<Self>, stream: &mut S, peer: &Peer, stopping: &mut Stopping)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let mut first = true;
        loop {
            let (answer, last) = match frame::read(stream, &self.limits, stopping).await {
                Incoming::Message(message) => {
                    if self.expired(peer) {
                        tracing::info!(connection = peer.connection, "certificate expired; connection closed");
                        break;
                    }
                    (self.answer(peer, message).await, false)
                }
                Incoming::Fault { start, .. } if first && https::is_http(&start) => {
                    let (read, write) = tokio::io::split(stream);
                    let stream = tokio::io::join(Cursor::new(start.to_vec()).chain(read), write);
                    return https::converse(self, stream, peer, stopping).await;
                }
                Incoming::Fault { fault, start } => {
                    tracing::info!(connection = peer.connection, identity = peer.identity.name, %fault, "no message");
                    (self.refuse(peer, fault, &start).await, true)
                }
                Incoming::End(end) => {
                    tell(peer, &end);
                    break;
                }
            };
            // An empty answer is a wish to say nothing more.
            first = false;
            if answer.is_empty() || !self.send(stream, peer, &answer).await || last {
                break;
            }
        }
        farewell::part(stream, self.limits.linger_deadline).await;
    }

    /// Answers one message when its turn has come.
    pub(super) async fn answer(&self, peer: &Peer, message: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
        // The semaphore is never closed; without a permit there is no work and thus no answer.
        let Ok(_permit) = self.work.acquire().await else { return Zeroizing::default() };
        self.service.answer(peer, message).await
    }

    /// The answer to what is no message, and its record.
    pub(super) async fn refuse(&self, peer: &Peer, fault: FrameFault, start: &[u8]) -> Zeroizing<Vec<u8>> {
        let Ok(_permit) = self.work.acquire().await else { return Zeroizing::default() };
        self.service.refuse(peer, fault, start).await
    }

    /// Writes one answer; `false` when the peer did not take it.
    async fn send<S>(&self, stream: &mut S, peer: &Peer, answer: &[u8]) -> bool
    where
        S: AsyncWrite + Unpin,
    {
        let write = async {
            stream.write_all(answer).await?;
            stream.flush().await
        };
        match timeout(self.limits.write_deadline, write).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::debug!(connection = peer.connection, %error, "answer not delivered");
                false
            }
            Err(_) => {
                tracing::info!(connection = peer.connection, "answer not taken within the deadline");
                false
            }
        }
    }

    /// A connection does not outlive the certificate it was made with.
    pub(super) fn expired(&self, peer: &Peer) -> bool {
        // Without a clock nothing is valid.
        self.time.current_time().is_none_or(|now| i64::try_from(now.as_secs()).map_or(true, |now| now > peer.not_after))
    }
}

fn tell(peer: &Peer, end: &End) {
    let connection = peer.connection;
    match end {
        // vCenter probes by a handshake without a message, often closing without a word: nothing to report.
        End::Closed | End::Stopping => tracing::debug!(connection, "closed"),
        End::Idle => tracing::debug!(connection, "idle for too long"),
        End::HalfHeader => tracing::info!(connection, identity = peer.identity.name, "half a header and no more"),
        End::Broken(error) => tracing::debug!(connection, %error, "connection broke"),
    }
}

impl Conversation for Kmip {
    fn hold(
        self: Arc<Self>,
        mut stream: TlsStream<TcpStream>,
        peer: Peer,
        mut stopping: Stopping,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move { self.converse(&mut stream, &peer, &mut stopping).await })
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::SocketAddr;
    use std::task::{Context, Poll};
    use std::time::Duration;

    use async_trait::async_trait;
    use rustls::time_provider::DefaultTimeProvider;
    use tokio::io::{DuplexStream, ReadBuf};
    use tokio::time::Instant;

    use tokio::io::AsyncReadExt as _;

    use super::*;
    use crate::shell::peer::{Fingerprint, Identity, IdentityKind};
    use crate::shell::service::{Registered, StrangerKind, Strangers};
    use crate::shell::shutdown::stop_signal;

    /// Answers everything with so many bytes.
    struct Wordy(usize);

    impl Registered for Wordy {
        fn find(&self, _fingerprint: &Fingerprint) -> Option<Arc<Identity>> {
            None
        }
    }

    impl Strangers for Wordy {
        fn note_stranger(&self, _kind: StrangerKind, _address: SocketAddr) {}
    }

    #[async_trait]
    impl KmipService for Wordy {
        async fn answer(&self, _peer: &Peer, _frame: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
            Zeroizing::new(vec![1; self.0])
        }

        async fn refuse(&self, _peer: &Peer, _fault: FrameFault, _start: &[u8]) -> Zeroizing<Vec<u8>> {
            Zeroizing::new(vec![2; self.0])
        }
    }

    /// A stream that counts the writes that reach it.
    struct Counted(DuplexStream, usize);

    impl AsyncRead for Counted {
        fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_read(cx, into)
        }
    }

    impl AsyncWrite for Counted {
        fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.1 += 1;
            Pin::new(&mut self.0).poll_write(cx, bytes)
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(cx)
        }
    }

    const MESSAGE: [u8; 16] = [0x42, 0, 0x78, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0];

    fn peer() -> Peer {
        let identity =
            Identity { fingerprint: [1; 32], domain: [2; 16], name: "acme".to_owned(), kind: IdentityKind::Client };
        Peer {
            fingerprint: [1; 32],
            identity: Arc::new(identity),
            address: ([127, 0, 0, 1], 1).into(),
            connection: 1,
            not_after: i64::MAX,
        }
    }

    fn kmip(answer: usize) -> Arc<Kmip> {
        let limits = Limits {
            write_deadline: Duration::from_secs(10),
            linger_deadline: Duration::from_secs(1),
            idle_deadline: Duration::from_secs(300),
            ..Limits::default()
        };
        Kmip::new(Arc::new(Wordy(answer)), limits, Arc::new(DefaultTimeProvider))
    }

    // Tokio's clock is paused here: it jumps to the next deadline when every task waits.

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_take_its_answer_is_dropped() {
        let (mut near, mut far) = tokio::io::duplex(64);
        far.write_all(&MESSAGE).await.unwrap();
        let (_switch, mut stopping) = stop_signal();
        let begun = Instant::now();
        kmip(1_000).converse(&mut near, &peer(), &mut stopping).await;
        // The write, then the farewell.
        assert_eq!(begun.elapsed().as_secs(), 11);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_close_is_not_waited_for_longer_than_the_linger() {
        let (mut near, mut far) = tokio::io::duplex(64);
        far.write_all(b"no message at all").await.unwrap();
        let (_switch, mut stopping) = stop_signal();
        let begun = Instant::now();
        kmip(16).converse(&mut near, &peer(), &mut stopping).await;
        assert_eq!(begun.elapsed().as_secs(), 1);
        drop(near);
        let mut said = Vec::new();
        far.read_to_end(&mut said).await.unwrap();
        assert_eq!(said, [2; 16]);
    }

    #[tokio::test]
    async fn an_answer_is_one_write() {
        let (near, mut far) = tokio::io::duplex(1 << 20);
        let mut near = Counted(near, 0);
        for _ in 0..3 {
            far.write_all(&MESSAGE).await.unwrap();
        }
        far.shutdown().await.unwrap();
        let (_switch, mut stopping) = stop_signal();
        kmip(200_000).converse(&mut near, &peer(), &mut stopping).await;
        assert_eq!(near.1, 3);
    }

    #[tokio::test]
    async fn an_empty_answer_ends_the_conversation() {
        let (mut near, mut far) = tokio::io::duplex(64);
        far.write_all(&MESSAGE).await.unwrap();
        far.shutdown().await.unwrap();
        let (_switch, mut stopping) = stop_signal();
        kmip(0).converse(&mut near, &peer(), &mut stopping).await;
        drop(near);
        let mut said = Vec::new();
        far.read_to_end(&mut said).await.unwrap();
        assert!(said.is_empty());
    }
}
