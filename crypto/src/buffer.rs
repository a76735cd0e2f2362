//! Buffers of plaintext that grow: no allocation is given back before it was wiped.

use zeroize::Zeroizing;

/// Makes `buffer` longer by `more` zero bytes.
pub(crate) fn grow(buffer: &mut Zeroizing<Vec<u8>>, more: usize) {
    let len = buffer.len() + more;
    if len > buffer.capacity() {
        // Twice as much, so that many small pieces do not cost the square of their number.
        let mut larger = Zeroizing::new(Vec::with_capacity(len.max(2 * buffer.capacity())));
        larger.extend_from_slice(buffer);
        // The old allocation is wiped when it is dropped.
        std::mem::swap(buffer, &mut larger);
    }
    buffer.resize(len, 0);
}

/// Adds `bytes` to the end of `buffer`.
pub(crate) fn append(buffer: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) {
    let base = buffer.len();
    grow(buffer, bytes.len());
    if let Some(end) = buffer.get_mut(base..) {
        end.copy_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_stays() {
        let mut buffer = Zeroizing::new(Vec::new());
        for byte in 0..=255 {
            append(&mut buffer, &[byte, byte]);
        }
        assert_eq!(buffer.len(), 512);
        assert!(buffer.chunks(2).zip(0..=255).all(|(pair, byte)| pair == [byte, byte]));
        grow(&mut buffer, 3);
        assert_eq!(buffer[510..], [255, 255, 0, 0, 0]);
    }
}
