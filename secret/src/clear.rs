//! Key bytes in clear: one owner, no copy, no print, wiped at the end.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// Key bytes in clear.
///
/// It has no `Clone`, no `Serialize`, no `Display`; its `Debug` tells the length and nothing else. The bytes are
/// overwritten when it is dropped. Who needs to look at them says [`Secret::expose`], which is easy to search for.
///
/// The buffer never grows after it was made, so no reallocation leaves a copy behind.
pub struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    /// Takes over the bytes of `buffer`. A buffer with spare capacity is copied once into one without, and wiped.
    #[must_use]
    pub fn new(mut buffer: Vec<u8>) -> Self {
        if buffer.len() == buffer.capacity() {
            // No reallocation happens here: length and capacity are equal.
            return Self(Zeroizing::new(buffer.into_boxed_slice()));
        }
        let exact: Box<[u8]> = buffer.as_slice().into();
        // `Vec::zeroize` wipes the whole capacity, not only the length.
        buffer.zeroize();
        Self(Zeroizing::new(exact))
    }

    /// Copies `bytes`; the caller stays responsible for wiping the original.
    #[must_use]
    pub fn copy_from(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// A secret of `len` zero bytes which `fill` writes in place, so that no intermediate buffer exists.
    ///
    /// # Errors
    /// Whatever `fill` fails with; the half-filled buffer is wiped.
    pub fn filled_by<E>(len: usize, fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut bytes: Zeroizing<Box<[u8]>> = Zeroizing::new(vec![0; len].into_boxed_slice());
        fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The bytes in clear, for as long as the borrow lasts.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.len())
    }
}

impl PartialEq for Secret {
    /// In constant time for equal lengths.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

impl From<Zeroizing<Vec<u8>>> for Secret {
    fn from(mut buffer: Zeroizing<Vec<u8>>) -> Self {
        Self::new(std::mem::take(&mut *buffer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_the_length_and_nothing_else() {
        assert_eq!(format!("{:?}", Secret::copy_from(b"marker key bytes")), "Secret(16 bytes)");
    }

    #[test]
    fn equality_looks_at_length_and_bytes() {
        assert_eq!(Secret::copy_from(b"abc"), Secret::new(b"abc".to_vec()));
        assert_ne!(Secret::copy_from(b"abc"), Secret::copy_from(b"abd"));
        assert_ne!(Secret::copy_from(b"abc"), Secret::copy_from(b"ab"));
    }

    #[test]
    fn a_buffer_with_spare_capacity_keeps_its_bytes() {
        let mut buffer = Vec::with_capacity(64);
        buffer.extend_from_slice(b"0123456789");
        assert_eq!(Secret::new(buffer).expose(), b"0123456789");
    }

    #[test]
    fn filling_in_place_reports_the_error_of_the_filler() {
        let failed: Result<Secret, &str> = Secret::filled_by(8, |_| Err("no entropy"));
        assert_eq!(failed.unwrap_err(), "no entropy");
        let filled: Result<Secret, ()> = Secret::filled_by(3, |bytes| {
            bytes.copy_from_slice(b"xyz");
            Ok(())
        });
        assert_eq!(filled.unwrap().expose(), b"xyz");
    }
}
