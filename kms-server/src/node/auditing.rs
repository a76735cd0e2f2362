//! Builds audit records: what every one says about node, time and origin, and what each act adds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use audit::limits::{MAX_CORRELATION_LEN, MAX_DETAIL_LEN, MAX_OBJECT_LEN};
use audit::{Identity, LogId, Outcome, Record, bounded_text};
use keystore::{Change, ObjectId};
use policy::lifecycle::DueTransition;
use secret::DomainId;

use crate::about;
use crate::failure::Failure;
use crate::node::Node;
use crate::node::clock::Clock;
use crate::node::sealing::identifier_text;

/// The node's side of every record. Clones count together.
#[derive(Clone)]
pub struct Auditor {
    node: [u8; 16],
    boot: [u8; 16],
    counter: Arc<AtomicU64>,
}

impl Auditor {
    /// For one run of the process on the node `node`.
    #[must_use]
    pub fn new(node: [u8; 16]) -> Self {
        Self { node, boot: uuid::Uuid::new_v4().into_bytes(), counter: Arc::default() }
    }

    /// The node's identifier.
    #[must_use]
    pub fn node(&self) -> [u8; 16] {
        self.node
    }

    /// A record with everything filled in that does not depend on the act, of a request of its own.
    #[must_use]
    pub fn record(&self, clock: &Clock, log: LogId, operation: &str) -> Record {
        self.record_of(clock, log, operation, uuid::Uuid::new_v4().into_bytes())
    }

    /// The same, of a request that has its identifier: drawing another costs a call into the kernel.
    fn record_of(&self, clock: &Clock, log: LogId, operation: &str, request_id: [u8; 16]) -> Record {
        Record {
            time_us: clock.now_us(),
            node: self.node,
            boot: self.boot,
            counter: self.counter.fetch_add(1, Ordering::Relaxed),
            log,
            identity: Identity::Node,
            source: String::new(),
            operation: operation.to_owned(),
            object: None,
            outcome: Outcome::Success,
            reason: None,
            request_id,
            correlation: None,
            revision: None,
            row_digest: None,
            set_digest: None,
            approvals: Vec::new(),
            detail: None,
            count: 1,
        }
    }

    /// A transition that a date brought about, whoever notices it: the node's own act.
    #[must_use]
    pub fn due(&self, clock: &Clock, log: LogId, due: &DueTransition, object: ObjectId) -> Record {
        Record {
            object: Some(identifier_text(object)),
            detail: Some(format!("due at {}", due.at)),
            ..self.record(clock, log, due.event.name())
        }
    }
}

/// The log of a domain's acts.
#[must_use]
pub fn log_of(domain: DomainId) -> LogId {
    LogId::Domain(domain)
}

/// What the records of one message have in common.
#[derive(Clone, Debug)]
pub struct Told {
    /// The log they go to.
    pub log: LogId,
    /// Who asks.
    pub identity: Identity,
    /// Where from.
    pub source: SocketAddr,
    /// One for the message.
    pub request_id: [u8; 16],
    /// The client's correlation value, bounded.
    pub correlation: Option<String>,
    /// The protocol version, in words.
    pub version: String,
}

impl Told {
    /// For a message of the client `fingerprint` in `domain`.
    #[must_use]
    pub fn of_client(domain: DomainId, fingerprint: [u8; 32], source: SocketAddr) -> Self {
        Self {
            log: log_of(domain),
            identity: Identity::Client { fingerprint },
            source,
            request_id: uuid::Uuid::new_v4().into_bytes(),
            correlation: None,
            version: String::new(),
        }
    }

    /// Remembers the client's own name for the request.
    pub fn correlate(&mut self, value: Option<&str>) {
        self.correlation = value.filter(|text| !text.is_empty()).map(|text| bounded_text(text, MAX_CORRELATION_LEN));
    }

    fn record(&self, node: &Node, operation: &str) -> Record {
        Record {
            identity: self.identity.clone(),
            source: self.source.to_string(),
            correlation: self.correlation.clone(),
            detail: (!self.version.is_empty()).then(|| self.version.clone()),
            ..node.auditor.record_of(&node.clock, self.log, operation, self.request_id)
        }
    }

    /// An item that succeeded.
    #[must_use]
    pub fn success(&self, node: &Node, operation: &str, object: Option<ObjectId>) -> Record {
        Record { object: object.map(identifier_text), ..self.record(node, operation) }
    }

    /// An item that succeeded and made these changes of `object`: what is known of the object is said of it.
    #[must_use]
    pub fn change(&self, node: &Node, operation: &str, object: Option<ObjectId>, changes: &[Change]) -> Record {
        let mut record = self.success(node, operation, object);
        about::tell(&mut record, changes);
        record
    }

    /// An item that failed; `asked` is the identifier the client named, which may be none of ours.
    #[must_use]
    pub fn failure(
        &self,
        node: &Node,
        operation: &str,
        asked: Option<&str>,
        failure: &Failure,
        reason: &str,
    ) -> Record {
        let detail = bounded_text(&format!("{}: {failure}", self.version), MAX_DETAIL_LEN);
        Record {
            object: asked.filter(|text| !text.is_empty()).map(|text| bounded_text(text, MAX_OBJECT_LEN)),
            outcome: if matches!(failure, Failure::Undone) { Outcome::Undone } else { Outcome::Failed },
            reason: Some(reason.to_owned()),
            detail: Some(detail),
            ..self.record(node, operation)
        }
    }

    /// A transition that a date brought about, noticed while working on this message.
    #[must_use]
    pub fn due(&self, node: &Node, due: &DueTransition, object: ObjectId) -> Record {
        Record { request_id: self.request_id, ..node.auditor.due(&node.clock, self.log, due, object) }
    }
}
