//! Which role may do what over the admin API: one table, checked at every call.

use policy::access::Actor;

/// What is done over the admin API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// State of node and HSM group, trust anchor.
    ReadNode,
    /// Domains, clients, objects as they are.
    ReadDomain,
    /// Makes a domain.
    CreateDomain,
    /// Freezes and thaws a domain, rotates its Domain Key.
    KeepDomain,
    /// Registers, issues, revokes clients.
    ManageClients,
    /// Revokes and destroys objects.
    ManageObjects,
    /// Exports a log, or has its head signed.
    ReadAudit,
    /// Compares a domain's rows with its log.
    VerifyDomain,
    /// Shows administrators and requests.
    ReadRequests,
    /// Asks for what several officers must approve, has it executed, takes it back.
    AskForApproval,
    /// Hands in approvals; that they are of officers is proved by their signatures.
    HandInApproval,
    /// Has a backup taken.
    TakeBackup,
    /// Shows which backups there are.
    ReadBackups,
    /// Has everything in a backup opened and reported on.
    VerifyBackup,
    /// Says how long a log is kept, sets and lifts legal holds.
    KeepRecords,
}

impl Act {
    /// Every act.
    #[cfg(test)]
    pub const ALL: [Self; 15] = [
        Self::ReadNode,
        Self::ReadDomain,
        Self::CreateDomain,
        Self::KeepDomain,
        Self::ManageClients,
        Self::ManageObjects,
        Self::ReadAudit,
        Self::VerifyDomain,
        Self::ReadRequests,
        Self::AskForApproval,
        Self::HandInApproval,
        Self::TakeBackup,
        Self::ReadBackups,
        Self::VerifyBackup,
        Self::KeepRecords,
    ];

    /// How a record names an act that was refused to a role.
    pub const fn text(self) -> &'static str {
        match self {
            Self::ReadNode => "Read Node",
            Self::ReadDomain => "Read Domain",
            Self::CreateDomain => "Create Domain",
            Self::KeepDomain => "Keep Domain",
            Self::ManageClients => "Manage Clients",
            Self::ManageObjects => "Manage Objects",
            Self::ReadAudit => "Read Audit",
            Self::VerifyDomain => "Verify Domain",
            Self::ReadRequests => "Read Requests",
            Self::AskForApproval => "Ask Approval",
            Self::HandInApproval => "Approve Request",
            Self::TakeBackup => "Create Backup",
            Self::ReadBackups => "Read Backups",
            Self::VerifyBackup => "Verify Backup",
            Self::KeepRecords => "Keep Records",
        }
    }
}

/// Whether an actor of this role may do `act`. A client may do nothing here.
#[must_use]
pub fn may(actor: Actor, act: Act) -> bool {
    match (act, actor) {
        (_, Actor::Client) => false,
        (
            Act::ReadNode | Act::ReadDomain | Act::ReadRequests | Act::ReadBackups,
            Actor::Operator | Actor::Officer | Actor::Auditor,
        ) => true,
        (Act::CreateDomain | Act::ManageClients | Act::TakeBackup, actor) => actor == Actor::Operator,
        (Act::KeepDomain | Act::ManageObjects | Act::AskForApproval | Act::HandInApproval, actor) => {
            matches!(actor, Actor::Operator | Actor::Officer)
        }
        // Whoever runs the node does not say what is forgotten of it.
        (Act::KeepRecords, actor) => actor == Actor::Officer,
        // The operator exports for a tenant who asks; the tenant verifies without trusting the operator.
        (Act::ReadAudit | Act::VerifyDomain | Act::VerifyBackup, actor) => {
            matches!(actor, Actor::Operator | Actor::Auditor)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_what_was_agreed() {
        let table: Vec<_> = Act::ALL.into_iter().map(|act| Actor::ALL.map(|actor| may(actor, act))).collect();
        let [client, operator, officer, auditor] =
            [0, 1, 2, 3].map(|who| table.iter().map(|row| row[who]).collect::<Vec<_>>());
        assert_eq!(client, [false; 15]);
        assert_eq!(operator, [[true; 14].as_slice(), &[false]].concat());
        assert_eq!(
            officer,
            [true, true, false, true, false, true, false, false, true, true, true, false, true, false, true]
        );
        assert_eq!(
            auditor,
            [true, true, false, false, false, false, true, true, true, false, false, false, true, true, false]
        );
    }
}
