//! The Domain Keys of a domain: the one that seals, and while a rotation is going on the one before it, which still
//! opens.

use hsm::{DomainKey, DomainKeyError};
use secret::DomainKeyVersion;

/// Both keys, wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainKeys {
    /// What is sealed is sealed under this one.
    pub current: DomainKey,
    /// What was sealed before the rotation began opens under this one, until all of it is sealed anew.
    pub former: Option<DomainKey>,
}

impl DomainKeys {
    /// One key, which was never rotated or whose rotation is done.
    #[must_use]
    pub const fn one(current: DomainKey) -> Self {
        Self { current, former: None }
    }

    /// What the domain's row keeps: the current key, and behind it the former one.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.current.to_bytes();
        bytes.extend(self.former.iter().flat_map(DomainKey::to_bytes));
        bytes
    }

    /// Reads what [`DomainKeys::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`DomainKeyError`] for what is neither one key nor two. Whether they are genuine shows at their import.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DomainKeyError> {
        match bytes.split_at_checked(DomainKey::ENCODED_LEN) {
            Some((current, former)) if !former.is_empty() => {
                Ok(Self { current: DomainKey::from_bytes(current)?, former: Some(DomainKey::from_bytes(former)?) })
            }
            _ => DomainKey::from_bytes(bytes).map(Self::one),
        }
    }

    /// What is left once the keys are destroyed.
    #[must_use]
    pub fn husk(&self) -> Self {
        Self::one(self.current.husk())
    }

    /// Whether nothing is left of any key.
    #[must_use]
    pub fn is_husk(&self) -> bool {
        self.former.is_none() && self.current.is_husk()
    }

    /// The key under which an envelope of `version` opens; the current one for a version that there is not, which then
    /// refuses it.
    #[must_use]
    pub fn of_version(&self, version: DomainKeyVersion) -> &DomainKey {
        self.former.as_ref().filter(|former| former.version == version).unwrap_or(&self.current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(version: u32) -> DomainKey {
        DomainKey { domain: [1; 16], version, wrapped: vec![2; 40], rot_fingerprint: [3; 32], canary: vec![4; 44] }
    }

    #[test]
    fn one_key_and_two_come_back_and_nothing_else_does() {
        let one = DomainKeys::one(key(1));
        let two = DomainKeys { current: key(2), former: Some(key(1)) };
        for keys in [&one, &two] {
            let bytes = keys.to_bytes();
            assert_eq!(DomainKeys::from_bytes(&bytes).as_ref(), Ok(keys));
            assert!(DomainKeys::from_bytes(&bytes[..bytes.len() - 1]).is_err());
            assert!(DomainKeys::from_bytes(&[&bytes[..], &[1]].concat()).is_err());
        }
        assert!(DomainKeys::from_bytes(&[two.to_bytes(), key(3).to_bytes()].concat()).is_err());
    }

    #[test]
    fn a_husk_says_whose_it_was_and_holds_nothing() {
        let two = DomainKeys { current: key(2), former: Some(key(1)) };
        assert!(!two.is_husk() && !DomainKeys { former: Some(key(1)), ..two.husk() }.is_husk());
        let husk = DomainKeys::from_bytes(&two.husk().to_bytes()).unwrap();
        assert!(husk.is_husk());
        assert_eq!((husk.current.domain, husk.current.version), ([1; 16], 2));
    }

    #[test]
    fn each_version_has_its_key() {
        let two = DomainKeys { current: key(2), former: Some(key(1)) };
        assert_eq!([1, 2, 3].map(|version| two.of_version(version).version), [1, 2, 2]);
    }
}
