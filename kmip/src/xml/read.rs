//! XML to TTLV, element by element: nothing of the document is kept.

use zeroize::Zeroizing;

use super::event::{Event, Events, Opening};
use crate::encoding::value::write;
use crate::encoding::{EncodingError, EncodingErrorKind, Scalar, Spelling, ValueFault};
use crate::limits::MAX_DEPTH;
use crate::names::{Names, attribute_of};
use crate::registry::Tag;
use crate::ttlv::{ItemType, Writer};
use crate::version::ProtocolVersion;

/// One message in XML to TTLV.
///
/// # Errors
/// [`EncodingError`] with the place of the element.
pub fn to_ttlv(xml: &str) -> Result<Zeroizing<Vec<u8>>, EncodingError> {
    let mut events = Events::new(xml)?;
    let mut writer = Writer::new(ProtocolVersion::V2_1);
    // The first event is the root element, the last one the end: `Events` has no others there.
    while let Event::Open(start) = events.next()? {
        let opening = Opening::of(&start).map_err(|kind| kind.at(events.offset()))?;
        item(&opening, None, 0, &mut events, &mut writer)?;
    }
    Ok(writer.finish())
}

/// Writes an element and everything inside. `attribute` is what the last attribute name among its elder siblings stands
/// for, `depth` the number of structures around it.
fn item(
    opening: &Opening<'_>,
    attribute: Option<Tag>,
    depth: usize,
    events: &mut Events<'_>,
    writer: &mut Writer,
) -> Result<(), EncodingError> {
    let at = events.offset();
    let tag = opening.tag().ok_or_else(|| EncodingErrorKind::UnknownTag.at(at))?;
    let item_type = opening.item_type;
    let no_value = EncodingErrorKind::Value { tag, item_type };
    if item_type == ItemType::Structure {
        // Somebody forgot the type.
        if opening.value.is_some() {
            return Err(no_value.at(at));
        }
        if depth >= MAX_DEPTH {
            return Err(EncodingErrorKind::TooDeep.at(at));
        }
        let mut outcome = Ok(());
        writer.structure(tag, |writer| outcome = items(depth + 1, events, writer));
        return outcome;
    }
    let value = Scalar::Text(opening.value.as_deref().ok_or(no_value.at(at))?);
    write(&value, item_type, tag, Names::of(tag, attribute), Spelling::Xml, writer).map_err(|fault| match fault {
        ValueFault::Form => no_value.at(at),
        ValueFault::Name => EncodingErrorKind::UnknownName { tag }.at(at),
    })?;
    match events.next()? {
        Event::Close => Ok(()),
        Event::Open(_) | Event::End => Err(EncodingErrorKind::Syntax("an element inside a value").at(events.offset())),
    }
}

/// Writes the elements up to the end of the structure around them.
fn items(depth: usize, events: &mut Events<'_>, writer: &mut Writer) -> Result<(), EncodingError> {
    let mut attribute = None;
    while let Event::Open(start) = events.next()? {
        let opening = Opening::of(&start).map_err(|kind| kind.at(events.offset()))?;
        if opening.tag() == Some(Tag::ATTRIBUTE_NAME) {
            attribute = opening.value.as_deref().and_then(attribute_of);
        }
        item(&opening, attribute, depth, events, writer)?;
    }
    Ok(())
}
