//! Which objects have which attributes, and which operations set them unasked: the specification's tables, and over them
//! the [deviations](super::deviations).

use kmip::{
    ProtocolVersion,
    attribute::AttributeKind,
    registry::{ObjectType, Operation},
};

use super::deviations::{IMPLICIT, NOT_CARRIED_OVER, REPLACING, SAME_WORK, TYPES};

/// Whether objects of this type may have the attribute, for a client of `version`. KMIP 1.4 §3, 2.1 §4.
///
/// 1.x names the types of each attribute, 2.x gives nearly all to all. In a version that does not know the attribute no
/// object has it.
#[must_use]
pub fn applies(kind: AttributeKind, object_type: ObjectType, version: ProtocolVersion) -> bool {
    let mut here =
        TYPES.iter().filter(|one| one.kinds.contains(&kind) && version.is_within(one.since, one.until)).peekable();
    let by_table = || kind.rules().types_in(version).contains(&object_type);
    match here.peek() {
        Some(one) if one.but_not.contains(&object_type) => false,
        Some(one) if one.and.contains(&object_type) => true,
        _ => by_table(),
    }
}

/// Whether `operation` may give an object a value of the attribute that nobody told it. KMIP 1.4 §3, 2.1 §4, "When
/// implicitly set".
#[must_use]
pub fn sets_implicitly(operation: Operation, kind: AttributeKind) -> bool {
    let by = |operation: &Operation| {
        kind.rules().implicitly_set_by.contains(operation)
            || IMPLICIT.iter().any(|one| one.kinds.contains(&kind) && one.by.contains(operation))
            || (REPLACING.contains(operation) && is_carried_over(kind))
    };
    by(&operation) || SAME_WORK.iter().any(|one| one.operation == operation && one.as_if.iter().any(by))
}

/// Whether a replacement has what the object had that it replaces. KMIP 1.4 §4.4, §4.5, §4.8.
#[must_use]
pub fn is_carried_over(kind: AttributeKind) -> bool {
    !NOT_CARRIED_OVER.contains(&kind)
}

/// Managed Cryptographic Objects: all but opaque ones and templates. KMIP 1.4 §2.2.
#[must_use]
pub const fn is_cryptographic(object_type: ObjectType) -> bool {
    match object_type {
        ObjectType::Certificate
        | ObjectType::SymmetricKey
        | ObjectType::PublicKey
        | ObjectType::PrivateKey
        | ObjectType::SplitKey
        | ObjectType::SecretData
        | ObjectType::PgpKey
        | ObjectType::CertificateRequest => true,
        ObjectType::Template | ObjectType::OpaqueObject => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_version_decides() {
        let link = AttributeKind::Link;
        assert!(!applies(link, ObjectType::OpaqueObject, ProtocolVersion::V1_4));
        assert!(applies(link, ObjectType::OpaqueObject, ProtocolVersion::V2_0));
        let level = AttributeKind::ProtectionLevel;
        assert!(!applies(level, ObjectType::SymmetricKey, ProtocolVersion::V1_4));
        assert!(applies(level, ObjectType::SymmetricKey, ProtocolVersion::V2_1));
    }

    #[test]
    fn deviations_go_over_the_table() {
        let stop = AttributeKind::ProtectStopDate;
        assert!(applies(stop, ObjectType::PrivateKey, ProtocolVersion::V1_2));
        assert!(!applies(stop, ObjectType::OpaqueObject, ProtocolVersion::V1_2));
        assert!(!applies(AttributeKind::KeyFormatType, ObjectType::OpaqueObject, ProtocolVersion::V2_1));
    }

    #[test]
    fn what_a_replacement_does_not_inherit_is_set_only_where_a_table_says_so() {
        assert!(sets_implicitly(Operation::ReKey, AttributeKind::Description));
        assert!(!sets_implicitly(Operation::Create, AttributeKind::Description));
        assert!(!sets_implicitly(Operation::ReKey, AttributeKind::KeyValuePresent));
        assert!(sets_implicitly(Operation::Import, AttributeKind::KeyValuePresent));
    }

    #[test]
    fn no_attribute_of_a_version_has_two_deviations() {
        for kind in AttributeKind::ALL {
            for version in kmip::message::SUPPORTED_VERSIONS {
                let count = TYPES
                    .iter()
                    .filter(|one| one.kinds.contains(kind) && version.is_within(one.since, one.until))
                    .count();
                assert!(count <= 1, "{} in {version}", kind.text());
            }
        }
    }
}
