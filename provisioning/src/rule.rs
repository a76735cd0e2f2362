//! What a rule is, and what is found when one is broken.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::ids::{DatastoreId, DiskId, KeyId, KeyProviderId, SnapshotId, VStackId, VmId};
use crate::inventory::{Inventory, PowerState, Tenant, VStack, Vm};
use crate::permission::Permission;
use crate::plan::{Change, EncryptRequest};
use crate::sku::Sku;
use crate::units::Bytes;

/// What a broken rule means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The request is refused.
    Reject,
    /// The request goes through; a person is told.
    Warn,
    /// Measured over time, for service levels and billing.
    Metric,
    /// Only the operator can do it, after a service request.
    ServiceRequest,
    /// A fact of the platform that nothing can break.
    Fact,
}

/// Where a rule comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// A numbered promise to the customer, such as R68b: the number, and a letter or `None`.
    Promise(u8, Option<char>),
    /// A precondition that the flow itself has, with no promise behind it.
    Flow,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Promise(number, None) => write!(f, "R{number}"),
            Self::Promise(number, Some(letter)) => write!(f, "R{number}{letter}"),
            Self::Flow => f.write_str("flow"),
        }
    }
}

/// One rule of the platform.
pub struct Rule {
    /// A name that never changes; programs switch on it.
    pub id: &'static str,
    /// Its number.
    pub number: Number,
    /// What breaking it means.
    pub kind: Kind,
    /// The words of the service description that promise it, in their language; empty for a rule of the flow.
    pub source: &'static str,
    /// Why it exists, in a sentence for the person who is refused.
    pub why: &'static str,
    /// Looks at one case and adds what it finds; says nothing about cases that do not concern it.
    pub check: fn(&Case<'_>, &mut Findings),
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({} {})", self.number, self.id)
    }
}

impl PartialEq for Rule {
    /// Rules are equal when their ids are: a test makes sure that no two share one.
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

/// What a rule is asked about.
pub enum Case<'a> {
    /// A VM of the asking tenant is to be encrypted.
    Encrypt(Encryption<'a>),
    /// Something in the inventory is to change.
    Change {
        /// What exists before the change.
        inventory: &'a Inventory,
        /// What is to change; everything it names exists.
        change: &'a Change,
    },
}

/// A request to encrypt, with everything it refers to looked up.
pub struct Encryption<'a> {
    /// What exists.
    pub inventory: &'a Inventory,
    /// The request.
    pub request: &'a EncryptRequest,
    /// The VM, which belongs to the asking tenant.
    pub vm: &'a Vm,
    /// Its vStack.
    pub vstack: &'a VStack,
    /// Its tenant.
    pub tenant: &'a Tenant,
    /// The subscription that the region of the vStack asks for.
    pub subscription: Sku,
}

/// The facts that break a rule. `Display` is the sentence for a person; the fields are for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the fields are the evidence itself, and Display says what each means")]
pub enum Evidence {
    UnknownVm { vm: VmId },
    UnknownDisk { vm: VmId, disk: DiskId },
    UnknownDatastore { datastore: DatastoreId },
    NotSubscribed { sku: Sku },
    PermissionsMissing { permissions: Vec<Permission> },
    NoKeyProvider { vstack: VStackId },
    KeyProviderDisabled { vstack: VStackId, provider: KeyProviderId },
    AlreadyEncrypted { vm: VmId, provider: KeyProviderId, key: KeyId },
    TestMode { vm: VmId },
    NotPoweredOff { vm: VmId, power: PowerState },
    HasSnapshots { vm: VmId, snapshots: Vec<SnapshotId> },
    IsReplicated { vm: VmId, paused: bool },
    OnGlobalMirror { vm: VmId, disks: Vec<(DiskId, DatastoreId)> },
    NoSpace { shortages: Vec<Shortage> },
    EncryptedToGlobalMirror { vm: VmId, disk: DiskId, datastore: DatastoreId },
    MirrorUnderEncrypted { datastore: DatastoreId, vms: Vec<VmId> },
    ReplicationOfEncrypted { vm: VmId },
}

/// A datastore that cannot hold the encrypted copies beside the originals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shortage {
    /// The datastore.
    pub datastore: DatastoreId,
    /// Bytes that the copies take.
    pub needed: Bytes,
    /// Bytes that are free.
    pub free: Bytes,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownVm { vm } => write!(f, "there is no VM \"{vm}\" in this tenant"),
            Self::UnknownDisk { vm, disk } => write!(f, "VM \"{vm}\" has no disk \"{disk}\""),
            Self::UnknownDatastore { datastore } => write!(f, "there is no datastore \"{datastore}\" in this tenant"),
            Self::NotSubscribed { sku } => write!(f, "the tenant has not subscribed to {sku}"),
            Self::PermissionsMissing { permissions } => write!(f, "missing permission: {}", list(permissions)),
            Self::NoKeyProvider { vstack } => write!(f, "no key provider is configured on the vStack \"{vstack}\""),
            Self::KeyProviderDisabled { vstack, provider } => {
                write!(f, "the key provider \"{provider}\" of the vStack \"{vstack}\" is not enabled")
            }
            Self::AlreadyEncrypted { vm, provider, key } => {
                write!(f, "VM \"{vm}\" is already encrypted, with key {key} of provider \"{provider}\"")
            }
            Self::TestMode { vm } => write!(f, "VM \"{vm}\" is a restore test"),
            Self::NotPoweredOff { vm, power } => write!(f, "VM \"{vm}\" is {}; power it off first", power_text(*power)),
            Self::HasSnapshots { vm, snapshots } => {
                write!(f, "VM \"{vm}\" has snapshots: {}; delete them first", list(snapshots))
            }
            Self::IsReplicated { vm, paused } => {
                let state = if *paused { "paused, not removed" } else { "active" };
                write!(f, "the replication of VM \"{vm}\" is {state}; remove it first")
            }
            Self::OnGlobalMirror { vm, disks } => {
                let disks: Vec<String> = disks.iter().map(|(disk, lun)| format!("{disk} on {lun}")).collect();
                write!(f, "VM \"{vm}\" lies on a LUN replicated by Global Mirror: {}; move it first", list(&disks))
            }
            Self::NoSpace { shortages } => {
                let each: Vec<String> = shortages.iter().map(ToString::to_string).collect();
                write!(f, "not enough free space for the encrypted copies: {}", list(&each))
            }
            Self::EncryptedToGlobalMirror { vm, disk, datastore } => {
                write!(
                    f,
                    "disk \"{disk}\" of the encrypted VM \"{vm}\" cannot move to the mirrored LUN \"{datastore}\""
                )
            }
            Self::MirrorUnderEncrypted { datastore, vms } => {
                write!(f, "LUN \"{datastore}\" cannot be mirrored: it holds encrypted VMs: {}", list(vms))
            }
            Self::ReplicationOfEncrypted { vm } => write!(f, "VM \"{vm}\" is encrypted and cannot be replicated"),
        }
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} needs {}, has {}", self.datastore, self.needed, self.free)
    }
}

/// A rule that is broken, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The facts that break it.
    pub evidence: Evidence,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule.number {
            Number::Flow => write!(f, "{}: {}", self.rule.id, self.evidence),
            number => write!(f, "{number} {}: {}", self.rule.id, self.evidence),
        }
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Finding", 6)?;
        fields.serialize_field("rule", self.rule.id)?;
        fields.serialize_field("number", &self.rule.number.to_string())?;
        fields.serialize_field("kind", &self.rule.kind)?;
        fields.serialize_field("message", &self.evidence.to_string())?;
        fields.serialize_field("why", self.rule.why)?;
        fields.serialize_field("evidence", &self.evidence)?;
        fields.end()
    }
}

/// Collects what the rules find, each under the rule that found it.
#[derive(Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Adds a finding of `rule`.
    pub fn push(&mut self, rule: &'static Rule, evidence: Evidence) {
        self.0.push(Finding { rule, evidence });
    }

    /// What was found, in the order of the rules asked.
    #[must_use]
    pub fn into_vec(self) -> Vec<Finding> {
        self.0
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

const fn power_text(power: PowerState) -> &'static str {
    match power {
        PowerState::Off => "powered off",
        PowerState::On => "powered on",
        PowerState::Suspended => "suspended",
        PowerState::Processing => "being processed",
        PowerState::HostDisconnected => "on a host that does not answer",
        PowerState::Invalid => "invalid",
    }
}
