//! Distinguished names: as DER, as text, in parts. RFC 4514, RFC 5280 §4.1.2.4.

use std::fmt::Write;

use super::BROKEN;
use crate::CryptoError;
use crate::der::{Element, Elements, tag};

/// Attributes of a name with a Certificate Attribute of their own. KMIP 1.4 §3.15, 2.1 §4.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamePart {
    /// CN.
    CommonName,
    /// O.
    Organization,
    /// OU.
    OrganizationalUnit,
    /// emailAddress.
    Email,
    /// C.
    Country,
    /// ST.
    State,
    /// L.
    Locality,
    /// UID.
    UserId,
    /// serialNumber.
    SerialNumber,
    /// title.
    Title,
    /// DC.
    DomainComponent,
    /// dnQualifier.
    DnQualifier,
}

/// OID, name in text, part.
const KNOWN: &[(&[u8], &str, Option<NamePart>)] = &[
    (&[0x55, 4, 3], "CN", Some(NamePart::CommonName)),
    (&[0x55, 4, 10], "O", Some(NamePart::Organization)),
    (&[0x55, 4, 11], "OU", Some(NamePart::OrganizationalUnit)),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1], "emailAddress", Some(NamePart::Email)),
    (&[0x55, 4, 6], "C", Some(NamePart::Country)),
    (&[0x55, 4, 8], "ST", Some(NamePart::State)),
    (&[0x55, 4, 7], "L", Some(NamePart::Locality)),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1], "UID", Some(NamePart::UserId)),
    (&[0x55, 4, 5], "serialNumber", Some(NamePart::SerialNumber)),
    (&[0x55, 4, 12], "title", Some(NamePart::Title)),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC", Some(NamePart::DomainComponent)),
    (&[0x55, 4, 46], "dnQualifier", Some(NamePart::DnQualifier)),
    (&[0x55, 4, 9], "STREET", None),
    (&[0x55, 4, 4], "SN", None),
    (&[0x55, 4, 42], "GN", None),
];

/// Attributes in one name; nobody has more.
const MAX_ATTRIBUTES: usize = 64;

/// A distinguished name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistinguishedName {
    /// The name as DER.
    pub der: Vec<u8>,
    /// The name as RFC 4514 writes it, the last attribute first: `CN=Client,OU=KMIP,O=ACME,C=US`.
    pub text: String,
    /// The attributes that KMIP has a name for, in the order of the certificate.
    pub parts: Vec<(NamePart, String)>,
}

impl DistinguishedName {
    /// Each value of `part`.
    pub fn values(&self, part: NamePart) -> impl Iterator<Item = &str> {
        self.parts.iter().filter(move |(of, _)| *of == part).map(|(_, value)| value.as_str())
    }

    /// Reads a Name.
    pub(super) fn read(name: &Element<'_>) -> Result<Self, CryptoError> {
        if name.tag != tag::SEQUENCE {
            return Err(BROKEN);
        }
        let (mut rdns, mut parts, mut seen) = (Vec::new(), Vec::new(), 0);
        let mut sets = name.inside();
        while !sets.is_empty() {
            let mut set = sets.next().ok_or(BROKEN)?.inside();
            let mut rdn = String::new();
            while !set.is_empty() {
                let mut attribute = set.expect(tag::SEQUENCE).map_err(|_| BROKEN)?.inside();
                let oid = attribute.expect(tag::OID).map_err(|_| BROKEN)?;
                let value = attribute.next().ok_or(BROKEN)?;
                seen += 1;
                if seen > MAX_ATTRIBUTES {
                    return Err(CryptoError::TooLong("the distinguished name"));
                }
                let text = text_of(&value);
                let known = KNOWN.iter().find(|(of, _, _)| *of == oid.contents);
                if let (Some((_, _, Some(part))), Some(text)) = (known, &text) {
                    parts.push((*part, text.clone()));
                }
                if !rdn.is_empty() {
                    rdn.push('+');
                }
                match (known, text) {
                    (Some((_, name, _)), Some(text)) => {
                        rdn.push_str(name);
                        rdn.push('=');
                        escape(&text, &mut rdn);
                    }
                    _ => {
                        dotted(oid.contents, &mut rdn);
                        rdn.push_str("=#");
                        value.whole.iter().try_for_each(|byte| write!(rdn, "{byte:02x}")).map_err(|_| BROKEN)?;
                    }
                }
            }
            rdns.push(rdn);
        }
        rdns.reverse();
        Ok(Self { der: name.whole.to_vec(), text: rdns.join(","), parts })
    }

    /// Reads a Name that stands alone.
    ///
    /// # Errors
    /// [`CryptoError::InvalidInput`].
    pub fn from_der(der: &[u8]) -> Result<Self, CryptoError> {
        let mut elements = Elements::new(der);
        let name = Self::read(&elements.next().ok_or(BROKEN)?)?;
        if elements.is_empty() { Ok(name) } else { Err(BROKEN) }
    }
}

/// The text of a DirectoryString; `None` for what is none.
fn text_of(value: &Element<'_>) -> Option<String> {
    match value.tag {
        // UTF8String, NumericString, PrintableString, IA5String, VisibleString.
        0x0c | 0x12 | 0x13 | 0x16 | 0x1a => String::from_utf8(value.contents.to_vec()).ok(),
        // TeletexString, which everybody fills with Latin-1.
        0x14 => Some(value.contents.iter().copied().map(char::from).collect()),
        // BMPString: UTF-16 without surrogates.
        0x1e => {
            let units = value.contents.chunks_exact(2).map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
            char::decode_utf16(units).collect::<Result<_, _>>().ok()
        }
        _ => None,
    }
}

/// RFC 4514 §2.4.
fn escape(text: &str, out: &mut String) {
    let last = text.chars().count().saturating_sub(1);
    for (position, character) in text.chars().enumerate() {
        let special = matches!(character, '"' | '+' | ',' | ';' | '<' | '>' | '\\')
            || (position == 0 && matches!(character, ' ' | '#'))
            || (position == last && character == ' ');
        match character {
            '\0' => out.push_str("\\00"),
            _ => {
                if special {
                    out.push('\\');
                }
                out.push(character);
            }
        }
    }
}

/// An object identifier with dots.
fn dotted(oid: &[u8], out: &mut String) {
    let mut arc: u64 = 0;
    let mut first = true;
    for byte in oid {
        arc = arc << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            if first {
                let top = (arc / 40).min(2);
                out.push_str(&format!("{top}.{}", arc - 40 * top));
                first = false;
            } else {
                out.push_str(&format!(".{arc}"));
            }
            arc = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::element;

    fn name(rdns: &[(&[u8], u8, &[u8])]) -> Vec<u8> {
        let sets: Vec<Vec<u8>> = rdns
            .iter()
            .map(|(oid, string, value)| {
                let attribute = element(tag::SEQUENCE, &[&element(tag::OID, &[oid]), &element(*string, &[value])]);
                element(0x31, &[&attribute])
            })
            .collect();
        element(tag::SEQUENCE, &[&sets.concat()])
    }

    #[test]
    fn a_name_is_written_from_its_end() {
        let der = hex::decode(
            "303c310b3009060355040613025553310d300b060355040a130441434d45310d300b060355040b13044b4d4950310f300d0603550403\
             1306436c69656e74",
        )
        .unwrap();
        let name = DistinguishedName::from_der(&der).unwrap();
        assert_eq!(name.text, "CN=Client,OU=KMIP,O=ACME,C=US");
        assert_eq!(name.values(NamePart::Organization).collect::<Vec<_>>(), ["ACME"]);
        assert_eq!(name.parts[0], (NamePart::Country, "US".to_owned()));
    }

    #[test]
    fn what_has_a_meaning_in_text_is_escaped() {
        let der = name(&[(&[0x55, 4, 3], 0x0c, b"#a, b+c "), (&[0x2a, 3, 0x86, 0x48], 0x0c, b"x")]);
        assert_eq!(DistinguishedName::from_der(&der).unwrap().text, "1.2.3.840=#0c0178,CN=\\#a\\, b\\+c\\ ");
    }

    #[test]
    fn old_strings_are_read() {
        let der = name(&[(&[0x55, 4, 3], 0x1e, &[0, b'A', 0x20, 0xac]), (&[0x55, 4, 10], 0x14, &[0xe9])]);
        assert_eq!(DistinguishedName::from_der(&der).unwrap().text, "O=é,CN=A€");
    }

    #[test]
    fn an_empty_name_is_a_name() {
        assert_eq!(DistinguishedName::from_der(&[0x30, 0]).unwrap().text, "");
        assert!(DistinguishedName::from_der(&[0x30, 0, 0]).is_err());
        assert!(DistinguishedName::from_der(&[0x31, 0]).is_err());
    }
}
