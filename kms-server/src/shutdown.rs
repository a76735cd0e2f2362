//! The stop signal: set once, seen by every task.

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

/// Returns at SIGTERM or SIGINT (Ctrl-C).
///
/// # Errors
/// The handlers cannot be installed.
pub async fn terminated() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
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
