//! Records as security monitoring reads them: CEF lines and RFC 5424 syslog messages.
//!
//! Both carry log and position of the record, by which a collector recognises a repetition and an auditor finds the
//! record again; the syslog message carries the record itself as well, as a line of a bundle.

// Of `core`, which knows addresses and opens no connection.
use core::net::SocketAddr;
use std::fmt::Write as _;

use uuid::Uuid;

use crate::{
    bundle::{record_line, utc},
    log::LogId,
    record::{Identity, Outcome, Record},
    tree::leaf_hash,
};

/// CEF's name for who made the program and the program.
const VENDOR: &str = "Clavis";
const PRODUCT: &str = "kms-server";
/// The program's name in syslog (RFC 5424 §6.2.5).
const APP_NAME: &str = "clavis";
/// The structured data's name (RFC 5424 §6.3.2); 32473 is the number that RFC 5612 keeps for who has none of his own.
const SD_ID: &str = "clavis@32473";
/// Syslog's facility "log audit" (RFC 5424 §6.2.1).
const FACILITY: u8 = 13;
/// Longest MSGID (RFC 5424 §6.2.7) and HOSTNAME (§6.2.4).
const MAX_MSGID_LEN: usize = 32;
const MAX_HOSTNAME_LEN: usize = 255;

fn outcome_text(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "success",
        Outcome::Failed => "failed",
        Outcome::Undone => "undone",
    }
}

/// Who asked: fingerprint and name, where there are such.
fn who(identity: &Identity) -> (&'static str, Option<String>, Option<&str>) {
    match identity {
        Identity::None => ("none", None, None),
        Identity::Node => ("node", None, None),
        Identity::Client { fingerprint } => ("client", Some(hex::encode(fingerprint)), None),
        Identity::Admin { fingerprint, name } => ("admin", Some(hex::encode(fingerprint)), Some(name)),
    }
}

/// A record as one line of ArcSight's Common Event Format, version 0, without a newline.
///
/// Severity 3 for what succeeded, 5 for what was undone, 6 for what failed. `externalId` is log and position.
#[must_use]
pub fn cef(index: u64, record: &Record) -> String {
    let severity = match record.outcome {
        Outcome::Success => 3,
        Outcome::Undone => 5,
        Outcome::Failed => 6,
    };
    let operation = escape(&record.operation, &['\\', '|']);
    let version = env!("CARGO_PKG_VERSION");
    let mut line = format!("CEF:0|{VENDOR}|{PRODUCT}|{version}|{operation}|{operation}|{severity}|");
    let mut field = |name: &str, value: &str| {
        let separator = if line.ends_with('|') { "" } else { " " };
        // Writing to a string cannot fail.
        let _ = write!(line, "{separator}{name}={}", escape(value, &['\\', '=']));
    };
    let (kind, fingerprint, name) = who(&record.identity);
    field("rt", &(record.time_us / 1000).to_string());
    field("externalId", &format!("{}/{index}", record.log));
    field("outcome", outcome_text(record.outcome));
    if let Some(reason) = &record.reason {
        field("reason", reason);
    }
    if let Ok(address) = record.source.parse::<SocketAddr>() {
        match address {
            SocketAddr::V4(_) => field("src", &address.ip().to_string()),
            SocketAddr::V6(_) => {
                field("c6a2Label", "Source IPv6 Address");
                field("c6a2", &address.ip().to_string());
            }
        }
        field("spt", &address.port().to_string());
    }
    field("spriv", kind);
    if let Some(fingerprint) = fingerprint {
        field("suid", &fingerprint);
    }
    if let Some(name) = name {
        field("suser", name);
    }
    field("cnt", &record.count.to_string());
    let approvals = (!record.approvals.is_empty()).then(|| record.approvals.join(","));
    let labelled = [
        ("cs1", "log", Some(record.log.to_string())),
        ("cs2", "object", record.object.clone()),
        ("cs3", "request", Some(Uuid::from_bytes(record.request_id).hyphenated().to_string())),
        ("cs4", "correlation", record.correlation.clone()),
        ("cs5", "approvals", approvals),
    ];
    for (name, label, value) in labelled {
        if let Some(value) = value {
            field(&format!("{name}Label"), label);
            field(name, &value);
        }
    }
    if let Some(detail) = &record.detail {
        field("msg", detail);
    }
    line
}

/// A record as an RFC 5424 message, without a newline and without the frame that a transport puts around it.
///
/// `host` is the name of the KMS. Severity is informational for what succeeded, notice for what was undone, warning for
/// what failed. The message text is the record's line of a bundle.
#[must_use]
pub fn syslog(host: &str, index: u64, record: &Record, bytes: &[u8]) -> String {
    let severity = match record.outcome {
        Outcome::Success => 6,
        Outcome::Undone => 5,
        Outcome::Failed => 4,
    };
    let priority = FACILITY * 8 + severity;
    let boot = Uuid::from_bytes(record.boot).hyphenated();
    let (time, host) = (utc(record.time_us), header(host, MAX_HOSTNAME_LEN));
    let msgid = header(&record.operation, MAX_MSGID_LEN);
    let mut message = format!("<{priority}>1 {time} {host} {APP_NAME} {boot} {msgid} [{SD_ID}");
    let mut parameter = |name: &str, value: &str| {
        let _ = write!(message, " {name}=\"{}\"", escape(value, &['\\', '"', ']']));
    };
    let (kind, fingerprint, name) = who(&record.identity);
    parameter("log", &record.log.to_string());
    parameter("index", &index.to_string());
    parameter("outcome", outcome_text(record.outcome));
    parameter("identity", name.or(fingerprint.as_deref()).unwrap_or(kind));
    if let Some(object) = &record.object {
        parameter("object", object);
    }
    message.push_str("] ");
    message.push_str(&record_line(index, bytes, &leaf_hash(bytes)));
    message
}

/// The log and position that a message of [`syslog`] carries: what a collector recognises repetitions by.
#[must_use]
pub fn position_in(message: &str) -> Option<(LogId, u64)> {
    let data = message.split_once(&format!("[{SD_ID} log=\""))?.1;
    let (log, rest) = data.split_once("\" index=\"")?;
    Some((log.parse().ok()?, rest.split_once('"')?.0.parse().ok()?))
}

/// Puts a backslash before each of `special`. Records hold no control characters.
fn escape(text: &str, special: &[char]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if special.contains(&character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// A field of the syslog header: printable ASCII without blanks (RFC 5424 §6), at most `limit` of it.
fn header(text: &str, limit: usize) -> String {
    let text: String = text.chars().take(limit).map(|one| if one.is_ascii_graphic() { one } else { '-' }).collect();
    if text.is_empty() { "-".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::example;

    #[test]
    fn a_record_in_cef() {
        assert_eq!(
            cef(42, &example()),
            format!(
                "CEF:0|Clavis|kms-server|{}|Create|Create|3|rt=1795347000123 \
                 externalId=33333333-3333-3333-3333-333333333333/42 outcome=success src=192.0.2.7 spt=49152 \
                 spriv=client suid={} cnt=1 cs1Label=log cs1=33333333-3333-3333-3333-333333333333 cs2Label=object \
                 cs2=01890a5d-ac96-774b-bcce-b302099a8057 cs3Label=request \
                 cs3=55555555-5555-5555-5555-555555555555 cs4Label=correlation cs4=QLKC 1 msg=version 1.1",
                env!("CARGO_PKG_VERSION"),
                "44".repeat(32)
            )
        );
    }

    #[test]
    fn nothing_a_client_chose_can_forge_a_field_of_cef() {
        let record = Record {
            object: Some("x outcome=success|CEF:0|a\\".into()),
            correlation: Some("a=b".into()),
            identity: Identity::Admin { fingerprint: [1; 32], name: "a|b=c".into() },
            source: "[2001:db8::1]:7".into(),
            ..example()
        };
        let line = cef(0, &record);
        assert!(line.contains("cs2=x outcome\\=success|CEF:0|a\\\\ cs3Label"), "{line}");
        assert!(line.contains("cs4=a\\=b") && line.contains("suser=a|b\\=c"), "{line}");
        assert!(line.contains("c6a2Label=Source IPv6 Address c6a2=2001:db8::1 spt=7"), "{line}");
        assert_eq!(cef(0, &Record { operation: "A|B".into(), ..example() }).matches("|A\\|B|").count(), 1);
    }

    #[test]
    fn a_record_in_syslog_holds_the_line_of_a_bundle() {
        let record = Record { outcome: Outcome::Failed, operation: "Verify Domain".into(), ..example() };
        let bytes = record.encode().unwrap();
        let message = syslog("paris", 7, &record, &bytes);
        let head = "<108>1 2026-11-22T11:30:00.123456Z paris clavis 22222222-2222-2222-2222-222222222222 \
                    Verify-Domain [clavis@32473 log=\"33333333-3333-3333-3333-333333333333\" index=\"7\" \
                    outcome=\"failed\" identity=\"";
        assert!(message.starts_with(head), "{message}");
        assert!(message.ends_with(&record_line(7, &bytes, &leaf_hash(&bytes))), "{message}");
        assert_eq!(position_in(&message), Some((record.log, 7)));
    }

    #[test]
    fn nothing_a_client_chose_can_end_the_structured_data() {
        let record = Record { object: Some("a\"] [x y=\"\\".into()), ..example() };
        let message = syslog("a host", 0, &record, &record.encode().unwrap());
        assert!(message.contains(" object=\"a\\\"\\] [x y=\\\"\\\\\"] {"), "{message}");
        assert!(message.contains(" a-host clavis "), "{message}");
    }
}
