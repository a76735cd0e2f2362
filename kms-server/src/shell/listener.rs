//! Accepts connections within their budgets, lets the registered in, and hands each to a conversation.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::limits::{ACCEPT_PAUSE, Limits};
use crate::shell::admission::{Admission, Budget, Place};
use crate::shell::farewell;
use crate::shell::peer::Peer;
use crate::shell::service::{Registered, StrangerKind, Strangers};
use crate::shell::shutdown::Stopping;
use crate::shell::tls;

/// What is done with an authenticated connection until it ends.
pub trait Conversation: Send + Sync + 'static {
    /// Holds one conversation. It ends soon after `stopping`, but not before it has finished what it acknowledged.
    fn hold(
        self: Arc<Self>,
        stream: TlsStream<TcpStream>,
        peer: Peer,
        stopping: Stopping,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// Who may come in, and how long each step may take.
pub struct Door {
    /// Rules of the handshake.
    pub tls: Arc<ServerConfig>,
    /// Asked once more after the handshake, for the identity.
    pub registered: Arc<dyn Registered>,
    /// Told of everyone who is turned away.
    pub strangers: Arc<dyn Strangers>,
    /// Budgets.
    pub admission: Arc<Admission>,
    /// From accept to the end of the handshake.
    pub handshake_deadline: Duration,
    /// For a peer that was turned away to read why.
    pub linger_deadline: Duration,
    /// From the stop signal to the end of the last conversation.
    pub drain_deadline: Duration,
}

impl Door {
    /// With the deadlines of `limits`.
    #[must_use]
    pub fn new(
        tls: Arc<ServerConfig>,
        registered: Arc<dyn Registered>,
        strangers: Arc<dyn Strangers>,
        budget: Budget,
        limits: &Limits,
    ) -> Self {
        Self {
            tls,
            registered,
            strangers,
            admission: Admission::new(budget),
            handshake_deadline: limits.handshake_deadline,
            linger_deadline: limits.linger_deadline,
            drain_deadline: limits.drain_deadline,
        }
    }
}

/// Numbers connections across both listeners, from 1.
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

/// Serves `listener` until `stopping`, then waits for the conversations, at most for the drain deadline.
pub async fn run(listener: TcpListener, door: Arc<Door>, conversation: Arc<dyn Conversation>, mut stopping: Stopping) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stopping.wait() => break,
            Some(ended) = connections.join_next(), if !connections.is_empty() => report(ended),
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => {
                    if let Some(place) = door.place_for(address) {
                        let connection = connect(
                            Arc::clone(&door), place, stream, address, Arc::clone(&conversation), stopping.clone(),
                        );
                        connections.spawn(connection);
                    }
                }
                Err(error) => {
                    // Out of descriptors, or the peer went away in the queue. A pause keeps the former from spinning.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    // New connections are refused by the system from here on, so that clients go to their next server.
    drop(listener);
    drain(connections, door.drain_deadline).await;
}

async fn drain(mut connections: JoinSet<()>, deadline: Duration) {
    let until = Instant::now() + deadline;
    while let Ok(Some(ended)) = timeout_at(until, connections.join_next()).await {
        report(ended);
    }
    if !connections.is_empty() {
        tracing::warn!(connections = connections.len(), "dropping connections that did not end within the deadline");
        connections.shutdown().await;
    }
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection's task panicked; the connection is closed");
    }
}

impl Door {
    fn place_for(&self, address: SocketAddr) -> Option<Place> {
        self.admission
            .knock(address.ip())
            .inspect_err(|full| {
                tracing::debug!(%address, %full, "connection refused");
                self.strangers.note_stranger(StrangerKind::OverBudget, address);
            })
            .ok()
    }

    async fn shake_hands(
        &self,
        stream: TcpStream,
        address: SocketAddr,
    ) -> Result<(TlsStream<TcpStream>, Peer), TurnedAway> {
        // Answers are single writes of whole messages; waiting for more to send only delays them.
        let _best_effort = stream.set_nodelay(true);
        let handshake = TlsAcceptor::from(Arc::clone(&self.tls)).accept(stream).into_fallible();
        let stream = match timeout(self.handshake_deadline, handshake).await {
            Err(_) => return Err(StrangerKind::SilentHandshake.into()),
            Ok(Err((error, stream))) => {
                tracing::debug!(%address, %error, "handshake failed");
                return Err(TurnedAway { kind: tls::stranger_of(&error), told: Some(stream) });
            }
            Ok(Ok(stream)) => stream,
        };
        let (_, session) = stream.get_ref();
        let leaf = session.peer_certificates().and_then(|chain| chain.first()).ok_or(StrangerKind::NoCertificate)?;
        let proof = tls::claim(leaf).ok_or(StrangerKind::Unregistered)?;
        // Revoked between the two flights of the handshake.
        let identity = self.registered.find(&proof.fingerprint).ok_or(StrangerKind::Unregistered)?;
        let peer = Peer {
            fingerprint: proof.fingerprint,
            identity,
            address,
            connection: 1 + CONNECTIONS.fetch_add(1, Ordering::Relaxed),
            not_after: proof.not_after,
        };
        Ok((stream, peer))
    }
}

/// Why somebody was not let in, and the socket on which an alert has told him so.
struct TurnedAway {
    kind: StrangerKind,
    told: Option<TcpStream>,
}

impl From<StrangerKind> for TurnedAway {
    fn from(kind: StrangerKind) -> Self {
        Self { kind, told: None }
    }
}

async fn connect(
    door: Arc<Door>,
    mut place: Place,
    stream: TcpStream,
    address: SocketAddr,
    conversation: Arc<dyn Conversation>,
    mut stopping: Stopping,
) {
    let shaken = tokio::select! {
        biased;
        () = stopping.wait() => return,
        shaken = door.shake_hands(stream, address) => shaken,
    };
    let (stream, peer) = match shaken {
        Ok(proved) => proved,
        Err(TurnedAway { kind, told }) => {
            tracing::debug!(%address, kind = kind.text(), "stranger turned away");
            door.strangers.note_stranger(kind, address);
            if let Some(mut stream) = told {
                // The alert says why; it must not be overtaken by a reset.
                farewell::part(&mut stream, door.linger_deadline).await;
            }
            return;
        }
    };
    if let Err(full) = place.admit(peer.fingerprint) {
        tracing::debug!(%address, identity = peer.identity.name, %full, "connection refused");
        door.strangers.note_stranger(StrangerKind::OverBudget, address);
        return;
    }
    tracing::debug!(connection = peer.connection, %address, identity = peer.identity.name, "connected");
    let number = peer.connection;
    conversation.hold(stream, peer, stopping).await;
    tracing::debug!(connection = number, "disconnected");
    drop(place);
}

/// Opens a listening socket at `address`; port 0 lets the system choose.
///
/// # Errors
/// The address is taken, or not this machine's.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}
