//! Managed objects, as administrators see them: everything but the key bytes.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::text::Fingerprint;

/// A managed object without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Unique Identifier.
    pub id: Uuid,
    /// Object Type, `Symmetric Key`.
    pub object_type: String,
    /// State, `Pre-Active` (KMIP 1.4 §3.22), as of the time of the answer.
    pub state: String,
    /// Cryptographic Algorithm, `AES`.
    pub algorithm: Option<String>,
    /// Cryptographic Length in bits.
    pub length: Option<i32>,
    /// Cryptographic Usage Mask, one name per bit, `Encrypt`.
    pub usage: Vec<String>,
    /// Values of the Name attribute.
    pub names: Vec<String>,
    /// The dates of its life.
    pub dates: ObjectDates,
    /// Why it was revoked.
    pub revocation: Option<Revocation>,
    /// All other attributes, vendor attributes included, as text.
    pub attributes: Vec<NamedValue>,
    /// The client that made it.
    pub owner: Fingerprint,
    /// Counts its changes, from 1.
    pub revision: u64,
}

/// The dates of an object's life (KMIP 1.4 §3.23 to §3.31), seconds since the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectDates {
    /// Initial Date.
    pub initial: i64,
    /// Activation Date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activation: Option<i64>,
    /// Process Start Date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_start: Option<i64>,
    /// Protect Stop Date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protect_stop: Option<i64>,
    /// Deactivation Date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deactivation: Option<i64>,
    /// Destroy Date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destroy: Option<i64>,
    /// Compromise Occurrence Date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compromise_occurrence: Option<i64>,
    /// Compromise Date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compromise: Option<i64>,
    /// Archive Date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<i64>,
    /// Last Change Date.
    pub last_change: i64,
}

/// Why an object was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Revocation Reason Code as text, `Key Compromise`.
    pub code: String,
    /// Revocation Message.
    pub message: Option<String>,
}

/// An attribute as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedValue {
    /// Attribute Name, `x-Vendor-Tag`.
    pub name: String,
    /// The value as text.
    pub value: String,
}

/// A page of objects in the order of their identifiers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectPage {
    /// At most `limit` of them.
    pub objects: Vec<Object>,
    /// What to pass as `after` for the next page; nothing on the last.
    pub next: Option<Uuid>,
}

/// Revokes an object (KMIP 1.4 §4.20). A compromise makes it Compromised, any other reason deactivates it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeObject {
    /// Why.
    pub reason: RevocationReason,
    /// A sentence for the record, at most 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When the compromise is believed to have happened, seconds since the epoch; for the two compromises only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compromise_occurrence: Option<i64>,
}

/// Revocation Reason Code (KMIP 1.4 §9.1.3.2.19).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    /// Unspecified.
    Unspecified,
    /// Key Compromise.
    KeyCompromise,
    /// CA Compromise.
    CaCompromise,
    /// Affiliation Changed.
    AffiliationChanged,
    /// Superseded.
    Superseded,
    /// Cessation of Operation.
    CessationOfOperation,
    /// Privilege Withdrawn.
    PrivilegeWithdrawn,
}
