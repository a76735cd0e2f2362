//! The attributes of an object as a client sees them: columns of the row and the rest, one list.
//!
//! What decides anything (state, dates, algorithm, mask) is a column of the row and exists only there; everything else
//! is in the row's attribute list. This file is the one place that puts the two together and takes them apart.

use keystore::ObjectRow;
use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeKind, AttributeValue, RevocationReason};
use kmip::registry::{CryptographicAlgorithm, UsageMask};
use kmip::ttlv::{DateTime, Interval, Wire};
pub use policy::attributes::is_cryptographic;

use crate::node::sealing::identifier_text;

/// The operation policy of objects for which nobody named one. KMIP 1.4 §3.18.2; whom it takes for the owner says
/// `login.rs`.
const DEFAULT_OPERATION_POLICY: &str = "default";

/// For whom attributes are told.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// In the words of this version.
    pub version: ProtocolVersion,
    /// The lease that every cryptographic object is granted on this node, in seconds.
    pub lease_s: u32,
}

/// Every attribute of the object that a client of the view's version knows.
#[must_use]
pub fn visible(row: &ObjectRow, view: View) -> Vec<Attribute> {
    let version = view.version;
    let mut all = of_columns(row, view);
    all.retain(|attribute| attribute.known_in(version));
    all.extend(row.attributes.iter().filter(|attribute| attribute.known_in(version)).cloned());
    all
}

/// The instances of the attribute called `name`, in the order of their indexes.
#[must_use]
pub fn instances(row: &ObjectRow, view: View, name: &str) -> Vec<Attribute> {
    let mut found: Vec<_> = visible(row, view).into_iter().filter(|attribute| attribute.value.name() == name).collect();
    found.sort_by_key(|attribute| attribute.index.unwrap_or(0));
    found
}

/// The names of all attributes, each once.
#[must_use]
pub fn names(row: &ObjectRow, view: View) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for attribute in visible(row, view) {
        if !names.iter().any(|name| name == attribute.value.name()) {
            names.push(attribute.value.name().to_owned());
        }
    }
    names
}

/// The attributes that are columns of the row. What costs something to say is said only where the version knows it.
fn of_columns(row: &ObjectRow, View { version, lease_s }: View) -> Vec<Attribute> {
    use AttributeValue as V;
    let cryptographic = is_cryptographic(row.object_type);
    let dates = &row.dates;
    let identifier = identifier_text(row.id);
    let short = AttributeKind::ShortUniqueIdentifier.is_known_to(version).then(|| short_of(&identifier));
    let mut values = vec![V::UniqueIdentifier(identifier)];
    values.extend(short.map(V::ShortUniqueIdentifier));
    values.push(V::ObjectType(row.object_type));
    values.extend(row.algorithm.map(|algorithm| V::CryptographicAlgorithm(as_known(algorithm, version))));
    values.extend(row.length.map(V::CryptographicLength));
    if cryptographic {
        values.push(V::CryptographicUsageMask(uses_known(row.usage_mask, version)));
        values.push(V::LeaseTime(Interval(lease_s)));
        values.push(V::State(row.state));
        values.push(V::Fresh(row.fresh));
    } else if !row.usage_mask.is_empty() {
        values.push(V::CryptographicUsageMask(uses_known(row.usage_mask, version)));
    }
    values.push(V::InitialDate(DateTime(dates.initial)));
    values.extend(dates.activation.map(|at| V::ActivationDate(DateTime(at))));
    values.extend(dates.process_start.map(|at| V::ProcessStartDate(DateTime(at))));
    values.extend(dates.protect_stop.map(|at| V::ProtectStopDate(DateTime(at))));
    values.extend(dates.deactivation.map(|at| V::DeactivationDate(DateTime(at))));
    values.extend(dates.destroy.map(|at| V::DestroyDate(DateTime(at))));
    values.extend(dates.compromise_occurrence.map(|at| V::CompromiseOccurrenceDate(DateTime(at))));
    values.extend(dates.compromise.map(|at| V::CompromiseDate(DateTime(at))));
    values.extend(row.revocation.as_ref().map(|revocation| {
        V::RevocationReason(RevocationReason { code: revocation.code, message: revocation.message.clone() })
    }));
    values.extend(dates.archive.map(|at| V::ArchiveDate(DateTime(at))));
    values.push(V::LastChangeDate(DateTime(dates.last_change)));
    if !row.attributes.iter().any(|one| one.kind() == AttributeKind::OperationPolicyName) {
        values.push(V::OperationPolicyName(DEFAULT_OPERATION_POLICY.to_owned()));
    }
    values.into_iter().map(Attribute::new).collect()
}

/// The uses without those that other versions name: 2.0 took some away and added others.
fn uses_known(mask: UsageMask, version: ProtocolVersion) -> UsageMask {
    UsageMask(UsageMask::TABLE.mask_in(mask.0, version))
}

/// Before 1.2 a key on a curve was one for ECDSA or ECDH; what it is for says the mask.
fn as_known(algorithm: CryptographicAlgorithm, version: ProtocolVersion) -> CryptographicAlgorithm {
    match algorithm {
        CryptographicAlgorithm::Ec if !algorithm.is_known_to(version) => CryptographicAlgorithm::Ecdsa,
        other => other,
    }
}

/// SHA-256 of the identifier, as KMIP 2.1 §4.56 would have it.
fn short_of(identifier: &str) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, identifier.as_bytes()).as_ref().to_vec()
}

/// Where an attribute that a client set is kept.
pub enum Place {
    /// It became a column of the row.
    Column,
    /// It belongs into the row's list.
    List(AttributeValue),
}

/// Puts a client-set value into the column it belongs to, or hands it back for the list.
pub fn set_column(row: &mut ObjectRow, value: AttributeValue) -> Place {
    use AttributeValue as V;
    let dates = &mut row.dates;
    match value {
        V::CryptographicAlgorithm(algorithm) => row.algorithm = Some(algorithm),
        V::CryptographicLength(length) => row.length = Some(length),
        V::CryptographicUsageMask(mask) => row.usage_mask = mask,
        V::ActivationDate(DateTime(at)) => dates.activation = Some(at),
        V::ProcessStartDate(DateTime(at)) => dates.process_start = Some(at),
        V::ProtectStopDate(DateTime(at)) => dates.protect_stop = Some(at),
        V::DeactivationDate(DateTime(at)) => dates.deactivation = Some(at),
        V::Fresh(fresh) => row.fresh = fresh,
        other => return Place::List(other),
    }
    Place::Column
}

/// Whether the row keeps attributes of this kind in a column.
#[must_use]
pub fn is_column(kind: AttributeKind) -> bool {
    use AttributeKind as K;
    matches!(
        kind,
        K::UniqueIdentifier
            | K::ShortUniqueIdentifier
            | K::ObjectType
            | K::CryptographicAlgorithm
            | K::CryptographicLength
            | K::CryptographicUsageMask
            | K::LeaseTime
            | K::State
            | K::Fresh
            | K::InitialDate
            | K::ActivationDate
            | K::ProcessStartDate
            | K::ProtectStopDate
            | K::DeactivationDate
            | K::DestroyDate
            | K::CompromiseOccurrenceDate
            | K::CompromiseDate
            | K::RevocationReason
            | K::ArchiveDate
            | K::LastChangeDate
    )
}

/// Appends a value to the row's list under the next free index of its name. Indexes are never used twice.
pub fn append(row: &mut ObjectRow, mut value: AttributeValue) -> Attribute {
    // Of limits that nobody has used, all is left (KMIP 1.4 §3.21).
    if let AttributeValue::UsageLimits(limits) = &mut value {
        limits.count = limits.count.or(limits.total);
    }
    let next = row
        .attributes
        .iter()
        .filter(|one| one.value.name() == value.name())
        .map(|one| one.index.unwrap_or(0).saturating_add(1))
        .max()
        .unwrap_or(0);
    let attribute = Attribute { index: Some(next), value };
    row.attributes.push(attribute.clone());
    attribute
}

/// The attribute as it stands inside an object or beside one: index 0 is left out (KMIP 1.4 §2.1.1).
#[must_use]
pub fn unnumbered(mut attribute: Attribute) -> Attribute {
    attribute.index = attribute.index.filter(|index| *index != 0);
    attribute
}

/// The attribute as it is answered: index 0 is told where there may be an index 1, because clients take it from there to
/// say which instance they mean (KMIP 1.4 §2.1.1 leaves it open). Versions without indexes have none.
#[must_use]
pub fn answered(attribute: Attribute) -> Attribute {
    if attribute.rules().multiple_instances { attribute } else { unnumbered(attribute) }
}
