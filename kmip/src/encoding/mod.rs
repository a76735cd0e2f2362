//! The three encodings of a message: TTLV, XML and JSON. KMIP Profiles 1.4 §5.3 to §5.5, 2.1 §5.3 to §5.5.
//!
//! TTLV is what everything else understands; a document of the other two is transcoded when it comes and when it goes,
//! by the tables of the [`registry`](crate::registry) alone. Nothing is kept of it in between: a document is read from
//! front to back and each item written as soon as it is complete, so what decoding costs is in proportion to the
//! document's length.
//!
//! A message may carry keys, and a document carries them as text. Everything made here is wiped when it is dropped:
//! the TTLV, the text, and the buffers between. Two things are not: what the caller holds (the document itself), and a
//! value with escapes in it, which passes through buffers of the XML or JSON parser. Byte strings need no escapes.

mod error;
pub(crate) mod value;
mod wiped;

pub use error::{EncodingError, EncodingErrorKind};
pub(crate) use value::{Scalar, Spelling, ValueFault};
pub(crate) use wiped::WipedText;

use zeroize::Zeroizing;

use crate::limits::MAX_DOCUMENT_LEN;
use crate::ttlv::{DecodeErrorKind, Item, Reader};
use crate::version::ProtocolVersion;
use crate::{json, xml};

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Binary. KMIP 1.4 §9.1, 2.1 §9.
    Ttlv,
    /// Elements and attributes. KMIP Profiles 2.1 §5.4.
    Xml,
    /// Objects and arrays. KMIP Profiles 2.1 §5.5.
    Json,
}

impl Encoding {
    /// Every encoding.
    pub const ALL: [Self; 3] = [Self::Ttlv, Self::Xml, Self::Json];

    /// The media type of a message over HTTPS. KMIP Profiles 2.1 §5.3.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Ttlv => "application/octet-stream",
            Self::Xml => "text/xml",
            Self::Json => "application/json",
        }
    }

    /// The encoding of a media type; `application/xml` is the same as `text/xml`. Parameters are allowed, but documents
    /// are UTF-8, so a `charset` that is neither that nor a part of it is another encoding.
    #[must_use]
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        let mut parts = content_type.split(';').map(str::trim);
        let media_type = parts.next()?;
        let is = |name: &str| media_type.eq_ignore_ascii_case(name);
        let encoding =
            Self::ALL.into_iter().find(|encoding| is(encoding.content_type())).or(match is("application/xml") {
                true => Some(Self::Xml),
                false => None,
            })?;
        let understood = |parameter: &str| match parameter.split_once('=') {
            Some((name, charset)) if name.trim_end().eq_ignore_ascii_case("charset") => {
                is_utf8(charset.trim_start().trim_matches('"'))
            }
            _ => true,
        };
        parts.all(understood).then_some(encoding)
    }

    /// A message in this encoding to TTLV. That of XML and JSON is well formed; TTLV is passed on as it is, since what
    /// reads it checks it anyway.
    ///
    /// # Errors
    /// [`EncodingError`] for a document that is too long, not well formed, or says something that TTLV has no form for.
    pub fn to_ttlv(self, document: &[u8]) -> Result<Zeroizing<Vec<u8>>, EncodingError> {
        match self {
            Self::Ttlv => Ok(Zeroizing::new(document.to_vec())),
            Self::Xml => xml::to_ttlv(utf8(document)?),
            Self::Json => json::to_ttlv(utf8(document)?),
        }
    }

    /// A message in TTLV to this encoding.
    ///
    /// # Errors
    /// For XML and JSON [`EncodingErrorKind::Ttlv`] if it is not exactly one well-formed item; for XML
    /// [`EncodingErrorKind::NotXml`] if a text holds a character that XML cannot represent.
    pub fn from_ttlv(self, ttlv: &[u8]) -> Result<Zeroizing<Vec<u8>>, EncodingError> {
        let mut text = match self {
            Self::Ttlv => return Ok(Zeroizing::new(ttlv.to_vec())),
            Self::Xml => xml::from_ttlv(ttlv)?,
            Self::Json => json::from_ttlv(ttlv)?,
        };
        // The same memory, so nothing stays behind.
        Ok(Zeroizing::new(std::mem::take(&mut *text).into_bytes()))
    }
}

/// The document, if it is not longer than documents may be.
pub(crate) fn within_limit(document: &str) -> Result<&str, EncodingError> {
    if document.len() <= MAX_DOCUMENT_LEN {
        return Ok(document);
    }
    Err(EncodingErrorKind::TooLong { limit: MAX_DOCUMENT_LEN }.at(MAX_DOCUMENT_LEN))
}

/// Whether `charset` is UTF-8 or a part of it.
pub(crate) fn is_utf8(charset: &str) -> bool {
    ["utf-8", "utf8", "us-ascii"].iter().any(|name| charset.eq_ignore_ascii_case(name))
}

/// The one item that `ttlv` is.
pub(crate) fn the_item(ttlv: &[u8]) -> Result<Item<'_>, EncodingError> {
    let mut reader = Reader::new(ttlv, ProtocolVersion::V2_1);
    let none = EncodingErrorKind::Ttlv(DecodeErrorKind::HeaderCutOff { available: 0 }).at(0);
    let item = reader.next_item()?.ok_or(none)?;
    reader.finish()?;
    Ok(item)
}

fn utf8(document: &[u8]) -> Result<&str, EncodingError> {
    str::from_utf8(document).map_err(|error| EncodingErrorKind::NotUtf8.at(error.valid_up_to()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Tag;
    use crate::ttlv::Writer;

    #[test]
    fn media_types_name_encodings() {
        for encoding in Encoding::ALL {
            assert_eq!(Encoding::from_content_type(encoding.content_type()), Some(encoding));
        }
        for (content_type, encoding) in [
            ("TEXT/XML; charset=UTF-8", Some(Encoding::Xml)),
            ("application/xml", Some(Encoding::Xml)),
            (" application/json ;charset=\"utf-8\"; version=1", Some(Encoding::Json)),
            ("application/json;charset=us-ascii", Some(Encoding::Json)),
            ("text/xml; charset=iso-8859-1", None),
            ("application/json; charset = utf-16", None),
            ("text/html", None),
            ("json", None),
            ("", None),
        ] {
            assert_eq!(Encoding::from_content_type(content_type), encoding, "{content_type}");
        }
    }

    #[test]
    fn a_message_is_the_same_in_every_encoding() {
        let mut writer = Writer::new(ProtocolVersion::V2_1);
        writer.structure(Tag::REQUEST_MESSAGE, |w| w.bytes(Tag::DATA, &[0xAB; 100]));
        let ttlv = writer.finish();
        for encoding in Encoding::ALL {
            let document = encoding.from_ttlv(&ttlv).unwrap();
            assert_eq!(encoding.to_ttlv(&document).unwrap(), ttlv, "{encoding:?}");
        }
    }

    #[test]
    fn what_is_not_utf8_is_no_document() {
        for encoding in [Encoding::Xml, Encoding::Json] {
            let fault = encoding.to_ttlv(b"<Name\xFF/>").unwrap_err();
            assert_eq!(fault, EncodingErrorKind::NotUtf8.at(5));
            assert_eq!(fault.to_string(), "not UTF-8 at byte 5");
        }
    }

    #[test]
    fn a_document_is_not_longer_than_the_limit() {
        let blank = " ".repeat(MAX_DOCUMENT_LEN - 10);
        for (encoding, document) in [(Encoding::Xml, "<BatchItem/>"), (Encoding::Json, "{\"tag\":\"BatchItem\"}")] {
            let fits = format!("{document}{}", &blank[document.len()..]);
            assert!(encoding.to_ttlv(fits.as_bytes()).is_ok());
            let fault = encoding.to_ttlv(format!("{fits}{}", " ".repeat(11)).as_bytes()).unwrap_err();
            assert_eq!(fault.kind, EncodingErrorKind::TooLong { limit: MAX_DOCUMENT_LEN });
        }
    }

    #[test]
    fn what_is_not_one_item_has_no_document() {
        for encoding in [Encoding::Xml, Encoding::Json] {
            for bytes in [&[][..], &[0x42; 5], &hex::decode("4200200800000000420020080000000042").unwrap()] {
                let fault = encoding.from_ttlv(bytes).unwrap_err();
                assert!(matches!(fault.kind, EncodingErrorKind::Ttlv(_)) && fault.offset <= bytes.len(), "{fault}");
            }
        }
    }
}
