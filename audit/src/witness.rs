//! What a node shows its witnesses, what a witness remembers, and by which rule it co-signs.
//!
//! In each interval with news the node makes a **list** of the heads of all domains' logs, tells its digest in a record
//! `Interval` of the system's log, and signs that log's head: one signature covers every domain. A witness keeps the
//! last (size, root) of every log. It co-signs a head only if the list is the one that the signed log tells of, and if
//! every log it ever saw is in it and only grew. So a log that was cut, forked or put back to an earlier day is not
//! co-signed, and what a witness kept tells the node so when it starts.
//!
//! `docs/formats.md` has list, state and co-signature byte by byte.

mod state;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    checkpoint::SignedCheckpoint,
    log::LogId,
    tree::{Hash, digest_of},
};

pub use state::{Refusal, State, Update};

/// Operation of the record that tells of a list.
pub const INTERVAL: &str = "Interval";
/// First line of a list.
const LIST_FORMAT: &str = "clavis-heads/1";
/// First line of a state, as a witness signs it.
const STATE_FORMAT: &str = "clavis-witness-state/1";
/// Type of a co-signature by Ed25519 in signed notes (C2SP tlog-cosignature).
const COSIGNATURE_TYPE: u8 = 0x04;
/// Logs of one list: ten times the tenants of the largest installation in sight.
pub const MAX_HEADS: usize = 10_000;
/// Bytes of a message between node and witness: a list of so many logs has 1 MB, a proof for each of them 15 MB.
pub const MAX_MESSAGE_LEN: usize = 32 << 20;
/// Bytes of a witness's name, and of the reason of a rebase.
pub const MAX_TEXT_LEN: usize = 128;

/// Size and root of one log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The log.
    pub log: LogId,
    /// Records.
    pub size: u64,
    /// Root of its tree.
    pub root: Hash,
}

impl Head {
    fn line(&self) -> String {
        format!("{} {} {}\n", self.log, self.size, STANDARD.encode(self.root))
    }

    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.split(' ');
        let (log, size, root) = (parts.next()?, parts.next()?, parts.next()?);
        let root = STANDARD.decode(root).ok()?.try_into().ok()?;
        let head = Self { log: log.parse().ok()?, size: size.parse().ok()?, root };
        // One head has one line.
        (parts.next().is_none() && head.line().trim_end() == line).then_some(head)
    }
}

/// Heads, one line each, in the order of their logs, none twice.
fn lines_of(heads: &[Head]) -> String {
    let mut heads: Vec<&Head> = heads.iter().collect();
    heads.sort_unstable_by_key(|head| head.log);
    heads.dedup_by_key(|head| head.log);
    heads.into_iter().map(Head::line).collect()
}

fn heads_in<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Vec<Head>> {
    let heads: Vec<Head> = lines.take(MAX_HEADS + 1).map(Head::parse).collect::<Option<_>>()?;
    (heads.len() <= MAX_HEADS && heads.is_sorted_by(|one, next| one.log < next.log)).then_some(heads)
}

/// The list of the heads of all domains' logs.
#[must_use]
pub fn write_list(heads: &[Head]) -> String {
    format!("{LIST_FORMAT}\n{}", lines_of(heads))
}

/// Reads a list; `None` for everything that [`write_list`] does not write.
#[must_use]
pub fn read_list(text: &str) -> Option<Vec<Head>> {
    let heads = heads_in(text.strip_suffix('\n')?.strip_prefix(LIST_FORMAT)?.lines().skip(1))?;
    (write_list(&heads) == text).then_some(heads)
}

/// The detail of the record that tells of a list.
#[must_use]
pub fn interval_detail(list: &str) -> String {
    format!("heads {}", hex::encode(digest_of(&[list.as_bytes()])))
}

/// How a log grew since a witness last saw it: a consistency proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Growth {
    /// The log.
    pub log: String,
    /// The size that the witness has.
    pub from: u64,
    /// Hashes in hex, see [`crate::consistency_ranges`].
    pub path: Vec<String>,
}

/// What a node asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// What the witness remembers, signed together with this nonce, so that no old answer can be shown.
    State {
        /// At most [`MAX_TEXT_LEN`] characters.
        nonce: String,
    },
    /// To remember more, and to co-sign.
    Update(Update),
    /// To co-sign the head of one log that it has seen as a line of a list.
    Cosign {
        /// The signed note.
        note: String,
    },
}

/// What a witness answers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// [`StateText`], after [`Request::State`].
    pub state: Option<String>,
    /// Its Ed25519 signature by the witness, in base64.
    pub signature: Option<String>,
    /// The co-signature's line of the signed note.
    pub cosignature: Option<String>,
    /// Why not.
    pub refused: Option<String>,
    /// The refusal says that the node's history is not the one that the witness saw.
    #[serde(default)]
    pub diverged: bool,
}

/// How many witnesses these keys are of: one that is named twice, or under two names, is one.
#[must_use]
pub fn how_many(keys: &[WitnessKey]) -> usize {
    let is_first = |(at, key): &(usize, &WitnessKey)| !keys.iter().take(*at).any(|other| other.is_same_witness(key));
    keys.iter().enumerate().filter(is_first).count()
}

/// Which of these witnesses co-signed a note, each once, with its time in seconds since 1970.
#[must_use]
pub fn cosigners<'k>(note: &str, keys: &'k [WitnessKey]) -> Vec<(&'k WitnessKey, u64)> {
    let Ok(signed) = SignedCheckpoint::parse(note) else { return Vec::new() };
    let body = signed.checkpoint.body();
    let signed_at =
        |key: &WitnessKey| note.split_inclusive('\n').find_map(|line| key.verify_cosignature(&body, line).ok());
    let mut found: Vec<(&WitnessKey, u64)> = Vec::new();
    for key in keys {
        if let Some(time_s) = signed_at(key)
            && !found.iter().any(|(other, _)| other.is_same_witness(key))
        {
            found.push((key, time_s));
        }
    }
    found
}

/// What a witness remembers, as it signs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateText {
    /// The nonce that it was asked with.
    pub nonce: String,
    /// Why its holder told it to forget what it had, if the node was not heard of since.
    pub rebased: Option<String>,
    /// The last head of every log, the system's among them.
    pub heads: Vec<Head>,
}

impl StateText {
    /// The text that is signed.
    #[must_use]
    pub fn write(&self) -> String {
        let rebased = self.rebased.as_deref().map(|reason| format!(" {reason}")).unwrap_or_default();
        format!("{STATE_FORMAT}\n{}\nrebased{rebased}\n{}", self.nonce, lines_of(&self.heads))
    }

    /// Reads it back; `None` for everything that [`StateText::write`] does not write.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next() != Some(STATE_FORMAT) {
            return None;
        }
        let nonce = lines.next()?.to_owned();
        let rebased = lines.next()?.strip_prefix("rebased")?;
        let state = Self {
            nonce,
            rebased: (!rebased.is_empty()).then(|| rebased.trim_start().to_owned()),
            heads: heads_in(lines)?,
        };
        (state.write() == text).then_some(state)
    }
}

/// The public key of a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    key: [u8; 32],
}

/// Text is not the key of a witness, or not by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WitnessKeyError {
    /// Not `name+key id+base64`, or not Ed25519.
    #[error("not the verifier key of a witness")]
    Key,
    /// The signature is by somebody else, or of something else.
    #[error("not signed by the witness")]
    Signature,
}

impl WitnessKey {
    /// The key of the witness called `name`: letters, digits, `.`, `-`, `_`, `/`, at most [`MAX_TEXT_LEN`].
    ///
    /// # Errors
    /// [`WitnessKeyError::Key`].
    pub fn new(name: &str, key: [u8; 32]) -> Result<Self, WitnessKeyError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/');
        if name.is_empty() || name.len() > MAX_TEXT_LEN || !name.bytes().all(fits) {
            return Err(WitnessKeyError::Key);
        }
        Ok(Self { name: name.to_owned(), key })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether `other` is this witness, whatever it is called there.
    #[must_use]
    pub fn is_same_witness(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// The id in signed notes: the first 4 bytes of SHA-256 over name, newline, type and key.
    #[must_use]
    pub fn key_id(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = digest_of(&[self.name.as_bytes(), b"\n", &[COSIGNATURE_TYPE], &self.key]);
        [a, b, c, d]
    }

    /// As verifiers and configurations read it: `name+key id+base64`.
    #[must_use]
    pub fn verifier_key(&self) -> String {
        let typed = [&[COSIGNATURE_TYPE][..], &self.key].concat();
        format!("{}+{}+{}", self.name, hex::encode(self.key_id()), STANDARD.encode(typed))
    }

    /// Reads [`WitnessKey::verifier_key`].
    ///
    /// # Errors
    /// [`WitnessKeyError::Key`].
    pub fn parse(text: &str) -> Result<Self, WitnessKeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(WitnessKeyError::Key);
        };
        let typed = STANDARD.decode(encoded).map_err(|_| WitnessKeyError::Key)?;
        let key = typed.strip_prefix(&[COSIGNATURE_TYPE]).and_then(|key| key.try_into().ok());
        let key = Self::new(name, key.ok_or(WitnessKeyError::Key)?)?;
        if key.verifier_key() == text { Ok(key) } else { Err(WitnessKeyError::Key) }
    }

    /// Checks a signature of a state.
    ///
    /// # Errors
    /// [`WitnessKeyError::Signature`].
    pub fn verify_state(&self, state: &str, signature: &[u8]) -> Result<(), WitnessKeyError> {
        self.verify(state.as_bytes(), signature)
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), WitnessKeyError> {
        let key = UnparsedPublicKey::new(&ED25519, self.key);
        key.verify(message, signature).map_err(|_| WitnessKeyError::Signature)
    }

    /// The line of a signed note that says: at `time_s`, seconds since 1970, I saw this `body` and all that it extends.
    /// `signature` is that of [`cosigned_text`].
    #[must_use]
    pub fn cosignature_line(&self, time_s: u64, signature: &[u8; 64]) -> String {
        let bytes = [&self.key_id()[..], &time_s.to_be_bytes(), signature].concat();
        format!("\u{2014} {} {}\n", self.name, STANDARD.encode(bytes))
    }

    /// Checks a line of [`WitnessKey::cosignature_line`] on a note's body; returns its time.
    ///
    /// # Errors
    /// [`WitnessKeyError::Signature`].
    pub fn verify_cosignature(&self, body: &str, line: &str) -> Result<u64, WitnessKeyError> {
        let wrong = WitnessKeyError::Signature;
        let encoded = line.strip_prefix("\u{2014} ").and_then(|rest| rest.strip_suffix('\n')).ok_or(wrong)?;
        let encoded = encoded.strip_prefix(self.name.as_str()).and_then(|rest| rest.strip_prefix(' ')).ok_or(wrong)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| wrong)?;
        let (key_id, rest) = bytes.split_first_chunk::<4>().ok_or(wrong)?;
        let (time, signature) = rest.split_first_chunk::<8>().ok_or(wrong)?;
        if *key_id != self.key_id() {
            return Err(wrong);
        }
        let time_s = u64::from_be_bytes(*time);
        self.verify(cosigned_text(time_s, body).as_bytes(), signature)?;
        Ok(time_s)
    }
}

/// What a witness signs to co-sign a note's body. C2SP tlog-cosignature.
#[must_use]
pub fn cosigned_text(time_s: u64, body: &str) -> String {
    format!("cosignature/v1\ntime {time_s}\n{body}")
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    fn head(number: u8, size: u64) -> Head {
        Head { log: LogId::Domain([number; 16]), size, root: [number; 32] }
    }

    #[test]
    fn a_list_has_one_text() {
        let heads = [head(2, 7), head(1, 9)];
        let text = write_list(&heads);
        assert_eq!(read_list(&text).unwrap(), [heads[1], heads[0]]);
        assert_eq!(read_list(&write_list(&[])).unwrap(), []);
        for wrong in [
            text.replace("/1", "/2"),
            text.replacen(" 7 ", " 07 ", 1),
            text.trim_end().to_owned(),
            format!("{text}\n"),
            format!("{text}{}", head(1, 9).line()),
            text.replace(' ', "  "),
        ] {
            assert_eq!(read_list(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_state_has_one_text() {
        for rebased in [None, Some("a snapshot was restored".to_owned())] {
            let state = StateText { nonce: "4f".into(), rebased, heads: vec![head(1, 3), head(2, 0)] };
            assert_eq!(StateText::read(&state.write()), Some(state));
        }
        assert_eq!(StateText::read("clavis-witness-state/1\n4f\n"), None);
    }

    #[test]
    fn a_cosignature_is_of_one_body_by_one_witness_at_one_time() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let key = WitnessKey::new("paris/witness1", pair.public_key().as_ref().try_into().unwrap()).unwrap();
        assert_eq!(WitnessKey::parse(&key.verifier_key()), Ok(key.clone()));
        let body = "clavis/paris/system\n3\nAAAA\n";
        let signature = pair.sign(cosigned_text(1_795_347_000, body).as_bytes());
        let line = key.cosignature_line(1_795_347_000, signature.as_ref().try_into().unwrap());
        assert_eq!(key.verify_cosignature(body, &line), Ok(1_795_347_000));
        assert!(key.verify_cosignature("clavis/paris/system\n4\nAAAA\n", &line).is_err());
        let later = key.cosignature_line(1_795_347_001, signature.as_ref().try_into().unwrap());
        assert!(key.verify_cosignature(body, &later).is_err());
        let other = WitnessKey::new("paris/witness2", key.key).unwrap();
        assert!(other.verify_cosignature(body, &line).is_err());
        assert!(WitnessKey::parse(&key.verifier_key().replace("witness1", "witness2")).is_err());
        assert!(WitnessKey::new("a b", [0; 32]).is_err());
    }

    #[test]
    fn a_witness_that_is_named_twice_counts_once() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let public = pair.public_key().as_ref().try_into().unwrap();
        let [one, alias] = ["one", "alias"].map(|name| WitnessKey::new(name, public).unwrap());
        let other = WitnessKey::new("other", [9; 32]).unwrap();
        let keys = [one.clone(), one.clone(), alias.clone(), other];
        assert_eq!(how_many(&keys), 2);
        assert_eq!(how_many(&[]), 0);

        let signer = crate::key::tests::Signer::new();
        let note = crate::checkpoint::tests::signed(&signer, "paris", LogId::System, 3, [1; 32]);
        let body = note.checkpoint.body();
        let signature = pair.sign(cosigned_text(5, &body).as_bytes());
        let lines = [&one, &alias].map(|key| key.cosignature_line(5, signature.as_ref().try_into().unwrap()));
        let note = note.format() + &lines.concat();
        assert_eq!(cosigners(&note, &keys), [(&one, 5)]);
        assert_eq!(cosigners(&note, &keys[2..]), [(&alias, 5)], "by whichever name it is known");
    }
}
