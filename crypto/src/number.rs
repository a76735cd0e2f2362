//! Big integers of keys: from bytes, to bytes, wiped when dropped.

use std::ops::Deref;

use openssl::bn::{BigNum, BigNumRef};
use secret::Secret;

use crate::CryptoError;
use crate::library::Checked;

/// A number that is secret: OpenSSL's own drop would leave its digits in memory.
pub(crate) struct SecretNumber(BigNum);

impl SecretNumber {
    /// Takes over `number`.
    pub(crate) fn new(mut number: BigNum) -> Self {
        // Exponentiations and inversions with it take the same time whatever it is.
        number.set_const_time();
        Self(number)
    }

    /// Reads big-endian bytes, as long as [`unsigned`] allows.
    pub(crate) fn from_bytes(bytes: &[u8], max_bits: usize) -> Result<Self, CryptoError> {
        unsigned(bytes, max_bits).map(Self::new)
    }

    /// A zero to compute into.
    pub(crate) fn zero() -> Result<Self, CryptoError> {
        BigNum::new().or_library("number").map(Self::new)
    }

    /// A copy that the library takes over, and wipes as part of a private key.
    pub(crate) fn give(&self) -> Result<BigNum, CryptoError> {
        self.0.to_owned().or_library("number")
    }

    pub(crate) fn get_mut(&mut self) -> &mut BigNumRef {
        &mut self.0
    }
}

impl Deref for SecretNumber {
    type Target = BigNumRef;

    fn deref(&self) -> &BigNumRef {
        &self.0
    }
}

impl Drop for SecretNumber {
    fn drop(&mut self) {
        self.0.clear();
    }
}

/// Reads a number of a key from big-endian bytes, with or without zeros in front. KMIP's Big Integers have a sign, but
/// no number of a key is negative: a first bit that is set was meant as a digit.
pub(crate) fn unsigned(bytes: &[u8], max_bits: usize) -> Result<BigNum, CryptoError> {
    let digits = bytes.iter().position(|byte| *byte != 0).map_or(&[][..], |first| bytes.get(first..).unwrap_or(&[]));
    if digits.len() > max_bits.div_ceil(8) {
        return Err(CryptoError::TooLong("a number of the key"));
    }
    BigNum::from_slice(digits).or_library("number")
}

/// Big-endian bytes without zeros in front.
pub(crate) fn secret_bytes(number: &BigNumRef) -> Secret {
    Secret::new(number.to_vec())
}

/// Big-endian bytes of exactly `len` bytes.
pub(crate) fn secret_padded(number: &BigNumRef, len: usize) -> Result<Secret, CryptoError> {
    padded(number, len).map(Secret::new)
}

/// Big-endian bytes of exactly `len` bytes.
pub(crate) fn padded(number: &BigNumRef, len: usize) -> Result<Vec<u8>, CryptoError> {
    let len = i32::try_from(len).map_err(|_| CryptoError::TooLong("a number"))?;
    number.to_vec_padded(len).or_library("number")
}

/// Length in bits.
pub(crate) fn bits(number: &BigNumRef) -> usize {
    usize::try_from(number.num_bits()).unwrap_or_default()
}
