//! What a certificate says of itself, as attributes.
//!
//! Nothing here refuses anything. What is not understood has fewer attributes.

use crypto::x509::{CertificateFacts, DistinguishedName, NamePart, parse_certificate};
use kmip::attribute::{
    AttributeValue, CertificateIdentifier, CertificateIssuer, CertificateSubject, X509CertificateIdentifier,
    X509CertificateIssuer, X509CertificateSubject,
};
use kmip::object::Certificate;
use kmip::registry::CertificateType;

use super::birth::Birth;

/// Gives the birth the attributes of its certificate. KMIP 1.4 §3.8 to §3.15, 2.1 §4.7.
pub(super) fn of_certificate(birth: &mut Birth, certificate: &Certificate) {
    birth.give_if_absent(AttributeValue::CertificateType(certificate.certificate_type));
    let length = i32::try_from(certificate.value.len()).unwrap_or(i32::MAX);
    birth.give_if_absent(AttributeValue::CertificateLength(length));
    if certificate.certificate_type != CertificateType::X509 {
        return;
    }
    let Ok(facts) = parse_certificate(&certificate.value) else { return };
    for value in x509(&facts) {
        birth.give_if_absent(value);
    }
    for (name, attribute) in [
        (&facts.subject, subject_part as fn(NamePart, String) -> AttributeValue),
        (&facts.issuer, issuer_part as fn(NamePart, String) -> AttributeValue),
    ] {
        for (part, text) in &name.parts {
            birth.give(attribute(*part, text.clone()));
        }
    }
}

fn x509(facts: &CertificateFacts) -> Vec<AttributeValue> {
    let issuer = |name: &DistinguishedName| name.der.clone();
    let mut values = vec![
        AttributeValue::X509CertificateIdentifier(Box::new(X509CertificateIdentifier {
            issuer_distinguished_name: issuer(&facts.issuer),
            certificate_serial_number: facts.serial_der.clone(),
        })),
        AttributeValue::X509CertificateSubject(Box::new(X509CertificateSubject {
            subject_distinguished_name: facts.subject.der.clone(),
            subject_alternative_name: facts.subject_alternative_names.clone(),
        })),
        AttributeValue::X509CertificateIssuer(Box::new(X509CertificateIssuer {
            issuer_distinguished_name: issuer(&facts.issuer),
            issuer_alternative_name: facts.issuer_alternative_names.clone(),
        })),
        AttributeValue::CertificateIdentifier(Box::new(CertificateIdentifier {
            issuer: facts.issuer.text.clone(),
            serial_number: Some(hex::encode_upper(number(&facts.serial))),
        })),
        AttributeValue::CertificateSubject(Box::new(CertificateSubject {
            distinguished_name: facts.subject.text.clone(),
            alternative_name: Vec::new(),
        })),
        AttributeValue::CertificateIssuer(Box::new(CertificateIssuer {
            distinguished_name: facts.issuer.text.clone(),
            alternative_name: Vec::new(),
        })),
    ];
    values.extend(facts.signature_algorithm.map(AttributeValue::DigitalSignatureAlgorithm));
    if let Some(key) = facts.key {
        values.push(AttributeValue::CryptographicAlgorithm(key.algorithm));
        values.push(AttributeValue::CryptographicLength(key.length_bits));
    }
    values
}

/// The digits of a serial number, without the zero that DER puts in front of a first bit that is set.
fn number(serial: &[u8]) -> &[u8] {
    match serial {
        [0, digits @ ..] if !digits.is_empty() => digits,
        digits => digits,
    }
}

fn subject_part(part: NamePart, text: String) -> AttributeValue {
    use AttributeValue as V;
    match part {
        NamePart::CommonName => V::CertificateSubjectCn(text),
        NamePart::Organization => V::CertificateSubjectO(text),
        NamePart::OrganizationalUnit => V::CertificateSubjectOu(text),
        NamePart::Email => V::CertificateSubjectEmail(text),
        NamePart::Country => V::CertificateSubjectC(text),
        NamePart::State => V::CertificateSubjectSt(text),
        NamePart::Locality => V::CertificateSubjectL(text),
        NamePart::UserId => V::CertificateSubjectUid(text),
        NamePart::SerialNumber => V::CertificateSubjectSerialNumber(text),
        NamePart::Title => V::CertificateSubjectTitle(text),
        NamePart::DomainComponent => V::CertificateSubjectDc(text),
        NamePart::DnQualifier => V::CertificateSubjectDnQualifier(text),
    }
}

fn issuer_part(part: NamePart, text: String) -> AttributeValue {
    use AttributeValue as V;
    match part {
        NamePart::CommonName => V::CertificateIssuerCn(text),
        NamePart::Organization => V::CertificateIssuerO(text),
        NamePart::OrganizationalUnit => V::CertificateIssuerOu(text),
        NamePart::Email => V::CertificateIssuerEmail(text),
        NamePart::Country => V::CertificateIssuerC(text),
        NamePart::State => V::CertificateIssuerSt(text),
        NamePart::Locality => V::CertificateIssuerL(text),
        NamePart::UserId => V::CertificateIssuerUid(text),
        NamePart::SerialNumber => V::CertificateIssuerSerialNumber(text),
        NamePart::Title => V::CertificateIssuerTitle(text),
        NamePart::DomainComponent => V::CertificateIssuerDc(text),
        NamePart::DnQualifier => V::CertificateIssuerDnQualifier(text),
    }
}
