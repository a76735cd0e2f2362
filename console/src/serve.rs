//! The listener: TLS, HTTP over it, and an orderly end.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::api::Peer;
use crate::limits::{CONNECTIONS, DRAIN_DEADLINE, HEADER_DEADLINE};
use crate::operator::holder_of;

/// Before another attempt at accepting, where the system has no descriptor left.
const BREATH: Duration = Duration::from_millis(50);

/// TLS as the certificate and key in these files make it, for peers of whom nothing is asked.
///
/// # Errors
/// Those of the files, and of what stands in them.
pub fn tls(certificate: &Path, key: &Path) -> io::Result<ServerConfig> {
    tls_with(certificate, key, None)
}

/// The same for peers whose certificates somebody looks at.
///
/// # Errors
/// As [`tls`].
pub fn tls_with(
    certificate: &Path,
    key: &Path,
    clients: Option<Arc<dyn ClientCertVerifier>>,
) -> io::Result<ServerConfig> {
    let invalid = |error: &dyn std::fmt::Display| io::Error::new(io::ErrorKind::InvalidData, error.to_string());
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(certificate).map_err(|error| invalid(&error))?.collect();
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| invalid(&error))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid(&error))?;
    let builder = match clients {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config =
        builder.with_single_cert(chain.map_err(|error| invalid(&error))?, key).map_err(|error| invalid(&error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Serves until `stop` is ready, then finishes what is under way, for a while.
///
/// # Errors
/// None once it has begun.
pub async fn serve(
    listener: TcpListener,
    tls: ServerConfig,
    router: Router,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let (stopping, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, peer)) => {
                    let router = router.clone().layer(axum::Extension(Peer(peer)));
                    drop(connections.spawn(converse(acceptor.clone(), stream, router, stopped.clone())));
                }
                Err(error) => {
                    tracing::warn!(%error, "accept");
                    tokio::time::sleep(BREATH).await;
                }
            },
        }
    }
    drop((listener, stopping));
    let finished = async { while connections.join_next().await.is_some() {} };
    // Pages that follow an activity would follow it for minutes.
    let _ = tokio::time::timeout(DRAIN_DEADLINE, finished).await;
    Ok(())
}

async fn converse(acceptor: TlsAcceptor, stream: TcpStream, router: Router, mut stopped: watch::Receiver<()>) {
    let Ok(Ok(stream)) = tokio::time::timeout(HEADER_DEADLINE, acceptor.accept(stream)).await else { return };
    let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first()).and_then(holder_of);
    let router = match shown {
        Some(holder) => router.layer(axum::Extension(holder)),
        None => router,
    };
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
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
}
