//! Keys under other keys: wrapping what leaves, unwrapping what came wrapped. KMIP 1.4 §2.1.5, §2.1.6; 2.1 §3.3, §7.18.
//!
//! A key that was registered wrapped is kept as it came and opened for one answer at a time, under the key that its
//! Key Wrapping Data names. Wrapping and authenticating keys are objects of the client's own domain; another domain's
//! is as absent as one that never was.

use crypto::CryptoError;
use crypto::key::{PrivateKey, PublicKey};
use crypto::mac::MacSpec;
use crypto::signature::SignatureScheme;
use crypto::wrap::{self, Authenticating, Checking, Decrypting, Encrypting};
use keystore::{ObjectRow, Permissions};
use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue, CryptographicParameters, Identifier};
use kmip::object::{
    EncryptionKeyInformation, KeyBlock, KeyMaterial, KeyValue, KeyWrappingData, KeyWrappingSpecification,
    MacSignatureKeyInformation, ManagedObject, NotWrappable,
};
use kmip::registry::{CryptographicAlgorithm, EncodingOption, LinkType, ObjectType, UsageMask, WrappingMethod};
use policy::mechanism::{self, Mechanism};
use policy::usage::{Usable, UsageRefusal, may_process, may_protect};
use policy::wrapping::{WrappingRefusal, may_unwrap, may_wrap, may_wrap_in};
use secret::Secret;

use super::conversion::hint_of;
use crate::attributes;
use crate::change::policy_of;
use crate::failure::Failure;
use crate::lifecycle;
use crate::node::sealing;
use crate::scope::Scope;

/// Attributes that one wrapping may take along.
const MAX_WRAPPED_ATTRIBUTES: usize = 64;

/// A key that wraps, unwraps, authenticates or checks, opened for one use.
struct WrappingKey {
    row: ObjectRow,
    object: ManagedObject,
}

/// What a wrapping key is wanted for.
#[derive(Clone, Copy)]
enum Purpose {
    Wrap,
    Unwrap,
    Authenticate,
    Check,
}

/// Whether the key came wrapped, so that only the client's word says what is inside.
#[must_use]
pub(in crate::operation) fn is_wrapped(object: &ManagedObject) -> bool {
    object.key_block().is_some_and(KeyBlock::is_wrapped)
}

/// The key in clear of a block that came wrapped; a block in clear as it is. Nothing of it is stored here.
///
/// # Errors
/// [`Failure::WrappingKeyNotFound`] and its kin for the wrapping key, [`Failure::Denied`] where it may not unwrap,
/// [`Failure::Unwrappable`] for bytes that it did not wrap.
pub(in crate::operation) async fn unwrap(scope: &mut Scope<'_>, block: KeyBlock) -> Result<KeyBlock, Failure> {
    let Some(data) = &block.wrapping else { return Ok(block) };
    let wrapped = match &block.value {
        Some(KeyValue::Wrapped(bytes)) => bytes,
        // Some clients put the wrapped bytes where the key itself would stand.
        Some(KeyValue::Plain { material: KeyMaterial::Bytes(bytes), .. }) => bytes,
        Some(KeyValue::Plain { .. }) => return Err(Failure::Unwrappable),
        None => return Err(Failure::KeyValueAbsent),
    };
    let encryption = match &data.encryption_key_information {
        Some(information) => {
            let key = open(scope, &information.unique_identifier, Purpose::Unwrap).await?;
            let parameters = parameters_of(&key.row, information.cryptographic_parameters.as_deref())?;
            Some((key, parameters))
        }
        None => None,
    };
    let authentication = match &data.mac_signature_key_information {
        Some(information) => {
            let checking = checking_key(scope, &information.unique_identifier).await?;
            let key = open(scope, &checking, Purpose::Check).await?;
            let parameters = parameters_of(&key.row, information.cryptographic_parameters.as_deref())?;
            may_authenticate(scope, &key.row, &parameters)?;
            Some((key, parameters))
        }
        None => None,
    };
    let plain = {
        let private = encryption.as_ref().and_then(|(key, _)| as_private(key)).transpose().map_err(unusable)?;
        let decrypting = match (&encryption, &private) {
            (Some((_, parameters)), Some(key)) => Some((Decrypting::Private(key), parameters, None)),
            (Some((key, parameters)), None) => {
                let (algorithm, bytes) = symmetric(key)?;
                let iv = data.iv_counter_nonce.as_deref();
                Some((Decrypting::Symmetric(algorithm, bytes), parameters, iv))
            }
            (None, _) => None,
        };
        let public = authentication.as_ref().and_then(|(key, _)| as_public(key)).transpose().map_err(unusable)?;
        let checking = match (&authentication, &public) {
            (Some((_, parameters)), Some(key)) => {
                let scheme = SignatureScheme::resolve(key.kind(), parameters).map_err(unusable)?;
                Some(Checking::Verify(scheme, key))
            }
            (Some((key, parameters)), None) => {
                let (algorithm, bytes) = symmetric(key)?;
                Some(Checking::Mac(MacSpec::resolve(algorithm, parameters).map_err(unusable)?, bytes))
            }
            (None, _) => None,
        };
        let checking = checking.zip(data.mac_signature.as_deref());
        wrap::unwrap(data.wrapping_method, decrypting, checking, wrapped).map_err(unusable)?
    };
    // Attributes inside have the form of the version in which the client wrapped them, which nothing tells.
    let value = [scope.version, ProtocolVersion::V1_4, ProtocolVersion::V2_1]
        .into_iter()
        .find_map(|version| KeyValue::from_wrapping_input(plain.expose(), data.encoding(), block.format, version).ok())
        .ok_or(Failure::Unwrappable)?;
    Ok(KeyBlock { value: Some(value), wrapping: None, ..block })
}

/// The object with its key wrapped as `specification` says; its key is in clear. `as_structure` puts the wrapped bytes
/// where the key stood, for a client that registered it so.
///
/// # Errors
/// [`Failure::Denied`] where the domain or the wrapping key does not allow it, [`Failure::EncodingOption`],
/// [`Failure::WrappingKeyNotFound`] and its kin, [`Failure::CryptographicParameters`].
pub(super) async fn wrap(
    scope: &mut Scope<'_>,
    row: &ObjectRow,
    mut object: ManagedObject,
    specification: &KeyWrappingSpecification,
    as_structure: bool,
) -> Result<ManagedObject, Failure> {
    if !scope.domain.row.permissions.allow(Permissions::WRAPPED_GET) {
        return Err(Failure::Denied("the domain does not hand out wrapped keys"));
    }
    // A method that only authenticates would leave the key readable.
    if specification.wrapping_method == WrappingMethod::MacSign {
        return Err(Failure::UnsupportedFeature("a wrapping that leaves the key readable"));
    }
    if specification.encryption_key_information.is_none() {
        return Err(Failure::MissingData("encryption key information"));
    }
    let version = scope.version;
    let taken_along = attributes_to_wrap(row, specification, scope)?;
    let Some(block) = object.key_block_mut() else {
        return Err(Failure::IllegalOperation("only keys are wrapped"));
    };
    let value = match block.value.take() {
        Some(KeyValue::Plain { material, .. }) => KeyValue::Plain { material, attributes: taken_along },
        Some(KeyValue::Wrapped(_)) => return Err(Failure::KeyFormat),
        None => return Err(Failure::KeyValueAbsent),
    };
    let input = value.to_wrapping_input(specification.encoding(), version).map_err(|why| match why {
        NotWrappable::ByteString => Failure::KeyFormat,
        NotWrappable::Structure | NotWrappable::Attributes => Failure::EncodingOption,
    })?;

    let encryption = match &specification.encryption_key_information {
        Some(information) => {
            let key = open(scope, &information.unique_identifier, Purpose::Wrap).await?;
            let parameters = parameters_of(&key.row, information.cryptographic_parameters.as_deref())?;
            if key.row.object_type != ObjectType::PublicKey {
                may_wrap_in(policy_of(&scope.domain.row.policy), parameters.block_cipher_mode).map_err(refused)?;
            }
            Some((key, parameters))
        }
        None => None,
    };
    let authentication = match &specification.mac_signature_key_information {
        Some(information) => {
            let key = open(scope, &information.unique_identifier, Purpose::Authenticate).await?;
            let parameters = parameters_of(&key.row, information.cryptographic_parameters.as_deref())?;
            may_authenticate(scope, &key.row, &parameters)?;
            Some((key, parameters))
        }
        None => None,
    };
    let public = encryption.as_ref().and_then(|(key, _)| as_public(key)).transpose().map_err(unusable)?;
    let encrypting = match (&encryption, &public) {
        (Some((_, parameters)), Some(key)) => Some((Encrypting::Public(key), parameters, None)),
        (Some((key, parameters)), None) => {
            let (algorithm, bytes) = symmetric(key)?;
            Some((Encrypting::Symmetric(algorithm, bytes), parameters, None))
        }
        (None, _) => None,
    };
    let random = match &encrypting {
        Some((key, parameters, _)) => match wrap::random_len(key, parameters, false).map_err(unusable)? {
            0 => None,
            len => Some(scope.node.hsm.random(len).await?),
        },
        None => None,
    };
    let private = authentication.as_ref().and_then(|(key, _)| as_private(key)).transpose().map_err(unusable)?;
    let authenticating = match (&authentication, &private) {
        (Some((_, parameters)), Some(key)) => {
            Some(Authenticating::Sign(SignatureScheme::resolve(key.kind(), parameters).map_err(unusable)?, key))
        }
        (Some((key, parameters)), None) => {
            let (algorithm, bytes) = symmetric(key)?;
            Some(Authenticating::Mac(MacSpec::resolve(algorithm, parameters).map_err(unusable)?, bytes))
        }
        (None, _) => None,
    };
    let random = random.as_ref().map_or(&[][..], Secret::expose);
    let wrapped = wrap::wrap(specification.wrapping_method, encrypting, authenticating, &input, random)
        .map_err(|error| unwrappable_input(error, specification))?;

    block.value = Some(if as_structure && specification.encoding() == EncodingOption::NoEncoding {
        KeyValue::Plain { material: KeyMaterial::Bytes(wrapped.value), attributes: Vec::new() }
    } else {
        KeyValue::Wrapped(wrapped.value)
    });
    block.wrapping = Some(Box::new(KeyWrappingData {
        wrapping_method: specification.wrapping_method,
        encryption_key_information: encryption
            .map(|(key, parameters)| told(specification.encryption_key_information.as_ref(), &key.row, parameters)),
        mac_signature_key_information: authentication.map(|(key, parameters)| MacSignatureKeyInformation {
            unique_identifier: sealing::identifier_text(key.row.id),
            cryptographic_parameters: Some(Box::new(parameters)),
        }),
        mac_signature: wrapped.mac_signature,
        iv_counter_nonce: wrapped.iv,
        encoding_option: specification.encoding_option,
    }));
    Ok(object)
}

/// What the answer says of the key that encrypted: the parameters as they were asked for, or those that were chosen.
fn told(
    asked: Option<&EncryptionKeyInformation>,
    row: &ObjectRow,
    parameters: CryptographicParameters,
) -> EncryptionKeyInformation {
    let asked = asked.and_then(|information| information.cryptographic_parameters.clone());
    EncryptionKeyInformation {
        unique_identifier: sealing::identifier_text(row.id),
        cryptographic_parameters: asked.or_else(|| Some(Box::new(parameters))),
    }
}

/// The attributes that are wrapped together with the key. KMIP 1.4 §2.1.6.
fn attributes_to_wrap(
    row: &ObjectRow,
    specification: &KeyWrappingSpecification,
    scope: &Scope<'_>,
) -> Result<Vec<Attribute>, Failure> {
    let names = &specification.attribute_names;
    if !names.is_empty() && specification.encoding() == EncodingOption::NoEncoding {
        return Err(Failure::EncodingOption);
    }
    let mut found = Vec::new();
    for name in names {
        found.extend(attributes::instances(row, scope.view(), name).into_iter().map(attributes::unnumbered));
        if found.len() > MAX_WRAPPED_ATTRIBUTES {
            return Err(Failure::OverLimit("attributes to be wrapped"));
        }
    }
    Ok(found)
}

/// The key that checks what the named one authenticated: itself, or, of a private key, the public key that it links to.
/// This server names the private key in what it wraps, as KMIP 1.4 §2.1.5 has it, and has to understand its own answer.
async fn checking_key(scope: &mut Scope<'_>, named: &str) -> Result<String, Failure> {
    let about = scope.object;
    let found = scope.object(Some(&Identifier::from(named))).await;
    scope.object = about;
    // What is wrong with the named one is for `open` to say.
    let Ok(row) = found else { return Ok(named.to_owned()) };
    let public = row.attributes.iter().find_map(|one| match &one.value {
        AttributeValue::Link(link) if link.link_type == LinkType::PublicKeyLink => {
            link.linked_object_identifier.as_text()
        }
        _ => None,
    });
    let is_private = row.object_type == ObjectType::PrivateKey;
    Ok(public.filter(|_| is_private).unwrap_or(named).to_owned())
}

/// May the key authenticate, and check, with these parameters under the domain's policy?
fn may_authenticate(scope: &Scope<'_>, row: &ObjectRow, parameters: &CryptographicParameters) -> Result<(), Failure> {
    let algorithm = row.algorithm.ok_or(Failure::CryptographicParameters)?;
    let purpose = match row.object_type {
        ObjectType::SymmetricKey => mechanism::Purpose::Mac,
        _ => mechanism::Purpose::Sign { digested: false },
    };
    let used = Mechanism { algorithm, length: row.length.unwrap_or(0), parameters };
    Ok(mechanism::may_use(policy_of(&scope.domain.row.policy), purpose, &used)?)
}

/// Finds the key, checks that it may be used so, and opens it.
async fn open(scope: &mut Scope<'_>, id: &str, purpose: Purpose) -> Result<WrappingKey, Failure> {
    // The record of the operation names the object that it is about, not the key that protects it.
    let about = scope.object;
    let found = scope.object(Some(&Identifier::from(id))).await;
    scope.object = about;
    let row = found.map_err(|failure| match failure {
        Failure::NotFound => Failure::WrappingKeyNotFound,
        Failure::Archived => Failure::WrappingKeyArchived,
        other => other,
    })?;
    if row.dates.destroy.is_some() {
        return Err(Failure::WrappingKeyDestroyed);
    }
    if !matches!(row.object_type, ObjectType::SymmetricKey | ObjectType::PublicKey | ObjectType::PrivateKey) {
        return Err(Failure::IllegalOperation("the wrapping key is no key"));
    }
    let dates = lifecycle::dates(&row);
    let usable = Usable { state: row.state, dates: &dates, mask: row.usage_mask };
    let now = scope.now_s;
    let policy = policy_of(&scope.domain.row.policy);
    let is_symmetric = row.object_type == ObjectType::SymmetricKey;
    match purpose {
        Purpose::Wrap => may_wrap(&usable, now),
        Purpose::Unwrap => may_unwrap(policy, &usable, now),
        Purpose::Authenticate => {
            let need = if is_symmetric { UsageMask::MAC_GENERATE } else { UsageMask::SIGN };
            may_protect(&usable, need, now).map_err(WrappingRefusal::from)
        }
        Purpose::Check => {
            let need = if is_symmetric { UsageMask::MAC_VERIFY } else { UsageMask::VERIFY };
            may_process(&usable, need, now).map_err(WrappingRefusal::from)
        }
    }
    .map_err(refused)?;
    let object = sealing::open(&scope.node.hsm, &scope.domain.key, &row).await?;
    // A wrapping key that is itself wrapped would open a chain of any length.
    if is_wrapped(&object) {
        return Err(Failure::Denied("the wrapping key is itself wrapped"));
    }
    Ok(WrappingKey { row, object })
}

fn refused(refusal: WrappingRefusal) -> Failure {
    match refusal {
        WrappingRefusal::Use(UsageRefusal::Mask(_)) => Failure::UsageMask,
        WrappingRefusal::Use(_) => Failure::WrongState,
        WrappingRefusal::AlsoDecrypts => Failure::Weak("a key that decrypts data wraps no keys"),
        WrappingRefusal::Mode => Failure::CryptographicParameters,
        WrappingRefusal::WeakMode => Failure::Weak("the domain's policy wraps keys in modes that notice a change only"),
    }
}

/// The parameters to use: the given ones, which have to agree with the key's own where it has some; else the key's
/// first. KMIP 1.4 §11.12.
fn parameters_of(row: &ObjectRow, given: Option<&CryptographicParameters>) -> Result<CryptographicParameters, Failure> {
    let mut own = row.attributes.iter().filter_map(|one| match &one.value {
        AttributeValue::CryptographicParameters(parameters) => Some(parameters.as_ref()),
        _ => None,
    });
    match given {
        None => own.next().cloned().ok_or(Failure::CryptographicParameters),
        Some(given) => {
            let mut own = own.peekable();
            if own.peek().is_none() || own.any(|own| agree(given, own)) {
                Ok(given.clone())
            } else {
                Err(Failure::CryptographicParameters)
            }
        }
    }
}

/// Whether no field that both have differs in what matters to wrapping.
fn agree(given: &CryptographicParameters, own: &CryptographicParameters) -> bool {
    fn one<T: PartialEq>(given: Option<T>, own: Option<T>) -> bool {
        match (given, own) {
            (Some(given), Some(own)) => given == own,
            _ => true,
        }
    }
    one(given.block_cipher_mode, own.block_cipher_mode)
        && one(given.padding_method, own.padding_method)
        && one(given.hashing_algorithm, own.hashing_algorithm)
        && one(given.digital_signature_algorithm, own.digital_signature_algorithm)
        && one(given.cryptographic_algorithm, own.cryptographic_algorithm)
}

fn symmetric(key: &WrappingKey) -> Result<(CryptographicAlgorithm, &Secret), Failure> {
    let bytes = key.object.key_block().and_then(KeyBlock::material).and_then(KeyMaterial::secret);
    match (key.row.algorithm, bytes) {
        (Some(algorithm), Some(bytes)) if key.row.object_type == ObjectType::SymmetricKey => Ok((algorithm, bytes)),
        _ => Err(Failure::IllegalOperation("the wrapping key is of another kind")),
    }
}

fn as_public(key: &WrappingKey) -> Option<Result<PublicKey, CryptoError>> {
    let ManagedObject::PublicKey(_) = &key.object else { return None };
    let block = key.object.key_block()?;
    Some(PublicKey::from_material(block.format, block.material()?, hint_of(&key.row)))
}

fn as_private(key: &WrappingKey) -> Option<Result<PrivateKey, CryptoError>> {
    let ManagedObject::PrivateKey(_) = &key.object else { return None };
    let block = key.object.key_block()?;
    Some(PrivateKey::from_material(block.format, block.material()?, hint_of(&key.row)))
}

/// What a computation's refusal means to the client; which check failed is not told.
fn unusable(error: CryptoError) -> Failure {
    match error {
        CryptoError::Unsupported(_) | CryptoError::Missing(_) | CryptoError::TagLength => {
            Failure::CryptographicParameters
        }
        CryptoError::Library(what) => Failure::Internal(what),
        _ => Failure::Unwrappable,
    }
}

/// Bare key bytes of a length that the mode cannot wrap are a matter of the encoding.
fn unwrappable_input(error: CryptoError, specification: &KeyWrappingSpecification) -> Failure {
    match error {
        CryptoError::InvalidInput(_) if specification.encoding() == EncodingOption::NoEncoding => {
            Failure::EncodingOption
        }
        other => unusable(other),
    }
}
