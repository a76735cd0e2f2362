//! Why a computation was not done. No variant carries a byte of a key, of a plaintext or of what the library says of
//! them.

use thiserror::Error;

/// Why a computation was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CryptoError {
    /// An algorithm, or a combination of parameters, that this crate does not have.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// The key is of another kind or length than the algorithm asks for, or is broken.
    #[error("the key does not fit: {0}")]
    InvalidKey(&'static str),
    /// Data or a parameter is outside what the algorithm takes.
    #[error("the input does not fit: {0}")]
    InvalidInput(&'static str),
    /// A parameter without which the algorithm is not defined.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The mode has no authentication tags of that length.
    #[error("the mode has no tag of that length")]
    TagLength,
    /// A tag, a padding or an integrity check does not hold. Which one is not told: the answer would help to forge.
    #[error("the data is not authentic")]
    Authentication,
    /// More than a limit of this crate allows; see [`crate::limits`].
    #[error("{0} is over the limit")]
    TooLong(&'static str),
    /// Fewer parts than the threshold of a split key, or parts that do not belong together.
    #[error("the parts do not make a key")]
    Parts,
    /// The library failed where no input explains it: out of memory, an algorithm that was compiled out.
    #[error("the library failed at {0}")]
    Library(&'static str),
}
