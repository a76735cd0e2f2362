//! Symmetric encryption: what Encrypt and Decrypt do. KMIP 1.4 §4.29, §4.30; 2.1 §6.1.15, §6.1.17.
//!
//! A [`CipherSpec`] is read once from the key's algorithm and the Cryptographic Parameters; it encrypts and decrypts at
//! once, or opens a [`CipherStream`].

mod engine;
mod family;
mod iv;
mod padding;
mod spec;
mod stream;
mod whole;

pub(crate) use family::CmacCipher;
pub use spec::CipherSpec;
pub use stream::{CipherStream, Finished};
pub use whole::Encrypted;

/// Which way a cipher runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Plaintext to ciphertext.
    Encrypt,
    /// Ciphertext to plaintext.
    Decrypt,
}
