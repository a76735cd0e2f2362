//! The tree between XML and TTLV.

use zeroize::Zeroizing;

use super::XmlError;
use super::value::{read_value, write_value};
use crate::limits::MAX_DEPTH;
use crate::names::Names;
use crate::registry::Tag;
use crate::ttlv::{Item, ItemType, Reader, Writer};
use crate::version::ProtocolVersion;

/// The element of an item whose tag has no name; the tag stands in its attribute `tag`.
pub(super) const UNNAMED: &str = "TTLV";

/// One item as XML has it: its value is text.
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
    /// [`XmlError::Ttlv`] if `bytes` are not exactly one well-formed item.
    pub fn from_ttlv(bytes: &[u8]) -> Result<Self, XmlError> {
        let mut reader = Reader::new(bytes, ProtocolVersion::V2_1);
        let element = match reader.next_item()? {
            Some(item) => Self::of(&item, None)?,
            None => return Err(XmlError::Syntax { what: "no item".to_owned(), offset: 0 }),
        };
        reader.finish()?;
        Ok(element)
    }

    /// The tag that the element stands for.
    ///
    /// # Errors
    /// [`XmlError::UnknownTag`].
    pub fn tag(&self) -> Result<Tag, XmlError> {
        let tag = if self.name == UNNAMED { self.tag } else { Tag::from_xml_name(&self.name) };
        tag.ok_or_else(|| XmlError::UnknownTag(self.name.clone()))
    }

    /// `attribute` is the last attribute name among the elder siblings.
    fn write(&self, attribute: Option<&str>, depth: usize, writer: &mut Writer) -> Result<(), XmlError> {
        if depth > MAX_DEPTH {
            return Err(XmlError::TooDeep);
        }
        let tag = self.tag()?;
        if self.item_type != ItemType::Structure {
            return write_value(self, tag, Names::of(tag, attribute), writer);
        }
        let mut outcome = Ok(());
        writer.structure(tag, |writer| outcome = self.write_children(depth, writer));
        outcome
    }

    fn write_children(&self, depth: usize, writer: &mut Writer) -> Result<(), XmlError> {
        let mut attribute = None;
        for child in &self.children {
            if Tag::from_xml_name(&child.name) == Some(Tag::ATTRIBUTE_NAME) {
                attribute = child.value.as_deref();
            }
            child.write(attribute, depth + 1, writer)?;
        }
        Ok(())
    }

    fn of(item: &Item<'_>, attribute: Option<&str>) -> Result<Self, XmlError> {
        let (name, tag) = match item.tag.xml_name() {
            Some(name) => (name, None),
            None => (UNNAMED, Some(item.tag)),
        };
        let mut element =
            Self { name: name.to_owned(), tag, item_type: item.item_type, value: None, children: Vec::new() };
        if item.item_type != ItemType::Structure {
            element.value = Some(read_value(item, Names::of(item.tag, attribute))?);
            return Ok(element);
        }
        let mut inside = item.structure()?;
        let mut attribute = None;
        while let Some(child) = inside.next_item()? {
            if child.tag == Tag::ATTRIBUTE_NAME && child.item_type == ItemType::TextString {
                attribute = Some(child.text()?);
            }
            element.children.push(Self::of(&child, attribute)?);
        }
        Ok(element)
    }
}
