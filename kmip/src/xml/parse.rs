//! Text to elements. Comments are passed over; document types are refused, and free text between items too.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::element::UNNAMED;
use super::{Element, XmlError};
use crate::limits::MAX_DEPTH;
use crate::registry::Tag;
use crate::ttlv::ItemType;

/// One more than structures may nest: `<KMIP>` may enclose messages.
const MAX_ELEMENT_DEPTH: usize = MAX_DEPTH + 1;

/// The element around the messages of a test case.
const TEST_CASE: &str = "KMIP";

impl Element {
    /// The one element of a document.
    ///
    /// # Errors
    /// [`XmlError`] for what is not XML, or not the XML of items. Values are not looked at.
    pub fn parse(xml: &str) -> Result<Self, XmlError> {
        let mut reader = Reader::from_str(xml);
        // Elements that are open, outermost first.
        let mut open: Vec<Self> = Vec::new();
        let mut root = None;
        loop {
            let at = reader.buffer_position();
            let syntax = |what: &str| XmlError::Syntax { what: what.to_owned(), offset: at };
            let event = reader.read_event().map_err(|error| syntax(&error.to_string()))?;
            let closed = match event {
                Event::Start(start) => {
                    if open.len() >= MAX_ELEMENT_DEPTH {
                        return Err(XmlError::TooDeep);
                    }
                    open.push(element(&start, at)?);
                    continue;
                }
                Event::Empty(start) => element(&start, at)?,
                Event::End(_) => open.pop().ok_or_else(|| syntax("a closing tag too many"))?,
                Event::Text(text) if text.trim_ascii().is_empty() => continue,
                // Published test cases have remarks between the messages ("# TIME 0").
                Event::Text(_) if matches!(open.as_slice(), [only] if only.name == TEST_CASE) => continue,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => continue,
                Event::Eof if open.is_empty() => return root.ok_or_else(|| syntax("no element")),
                Event::Eof => return Err(syntax("the end, with elements open")),
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => return Err(syntax("text between elements")),
                Event::DocType(_) => return Err(syntax("a document type")),
            };
            match open.last_mut() {
                Some(parent) => parent.children.push(closed),
                None if root.is_none() => root = Some(closed),
                None => return Err(syntax("a second root element")),
            }
        }
    }
}

fn element(start: &BytesStart<'_>, at: u64) -> Result<Element, XmlError> {
    let name = start.local_name().into_inner().to_owned();
    let mut element = Element { name, tag: None, item_type: ItemType::Structure, value: None, children: Vec::new() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| XmlError::Syntax { what: error.to_string(), offset: at })?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| XmlError::Syntax { what: error.to_string(), offset: at })?;
        match attribute.key.into_inner() {
            "type" => {
                element.item_type =
                    ItemType::ALL.into_iter().find(|item_type| item_type.xml_name() == value).ok_or_else(|| {
                        XmlError::UnknownType { element: element.name.clone(), item_type: value.clone().into_owned() }
                    })?;
            }
            "value" => element.value = Some(value.into_owned()),
            "tag" if element.name == UNNAMED => {
                let digits = value.strip_prefix("0x").ok_or_else(|| XmlError::UnknownTag(element.name.clone()))?;
                let number = u32::from_str_radix(digits, 16).ok().filter(|number| *number <= 0xFF_FFFF);
                element.tag = Some(Tag(number.ok_or_else(|| XmlError::UnknownTag(element.name.clone()))?));
            }
            // Namespaces and whatever else a tool adds say nothing about the item.
            _ => {}
        }
    }
    Ok(element)
}
