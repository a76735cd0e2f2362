//! Attributes that are structures. KMIP 1.4 §3.

use super::Identifier;
use crate::Tag;
use crate::registry::{
    AlternativeNameType, BlockCipherMode, CryptographicAlgorithm, DigitalSignatureAlgorithm, DrbgAlgorithm,
    Fips186Variation, HashingAlgorithm, KeyFormatType, KeyRoleType, KeyValueLocationType, LinkType, MaskGenerator,
    NameType, PaddingMethod, ProtectionStorageMask, RecommendedCurve, RevocationReasonCode, RngAlgorithm,
    RotateNameType, UsageLimitsUnit,
};
use crate::wire::structure;

structure! {
    /// How people call an object. Unique in a domain. KMIP 1.4 §3.2.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Name {
        /// The name itself.
        required value: String = Tag::NAME_VALUE,
        /// Whether it is free text or a URI.
        required name_type: NameType = Tag::NAME_TYPE,
    }
}

impl Name {
    /// A name of type Uninterpreted Text String.
    #[must_use]
    pub fn text(value: impl Into<String>) -> Self {
        Self { value: value.into(), name_type: NameType::UninterpretedTextString }
    }
}

structure! {
    /// Which mode, padding and hash an operation with the key uses. KMIP 1.4 §3.6.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct CryptographicParameters {
        /// Mode of a block cipher.
        optional block_cipher_mode: BlockCipherMode = Tag::BLOCK_CIPHER_MODE,
        /// Padding of the last block, or of RSA.
        optional padding_method: PaddingMethod = Tag::PADDING_METHOD,
        /// Hash of a signature, a MAC or OAEP.
        optional hashing_algorithm: HashingAlgorithm = Tag::HASHING_ALGORITHM,
        /// Role of the key in the banking standards.
        optional key_role_type: KeyRoleType = Tag::KEY_ROLE_TYPE,
        /// Signature algorithm, in place of padding and hash.
        optional digital_signature_algorithm: DigitalSignatureAlgorithm = Tag::DIGITAL_SIGNATURE_ALGORITHM [since V1_2],
        /// The algorithm the parameters are for.
        optional cryptographic_algorithm: CryptographicAlgorithm = Tag::CRYPTOGRAPHIC_ALGORITHM [since V1_2],
        /// The server makes the IV.
        optional random_iv: bool = Tag::RANDOM_IV [since V1_2],
        /// Length of the IV in bits.
        optional iv_length: i32 = Tag::IV_LENGTH [since V1_2],
        /// Length of the authentication tag in bits.
        optional tag_length: i32 = Tag::TAG_LENGTH [since V1_2],
        /// Bits of the IV that stay the same.
        optional fixed_field_length: i32 = Tag::FIXED_FIELD_LENGTH [since V1_2],
        /// Bits of the IV that count invocations.
        optional invocation_field_length: i32 = Tag::INVOCATION_FIELD_LENGTH [since V1_2],
        /// Bits of the IV that count blocks.
        optional counter_length: i32 = Tag::COUNTER_LENGTH [since V1_2],
        /// First value of the block counter.
        optional initial_counter_value: i32 = Tag::INITIAL_COUNTER_VALUE [since V1_2],
        /// Length of the PSS salt in bytes.
        optional salt_length: i32 = Tag::SALT_LENGTH [since V1_4],
        /// Mask generation function of OAEP and PSS.
        optional mask_generator: MaskGenerator = Tag::MASK_GENERATOR [since V1_4],
        /// Hash inside the mask generation function.
        optional mask_generator_hashing_algorithm: HashingAlgorithm =
            Tag::MASK_GENERATOR_HASHING_ALGORITHM [since V1_4],
        /// Label of OAEP.
        optional p_source: Vec<u8> = Tag::P_SOURCE [since V1_4],
        /// Trailer field of PSS.
        optional trailer_field: i32 = Tag::TRAILER_FIELD [since V1_4],
    }
}

structure! {
    /// Curve or subgroup of an asymmetric key. KMIP 1.4 §3.7.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct CryptographicDomainParameters {
        /// Length of the prime order in bits.
        optional qlength: i32 = Tag::QLENGTH,
        /// The elliptic curve.
        optional recommended_curve: RecommendedCurve = Tag::RECOMMENDED_CURVE,
    }
}

structure! {
    /// Issuer and serial number of an X.509 certificate, DER encoded. KMIP 1.4 §3.10.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct X509CertificateIdentifier {
        /// Distinguished name of the issuer, DER.
        required issuer_distinguished_name: Vec<u8> = Tag::ISSUER_DISTINGUISHED_NAME,
        /// Serial number, DER.
        required certificate_serial_number: Vec<u8> = Tag::CERTIFICATE_SERIAL_NUMBER,
    }
}

structure! {
    /// Subject of an X.509 certificate, DER encoded. KMIP 1.4 §3.11.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct X509CertificateSubject {
        /// Distinguished name, DER; may be empty.
        required subject_distinguished_name: Vec<u8> = Tag::SUBJECT_DISTINGUISHED_NAME,
        /// Alternative names, DER.
        repeated subject_alternative_name: Vec<u8> = Tag::SUBJECT_ALTERNATIVE_NAME,
    }
}

structure! {
    /// Issuer of an X.509 certificate, DER encoded. KMIP 1.4 §3.12.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct X509CertificateIssuer {
        /// Distinguished name, DER.
        required issuer_distinguished_name: Vec<u8> = Tag::ISSUER_DISTINGUISHED_NAME,
        /// Alternative names, DER.
        repeated issuer_alternative_name: Vec<u8> = Tag::ISSUER_ALTERNATIVE_NAME,
    }
}

structure! {
    /// Issuer and serial number of a certificate as text; deprecated since 1.1. KMIP 1.4 §3.13.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct CertificateIdentifier {
        /// Distinguished name of the issuer.
        required issuer: String = Tag::ISSUER,
        /// Serial number; PGP certificates have none.
        optional serial_number: String = Tag::SERIAL_NUMBER,
    }
}

structure! {
    /// Subject of a certificate as text; deprecated since 1.1. KMIP 1.4 §3.14.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct CertificateSubject {
        /// Distinguished name; may be empty.
        required distinguished_name: String = Tag::CERTIFICATE_SUBJECT_DISTINGUISHED_NAME,
        /// Alternative names.
        repeated alternative_name: String = Tag::CERTIFICATE_SUBJECT_ALTERNATIVE_NAME,
    }
}

structure! {
    /// Issuer of a certificate as text; deprecated since 1.1. KMIP 1.4 §3.15.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct CertificateIssuer {
        /// Distinguished name.
        required distinguished_name: String = Tag::CERTIFICATE_ISSUER_DISTINGUISHED_NAME,
        /// Alternative names.
        repeated alternative_name: String = Tag::CERTIFICATE_ISSUER_ALTERNATIVE_NAME,
    }
}

structure! {
    /// Hash of the object's value. KMIP 1.4 §3.17.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Digest {
        /// The hash function.
        required hashing_algorithm: HashingAlgorithm = Tag::HASHING_ALGORITHM,
        /// The hash.
        optional digest_value: Vec<u8> = Tag::DIGEST_VALUE,
        /// The format in which the key was hashed.
        optional key_format_type: KeyFormatType = Tag::KEY_FORMAT_TYPE [since V1_1],
    }
}

structure! {
    /// How much may still be protected with the object. KMIP 1.4 §3.21.
    ///
    /// The standard requires all three fields of a server; a client sets total and/or unit only.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct UsageLimits {
        /// Units for the whole life of the object.
        optional total: i64 = Tag::USAGE_LIMITS_TOTAL,
        /// Units that are left.
        optional count: i64 = Tag::USAGE_LIMITS_COUNT,
        /// What is counted.
        optional unit: UsageLimitsUnit = Tag::USAGE_LIMITS_UNIT,
    }
}

structure! {
    /// Why the object was revoked. KMIP 1.4 §3.31.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RevocationReason {
        /// The reason; two of them mean a compromise.
        required code: RevocationReasonCode = Tag::REVOCATION_REASON_CODE,
        /// Free text.
        optional message: String = Tag::REVOCATION_MESSAGE,
    }
}

structure! {
    /// A relation to another object. KMIP 1.4 §3.35.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Link {
        /// The relation.
        required link_type: LinkType = Tag::LINK_TYPE,
        /// The other object; by its place in the batch only in a request of 2.x (KMIP 2.1 §4.31).
        required linked_object_identifier: Identifier = Tag::LINKED_OBJECT_IDENTIFIER,
    }
}

structure! {
    /// Data of an application that uses the object. KMIP 1.4 §3.36.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ApplicationSpecificInformation {
        /// The application's name space.
        required application_namespace: String = Tag::APPLICATION_NAMESPACE,
        /// The data; absent in a request that asks the server to make it.
        optional application_data: String = Tag::APPLICATION_DATA,
    }
}

structure! {
    /// A further name, which need not be unique. KMIP 1.4 §3.40.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct AlternativeName {
        /// The name itself.
        required value: String = Tag::ALTERNATIVE_NAME_VALUE,
        /// What kind of name it is.
        required name_type: AlternativeNameType = Tag::ALTERNATIVE_NAME_TYPE,
    }
}

structure! {
    /// Where the key value is, when the server does not hold it. KMIP 1.4 §3.42.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct KeyValueLocation {
        /// The place.
        required value: String = Tag::KEY_VALUE_LOCATION_VALUE,
        /// How the place is written.
        required location_type: KeyValueLocationType = Tag::KEY_VALUE_LOCATION_TYPE,
    }
}

structure! {
    /// How people call a set of objects of which one took the other's place. KMIP 2.1 §4.53.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RotateName {
        /// The name itself.
        required value: String = Tag::ROTATE_NAME_VALUE,
        /// Whether it is free text or a URI.
        required name_type: RotateNameType = Tag::ROTATE_NAME_TYPE,
    }
}

structure! {
    /// The random number generator that made a key, or that a server has. KMIP 1.4 §2.1.18, §3.44.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RngParameters {
        /// The family.
        required rng_algorithm: RngAlgorithm = Tag::RNG_ALGORITHM,
        /// The cipher inside.
        optional cryptographic_algorithm: CryptographicAlgorithm = Tag::CRYPTOGRAPHIC_ALGORITHM,
        /// Its key length in bits.
        optional cryptographic_length: i32 = Tag::CRYPTOGRAPHIC_LENGTH,
        /// The hash inside.
        optional hashing_algorithm: HashingAlgorithm = Tag::HASHING_ALGORITHM,
        /// The DRBG construction.
        optional drbg_algorithm: DrbgAlgorithm = Tag::DRBG_ALGORITHM,
        /// The curve inside.
        optional recommended_curve: RecommendedCurve = Tag::RECOMMENDED_CURVE,
        /// The variant of FIPS 186-2.
        optional fips186_variation: Fips186Variation = Tag::FIPS186_VARIATION,
        /// Whether it reseeds before each request.
        optional prediction_resistance: bool = Tag::PREDICTION_RESISTANCE,
    }
}

structure! {
    /// Places in which an object may be kept: any one of these masks has to hold entirely. KMIP 2.1 §7.33.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct ProtectionStorageMasks {
        /// The alternatives.
        repeated masks: ProtectionStorageMask = Tag::PROTECTION_STORAGE_MASK,
    }
}
