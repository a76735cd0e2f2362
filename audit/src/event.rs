//! What a record may say happened, beside the operations of KMIP: every name that the server writes into `operation`.
//!
//! One table, so that whoever reads a log knows what to expect, and can build rules on it. The system tests hold every log
//! that they read against it.

/// An event and what it means.
pub type Event = (&'static str, &'static str);

/// Events that are not operations of KMIP, by name. What was refused is told by the same name, as failed.
pub const EVENTS: &[Event] = &[
    ("Add Credential", "a client got a user or device"),
    ("Admin Request", "a request to the admin API was refused before it became an act"),
    ("Approve Request", "officers' approvals were handed in"),
    ("Ask Approval", "an act was asked for that officers have to approve"),
    ("Certify Destruction", "a certificate of destruction was made"),
    ("Change Role", "an administrator got another role"),
    ("Changes Frozen", "the store takes records only"),
    ("Changes Thawed", "the store takes changes again"),
    ("Checkpoint", "the head of a log was signed for somebody"),
    ("Collector Connected", "a collector is sent to"),
    ("Collector Lost", "a collector cannot be reached"),
    ("Configuration Changed", "the node started with another configuration than before"),
    ("Confirm Destruction", "what an HSM member answered when a domain was destroyed"),
    ("Connect", "peers whom nobody knows did not get in, counted"),
    ("Create Authority", "a domain got its certificate authority"),
    ("Create Backup", "a backup was taken"),
    ("Create Domain", "a domain was made"),
    ("Deactivate", "the date of an object's deactivation came"),
    ("Destroy Domain", "a domain was destroyed"),
    ("Destroy Domain Key", "a former Domain Key was destroyed after a rotation"),
    ("Drop Records", "retention dropped records"),
    ("Execute Request", "an act that was asked for was refused when it was to be done"),
    ("Export Audit", "records of a log were read"),
    ("Freeze Domain", "a domain was frozen"),
    ("HSM Member Lost", "an HSM member does not answer"),
    ("HSM Member Stopped", "an HSM member takes no part any more"),
    ("HSM Member Up", "an HSM member answers"),
    ("Initialize", "the store was made"),
    ("Interval", "the heads of all logs at a moment"),
    ("Issue Client", "a client's certificate was issued"),
    ("Keep Domain", "freezing, thawing, rotating a domain was refused to the role"),
    ("Keep Records", "setting retention and holds was refused to the role"),
    ("Lift Legal Hold", "a legal hold was lifted"),
    ("List Administrators", "administrators were listed"),
    ("List Backups", "backups were listed"),
    ("List Clients", "clients were listed"),
    ("List Domains", "domains were listed"),
    ("List Objects", "objects were listed"),
    ("List Requests", "requests were listed"),
    ("Manage Clients", "managing clients was refused to the role"),
    ("Manage Objects", "revoking and destroying objects was refused to the role"),
    ("Prove Audit", "a proof was made"),
    ("Read Audit", "reading a log was refused to the role"),
    ("Read Backups", "listing backups was refused to the role"),
    ("Read Domain", "reading domains was refused to the role"),
    ("Read Node", "reading the node's state was refused to the role"),
    ("Read Requests", "reading requests was refused to the role"),
    ("Read Tile", "a tile of a log was read"),
    ("Register Administrator", "an administrator was registered"),
    ("Register Client", "a client was registered"),
    ("Remove Credential", "a client lost a user or device"),
    ("Report Compromise", "an object became compromised"),
    ("Reseal", "rows were sealed under a new Domain Key"),
    ("Restore Domain", "a domain came back from a backup"),
    ("Restore Object", "an object came back from a backup"),
    ("Restore Store", "the store was built from a backup"),
    ("Revoke Administrator", "an administrator was revoked"),
    ("Revoke Client", "a client was revoked"),
    ("Rotate Domain Key", "a domain got another Domain Key"),
    ("Set Access", "what a client's login reaches was set"),
    ("Set Legal Hold", "a legal hold was set"),
    ("Set Retention", "how long a log is kept was set"),
    ("Show Domain", "a domain was shown"),
    ("Show HSM Status", "the HSM group was shown"),
    ("Show Health", "the node's health was shown"),
    ("Show Object", "an object was shown"),
    ("Show Request", "a request was shown"),
    ("Show Retention", "how long a log is kept was shown"),
    ("Show Trust Anchor", "the trust anchor was shown"),
    ("Start", "the node started"),
    ("Stop", "the node stopped in order"),
    ("Thaw Domain", "a domain was thawed"),
    ("Verify Backup", "a backup was opened and compared"),
    ("Verify Domain", "a domain was held against its log"),
    ("Withdraw Request", "a request was taken back"),
    ("Witness Back", "a witness answers again"),
    ("Witness Lost", "a witness does not answer"),
    ("Witness Rebased", "a witness was told to forget"),
    ("Witnesses Back", "enough witnesses co-sign again"),
    ("Witnesses Lost", "fewer witnesses co-sign than have to"),
    ("unknown operation", "a client asked for an operation that no version of KMIP has"),
    ("unreadable message", "what a client sent could not be read"),
];

/// What the event of this name means; `None` where the server writes none such of its own.
#[must_use]
pub fn meaning(name: &str) -> Option<&'static str> {
    let at = EVENTS.binary_search_by_key(&name, |(name, _)| name).ok()?;
    EVENTS.get(at).map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_OPERATION_LEN;

    #[test]
    fn each_event_stands_once_and_is_found() {
        assert!(EVENTS.is_sorted_by(|(one, _), (next, _)| one < next));
        assert!(EVENTS.iter().all(|(name, text)| name.len() <= MAX_OPERATION_LEN && meaning(name) == Some(text)));
        assert_eq!(meaning("Get"), None);
    }

    #[test]
    fn the_names_that_formats_rest_on_are_events() {
        for name in [
            crate::destruction::DESTROY_DOMAIN,
            crate::destruction::CONFIRM,
            crate::retention::OPERATION,
            crate::witness::INTERVAL,
        ] {
            assert!(meaning(name).is_some(), "{name}");
        }
    }
}
