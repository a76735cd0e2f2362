//! The folder of a witness: its key, what it remembers, and a journal of what it refused and was told to forget.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use audit::TrustedKeys;
use audit::witness::{MAX_TEXT_LEN, Refusal, State, StateText, Update, WitnessKey, cosigned_text};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use rustls_pki_types::CertificateDer;
use thiserror::Error;

const KEY: &str = "witness.key";
const PUBLIC_KEY: &str = "witness.pub";
const STATE: &str = "state";
const JOURNAL: &str = "journal.jsonl";
const LOCK: &str = "lock";
const NODES: &str = "nodes";
/// Nodes that one witness answers: those of one installation, and certificates that follow each other.
const MAX_NODES: usize = 16;
/// What stands in the nonce's place in the file.
const NO_NONCE: &str = "-";

/// SHA-256 of the SubjectPublicKeyInfo in a node's certificate.
pub type Pin = [u8; 32];

/// The pin of a certificate; `None` for what is none.
#[must_use]
pub fn pin_of(certificate: &CertificateDer<'_>) -> Option<Pin> {
    let leaf = webpki::EndEntityCert::try_from(certificate).ok()?;
    ring::digest::digest(&ring::digest::SHA256, &leaf.subject_public_key_info()).as_ref().try_into().ok()
}

fn pin_in(line: &str) -> Option<Pin> {
    hex::decode(line).ok()?.try_into().ok()
}

/// Why a folder cannot be used.
#[derive(Debug, Error)]
pub enum FolderError {
    /// A file.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else than was written.
    #[error("{}: not what a witness writes", .0.display())]
    Damaged(PathBuf),
    /// A running witness, or another command, uses it.
    #[error("{} is in use", .0.display())]
    InUse(PathBuf),
    /// The name or the reason is empty, too long, or has characters that cannot stand there.
    #[error("{0}")]
    Text(&'static str),
    /// No key could be made.
    #[error("no key could be made")]
    Key,
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    |source| FolderError::File { path, source }
}

/// An open folder. Nobody else can open it meanwhile.
pub struct Folder {
    dir: PathBuf,
    name: WitnessKey,
    pair: Ed25519KeyPair,
    state: State,
    rebased: Option<String>,
    nodes: Vec<Pin>,
    /// Held while the folder is open.
    _lock: File,
}

impl Folder {
    /// Makes the folder of a new witness, which has seen nothing.
    ///
    /// # Errors
    /// [`FolderError`]; the folder must not exist yet, so that no memory is lost by accident.
    pub fn create(dir: &Path, name: &str) -> Result<Self, FolderError> {
        fs::DirBuilder::new().mode(0o700).create(dir).map_err(at(dir))?;
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| FolderError::Key)?;
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).map_err(|_| FolderError::Key)?;
        let key = key_of(name, &pair)?;
        write_new(&dir.join(KEY), pkcs8.as_ref(), 0o600)?;
        write_new(&dir.join(PUBLIC_KEY), format!("{}\n", key.verifier_key()).as_bytes(), 0o644)?;
        replace(dir, STATE, empty_state(None).as_bytes())?;
        Self::open(dir)
    }

    /// Opens the folder of a witness.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn open(dir: &Path) -> Result<Self, FolderError> {
        let lock_path = dir.join(LOCK);
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&lock_path);
        let lock = lock.map_err(at(&lock_path))?;
        lock.try_lock().map_err(|_| FolderError::InUse(dir.to_owned()))?;
        let read = |name: &str| fs::read(dir.join(name)).map_err(at(&dir.join(name)));
        let damaged = |name: &str| FolderError::Damaged(dir.join(name));
        let pair = Ed25519KeyPair::from_pkcs8(&read(KEY)?).map_err(|_| damaged(KEY))?;
        let public = String::from_utf8(read(PUBLIC_KEY)?).map_err(|_| damaged(PUBLIC_KEY))?;
        let name = WitnessKey::parse(public.trim_end()).map_err(|_| damaged(PUBLIC_KEY))?;
        if key_of(name.name(), &pair)? != name {
            return Err(damaged(PUBLIC_KEY));
        }
        // A memory that cannot be read is no empty one: a witness that forgot would co-sign anything.
        let state = String::from_utf8(read(STATE)?).ok().and_then(|text| StateText::read(&text));
        let StateText { rebased, heads, .. } = state.ok_or_else(|| damaged(STATE))?;
        let nodes = match fs::read_to_string(dir.join(NODES)) {
            Ok(text) => text.lines().map(pin_in).collect::<Option<Vec<Pin>>>().ok_or_else(|| damaged(NODES))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(at(&dir.join(NODES))(error)),
        };
        Ok(Self { dir: dir.to_owned(), name, pair, state: State::of(&heads), rebased, nodes, _lock: lock })
    }

    /// The public key.
    #[must_use]
    pub fn key(&self) -> &WitnessKey {
        &self.name
    }

    /// What it remembers, with its signature.
    #[must_use]
    pub fn signed_state(&self, nonce: &str) -> (String, Vec<u8>) {
        let text = self.text(nonce);
        let signature = self.pair.sign(text.as_bytes()).as_ref().to_vec();
        (text, signature)
    }

    fn text(&self, nonce: &str) -> String {
        StateText { nonce: nonce.to_owned(), rebased: self.rebased.clone(), heads: self.state.heads() }.write()
    }

    /// Remembers what `update` shows and co-signs it: the line for the signed note, once the memory is on the disk.
    ///
    /// # Errors
    /// The refusal, which the journal tells; [`FolderError`] where the memory cannot be written, and then nothing was
    /// co-signed.
    pub fn extend(&mut self, update: &Update, trusted: &TrustedKeys) -> Result<Result<String, Refusal>, FolderError> {
        let mut next = self.state.clone();
        let note = match next.extend(update, trusted) {
            Ok(note) => note,
            Err(refusal) => {
                if refusal.is_divergence() {
                    self.journal("refused", &refusal.to_string())?;
                }
                return Ok(Err(refusal));
            }
        };
        let (old, rebased) = (std::mem::replace(&mut self.state, next), self.rebased.take());
        if let Err(error) = replace(&self.dir, STATE, self.text(NO_NONCE).as_bytes()) {
            (self.state, self.rebased) = (old, rebased);
            return Err(error);
        }
        self.cosignature(&note.checkpoint.body()).map(Ok)
    }

    /// Co-signs the head of one log, if it is the one that is remembered.
    ///
    /// # Errors
    /// The refusal; [`FolderError::Key`].
    pub fn cosign(&self, note: &str, trusted: &TrustedKeys) -> Result<Result<String, Refusal>, FolderError> {
        let body = match self.state.cosignable(note, trusted) {
            Ok(note) => note.checkpoint.body(),
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.cosignature(&body).map(Ok)
    }

    fn cosignature(&self, body: &str) -> Result<String, FolderError> {
        let time_s = now_s();
        let signature = self.pair.sign(cosigned_text(time_s, body).as_bytes());
        let signature = signature.as_ref().try_into().map_err(|_| FolderError::Key)?;
        Ok(self.name.cosignature_line(time_s, signature))
    }

    /// Lets a node in, by the SHA-256 of the SubjectPublicKeyInfo of the certificate that it will show. Nobody else is
    /// answered.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn admit(&mut self, certificate: &CertificateDer<'_>) -> Result<Pin, FolderError> {
        let pin = pin_of(certificate).ok_or(FolderError::Text("not a certificate"))?;
        if !self.nodes.contains(&pin) {
            let mut nodes = self.nodes.clone();
            nodes.push(pin);
            if nodes.len() > MAX_NODES {
                return Err(FolderError::Text("a witness knows at most 16 nodes"));
            }
            self.journal("admitted", &hex::encode(pin))?;
            let text: String = nodes.iter().map(|pin| hex::encode(pin) + "\n").collect();
            replace(&self.dir, NODES, text.as_bytes())?;
            self.nodes = nodes;
        }
        Ok(pin)
    }

    /// The nodes that are answered.
    #[must_use]
    pub fn nodes(&self) -> &[Pin] {
        &self.nodes
    }

    /// Forgets everything, so that the next head is accepted whatever it extends. What was remembered stays in the
    /// journal, and the node is told with the reason.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn rebase(&mut self, reason: &str) -> Result<(), FolderError> {
        let printable = !reason.chars().any(char::is_control);
        if reason.trim() != reason || reason.is_empty() || reason.len() > MAX_TEXT_LEN || !printable {
            return Err(FolderError::Text("the reason is empty, longer than 128 bytes, or no line of text"));
        }
        self.journal("rebased", &format!("{reason}; it remembered:\n{}", self.text(NO_NONCE)))?;
        replace(&self.dir, STATE, empty_state(Some(reason.to_owned())).as_bytes())?;
        (self.state, self.rebased) = (State::default(), Some(reason.to_owned()));
        Ok(())
    }

    fn journal(&self, event: &str, what: &str) -> Result<(), FolderError> {
        let path = self.dir.join(JOURNAL);
        let line = serde_json::json!({ "time": now_s(), "event": event, "what": what });
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| {
            file.write_all(format!("{line}\n").as_bytes())?;
            file.sync_all()
        });
        written.map_err(at(&path))
    }
}

fn key_of(name: &str, pair: &Ed25519KeyPair) -> Result<WitnessKey, FolderError> {
    let key = pair.public_key().as_ref().try_into().map_err(|_| FolderError::Key)?;
    WitnessKey::new(name, key).map_err(|_| FolderError::Text("a name is 1 to 128 letters, digits, '.', '-', '_', '/'"))
}

fn empty_state(rebased: Option<String>) -> String {
    StateText { nonce: NO_NONCE.to_owned(), rebased, heads: Vec::new() }.write()
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FolderError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(at(path))
}

/// Puts a file in the place of another: after a crash there is the old or the new one, whole.
fn replace(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
    let beside = dir.join(format!("{name}.new"));
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&beside)(error)),
        _ => {}
    }
    write_new(&beside, bytes, 0o600)?;
    let renamed = fs::rename(&beside, dir.join(name)).and_then(|()| File::open(dir)?.sync_all());
    renamed.map_err(at(&dir.join(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_remembers_that_it_was_told_to_forget() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("w1");
        let mut folder = Folder::create(&dir, "paris/w1").unwrap();
        let key = folder.key().clone();
        assert!(matches!(Folder::open(&dir), Err(FolderError::InUse(_))));
        folder.rebase("the store was restored from Tuesday's backup").unwrap();
        assert!(folder.rebase("two\nlines").is_err() && folder.rebase("").is_err());
        drop(folder);
        let folder = Folder::open(&dir).unwrap();
        assert_eq!(*folder.key(), key);
        let (text, signature) = folder.signed_state("nonce");
        key.verify_state(&text, &signature).unwrap();
        let state = StateText::read(&text).unwrap();
        assert_eq!(state.nonce, "nonce");
        assert_eq!(state.rebased.as_deref(), Some("the store was restored from Tuesday's backup"));
        assert_eq!(fs::read_to_string(dir.join(JOURNAL)).unwrap().lines().count(), 1);
    }

    #[test]
    fn a_damaged_memory_is_not_an_empty_one() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("w1");
        drop(Folder::create(&dir, "w1").unwrap());
        assert!(Folder::create(&dir, "w1").is_err(), "an existing folder is not made anew");
        fs::write(dir.join(STATE), "clavis-witness-state/1\n-\n").unwrap();
        assert!(matches!(Folder::open(&dir), Err(FolderError::Damaged(_))));
        fs::remove_file(dir.join(STATE)).unwrap();
        assert!(matches!(Folder::open(&dir), Err(FolderError::File { .. })));
    }
}
