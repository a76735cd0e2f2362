//! The canonical encoding of a row: what its MAC and its digest are computed over.
//!
//! ```text
//! label   u32 length, text         the table and the format, such as "object 1"
//! column  u8 kind, value           each column in the order of the table, but for the MAC
//!           0                      NULL
//!           1  i64                 INTEGER
//!           2  u32 length, bytes   TEXT, UTF-8
//!           3  u32 length, bytes   BLOB
//!           4  32 bytes            SHA-256 of a BLOB that holds sealed key bytes
//! ```
//! Numbers are big endian. Labels differ from each other and every value carries its kind and length, so that no two
//! different rows have the same encoding.

use ring::digest;

/// Builds the encoding of one row.
pub(crate) struct Canonical(Vec<u8>);

impl Canonical {
    pub(crate) fn new(label: &str) -> Self {
        let mut new = Self(Vec::with_capacity(1024));
        new.sized(label.as_bytes());
        new
    }

    fn sized(&mut self, bytes: &[u8]) {
        // Every column has a limit far below 4 GB, which the writer checks; a longer one could only stand in a
        // database that was tampered with, and then the MAC does not fit whatever is encoded here.
        self.0.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn integer(mut self, value: i64) -> Self {
        self.0.push(1);
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(crate) fn text(mut self, value: &str) -> Self {
        self.0.push(2);
        self.sized(value.as_bytes());
        self
    }

    pub(crate) fn blob(mut self, value: &[u8]) -> Self {
        self.0.push(3);
        self.sized(value);
        self
    }

    pub(crate) fn digest_of(mut self, value: &[u8]) -> Self {
        self.0.push(4);
        self.0.extend_from_slice(digest::digest(&digest::SHA256, value).as_ref());
        self
    }

    fn null(mut self) -> Self {
        self.0.push(0);
        self
    }

    pub(crate) fn maybe<T: ?Sized>(self, value: Option<&T>, some: impl FnOnce(Self, &T) -> Self) -> Self {
        match value {
            Some(value) => some(self, value),
            None => self.null(),
        }
    }

    pub(crate) fn maybe_integer(self, value: Option<i64>) -> Self {
        self.maybe(value.as_ref(), |this, value| this.integer(*value))
    }

    pub(crate) fn maybe_text(self, value: Option<&str>) -> Self {
        self.maybe(value, Self::text)
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// The digest of a row that goes into the audit record of its change: SHA-256 of its canonical encoding.
pub(crate) fn digest_of(canonical: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, canonical).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_values_do_not_run_into_each_other() {
        let rows = [
            Canonical::new("t 1").text("ab").text("c").finish(),
            Canonical::new("t 1").text("a").text("bc").finish(),
            Canonical::new("t 1").text("abc").text("").finish(),
            Canonical::new("t 1").blob(b"ab").text("c").finish(),
            Canonical::new("t 1").text("ab").maybe_text(None).text("c").finish(),
            Canonical::new("t 1a").text("b").text("c").finish(),
            Canonical::new("t 1").integer(2).text("c").finish(),
            Canonical::new("t 1").maybe_integer(None).text("c").finish(),
        ];
        for (at, row) in rows.iter().enumerate() {
            assert!(!rows[at + 1..].contains(row), "row {at} has a twin");
        }
    }

    #[test]
    fn the_encoding_is_the_documented_one() {
        let row = Canonical::new("t 1").integer(-2).text("é").blob(&[9]).maybe_integer(None).finish();
        assert_eq!(
            hex::encode(row),
            "00000003742031".to_owned() + "01fffffffffffffffe" + "0200000002c3a9" + "030000000109" + "00"
        );
    }
}
