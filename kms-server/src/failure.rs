//! Why an operation failed, and what the peer may learn of it: the only file that names a Result Reason.
//!
//! Causes go to the log; the texts here are fixed, so that no inner detail and no key byte can reach a client. The one
//! that is not fixed names the algorithm, length or curve that the client asked for.

use std::borrow::Cow;

use kmip::ProtocolVersion;
use kmip::registry::{ResultReason, ResultStatus};
use kmip::ttlv::{DecodeError, DecodeErrorKind};
use policy::algorithm::AlgorithmRefusal;
use thiserror::Error;

/// Why a batch item failed.
#[derive(Debug, Error)]
pub enum Failure {
    /// The item or message is not what the specification describes.
    #[error("malformed: {0}")]
    Malformed(DecodeError),
    /// The message is well-formed but contradicts itself.
    #[error("message contradicts itself: {0}")]
    Contradiction(&'static str),
    /// The protocol version is none that this server speaks.
    #[error("protocol version {0} is not spoken here")]
    Version(ProtocolVersion),
    /// The credential is missing where one is registered, wrong, or of a kind that is not registered.
    #[error("authentication failed: {0}")]
    Authentication(&'static str),
    /// The operation is unknown, or not offered in this version.
    #[error("operation is not offered")]
    UnsupportedOperation,
    /// No answer with this Asynchronous Correlation Value is waited for in the client's domain.
    #[error("no such asynchronous request")]
    NoSuchAsynchronousRequest,
    /// No ticket with this value is in force in the client's domain.
    #[error("no such ticket")]
    NoSuchTicket,
    /// The object would not be what the domain's constraints demand.
    #[error("against the constraints: {0}")]
    AgainstConstraints(&'static str),
    /// A field or option asks for something that is not offered.
    #[error("not offered: {0}")]
    UnsupportedFeature(&'static str),
    /// The key cannot be had in the asked Key Format Type.
    #[error("key format is not available")]
    KeyFormat,
    /// The key cannot be had in the asked Key Compression Type.
    #[error("key compression is not available")]
    KeyCompression,
    /// No such object in the client's domain: absent, foreign, or never there. One variant, so that nobody can tell.
    #[error("no such object")]
    NotFound,
    /// A Check found that the object may not be used so; what stood against it goes back with the answer.
    #[error("check refused")]
    CheckRefused(kmip::payload::CheckResponse),
    /// The object was destroyed; its attributes remain.
    #[error("object is destroyed")]
    Destroyed,
    /// A template named in the request does not exist.
    #[error("no such template")]
    TemplateNotFound,
    /// The attribute, or the instance of it, is not there.
    #[error("no such attribute instance")]
    AttributeInstanceNotFound,
    /// A single-valued attribute has its value already.
    #[error("attribute has a value already")]
    SingleValued,
    /// An attribute that is to be modified was never set.
    #[error("attribute was never set")]
    AttributeNotSet,
    /// The attribute belongs to the server or to the life-cycle.
    #[error("attribute may not be changed: {0}")]
    ReadOnlyAttribute(&'static str),
    /// Another live object of the domain has this Name.
    #[error("name is taken")]
    NameTaken,
    /// Another live object has this Name, found while changing attributes (the tables give it another reason).
    #[error("name is taken by another object")]
    NameTakenByOther,
    /// The object is archived; Recover brings it back.
    #[error("object is archived")]
    Archived,
    /// The server has the object's attributes only.
    #[error("key value is not here")]
    KeyValueAbsent,
    /// An object with the identifier is there already.
    #[error("identifier is taken")]
    ObjectExists,
    /// The key cannot be had in the asked Encoding Option.
    #[error("encoding option is not available")]
    EncodingOption,
    /// The key that is to wrap or unwrap is absent, foreign, or misspelt.
    #[error("no such wrapping key")]
    WrappingKeyNotFound,
    /// The key that is to wrap or unwrap was destroyed.
    #[error("wrapping key is destroyed")]
    WrappingKeyDestroyed,
    /// The key that is to wrap or unwrap is archived.
    #[error("wrapping key is archived")]
    WrappingKeyArchived,
    /// The Cryptographic Parameters are missing, not the key's, or not allowed here.
    #[error("cryptographic parameters do not fit")]
    CryptographicParameters,
    /// The wrapped bytes cannot be opened; why is not told, it would help to forge.
    #[error("wrapped key cannot be opened")]
    Unwrappable,
    /// The secret of a PKCS#12 file is missing, doubtful or not usable.
    #[error("no password for PKCS#12: {0}")]
    BadPassword(&'static str),
    /// The attribute has several values, and none was named.
    #[error("attribute has several values")]
    MultiValued,
    /// The adjusted number would leave its range.
    #[error("number leaves its range")]
    NumericRange,
    /// The value is of another type than the attribute.
    #[error("value has another type")]
    DataType,
    /// The object's state does not allow the operation.
    #[error("state does not allow it")]
    WrongState,
    /// The object is of a kind for which the operation has no meaning.
    #[error("illegal for this object: {0}")]
    IllegalOperation(&'static str),
    /// Policy refuses: role, usage mask, sensitivity of the identity's rights.
    #[error("not permitted: {0}")]
    Denied(&'static str),
    /// The object's Sensitive attribute forbids handing it out unwrapped.
    #[error("object is sensitive")]
    Sensitive,
    /// The object's Extractable attribute forbids handing it out.
    #[error("object is not extractable")]
    NotExtractable,
    /// A field has a value outside its range or against another field.
    #[error("invalid field: {0}")]
    InvalidField(&'static str),
    /// A field that the operation needs is missing.
    #[error("missing: {0}")]
    MissingData(&'static str),
    /// More instances of attributes than an object may have.
    #[error("too many: {0}")]
    TooMany(&'static str),
    /// More of something else than a limit of the server allows.
    #[error("over a limit: {0}")]
    OverLimit(&'static str),
    /// The answer would exceed the client's Maximum Response Size.
    #[error("response too large")]
    ResponseTooLarge,
    /// The domain is frozen or destroyed.
    #[error("domain is not active")]
    DomainInactive,
    /// A batch item before this one failed, and the option said Undo.
    #[error("undone with the batch")]
    Undone,
    /// The node is stopping or a queue is full.
    #[error("server is busy")]
    Busy,
    /// The HSM group could not do its part.
    #[error("hsm")]
    Hsm(#[source] hsm::HsmError),
    /// The store could not do its part, or refused a row whose MAC does not match.
    #[error("store")]
    Store(#[source] keystore::StoreError),
    /// Key, data or tag do not fit: which of them is for the log alone.
    #[error("cryptographic failure: {0}")]
    Cryptographic(&'static str),
    /// The domain's policy excludes the mechanism.
    #[error("the domain's policy excludes it: {0}")]
    Weak(&'static str),
    /// No key of this algorithm, length or curve, or not under the domain's policy.
    #[error("{0}")]
    Algorithm(#[from] AlgorithmRefusal),
    /// Objects of this kind have no such use.
    #[error("no object for this use: {0}")]
    UnusableObject(&'static str),
    /// A certificate request that cannot be read, or whose proof of possession does not hold.
    #[error("certificate request: {0}")]
    CertificateRequest(&'static str),
    /// The object was to withstand a quantum computer and would not.
    #[error("not safe against a quantum computer")]
    NotQuantumSafe,
    /// Objects are not kept where the client wants this one to be.
    #[error("no such storage")]
    StorageUnavailable,
    /// A rule of the server itself was broken: stored data that cannot be right.
    #[error("internal: {0}")]
    Internal(&'static str),
    /// A cryptographic operation lacks something without which it is not defined: a mode, an IV, a hash, the data.
    #[error("a parameter is missing: {0}")]
    MissingParameter(&'static str),
    /// Cryptographic Parameters contradict each other, or those that the stream was begun with.
    #[error("bad cryptographic parameters: {0}")]
    BadParameters(&'static str),
    /// Cryptographic Parameters name an algorithm that the server does not have.
    #[error("cryptographic parameters are not supported: {0}")]
    UnsupportedParameters(&'static str),
    /// The mode has no authentication tag of that length.
    #[error("invalid tag length")]
    TagLength,
    /// The Cryptographic Usage Mask lacks the use.
    #[error("the usage mask does not allow it")]
    UsageMask,
    /// The Usage Limits are spent.
    #[error("the usage limits are spent")]
    UsageLimit,
    /// Get Usage Allocation asks for more than is left.
    #[error("the usage limits have less left than was asked for")]
    Allocation,
    /// Get Usage Allocation asks an object that has no Usage Limits.
    #[error("the object has no usage limits")]
    NoUsageLimits,
    /// No stream of the client's with this Correlation Value for this operation and key: never begun, ended, expired,
    /// or somebody else's. One variant, so that nobody can tell.
    #[error("no such stream")]
    NoStream,
    /// PKCS#11 is asked through an interface that is not the standard's.
    #[error("no such PKCS#11 interface")]
    Pkcs11Interface,
    /// PKCS#11 is asked for a function that is none of the standard's.
    #[error("no such PKCS#11 function")]
    Pkcs11Function,
    /// The parameters of a PKCS#11 function cannot be read.
    #[error("parameters of the PKCS#11 function cannot be read")]
    Pkcs11Codec,
}

/// What goes onto the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Operation Failed, or Operation Undone.
    pub status: ResultStatus,
    /// The reason, one that the client's version knows.
    pub reason: ResultReason,
    /// A sentence of this server's.
    pub message: Cow<'static, str>,
}

impl Failure {
    /// What a client of `version` is told. KMIP 1.4 §11 and §6.10; each older version knows a subset of the reasons.
    #[must_use]
    pub fn answer(&self, version: ProtocolVersion) -> Answer {
        use ResultReason as R;
        // 2.0 gave several situations a reason of their own; older clients know only the general one.
        let modern = version >= ProtocolVersion::V2_0;
        let (reason, message) = match self {
            Self::Malformed(error) => malformed(error.kind),
            Self::Contradiction(_) => (R::InvalidMessage, "message contradicts itself"),
            Self::Version(_) if modern => (R::UnsupportedProtocolVersion, "protocol version is not supported"),
            Self::Version(_) => (R::InvalidMessage, "protocol version is not supported"),
            Self::Authentication(_) => (R::AuthenticationNotSuccessful, "authentication failed"),
            Self::UnsupportedOperation => (R::OperationNotSupported, "operation is not supported"),
            Self::NoSuchAsynchronousRequest if modern => {
                (R::InvalidAsynchronousCorrelationValue, "no such asynchronous request")
            }
            Self::NoSuchAsynchronousRequest => (R::ItemNotFound, "no such asynchronous request"),
            Self::NoSuchTicket if modern => (R::InvalidTicket, "ticket is not in force"),
            Self::NoSuchTicket => (R::AuthenticationNotSuccessful, "ticket is not in force"),
            Self::AgainstConstraints(what) if version >= ProtocolVersion::V2_1 => (R::ConstraintViolation, *what),
            Self::AgainstConstraints(what) => (R::InvalidField, *what),
            Self::UnsupportedFeature(_) => (R::FeatureNotSupported, "feature is not supported"),
            Self::KeyFormat => (R::KeyFormatTypeNotSupported, "key format type is not supported for this object"),
            Self::KeyCompression => (R::KeyCompressionTypeNotSupported, "key compression type is not supported"),
            Self::NotFound if modern => (R::ObjectNotFound, "no such object"),
            Self::NotFound => (R::ItemNotFound, "no such object"),
            Self::Destroyed if modern => (R::ObjectDestroyed, "object is destroyed"),
            Self::Destroyed => (R::ItemNotFound, "object is destroyed"),
            Self::TemplateNotFound => (R::ItemNotFound, "no such template"),
            Self::AttributeInstanceNotFound if modern => (R::AttributeInstanceNotFound, "no such attribute instance"),
            Self::AttributeInstanceNotFound => (R::ItemNotFound, "no such attribute instance"),
            Self::SingleValued if modern => (R::AttributeSingleValued, "attribute has one value only"),
            Self::SingleValued => (R::IllegalOperation, "attribute exists already"),
            Self::AttributeNotSet if modern => (R::AttributeNotFound, "attribute is not set"),
            Self::AttributeNotSet => (R::InvalidField, "attribute is not set"),
            Self::ReadOnlyAttribute(_) if modern => (R::AttributeReadOnly, "attribute is read-only"),
            Self::ReadOnlyAttribute(_) => (R::PermissionDenied, "attribute is read-only"),
            Self::NameTaken | Self::NameTakenByOther if modern => (R::NonUniqueNameAttribute, "name is taken"),
            Self::NameTaken => (R::InvalidField, "name is taken"),
            Self::NameTakenByOther => (R::IllegalOperation, "name is taken"),
            Self::Archived => (R::ObjectArchived, "object is archived"),
            // The reason Key Value Not Present came with 1.2.
            Self::KeyValueAbsent if version >= ProtocolVersion::V1_2 => {
                (R::KeyValueNotPresent, "key value is not here")
            }
            Self::KeyValueAbsent => (R::IllegalOperation, "key value is not here"),
            Self::ObjectExists if version >= ProtocolVersion::V1_4 => (R::ObjectAlreadyExists, "object exists already"),
            Self::ObjectExists => (R::IllegalOperation, "object exists already"),
            Self::EncodingOption if version >= ProtocolVersion::V1_1 => {
                (R::EncodingOptionError, "encoding option is not possible here")
            }
            Self::EncodingOption => (R::InvalidField, "encoding option is not possible here"),
            Self::WrappingKeyNotFound if modern => (R::WrappingObjectNotFound, "no such wrapping key"),
            Self::WrappingKeyNotFound => (R::ItemNotFound, "no such wrapping key"),
            Self::WrappingKeyDestroyed if modern => (R::WrappingObjectDestroyed, "wrapping key is destroyed"),
            Self::WrappingKeyDestroyed => (R::ItemNotFound, "wrapping key is destroyed"),
            Self::WrappingKeyArchived if modern => (R::WrappingObjectArchived, "wrapping key is archived"),
            Self::WrappingKeyArchived => (R::ObjectArchived, "wrapping key is archived"),
            Self::CryptographicParameters if modern => {
                (R::BadCryptographicParameters, "cryptographic parameters do not fit")
            }
            Self::CryptographicParameters => (R::ItemNotFound, "cryptographic parameters do not fit"),
            Self::Unwrappable => (R::CryptographicFailure, "wrapped key cannot be opened"),
            Self::BadPassword(_) if modern => (R::BadPassword, "the password is not available"),
            Self::BadPassword(_) => (R::PermissionDenied, "the password is not available"),
            Self::MultiValued if modern => (R::MultiValuedAttribute, "attribute has several values"),
            Self::MultiValued => (R::InvalidField, "attribute has several values"),
            Self::NumericRange if modern => (R::NumericRange, "number leaves its range"),
            Self::NumericRange => (R::InvalidField, "number leaves its range"),
            Self::DataType if modern => (R::InvalidDataType, "value has another type than the attribute"),
            Self::DataType => (R::InvalidField, "value has another type than the attribute"),
            Self::WrongState if modern => (R::WrongKeyLifecycleState, "object's state does not allow it"),
            Self::WrongState => (R::PermissionDenied, "object's state does not allow it"),
            Self::IllegalOperation(_) if modern => (R::IllegalObjectType, "operation is illegal for this object"),
            Self::IllegalOperation(_) => (R::IllegalOperation, "operation is illegal for this object"),
            // 2.0 has a reason for what older versions tell in the payload.
            Self::CheckRefused(refused) if modern && refused.cryptographic_usage_mask.is_some() => {
                (R::IncompatibleCryptographicUsageMask, "the object may not be used so")
            }
            Self::CheckRefused(refused) if modern && refused.usage_limits_count.is_some() => {
                (R::UsageLimitExceeded, "the object may not be used so often")
            }
            Self::CheckRefused(_) => (R::PermissionDenied, "the object may not be used so"),
            Self::Denied(_) => (R::PermissionDenied, "not permitted"),
            // The reasons Sensitive and Not Extractable came with 1.4.
            Self::Sensitive if version >= ProtocolVersion::V1_4 => (R::Sensitive, "object is sensitive"),
            Self::NotExtractable if version >= ProtocolVersion::V1_4 => {
                (R::NotExtractable, "object is not extractable")
            }
            Self::Sensitive | Self::NotExtractable => (R::PermissionDenied, "object may not leave the server"),
            Self::InvalidField(what) => (R::InvalidField, *what),
            Self::MissingData(what) => (R::MissingData, *what),
            Self::OverLimit(what) if modern => (R::ServerLimitExceeded, *what),
            Self::OverLimit(what) => (R::InvalidField, *what),
            Self::TooMany(what) if modern => (R::ServerLimitExceeded, *what),
            Self::TooMany(what) => (R::IndexOutOfBounds, *what),
            Self::ResponseTooLarge => (R::ResponseTooLarge, "answer exceeds the Maximum Response Size"),
            Self::DomainInactive => (R::PermissionDenied, "domain is not active"),
            // Which of key, data and tag it was would help to forge.
            Self::Cryptographic(_) => (R::CryptographicFailure, "cryptographic failure"),
            Self::Weak(what) => (R::PermissionDenied, *what),
            Self::UnusableObject(_) if modern => (R::InvalidObjectType, "objects of this type cannot be used so"),
            Self::UnusableObject(_) => (R::PermissionDenied, "objects of this type cannot be used so"),
            Self::CertificateRequest(_) if modern => (R::InvalidCsr, "certificate request is not acceptable"),
            Self::CertificateRequest(_) => (R::InvalidField, "certificate request is not acceptable"),
            // The case QS-M-2 insists on it.
            Self::NotQuantumSafe => (R::GeneralFailure, "the object would not be quantum safe"),
            Self::StorageUnavailable if modern => (R::ProtectionStorageUnavailable, "objects are not kept there"),
            Self::StorageUnavailable => (R::InvalidField, "objects are not kept there"),
            Self::Undone => {
                return Answer {
                    status: ResultStatus::OperationUndone,
                    reason: R::OperationCanceledByRequester,
                    message: "undone because another item of the batch failed".into(),
                };
            }
            Self::Algorithm(refusal) => {
                return Answer {
                    status: ResultStatus::OperationFailed,
                    reason: R::InvalidField,
                    message: refusal.to_string().into(),
                };
            }
            Self::Busy => (R::GeneralFailure, "server is busy"),
            Self::Hsm(_) | Self::Store(_) | Self::Internal(_) => (R::GeneralFailure, "internal error"),
            // The OASIS cases insist on Invalid Message for an IV that is not there, although 2.0 has a reason for it.
            Self::MissingParameter(what) => (R::InvalidMessage, *what),
            Self::BadParameters(what) if modern => (R::BadCryptographicParameters, *what),
            Self::BadParameters(what) => (R::InvalidField, *what),
            Self::UnsupportedParameters(what) if modern => (R::UnsupportedCryptographicParameters, *what),
            Self::UnsupportedParameters(what) => (R::FeatureNotSupported, *what),
            // So do they on this one.
            Self::TagLength => (R::GeneralFailure, "invalid tag length"),
            Self::UsageMask if modern => (R::IncompatibleCryptographicUsageMask, "usage mask does not allow it"),
            Self::UsageMask => (R::PermissionDenied, "usage mask does not allow it"),
            Self::UsageLimit => (R::PermissionDenied, "usage limits are spent"),
            Self::Allocation if modern => (R::UsageLimitExceeded, "unable to allocate the requested amount"),
            Self::Allocation => (R::PermissionDenied, "unable to allocate the requested amount"),
            Self::NoUsageLimits if modern => (R::AttributeNotFound, "object has no usage limits"),
            Self::NoUsageLimits => (R::IllegalOperation, "object has no usage limits"),
            Self::NoStream if modern => (R::InvalidCorrelationValue, "no such stream"),
            Self::NoStream => (R::ItemNotFound, "no such stream"),
            Self::Pkcs11Interface if modern => (R::Pkcs11InvalidInterface, "no such PKCS#11 interface"),
            Self::Pkcs11Function if modern => (R::Pkcs11InvalidFunction, "no such PKCS#11 function"),
            Self::Pkcs11Codec if modern => (R::Pkcs11CodecError, "parameters cannot be read"),
            Self::Pkcs11Interface | Self::Pkcs11Function | Self::Pkcs11Codec => {
                (R::OperationNotSupported, "operation is not supported")
            }
        };
        Answer { status: ResultStatus::OperationFailed, reason, message: message.into() }
    }

    /// Whether the node, and not the request, is at fault. Such failures are alarms in the log.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Hsm(_) | Self::Store(_) | Self::Internal(_))
    }
}

/// A message that cannot be parsed is invalid; one with a field or value that the version does not know has an invalid
/// field. KMIP 1.4 §11.1.
fn malformed(kind: DecodeErrorKind) -> (ResultReason, &'static str) {
    use DecodeErrorKind as K;
    match kind {
        K::UnknownField(_) => (ResultReason::InvalidField, "a field is unknown in this protocol version"),
        K::UnknownValue(_) => (ResultReason::InvalidField, "an enumeration value is unknown"),
        K::UnknownAttribute => (ResultReason::InvalidField, "an attribute is unknown in this protocol version"),
        K::UnsupportedKeyFormat(_) => (ResultReason::KeyFormatTypeNotSupported, "key format type is not supported"),
        K::UnsupportedObject(_) => (ResultReason::InvalidField, "object type is not supported"),
        K::TooMany { .. } => (ResultReason::InvalidMessage, "message has more items than the server takes"),
        _ => (ResultReason::InvalidMessage, "message cannot be parsed"),
    }
}

impl From<hsm::HsmError> for Failure {
    fn from(error: hsm::HsmError) -> Self {
        match error {
            hsm::HsmError::Busy { .. } => Self::Busy,
            hsm::HsmError::Closed => Self::DomainInactive,
            other => Self::Hsm(other),
        }
    }
}

impl From<crypto::CryptoError> for Failure {
    fn from(error: crypto::CryptoError) -> Self {
        use crypto::CryptoError as E;
        match error {
            E::Unsupported(what) => Self::UnsupportedParameters(what),
            E::Missing(what) => Self::MissingParameter(what),
            E::TagLength => Self::TagLength,
            E::TooLong(what) => Self::OverLimit(what),
            E::InvalidKey(what) | E::InvalidInput(what) => Self::Cryptographic(what),
            E::Authentication => Self::Cryptographic("not authentic"),
            E::Parts => Self::Cryptographic("the parts do not make a key"),
            E::Library(what) => Self::Internal(what),
        }
    }
}

impl From<keystore::StoreError> for Failure {
    fn from(error: keystore::StoreError) -> Self {
        match error {
            keystore::StoreError::NameTaken => Self::NameTaken,
            keystore::StoreError::NotFound => Self::NotFound,
            keystore::StoreError::Full | keystore::StoreError::Frozen => Self::Busy,
            keystore::StoreError::Inactive(_) => Self::DomainInactive,
            other => Self::Store(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_failure() -> Vec<Failure> {
        vec![
            Failure::Contradiction("x"),
            Failure::Version(ProtocolVersion { major: 9, minor: 9 }),
            Failure::Authentication("x"),
            Failure::UnsupportedOperation,
            Failure::NoSuchAsynchronousRequest,
            Failure::NoSuchTicket,
            Failure::AgainstConstraints("x"),
            Failure::UnsupportedFeature("x"),
            Failure::KeyFormat,
            Failure::KeyCompression,
            Failure::NotFound,
            Failure::Destroyed,
            Failure::TemplateNotFound,
            Failure::AttributeInstanceNotFound,
            Failure::SingleValued,
            Failure::AttributeNotSet,
            Failure::ReadOnlyAttribute("x"),
            Failure::NameTaken,
            Failure::NameTakenByOther,
            Failure::Archived,
            Failure::KeyValueAbsent,
            Failure::ObjectExists,
            Failure::EncodingOption,
            Failure::WrappingKeyNotFound,
            Failure::WrappingKeyDestroyed,
            Failure::WrappingKeyArchived,
            Failure::CryptographicParameters,
            Failure::Unwrappable,
            Failure::BadPassword("x"),
            Failure::MultiValued,
            Failure::NumericRange,
            Failure::DataType,
            Failure::WrongState,
            Failure::IllegalOperation("x"),
            Failure::Denied("x"),
            Failure::Sensitive,
            Failure::NotExtractable,
            Failure::InvalidField("x"),
            Failure::MissingData("x"),
            Failure::TooMany("x"),
            Failure::OverLimit("x"),
            Failure::ResponseTooLarge,
            Failure::DomainInactive,
            Failure::Undone,
            Failure::Busy,
            Failure::Cryptographic("x"),
            Failure::Weak("x"),
            Failure::Algorithm(AlgorithmRefusal::Policy(kmip::registry::CryptographicAlgorithm::Des)),
            Failure::UnusableObject("x"),
            Failure::CertificateRequest("x"),
            Failure::NotQuantumSafe,
            Failure::StorageUnavailable,
            Failure::Internal("x"),
            Failure::MissingParameter("x"),
            Failure::BadParameters("x"),
            Failure::UnsupportedParameters("x"),
            Failure::TagLength,
            Failure::UsageMask,
            Failure::UsageLimit,
            Failure::Allocation,
            Failure::NoUsageLimits,
            Failure::NoStream,
            Failure::Pkcs11Interface,
            Failure::Pkcs11Function,
            Failure::Pkcs11Codec,
        ]
    }

    #[test]
    fn no_client_is_told_a_reason_its_version_does_not_know() {
        for version in ProtocolVersion::ALL {
            for failure in every_failure() {
                let reason = failure.answer(version).reason;
                assert!(reason.is_known_to(version), "{failure} gives {reason:?} to a {version} client");
            }
        }
    }
}
