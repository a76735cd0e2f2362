//! Sends every record of every log to a collector, as RFC 5424 messages over TCP or TLS, from a durable position on.
//!
//! The store is the queue: a collector that is slow or away for an hour costs no memory, it is read for later. Syslog
//! has no acknowledgement (RFC 5425, RFC 6587). That the other side's kernel took bytes does not say that its collector
//! read them: one that hangs and dies takes what lies there with it. So a record counts as received when the connection
//! has lived on for [`SETTLED_AFTER`] after it was written, while the kernel breaks one whose bytes the other side has not
//! taken within [`UNTAKEN_FOR`], and when [`REPEATED`] bytes were written behind it, more than a kernel holds for a reader
//! who does not read; or when the collector has closed its side after we closed ours, which it does when it has read all.
//! After a broken connection everything that does not count yet is sent again, in order: a collector sees a stretch twice
//! and never a hole. Each message carries log and position, by which it recognises the stretch.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use audit::{LogId, Outcome, Record, siem};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, timeout};
use tokio_rustls::TlsConnector;

use crate::node::Node;
use crate::shell::shutdown::Stopping;

/// A record that was written this long ago, on a connection that still lives, was received.
const SETTLED_AFTER: Duration = Duration::from_secs(5);
/// Bytes that are sent again after a connection that broke, however long ago they were written: more than the 6 MiB that
/// Linux keeps at most for a socket whose reader hangs (`tcp_rmem`), and what a collector has of it in hand itself.
const REPEATED: usize = 8 << 20;
/// Bytes that the other side's kernel does not take for this long break the connection.
const UNTAKEN_FOR: Duration = Duration::from_secs(4);
/// For TCP and TLS together.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// Pause after a connection that failed or broke.
const RETRY: Duration = Duration::from_secs(1);
/// How often logs are looked at for news.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// How long a stopping node waits for a collector to have read everything.
const FAREWELL: Duration = Duration::from_secs(2);
/// Records read and written at a time.
const PAGE: usize = 256;
/// What the collector sends is read and thrown away this much at a time; syslog has no answers.
const DISCARD_LEN: usize = 1024;

/// Where the positions of a collector stand, before its name.
const SETTING: &str = "forward/";

const _: () = assert!(UNTAKEN_FOR.as_secs() < SETTLED_AFTER.as_secs());

/// A collector, as the configuration names it.
pub struct Collector {
    /// Its name in settings, records and logs.
    pub name: String,
    /// Host and port.
    pub address: String,
    /// How to speak TLS to it; plain TCP without.
    pub tls: Option<(Arc<rustls::ClientConfig>, ServerName<'static>)>,
}

/// Any connection.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Positions by log: the next record to be sent.
type Positions = HashMap<LogId, u64>;

/// Sends to one collector.
pub struct Forwarder {
    collector: Collector,
    node: Arc<Node>,
    /// Up to here everything was received, and the database says so.
    settled: Positions,
    /// Whether the system's log was told that the collector is there.
    told_connected: Option<bool>,
}

/// What was written at once.
struct Written {
    at: Instant,
    log: LogId,
    next: u64,
    bytes: usize,
}

/// What was written on a connection and does not count as received yet, in the order in which it was written.
#[derive(Default)]
struct Unsettled {
    written: VecDeque<Written>,
    bytes: usize,
}

impl Unsettled {
    fn add(&mut self, written: Written) {
        self.bytes = self.bytes.saturating_add(written.bytes);
        self.written.push_back(written);
    }

    /// Takes out what counts as received now: long enough ago, and far enough back.
    fn settled(&mut self, now: Instant) -> Vec<Written> {
        let mut settled = Vec::new();
        while let Some(first) = self.written.front() {
            let behind = self.bytes.saturating_sub(first.bytes);
            if behind < REPEATED || now.duration_since(first.at) < SETTLED_AFTER {
                break;
            }
            self.bytes = behind;
            settled.extend(self.written.pop_front());
        }
        settled
    }

    /// Takes out everything.
    fn all(&mut self) -> Vec<Written> {
        self.bytes = 0;
        self.written.drain(..).collect()
    }
}

impl Forwarder {
    /// A forwarder that has not looked at its durable position yet.
    #[must_use]
    pub fn new(collector: Collector, node: Arc<Node>) -> Self {
        Self { collector, node, settled: Positions::new(), told_connected: None }
    }

    /// Sends until told to stop.
    pub async fn run(mut self, mut stopping: Stopping) {
        while let Err(error) = self.load().await {
            tracing::error!(collector = self.collector.name, %error, "the forwarding position cannot be read");
            tokio::select! {
                () = tokio::time::sleep(RETRY) => {}
                () = stopping.wait() => return,
            }
        }
        while !stopping.is_set() {
            match self.session(&mut stopping).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(collector = self.collector.name, %error, "the collector cannot be reached");
                    self.tell(false, &error.to_string()).await;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(RETRY) => {}
                () = stopping.wait() => {}
            }
        }
    }

    fn setting(&self) -> String {
        format!("{SETTING}{}", self.collector.name)
    }

    async fn load(&mut self) -> Result<(), keystore::StoreError> {
        let bytes = self.node.store.setting(&self.setting()).await?.unwrap_or_default();
        // What somebody else wrote there is not believed: then all is sent again, which a collector notices.
        self.settled = parse(&String::from_utf8_lossy(&bytes));
        Ok(())
    }

    async fn save(&self) -> io::Result<()> {
        let text = format(&self.settled);
        self.node.store.put_setting(&self.setting(), text.as_bytes()).await.map_err(io::Error::other)
    }

    /// Whether the collector is there, told once each time it changes.
    async fn tell(&mut self, connected: bool, detail: &str) {
        if self.told_connected == Some(connected) {
            return;
        }
        let operation = if connected { "Collector Connected" } else { "Collector Lost" };
        let detail = audit::bounded_text(&format!("{}: {detail}", self.collector.name), audit::limits::MAX_DETAIL_LEN);
        let record = Record {
            outcome: if connected { Outcome::Success } else { Outcome::Failed },
            detail: Some(detail),
            ..self.node.auditor.record(&self.node.clock, LogId::System, operation)
        };
        match self.node.record(record).await {
            Ok(()) => self.told_connected = Some(connected),
            Err(error) => tracing::error!(%error, "could not be recorded"),
        }
    }

    async fn connect(&self) -> io::Result<Box<dyn Wire>> {
        let attempt = async {
            let stream = TcpStream::connect(&self.collector.address).await?;
            stream.set_nodelay(true)?;
            let untaken_ms = u32::try_from(UNTAKEN_FOR.as_millis()).unwrap_or(u32::MAX);
            rustix::net::sockopt::set_tcp_user_timeout(&stream, untaken_ms)?;
            Ok::<Box<dyn Wire>, io::Error>(match &self.collector.tls {
                Some((config, name)) => {
                    Box::new(TlsConnector::from(Arc::clone(config)).connect(name.clone(), stream).await?)
                }
                None => Box::new(stream),
            })
        };
        timeout(CONNECT_DEADLINE, attempt).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// One connection, until it breaks (an error) or the node stops.
    async fn session(&mut self, stopping: &mut Stopping) -> io::Result<()> {
        let (mut reader, mut writer) = tokio::io::split(self.connect().await?);
        self.tell(true, &self.collector.address.clone()).await;
        let mut sent = self.settled.clone();
        let mut unsettled = Unsettled::default();
        let mut looks = tokio::time::interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut given_up = stopping.clone();
            let stopped = tokio::select! {
                // A stopping node does not wait for a collector that takes nothing.
                () = async { given_up.wait().await; tokio::time::sleep(FAREWELL).await } => return Ok(()),
                // The connection is watched also while there is nothing to send.
                broken = closed(&mut reader) => return Err(broken),
                result = self.send_news(&mut writer, &mut sent, &mut unsettled) => {
                    if !result? {
                        tokio::select! {
                            broken = closed(&mut reader) => return Err(broken),
                            _ = looks.tick() => false,
                            () = stopping.wait() => true,
                        }
                    } else {
                        stopping.is_set()
                    }
                }
            };
            self.settle(unsettled.settled(Instant::now())).await?;
            if stopped {
                // Who closes after we did has read everything before.
                let farewell = async {
                    writer.shutdown().await?;
                    match closed(&mut reader).await {
                        end if end.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
                        error => Err(error),
                    }
                };
                if matches!(timeout(FAREWELL, farewell).await, Ok(Ok(()))) {
                    self.settle(unsettled.all()).await?;
                }
                return Ok(());
            }
        }
    }

    async fn settle(&mut self, received: Vec<Written>) -> io::Result<()> {
        if received.is_empty() {
            return Ok(());
        }
        self.settled.extend(received.iter().map(|one| (one.log, one.next)));
        self.save().await
    }

    /// Writes a page of every log that has news; whether there was any.
    async fn send_news(
        &self,
        writer: &mut WriteHalf<Box<dyn Wire>>,
        sent: &mut Positions,
        unsettled: &mut Unsettled,
    ) -> io::Result<bool> {
        let mut any = false;
        for log in self.node.store.logs().await.map_err(io::Error::other)? {
            let next = sent.get(&log).copied().unwrap_or(0);
            let page = self.node.store.leaves_as_kept(log, next, PAGE).await.map_err(io::Error::other)?;
            if page.is_empty() {
                continue;
            }
            let mut chunk = Vec::new();
            // A collector that is new finds a log of which retention dropped the beginning.
            for kept in page.iter().filter(|kept| kept.dropped.is_none()) {
                match Record::decode(&kept.bytes) {
                    Ok(record) => frame(&mut chunk, &siem::syslog(&self.node.kms, kept.seq, &record, &kept.bytes)),
                    // The hole in the positions tells the collector; the verifier of an export names the record.
                    Err(error) => {
                        tracing::error!(alarm = "tampered", %log, position = kept.seq, %error, "no record to forward");
                    }
                }
            }
            writer.write_all(&chunk).await?;
            writer.flush().await?;
            let next = next + page.len() as u64;
            sent.insert(log, next);
            unsettled.add(Written { at: Instant::now(), log, next, bytes: chunk.len() });
            any = true;
        }
        Ok(any)
    }
}

/// A message in its frame: its length in decimal, a blank, the message. RFC 6587 §3.4.1, RFC 5425 §4.3.
fn frame(chunk: &mut Vec<u8>, message: &str) {
    chunk.extend_from_slice(message.len().to_string().as_bytes());
    chunk.push(b' ');
    chunk.extend_from_slice(message.as_bytes());
}

/// Returns when the connection has ended, with the reason.
async fn closed(reader: &mut ReadHalf<Box<dyn Wire>>) -> io::Error {
    let mut discarded = [0; DISCARD_LEN];
    loop {
        match reader.read(&mut discarded).await {
            Ok(0) => return io::Error::new(io::ErrorKind::UnexpectedEof, "the collector closed the connection"),
            Ok(_) => {}
            Err(error) => return error,
        }
    }
}

/// Up to where every one of these collectors has received a log; `None` where there is none of them.
///
/// # Errors
/// Of the store.
pub async fn received(
    store: &dyn keystore::KeyStore,
    collectors: &[String],
    log: LogId,
) -> Result<Option<u64>, keystore::StoreError> {
    let mut least = None;
    for collector in collectors {
        let bytes = store.setting(&format!("{SETTING}{collector}")).await?.unwrap_or_default();
        let next = parse(&String::from_utf8_lossy(&bytes)).get(&log).copied().unwrap_or(0);
        least = Some(least.map_or(next, |least: u64| least.min(next)));
    }
    Ok(least)
}

/// Positions as a setting holds them: a log and its next record per line.
fn format(positions: &Positions) -> String {
    let mut lines: Vec<String> = positions.iter().map(|(log, next)| format!("{log} {next}\n")).collect();
    lines.sort_unstable();
    lines.concat()
}

fn parse(text: &str) -> Positions {
    let position = |line: &str| {
        let (log, next) = line.split_once(' ')?;
        Some((log.parse().ok()?, next.parse().ok()?))
    };
    text.lines().filter_map(position).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_outlive_the_process() {
        let positions = Positions::from([(LogId::System, 7), (LogId::Domain([3; 16]), u64::MAX)]);
        assert_eq!(parse(&format(&positions)), positions);
        assert_eq!(parse("system\nnone 3\nsystem x\n"), Positions::new());
    }

    #[test]
    fn what_counts_as_received_was_written_long_ago_and_lies_far_back() {
        let began = Instant::now();
        let mut unsettled = Unsettled::default();
        let piece = |next| Written { at: began, log: LogId::System, next, bytes: REPEATED / 4 };
        (1..=6).for_each(|next| unsettled.add(piece(next)));
        let positions = |settled: Vec<Written>| settled.iter().map(|one| one.next).collect::<Vec<_>>();
        assert_eq!(positions(unsettled.settled(began)), [0; 0], "at once nothing is");
        assert_eq!(positions(unsettled.settled(began + SETTLED_AFTER)), [1, 2]);
        assert_eq!(positions(unsettled.settled(began + SETTLED_AFTER * 1_000)), [0; 0], "nor ever what lies near");
        unsettled.add(piece(7));
        assert_eq!(positions(unsettled.settled(began + SETTLED_AFTER)), [3]);
        assert_eq!(positions(unsettled.all()), [4, 5, 6, 7]);
        assert_eq!(unsettled.bytes, 0);
    }

    #[test]
    fn a_frame_counts_bytes_and_not_characters() {
        let mut chunk = Vec::new();
        frame(&mut chunk, "é");
        frame(&mut chunk, "ab");
        assert_eq!(chunk, "2 é2 ab".as_bytes());
    }
}
