//! What keys do: every primitive that KMIP's cryptographic operations need, on keys in clear.
//!
//! Synchronous and without side effects: no I/O, no clock. Randomness that becomes part of a key, an initialisation
//! vector, a padding or a share is an argument; only what masks a computation (blinding, RSA padding, an ECDSA nonce)
//! is drawn inside the library. Keys come as [`secret::Secret`] and leave as such.
//!
//! The only crate that names `openssl`; `docs/decisions/0007-openssl-for-operations.md` says why.

mod buffer;
pub mod cipher;
mod der;
pub mod derive;
mod error;
pub mod hash;
pub mod key;
mod library;
pub mod limits;
pub mod mac;
mod number;
pub mod pkcs12;
pub mod rsa_encryption;
pub mod signature;
pub mod split;
pub mod wrap;
pub mod x509;

pub use error::CryptoError;
