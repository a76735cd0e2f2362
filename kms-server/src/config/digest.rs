//! What a configuration comes to, as digests: one for each section and one for all of them. With these a log tells that
//! a setting is another one than before, and in which section, without holding the setting.
//!
//! A digest is taken over the settings in force, defaults and environment included, in the words of this version of the
//! program: an update may change the digest of a section in which nobody changed anything, and the version beside it
//! says so. Files that are named count by their names.

use std::fmt::Debug;

use ring::digest::{SHA256, digest};

use super::Config;

/// Bytes of a text with digests that are read: there is one short line for each section.
const MAX_TEXT_LEN: usize = 16 << 10;

/// The digests of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digests(Vec<(String, String)>);

impl Digests {
    /// Those of `config`.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        // Taken apart, so that a section that is added cannot be forgotten.
        let Config {
            node,
            kmip,
            kmip_https,
            admin,
            store,
            hsm,
            offer,
            ceremony,
            administrators,
            dual_control,
            collectors,
            witnesses,
            log,
            limits,
        } = config;
        let sections: [(&str, &dyn Debug); 14] = [
            ("node", node),
            ("kmip", kmip),
            ("kmip_https", kmip_https),
            ("admin", admin),
            ("store", store),
            ("hsm", hsm),
            ("offer", offer),
            ("ceremony", ceremony),
            ("administrators", administrators),
            ("dual_control", dual_control),
            ("collectors", collectors),
            ("witnesses", witnesses),
            ("log", log),
            ("limits", limits),
        ];
        Self(sections.map(|(name, settings)| (name.to_owned(), sha256(&format!("{name}\n{settings:?}")))).to_vec())
    }

    /// One line for each section: its name and its digest in hex.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.iter().map(|(name, digest)| format!("{name} {digest}\n")).collect()
    }

    /// Reads [`Digests::text`]; `None` for anything else.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= MAX_TEXT_LEN)?;
        let section = |line: &str| line.split_once(' ').map(|(name, digest)| (name.to_owned(), digest.to_owned()));
        text.lines().map(section).collect::<Option<_>>().map(Self)
    }

    /// SHA-256 of [`Digests::text`], in hex: the digest of the whole configuration.
    #[must_use]
    pub fn whole(&self) -> String {
        sha256(&self.text())
    }

    /// Names of the sections that are not as in `old`, those that only one of the two has among them.
    #[must_use]
    pub fn changed_since<'a>(&'a self, old: &'a Self) -> Vec<&'a str> {
        let gone = old.0.iter().filter(|(name, _)| !self.0.iter().any(|(other, _)| other == name));
        let changed = self.0.iter().filter(|section| !old.0.contains(section));
        changed.chain(gone).map(|(name, _)| name.as_str()).collect()
    }
}

fn sha256(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::example;
    use super::*;

    #[test]
    fn another_setting_is_another_digest_of_its_section_alone() {
        let config = example();
        let digests = Digests::of(&config);
        assert_eq!(Digests::parse(digests.text().as_bytes()), Some(digests.clone()));
        assert_eq!(digests.changed_since(&digests), [""; 0]);
        let mut other = config.clone();
        other.limits.connections += 1;
        other.dual_control = crate::quorums::Quorums::of(60, |_| 3);
        let other = Digests::of(&other);
        assert_eq!(other.changed_since(&digests), ["dual_control", "limits"]);
        assert_ne!(other.whole(), digests.whole());
        assert_eq!(Digests::of(&config).whole(), digests.whole());
    }

    #[test]
    fn a_section_that_one_version_does_not_have_has_changed() {
        let digests = Digests::of(&example());
        let (_, rest) = digests.text().split_once('\n').map(|(one, rest)| (one.to_owned(), rest.to_owned())).unwrap();
        let without = Digests::parse(rest.as_bytes()).unwrap();
        assert_eq!((without.changed_since(&digests), digests.changed_since(&without)), (vec!["node"], vec!["node"]));
        assert_eq!(Digests::parse(b"node"), None);
    }
}
