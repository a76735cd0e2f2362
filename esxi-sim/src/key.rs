//! How vSphere names a key: the identifier that the key server gave, and the provider to ask.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::limits::{MAX_KEY_ID, MAX_NAME};

/// A key's identifier together with its provider, `CryptoKeyId` in the vSphere API. Names a key, never holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CryptoKeyId {
    /// What the key server answered to Create: opaque text.
    pub key_id: String,
    /// The provider as this vCenter calls it.
    pub provider_id: ProviderId,
}

impl CryptoKeyId {
    /// Names a key.
    ///
    /// # Errors
    /// [`NameError`] for an identifier that is empty, too long, or holds control characters.
    pub fn new(key_id: &str, provider_id: ProviderId) -> Result<Self, NameError> {
        let chars = key_id.chars().count();
        if chars == 0 || chars > MAX_KEY_ID || key_id.chars().any(char::is_control) {
            return Err(NameError { what: "key identifier", limit: MAX_KEY_ID });
        }
        Ok(Self { key_id: key_id.to_owned(), provider_id })
    }
}

impl fmt::Display for CryptoKeyId {
    /// As vSphere prints it when it misses a key: `3/pykmip`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.key_id, self.provider_id)
    }
}

/// A text that cannot be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "a {what} has 1 to {limit} characters, of which none is a control character; names of VMs and providers are made of letters, digits, '.', '_' and '-' and do not begin with a '.'"
)]
pub struct NameError {
    what: &'static str,
    limit: usize,
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, $what:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
                // A name becomes part of a path: no separator, no "..", nothing hidden.
                if text.is_empty() || text.len() > MAX_NAME || text.starts_with('.') || !text.chars().all(fit) {
                    return Err(NameError { what: $what, limit: MAX_NAME });
                }
                Ok(Self(text))
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

names! {
    /// A key provider: what vCenter calls a group of key servers that give the same keys.
    ProviderId, "provider name";
    /// A virtual machine.
    VmId, "VM name";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_folder() {
        for bad in ["", ".", "..", "a/b", "../a", ".hidden", "a b", "ä", &"x".repeat(MAX_NAME + 1)] {
            assert!(bad.parse::<VmId>().is_err(), "{bad:?} was accepted");
        }
        for good in ["vm-web", "Clavis_1", "a.b", &"x".repeat(MAX_NAME)] {
            assert!(good.parse::<VmId>().is_ok(), "{good:?} was refused");
        }
    }

    #[test]
    fn a_key_is_printed_as_vsphere_prints_it() {
        let key = CryptoKeyId::new("3", "pykmip".parse().unwrap()).unwrap();
        assert_eq!(key.to_string(), "3/pykmip");
        assert_eq!(serde_json::to_string(&key).unwrap(), r#"{"keyId":"3","providerId":"pykmip"}"#);
        assert!(CryptoKeyId::new("", "pykmip".parse().unwrap()).is_err());
        assert!(CryptoKeyId::new("a\nb", "pykmip".parse().unwrap()).is_err());
    }
}
