//! A document as a tree, for who has something to change in it before it becomes TTLV.

use zeroize::Zeroizing;

use super::event::{Event, Events, Opening};
use super::write::{close, escape, open};
use super::{UNNAMED, XmlError};
use crate::encoding::value::{print, write};
use crate::encoding::{EncodingErrorKind, Scalar, Spelling, ValueFault, WipedText, the_item};
use crate::limits::MAX_DEPTH;
use crate::names::{Names, attribute_of, tag_of};
use crate::registry::Tag;
use crate::ttlv::{Item, ItemType, Writer};
use crate::version::ProtocolVersion;

/// One item as XML has it: its value is text. Not for messages with secrets in them: a tree is not wiped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The element's name, such as "UniqueIdentifier"; "TTLV" for tags without a name.
    pub name: String,
    /// The attribute `tag` of a `<TTLV>` element.
    pub tag: Option<Tag>,
    /// The attribute `type`; a structure where there is none.
    pub item_type: ItemType,
    /// The attribute `value`.
    pub value: Option<String>,
    /// The elements inside.
    pub children: Vec<Element>,
}

impl Element {
    /// The first child of that name.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The one element of a document.
    ///
    /// # Errors
    /// [`XmlError::Document`] for what is not XML, or not the XML of items. Values and names are not looked at.
    pub fn parse(xml: &str) -> Result<Self, XmlError> {
        let mut events = Events::new(xml)?;
        // Elements that are open, outermost first.
        let mut open: Vec<Self> = Vec::new();
        let mut root = None;
        loop {
            match events.next()? {
                Event::Open(start) => {
                    let opening = Opening::of(&start).map_err(|kind| kind.at(events.offset()))?;
                    open.push(Self::from(opening));
                }
                Event::Close => match (open.pop(), open.last_mut()) {
                    (Some(closed), Some(parent)) => parent.children.push(closed),
                    (closed, _) => root = closed,
                },
                Event::End => {
                    return root.ok_or_else(|| EncodingErrorKind::Syntax("no element").at(events.offset()).into());
                }
            }
        }
    }

    /// The element as indented XML.
    ///
    /// # Errors
    /// [`XmlError::NotXml`] for a character that XML 1.0 cannot represent, such as NUL.
    pub fn print(&self) -> Result<String, XmlError> {
        let mut xml = WipedText::new();
        self.print_at(0, &mut xml)?;
        Ok(xml.finish().as_str().to_owned())
    }

    fn print_at(&self, depth: usize, xml: &mut WipedText) -> Result<(), XmlError> {
        indent(depth, xml);
        open(&self.name, self.tag, self.item_type, xml);
        if self.item_type != ItemType::Structure {
            xml.push_str(" value=\"");
            escape(self.value.as_deref().unwrap_or_default(), xml).map_err(|_| XmlError::NotXml(self.name.clone()))?;
            xml.push('"');
        }
        if self.children.is_empty() {
            xml.push_str("/>\n");
            return Ok(());
        }
        xml.push_str(">\n");
        for child in &self.children {
            child.print_at(depth + 1, xml)?;
        }
        indent(depth, xml);
        close(&self.name, xml);
        xml.push('\n');
        Ok(())
    }

    /// This item in TTLV.
    ///
    /// # Errors
    /// [`XmlError`], which names the element.
    pub fn to_ttlv(&self) -> Result<Zeroizing<Vec<u8>>, XmlError> {
        let mut writer = Writer::new(ProtocolVersion::V2_1);
        self.write(None, 0, &mut writer)?;
        Ok(writer.finish())
    }

    /// The elements of one item.
    ///
    /// # Errors
    /// [`XmlError::Document`] if `ttlv` is not exactly one well-formed item.
    pub fn from_ttlv(ttlv: &[u8]) -> Result<Self, XmlError> {
        Self::of(&the_item(ttlv)?, None)
    }

    /// The tag that the element stands for.
    ///
    /// # Errors
    /// [`XmlError::UnknownTag`].
    pub fn tag(&self) -> Result<Tag, XmlError> {
        let tag = if self.name == UNNAMED { self.tag } else { tag_of(&self.name) };
        tag.ok_or_else(|| XmlError::UnknownTag(self.name.clone()))
    }

    /// `attribute` is what the last attribute name among the elder siblings stands for.
    fn write(&self, attribute: Option<Tag>, depth: usize, writer: &mut Writer) -> Result<(), XmlError> {
        let tag = self.tag()?;
        if self.item_type == ItemType::Structure {
            if depth >= MAX_DEPTH {
                return Err(XmlError::TooDeep);
            }
            let mut outcome = Ok(());
            writer.structure(tag, |writer| outcome = self.write_children(depth + 1, writer));
            return outcome;
        }
        let no_value = || XmlError::Value { element: self.name.clone(), item_type: self.item_type };
        let value = self.value.as_deref().ok_or_else(no_value)?;
        let names = Names::of(tag, attribute);
        write(&Scalar::Text(value), self.item_type, tag, names, Spelling::Xml, writer).map_err(|fault| match fault {
            ValueFault::Form => no_value(),
            ValueFault::Name => XmlError::UnknownName { element: self.name.clone(), name: value.to_owned() },
        })
    }

    fn write_children(&self, depth: usize, writer: &mut Writer) -> Result<(), XmlError> {
        let mut attribute = None;
        for child in &self.children {
            if child.tag() == Ok(Tag::ATTRIBUTE_NAME) {
                attribute = child.value.as_deref().and_then(attribute_of);
            }
            child.write(attribute, depth, writer)?;
        }
        Ok(())
    }

    fn of(item: &Item<'_>, attribute: Option<Tag>) -> Result<Self, XmlError> {
        let (name, tag) = match item.tag.xml_name() {
            Some(name) => (name, None),
            None => (UNNAMED, Some(item.tag)),
        };
        let mut element =
            Self { name: name.to_owned(), tag, item_type: item.item_type, value: None, children: Vec::new() };
        match item.item_type {
            ItemType::Structure => {
                let mut inside = item.structure()?;
                let mut attribute = None;
                while let Some(child) = inside.next_item()? {
                    if child.tag == Tag::ATTRIBUTE_NAME && child.item_type == ItemType::TextString {
                        attribute = attribute_of(child.text()?);
                    }
                    element.children.push(Self::of(&child, attribute)?);
                }
            }
            ItemType::TextString => element.value = Some(item.text()?.to_owned()),
            _ => {
                let mut text = WipedText::empty();
                print(item, Names::of(item.tag, attribute), Spelling::Xml, &mut text)?;
                element.value = Some(text.finish().as_str().to_owned());
            }
        }
        Ok(element)
    }
}

fn indent(depth: usize, xml: &mut WipedText) {
    for _ in 0..depth {
        xml.push_str("  ");
    }
}

impl From<Opening<'_>> for Element {
    fn from(opening: Opening<'_>) -> Self {
        Self {
            name: opening.name.to_owned(),
            tag: opening.number,
            item_type: opening.item_type,
            value: opening.value.as_deref().map(str::to_owned),
            children: Vec::new(),
        }
    }
}
