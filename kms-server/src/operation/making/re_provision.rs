//! Re-Provision: the client's registered certificate gives way to another one. KMIP 2.1 §6.1.48.
//!
//! The domain's maker has to have allowed it. The old certificate is refused from the next message on, so that a client
//! for which the server makes the key fetches it in the same batch. Whoever was given a certificate by this operation
//! proves possession of its key where that counts: in the next handshake.

use crypto::key::KeyKind;
use crypto::x509::parse_certificate;
use keystore::IdentityRow;
use kmip::attribute::{Attribute, AttributeValue};
use kmip::object::{Certificate, CertificateRequest, ManagedObject};
use kmip::payload::{ReProvisionRequest, ReProvisionResponse};
use kmip::registry::{CertificateType, CryptographicAlgorithm, KeyFormatType, LinkType, ObjectType, UsageMask};
use kmip::ttlv::DateTime;
use policy::creation::Origin;

use super::birth::Birth;
use super::issuing::{self, Subject};
use super::{distinguished_name, implied, judging, links, pair, source};
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

/// Bits of the curve on which the server makes a client's key, P-256: every TLS stack has it.
const KEY_LENGTH: i32 = 256;
/// Shortest RSA modulus that the TLS stack takes, in bits.
const MIN_RSA_BITS: i32 = 2048;
/// Said of every certificate that cannot be a credential. That its key is registered already, perhaps by somebody else,
/// is not told apart from the rest.
const UNFIT: Failure = Failure::InvalidField("the certificate cannot be this client's credential");

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &ReProvisionRequest,
) -> Result<ReProvisionResponse, Failure> {
    let old = replaceable(scope)?;
    let (answered, certificate) = match (&request.certificate_request, &request.certificate) {
        (Some(_), Some(_)) => return Err(Failure::InvalidField("a certificate request and a certificate")),
        (Some(request), None) => sign(scope, request).await?,
        (None, Some(certificate)) => keep(scope, certificate).await?,
        (None, None) => make(scope, &old.name).await?,
    };
    let new = successor(scope, &old, certificate)?;
    scope.note = Some(format!("client {} replaces {}", hex::encode(new.fingerprint), hex::encode(old.fingerprint)));
    scope.draft.replace_identity(IdentityRow { revoked: true, ..old }, new);
    Ok(ReProvisionResponse { unique_identifier: Some(answered) })
}

/// The identity that asks, if it may still be replaced: registered, its certificate valid at this time.
fn replaceable(scope: &Scope<'_>) -> Result<IdentityRow, Failure> {
    if scope.draft.has_changed_identity(&scope.client) {
        return Err(Failure::Denied("the credential was replaced by an item before this one"));
    }
    let row = scope.node.directory.identity(&scope.client).ok_or(Failure::Authentication("identity was revoked"))?;
    let facts = parse_certificate(&row.certificate)?;
    if facts.not_after < scope.now_s {
        return Err(Failure::Denied("the certificate has expired"));
    }
    Ok(IdentityRow::clone(&row))
}

/// The certificate that the domain's authority signs for the client's request, and its identifier.
async fn sign(scope: &mut Scope<'_>, request: &CertificateRequest) -> Result<(String, Vec<u8>), Failure> {
    // The table of this operation's errors knows no reason of its own for requests (KMIP 2.1 §6.1.48.1).
    let without_reason = |failure| match failure {
        Failure::CertificateRequest(why) => Failure::InvalidField(why),
        other => other,
    };
    let subject =
        issuing::read_request(Some(request.certificate_request_type), &request.value).map_err(without_reason)?;
    let (birth, certificate) = certify(scope, subject).await.map_err(without_reason)?;
    let der = certificate.value.clone();
    let id = birth.complete(scope, Some(&ManagedObject::Certificate(certificate))).await?;
    Ok((identifier_text(id), der))
}

/// A certificate signed by the domain's authority, about to become an object.
async fn certify(scope: &Scope<'_>, subject: Subject) -> Result<(Birth, Certificate), Failure> {
    let mut birth = Birth::begin(scope, Origin::Certified, ObjectType::Certificate);
    birth.set_attributes(scope, Vec::new())?;
    let certificate = issuing::sign(scope, &mut birth, subject, UsageMask::SIGN).await?;
    Ok((birth, certificate))
}

/// The client's own certificate, kept as an object, and its identifier.
async fn keep(scope: &mut Scope<'_>, certificate: &Certificate) -> Result<(String, Vec<u8>), Failure> {
    if certificate.certificate_type != CertificateType::X509 {
        return Err(Failure::UnsupportedFeature("certificate type"));
    }
    let mut birth = Birth::begin(scope, Origin::Registered, ObjectType::Certificate);
    birth.set_attributes(scope, Vec::new())?;
    implied::of_certificate(&mut birth, certificate);
    let kept = ManagedObject::Certificate(certificate.clone());
    judging::judge(scope, birth.row(), &kept)?;
    let id = birth.complete(scope, Some(&kept)).await?;
    Ok((identifier_text(id), certificate.value.clone()))
}

/// A new pair and its certificate; the identifier is the private key's, which is linked to the certificate.
async fn make(scope: &mut Scope<'_>, client: &str) -> Result<(String, Vec<u8>), Failure> {
    let private = half(scope, ObjectType::PrivateKey, UsageMask::SIGN)?;
    let public = half(scope, ObjectType::PublicKey, UsageMask::VERIFY)?;
    let (private, public) = pair::bear(scope, private, public).await?;
    let mut row = scope.draft.row(&public).cloned().ok_or(Failure::Internal("the public key was not drafted"))?;
    let key = source::public_key(&source::open(scope, &row).await?, &row)?;
    let subject = Subject {
        name: distinguished_name::of_common_name(client),
        alternative_names: Vec::new(),
        public_key: key.to_encoded(KeyFormatType::X509)?,
    };
    let (mut birth, certificate) = certify(scope, subject).await?;
    birth.give(links::to(LinkType::PublicKeyLink, public));
    links::add(scope, &mut row, LinkType::CertificateLink, birth.id())?;
    scope.draft.update(row);
    let der = certificate.value.clone();
    birth.complete(scope, Some(&ManagedObject::Certificate(certificate))).await?;
    // The item is about the key, and so is the item after it that fetches it.
    scope.object = Some(private);
    scope.placeholder = Some(private);
    Ok((identifier_text(private), der))
}

/// One half of an active pair on P-256.
fn half(scope: &Scope<'_>, object_type: ObjectType, usage: UsageMask) -> Result<Birth, Failure> {
    let mut birth = Birth::begin(scope, Origin::Created, object_type);
    let values = [
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Ec),
        AttributeValue::CryptographicLength(KEY_LENGTH),
        AttributeValue::CryptographicUsageMask(usage),
        AttributeValue::ActivationDate(DateTime(scope.now_s)),
    ];
    birth.set_attributes(scope, values.into_iter().map(Attribute::new).collect())?;
    Ok(birth)
}

/// The identity that takes the place of `old`, with all that `old` had but its key.
fn successor(scope: &Scope<'_>, old: &IdentityRow, certificate: Vec<u8>) -> Result<IdentityRow, Failure> {
    let facts = parse_certificate(&certificate).map_err(|_| UNFIT)?;
    let is_usable = facts.key.is_some_and(|key| match key.kind {
        KeyKind::Rsa => key.length_bits >= MIN_RSA_BITS,
        KeyKind::Ec => matches!(key.length_bits, 256 | 384 | 521),
        KeyKind::Ed25519 => true,
        _ => false,
    });
    let is_valid = (facts.not_before..=facts.not_after).contains(&scope.now_s);
    let fingerprint = certs::spki_fingerprint(&certificate).map_err(|_| UNFIT)?;
    if !is_usable || !is_valid || scope.node.directory.is_registered(&fingerprint) {
        return Err(UNFIT);
    }
    if !scope.node.has_room_for_client(&old.domain) {
        return Err(Failure::OverLimit("the domain has as many clients as it may have"));
    }
    Ok(IdentityRow {
        fingerprint,
        certificate,
        created_us: scope.node.clock.now_us(),
        revoked: false,
        revision: 1,
        ..old.clone()
    })
}
