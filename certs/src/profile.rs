//! What stands in each kind of certificate, one function per kind.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa,
    KeyUsagePurpose,
};
use time::OffsetDateTime;

use crate::error::CertError;
use crate::limits::{AUTHORITY_VALIDITY, CLOCK_SKEW, LEAF_VALIDITY, MAX_COMMON_NAME, VCENTER_VALIDITY};

/// An authority that signs leaves only.
pub(crate) fn authority(name: &str, now: OffsetDateTime) -> Result<CertificateParams, CertError> {
    let mut params = named(name, now)?;
    params.not_after = now + AUTHORITY_VALIDITY;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// A TLS server under `names`, DNS names or IP addresses; the first is the common name too.
pub(crate) fn server(names: &[&str], now: OffsetDateTime) -> Result<CertificateParams, CertError> {
    let first = names.first().ok_or_else(|| CertError::CommonName(String::new()))?;
    let owned: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = named(first, now)?;
    params.subject_alt_names = CertificateParams::new(owned)?.subject_alt_names;
    leaf(&mut params, now, ExtendedKeyUsagePurpose::ServerAuth);
    Ok(params)
}

/// A TLS client, for KMIP or for the admin API.
pub(crate) fn client(common_name: &str, now: OffsetDateTime) -> Result<CertificateParams, CertError> {
    let mut params = named(common_name, now)?;
    leaf(&mut params, now, ExtendedKeyUsagePurpose::ClientAuth);
    Ok(params)
}

/// What a vCenter makes for itself: CN `kmipClient<yyyymmddhhmmss>`, a CA in its own right, no extended key usage.
///
/// A stock verifier refuses it twice over, which is why the KMS pins keys.
pub(crate) fn vcenter_client(now: OffsetDateTime) -> Result<CertificateParams, CertError> {
    let (year, month, day) = now.to_calendar_date();
    let (hour, minute, second) = now.to_hms();
    let name = format!("kmipClient{year:04}{:02}{day:02}{hour:02}{minute:02}{second:02}", u8::from(month));
    let mut params = named(&name, now)?;
    params.not_after = now + VCENTER_VALIDITY;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Ok(params)
}

fn leaf(params: &mut CertificateParams, now: OffsetDateTime, purpose: ExtendedKeyUsagePurpose) {
    params.not_after = now + LEAF_VALIDITY;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    params.use_authority_key_identifier_extension = true;
}

fn named(common_name: &str, now: OffsetDateTime) -> Result<CertificateParams, CertError> {
    let acceptable = !common_name.is_empty()
        && common_name.chars().count() <= MAX_COMMON_NAME
        && !common_name.chars().any(char::is_control);
    if !acceptable {
        return Err(CertError::CommonName(common_name.chars().take(MAX_COMMON_NAME).collect()));
    }
    let mut params = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, DnValue::Utf8String(common_name.to_owned()));
    params.distinguished_name = subject;
    params.not_before = now - CLOCK_SKEW;
    Ok(params)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_vcenter_name_ends_with_the_utc_second_it_was_made() {
        let params = vcenter_client(datetime!(2024-03-09 07:05:02 UTC)).unwrap();
        assert_eq!(
            params.distinguished_name.get(&DnType::CommonName),
            Some(&DnValue::Utf8String("kmipClient20240309070502".to_owned()))
        );
    }

    #[test]
    fn common_names_have_x520_limits() {
        let now = datetime!(2024-03-09 07:05:02 UTC);
        assert!(client(&"é".repeat(64), now).is_ok());
        for bad in [String::new(), "x".repeat(65), "two\nlines".to_owned()] {
            assert!(matches!(client(&bad, now), Err(CertError::CommonName(_))), "{bad:?} was accepted");
        }
        assert!(matches!(server(&[], now), Err(CertError::CommonName(_))));
    }
}
