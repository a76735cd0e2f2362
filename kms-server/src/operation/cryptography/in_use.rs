//! A key in use: found, allowed by policy, opened for this one use, its usage counted.

use crypto::CryptoError;
use crypto::key::{KeyHint, PrivateKey, PublicKey};
use keystore::ObjectRow;
use kmip::attribute::{AttributeValue, CryptographicParameters, Identifier, UsageLimits};
use kmip::object::{KeyBlock, KeyMaterial, ManagedObject};
use kmip::registry::{CryptographicAlgorithm, ObjectType, UsageMask};
use policy::mechanism::{Mechanism, Purpose, may_use};
use policy::usage::{self, Usable, UsageRefusal};
use secret::Secret;

use crate::change::policy_of;
use crate::failure::Failure;
use crate::lifecycle;
use crate::node::sealing;
use crate::operation::fetching::conversion::hint_of;
use crate::scope::Scope;

/// What a key is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Encrypt,
    Decrypt,
    Sign,
    SignatureVerify,
    Mac,
    MacVerify,
}

impl Use {
    /// The bit that the Cryptographic Usage Mask has to have. KMIP 1.4 §3.19.
    const fn mask(self) -> UsageMask {
        match self {
            Self::Encrypt => UsageMask::ENCRYPT,
            Self::Decrypt => UsageMask::DECRYPT,
            Self::Sign => UsageMask::SIGN,
            Self::SignatureVerify => UsageMask::VERIFY,
            Self::Mac => UsageMask::MAC_GENERATE,
            Self::MacVerify => UsageMask::MAC_VERIFY,
        }
    }

    /// Whether it applies protection, which a key may do while it is Active and its Usage Limits last.
    const fn protects(self) -> bool {
        matches!(self, Self::Encrypt | Self::Sign | Self::Mac)
    }

    const fn takes(self, object_type: ObjectType) -> bool {
        match self {
            Self::Encrypt => matches!(object_type, ObjectType::SymmetricKey | ObjectType::PublicKey),
            Self::Decrypt => matches!(object_type, ObjectType::SymmetricKey | ObjectType::PrivateKey),
            Self::Sign => matches!(object_type, ObjectType::PrivateKey),
            Self::SignatureVerify => matches!(object_type, ObjectType::PublicKey),
            Self::Mac | Self::MacVerify => matches!(object_type, ObjectType::SymmetricKey),
        }
    }
}

/// A key that may be used, as far as its state goes.
pub(super) struct Key {
    pub row: ObjectRow,
    pub usage: Use,
    pub algorithm: CryptographicAlgorithm,
    /// The parameters in force: the request's, else the first of the key's own. The standard has no others: an
    /// algorithm that needs some and finds none is an error (KMIP 1.4 §4.29, 2.1 §6.1.17).
    pub parameters: CryptographicParameters,
}

/// Finds the key that a request names.
///
/// # Errors
/// [`Failure::NotFound`]; [`Failure::UnusableObject`] for an object that is no key for this use.
pub(super) async fn find(
    scope: &mut Scope<'_>,
    usage: Use,
    named: Option<&Identifier>,
    parameters: Option<&CryptographicParameters>,
) -> Result<Key, Failure> {
    let row = scope.object(named).await?;
    if !usage.takes(row.object_type) {
        return Err(Failure::UnusableObject("no key for this use"));
    }
    let own = || {
        row.attributes.iter().find_map(|one| match &one.value {
            AttributeValue::CryptographicParameters(parameters) => Some(&**parameters),
            _ => None,
        })
    };
    let parameters = parameters.or_else(own).cloned().unwrap_or_default();
    let algorithm = row.algorithm.ok_or(Failure::UnusableObject("a key without algorithm"))?;
    Ok(Key { row, usage, algorithm, parameters })
}

impl Key {
    /// Decides whether the key may be used so now.
    ///
    /// # Errors
    /// As [`Key::may_go_on`]; [`Failure::Weak`].
    pub(super) fn decide(&self, scope: &Scope<'_>, purpose: Purpose) -> Result<(), Failure> {
        self.may_go_on(scope)?;
        let length = self.row.length.unwrap_or(0);
        let mechanism = Mechanism { algorithm: self.algorithm, length, parameters: &self.parameters };
        may_use(policy_of(&scope.domain.row.policy), purpose, &mechanism)?;
        Ok(())
    }

    /// Decides whether the key may still be used, as each part of a stream asks. The mechanism was decided upon with the
    /// first part; another policy ends the stream.
    ///
    /// # Errors
    /// [`Failure::WrongState`] by state and dates, [`Failure::UsageMask`].
    pub(super) fn may_go_on(&self, scope: &Scope<'_>) -> Result<(), Failure> {
        let dates = lifecycle::dates(&self.row);
        let usable = Usable { state: self.row.state, dates: &dates, mask: self.row.usage_mask };
        let decide = if self.usage.protects() { usage::may_protect } else { usage::may_process };
        Ok(decide(&usable, self.usage.mask(), scope.now_s)?)
    }

    /// Takes what protecting `bytes` of data needs from the key's Usage Limits; `first` is false for the parts of a
    /// stream after the first. Other uses are not limited (KMIP 1.4 §3.21).
    ///
    /// # Errors
    /// [`Failure::UsageLimit`].
    pub(super) fn count(&mut self, scope: &mut Scope<'_>, bytes: usize, first: bool) -> Result<(), Failure> {
        if !self.usage.protects() {
            return Ok(());
        }
        let Some(limits) = usage_limits(&mut self.row) else { return Ok(()) };
        let units = usage::units_of(limits, bytes, first);
        if units == 0 {
            return Ok(());
        }
        *limits = usage::take_units(limits, units).map_err(|_| Failure::UsageLimit)?;
        self.row.dates.last_change = scope.now_s;
        scope.draft.update(self.row.clone());
        Ok(())
    }

    /// Opens the key inside the HSM, for one use.
    ///
    /// # Errors
    /// [`Failure::Hsm`]; [`Failure::Cryptographic`] for a key that was registered wrapped, of which the server has no
    /// more than the wrapped bytes.
    pub(super) async fn open(&self, scope: &Scope<'_>) -> Result<Opened, Failure> {
        let object = sealing::open(&scope.node.hsm, &scope.domain.key, &self.row).await?;
        if object.key_block().is_none_or(KeyBlock::is_wrapped) {
            return Err(Failure::Cryptographic("the key is wrapped"));
        }
        Ok(Opened { object, hint: hint_of(&self.row) })
    }
}

/// The Usage Limits of the object, to be counted down.
pub(super) fn usage_limits(row: &mut ObjectRow) -> Option<&mut UsageLimits> {
    row.attributes.iter_mut().find_map(|one| match &mut one.value {
        AttributeValue::UsageLimits(limits) => Some(&mut **limits),
        _ => None,
    })
}

/// A key in clear, and what is known of it beside its bytes.
pub(super) struct Opened {
    object: ManagedObject,
    hint: KeyHint,
}

impl Opened {
    /// The bytes of a symmetric key.
    ///
    /// # Errors
    /// [`Failure::Cryptographic`] for a key without.
    pub(super) fn symmetric(&self) -> Result<&Secret, Failure> {
        let material = self.object.key_block().and_then(KeyBlock::material);
        material.and_then(KeyMaterial::secret).ok_or(Failure::Cryptographic("the key is not there as bytes"))
    }

    /// A private key.
    ///
    /// # Errors
    /// [`CryptoError`].
    pub(super) fn private(&self) -> Result<PrivateKey, CryptoError> {
        let (block, material) = self.parts()?;
        PrivateKey::from_material(block.format, material, self.hint)
    }

    /// A public key.
    ///
    /// # Errors
    /// [`CryptoError`].
    pub(super) fn public(&self) -> Result<PublicKey, CryptoError> {
        let (block, material) = self.parts()?;
        PublicKey::from_material(block.format, material, self.hint)
    }

    fn parts(&self) -> Result<(&KeyBlock, &KeyMaterial), CryptoError> {
        let missing = CryptoError::InvalidKey("its value is not there");
        let block = self.object.key_block().ok_or(missing)?;
        Ok((block, block.material().ok_or(missing)?))
    }
}

/// Computes where it does not hold up other requests: a private operation takes milliseconds.
///
/// # Errors
/// What the computation fails with.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CryptoError> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|_| Failure::Internal("a computation broke off"))?;
    Ok(done?)
}

impl From<UsageRefusal> for Failure {
    fn from(refusal: UsageRefusal) -> Self {
        match refusal {
            UsageRefusal::State(_) | UsageRefusal::BeforeProcessStart | UsageRefusal::AfterProtectStop => {
                Self::WrongState
            }
            UsageRefusal::Mask(_) => Self::UsageMask,
        }
    }
}

impl From<policy::mechanism::WeakMechanism> for Failure {
    fn from(refusal: policy::mechanism::WeakMechanism) -> Self {
        Self::Weak(refusal.0)
    }
}
