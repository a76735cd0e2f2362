//! CRMF: the request message of RFC 4211, as far as a single certificate with a signature as proof of possession goes.

use kmip::registry::KeyFormatType;

use super::BROKEN;
use super::algorithm::verify;
use super::name::DistinguishedName;
use super::request::{CertificationRequest, requested_names};
use crate::CryptoError;
use crate::der::{Elements, element, tag};
use crate::key::PublicKey;

/// Fields of CertTemplate; all have implicit tags but the name, which is a CHOICE.
const SUBJECT: u8 = tag::context(5);
const PUBLIC_KEY: u8 = tag::context(6);
const EXTENSIONS: u8 = tag::context(9);
/// ProofOfPossession: signature.
const SIGNATURE_PROOF: u8 = tag::context(1);
/// POPOSigningKey: poposkInput.
const PROOF_INPUT: u8 = tag::context(0);

/// Reads CertReqMessages with one message, or the message alone.
pub(super) fn parse(der: &[u8]) -> Result<CertificationRequest, CryptoError> {
    let broken = |_| BROKEN;
    let mut outer = Elements::new(der);
    let first = outer.expect(tag::SEQUENCE).map_err(broken)?;
    if !outer.is_empty() {
        return Err(BROKEN);
    }
    // A message is SEQUENCE { request, … }, a list of messages SEQUENCE { SEQUENCE { request … } }: a request begins with
    // its number, a message with the request.
    let message = {
        let mut inside = first.inside();
        let request_or_message = inside.expect(tag::SEQUENCE).map_err(broken)?;
        match request_or_message.inside().next().map(|element| element.tag) {
            Some(tag::INTEGER) => first,
            Some(tag::SEQUENCE) if inside.is_empty() => request_or_message,
            _ => return Err(BROKEN),
        }
    };
    let mut message = message.inside();
    let request = message.expect(tag::SEQUENCE).map_err(broken)?;
    let mut fields = request.inside();
    fields.expect(tag::INTEGER).map_err(broken)?;
    let mut template = fields.expect(tag::SEQUENCE).map_err(broken)?.inside();
    let (mut subject, mut public_key, mut subject_alternative_names) = (None, None, Vec::new());
    while !template.is_empty() {
        let field = template.next().ok_or(BROKEN)?;
        match field.tag {
            SUBJECT => subject = Some(DistinguishedName::read(&field.inside().next().ok_or(BROKEN)?)?),
            PUBLIC_KEY => public_key = Some(element(tag::SEQUENCE, &[field.contents])),
            EXTENSIONS => {
                let list = element(tag::SEQUENCE, &[field.contents]);
                subject_alternative_names = requested_names(&mut Elements::new(&list))?;
            }
            _ => {}
        }
    }
    let public_key = public_key.ok_or(CryptoError::Missing("the public key of the request"))?;
    let subject = subject.ok_or(CryptoError::Missing("the subject of the request"))?;
    let proof = message.next_if(SIGNATURE_PROOF).ok_or(CryptoError::Unsupported("a proof other than a signature"))?;
    let mut proof = proof.inside();
    if proof.next_if(PROOF_INPUT).is_some() {
        return Err(CryptoError::Unsupported("a proof over something else than the request"));
    }
    let algorithm = proof.expect(tag::SEQUENCE).map_err(broken)?;
    let signature = proof.expect(tag::BIT_STRING).map_err(broken)?;
    let [0, signature @ ..] = signature.contents else { return Err(BROKEN) };
    let key = PublicKey::from_encoded(KeyFormatType::X509, &public_key)?;
    if !verify(&algorithm, &key, request.whole, signature)? {
        return Err(CryptoError::Authentication);
    }
    Ok(CertificationRequest { subject, public_key, subject_alternative_names })
}
