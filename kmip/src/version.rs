//! The version of the protocol that a message is written in.

use std::fmt;

/// A version of KMIP. Ordered as versions are.
///
/// Numbers are signed because that is how they travel: two Integers in `Protocol Version` (KMIP 1.4 §6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProtocolVersion {
    /// Messages of different major versions do not understand each other.
    pub major: i32,
    /// Within a major version, a newer minor version only adds.
    pub minor: i32,
}

impl ProtocolVersion {
    /// KMIP 1.0.
    pub const V1_0: Self = Self { major: 1, minor: 0 };
    /// KMIP 1.1, what vCenter speaks.
    pub const V1_1: Self = Self { major: 1, minor: 1 };
    /// KMIP 1.2.
    pub const V1_2: Self = Self { major: 1, minor: 2 };
    /// KMIP 1.3.
    pub const V1_3: Self = Self { major: 1, minor: 3 };
    /// KMIP 1.4.
    pub const V1_4: Self = Self { major: 1, minor: 4 };
    /// KMIP 2.0.
    pub const V2_0: Self = Self { major: 2, minor: 0 };
    /// KMIP 2.1.
    pub const V2_1: Self = Self { major: 2, minor: 1 };

    /// No version of the protocol, but all of them: a writer of this version leaves nothing out, whatever came or went
    /// in between. For bytes that no peer reads, such as index keys and sealed objects.
    pub const EVERY: Self = Self { major: i32::MAX, minor: i32::MAX };

    /// Every version that the registry knows, oldest first.
    pub const ALL: [Self; 7] = [Self::V1_0, Self::V1_1, Self::V1_2, Self::V1_3, Self::V1_4, Self::V2_0, Self::V2_1];

    /// Whether the version has the forms that came with 2.0, such as the structure Attributes.
    ///
    /// [`ProtocolVersion::EVERY`] keeps the older ones: they can say more, an index and attributes that went.
    #[must_use]
    pub fn is_2_x(self) -> bool {
        self >= Self::V2_0 && self != Self::EVERY
    }

    /// Whether this is a version that the registry does not know, whose messages may hold more than it does.
    pub(crate) fn is_unheard_of(self) -> bool {
        self != Self::EVERY && !Self::ALL.contains(&self)
    }

    /// Whether something that exists from `since` up to and including `until` exists in this version.
    ///
    /// A minor version that the registry does not know drops nothing that the one before it has, and nobody knows what
    /// versions after 2.1 drop.
    #[must_use]
    pub fn is_within(self, since: Self, until: Option<Self>) -> bool {
        let known = Self::ALL.into_iter().rfind(|known| *known <= self).unwrap_or(self);
        since <= self && (self > Self::V2_1 || until.is_none_or(|until| known <= until))
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_that_of_versions() {
        assert!(ProtocolVersion::ALL.is_sorted());
        assert!(ProtocolVersion::V1_4 < ProtocolVersion::V2_0);
        assert!(ProtocolVersion { major: 1, minor: 10 } > ProtocolVersion::V1_4);
    }

    #[test]
    fn a_span_includes_both_ends() {
        let until = Some(ProtocolVersion::V1_4);
        assert!(ProtocolVersion::V1_2.is_within(ProtocolVersion::V1_2, until));
        assert!(ProtocolVersion::V1_4.is_within(ProtocolVersion::V1_2, until));
        assert!(!ProtocolVersion::V1_1.is_within(ProtocolVersion::V1_2, until));
        assert!(!ProtocolVersion::V2_0.is_within(ProtocolVersion::V1_2, until));
        assert!(ProtocolVersion::V2_1.is_within(ProtocolVersion::V1_2, None));
        assert!(ProtocolVersion::EVERY.is_within(ProtocolVersion::V1_2, until));
    }

    #[test]
    fn the_forms_of_2_0_begin_with_it() {
        assert!(!ProtocolVersion::V1_4.is_2_x() && !ProtocolVersion::EVERY.is_2_x());
        assert!(ProtocolVersion::V2_0.is_2_x() && ProtocolVersion { major: 2, minor: 9 }.is_2_x());
    }

    #[test]
    fn display_is_what_people_write() {
        assert_eq!(ProtocolVersion::V1_4.to_string(), "1.4");
    }
}
