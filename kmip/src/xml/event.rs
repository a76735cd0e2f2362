//! The document as a sequence of openings and closings. Comments are passed over; document types are refused, and free
//! text between items too.

use std::borrow::Cow;

use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesStart, Event as XmlEvent};
use quick_xml::{Reader, XmlVersion};
use zeroize::Zeroizing;

use super::UNNAMED;
use crate::encoding::value::tag_number;
use crate::encoding::{EncodingError, EncodingErrorKind, is_utf8, within_limit};
use crate::limits::{MAX_DEPTH, MAX_DOCUMENT_ITEMS, MAX_ELEMENT_ATTRIBUTES};
use crate::names::tag_of;
use crate::registry::Tag;
use crate::ttlv::ItemType;

/// Two more than structures may nest: the last one may hold a value, and `<KMIP>` may enclose messages.
const MAX_ELEMENT_DEPTH: usize = MAX_DEPTH + 2;

/// The element around the messages of a test case.
const TEST_CASE: &str = "KMIP";

/// What comes next.
pub(super) enum Event<'a> {
    /// An element; a `Close` follows even if there is nothing inside.
    Open(BytesStart<'a>),
    /// The end of the innermost element.
    Close,
    /// The end of the document; every element is closed.
    End,
}

/// An element as its opening tag has it.
pub(super) struct Opening<'a> {
    /// The name without a namespace.
    pub(super) name: &'a str,
    /// The attribute `tag` of a `<TTLV>` element.
    pub(super) number: Option<Tag>,
    /// The attribute `type`; a structure where there is none.
    pub(super) item_type: ItemType,
    /// The attribute `value`.
    pub(super) value: Option<Text<'a>>,
}

/// The text of an attribute: where it lies, or a copy without escapes.
pub(super) enum Text<'a> {
    Plain(Cow<'a, str>),
    Unescaped(Zeroizing<String>),
}

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Unescaped(text) => text,
        }
    }
}

impl<'a> Opening<'a> {
    /// What the attributes of `start` say. What they say besides, such as namespaces, says nothing about the item.
    pub(super) fn of(start: &'a BytesStart<'_>) -> Result<Self, EncodingErrorKind> {
        let name = start.name().local_name().into_inner();
        let mut opening = Self { name, number: None, item_type: ItemType::Structure, value: None };
        for (count, attribute) in start.attributes().enumerate() {
            let attribute = attribute.map_err(|_| syntax("an attribute twice, or not well formed"))?;
            if count >= MAX_ELEMENT_ATTRIBUTES {
                return Err(syntax("too many attributes of one element"));
            }
            match attribute.key.into_inner() {
                "type" => {
                    let name = text(&attribute)?;
                    let named = ItemType::ALL.into_iter().find(|item_type| item_type.xml_name() == &*name);
                    opening.item_type = named.ok_or(EncodingErrorKind::UnknownType)?;
                }
                "value" => opening.value = Some(text(&attribute)?),
                "tag" if name == UNNAMED => {
                    let number = text(&attribute)?;
                    let tag = tag_number(&number).or_else(|| tag_of(&number));
                    opening.number = Some(tag.ok_or(EncodingErrorKind::UnknownTag)?);
                }
                _ => {}
            }
        }
        Ok(opening)
    }

    /// The tag that the element stands for.
    pub(super) fn tag(&self) -> Option<Tag> {
        if self.name == UNNAMED { self.number } else { tag_of(self.name) }
    }
}

fn text<'a>(attribute: &Attribute<'a>) -> Result<Text<'a>, EncodingErrorKind> {
    match attribute.normalized_value(XmlVersion::Implicit1_0) {
        Ok(Cow::Owned(unescaped)) => Ok(Text::Unescaped(Zeroizing::new(unescaped))),
        Ok(plain) => Ok(Text::Plain(plain)),
        Err(_) => Err(syntax("an unknown entity")),
    }
}

/// Walks a document.
pub(super) struct Events<'a> {
    reader: Reader<&'a [u8]>,
    /// For each open element, whether it is that of a test case.
    open: Vec<bool>,
    /// A `Close` is due, because the last element was opened and closed in one.
    close: bool,
    items: usize,
    /// Whether the root element was there.
    rooted: bool,
    /// Bytes from the start of the document to the last event.
    at: usize,
}

impl<'a> Events<'a> {
    /// Over `document`.
    pub(super) fn new(document: &'a str) -> Result<Self, EncodingError> {
        let reader = Reader::from_str(within_limit(document)?);
        Ok(Self { reader, open: Vec::new(), close: false, items: 0, rooted: false, at: 0 })
    }

    /// Bytes from the start of the document to the last event.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// The next event. After a fault there is none.
    pub(super) fn next(&mut self) -> Result<Event<'a>, EncodingError> {
        if std::mem::take(&mut self.close) {
            self.open.pop();
            return Ok(Event::Close);
        }
        loop {
            self.at = offset(self.reader.buffer_position());
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(_) => return Err(syntax("not well-formed XML").at(offset(self.reader.error_position()))),
            };
            match event {
                XmlEvent::Start(start) => return self.enter(start),
                XmlEvent::Empty(start) => {
                    let event = self.enter(start)?;
                    self.close = true;
                    return Ok(event);
                }
                XmlEvent::End(_) => {
                    self.open.pop().ok_or_else(|| syntax("a closing tag too many").at(self.at))?;
                    return Ok(Event::Close);
                }
                XmlEvent::Text(text) if text.trim_ascii().is_empty() => {}
                // Published test cases have remarks between the messages ("# TIME 0").
                XmlEvent::Text(_) if self.open == [true] => {}
                XmlEvent::Decl(declaration) => match declaration.encoding() {
                    Some(Ok(name)) if !is_utf8(&name) => {
                        return Err(EncodingErrorKind::NotUtf8.at(self.at));
                    }
                    _ => {}
                },
                XmlEvent::Comment(_) | XmlEvent::PI(_) => {}
                XmlEvent::Eof if !self.open.is_empty() => {
                    return Err(syntax("the end of the document, with elements open").at(self.at));
                }
                XmlEvent::Eof if !self.rooted => return Err(syntax("a document without an element").at(self.at)),
                XmlEvent::Eof => return Ok(Event::End),
                XmlEvent::Text(_) | XmlEvent::CData(_) | XmlEvent::GeneralRef(_) => {
                    return Err(syntax("text between elements").at(self.at));
                }
                XmlEvent::DocType(_) => return Err(syntax("a document type").at(self.at)),
            }
        }
    }

    fn enter(&mut self, start: BytesStart<'a>) -> Result<Event<'a>, EncodingError> {
        if self.open.is_empty() && std::mem::replace(&mut self.rooted, true) {
            return Err(syntax("a second root element").at(self.at));
        }
        if self.open.len() >= MAX_ELEMENT_DEPTH {
            return Err(EncodingErrorKind::TooDeep.at(self.at));
        }
        self.items += 1;
        if self.items > MAX_DOCUMENT_ITEMS {
            return Err(EncodingErrorKind::TooManyItems { limit: MAX_DOCUMENT_ITEMS }.at(self.at));
        }
        self.open.push(start.local_name().into_inner() == TEST_CASE);
        Ok(Event::Open(start))
    }
}

fn syntax(what: &'static str) -> EncodingErrorKind {
    EncodingErrorKind::Syntax(what)
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}
