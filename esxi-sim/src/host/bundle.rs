//! The text `encryption.bundle` of a VM's configuration: which key opens it, and the wrapped DEKs, one per disk.
//!
//! ```text
//! vmware:key/list/(pair/(fqid/<VMWARE-NULL>/<provider>/<key>,AES-256-GCM,<base64>),pair/(…))
//! ```
//! It has the outer form of vSphere's. The third member of a pair is a wrapped DEK as the module `dek` makes it, and
//! the second says so; the pairs stand in the order of the disks. Characters of provider and key other than
//! unreserved ones are percent-encoded.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::key::CryptoKeyId;
use crate::limits::MAX_DISKS;

const OPEN: &str = "vmware:key/list/(";
const PAIR: &str = "pair/(fqid/<VMWARE-NULL>/";
const ALGORITHM: &str = "AES-256-GCM";

/// A text that is not an encryption bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("encryption.bundle: {0}")]
pub struct BundleError(&'static str);

/// The key and the wrapped DEKs of a VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The KEK.
    pub key: CryptoKeyId,
    /// One wrapped DEK per disk, in the order of the disks.
    pub wrapped: Vec<Vec<u8>>,
}

impl Bundle {
    /// The text for the configuration.
    #[must_use]
    pub fn to_text(&self) -> String {
        let (provider, key) = (escape(self.key.provider_id.as_str()), escape(&self.key.key_id));
        let pairs: Vec<String> = self
            .wrapped
            .iter()
            .map(|wrapped| format!("{PAIR}{provider}/{key},{ALGORITHM},{})", STANDARD.encode(wrapped)))
            .collect();
        format!("{OPEN}{})", pairs.join(","))
    }

    /// Reads a bundle back.
    ///
    /// # Errors
    /// [`BundleError`] where the text is not one, or names more than one key.
    pub fn parse(text: &str) -> Result<Self, BundleError> {
        let list = text.strip_prefix(OPEN).and_then(|rest| rest.strip_suffix(")")).ok_or(BundleError("not a list"))?;
        let mut key: Option<CryptoKeyId> = None;
        let mut wrapped = Vec::new();
        let mut rest = list;
        while !rest.is_empty() {
            if wrapped.len() == MAX_DISKS {
                return Err(BundleError("more pairs than a VM has disks"));
            }
            let pair = rest.strip_prefix(PAIR).ok_or(BundleError("not a pair"))?;
            let (pair, after) = pair.split_once(')').ok_or(BundleError("a pair is not closed"))?;
            let [name, ALGORITHM, dek] = pair.split(',').collect::<Vec<_>>()[..] else {
                return Err(BundleError("a pair is not of the form this host writes"));
            };
            let named = parse_key(name)?;
            if *key.get_or_insert_with(|| named.clone()) != named {
                return Err(BundleError("two keys in one bundle"));
            }
            wrapped.push(STANDARD.decode(dek).map_err(|_| BundleError("a wrapped DEK is not base64"))?);
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        Ok(Self { key: key.ok_or(BundleError("no pair"))?, wrapped })
    }
}

fn parse_key(name: &str) -> Result<CryptoKeyId, BundleError> {
    let (provider, key) = name.split_once('/').ok_or(BundleError("a key without provider"))?;
    let provider = unescape(provider)?.parse().map_err(|_| BundleError("not a provider's name"))?;
    CryptoKeyId::new(&unescape(key)?, provider).map_err(|_| BundleError("not a key's identifier"))
}

fn escape(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String does not fail.
            let _ = write!(out, "%{byte:02x}");
        }
        out
    })
}

fn unescape(text: &str) -> Result<String, BundleError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = rest.split_first_chunk::<2>().ok_or(BundleError("a cut escape"))?;
        bytes.extend(hex::decode(digits).map_err(|_| BundleError("an escape is not hexadecimal"))?);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| BundleError("a name is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(key: &str) -> Bundle {
        let key = CryptoKeyId::new(key, "clavis".parse().unwrap()).unwrap();
        Bundle { key, wrapped: vec![vec![1; 93], vec![0xfb; 93]] }
    }

    #[test]
    fn comes_back_whatever_the_server_called_the_key() {
        for key in ["3", "0198a2-uuid", "a/b,c)(d%e<f>", "clé ☃"] {
            assert_eq!(Bundle::parse(&example(key).to_text()).unwrap(), example(key), "{key}");
        }
    }

    #[test]
    fn has_the_form_of_vsphere() {
        let text = Bundle { wrapped: vec![vec![0, 1, 2]], ..example("a/3") }.to_text();
        assert_eq!(text, "vmware:key/list/(pair/(fqid/<VMWARE-NULL>/clavis/a%2f3,AES-256-GCM,AAEC))");
    }

    #[test]
    fn refuses_every_cut_and_foreign_forms() {
        let text = example("3").to_text();
        for len in 0..text.len() {
            assert!(Bundle::parse(&text[..len]).is_err(), "{len}");
        }
        let two_keys = text.replacen("/3,", "/4,", 1);
        assert_eq!(Bundle::parse(&two_keys).unwrap_err(), BundleError("two keys in one bundle"));
        assert!(Bundle::parse(&text.replace("AES-256-GCM", "HMAC-SHA-256")).is_err());
        assert!(Bundle::parse("vmware:key/list/()").is_err());
    }
}
