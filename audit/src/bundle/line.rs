//! The lines of a bundle as JSON, one rendering each.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    bundle::Header,
    record::{Identity, Outcome, Record},
    tree::Hash,
};

/// Name and version of the format.
pub(super) const FORMAT: &str = "clavis-audit-bundle/1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderLine {
    pub(super) bundle: String,
    pub(super) kms: String,
    pub(super) log: String,
    pub(super) first: u64,
    pub(super) count: u64,
    pub(super) keys: Vec<String>,
    pub(super) left: Vec<String>,
}

impl HeaderLine {
    pub(super) fn of(header: &Header) -> Self {
        Self {
            bundle: FORMAT.to_owned(),
            kms: header.kms.clone(),
            log: header.log.to_string(),
            first: header.first,
            count: header.count,
            keys: header.keys.iter().map(hex::encode).collect(),
            left: header.left.iter().map(hex::encode).collect(),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckpointLine {
    pub(super) checkpoint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LastLine {
    pub(super) total: u64,
    pub(super) right: Vec<String>,
    pub(super) checkpoint: String,
}

/// A position whose record was dropped by retention; the leaf hash stays.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DroppedLine {
    pub(super) index: u64,
    /// Position of the record that tells of it.
    pub(super) dropped: u64,
    pub(super) leaf: String,
}

/// A record for people, and beside it the bytes that count.
#[derive(Serialize)]
pub(super) struct RecordLine {
    index: u64,
    /// Absent only where the stored bytes are not a record any more; the verifier then says so.
    #[serde(flatten)]
    fields: Option<Fields>,
    record: String,
    leaf: String,
}

#[derive(Serialize)]
struct Fields {
    time: String,
    log: String,
    identity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    source: String,
    operation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    count: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    approvals: Vec<String>,
    request: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    row_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    set_digest: Option<String>,
    node: String,
    boot: String,
    counter: u64,
}

impl RecordLine {
    pub(super) fn new(index: u64, bytes: &[u8], leaf: &Hash) -> Self {
        Self {
            index,
            fields: Record::decode(bytes).ok().map(Fields::of),
            record: STANDARD.encode(bytes),
            leaf: hex::encode(leaf),
        }
    }
}

impl Fields {
    fn of(record: Record) -> Self {
        let (identity, fingerprint, name) = match record.identity {
            Identity::None => ("none", None, None),
            Identity::Client { fingerprint } => ("client", Some(hex::encode(fingerprint)), None),
            Identity::Admin { fingerprint, name } => ("admin", Some(hex::encode(fingerprint)), Some(name)),
            Identity::Node => ("node", None, None),
        };
        Self {
            time: utc(record.time_us),
            log: record.log.to_string(),
            identity,
            fingerprint,
            name,
            source: record.source,
            operation: record.operation,
            object: record.object,
            outcome: match record.outcome {
                Outcome::Success => "success",
                Outcome::Failed => "failed",
                Outcome::Undone => "undone",
            },
            reason: record.reason,
            detail: record.detail,
            count: record.count,
            approvals: record.approvals,
            request: uuid_text(record.request_id),
            correlation: record.correlation,
            revision: record.revision,
            row_digest: record.row_digest.map(hex::encode),
            set_digest: record.set_digest.map(hex::encode),
            node: uuid_text(record.node),
            boot: uuid_text(record.boot),
            counter: record.counter,
        }
    }
}

/// A record as a line of a bundle, without the newline: every field to read, the bytes, and the leaf hash beside them.
#[must_use]
pub fn record_line(index: u64, bytes: &[u8], leaf: &Hash) -> String {
    // Texts, numbers and lists of texts always have a JSON form.
    serde_json::to_string(&RecordLine::new(index, bytes, leaf)).unwrap_or_default()
}

/// A position whose record was dropped, as a line of a bundle without the newline: the record at position `by` tells of
/// it, and the leaf hash stands for what was there.
#[must_use]
pub fn dropped_line(index: u64, by: u64, leaf: &Hash) -> String {
    let line = DroppedLine { index, dropped: by, leaf: hex::encode(leaf) };
    serde_json::to_string(&line).unwrap_or_default()
}

fn uuid_text(id: [u8; 16]) -> String {
    Uuid::from_bytes(id).hyphenated().to_string()
}

/// Microseconds since 1970 as RFC 3339 in UTC with six decimals, `2026-11-22T11:30:00.000000Z`. A time that no record
/// can hold comes out as its number.
#[must_use]
pub fn utc(time_us: i64) -> String {
    match OffsetDateTime::from_unix_timestamp_nanos(i128::from(time_us) * 1000) {
        Ok(at) => format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.microsecond()
        ),
        Err(_) => time_us.to_string(),
    }
}
