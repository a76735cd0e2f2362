//! Text that is wiped when it is given up.

use std::fmt;

use zeroize::Zeroizing;

/// Room for a typical message, so that most are written without moving.
const FIRST_CAPACITY: usize = 4096;

/// Text under construction. A message may hold keys, so the buffer is wiped when it is dropped, and when it has to grow,
/// which copies into a larger one first.
pub(crate) struct WipedText(Zeroizing<String>);

impl WipedText {
    /// No text yet, but room for a message.
    pub(crate) fn new() -> Self {
        Self(Zeroizing::new(String::with_capacity(FIRST_CAPACITY)))
    }

    /// No text and no room: for short values.
    pub(crate) fn empty() -> Self {
        Self(Zeroizing::new(String::new()))
    }

    /// Appends `text`.
    pub(crate) fn push_str(&mut self, text: &str) {
        let needed = self.0.len() + text.len();
        if needed > self.0.capacity() {
            // `String` would free the old buffer as it is; this way `Zeroizing` wipes it.
            let mut larger = Zeroizing::new(String::with_capacity(needed.max(self.0.capacity().saturating_mul(2))));
            larger.push_str(&self.0);
            self.0 = larger;
        }
        self.0.push_str(text);
    }

    /// Appends `c`.
    pub(crate) fn push(&mut self, c: char) {
        self.push_str(c.encode_utf8(&mut [0; 4]));
    }

    /// Appends `bytes` in lower-case hexadecimal.
    pub(crate) fn push_hex(&mut self, bytes: &[u8]) {
        let mut digits = Zeroizing::new([0; 64]);
        for part in bytes.chunks(digits.len() / 2) {
            let Some(room) = digits.get_mut(..2 * part.len()) else { continue };
            // Neither can fail: the room is as long as the digits, and digits are ASCII.
            if hex::encode_to_slice(part, room).is_ok() {
                self.push_str(str::from_utf8(room).unwrap_or_default());
            }
        }
    }

    /// The text.
    pub(crate) fn finish(self) -> Zeroizing<String> {
        self.0
    }
}

impl fmt::Write for WipedText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_keeps_what_was_written() {
        let mut text = WipedText::empty();
        let mut expected = String::new();
        for round in 0..100_u8 {
            let bytes: Vec<u8> = (0..round).collect();
            text.push_hex(&bytes);
            text.push('é');
            expected.push_str(&hex::encode(&bytes));
            expected.push('é');
        }
        assert_eq!(*text.finish(), expected);
    }
}
