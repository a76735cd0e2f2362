//! The admin API: HTTPS for administrators with certificates, apart from the KMIP port in everything but the node
//! behind it.
//!
//! `conversation` speaks HTTP over one authenticated connection; `routes` turns a request into one call of
//! [`AdminBackend`], which `read` has bounded; `answer` turns its result into JSON; `refused` records what never became a
//! call. The paths and types stand in the crate `admin-api`.

mod answer;
mod backend;
mod conversation;
mod read;
mod refused;
mod routes;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::limits::Limits;
use crate::shell::admission::Budget;
use crate::shell::listener::{self, Door};
use crate::shell::service::Registered;
use crate::shell::shutdown::Stopping;

pub use backend::{AdminBackend, Caller, Export, ExportSink, NobodyReads, Refusal, RetentionChange};
use conversation::Https;
use routes::{App, router};

/// Serves the admin API on `listener` until `stopping`, then finishes what was begun, for as long as the drain deadline
/// allows. `tls` and `registered` admit administrators only.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    registered: Arc<dyn Registered>,
    backend: Arc<dyn AdminBackend>,
    limits: Limits,
    mut stopping: Stopping,
) {
    let (working, mut idle) = mpsc::channel::<()>(1);
    let limits = Arc::new(limits);
    let door = Arc::new(Door::new(tls, registered, backend.clone(), Budget::admin(&limits), &limits));
    let app = App { backend, limits: Arc::clone(&limits), working };
    let conversation = Arc::new(Https { router: router(app.clone()), app, limits: Arc::clone(&limits) });
    let listening = listener::run(listener, door, conversation, stopping.clone());
    let deadline = async {
        stopping.wait().await;
        Instant::now() + limits.drain_deadline
    };
    let ((), deadline) = tokio::join!(listening, deadline);
    // Every act holds a sender, also one whose peer went away; the router's own went with the last conversation.
    let last_act = async { while idle.recv().await.is_some() {} };
    if timeout_at(deadline, last_act).await.is_err() {
        tracing::warn!("admin acts were still at work at the drain deadline");
    }
}
