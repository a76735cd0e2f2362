//! Rows of the store as the admin API shows them. Never a key byte.

use admin_api as api;
use keystore::{DomainState, IdentityKind, IdentityRow, ObjectRow, Permissions};
use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeKind, AttributeValue};
use kmip::registry::UsageMask;
use uuid::Uuid;

use super::credentials::{told_access, told_credential};
use crate::attributes::{self, View};
use crate::node::directory::Domain;

/// The version in whose words attributes are shown.
const SHOWN_IN: ProtocolVersion = ProtocolVersion::V1_4;

pub(super) fn domain(domain: &Domain, objects: Option<u64>, clients: usize) -> api::Domain {
    api::Domain {
        id: Uuid::from_bytes(domain.row.id),
        name: domain.row.name.clone(),
        state: match domain.row.state {
            DomainState::Active => api::DomainState::Active,
            DomainState::Frozen => api::DomainState::Frozen,
            DomainState::Destroyed => api::DomainState::Destroyed,
        },
        created: domain.row.created_us.div_euclid(1_000_000),
        policy: domain.row.policy.clone(),
        allow: api::Permission::ALL.into_iter().filter(|one| domain.row.permissions.allow(permission(*one))).collect(),
        key_version: domain.key.current.version,
        former_key_version: domain.key.former.as_ref().map(|former| former.version),
        objects,
        clients: u64::try_from(clients).unwrap_or(u64::MAX),
    }
}

pub(super) fn verification(verification: keystore::Verification) -> api::Verification {
    let finding =
        |one: keystore::Finding| api::Finding { table: one.table.to_owned(), row: one.row, what: one.what.to_owned() };
    api::Verification {
        objects: verification.objects,
        records: verification.records,
        found: verification.found,
        findings: verification.findings.into_iter().map(finding).collect(),
    }
}

pub(super) fn client(row: &IdentityRow) -> api::Client {
    let facts = certs::CertificateFacts::of(&row.certificate).ok();
    api::Client {
        fingerprint: api::Fingerprint(row.fingerprint),
        name: row.name.clone(),
        subject: facts.as_ref().map(|facts| facts.subject.clone()).unwrap_or_default(),
        not_after: facts.map_or(0, |facts| facts.not_after),
        alone: api::ClientAccess { access: told_access(&row.access), credential_demanded: row.credential_demanded },
        credentials: row.credentials.iter().map(told_credential).collect(),
        revoked: row.revoked,
        created: row.created_us.div_euclid(1_000_000),
    }
}

pub(super) fn administrator(row: &IdentityRow) -> api::Administrator {
    let facts = certs::CertificateFacts::of(&row.certificate).ok();
    api::Administrator {
        fingerprint: api::Fingerprint(row.fingerprint),
        name: row.name.clone(),
        role: match &row.kind {
            IdentityKind::Admin { role } => role.clone(),
            IdentityKind::Client => "client".to_owned(),
        },
        subject: facts.as_ref().map(|facts| facts.subject.clone()).unwrap_or_default(),
        not_after: facts.map_or(0, |facts| facts.not_after),
        approves: super::protected::approver(row).is_some(),
        revoked: row.revoked,
        created: row.created_us.div_euclid(1_000_000),
    }
}

pub(super) fn object(row: &ObjectRow, lease_s: u32) -> api::Object {
    let dates = &row.dates;
    let names = row.attributes.iter().filter_map(|one| match &one.value {
        AttributeValue::Name(name) => Some(name.value.clone()),
        _ => None,
    });
    api::Object {
        id: Uuid::from_bytes(row.id),
        object_type: row.object_type.text().to_owned(),
        state: row.state.text().to_owned(),
        algorithm: row.algorithm.map(|algorithm| algorithm.text().to_owned()),
        length: row.length,
        usage: usage(row.usage_mask),
        names: names.collect(),
        dates: api::ObjectDates {
            initial: dates.initial,
            activation: dates.activation,
            process_start: dates.process_start,
            protect_stop: dates.protect_stop,
            deactivation: dates.deactivation,
            destroy: dates.destroy,
            compromise_occurrence: dates.compromise_occurrence,
            compromise: dates.compromise,
            archive: dates.archive,
            last_change: dates.last_change,
        },
        revocation: row.revocation.as_ref().map(|revocation| api::Revocation {
            code: revocation.code.text().to_owned(),
            message: revocation.message.clone(),
        }),
        attributes: attributes::visible(row, View { version: SHOWN_IN, lease_s })
            .iter()
            .filter_map(named_value)
            .collect(),
        owner: api::Fingerprint(row.owner),
        revision: row.revision,
    }
}

fn usage(mask: UsageMask) -> Vec<String> {
    UsageMask::ALL.iter().filter(|bit| mask.contains(**bit)).map(ToString::to_string).collect()
}

/// Attributes that have no field of their own, in the text form of their TTLV.
fn named_value(attribute: &Attribute) -> Option<api::NamedValue> {
    let kind = attribute.value.kind();
    if kind == AttributeKind::Name || attributes::is_column(kind) {
        return None;
    }
    let bytes = attribute.value.canonical_bytes();
    let text = kmip::text::render(&bytes);
    let value = text.lines().map(str::trim).collect::<Vec<_>>().join("; ");
    Some(api::NamedValue { name: attribute.value.name().to_owned(), value })
}

/// The bit of the store that a permission is.
pub(super) fn permission(permission: api::Permission) -> Permissions {
    match permission {
        api::Permission::Export => Permissions::EXPORT,
        api::Permission::Import => Permissions::IMPORT,
        api::Permission::WrappedGet => Permissions::WRAPPED_GET,
        api::Permission::ReProvision => Permissions::RE_PROVISION,
        api::Permission::DefaultGroup => Permissions::DEFAULT_GROUP,
    }
}
