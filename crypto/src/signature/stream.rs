//! A signature over data that comes in pieces. The key is needed only at the end.

use zeroize::Zeroizing;

use super::{Message, SignatureScheme};
use crate::CryptoError;
use crate::buffer::append;
use crate::hash::HashStream;
use crate::key::{PrivateKey, PublicKey};
use crate::limits::MAX_HELD_LEN;

/// A signature, or its verification, over data that comes in pieces.
pub struct SignatureStream {
    scheme: SignatureScheme,
    work: Work,
}

enum Work {
    Hash(HashStream),
    /// What Ed25519 and Ed448 sign.
    Whole(Zeroizing<Vec<u8>>),
}

impl SignatureStream {
    /// A stream without data yet.
    ///
    /// # Errors
    /// [`CryptoError::Missing`] for a scheme without a hash.
    pub fn new(scheme: SignatureScheme) -> Result<Self, CryptoError> {
        let work = match scheme.hash() {
            _ if scheme.takes_whole_data() => Work::Whole(Zeroizing::new(Vec::new())),
            Some(hash) => Work::Hash(HashStream::new(hash)?),
            None => return Err(CryptoError::Missing("Hashing Algorithm")),
        };
        Ok(Self { scheme, work })
    }

    /// Adds a piece.
    ///
    /// # Errors
    /// [`CryptoError::TooLong`], for Ed25519 and Ed448 beyond [`MAX_HELD_LEN`].
    pub fn update(&mut self, data: &[u8]) -> Result<(), CryptoError> {
        match &mut self.work {
            Work::Hash(stream) => stream.update(data),
            Work::Whole(held) => {
                if held.len().saturating_add(data.len()) > MAX_HELD_LEN {
                    return Err(CryptoError::TooLong("the data that an Edwards curve signs"));
                }
                append(held, data);
                Ok(())
            }
        }
    }

    /// Signs all pieces.
    ///
    /// # Errors
    /// As [`SignatureScheme::sign`].
    pub fn sign(self, key: &PrivateKey) -> Result<Vec<u8>, CryptoError> {
        match self.work {
            Work::Hash(stream) => self.scheme.sign(key, Message::Digest(&stream.finish()?)),
            Work::Whole(data) => self.scheme.sign(key, Message::Data(&data)),
        }
    }

    /// Whether `signature` is one of all pieces.
    ///
    /// # Errors
    /// As [`SignatureScheme::verify`].
    pub fn verify(self, key: &PublicKey, signature: &[u8]) -> Result<bool, CryptoError> {
        match self.work {
            Work::Hash(stream) => self.scheme.verify(key, Message::Digest(&stream.finish()?), signature),
            Work::Whole(data) => self.scheme.verify(key, Message::Data(&data), signature),
        }
    }
}
