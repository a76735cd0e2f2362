//! What a client may say of an object that is being made, and what has to fit together then. KMIP 1.4 §4.1, §4.3.
//!
//! The state of the new object is [`crate::lifecycle::effective`] of Pre-Active and its dates: a date in the past
//! activates at once (KMIP 1.4 §3.22, transition 1).

use kmip::{
    ProtocolVersion,
    attribute::{AttributeKind, AttributeValue},
    registry::{ObjectType, UsageMask},
};
use thiserror::Error;

pub use crate::algorithm::{
    AlgorithmRefusal, may_create_symmetric, may_register, may_register_some, symmetric_key_bytes,
};
pub use crate::pairs::{PairRecipe, may_create_pair, may_register_exponent, may_register_on};
use crate::{
    algorithm::AlgorithmPolicy,
    attributes::{AttributeRefusal, applies, check_order, check_value, is_server_made},
    lifecycle::Dates,
};

/// Where the object comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The server makes it: Create.
    Created,
    /// The client brings it: Register.
    Registered,
    /// The server signs it: Certify and Re-certify.
    Certified,
}

/// Why the parts of a new object do not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CreationRefusal {
    /// An attribute may not be given, or not so.
    #[error(transparent)]
    Attribute(#[from] AttributeRefusal),
    /// The dates stand in the wrong order.
    #[error("{0}")]
    Dates(&'static str),
    /// The uses exclude each other under the domain's policy.
    #[error("{0}")]
    Uses(&'static str),
}

/// May the client give this attribute to an object that is being made?
///
/// # Errors
/// [`AttributeRefusal`].
pub fn may_set(
    origin: Origin,
    object_type: ObjectType,
    version: ProtocolVersion,
    value: &AttributeValue,
) -> Result<(), AttributeRefusal> {
    use AttributeKind as K;
    let kind = value.kind();
    let may_be_given = match kind {
        // The table says "server", because the server sets what the request asks for (KMIP 1.4 §4.1, §4.3).
        K::CryptographicAlgorithm | K::CryptographicLength => true,
        K::CertificateLength | K::DigitalSignatureAlgorithm => origin == Origin::Registered,
        // Certify without a request says in it what to make (KMIP 1.4 §4.7).
        K::CertificateType => origin != Origin::Created,
        // A key made here is as old as the server says, and comes from the server's generator.
        K::OriginalCreationDate => origin == Origin::Registered,
        K::RandomNumberGenerator if origin != Origin::Registered => return Err(AttributeRefusal::Unsupported(kind)),
        // Where the value is that the client did not bring along (KMIP 1.4 §3.42).
        K::KeyValueLocation => origin == Origin::Registered,
        _ => kind.rules().set_by_client,
    };
    if !may_be_given || is_server_made(value.name()) {
        return Err(AttributeRefusal::ReadOnly(kind));
    }
    // A template holds attributes for others.
    if object_type != ObjectType::Template && !applies(kind, object_type, version) {
        return Err(AttributeRefusal::NotApplicable { kind, object_type });
    }
    check_value(value)
}

/// Is each single-valued attribute given at most once? Custom attributes and others with several values may repeat.
///
/// # Errors
/// [`AttributeRefusal::SingleValued`].
pub fn check_once<'a>(values: impl IntoIterator<Item = &'a AttributeValue>) -> Result<(), AttributeRefusal> {
    let mut seen = Vec::new();
    for kind in values.into_iter().map(AttributeValue::kind) {
        if kind.rules().multiple_instances {
            continue;
        }
        if seen.contains(&kind) {
            return Err(AttributeRefusal::SingleValued(kind));
        }
        seen.push(kind);
    }
    Ok(())
}

/// Do the dates of the new object stand in the right order? KMIP 1.4 §3.24 to §3.27.
///
/// # Errors
/// [`CreationRefusal::Dates`].
pub fn check_dates(dates: &Dates) -> Result<(), CreationRefusal> {
    check_order(dates).map_err(|(why, _)| CreationRefusal::Dates(why))
}

/// Do the uses of the new object go together? A key that wraps keys and also decrypts data hands out in clear what it
/// wrapped; one that unwraps and encrypts takes in what its owner composed. `legacy` lets them pass, because old
/// clients and the standard's own profiles ask for them.
///
/// # Errors
/// [`CreationRefusal::Uses`], [`CreationRefusal::Attribute`].
pub fn check_uses(policy: AlgorithmPolicy, mask: UsageMask) -> Result<(), CreationRefusal> {
    check_value(&AttributeValue::CryptographicUsageMask(mask))?;
    match policy {
        AlgorithmPolicy::Legacy => Ok(()),
        AlgorithmPolicy::Anssi if mask.contains(UsageMask::WRAP_KEY.union(UsageMask::DECRYPT)) => {
            Err(CreationRefusal::Uses("the domain's policy excludes Wrap Key and Decrypt on one key"))
        }
        AlgorithmPolicy::Anssi if mask.contains(UsageMask::UNWRAP_KEY.union(UsageMask::ENCRYPT)) => {
            Err(CreationRefusal::Uses("the domain's policy excludes Unwrap Key and Encrypt on one key"))
        }
        AlgorithmPolicy::Anssi => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use kmip::{attribute::Name, ttlv::DateTime};

    use super::*;

    fn set(origin: Origin, value: &AttributeValue) -> Result<(), AttributeRefusal> {
        may_set(origin, ObjectType::SymmetricKey, ProtocolVersion::V1_4, value)
    }

    #[test]
    fn what_the_server_keeps_cannot_be_given() {
        let state = AttributeValue::State(kmip::registry::State::Active);
        assert_eq!(set(Origin::Created, &state), Err(AttributeRefusal::ReadOnly(AttributeKind::State)));
        let original = AttributeValue::OriginalCreationDate(DateTime(0));
        assert!(set(Origin::Created, &original).is_err());
        assert_eq!(set(Origin::Registered, &original), Ok(()));
        let server_made = AttributeValue::custom_text("y-rack", "7").unwrap();
        assert_eq!(set(Origin::Created, &server_made), Err(AttributeRefusal::ReadOnly(AttributeKind::Custom)));
    }

    #[test]
    fn a_single_valued_attribute_is_given_once() {
        let name = |text: &str| AttributeValue::Name(Name::text(text));
        let mask = AttributeValue::CryptographicUsageMask(UsageMask::ENCRYPT);
        assert_eq!(check_once([&name("a"), &mask, &name("b")]), Ok(()));
        let twice = Err(AttributeRefusal::SingleValued(AttributeKind::CryptographicUsageMask));
        assert_eq!(check_once([&mask, &name("a"), &mask]), twice);
    }

    #[test]
    fn dates_out_of_order_are_named() {
        let dates = |activation, process_start, protect_stop, deactivation| {
            check_dates(&Dates { activation, process_start, protect_stop, deactivation })
        };
        assert_eq!(dates(Some(1), Some(1), Some(2), Some(2)), Ok(()));
        // The standard's own cases start processing after protection has stopped.
        assert_eq!(dates(Some(1), Some(9), Some(2), None), Ok(()));
        assert!(matches!(dates(Some(2), Some(1), None, None), Err(CreationRefusal::Dates(_))));
        assert!(matches!(dates(None, None, Some(2), Some(1)), Err(CreationRefusal::Dates(_))));
        assert!(matches!(dates(Some(2), None, None, Some(1)), Err(CreationRefusal::Dates(_))));
    }

    #[test]
    fn a_key_does_not_wrap_and_decrypt() {
        let both = UsageMask::WRAP_KEY.union(UsageMask::DECRYPT);
        let other = UsageMask::UNWRAP_KEY.union(UsageMask::ENCRYPT);
        let vsphere = UsageMask::ENCRYPT.union(UsageMask::DECRYPT);
        for refused in [both, other, both.union(UsageMask::SIGN)] {
            assert!(matches!(check_uses(AlgorithmPolicy::Anssi, refused), Err(CreationRefusal::Uses(_))));
            assert_eq!(check_uses(AlgorithmPolicy::Legacy, refused), Ok(()));
        }
        assert_eq!(check_uses(AlgorithmPolicy::Anssi, vsphere), Ok(()));
        assert!(check_uses(AlgorithmPolicy::Legacy, UsageMask(1 << 31)).is_err());
    }
}
