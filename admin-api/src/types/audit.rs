//! What lets an outsider check the audit log: keys and signed heads.

use serde::{Deserialize, Serialize};

use super::text::Fingerprint;
use crate::limits::MAX_FILTER_LEN;

/// The public keys under which checkpoints are signed. To be kept outside the KMS, from the ceremony's protocol;
/// fetching it from the server that is to be checked proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustAnchor {
    /// Fingerprint of the Root of Trust.
    pub root_of_trust: Fingerprint,
    /// One key per HSM member.
    pub checkpoint_keys: Vec<CheckpointKey>,
}

/// The public half of a member's checkpoint key, ECDSA on P-256.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointKey {
    /// Label of the HSM member.
    pub member: String,
    /// The key as verifiers of signed notes read it: `<name>+<key id>+<base64>` (C2SP signed-note).
    pub verifier_key: String,
}

/// The signed head of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// `system`, or the identifier of a domain.
    pub log: String,
    /// Records in the log.
    pub size: u64,
    /// The signed note (C2SP tlog-checkpoint).
    pub note: String,
}

/// In what form records are exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditFormat {
    /// An audit bundle: verifies offline. Of a whole log or of a period; the other filters would leave holes.
    #[default]
    Bundle,
    /// JSON Lines, each as in a bundle.
    Jsonl,
    /// ArcSight's Common Event Format.
    Cef,
    /// RFC 5424 syslog messages, one per line.
    Syslog,
}

impl AuditFormat {
    /// As it stands in a query.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::Jsonl => "jsonl",
            Self::Cef => "cef",
            Self::Syslog => "syslog",
        }
    }
}

/// How what a record tells of ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditOutcome {
    /// It was done.
    Success,
    /// It was refused or went wrong.
    Failed,
    /// It was done and taken back.
    Undone,
}

impl AuditOutcome {
    /// As it stands in a query.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Undone => "undone",
        }
    }
}

/// Which records of a log, and in what form: the query of `GET /v1/domains/{d}/audit`. What is left out does not
/// restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// The form.
    #[serde(default)]
    pub format: AuditFormat,
    /// From this time on, seconds since the epoch.
    pub since: Option<i64>,
    /// Before this time, seconds since the epoch.
    pub until: Option<i64>,
    /// Of this operation, in whatever letter case.
    pub operation: Option<String>,
    /// About the object with this identifier.
    pub object: Option<String>,
    /// By this identity: a fingerprint, an administrator's name, or `none`, `client`, `admin`, `node`.
    pub identity: Option<String>,
    /// That ended so.
    pub outcome: Option<AuditOutcome>,
    /// For this reason, in whatever letter case.
    pub reason: Option<String>,
    /// From this position on. With `follow` and without it, from the end of the log on.
    pub from: Option<u64>,
    /// Goes on with what is recorded from now on, until the client goes away; empty lines keep the connection alive.
    #[serde(default)]
    pub follow: bool,
}

impl AuditQuery {
    /// Whether the fields fit together and are not too long.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn check(&self) -> Result<(), &'static str> {
        let texts = [&self.operation, &self.object, &self.identity, &self.reason];
        if texts.into_iter().flatten().any(|text| text.len() > MAX_FILTER_LEN) {
            return Err("a filter is over 256 bytes");
        }
        let whole = Self { format: self.format, since: self.since, until: self.until, ..Self::default() };
        if self.format == AuditFormat::Bundle && *self != whole {
            return Err("a bundle is of a whole log or of a period; other filters would leave holes");
        }
        Ok(())
    }

    /// As the pairs of a query.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let pairs = [
            ("format", (self.format != AuditFormat::Bundle).then(|| self.format.text().to_owned())),
            ("since", self.since.map(|time| time.to_string())),
            ("until", self.until.map(|time| time.to_string())),
            ("operation", self.operation.clone()),
            ("object", self.object.clone()),
            ("identity", self.identity.clone()),
            ("outcome", self.outcome.map(|outcome| outcome.text().to_owned())),
            ("reason", self.reason.clone()),
            ("from", self.from.map(|from| from.to_string())),
            ("follow", self.follow.then(|| "true".to_owned())),
        ];
        pairs.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// A certificate of destruction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestructionCertificate {
    /// The domain's log.
    pub log: String,
    /// The certificate as it is kept and verified: two lines.
    pub document: String,
}

/// What is to be proved of a log: the query of `GET /v1/domains/{d}/audit/proof`. Either `record`, or `from` with or
/// without `to`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofQuery {
    /// That the record at this position is in the log.
    pub record: Option<u64>,
    /// That the log with this many records …
    pub from: Option<u64>,
    /// … became the one with this many; the head of the log where it is left out.
    pub to: Option<u64>,
}

/// A proof that verifies offline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// `system`, or the identifier of a domain.
    pub log: String,
    /// The document, one line of JSON, to be kept as it is.
    pub document: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_has_no_holes() {
        let period = AuditQuery { since: Some(1), until: Some(2), ..AuditQuery::default() };
        assert_eq!(period.check(), Ok(()));
        let filtered = AuditQuery { operation: Some("Get".into()), ..period };
        assert!(filtered.check().is_err());
        assert_eq!(AuditQuery { format: AuditFormat::Jsonl, ..filtered.clone() }.check(), Ok(()));
        let long = AuditQuery { reason: Some("x".repeat(257)), format: AuditFormat::Cef, ..filtered };
        assert!(long.check().is_err());
    }

    #[test]
    fn a_query_names_what_restricts_and_nothing_else() {
        assert_eq!(AuditQuery::default().pairs(), []);
        let query = AuditQuery {
            format: AuditFormat::Jsonl,
            from: Some(7),
            outcome: Some(AuditOutcome::Failed),
            follow: true,
            ..AuditQuery::default()
        };
        let pairs: Vec<String> = query.pairs().iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(pairs, ["format=jsonl", "outcome=failed", "from=7", "follow=true"]);
    }
}
