//! Lines on stderr: JSON for machines, text for people.
//!
//! Only our own crates speak below `warn`: what a library writes when it debugs may hold what a client sent. A panic
//! is told by its place, never by its message, for the same reason.

use std::io;
use std::panic;

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, Registry};

use crate::config::{LogConfig, LogFormat};

/// Crates whose lines obey the configured level.
const OURS: [&str; 6] = ["kms_server", "hsm", "keystore", "audit", "policy", "kmip"];

/// Starts logging for the whole process.
///
/// # Errors
/// Something logs already.
pub fn start(config: &LogConfig) -> Result<(), TryInitError> {
    Registry::default().with(layer(config, io::stderr)).try_init()?;
    panic::set_hook(Box::new(|information| {
        let place = information.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
    Ok(())
}

fn layer<W>(config: &LogConfig, writer: W) -> impl Layer<Registry> + Send + Sync + use<W>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = match config.format {
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_writer(writer).boxed(),
        // Colours are for terminals; stderr of a service is a file.
        LogFormat::Text => fmt::layer().with_ansi(false).with_writer(writer).boxed(),
    };
    lines.with_filter(filter(config.level))
}

fn filter(level: Level) -> Targets {
    let foreign = LevelFilter::from_level(level.min(Level::WARN));
    Targets::new().with_default(foreign).with_targets(OURS.map(|target| (target, level)))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is on the page after `speak`.
    fn written(format: LogFormat, level: Level, speak: impl FnOnce()) -> String {
        let page = Page::default();
        let copy = page.clone();
        let lines = layer(&LogConfig { format, level }, move || copy.clone());
        tracing::subscriber::with_default(Registry::default().with(lines), speak);
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_is_one_json_object() {
        let page = written(LogFormat::Json, Level::INFO, || {
            tracing::info!(target: "kms_server::test", connection = 7, "first\nline");
            tracing::info!(target: "kms_server::test", "second");
        });
        let lines: Vec<serde_json::Value> = page.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!((&lines[0]["message"], &lines[0]["connection"]), (&"first\nline".into(), &7.into()));
    }

    #[test]
    fn only_our_crates_speak_below_warn() {
        let speak = || {
            tracing::trace!(target: "rustls::conn", "foreign detail");
            tracing::trace!(target: "kms_server::shell::tls", "own detail");
            tracing::warn!(target: "rustls::conn", "foreign warning");
        };
        let page = written(LogFormat::Text, Level::TRACE, speak);
        assert!(page.contains("own detail") && page.contains("foreign warning"), "{page}");
        assert!(!page.contains("foreign detail"), "{page}");
        let page = written(LogFormat::Text, Level::ERROR, speak);
        assert_eq!(page, "");
    }

    #[test]
    fn text_has_no_colours() {
        let page = written(LogFormat::Text, Level::INFO, || tracing::info!(target: "kms_server", "line"));
        assert!(page.contains("line") && !page.contains('\u{1b}'), "{page:?}");
    }
}
