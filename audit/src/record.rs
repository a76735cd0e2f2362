//! What one audit record holds, and its one canonical encoding: the bytes that become a leaf of the tree.
//!
//! The record is closed: no free-form bytes, no key bytes, one text that a client chooses (its correlation value) and
//! one that it may have chosen (the identifier of an object that does not exist), both bounded and without control
//! characters. Equal records have equal bytes, and bytes that are not the canonical encoding do not decode.
//! `docs/formats.md` has the encoding byte by byte.

mod cursor;

use cursor::{Cursor, Output};
use thiserror::Error;

use crate::{
    limits::{
        MAX_APPROVAL_LEN, MAX_APPROVALS, MAX_CORRELATION_LEN, MAX_DETAIL_LEN, MAX_NAME_LEN, MAX_OBJECT_LEN,
        MAX_OPERATION_LEN, MAX_REASON_LEN, MAX_RECORD_LEN, MAX_SOURCE_LEN, MAX_TIME_US,
    },
    log::LogId,
    tree::{Hash, leaf_hash},
};

/// The only version of the encoding so far.
const VERSION: u8 = 1;

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Nobody who is known: the peer failed before its certificate was accepted.
    None,
    /// A client of a domain, by the SHA-256 of its certificate's SubjectPublicKeyInfo.
    Client {
        /// SHA-256 of the DER SubjectPublicKeyInfo.
        fingerprint: Hash,
    },
    /// An administrator.
    Admin {
        /// SHA-256 of the DER SubjectPublicKeyInfo.
        fingerprint: Hash,
        /// The name under which the administrator is registered.
        name: String,
    },
    /// The node itself: start, stop, transitions that fell due, alarms.
    Node,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was refused or went wrong; the reason stands beside it.
    Failed,
    /// It was done and taken back, as part of a batch that failed (KMIP 1.4 §4, Batch Error Continuation Option Undo).
    Undone,
}

/// One audit record. Its position in the tree is not part of it: the store assigns that when it commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When, in microseconds since 1970-01-01T00:00:00Z; not negative, at most [`MAX_TIME_US`].
    pub time_us: i64,
    /// The node that did it, a UUID.
    pub node: [u8; 16],
    /// This run of the node's process, a UUID.
    pub boot: [u8; 16],
    /// Counts the records of this boot; with `boot` it names the record before it has a position.
    pub counter: u64,
    /// The log it belongs to.
    pub log: LogId,
    /// Who asked.
    pub identity: Identity,
    /// Where from, `ip:port`; empty for the node's own acts. At most [`MAX_SOURCE_LEN`] bytes.
    pub source: String,
    /// What was asked, a KMIP operation's name or an admin verb. Not empty, at most [`MAX_OPERATION_LEN`] bytes.
    pub operation: String,
    /// The object's identifier. At most [`MAX_OBJECT_LEN`] bytes.
    pub object: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed: a Result Reason's name. At most [`MAX_REASON_LEN`] bytes.
    pub reason: Option<String>,
    /// Identifies the request within our logs, a UUID.
    pub request_id: [u8; 16],
    /// The client's correlation value. At most [`MAX_CORRELATION_LEN`] bytes.
    pub correlation: Option<String>,
    /// The object's revision after the change.
    pub revision: Option<u64>,
    /// Digest of the object's row after the change.
    pub row_digest: Option<Hash>,
    /// Digest of the domain's identities, states and tombstones after a change to one of them.
    pub set_digest: Option<Hash>,
    /// Who approved, for acts that need it. At most [`MAX_APPROVALS`] of at most [`MAX_APPROVAL_LEN`] bytes.
    pub approvals: Vec<String>,
    /// A text of the server's making, such as `version 1.1`. At most [`MAX_DETAIL_LEN`] bytes.
    pub detail: Option<String>,
    /// How many events this record stands for: 1, or more where failures of strangers are counted together.
    pub count: u32,
}

/// Why a record cannot be encoded, or bytes are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// A text is longer than its limit.
    #[error("{field} of {len} bytes is over its limit of {limit}")]
    TooLong {
        /// The field.
        field: &'static str,
        /// Bytes it has.
        len: usize,
        /// Bytes it may have.
        limit: usize,
    },
    /// A text holds a control character, which could forge a line of a log.
    #[error("{0} holds a control character")]
    Control(&'static str),
    /// A text is not UTF-8.
    #[error("{0} is not UTF-8")]
    Utf8(&'static str),
    /// A field that must say something is empty or zero.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// The time is before 1970 or after 9999.
    #[error("time {0} us is out of range")]
    Time(i64),
    /// The version byte is not one this program reads.
    #[error("unknown record version {0}")]
    Version(u8),
    /// A tag byte has a value without meaning.
    #[error("{field} has the unknown tag {tag}")]
    Tag {
        /// The field.
        field: &'static str,
        /// The value found.
        tag: u8,
    },
    /// The bytes end inside a field.
    #[error("cut off in {0}")]
    Truncated(&'static str),
    /// Bytes follow the last field.
    #[error("{0} bytes follow the record")]
    Trailing(usize),
}

impl Record {
    /// The canonical encoding: what is stored, hashed and exported.
    ///
    /// # Errors
    /// [`RecordError`] where a field is outside its limits. Texts that come from a client go through [`bounded_text`]
    /// first, so that nothing a client sends can make a record impossible.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        check_time(self.time_us)?;
        check_count(self.count)?;
        check_operation(&self.operation)?;
        let mut out = Output::new(VERSION);
        out.fixed(&self.time_us.to_be_bytes());
        out.fixed(&self.node);
        out.fixed(&self.boot);
        out.fixed(&self.counter.to_be_bytes());
        match &self.log {
            LogId::System => out.tag(0),
            LogId::Domain(id) => {
                out.tag(1);
                out.fixed(id);
            }
        }
        match &self.identity {
            Identity::None => out.tag(0),
            Identity::Client { fingerprint } => {
                out.tag(1);
                out.fixed(fingerprint);
            }
            Identity::Admin { fingerprint, name } => {
                out.tag(2);
                out.fixed(fingerprint);
                out.text("identity name", name, MAX_NAME_LEN)?;
            }
            Identity::Node => out.tag(3),
        }
        out.text("source", &self.source, MAX_SOURCE_LEN)?;
        out.text("operation", &self.operation, MAX_OPERATION_LEN)?;
        out.optional_text("object", self.object.as_deref(), MAX_OBJECT_LEN)?;
        out.tag(match self.outcome {
            Outcome::Success => 0,
            Outcome::Failed => 1,
            Outcome::Undone => 2,
        });
        out.optional_text("reason", self.reason.as_deref(), MAX_REASON_LEN)?;
        out.fixed(&self.request_id);
        out.optional_text("correlation", self.correlation.as_deref(), MAX_CORRELATION_LEN)?;
        out.optional_fixed(self.revision.map(u64::to_be_bytes).as_ref());
        out.optional_fixed(self.row_digest.as_ref());
        out.optional_fixed(self.set_digest.as_ref());
        out.texts("approvals", &self.approvals, MAX_APPROVALS, MAX_APPROVAL_LEN)?;
        out.optional_text("detail", self.detail.as_deref(), MAX_DETAIL_LEN)?;
        out.fixed(&self.count.to_be_bytes());
        Ok(out.finish())
    }

    /// Reads the canonical encoding back.
    ///
    /// # Errors
    /// [`RecordError`] for everything that [`Record::encode`] would not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        if bytes.len() > MAX_RECORD_LEN {
            return Err(RecordError::TooLong { field: "record", len: bytes.len(), limit: MAX_RECORD_LEN });
        }
        let mut input = Cursor::new(bytes);
        let version = input.byte("version")?;
        if version != VERSION {
            return Err(RecordError::Version(version));
        }
        // Fields are evaluated in the order written, which is that of the encoding.
        let record = Self {
            time_us: i64::from_be_bytes(input.fixed("time")?),
            node: input.fixed("node")?,
            boot: input.fixed("boot")?,
            counter: u64::from_be_bytes(input.fixed("counter")?),
            log: match input.byte("log")? {
                0 => LogId::System,
                1 => LogId::Domain(input.fixed("log")?),
                tag => return Err(RecordError::Tag { field: "log", tag }),
            },
            identity: match input.byte("identity")? {
                0 => Identity::None,
                1 => Identity::Client { fingerprint: input.fixed("identity")? },
                2 => Identity::Admin {
                    fingerprint: input.fixed("identity")?,
                    name: input.text("identity name", MAX_NAME_LEN)?,
                },
                3 => Identity::Node,
                tag => return Err(RecordError::Tag { field: "identity", tag }),
            },
            source: input.text("source", MAX_SOURCE_LEN)?,
            operation: input.text("operation", MAX_OPERATION_LEN)?,
            object: input.optional_text("object", MAX_OBJECT_LEN)?,
            outcome: match input.byte("outcome")? {
                0 => Outcome::Success,
                1 => Outcome::Failed,
                2 => Outcome::Undone,
                tag => return Err(RecordError::Tag { field: "outcome", tag }),
            },
            reason: input.optional_text("reason", MAX_REASON_LEN)?,
            request_id: input.fixed("request id")?,
            correlation: input.optional_text("correlation", MAX_CORRELATION_LEN)?,
            revision: input.optional_fixed("revision")?.map(u64::from_be_bytes),
            row_digest: input.optional_fixed("row digest")?,
            set_digest: input.optional_fixed("set digest")?,
            approvals: input.texts("approvals", MAX_APPROVALS, MAX_APPROVAL_LEN)?,
            detail: input.optional_text("detail", MAX_DETAIL_LEN)?,
            count: u32::from_be_bytes(input.fixed("count")?),
        };
        input.finish()?;
        check_time(record.time_us)?;
        check_count(record.count)?;
        check_operation(&record.operation)?;
        Ok(record)
    }

    /// The leaf hash of an encoded record. RFC 6962 §2.1.
    #[must_use]
    pub fn leaf_hash(bytes: &[u8]) -> Hash {
        leaf_hash(bytes)
    }
}

fn check_time(time_us: i64) -> Result<(), RecordError> {
    if (0..=MAX_TIME_US).contains(&time_us) { Ok(()) } else { Err(RecordError::Time(time_us)) }
}

fn check_count(count: u32) -> Result<(), RecordError> {
    if count == 0 { Err(RecordError::Empty("count")) } else { Ok(()) }
}

fn check_operation(operation: &str) -> Result<(), RecordError> {
    if operation.is_empty() { Err(RecordError::Empty("operation")) } else { Ok(()) }
}

/// A text that a record accepts: control characters become `?`, and what is over `limit` bytes is cut at a character.
#[must_use]
pub fn bounded_text(text: &str, limit: usize) -> String {
    let mut bounded = String::with_capacity(text.len().min(limit));
    for character in text.chars() {
        let character = if character.is_control() { '?' } else { character };
        if bounded.len() + character.len_utf8() > limit {
            break;
        }
        bounded.push(character);
    }
    bounded
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::{collection::vec, option, prelude::*};

    use super::*;

    pub(crate) fn example() -> Record {
        Record {
            time_us: 1_795_347_000_123_456,
            node: [0x11; 16],
            boot: [0x22; 16],
            counter: 7,
            log: LogId::Domain([0x33; 16]),
            identity: Identity::Client { fingerprint: [0x44; 32] },
            source: "192.0.2.7:49152".into(),
            operation: "Create".into(),
            object: Some("01890a5d-ac96-774b-bcce-b302099a8057".into()),
            outcome: Outcome::Success,
            reason: None,
            request_id: [0x55; 16],
            correlation: Some("QLKC 1".into()),
            revision: Some(1),
            row_digest: Some([0x66; 32]),
            set_digest: None,
            approvals: vec![],
            detail: Some("version 1.1".into()),
            count: 1,
        }
    }

    fn text(limit: usize) -> impl Strategy<Value = String> {
        "\\PC{0,40}".prop_map(move |text| bounded_text(&text, limit))
    }

    fn identity() -> impl Strategy<Value = Identity> {
        prop_oneof![
            Just(Identity::None),
            Just(Identity::Node),
            any::<[u8; 32]>().prop_map(|fingerprint| Identity::Client { fingerprint }),
            (any::<[u8; 32]>(), text(MAX_NAME_LEN))
                .prop_map(|(fingerprint, name)| Identity::Admin { fingerprint, name }),
        ]
    }

    prop_compose! {
        /// Any record that may be written.
        pub(crate) fn any_record()(
            (time_us, node, boot, counter) in (0..=MAX_TIME_US, any::<[u8; 16]>(), any::<[u8; 16]>(), any::<u64>()),
            log in prop_oneof![Just(LogId::System), any::<[u8; 16]>().prop_map(LogId::Domain)],
            identity in identity(),
            (source, operation) in (text(MAX_SOURCE_LEN), "[A-Z][A-Za-z ]{0,40}"),
            outcome in prop_oneof![Just(Outcome::Success), Just(Outcome::Failed), Just(Outcome::Undone)],
            (object, reason) in (option::of(text(MAX_OBJECT_LEN)), option::of(text(MAX_REASON_LEN))),
            request_id in any::<[u8; 16]>(),
            (correlation, detail) in (option::of(text(MAX_CORRELATION_LEN)), option::of(text(MAX_DETAIL_LEN))),
            (revision, row_digest, set_digest) in
                (any::<Option<u64>>(), any::<Option<[u8; 32]>>(), any::<Option<[u8; 32]>>()),
            approvals in vec(text(MAX_APPROVAL_LEN), 0..=MAX_APPROVALS),
            count in 1_u32..,
        ) -> Record {
            Record {
                time_us, node, boot, counter, log, identity, source, operation, object, outcome, reason, request_id,
                correlation, revision, row_digest, set_digest, approvals, detail, count,
            }
        }
    }

    proptest! {
        #[test]
        fn a_record_comes_back_from_its_bytes(record in any_record()) {
            let bytes = record.encode().unwrap();
            prop_assert!(bytes.len() <= MAX_RECORD_LEN);
            prop_assert_eq!(Record::decode(&bytes).unwrap(), record);
        }

        #[test]
        fn every_cut_and_every_extra_byte_is_refused(record in any_record(), cut in any::<prop::sample::Index>()) {
            let bytes = record.encode().unwrap();
            let cut = cut.index(bytes.len());
            prop_assert!(Record::decode(&bytes[..cut]).is_err());
            prop_assert_eq!(Record::decode(&[&bytes[..], &[0]].concat()), Err(RecordError::Trailing(1)));
        }

        #[test]
        fn what_decodes_encodes_to_the_same_bytes(
            record in any_record(), at in any::<prop::sample::Index>(), byte in any::<u8>()
        ) {
            let mut bytes = record.encode().unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(other) = Record::decode(&bytes) {
                prop_assert_eq!(other.encode().unwrap(), bytes);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..600)) {
            let _ = Record::decode(&bytes);
            let _ = Record::decode(&[&[VERSION], &bytes[..]].concat());
        }

        #[test]
        fn what_a_client_sends_can_be_bounded_into_a_record(text in any::<String>()) {
            let record = Record { correlation: Some(bounded_text(&text, MAX_CORRELATION_LEN)), ..example() };
            prop_assert!(record.encode().is_ok());
        }
    }

    #[test]
    fn the_encoding_is_fixed() {
        // Written out by hand from docs/formats.md; a change here is a new version of the format.
        let expected = [
            "01",
            "000660dbcc30e040",
            &"11".repeat(16),
            &"22".repeat(16),
            "0000000000000007",
            &("01".to_owned() + &"33".repeat(16)),
            &("01".to_owned() + &"44".repeat(32)),
            "000f3139322e302e322e373a3439313532",
            "0006437265617465",
            "01002430313839306135642d616339362d373734622d626363652d623330323039396138303537",
            "00",
            "00",
            &"55".repeat(16),
            "010006514c4b432031",
            "010000000000000001",
            &("01".to_owned() + &"66".repeat(32)),
            "00",
            "00",
            "01000b76657273696f6e20312e31",
            "00000001",
        ]
        .concat();
        assert_eq!(hex::encode(example().encode().unwrap()), expected);
    }

    #[test]
    fn the_longest_record_fits() {
        let longest = Record {
            identity: Identity::Admin { fingerprint: [1; 32], name: "n".repeat(MAX_NAME_LEN) },
            source: "s".repeat(MAX_SOURCE_LEN),
            operation: "o".repeat(MAX_OPERATION_LEN),
            object: Some("o".repeat(MAX_OBJECT_LEN)),
            reason: Some("r".repeat(MAX_REASON_LEN)),
            correlation: Some("c".repeat(MAX_CORRELATION_LEN)),
            set_digest: Some([1; 32]),
            approvals: vec!["a".repeat(MAX_APPROVAL_LEN); MAX_APPROVALS],
            detail: Some("d".repeat(MAX_DETAIL_LEN)),
            ..example()
        };
        let bytes = longest.encode().unwrap();
        assert!(bytes.len() <= MAX_RECORD_LEN);
        assert_eq!(Record::decode(&bytes).unwrap(), longest);
    }

    #[test]
    fn fields_over_their_limits_are_named() {
        let refused = |change: fn(&mut Record)| {
            let mut record = example();
            change(&mut record);
            record.encode().unwrap_err()
        };
        let too_long = |field, len, limit| RecordError::TooLong { field, len, limit };
        assert_eq!(refused(|r| r.source = "s".repeat(97)), too_long("source", 97, 96));
        assert_eq!(refused(|r| r.operation = "s".repeat(65)), too_long("operation", 65, 64));
        assert_eq!(refused(|r| r.object = Some("s".repeat(129))), too_long("object", 129, 128));
        assert_eq!(refused(|r| r.reason = Some("s".repeat(65))), too_long("reason", 65, 64));
        assert_eq!(refused(|r| r.correlation = Some("s".repeat(129))), too_long("correlation", 129, 128));
        assert_eq!(refused(|r| r.detail = Some("s".repeat(257))), too_long("detail", 257, 256));
        assert_eq!(refused(|r| r.approvals = vec![String::new(); 17]), too_long("approvals", 17, 16));
        assert_eq!(refused(|r| r.approvals = vec!["s".repeat(129)]), too_long("approvals", 129, 128));
        assert_eq!(refused(|r| r.operation.clear()), RecordError::Empty("operation"));
        assert_eq!(refused(|r| r.count = 0), RecordError::Empty("count"));
        assert_eq!(refused(|r| r.time_us = -1), RecordError::Time(-1));
        assert_eq!(refused(|r| r.time_us = MAX_TIME_US + 1), RecordError::Time(MAX_TIME_US + 1));
        assert_eq!(refused(|r| r.correlation = Some("a\nb".into())), RecordError::Control("correlation"));
        assert_eq!(refused(|r| r.detail = Some("\u{85}".into())), RecordError::Control("detail"));
    }

    #[test]
    fn unknown_versions_and_tags_are_refused() {
        let mut bytes = example().encode().unwrap();
        bytes[0] = 2;
        assert_eq!(Record::decode(&bytes), Err(RecordError::Version(2)));
        bytes[0] = VERSION;
        // Version, time, node, boot, counter come before the log's tag.
        bytes[1 + 8 + 16 + 16 + 8] = 2;
        assert_eq!(Record::decode(&bytes), Err(RecordError::Tag { field: "log", tag: 2 }));
        assert_eq!(Record::decode(&[]), Err(RecordError::Truncated("version")));
        assert!(matches!(Record::decode(&[1; MAX_RECORD_LEN + 1]), Err(RecordError::TooLong { field: "record", .. })));
    }

    #[test]
    fn bounding_cuts_at_a_character_and_replaces_controls() {
        assert_eq!(bounded_text("a\r\nb\u{7f}", 10), "a??b?");
        assert_eq!(bounded_text("äöü", 5), "äö");
        assert_eq!(bounded_text("abc", 0), "");
    }
}
