//! OpenSSL's cipher context, set up in the order that each mode demands.

use openssl::cipher_ctx::{CipherCtx, CipherCtxFlags};
use secret::Secret;
use zeroize::Zeroizing;

use super::family::Mode;
use super::{CipherSpec, Direction};
use crate::CryptoError;
use crate::buffer::grow;
use crate::library::Checked;

/// What a context is set up with.
pub(super) struct Setup<'a> {
    pub(super) key: &'a Secret,
    pub(super) iv: &'a [u8],
    pub(super) aad: &'a [u8],
    /// The tag that a decryption checks.
    pub(super) tag: Option<&'a [u8]>,
    /// Length of the data, where the mode must know it beforehand.
    pub(super) data_len: usize,
}

/// A context that is ready for data. It never pads: paddings are ours.
pub(super) struct Engine {
    context: CipherCtx,
    /// Room that the context asks for beyond the input.
    room: usize,
}

impl Engine {
    /// The key was checked by [`CipherSpec::check`], the IV by its rules.
    pub(super) fn new(spec: &CipherSpec, direction: Direction, setup: &Setup<'_>) -> Result<Self, CryptoError> {
        let fetched = spec.family.fetch(spec.mode, setup.key.len())?;
        let mut context = CipherCtx::new().or_library("cipher")?;
        if matches!(spec.mode, Mode::KeyWrap | Mode::KeyWrapPadded) {
            context.set_flags(CipherCtxFlags::FLAG_WRAP_ALLOW);
        }
        let start = |context: &mut CipherCtx, cipher, key, iv| match direction {
            Direction::Encrypt => context.encrypt_init(cipher, key, iv),
            Direction::Decrypt => context.decrypt_init(cipher, key, iv),
        };
        start(&mut context, Some(&fetched.cipher), None, None).or_library("cipher")?;
        if let Some(len) = fetched.key_len {
            context
                .set_key_length(len)
                .or_refuse(CryptoError::InvalidKey("its length is not one of the algorithm's"))?;
        }
        if matches!(spec.mode, Mode::Gcm | Mode::Ccm) {
            context.set_iv_length(setup.iv.len()).or_library("nonce")?;
        }
        match (spec.mode, direction, setup.tag) {
            (Mode::Ccm, Direction::Encrypt, _) => {
                context.set_tag_length(spec.tag_len().unwrap_or_default()).or_library("tag")?;
            }
            (_, Direction::Decrypt, Some(tag)) => context.set_tag(tag).or_library("tag")?,
            _ => {}
        }
        let long_key = spec.family.library_key(setup.key);
        let key = long_key.as_ref().map_or_else(|| setup.key.expose(), |key| key.as_slice());
        let iv = (!setup.iv.is_empty()).then_some(setup.iv);
        if context.key_length() > key.len() || iv.is_some_and(|iv| context.iv_length() > iv.len()) {
            return Err(CryptoError::Library("cipher"));
        }
        // What can still fail is a key that the cipher refuses: XTS with two equal halves.
        start(&mut context, None, Some(key), iv).or_refuse(CryptoError::InvalidKey("the cipher refuses it"))?;
        context.set_padding(false);
        if spec.mode == Mode::Ccm {
            context
                .set_data_len(setup.data_len)
                .or_refuse(CryptoError::InvalidInput("the data is too long for the nonce"))?;
        }
        if !setup.aad.is_empty() {
            context.cipher_update(setup.aad, None).or_library("additional data")?;
        }
        let room = context.block_size();
        Ok(Self { context, room })
    }

    /// Runs `input` through; `output` gets what comes out.
    pub(super) fn update(&mut self, input: &[u8], output: &mut Zeroizing<Vec<u8>>) -> Result<(), CryptoError> {
        let base = output.len();
        grow(output, input.len() + self.room);
        let Some(free) = output.get_mut(base..) else { return Err(CryptoError::Library("cipher")) };
        let written = self.context.cipher_update(input, Some(free)).or_refuse(CryptoError::Authentication)?;
        output.truncate(base + written);
        Ok(())
    }

    /// Runs all of `input` through a key wrap, whose result may be `most` bytes long.
    pub(super) fn update_all(
        &mut self,
        input: &[u8],
        most: usize,
        output: &mut Zeroizing<Vec<u8>>,
    ) -> Result<(), CryptoError> {
        grow(output, most);
        let written = self.context.cipher_update(input, Some(output)).or_refuse(CryptoError::Authentication)?;
        output.truncate(written);
        Ok(())
    }

    /// Ends it. Without padding nothing comes out any more; an authenticated decryption is checked here.
    pub(super) fn finish(&mut self) -> Result<(), CryptoError> {
        let mut rest = [0; 64];
        match self.context.cipher_final(&mut rest).or_refuse(CryptoError::Authentication)? {
            0 => Ok(()),
            _ => Err(CryptoError::Library("cipher")),
        }
    }

    /// The tag of an encryption.
    pub(super) fn tag(&self, len: usize) -> Result<Vec<u8>, CryptoError> {
        let mut tag = vec![0; len];
        self.context.tag(&mut tag).or_library("tag")?;
        Ok(tag)
    }
}
