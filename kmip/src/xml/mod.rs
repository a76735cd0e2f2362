//! Messages as XML. KMIP Profiles 1.4 §5.4, 2.1 §5.5.
//!
//! XML is transcoded from and to TTLV by the tables of the registry; no structure of the protocol is described here. In
//! between stands a tree of [`Element`]s, whose values are still text: who has placeholders to fill in edits the tree
//! before it becomes TTLV.

mod element;
mod error;
mod parse;
mod print;
mod value;

pub use element::Element;
pub use error::XmlError;

use zeroize::Zeroizing;

/// One message in XML to TTLV.
///
/// # Errors
/// [`XmlError`], which names the element.
pub fn to_ttlv(xml: &str) -> Result<Zeroizing<Vec<u8>>, XmlError> {
    Element::parse(xml)?.to_ttlv()
}

/// One message in TTLV to XML, indented.
///
/// # Errors
/// [`XmlError::Ttlv`] if it is not well formed, [`XmlError::NotXml`] if a text holds a character that XML cannot.
pub fn from_ttlv(bytes: &[u8]) -> Result<String, XmlError> {
    Element::from_ttlv(bytes)?.print()
}
