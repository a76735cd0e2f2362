//! How a name of the standard becomes a name of XML and JSON. KMIP Profiles 1.4 §5.4.1.1.
//!
//! Brackets count as blanks, and so does a sign before a letter that a small letter follows; any other sign becomes `_`.
//! Digits that lead the first word move to its end. Words begin with a capital and are joined. So "Template-Attribute"
//! is `TemplateAttribute`, "HMAC-SHA256" `HMAC_SHA256`, "3DES" `DES3`, "SHA-512/224" `SHA_512_224`.

/// Longer than any name of the standard; the compiler checks it, since names are made in constants.
const CAPACITY: usize = 96;

/// A name made at compile time.
pub struct XmlName {
    bytes: [u8; CAPACITY],
    len: usize,
}

impl XmlName {
    /// The XML name of `text`, which is ASCII.
    #[must_use]
    pub const fn of(text: &str) -> Self {
        let text = text.as_bytes();
        let mut name = Self { bytes: [0; CAPACITY], len: 0 };
        let mut at = 0;
        // Digits in front wait for the end of the first word.
        while at < text.len() && text[at].is_ascii_digit() {
            at += 1;
        }
        let (mut leading, mut word_starts) = (at, true);
        while at < text.len() {
            let byte = text[at];
            at += 1;
            let word_follows =
                at + 1 < text.len() && text[at].is_ascii_alphabetic() && text[at + 1].is_ascii_lowercase();
            if byte == b' ' || byte == b'(' || byte == b')' {
                let mut digit = 0;
                while digit < leading {
                    name.push(text[digit]);
                    digit += 1;
                }
                leading = 0;
                word_starts = true;
            } else if byte.is_ascii_alphanumeric() || byte == b'_' {
                name.push(if word_starts { byte.to_ascii_uppercase() } else { byte });
                word_starts = false;
            } else if word_follows {
                word_starts = true;
            } else {
                name.push(b'_');
                word_starts = false;
            }
        }
        let mut digit = 0;
        while digit < leading {
            name.push(text[digit]);
            digit += 1;
        }
        name
    }

    const fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    /// The name as text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        // Only bytes of ASCII were pushed, one by one, so this cannot fail.
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(name) => name,
            Err(_) => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_published_test_cases() {
        for (text, name) in [
            ("Unique Identifier", "UniqueIdentifier"),
            ("Template-Attribute", "TemplateAttribute"),
            ("IV/Counter/Nonce", "IVCounterNonce"),
            ("Pre-Active", "PreActive"),
            ("Re-key Key Pair", "ReKeyKeyPair"),
            ("On-line storage", "OnLineStorage"),
            ("x-Change Notice", "XChangeNotice"),
            ("3DES", "DES3"),
            ("SHA-512/224", "SHA_512_224"),
            ("SHA-256 with RSA Encryption", "SHA_256WithRSAEncryption"),
            ("PKCS1 v1.5", "PKCS1V1_5"),
            ("PKCS#11 Function", "PKCS_11Function"),
            ("X.509 Certificate Subject", "X_509CertificateSubject"),
            ("Polynomial Sharing GF (2^8)", "PolynomialSharingGF2_8"),
            ("HMAC-SHA256", "HMAC_SHA256"),
            ("Dual-EC", "Dual_EC"),
            ("MAC/sign", "MACSign"),
            ("Suite B minLOS_128 Server KMIP v1.0", "SuiteBMinLOS_128ServerKMIPV1_0"),
        ] {
            assert_eq!(XmlName::of(text).as_str(), name);
        }
    }
}
