//! Looks for secrets in everything that a run left behind, in every form in which bytes usually get out.

use std::collections::HashMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::node::Result;

/// Bytes of a secret's beginning and of its end that are looked for: part of a secret is found, too.
const PART: usize = 16;
/// Bytes of a pattern by which it is looked up. No pattern is shorter.
const KEY: usize = 8;

/// Secrets, and all their forms.
#[derive(Debug, Default)]
pub struct Needles {
    names: Vec<String>,
    patterns: HashMap<[u8; KEY], Vec<Pattern>>,
    /// Whether a pattern begins with these two bytes: what is asked at every byte of what is searched.
    beginnings: Vec<bool>,
}

#[derive(Debug)]
struct Pattern {
    needle: usize,
    form: &'static str,
    bytes: Vec<u8>,
}

/// A secret that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Which.
    pub secret: String,
    /// In what form.
    pub form: &'static str,
    /// Where.
    pub place: String,
}

impl Needles {
    /// Looks for these bytes from now on: raw, in hexadecimal, in base64 wherever they begin in it, and as a list of
    /// numbers, as `Debug` writes them.
    ///
    /// # Errors
    /// For a secret that is too short to be recognized.
    pub fn add(&mut self, name: &str, secret: &[u8]) -> Result<()> {
        if secret.len() < PART {
            return Err(format!("{name}: {} bytes could be there by chance", secret.len()).into());
        }
        let needle = self.names.len();
        self.names.push(name.to_owned());
        let (head, tail) = (secret.get(..PART), secret.get(secret.len() - PART..));
        for part in [head, tail].into_iter().flatten() {
            for (form, bytes) in forms(part) {
                if let Some(key) = bytes.first_chunk() {
                    self.beginnings.resize(1 << 16, false);
                    if let Some(begins) = bytes.first_chunk().and_then(|two| self.beginnings.get_mut(beginning(two))) {
                        *begins = true;
                    }
                    self.patterns.entry(*key).or_default().push(Pattern { needle, form, bytes });
                }
            }
        }
        Ok(())
    }

    /// Every secret that is in `haystack`, each form once.
    #[must_use]
    pub fn find(&self, place: &str, haystack: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (at, window) in haystack.windows(KEY).enumerate() {
            let begins = window.first_chunk().and_then(|two| self.beginnings.get(beginning(two)));
            if begins != Some(&true) {
                continue;
            }
            let Some(patterns) = window.first_chunk().and_then(|key| self.patterns.get(key)) else { continue };
            let rest = haystack.get(at..).unwrap_or_default();
            for Pattern { needle, form, .. } in patterns.iter().filter(|pattern| rest.starts_with(&pattern.bytes)) {
                let secret = self.names.get(*needle).cloned().unwrap_or_default();
                hits.push(Hit { secret, form, place: place.to_owned() });
            }
        }
        hits.sort();
        hits.dedup();
        hits
    }

    /// Every secret in every file of a folder, and how many files there were. Places are paths within the folder.
    ///
    /// # Errors
    /// Of reading.
    pub fn find_in_folder(&self, folder: &Path) -> Result<(usize, Vec<Hit>)> {
        let (mut files, mut hits, mut open) = (0, Vec::new(), vec![folder.to_owned()]);
        while let Some(dir) = open.pop() {
            for entry in std::fs::read_dir(&dir)? {
                let path = entry?.path();
                if path.is_dir() {
                    open.push(path);
                    continue;
                }
                let place = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
                hits.extend(self.find(&place, &std::fs::read(&path)?));
                // A name is written down, too.
                hits.extend(self.find(&format!("name of {place}"), place.as_bytes()));
                files += 1;
            }
        }
        Ok((files, hits))
    }
}

fn beginning(two: &[u8; 2]) -> usize {
    usize::from(u16::from_be_bytes(*two))
}

fn forms(part: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let numbers: Vec<String> = part.iter().map(u8::to_string).collect();
    let mut forms = vec![
        ("raw", part.to_vec()),
        ("hex", hex::encode(part).into_bytes()),
        ("HEX", hex::encode_upper(part).into_bytes()),
        ("numbers", numbers.join(", ").into_bytes()),
        ("numbers", numbers.join(",").into_bytes()),
    ];
    for before in 0..3 {
        // Characters that depend on these bytes alone, whatever stands before and behind them.
        let (from, to) = ((before * 8_usize).div_ceil(6), (before + part.len()) * 8 / 6);
        let whole = [&[0; 3][..before], part].concat();
        for (form, text) in [("base64", STANDARD_NO_PAD.encode(&whole)), ("base64url", URL_SAFE_NO_PAD.encode(&whole))]
        {
            forms.push((form, text.as_bytes().get(from..to).unwrap_or_default().to_vec()));
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn a_secret_is_found_in_every_form_and_at_every_place() {
        let secret = Random::from_seed(5).bytes(32);
        let mut needles = Needles::default();
        needles.add("marker", &secret).unwrap();
        for before in 0..9 {
            let around = [&[0xa5; 9][..before], &secret, b"behind"].concat();
            let forms = [
                around.clone(),
                hex::encode(&around).into_bytes(),
                hex::encode_upper(&around).into_bytes(),
                STANDARD_NO_PAD.encode(&around).into_bytes(),
                URL_SAFE_NO_PAD.encode(&around).into_bytes(),
                format!("{around:?}").into_bytes(),
                serde_json::to_vec(&around).unwrap(),
            ];
            for form in forms {
                let hits = needles.find("here", &form);
                assert!(!hits.is_empty(), "{}", String::from_utf8_lossy(&form));
                assert!(hits.iter().all(|hit| hit.secret == "marker" && hit.place == "here"));
            }
        }
    }

    #[test]
    fn part_of_a_secret_is_found_and_another_one_is_not() {
        let mut random = Random::from_seed(6);
        let (secret, other) = (random.bytes(32), random.bytes(4096));
        let mut needles = Needles::default();
        needles.add("marker", &secret).unwrap();
        assert_eq!(needles.find("here", &secret[..20]).len(), 1);
        assert_eq!(needles.find("here", &secret[12..]).len(), 1);
        assert_eq!(needles.find("here", &other), []);
        assert_eq!(needles.find("here", hex::encode(other).as_bytes()), []);
        assert!(needles.add("short", &secret[..8]).is_err());
    }
}
