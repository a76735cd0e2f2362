//! Fixed fields, texts and optional fields of the canonical encoding, written and read the same way round.

use super::RecordError;

const ABSENT: u8 = 0;
const PRESENT: u8 = 1;

/// The encoding in the making.
pub(super) struct Output(Vec<u8>);

impl Output {
    pub(super) fn new(version: u8) -> Self {
        // Most records have between 200 and 350 bytes.
        let mut bytes = Vec::with_capacity(384);
        bytes.push(version);
        Self(bytes)
    }

    pub(super) fn tag(&mut self, tag: u8) {
        self.0.push(tag);
    }

    pub(super) fn fixed(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn optional_fixed<const N: usize>(&mut self, bytes: Option<&[u8; N]>) {
        match bytes {
            None => self.tag(ABSENT),
            Some(bytes) => {
                self.tag(PRESENT);
                self.fixed(bytes);
            }
        }
    }

    pub(super) fn text(&mut self, field: &'static str, text: &str, limit: usize) -> Result<(), RecordError> {
        let too_long = RecordError::TooLong { field, len: text.len(), limit };
        let Ok(len) = u16::try_from(text.len()) else { return Err(too_long) };
        if text.len() > limit {
            return Err(too_long);
        }
        refuse_controls(field, text)?;
        self.fixed(&len.to_be_bytes());
        self.fixed(text.as_bytes());
        Ok(())
    }

    pub(super) fn optional_text(
        &mut self,
        field: &'static str,
        text: Option<&str>,
        limit: usize,
    ) -> Result<(), RecordError> {
        match text {
            None => self.tag(ABSENT),
            Some(text) => {
                self.tag(PRESENT);
                self.text(field, text, limit)?;
            }
        }
        Ok(())
    }

    pub(super) fn texts(
        &mut self,
        field: &'static str,
        texts: &[String],
        count_limit: usize,
        limit: usize,
    ) -> Result<(), RecordError> {
        let too_many = RecordError::TooLong { field, len: texts.len(), limit: count_limit };
        let Ok(count) = u8::try_from(texts.len()) else { return Err(too_many) };
        if texts.len() > count_limit {
            return Err(too_many);
        }
        self.tag(count);
        texts.iter().try_for_each(|text| self.text(field, text, limit))
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// What is left to read.
pub(super) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take(&mut self, field: &'static str, len: usize) -> Result<&'a [u8], RecordError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(RecordError::Truncated(field))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self, field: &'static str) -> Result<u8, RecordError> {
        self.fixed(field).map(|[byte]| byte)
    }

    pub(super) fn fixed<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], RecordError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(RecordError::Truncated(field))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn is_present(&mut self, field: &'static str) -> Result<bool, RecordError> {
        match self.byte(field)? {
            ABSENT => Ok(false),
            PRESENT => Ok(true),
            tag => Err(RecordError::Tag { field, tag }),
        }
    }

    pub(super) fn optional_fixed<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<Option<[u8; N]>, RecordError> {
        if self.is_present(field)? { self.fixed(field).map(Some) } else { Ok(None) }
    }

    pub(super) fn text(&mut self, field: &'static str, limit: usize) -> Result<String, RecordError> {
        let len = usize::from(u16::from_be_bytes(self.fixed(field)?));
        if len > limit {
            return Err(RecordError::TooLong { field, len, limit });
        }
        let text = std::str::from_utf8(self.take(field, len)?).map_err(|_| RecordError::Utf8(field))?;
        refuse_controls(field, text)?;
        Ok(text.to_owned())
    }

    pub(super) fn optional_text(&mut self, field: &'static str, limit: usize) -> Result<Option<String>, RecordError> {
        if self.is_present(field)? { self.text(field, limit).map(Some) } else { Ok(None) }
    }

    pub(super) fn texts(
        &mut self,
        field: &'static str,
        count_limit: usize,
        limit: usize,
    ) -> Result<Vec<String>, RecordError> {
        let count = usize::from(self.byte(field)?);
        if count > count_limit {
            return Err(RecordError::TooLong { field, len: count, limit: count_limit });
        }
        (0..count).map(|_| self.text(field, limit)).collect()
    }

    pub(super) fn finish(self) -> Result<(), RecordError> {
        if self.0.is_empty() { Ok(()) } else { Err(RecordError::Trailing(self.0.len())) }
    }
}

fn refuse_controls(field: &'static str, text: &str) -> Result<(), RecordError> {
    if text.chars().any(char::is_control) { Err(RecordError::Control(field)) } else { Ok(()) }
}
