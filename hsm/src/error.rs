//! What can go wrong, sorted by what has to be done about it.
//!
//! Inside the crate a [`Fault`] carries its [`Kind`]: return it, ask again, try another session, import the key once
//! more, fail over, or stop the member for good. Outside, [`HsmError`] tells the caller what is left when all of that
//! was done.

use cryptoki::error::{Error as Pkcs11Error, RvError};
use secret::EnvelopeError;
use thiserror::Error;

/// Why a call to the group did not succeed.
#[derive(Debug, Error)]
pub enum HsmError {
    /// The bytes were altered, belong to other facts, another domain or another key. No other member would say
    /// otherwise, so none was asked.
    #[error("{doing}: the data does not open ({cause})")]
    Data {
        /// What was being done.
        doing: &'static str,
        /// The PKCS#11 error or our own finding.
        cause: String,
    },
    /// An envelope is not one.
    #[error("not an envelope")]
    Envelope(#[from] EnvelopeError),
    /// A limit of this crate, for instance empty facts or a payload over the limit.
    #[error("{0}")]
    Limit(String),
    /// No member could do it. Each reason names its member.
    #[error("no HSM member is available: {}", list(.reasons))]
    Unavailable {
        /// Member label and reason.
        reasons: Vec<(String, String)>,
    },
    /// The last member that was up did not answer in time; the effect of the call is unknown.
    #[error("HSM member {member} did not answer in time")]
    Deadline {
        /// Who was asked last.
        member: String,
    },
    /// A person has to act: a wrong PIN, a wrong Root of Trust, a missing mechanism. Never tried again by itself.
    #[error("HSM member {member} needs an operator: {reason}")]
    Operator {
        /// Which member.
        member: String,
        /// What is wrong.
        reason: String,
    },
    /// Every member that is up has as much of this work in hand as it may. Nothing was begun.
    #[error("{doing}: every HSM member has as many in hand as it may")]
    Busy {
        /// What was to be done.
        doing: &'static str,
    },
    /// The members are well and do not do this: a curve or a mechanism that they lack, a policy of theirs.
    #[error("{doing}: not offered by the HSM ({})", list(.reasons))]
    Unsupported {
        /// What was to be done.
        doing: &'static str,
        /// Member label and the PKCS#11 error.
        reasons: Vec<(String, String)>,
    },
    /// The domain was closed: its keys are not used until it is opened again.
    #[error("the domain is closed")]
    Closed,
    /// The configuration cannot be right.
    #[error("HSM configuration: {0}")]
    Config(String),
}

/// What the caller can do about an [`HsmError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The stored bytes are wrong: an alarm, not a retry.
    Data,
    /// Try again when a member is back.
    Unavailable,
    /// As `Unavailable`, but the effect is unknown.
    Deadline,
    /// A person has to act.
    Operator,
    /// Try again when what is in hand is done.
    Busy,
    /// Another try will not help: the devices do not do this.
    Unsupported,
    /// The caller asked for something that cannot be.
    Usage,
}

impl HsmError {
    /// What the caller can do about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Data { .. } | Self::Envelope(_) => ErrorClass::Data,
            Self::Unavailable { .. } => ErrorClass::Unavailable,
            Self::Deadline { .. } => ErrorClass::Deadline,
            Self::Operator { .. } => ErrorClass::Operator,
            Self::Busy { .. } => ErrorClass::Busy,
            Self::Unsupported { .. } => ErrorClass::Unsupported,
            Self::Limit(_) | Self::Config(_) | Self::Closed => ErrorClass::Usage,
        }
    }
}

fn list(reasons: &[(String, String)]) -> String {
    let texts: Vec<String> = reasons.iter().map(|(member, reason)| format!("{member}: {reason}")).collect();
    texts.join("; ")
}

/// What has to be done about a fault on one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Return it: the data is wrong, here and everywhere.
    Data,
    /// The module does not say whether the data or the member is wrong: ask the canary or the Root of Trust.
    Ambiguous,
    /// The session is gone or unusable: one more try in a new one.
    Session,
    /// A cached handle is dead: import again, once.
    Object,
    /// The member is lost for now: breaker open, fail over, open again later.
    Member,
    /// As `Member`; the call may still be running.
    Deadline,
    /// The member is stopped for good: another try could lock it or use a wrong key.
    Operator,
    /// The member is well and does not do this: ask the next one and blame nobody.
    Refused,
    /// The member has as much of this work in hand as it may: as `Refused`.
    Full,
    /// The domain is closed, here and everywhere.
    Closed,
}

/// One failed attempt on one member.
#[derive(Clone, Debug, Error)]
#[error("{doing}: {cause}")]
pub(crate) struct Fault {
    pub kind: Kind,
    pub doing: &'static str,
    pub cause: String,
}

impl Fault {
    pub fn new(kind: Kind, doing: &'static str, cause: impl Into<String>) -> Self {
        Self { kind, doing, cause: cause.into() }
    }

    /// The same fault under the kind that further questions to the member have settled.
    pub fn settled(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }
}

/// Turns the module's error into a fault that says what was being done.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, Fault>;

    /// As `doing`, for what a module need not offer: a mechanism or an attribute that it does not know is a refusal.
    fn offered(self, doing: &'static str) -> Result<T, Fault>;
}

impl<T> Doing<T> for Result<T, Pkcs11Error> {
    fn doing(self, doing: &'static str) -> Result<T, Fault> {
        self.map_err(|error| Fault { kind: kind_of(&error), doing, cause: name_of(&error) })
    }

    fn offered(self, doing: &'static str) -> Result<T, Fault> {
        self.map_err(|error| {
            let kind = if is_refusal(&error) { Kind::Refused } else { kind_of(&error) };
            Fault { kind, doing, cause: name_of(&error) }
        })
    }
}

/// The class of an error, as far as the error alone tells.
pub(crate) fn kind_of(error: &Pkcs11Error) -> Kind {
    use RvError as R;
    let Pkcs11Error::Pkcs11(code, _) = error else { return Kind::Member };
    match code {
        R::EncryptedDataInvalid
        | R::EncryptedDataLenRange
        | R::WrappedKeyInvalid
        | R::WrappedKeyLenRange
        | R::TemplateInconsistent
        | R::KeyUnextractable
        | R::DataInvalid
        | R::DataLenRange => Kind::Data,
        // SoftHSM 2.6.1 answers GeneralError to an altered ciphertext, and to a token that has vanished.
        R::GeneralError | R::ArgumentsBad | R::MechanismParamInvalid => Kind::Ambiguous,
        R::SessionHandleInvalid | R::SessionClosed | R::OperationActive | R::OperationNotInitialized => Kind::Session,
        R::KeyHandleInvalid | R::ObjectHandleInvalid | R::WrappingKeyHandleInvalid | R::UnwrappingKeyHandleInvalid => {
            Kind::Object
        }
        R::PinIncorrect
        | R::PinInvalid
        | R::PinLenRange
        | R::PinExpired
        | R::PinLocked
        | R::PinTooWeak
        | R::UserPinNotInitialized
        | R::MechanismInvalid => Kind::Operator,
        // UserNotLoggedIn stands here too: a logout has killed every handle, so only a new epoch helps, and that logs
        // in once.
        _ => Kind::Member,
    }
}

/// Whether a module that is well says with this error that it does not do such a thing.
fn is_refusal(error: &Pkcs11Error) -> bool {
    use RvError as R;
    let Pkcs11Error::Pkcs11(code, _) = error else { return matches!(error, Pkcs11Error::NotSupported) };
    matches!(
        code,
        R::ActionProhibited
            | R::AttributeTypeInvalid
            | R::AttributeValueInvalid
            | R::CurveNotSupported
            | R::DomainParamsInvalid
            | R::FunctionNotSupported
            | R::KeyFunctionNotPermitted
            | R::KeyNotWrappable
            | R::KeySizeRange
            | R::KeyTypeInconsistent
            | R::KeyUnextractable
            | R::MechanismInvalid
            | R::MechanismParamInvalid
            | R::RandomNoRng
            | R::RandomSeedNotSupported
            | R::TemplateIncomplete
            | R::TemplateInconsistent
            | R::WrappingKeySizeRange
            | R::WrappingKeyTypeInconsistent
    )
}

/// Whether the module does not know the mechanism, so that it makes sense to try another.
pub(crate) fn is_unknown_mechanism(error: &Pkcs11Error) -> bool {
    matches!(error, Pkcs11Error::Pkcs11(RvError::MechanismInvalid, _) | Pkcs11Error::NotSupported)
}

/// The error under its PKCS#11 name, for instance `CKR_TEMPLATE_INCONSISTENT`.
pub(crate) fn name_of(error: &Pkcs11Error) -> String {
    let Pkcs11Error::Pkcs11(code, function) = error else { return error.to_string() };
    match code {
        RvError::VendorDefined(code) | RvError::UnknownErrorCode(code) => format!("CKR {code:#x} from C_{function:?}"),
        known => {
            let mut name = String::from("CKR");
            for letter in format!("{known:?}").chars() {
                if letter.is_ascii_uppercase() {
                    name.push('_');
                }
                name.push(letter.to_ascii_uppercase());
            }
            name
        }
    }
}

#[cfg(test)]
mod tests {
    use cryptoki::context::Function;

    use super::*;

    fn error(code: RvError) -> Pkcs11Error {
        Pkcs11Error::Pkcs11(code, Function::Decrypt)
    }

    #[test]
    fn errors_carry_their_pkcs11_name() {
        assert_eq!(name_of(&error(RvError::TemplateInconsistent)), "CKR_TEMPLATE_INCONSISTENT");
        assert_eq!(name_of(&error(RvError::ActionProhibited)), "CKR_ACTION_PROHIBITED");
        assert_eq!(name_of(&error(RvError::UnknownErrorCode(0x99))), "CKR 0x99 from C_Decrypt");
    }

    #[test]
    fn a_wrong_pin_is_never_worth_a_retry() {
        for code in [RvError::PinIncorrect, RvError::PinLocked, RvError::PinExpired] {
            assert_eq!(kind_of(&error(code)), Kind::Operator);
        }
    }

    #[test]
    fn altered_data_is_told_from_a_lost_member() {
        assert_eq!(kind_of(&error(RvError::EncryptedDataInvalid)), Kind::Data);
        assert_eq!(kind_of(&error(RvError::GeneralError)), Kind::Ambiguous);
        assert_eq!(kind_of(&error(RvError::DeviceError)), Kind::Member);
        assert_eq!(kind_of(&error(RvError::TokenNotPresent)), Kind::Member);
        assert_eq!(kind_of(&error(RvError::SessionHandleInvalid)), Kind::Session);
        assert_eq!(kind_of(&error(RvError::KeyHandleInvalid)), Kind::Object);
    }

    #[test]
    fn what_a_module_need_not_offer_stops_nobody() {
        for code in [RvError::MechanismInvalid, RvError::CurveNotSupported, RvError::RandomSeedNotSupported] {
            let offered: Result<(), Pkcs11Error> = Err(error(code));
            assert_eq!(offered.offered("make an EC key pair").unwrap_err().kind, Kind::Refused);
        }
        // The same error to what a member must be able to do is for an operator.
        let needed: Result<(), Pkcs11Error> = Err(error(RvError::MechanismInvalid));
        assert_eq!(needed.doing("wrap a Domain Key").unwrap_err().kind, Kind::Operator);
        for (code, kind) in [(RvError::DeviceError, Kind::Member), (RvError::SessionHandleInvalid, Kind::Session)] {
            let lost: Result<(), Pkcs11Error> = Err(error(code));
            assert_eq!(lost.offered("make an EC key pair").unwrap_err().kind, kind);
        }
    }

    #[test]
    fn every_member_is_named_when_none_is_left() {
        let error =
            HsmError::Unavailable { reasons: vec![("PAR7S".into(), "lost".into()), ("TH3S".into(), "stopped".into())] };
        assert_eq!(error.to_string(), "no HSM member is available: PAR7S: lost; TH3S: stopped");
        assert_eq!(error.class(), ErrorClass::Unavailable);
    }
}
