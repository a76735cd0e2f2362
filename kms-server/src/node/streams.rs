//! Operations that span several messages: what is kept in memory between their parts.
//!
//! A stream belongs to one client, one operation and one object of one domain; for everybody else it does not exist. It
//! ends when a part of it fails, when its domain changes (is frozen, gets another policy), when nobody goes on with it,
//! and with the node. Nothing of it is ever stored. It holds the cipher's or hash's inner state, which is wiped when it
//! ends; keys of signatures are opened anew at the last part.
//!
//! A message takes the streams it works on into its [`Hand`]. They go back only after the message was committed: who got
//! no answer finds no stream either, and cannot go on one part too far without knowing. A message that is worked out
//! again is told what its parts produced before, because a cipher cannot be turned back.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crypto::cipher::CipherStream;
use crypto::hash::HashStream;
use crypto::mac::MacStream;
use crypto::signature::SignatureStream;
use keystore::ObjectId;
use kmip::attribute::CryptographicParameters;
use kmip::registry::{Operation, Pkcs11ReturnCode};
use secret::{DomainId, Secret};

use super::directory::Domain;
use super::pkcs11::Library;
use crate::failure::Failure;
use crate::limits::Limits;
use crate::shell::peer::Fingerprint;

/// Length of a Correlation Value in bytes: too long to be guessed, and a guess would have to be the same client's.
pub const STREAM_ID_LEN: usize = 16;

/// The Correlation Value of a stream.
pub type StreamId = [u8; STREAM_ID_LEN];

/// To whom and what a stream belongs.
#[derive(Clone)]
pub struct Owner {
    /// The domain as it was when the stream began: another value of it is another domain.
    pub domain: Arc<Domain>,
    /// The client.
    pub client: Fingerprint,
    /// The operation.
    pub operation: Operation,
    /// The key; Hash and PKCS#11 have none.
    pub object: Option<ObjectId>,
}

impl Owner {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.domain, &other.domain)
            && self.client == other.client
            && self.operation == other.operation
            && self.object == other.object
    }
}

/// The inner state of the operation.
pub enum Work {
    /// Encrypt and Decrypt.
    Cipher(CipherStream),
    /// Sign.
    Sign(SignatureStream),
    /// Signature Verify, and the signature once a part has brought it.
    Verify(SignatureStream, Option<Vec<u8>>),
    /// MAC.
    Mac(MacStream),
    /// MAC Verify, and the code once a part has brought it.
    MacVerify(MacStream, Option<Vec<u8>>),
    /// Hash.
    Hash(HashStream),
    /// PKCS#11 between C_Initialize and C_Finalize.
    Pkcs11(Box<Library>),
}

/// An operation between two of its parts.
pub struct Stream {
    /// Whose it is.
    pub owner: Owner,
    /// The parameters it began with; later parts repeat them or are silent.
    pub parameters: CryptographicParameters,
    /// Its state.
    pub work: Work,
    _place: Place,
    touched_s: i64,
}

/// What one part produced.
#[derive(Debug, Default)]
pub struct Produced {
    /// Data, signature, code or hash.
    pub data: Option<Secret>,
    /// The IV that the server chose.
    pub iv: Option<Vec<u8>>,
    /// The authentication tag.
    pub tag: Option<Vec<u8>>,
    /// The verdict on a signature or code.
    pub valid: Option<bool>,
    /// How a function of PKCS#11 ended; its output is the data.
    pub code: Option<Pkcs11ReturnCode>,
    /// The stream, if it goes on.
    pub stream: Option<StreamId>,
}

/// How many streams are open, at rest and in hand.
#[derive(Default)]
struct Places {
    all: usize,
    of_domain: HashMap<DomainId, usize>,
}

/// A stream's place among those that may be open; given back when it ends, wherever that is.
struct Place {
    domain: DomainId,
    places: Arc<Mutex<Places>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = lock(&self.places);
        places.all = places.all.saturating_sub(1);
        if let Some(count) = places.of_domain.get_mut(&self.domain) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                places.of_domain.remove(&self.domain);
            }
        }
    }
}

/// The streams of a node that no message has in hand.
#[derive(Default)]
pub struct Streams {
    resting: Mutex<HashMap<StreamId, Stream>>,
    places: Arc<Mutex<Places>>,
}

/// Every change under these locks is whole by itself, so a panic elsewhere leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Streams {
    /// Opens a stream.
    ///
    /// # Errors
    /// [`Failure::OverLimit`] where the domain or the node has as many as it may.
    pub fn open(
        &self,
        limits: &Limits,
        now_s: i64,
        owner: Owner,
        parameters: CryptographicParameters,
        work: Work,
    ) -> Result<Stream, Failure> {
        self.sweep(limits, now_s);
        let domain = owner.domain.row.id;
        let mut places = lock(&self.places);
        let of_domain = places.of_domain.get(&domain).copied().unwrap_or(0);
        if of_domain >= limits.streams_per_domain || places.all >= limits.streams {
            return Err(Failure::OverLimit("too many operations in parts are open"));
        }
        places.all += 1;
        places.of_domain.insert(domain, of_domain + 1);
        drop(places);
        let place = Place { domain, places: Arc::clone(&self.places) };
        Ok(Stream { owner, parameters, work, _place: place, touched_s: now_s })
    }

    /// Ends the streams that nobody went on with for too long.
    pub fn sweep(&self, limits: &Limits, now_s: i64) {
        let ended: Vec<Stream> =
            lock(&self.resting).extract_if(|_, one| one.is_stale(limits, now_s)).map(|(_, one)| one).collect();
        // Wiped outside the lock.
        drop(ended);
    }

    /// Ends every stream of a domain that no message has in hand; those in hand end with their message.
    pub fn end_all_of(&self, domain: &DomainId) {
        let ended: Vec<Stream> =
            lock(&self.resting).extract_if(|_, one| one.owner.domain.row.id == *domain).map(|(_, one)| one).collect();
        drop(ended);
    }

    /// Takes the stream if it is `owner`'s.
    fn take(&self, limits: &Limits, now_s: i64, id: &StreamId, owner: &Owner) -> Option<Stream> {
        let mut resting = lock(&self.resting);
        resting.get(id).filter(|stream| stream.owner.is(owner) && !stream.is_stale(limits, now_s))?;
        resting.remove(id)
    }

    /// Puts back what a message that was committed has in hand. What it does not put back has ended.
    pub fn put_back(&self, hand: Hand, now_s: i64) {
        let Hand { mut open, kept, .. } = hand;
        let mut resting = lock(&self.resting);
        for id in kept {
            if let Some(mut stream) = open.remove(&id) {
                stream.touched_s = now_s;
                resting.insert(id, stream);
            }
        }
    }

    /// Streams that are open, for tests and the overview.
    #[must_use]
    pub fn count(&self) -> usize {
        lock(&self.places).all
    }
}

impl Stream {
    fn is_stale(&self, limits: &Limits, now_s: i64) -> bool {
        let idle = u64::try_from(now_s.saturating_sub(self.touched_s)).unwrap_or(0);
        idle > limits.stream_idle_deadline.as_secs()
    }
}

/// The streams that a message works on.
#[derive(Default)]
pub struct Hand {
    open: BTreeMap<StreamId, Stream>,
    /// What the parts of the message produced, in order; kept for the case that it is worked out again.
    steps: Vec<Step>,
    /// The first step that this round has not come to.
    next: usize,
    /// Streams that items of this round, which succeeded, worked on.
    kept: Vec<StreamId>,
    /// Streams that the current item works on.
    item: Vec<StreamId>,
    /// Streams that an item which failed had worked on.
    ended: Vec<StreamId>,
}

struct Step {
    /// The stream that the part named; the first part names none.
    asked: Option<StreamId>,
    id: StreamId,
    produced: Arc<Produced>,
}

/// A part that is to be worked out.
pub enum Taken {
    /// It was, in an earlier round of the message.
    Done(Arc<Produced>),
    /// Here is its stream; [`Hand::keep`] takes it back.
    Open(Box<Stream>),
}

impl Hand {
    /// What the first part of a stream produced in an earlier round of the message, if there was one.
    pub fn begun(&mut self) -> Option<Arc<Produced>> {
        self.recall(None)
    }

    /// The stream that a part names. It is lost unless [`Hand::keep`] gets it back.
    ///
    /// # Errors
    /// [`Failure::NoStream`]: it never was, is not this owner's, or has ended.
    pub fn take(
        &mut self,
        streams: &Streams,
        limits: &Limits,
        now_s: i64,
        id: &StreamId,
        owner: &Owner,
    ) -> Result<Taken, Failure> {
        if self.ended.contains(id) {
            return Err(Failure::NoStream);
        }
        if let Some(produced) = self.recall(Some(*id)) {
            return Ok(Taken::Done(produced));
        }
        let here = match self.open.get(id) {
            Some(stream) if !stream.owner.is(owner) => return Err(Failure::NoStream),
            _ => self.open.remove(id),
        };
        let stream = here.or_else(|| streams.take(limits, now_s, id, owner)).ok_or(Failure::NoStream)?;
        self.item.push(*id);
        Ok(Taken::Open(Box::new(stream)))
    }

    /// Keeps what a part produced, and its stream if that goes on.
    pub fn keep(
        &mut self,
        asked: Option<StreamId>,
        id: StreamId,
        stream: Option<Stream>,
        mut produced: Produced,
    ) -> Arc<Produced> {
        if let Some(stream) = stream {
            produced.stream = Some(id);
            self.open.insert(id, stream);
        }
        self.item.push(id);
        let produced = Arc::new(produced);
        self.steps.push(Step { asked, id, produced: Arc::clone(&produced) });
        self.next = self.steps.len();
        produced
    }

    /// The current item succeeded.
    pub fn keep_item(&mut self) {
        self.kept.append(&mut self.item);
    }

    /// The current item failed, and with it the streams that it worked on.
    pub fn drop_item(&mut self) {
        for id in self.item.drain(..) {
            self.open.remove(&id);
            self.ended.push(id);
        }
    }

    /// Every item is taken back, and with them all streams.
    pub fn drop_all(&mut self) {
        self.open.clear();
        self.item.clear();
        self.kept.clear();
    }

    /// The same hand for another round of the same message.
    #[must_use]
    pub fn again(mut self) -> Self {
        self.item.clear();
        self.kept.clear();
        self.next = 0;
        self
    }

    /// Items come in the same order in each round; steps of those that fail in this one are passed over.
    fn recall(&mut self, asked: Option<StreamId>) -> Option<Arc<Produced>> {
        let ahead = self.steps.get(self.next..)?;
        let (at, step) = ahead.iter().enumerate().find(|(_, step)| step.asked == asked)?;
        let produced = Arc::clone(&step.produced);
        self.item.push(step.id);
        self.next += at + 1;
        Some(produced)
    }
}

#[cfg(test)]
mod tests;
