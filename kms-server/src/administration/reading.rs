//! Records of a log for people and programs, chosen and rendered while they are sent; and what comes, as it comes.

use std::sync::Arc;
use std::time::Duration;

use admin_api::{AuditFormat, AuditOutcome, AuditQuery};
use audit::bundle::{dropped_line, record_line};
use audit::{Filter, LogId, Outcome, Record, siem};
use keystore::KeptLeaf;
use tokio::time::{Instant, MissedTickBehavior};

use super::export::{ExportError, PAGE};
use crate::admin::{Export, ExportSink};
use crate::failure::Failure;
use crate::node::Node;
use crate::shell::shutdown::Stopping;

/// How often a follower is told what is new.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// After this long without news a follower gets an empty line: it shall not take silence for the end, and one who went
/// away is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// What a query chooses.
pub(super) fn filter(query: &AuditQuery) -> Filter {
    let us = |seconds: i64| seconds.saturating_mul(1_000_000);
    Filter {
        since_us: query.since.map(us),
        until_us: query.until.map(us),
        operation: query.operation.clone(),
        object: query.object.clone(),
        identity: query.identity.clone(),
        outcome: query.outcome.map(|outcome| match outcome {
            AuditOutcome::Success => Outcome::Success,
            AuditOutcome::Failed => Outcome::Failed,
            AuditOutcome::Undone => Outcome::Undone,
        }),
        reason: query.reason.clone(),
    }
}

/// Begins to send the chosen records of a log.
pub(super) async fn start(
    node: Arc<Node>,
    log: LogId,
    query: AuditQuery,
    stopping: Stopping,
) -> Result<Export, Failure> {
    let (size, _) = node.store.tree_head(log).await?;
    let beginning = if query.follow { size } else { 0 };
    let reading = Reading {
        log,
        filter: filter(&query),
        format: query.format,
        next: query.from.unwrap_or(beginning),
        follow: query.follow,
    };
    let media_type = match query.format {
        AuditFormat::Bundle | AuditFormat::Jsonl => "application/jsonl",
        AuditFormat::Cef | AuditFormat::Syslog => "text/plain; charset=utf-8",
    };
    let (sink, export) = Export::channel_of(media_type);
    tokio::spawn(async move {
        if let Err(error) = reading.write(&node, size, sink, stopping).await {
            tracing::warn!(%error, %log, "records were not sent to the end");
        }
    });
    Ok(export)
}

struct Reading {
    log: LogId,
    filter: Filter,
    format: AuditFormat,
    next: u64,
    follow: bool,
}

impl Reading {
    async fn write(
        mut self,
        node: &Node,
        mut size: u64,
        sink: ExportSink,
        mut stopping: Stopping,
    ) -> Result<(), ExportError> {
        let mut looks = tokio::time::interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sent = Instant::now();
        loop {
            while self.next < size {
                let left = usize::try_from(size - self.next).unwrap_or(PAGE).min(PAGE);
                let page = node.store.leaves_as_kept(self.log, self.next, left).await?;
                if page.is_empty() {
                    return Err(ExportError::Store(keystore::StoreError::NotFound));
                }
                let mut chunk = Vec::new();
                page.iter().for_each(|kept| self.render(node, kept, &mut chunk));
                self.next += page.len() as u64;
                if !chunk.is_empty() {
                    sink.send(chunk).await?;
                    sent = Instant::now();
                }
            }
            if !self.follow {
                break;
            }
            tokio::select! {
                _ = looks.tick() => {}
                () = stopping.wait() => break,
            }
            if sent.elapsed() >= KEEP_ALIVE {
                sink.send(b"\n".to_vec()).await?;
                sent = Instant::now();
            }
            (size, _) = node.store.tree_head(self.log).await?;
        }
        sink.finish().await?;
        Ok(())
    }

    fn render(&self, node: &Node, kept: &KeptLeaf, out: &mut Vec<u8>) {
        if let Some(by) = kept.dropped {
            // Nobody knows whether it was asked for; who asks for everything sees that it is gone.
            if self.format == AuditFormat::Jsonl && self.filter == Filter::default() {
                out.extend_from_slice(dropped_line(kept.seq, by, &kept.leaf).as_bytes());
                out.push(b'\n');
            }
            return;
        }
        let line = match Record::decode(&kept.bytes) {
            Ok(record) if !self.filter.wants(&record) => return,
            Ok(record) => match self.format {
                AuditFormat::Bundle | AuditFormat::Jsonl => record_line(kept.seq, &kept.bytes, &kept.leaf),
                AuditFormat::Cef => siem::cef(kept.seq, &record),
                AuditFormat::Syslog => siem::syslog(&node.kms, kept.seq, &record, &kept.bytes),
            },
            // What was tampered with is shown whatever is asked for, where the form can show it.
            Err(_) if self.format == AuditFormat::Jsonl => record_line(kept.seq, &kept.bytes, &kept.leaf),
            Err(error) => {
                tracing::error!(alarm = "tampered", log = %self.log, position = kept.seq, %error, "no record");
                return;
            }
        };
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
}
