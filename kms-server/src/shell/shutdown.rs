//! The stop signal: set once, seen by every task.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// The hand on the switch.
#[derive(Debug)]
pub struct Stop(watch::Sender<bool>);

/// What tasks look at. Dropping the [`Stop`] stops as well: nobody is left who could.
#[derive(Clone, Debug)]
pub struct Stopping(watch::Receiver<bool>);

/// A switch and its view.
#[must_use]
pub fn stop_signal() -> (Stop, Stopping) {
    let (sender, receiver) = watch::channel(false);
    (Stop(sender), Stopping(receiver))
}

impl Stop {
    /// Tells every task to finish what it has begun and end. Again does nothing.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stopping {
    /// Whether the signal was given.
    #[must_use]
    pub fn is_set(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Returns when the signal is given; at once if it was. May be dropped and called again.
    pub async fn wait(&mut self) {
        // An error means that the switch is gone, which is a stop as well.
        let _gone = self.0.wait_for(|stopped| *stopped).await;
    }
}

/// SIGTERM and SIGINT (Ctrl-C), caught from the moment of [`Termination::watch`].
#[derive(Debug)]
pub struct Termination {
    term: Signal,
    int: Signal,
}

impl Termination {
    /// Installs the handlers. Do it before telling anyone that the node serves: who reads that may send the signal.
    ///
    /// # Errors
    /// The handlers cannot be installed.
    pub fn watch() -> std::io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    /// Returns when one of the signals came, also if it came before.
    pub async fn received(mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_view_sees_the_stop() {
        let (stop, stopping) = stop_signal();
        let mut other = stopping.clone();
        assert!(!stopping.is_set());
        stop.stop();
        other.wait().await;
        assert!(stopping.is_set() && other.is_set());
    }

    #[tokio::test]
    async fn a_dropped_switch_stops() {
        let (stop, mut stopping) = stop_signal();
        drop(stop);
        stopping.wait().await;
        assert!(stopping.is_set());
    }
}
