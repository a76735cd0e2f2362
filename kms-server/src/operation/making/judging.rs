//! What the domain's policy says of a key that comes in, whichever way it comes: registered, imported, joined of parts,
//! derived, in a PKCS#12 file, in a certificate or in a request for one.
//!
//! What a key claims to be counts only where nobody can look. `legacy` keeps whatever somebody else made; under `anssi` a
//! key has to be as good as one made here. See `docs/decisions/0039-one-judge-of-keys-that-come-in.md`.

use crypto::key::{KeyFacts, KeyHint, PublicKey, inspect_private, inspect_public};
use crypto::x509::{parse_certificate, parse_request};
use keystore::ObjectRow;
use kmip::object::{KeyBlock, KeyMaterial, ManagedObject, SplitKey};
use kmip::registry::{KeyFormatType, ObjectType, SplitKeyMethod};
use policy::algorithm::AlgorithmPolicy;
use policy::creation::{self, may_register, may_register_exponent, may_register_on, symmetric_key_bytes};
use secret::Secret;

use crate::change::policy_of;
use crate::failure::Failure;
use crate::operation::fetching::conversion::hint_of;
use crate::scope::Scope;

/// Judges `object` with what its row says of it, under the policy of the client's domain.
///
/// # Errors
/// [`Failure::Algorithm`] for what the policy excludes; [`Failure::InvalidField`] for uses that exclude each other, for a
/// symmetric key that does not say what it is, and, under `anssi`, for one that is not what it says.
pub(in crate::operation) fn judge(scope: &Scope<'_>, row: &ObjectRow, object: &ManagedObject) -> Result<(), Failure> {
    let policy = policy_of(&scope.domain.row.policy);
    creation::check_uses(policy, row.usage_mask)?;
    match object {
        ManagedObject::SymmetricKey(key) => symmetric(policy, row, &key.key_block),
        ManagedObject::PrivateKey(key) => asymmetric(policy, row, object, &key.key_block),
        ManagedObject::PublicKey(key) => asymmetric(policy, row, object, &key.key_block),
        ManagedObject::SplitKey(part) => part_of_key(policy, row, part),
        // A certificate or request that nobody understands is kept like any other bytes.
        ManagedObject::Certificate(certificate) => {
            let facts = parse_certificate(&certificate.value).ok();
            facts.map_or(Ok(()), |facts| certified_key(policy, &facts.public_key).or_else(unless_unread))
        }
        ManagedObject::CertificateRequest(held) => {
            let request = parse_request(held.certificate_request_type, &held.value).ok();
            request.map_or(Ok(()), |request| certified_key(policy, &request.public_key).or_else(unless_unread))
        }
        _ => Ok(()),
    }
}

/// Judges the key, a SubjectPublicKeyInfo, for which the domain's authority is asked to sign a certificate.
///
/// # Errors
/// [`Failure::Algorithm`]; [`Failure::CertificateRequest`] for a key that nobody understands, under `anssi`.
pub(super) fn judge_certified(scope: &Scope<'_>, public_key: &[u8]) -> Result<(), Failure> {
    certified_key(policy_of(&scope.domain.row.policy), public_key)
}

/// Algorithm, length and curve of an asymmetric key in clear that is understood, with the help of its attributes where the
/// format itself does not say everything.
pub(in crate::operation) fn key_facts(object: &ManagedObject, row: &ObjectRow) -> Option<KeyFacts> {
    let block = object.key_block().filter(|block| !block.is_wrapped())?;
    let material = block.material()?;
    let of_row = hint_of(row);
    let hint = KeyHint { algorithm: block.algorithm.or(of_row.algorithm), ..of_row };
    match object.object_type() {
        ObjectType::PrivateKey => inspect_private(block.format, material, hint),
        ObjectType::PublicKey => inspect_public(block.format, material, hint),
        _ => None,
    }
}

/// The key bytes that are in sight, where they are one string.
fn bytes_of(block: &KeyBlock) -> Option<&Secret> {
    if block.is_wrapped() { None } else { block.material().and_then(KeyMaterial::secret) }
}

/// A symmetric key says what it is, and under `anssi` its bytes are as many.
fn symmetric(policy: AlgorithmPolicy, row: &ObjectRow, block: &KeyBlock) -> Result<(), Failure> {
    let algorithm = row.algorithm.ok_or(Failure::InvalidField("cryptographic algorithm is missing"))?;
    let length = row.length.ok_or(Failure::InvalidField("cryptographic length is missing"))?;
    may_register(policy, algorithm, length)?;
    // A least length that is only claimed protects nothing. Old clients and cases register what they please.
    match bytes_of(block) {
        Some(bytes) if policy == AlgorithmPolicy::Anssi && symmetric_key_bytes(algorithm, length)? != bytes.len() => {
            Err(Failure::InvalidField("cryptographic length is not that of the key material"))
        }
        _ => Ok(()),
    }
}

fn asymmetric(
    policy: AlgorithmPolicy,
    row: &ObjectRow,
    object: &ManagedObject,
    block: &KeyBlock,
) -> Result<(), Failure> {
    if let Some(facts) = key_facts(object, row) {
        return judge_facts(policy, &facts);
    }
    // Raw bytes become a key only by what is said beside them, and that could still be said when nobody judges any more.
    let is_raw = block.format == KeyFormatType::Raw && bytes_of(block).is_some();
    if policy == AlgorithmPolicy::Anssi && is_raw {
        return Err(Failure::InvalidField("raw key material that its algorithm and curve do not explain"));
    }
    claimed(policy, row)
}

/// A part tells its own length at most. The key itself is judged when it is joined.
fn part_of_key(policy: AlgorithmPolicy, row: &ObjectRow, part: &SplitKey) -> Result<(), Failure> {
    claimed(policy, row)?;
    let (Some(algorithm), Some(length), Some(bytes)) = (row.algorithm, row.length, bytes_of(&part.key_block)) else {
        return Ok(());
    };
    // The numbers of a prime field lose their zeros in front; the other methods keep the length of the key.
    let tells = part.method != SplitKeyMethod::PolynomialSharingPrimeField;
    match symmetric_key_bytes(algorithm, length) {
        Ok(len) if policy == AlgorithmPolicy::Anssi && tells && len != bytes.len() => {
            Err(Failure::InvalidField("cryptographic length is not that of the key material"))
        }
        _ => Ok(()),
    }
}

/// What is said of a key that nobody can look at: wrapped, elsewhere, encrypted, or in parts.
fn claimed(policy: AlgorithmPolicy, row: &ObjectRow) -> Result<(), Failure> {
    if let Some(curve) = hint_of(row).curve {
        may_register_on(policy, curve)?;
    }
    match (row.algorithm, row.length) {
        (Some(algorithm), Some(length)) => Ok(may_register(policy, algorithm, length)?),
        (Some(algorithm), None) => Ok(creation::may_register_some(policy, algorithm)?),
        (None, _) => Ok(()),
    }
}

fn judge_facts(policy: AlgorithmPolicy, facts: &KeyFacts) -> Result<(), Failure> {
    may_register(policy, facts.algorithm, facts.length_bits)?;
    if let Some(curve) = facts.curve {
        may_register_on(policy, curve)?;
    }
    if let Some(bits) = facts.exponent_bits {
        may_register_exponent(policy, bits)?;
    }
    Ok(())
}

/// The key of a certificate or of a request, which is in sight.
fn certified_key(policy: AlgorithmPolicy, info: &[u8]) -> Result<(), Failure> {
    match PublicKey::from_encoded(KeyFormatType::X509, info) {
        Ok(key) => judge_facts(policy, &key.facts()),
        Err(_) if policy == AlgorithmPolicy::Anssi => Err(UNREAD),
        Err(_) => Ok(()),
    }
}

/// Said of a key that is to be certified and is none that anybody could judge.
const UNREAD: Failure = Failure::CertificateRequest("its key is not understood");

/// What is only kept need not be understood.
fn unless_unread(failure: Failure) -> Result<(), Failure> {
    if matches!(failure, Failure::CertificateRequest(_)) { Ok(()) } else { Err(failure) }
}
