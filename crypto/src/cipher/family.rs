//! Which symmetric ciphers there are: key lengths, blocks, modes, and how OpenSSL calls them.

use kmip::registry::CryptographicAlgorithm as Algorithm;
use openssl::cipher::Cipher;
use secret::Secret;
use zeroize::Zeroizing;

use crate::CryptoError;
use crate::library::{Checked, with_legacy};

/// How blocks are chained, or that there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Ecb,
    Cbc,
    Cfb,
    Ofb,
    Ctr,
    Gcm,
    Ccm,
    Xts,
    /// RFC 3394.
    KeyWrap,
    /// RFC 5649.
    KeyWrapPadded,
    /// ChaCha20 as RFC 8439 §2.4 and the original with its nonce of 64 bits.
    ChaCha20,
    /// RFC 8439 §2.8.
    ChaCha20Poly1305,
    /// RC4.
    Rc4,
    /// The key is the keystream.
    OneTimePad,
}

impl Mode {
    /// Authenticates: takes additional data, gives or takes a tag.
    pub(super) const fn is_aead(self) -> bool {
        matches!(self, Self::Gcm | Self::Ccm | Self::ChaCha20Poly1305)
    }

    /// Works on whole blocks, so that a padding has something to do.
    pub(super) const fn pads(self) -> bool {
        matches!(self, Self::Ecb | Self::Cbc)
    }

    /// Can work on pieces. CCM needs all lengths beforehand, XTS and key wrap the whole.
    pub(super) const fn streams(self) -> bool {
        !matches!(self, Self::Ccm | Self::Xts | Self::KeyWrap | Self::KeyWrapPadded | Self::OneTimePad)
    }

    /// The last part of OpenSSL's name.
    const fn suffix(self) -> &'static str {
        match self {
            Self::Ecb => "-ECB",
            Self::Cbc => "-CBC",
            Self::Cfb => "-CFB",
            Self::Ofb => "-OFB",
            Self::Ctr => "-CTR",
            Self::Gcm => "-GCM",
            Self::Ccm => "-CCM",
            Self::Xts => "-XTS",
            Self::KeyWrap => "-WRAP",
            Self::KeyWrapPadded => "-WRAP-PAD",
            Self::ChaCha20 | Self::ChaCha20Poly1305 | Self::Rc4 | Self::OneTimePad => "",
        }
    }
}

/// A cipher: AES, Camellia, ….
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Family {
    pub(super) algorithm: Algorithm,
    /// Block in bytes; 1 for stream ciphers.
    pub(super) block: usize,
    keys: Keys,
    modes: &'static [Mode],
}

/// Which key lengths a cipher takes, in bytes, and whether OpenSSL's name has the length in it.
#[derive(Debug, PartialEq, Eq)]
enum Keys {
    /// These lengths, each a cipher of its own: `AES-256-CBC`.
    Named(&'static str, &'static [usize]),
    /// One length: `SM4-CBC`.
    One(&'static str, usize),
    /// From the first to the second, set on the context: `BF-CBC`.
    Range(&'static str, usize, usize),
    /// As long as the data at least.
    AsData,
}

const BLOCK_MODES: &[Mode] = &[Mode::Ecb, Mode::Cbc, Mode::Cfb, Mode::Ofb];
const COUNTER_MODES: &[Mode] = &[Mode::Ecb, Mode::Cbc, Mode::Cfb, Mode::Ofb, Mode::Ctr];
const ARIA_MODES: &[Mode] = &[Mode::Ecb, Mode::Cbc, Mode::Cfb, Mode::Ofb, Mode::Ctr, Mode::Gcm, Mode::Ccm];
const AES_MODES: &[Mode] = &[
    Mode::Ecb,
    Mode::Cbc,
    Mode::Cfb,
    Mode::Ofb,
    Mode::Ctr,
    Mode::Gcm,
    Mode::Ccm,
    Mode::Xts,
    Mode::KeyWrap,
    Mode::KeyWrapPadded,
];

const fn family(algorithm: Algorithm, block: usize, keys: Keys, modes: &'static [Mode]) -> Family {
    Family { algorithm, block, keys, modes }
}

/// Every cipher of KMIP's enumeration that Debian's OpenSSL has (it leaves out IDEA and RC5), and the one-time pad.
static FAMILIES: &[Family] = &[
    family(Algorithm::Aes, 16, Keys::Named("AES", &[16, 24, 32]), AES_MODES),
    family(Algorithm::TripleDes, 8, Keys::One("DES-EDE3", 24), BLOCK_MODES),
    family(Algorithm::Camellia, 16, Keys::Named("CAMELLIA", &[16, 24, 32]), COUNTER_MODES),
    family(Algorithm::Aria, 16, Keys::Named("ARIA", &[16, 24, 32]), ARIA_MODES),
    family(Algorithm::Sm4, 16, Keys::One("SM4", 16), COUNTER_MODES),
    family(Algorithm::Seed, 16, Keys::One("SEED", 16), BLOCK_MODES),
    family(Algorithm::Des, 8, Keys::One("DES", 8), BLOCK_MODES),
    family(Algorithm::Blowfish, 8, Keys::Range("BF", 4, 56), BLOCK_MODES),
    family(Algorithm::Cast5, 8, Keys::Range("CAST5", 5, 16), BLOCK_MODES),
    family(Algorithm::Rc2, 8, Keys::Range("RC2", 5, 128), BLOCK_MODES),
    family(Algorithm::Rc4, 1, Keys::Range("RC4", 5, 256), &[Mode::Rc4]),
    family(Algorithm::ChaCha20, 1, Keys::One("ChaCha20", 32), &[Mode::ChaCha20]),
    family(Algorithm::ChaCha20Poly1305, 1, Keys::One("ChaCha20-Poly1305", 32), &[Mode::ChaCha20Poly1305]),
    family(Algorithm::OneTimePad, 1, Keys::AsData, &[Mode::OneTimePad]),
];

/// A cipher of OpenSSL, and the length of key to tell it.
pub(super) struct Fetched {
    pub(super) cipher: Cipher,
    /// To be set on the context, where the cipher takes several lengths.
    pub(super) key_len: Option<usize>,
}

impl Family {
    /// The family of an algorithm.
    pub(super) fn of(algorithm: Algorithm) -> Result<&'static Self, CryptoError> {
        FAMILIES.iter().find(|family| family.algorithm == algorithm).ok_or(CryptoError::Unsupported(algorithm.text()))
    }

    /// Whether it has `mode`.
    pub(super) fn has(&self, mode: Mode) -> bool {
        self.modes.contains(&mode)
    }

    /// The mode of a cipher that has but one.
    pub(super) const fn only_mode(&self) -> Option<Mode> {
        match self.modes {
            [mode] => Some(*mode),
            _ => None,
        }
    }

    /// Whether a key of `len` bytes fits.
    pub(super) fn takes_key(&self, mode: Mode, len: usize) -> bool {
        match &self.keys {
            // XTS has two keys (IEEE 1619), and none for 192 bits.
            Keys::Named(_, _) if mode == Mode::Xts => len == 32 || len == 64,
            Keys::Named(_, lens) => lens.contains(&len),
            // Two-key Triple DES: the third key is the first.
            Keys::One("DES-EDE3", _) => len == 16 || len == 24,
            Keys::One(_, one) => len == *one,
            Keys::Range(_, least, most) => (*least..=*most).contains(&len),
            Keys::AsData => len > 0,
        }
    }

    /// The key as OpenSSL takes it, where that differs: two-key Triple DES as three keys.
    pub(super) fn library_key(&self, key: &Secret) -> Option<Zeroizing<Vec<u8>>> {
        let bytes = key.expose();
        (self.algorithm == Algorithm::TripleDes && bytes.len() == 16).then(|| {
            let mut long = Zeroizing::new(Vec::with_capacity(24));
            long.extend_from_slice(bytes);
            long.extend_from_slice(bytes.get(..8).unwrap_or_default());
            long
        })
    }

    /// OpenSSL's cipher for a key of `key_len` bytes, which [`Family::takes_key`] took.
    pub(super) fn fetch(&self, mode: Mode, key_len: usize) -> Result<Fetched, CryptoError> {
        let suffix = mode.suffix();
        let (name, key_len) = match &self.keys {
            Keys::Named(name, _) => {
                let bits = if mode == Mode::Xts { key_len * 4 } else { key_len * 8 };
                (format!("{name}-{bits}{suffix}"), None)
            }
            Keys::One(name, _) => (format!("{name}{suffix}"), None),
            Keys::Range(name, _, _) => (format!("{name}{suffix}"), Some(key_len)),
            Keys::AsData => return Err(CryptoError::Unsupported(self.algorithm.text())),
        };
        with_legacy();
        let cipher = Cipher::fetch(None, &name, None).or_refuse(CryptoError::Unsupported(self.algorithm.text()))?;
        Ok(Fetched { cipher, key_len })
    }
}

/// A block cipher as CMAC uses it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CmacCipher(&'static Family);

impl CmacCipher {
    /// The block cipher `algorithm`.
    pub(crate) fn of(algorithm: Algorithm) -> Result<Self, CryptoError> {
        let family = Family::of(algorithm)?;
        // CMAC is defined for blocks of 64 and 128 bits, and OpenSSL takes no cipher whose key length must be set.
        let fits = family.has(Mode::Cbc) && !matches!(family.keys, Keys::Range(..));
        if fits { Ok(Self(family)) } else { Err(CryptoError::Unsupported(algorithm.text())) }
    }

    /// OpenSSL's cipher, and the key as that takes it.
    pub(crate) fn fetch(self, key: &Secret) -> Result<(Cipher, Zeroizing<Vec<u8>>), CryptoError> {
        if !self.0.takes_key(Mode::Cbc, key.len()) {
            return Err(CryptoError::InvalidKey("its length is not one of the algorithm's"));
        }
        let cipher = self.0.fetch(Mode::Cbc, key.len())?.cipher;
        let key = self.0.library_key(key).unwrap_or_else(|| Zeroizing::new(key.expose().to_vec()));
        Ok((cipher, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_has_every_cipher_of_the_table() {
        for family in FAMILIES {
            for mode in family.modes.iter().filter(|mode| **mode != Mode::OneTimePad) {
                for len in (1..=256).filter(|len| family.takes_key(*mode, *len)) {
                    assert!(family.fetch(*mode, len).is_ok(), "{} {mode:?} {len}", family.algorithm.text());
                }
            }
        }
    }
}
