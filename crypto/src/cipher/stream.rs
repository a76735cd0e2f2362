//! A cipher over data that comes in pieces: Init Indicator, Final Indicator. KMIP 1.3 §2.1.15 to §2.1.17.

use secret::Secret;
use zeroize::Zeroizing;

use super::engine::{Engine, Setup};
use super::family::Mode;
use super::padding::Padding;
use super::{CipherSpec, Direction};
use crate::CryptoError;
use crate::buffer::append;
use crate::limits::{MAX_HELD_LEN, MAX_INPUT_LEN};

/// A cipher over data that comes in pieces.
///
/// An authenticated decryption tells no plaintext before the tag was checked: its pieces come out at the end, and
/// [`MAX_HELD_LEN`] bounds them.
pub struct CipherStream {
    engine: Engine,
    direction: Direction,
    work: Work,
}

/// What a mode keeps between pieces.
enum Work {
    /// Every byte has its byte at once.
    Flow,
    /// Whole blocks; the last one is padded or stripped at the end.
    Blocks { padding: Padding, block: usize, random: Zeroizing<Vec<u8>>, total: usize, held: Zeroizing<Vec<u8>> },
    /// An encryption that ends with a tag.
    Seal { tag_len: usize },
    /// A decryption whose plaintext waits for the tag.
    Open { held: Zeroizing<Vec<u8>> },
}

/// The end of a stream.
#[derive(Debug)]
pub struct Finished {
    /// What was still kept back.
    pub data: Secret,
    /// The tag of an authenticated encryption.
    pub tag: Option<Vec<u8>>,
}

impl CipherSpec {
    /// Opens an encryption. The second value is the IV if it was made here, from `random` of
    /// [`CipherSpec::random_len`] bytes.
    ///
    /// # Errors
    /// [`CryptoError::InvalidInput`] for a mode that wants the whole data; else as [`CipherSpec::encrypt`].
    pub fn encrypt_stream(
        &self,
        key: &Secret,
        iv: Option<&[u8]>,
        aad: &[u8],
        random: &[u8],
    ) -> Result<(CipherStream, Option<Vec<u8>>), CryptoError> {
        self.check(key, aad, &[])?;
        let (for_iv, for_padding) = self.split_random(iv.is_some(), random)?;
        let (iv, made) = self.iv.for_encryption(self.family, self.mode, iv, for_iv)?;
        let setup = Setup { key, iv: &iv, aad, tag: None, data_len: 0 };
        let stream = CipherStream::new(self, Direction::Encrypt, &setup, for_padding)?;
        Ok((stream, made.then_some(iv)))
    }

    /// Opens a decryption. The tag of an authenticated mode comes first, as KMIP demands.
    ///
    /// # Errors
    /// [`CryptoError::InvalidInput`] for a mode that wants the whole data; else as [`CipherSpec::decrypt`].
    pub fn decrypt_stream(
        &self,
        key: &Secret,
        iv: Option<&[u8]>,
        aad: &[u8],
        tag: Option<&[u8]>,
    ) -> Result<CipherStream, CryptoError> {
        self.check(key, aad, &[])?;
        let iv = self.iv.for_decryption(self.family, self.mode, iv)?;
        let tag = self.tag_to_check(tag)?;
        CipherStream::new(self, Direction::Decrypt, &Setup { key, iv: &iv, aad, tag, data_len: 0 }, &[])
    }

    /// What of `random` is for the IV and what for the padding.
    pub(super) fn split_random<'a>(&self, has_iv: bool, random: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), CryptoError> {
        let for_iv = if has_iv { 0 } else { self.iv.random_len(self.mode) };
        if random.len() < self.random_len(has_iv) {
            return Err(CryptoError::Missing("randomness"));
        }
        Ok(random.split_at(for_iv))
    }
}

impl CipherStream {
    fn new(spec: &CipherSpec, direction: Direction, setup: &Setup<'_>, random: &[u8]) -> Result<Self, CryptoError> {
        if !spec.mode.streams() {
            return Err(CryptoError::InvalidInput("the mode wants the whole data at once"));
        }
        let held = || Zeroizing::new(Vec::new());
        let work = match (spec.mode, direction) {
            (Mode::Ecb | Mode::Cbc, _) => Work::Blocks {
                padding: spec.padding,
                block: spec.family.block,
                random: Zeroizing::new(random.to_vec()),
                total: 0,
                held: held(),
            },
            (mode, Direction::Encrypt) if mode.is_aead() => Work::Seal { tag_len: spec.tag_len().unwrap_or_default() },
            (mode, Direction::Decrypt) if mode.is_aead() => Work::Open { held: held() },
            _ => Work::Flow,
        };
        Ok(Self { engine: Engine::new(spec, direction, setup)?, direction, work })
    }

    /// Which way it runs.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// Takes a piece; gives what is known of the result.
    ///
    /// # Errors
    /// [`CryptoError::TooLong`].
    pub fn update(&mut self, data: &[u8]) -> Result<Secret, CryptoError> {
        let mut output = Zeroizing::new(Vec::new());
        self.update_into(data, &mut output)?;
        Ok(Secret::from(output))
    }

    pub(super) fn update_into(&mut self, data: &[u8], output: &mut Zeroizing<Vec<u8>>) -> Result<(), CryptoError> {
        if data.len() > MAX_INPUT_LEN {
            return Err(CryptoError::TooLong("data"));
        }
        match &mut self.work {
            Work::Flow | Work::Seal { .. } => self.engine.update(data, output),
            Work::Open { held } => {
                if held.len().saturating_add(data.len()) > MAX_HELD_LEN {
                    return Err(CryptoError::TooLong("what waits for the tag"));
                }
                self.engine.update(data, held)
            }
            Work::Blocks { block, total, held, .. } => {
                *total = total.saturating_add(data.len());
                if self.direction == Direction::Encrypt {
                    return self.engine.update(data, output);
                }
                // The last block may be padding, so one block always stays behind.
                self.engine.update(data, held)?;
                let ready = held.len().saturating_sub(*block);
                move_front(held, ready, output);
                Ok(())
            }
        }
    }

    /// Ends it.
    ///
    /// # Errors
    /// [`CryptoError::Authentication`] for a wrong tag or padding; [`CryptoError::InvalidInput`] for data that is not
    /// whole blocks where it must be.
    pub fn finish(self) -> Result<Finished, CryptoError> {
        let mut output = Zeroizing::new(Vec::new());
        let tag = self.finish_into(&mut output)?;
        Ok(Finished { data: Secret::from(output), tag })
    }

    pub(super) fn finish_into(mut self, output: &mut Zeroizing<Vec<u8>>) -> Result<Option<Vec<u8>>, CryptoError> {
        match &mut self.work {
            Work::Flow => self.engine.finish().map(|()| None),
            Work::Seal { tag_len } => {
                self.engine.finish()?;
                self.engine.tag(*tag_len).map(Some)
            }
            Work::Open { held } => {
                self.engine.finish()?;
                if output.is_empty() {
                    std::mem::swap(held, output);
                } else {
                    let all = held.len();
                    move_front(held, all, output);
                }
                Ok(None)
            }
            Work::Blocks { padding, block, random, total, held } => {
                if self.direction == Direction::Encrypt {
                    let filling = padding.fill(*total, *block, random)?;
                    self.engine.update(&filling, output)?;
                    self.engine.finish()?;
                    return Ok(None);
                }
                if *total % *block != 0 || (*total == 0 && !matches!(padding, Padding::None | Padding::Zeros)) {
                    return Err(CryptoError::InvalidInput("the ciphertext is not whole blocks"));
                }
                self.engine.finish()?;
                if !held.is_empty() {
                    let data = padding.strip(held)?;
                    move_front(held, data, output);
                }
                Ok(None)
            }
        }
    }
}

/// Moves the first `len` bytes of `from` to the end of `to`.
fn move_front(from: &mut Zeroizing<Vec<u8>>, len: usize, to: &mut Zeroizing<Vec<u8>>) {
    let len = len.min(from.len());
    append(to, from.get(..len).unwrap_or_default());
    from.drain(..len);
}
