//! A distinguished name with a common name and nothing else, for certificates whose subject nobody names. RFC 5280
//! §4.1.2.4.

/// The object identifier of Common Name, 2.5.4.3, in DER.
const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const UTF8_STRING: u8 = 0x0C;
/// Characters of a common name (X.520, ub-common-name).
const MAX_COMMON_NAME: usize = 64;
/// Bytes of the longest common name: UTF-8 takes up to 4 for a character.
const MAX_COMMON_NAME_LEN: usize = 100;

/// The Name with this common name, DER; what is too long is cut.
pub(super) fn of_common_name(common_name: &str) -> Vec<u8> {
    let mut text = String::new();
    for character in common_name.chars().take(MAX_COMMON_NAME) {
        if text.len() + character.len_utf8() > MAX_COMMON_NAME_LEN {
            break;
        }
        text.push(character);
    }
    let value = element(UTF8_STRING, text.as_bytes());
    let attribute = element(SEQUENCE, &[&COMMON_NAME[..], &value].concat());
    element(SEQUENCE, &element(SET, &attribute))
}

/// An element in the short form of lengths: what is written here stays below 128 bytes.
fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag, u8::try_from(contents.len()).unwrap_or(0)];
    bytes.extend_from_slice(contents);
    bytes
}

#[cfg(test)]
mod tests {
    use crypto::x509::DistinguishedName;

    use super::*;

    #[test]
    fn a_name_is_read_back() {
        for text in ["a key", "é", ""] {
            let name = DistinguishedName::from_der(&of_common_name(text)).unwrap();
            assert_eq!(name.text, format!("CN={text}"));
        }
    }

    #[test]
    fn the_longest_name_stays_in_the_short_form() {
        for text in ["x".repeat(500), "é".repeat(500), "😀".repeat(500)] {
            let der = of_common_name(&text);
            assert!(der.len() < 128);
            assert!(DistinguishedName::from_der(&der).is_ok());
        }
    }
}
