//! Parameters of PKCS#11 functions as bytes: the rules of the PKCS#11 profile (Profiles 2.1 §5.18.1).
//!
//! A CK_BYTE is one byte, a CK_ULONG eight, big-endian; structures stand in line and arrays of a fixed length as they are.
//! An array of any length has its count in front, in four bytes. Where the caller offers room for an array, or none to be
//! told how much it takes, a byte says which, and the count says how much.

use crate::failure::Failure;

/// Input parameters that are being read.
pub(super) struct Input<'i>(&'i [u8]);

/// The room that the caller has for an array: so many elements, or none, because he wants to know the number.
pub(super) type Room = Option<usize>;

impl<'i> Input<'i> {
    pub(super) const fn new(bytes: &'i [u8]) -> Self {
        Self(bytes)
    }

    fn take(&mut self, len: usize) -> Result<&'i [u8], Failure> {
        let (front, rest) = self.0.split_at_checked(len).ok_or(Failure::Pkcs11Codec)?;
        self.0 = rest;
        Ok(front)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Failure> {
        self.take(1)?.first().copied().ok_or(Failure::Pkcs11Codec)
    }

    /// A byte that is a yes or a no.
    pub(super) fn truth(&mut self) -> Result<bool, Failure> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Failure::Pkcs11Codec),
        }
    }

    pub(super) fn ulong(&mut self) -> Result<u64, Failure> {
        let (bytes, _) = self.take(8)?.split_first_chunk().ok_or(Failure::Pkcs11Codec)?;
        Ok(u64::from_be_bytes(*bytes))
    }

    pub(super) fn count(&mut self) -> Result<usize, Failure> {
        let (bytes, _) = self.take(4)?.split_first_chunk().ok_or(Failure::Pkcs11Codec)?;
        usize::try_from(u32::from_be_bytes(*bytes)).map_err(|_| Failure::Pkcs11Codec)
    }

    /// Bytes of any number.
    pub(super) fn array(&mut self) -> Result<&'i [u8], Failure> {
        let len = self.count()?;
        self.take(len)
    }

    pub(super) fn room(&mut self) -> Result<Room, Failure> {
        let is_there = self.truth()?;
        let count = self.count()?;
        Ok(is_there.then_some(count))
    }

    /// Everything that is left.
    pub(super) const fn rest(&mut self) -> &'i [u8] {
        let rest = self.0;
        self.0 = &[];
        rest
    }

    /// Nothing is left.
    pub(super) const fn end(self) -> Result<(), Failure> {
        if self.0.is_empty() { Ok(()) } else { Err(Failure::Pkcs11Codec) }
    }
}

/// Output parameters that are being written.
#[derive(Default)]
pub(super) struct Output(Vec<u8>);

impl Output {
    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn ulong(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// A text in a field of `len` bytes, blanks at its end.
    pub(super) fn padded(mut self, text: &str, len: usize) -> Self {
        self.0.extend(text.bytes().chain(std::iter::repeat(b' ')).take(len));
        self
    }

    pub(super) fn count(self, count: usize) -> Self {
        self.bytes(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes())
    }

    /// `count` elements that are `bytes`, if they are told.
    pub(super) fn told(self, count: usize, bytes: Option<&[u8]>) -> Self {
        self.bytes(&[u8::from(bytes.is_some())]).count(count).bytes(bytes.unwrap_or_default())
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_too_long_or_no_truth_is_refused() {
        let whole = [&7_u64.to_be_bytes()[..], &[0, 0, 0, 2, 9, 8], &[1, 0, 0, 0, 5]].concat();
        let read = |bytes: &[u8]| {
            let mut input = Input::new(bytes);
            let read = (input.ulong()?, input.array()?.to_vec(), input.room()?);
            input.end()?;
            Ok::<_, Failure>(read)
        };
        assert_eq!(read(&whole).unwrap(), (7, vec![9, 8], Some(5)));
        for len in 0..whole.len() {
            assert!(matches!(read(whole.get(..len).unwrap()), Err(Failure::Pkcs11Codec)), "{len} bytes");
        }
        assert!(read(&[&whole[..], &[0]].concat()).is_err(), "a byte too many");
        assert!(Input::new(&[2]).truth().is_err());
        assert!(Input::new(&[0xff; 8]).array().is_err(), "a count beyond what is there");
    }

    #[test]
    fn room_that_is_none_tells_the_count_alone() {
        assert_eq!(Output::default().told(3, None).finish(), [0, 0, 0, 0, 3]);
        assert_eq!(Output::default().told(2, Some(&[5, 6])).finish(), [1, 0, 0, 0, 2, 5, 6]);
        assert_eq!(Output::default().padded("ab", 4).finish(), *b"ab  ");
    }
}
