//! Encryption and decryption of data that is there as a whole.

use secret::Secret;
use zeroize::Zeroizing;

use super::engine::{Engine, Setup};
use super::family::Mode;
use super::{CipherSpec, Direction};
use crate::CryptoError;

/// The result of an encryption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encrypted {
    /// The ciphertext, without the tag.
    pub data: Vec<u8>,
    /// The IV, counter or nonce, if it was made here.
    pub iv: Option<Vec<u8>>,
    /// The tag of an authenticated mode.
    pub tag: Option<Vec<u8>>,
}

impl CipherSpec {
    /// Encrypts `data`; `aad` is authenticated with it. `random` has [`CipherSpec::random_len`] bytes.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`] for a key of another length; [`CryptoError::Missing`] without an IV;
    /// [`CryptoError::InvalidInput`] for data, IV or additional data that the mode does not take;
    /// [`CryptoError::TooLong`].
    pub fn encrypt(
        &self,
        key: &Secret,
        iv: Option<&[u8]>,
        aad: &[u8],
        data: &[u8],
        random: &[u8],
    ) -> Result<Encrypted, CryptoError> {
        self.check(key, aad, data)?;
        if self.mode.streams() {
            let (mut stream, iv) = self.encrypt_stream(key, iv, aad, random)?;
            let mut output = Zeroizing::new(Vec::with_capacity(data.len() + 2 * self.family.block));
            stream.update_into(data, &mut output)?;
            let tag = stream.finish_into(&mut output)?;
            return Ok(Encrypted { data: std::mem::take(&mut *output), iv, tag });
        }
        let (for_iv, _) = self.split_random(iv.is_some(), random)?;
        let (iv, made) = self.iv.for_encryption(self.family, self.mode, iv, for_iv)?;
        let mut output = Zeroizing::new(Vec::new());
        let mut tag = None;
        match self.mode {
            Mode::OneTimePad => output = xor(key.expose(), data)?,
            Mode::KeyWrap | Mode::KeyWrapPadded => {
                check_to_wrap(self.mode, data.len())?;
                Engine::new(self, Direction::Encrypt, &Setup { key, iv: &iv, aad, tag: None, data_len: 0 })?
                    .update_all(data, data.len() + 16, &mut output)?;
            }
            _ => {
                self.check_whole(data)?;
                let setup = Setup { key, iv: &iv, aad, tag: None, data_len: data.len() };
                let mut engine = Engine::new(self, Direction::Encrypt, &setup)?;
                engine.update(data, &mut output)?;
                if let Some(len) = self.tag_len() {
                    tag = Some(engine.tag(len)?);
                }
            }
        }
        let iv = made.then_some(iv);
        Ok(Encrypted { data: std::mem::take(&mut *output), iv, tag })
    }

    /// Decrypts `data`.
    ///
    /// # Errors
    /// As [`CipherSpec::encrypt`]; [`CryptoError::TagLength`]; [`CryptoError::Authentication`] for a wrong tag,
    /// padding or wrapped key.
    pub fn decrypt(
        &self,
        key: &Secret,
        iv: Option<&[u8]>,
        aad: &[u8],
        tag: Option<&[u8]>,
        data: &[u8],
    ) -> Result<Secret, CryptoError> {
        self.check(key, aad, data)?;
        let mut output = Zeroizing::new(Vec::new());
        if self.mode.streams() && !self.mode.is_aead() {
            let mut stream = self.decrypt_stream(key, iv, aad, tag)?;
            output.reserve_exact(data.len() + 2 * self.family.block);
            stream.update_into(data, &mut output)?;
            stream.finish_into(&mut output)?;
            return Ok(Secret::from(output));
        }
        let iv = self.iv.for_decryption(self.family, self.mode, iv)?;
        let tag = self.tag_to_check(tag)?;
        match self.mode {
            Mode::OneTimePad => output = xor(key.expose(), data)?,
            Mode::KeyWrap | Mode::KeyWrapPadded => {
                check_to_unwrap(self.mode, data.len())?;
                Engine::new(self, Direction::Decrypt, &Setup { key, iv: &iv, aad, tag: None, data_len: 0 })?
                    .update_all(data, data.len(), &mut output)?;
            }
            mode => {
                self.check_whole(data)?;
                let setup = Setup { key, iv: &iv, aad, tag, data_len: data.len() };
                let mut engine = Engine::new(self, Direction::Decrypt, &setup)?;
                engine.update(data, &mut output)?;
                // CCM has checked its tag already, with the data.
                if mode != Mode::Ccm {
                    engine.finish()?;
                }
            }
        }
        Ok(Secret::from(output))
    }

    fn check_whole(&self, data: &[u8]) -> Result<(), CryptoError> {
        if self.mode == Mode::Xts && data.len() < self.family.block {
            return Err(CryptoError::InvalidInput("XTS takes at least one block"));
        }
        Ok(())
    }
}

/// RFC 3394 takes two or more half blocks, RFC 5649 any data.
fn check_to_wrap(mode: Mode, len: usize) -> Result<(), CryptoError> {
    let fits = match mode {
        Mode::KeyWrap => len >= 16 && len.is_multiple_of(8),
        _ => len > 0,
    };
    if fits { Ok(()) } else { Err(CryptoError::InvalidInput("the key wrap does not take data of that length")) }
}

fn check_to_unwrap(mode: Mode, len: usize) -> Result<(), CryptoError> {
    let least = if mode == Mode::KeyWrap { 24 } else { 16 };
    if len >= least && len.is_multiple_of(8) {
        Ok(())
    } else {
        Err(CryptoError::InvalidInput("the key wrap does not give data of that length"))
    }
}

/// The pad is as long as the data at least, or it would not be one.
fn xor(pad: &[u8], data: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    if pad.len() < data.len() {
        return Err(CryptoError::InvalidInput("the data is longer than the pad"));
    }
    Ok(Zeroizing::new(data.iter().zip(pad).map(|(data, pad)| data ^ pad).collect()))
}
