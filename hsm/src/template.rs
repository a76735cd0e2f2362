//! The attributes of every key that this crate makes, in the one order that SoftHSM 2.6.1 accepts: `CKA_COPYABLE` and
//! `CKA_MODIFIABLE` last, because it applies them as it reads them and then refuses the rest.

use cryptoki::mechanism::MechanismType;
use cryptoki::object::{Attribute, KeyType, ObjectClass};
use ring::digest::{SHA256, digest};
use secret::{DomainId, DomainKeyVersion};
use uuid::Uuid;

use crate::raw;

/// Label of the Root of Trust on every token.
pub(crate) const ROT_LABEL: &[u8] = b"kms/rot/v1";
/// Label of both halves of a member's signing key for checkpoints.
pub(crate) const AUDIT_LABEL: &[u8] = b"kms/audit/v1";
/// Label of the data object that says the ceremony was completed on this token.
pub(crate) const COMPLETED_LABEL: &[u8] = b"kms/ceremony/v1";
const ROT_ID: &[u8; 16] = b"clavis-rot-v1\0\0\0";
const AUDIT_ID: &[u8; 16] = b"clavis-audit-v1\0";
/// OBJECT IDENTIFIER prime256v1 (1.2.840.10045.3.1.7) in DER: the curve P-256.
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// 65537, the exponent everybody expects.
const RSA_EXPONENT: [u8; 3] = [1, 0, 1];
/// Security of 128 bits until the ceremony's end is all a transport key needs.
const RSA_BITS: std::ffi::c_ulong = 3072;
/// Bytes of an AES-256 key.
const AES_LEN: std::ffi::c_ulong = 32;

/// The key whose wrapped form is the fingerprint of a Root of Trust. Public, and used for nothing else.
const CONSTANT_KEY: &[u8; 32] = b"clavis fingerprint of a root: v1";

/// The Root of Trust, as it is unwrapped on a member.
pub(crate) fn root_of_trust() -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Wrap(true),
        Attribute::Unwrap(true),
        Attribute::Encrypt(false),
        Attribute::Decrypt(false),
        Attribute::Sign(false),
        Attribute::Verify(false),
        Attribute::Derive(false),
        Attribute::AllowedMechanisms(vec![MechanismType::AES_KEY_WRAP]),
        raw::wrap_template(),
        raw::unwrap_template(),
        Attribute::Label(ROT_LABEL.to_vec()),
        Attribute::Id(ROT_ID.to_vec()),
        Attribute::Copyable(false),
        Attribute::Modifiable(false),
    ]
}

/// A key in the moment between its birth and its wrapping: extractable, so that it can be wrapped; good for nothing
/// else; a session object, so that nothing of it outlives the session.
pub(crate) fn newborn() -> Vec<Attribute> {
    vec![
        Attribute::ValueLen(AES_LEN.into()),
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(true),
        Attribute::Encrypt(false),
        Attribute::Decrypt(false),
        Attribute::Wrap(false),
        Attribute::Unwrap(false),
        Attribute::Sign(false),
        Attribute::Verify(false),
        Attribute::Derive(false),
    ]
}

/// A Domain Key in use: a session object of the member's anchor session.
pub(crate) fn domain_key(domain: &DomainId, version: DomainKeyVersion) -> Vec<Attribute> {
    let label = format!("kms/dk/{}/v{version}", Uuid::from_bytes(*domain));
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::Wrap(false),
        Attribute::Unwrap(false),
        Attribute::Derive(false),
        Attribute::AllowedMechanisms(vec![MechanismType::AES_GCM]),
        Attribute::Id(domain_key_id(&label)),
        Attribute::Label(label.into_bytes()),
        Attribute::Copyable(false),
        Attribute::Modifiable(false),
    ]
}

/// 16 bytes, different for each domain and version.
fn domain_key_id(label: &str) -> Vec<u8> {
    digest(&SHA256, label.as_bytes()).as_ref().iter().copied().take(16).collect()
}

/// The constant that the Root of Trust wraps at every probe. Sensitive because the Root of Trust wraps nothing else.
pub(crate) fn constant_key() -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(true),
        Attribute::Encrypt(false),
        Attribute::Decrypt(false),
        Attribute::Wrap(false),
        Attribute::Unwrap(false),
        Attribute::Value(CONSTANT_KEY.to_vec()),
    ]
}

/// A member's transport key, public and private half: session objects, gone when the ceremony's session ends.
pub(crate) fn transport_pair() -> (Vec<Attribute>, Vec<Attribute>) {
    let public = vec![
        Attribute::Token(false),
        Attribute::Private(false),
        Attribute::ModulusBits(RSA_BITS.into()),
        Attribute::PublicExponent(RSA_EXPONENT.to_vec()),
        Attribute::Wrap(true),
        Attribute::Encrypt(false),
        Attribute::Verify(false),
    ];
    let private = vec![
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Unwrap(true),
        Attribute::Decrypt(false),
        Attribute::Sign(false),
        // Whatever arrives under this key becomes a key that cannot leave.
        raw::unwrap_template(),
    ];
    (public, private)
}

/// Another member's transport key, public half, on the member where the Root of Trust was born.
pub(crate) fn transport_public(modulus: Vec<u8>, exponent: Vec<u8>) -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::PUBLIC_KEY),
        Attribute::KeyType(KeyType::RSA),
        Attribute::Token(false),
        Attribute::Private(false),
        Attribute::Wrap(true),
        Attribute::Encrypt(false),
        Attribute::Verify(false),
        Attribute::Modulus(modulus),
        Attribute::PublicExponent(exponent),
    ]
}

/// The escrow key inside a member, for one wrap or one unwrap. The caller wipes `value` of the returned template.
pub(crate) fn escrow_key(value: &[u8]) -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Wrap(true),
        Attribute::Unwrap(true),
        Attribute::Encrypt(false),
        Attribute::Decrypt(false),
        Attribute::AllowedMechanisms(vec![MechanismType::AES_KEY_WRAP]),
        raw::unwrap_template(),
        Attribute::Value(value.to_vec()),
    ]
}

/// The one-time key under which a newborn private key leaves the module. The caller wipes `value` of the returned
/// template.
pub(crate) fn one_time_key(value: &[u8], allowed: Vec<MechanismType>) -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Wrap(true),
        Attribute::Unwrap(false),
        Attribute::Encrypt(false),
        Attribute::Decrypt(false),
        Attribute::Sign(false),
        Attribute::Verify(false),
        Attribute::Derive(false),
        Attribute::AllowedMechanisms(allowed),
        Attribute::Value(value.to_vec()),
    ]
}

/// A newborn RSA key pair, public and private half: see [`newborn_private`].
pub(crate) fn rsa_newborn(bits: u32, exponent: u32) -> (Vec<Attribute>, Vec<Attribute>) {
    // PKCS#11 wants the number without leading zeros (2.40 §2.1.2).
    let exponent = exponent.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    let public = vec![
        Attribute::Token(false),
        Attribute::Private(false),
        Attribute::ModulusBits(std::ffi::c_ulong::from(bits).into()),
        Attribute::PublicExponent(exponent),
        Attribute::Encrypt(false),
        Attribute::Verify(false),
        Attribute::Wrap(false),
    ];
    (public, newborn_private())
}

/// A newborn key pair on a curve, public and private half: see [`newborn_private`].
pub(crate) fn curve_newborn(parameters: Vec<u8>) -> (Vec<Attribute>, Vec<Attribute>) {
    let public = vec![
        Attribute::Token(false),
        Attribute::Private(false),
        Attribute::EcParams(parameters),
        Attribute::Verify(false),
    ];
    (public, newborn_private())
}

/// A private key in the moment between its birth and its wrapping; as [`newborn`].
fn newborn_private() -> Vec<Attribute> {
    vec![
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(true),
        Attribute::Decrypt(false),
        Attribute::Sign(false),
        Attribute::Unwrap(false),
        Attribute::Derive(false),
    ]
}

/// A member's signing key for checkpoints, public and private half.
pub(crate) fn audit_pair() -> (Vec<Attribute>, Vec<Attribute>) {
    let public = vec![
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::EcParams(P256.to_vec()),
        Attribute::Verify(true),
        Attribute::Label(AUDIT_LABEL.to_vec()),
        Attribute::Id(AUDIT_ID.to_vec()),
    ];
    let private = vec![
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Decrypt(false),
        Attribute::Unwrap(false),
        Attribute::Derive(false),
        Attribute::AllowedMechanisms(vec![MechanismType::ECDSA]),
        Attribute::Label(AUDIT_LABEL.to_vec()),
        Attribute::Id(AUDIT_ID.to_vec()),
        Attribute::Copyable(false),
        Attribute::Modifiable(false),
    ];
    (public, private)
}

/// The mark that the ceremony was completed on this token. Its value is the fingerprint of the Root of Trust.
pub(crate) fn completed_mark(fingerprint: &[u8; 32]) -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::DATA),
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Label(COMPLETED_LABEL.to_vec()),
        Attribute::Value(fingerprint.to_vec()),
        Attribute::Modifiable(false),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_modifiable() {
        for template in [root_of_trust(), domain_key(&[1; 16], 1), audit_pair().1, completed_mark(&[0; 32])] {
            assert!(matches!(template.last(), Some(Attribute::Modifiable(false))));
        }
    }

    #[test]
    fn two_versions_have_two_ids() {
        assert_ne!(domain_key_id("kms/dk/a/v1"), domain_key_id("kms/dk/a/v2"));
        assert_eq!(domain_key_id("kms/dk/a/v1").len(), 16);
    }
}
