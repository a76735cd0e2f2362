//! JSON to TTLV, object by object: nothing of the document is kept but values that come before their type.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use crate::encoding::value::{tag_number, write};
use crate::encoding::{EncodingError, EncodingErrorKind, Scalar, Spelling, ValueFault, within_limit};
use crate::limits::{MAX_DEPTH, MAX_DOCUMENT_ITEMS};
use crate::names::{Names, attribute_of, tag_of};
use crate::registry::Tag;
use crate::ttlv::{ItemType, Writer};
use crate::version::ProtocolVersion;

/// The JSON parser follows 127 brackets, and an item inside a structure is behind two: our own limit is met first.
const _: () = assert!(2 * (MAX_DEPTH + 1) < 127);

/// One message in JSON to TTLV.
///
/// # Errors
/// [`EncodingError`] with the place of the object.
pub fn to_ttlv(json: &str) -> Result<Zeroizing<Vec<u8>>, EncodingError> {
    let mut parser = serde_json::Deserializer::from_str(within_limit(json)?);
    let mut writer = Writer::new(ProtocolVersion::V2_1);
    let mut course = Course { items: 0, fault: None };
    let mut attribute = None;
    let root = Object { attribute: &mut attribute, depth: 0, course: &mut course, writer: &mut writer };
    match root.deserialize(&mut parser).and_then(|()| parser.end()) {
        Ok(()) => Ok(writer.finish()),
        Err(error) => {
            let unexplained = EncodingErrorKind::Syntax(match error.classify() {
                serde_json::error::Category::Data => "not the JSON of an item",
                _ => "not well-formed JSON",
            });
            Err(course.fault.unwrap_or(unexplained).at(offset(json, error.line(), error.column())))
        }
    }
}

/// What is carried from object to object.
struct Course {
    items: usize,
    /// Why the document is given up. The parser's own error would be a text.
    fault: Option<EncodingErrorKind>,
}

impl Course {
    /// Gives up because of `kind`.
    fn give_up<E: Error>(&mut self, kind: EncodingErrorKind) -> E {
        self.fault = Some(kind);
        E::custom("")
    }
}

/// Reads one item and writes it.
struct Object<'w> {
    /// What the last attribute name among the siblings stands for; this item, if it is one, changes it.
    attribute: &'w mut Option<Tag>,
    /// Structures around the item.
    depth: usize,
    course: &'w mut Course,
    writer: &'w mut Writer,
}

/// The properties of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Property {
    Tag,
    Type,
    Name,
    Value,
}

/// A value that was read.
enum Value<'de> {
    /// Where it lies in the document.
    Plain(&'de str),
    /// A copy without escapes.
    Unescaped(Zeroizing<String>),
    Number(i64),
    Boolean(bool),
    /// An array whose items are in the message already, inside their structure.
    Written,
    /// The items of an array that came before its tag.
    Aside(Zeroizing<Vec<u8>>),
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with tag, type and value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { attribute, depth, course, writer } = self;
        course.items += 1;
        if course.items > MAX_DOCUMENT_ITEMS {
            return Err(course.give_up(EncodingErrorKind::TooManyItems { limit: MAX_DOCUMENT_ITEMS }));
        }
        let (mut tag, mut item_type, mut name, mut value) = (None, None, false, None);
        while let Some(property) = map.next_key_seed(Text(property_named))? {
            let again = match property {
                Some(Property::Tag) => {
                    let read = map.next_value_seed(Text(tag_named))?;
                    tag.replace(read.ok_or_else(|| course.give_up(EncodingErrorKind::UnknownTag))?).is_some()
                }
                Some(Property::Type) => {
                    let read = map.next_value_seed(Text(type_named))?;
                    item_type.replace(read.ok_or_else(|| course.give_up(EncodingErrorKind::UnknownType))?).is_some()
                }
                Some(Property::Name) => {
                    let _: Option<()> = map.next_value_seed(Text(|_: &str| None))?;
                    std::mem::replace(&mut name, true)
                }
                Some(Property::Value) => {
                    let read = map.next_value_seed(AnyValue { tag, depth, course, writer })?;
                    value.replace(read).is_some()
                }
                None => return Err(course.give_up(EncodingErrorKind::Syntax("a property that items do not have"))),
            };
            if again {
                return Err(course.give_up(EncodingErrorKind::Syntax("a property twice")));
            }
        }
        let tag = tag.ok_or_else(|| course.give_up(EncodingErrorKind::Syntax("an item without a tag")))?;
        let item_type = item_type.unwrap_or(ItemType::Structure);
        if tag == Tag::ATTRIBUTE_NAME {
            *attribute = value.as_ref().and_then(Value::text).and_then(attribute_of);
        }
        let outcome = match (item_type, &value) {
            (ItemType::Structure, Some(Value::Written)) => Ok(()),
            (ItemType::Structure, Some(Value::Aside(items))) => {
                writer.structure(tag, |writer| writer.raw(items));
                Ok(())
            }
            (ItemType::Structure, None) => {
                if depth >= MAX_DEPTH {
                    return Err(course.give_up(EncodingErrorKind::TooDeep));
                }
                writer.structure(tag, |_| {});
                Ok(())
            }
            (_, Some(value)) => match value.scalar() {
                Some(scalar) => write(&scalar, item_type, tag, Names::of(tag, *attribute), Spelling::Json, writer),
                None => Err(ValueFault::Form),
            },
            (_, None) => Err(ValueFault::Form),
        };
        outcome.map_err(|fault| {
            course.give_up(match fault {
                ValueFault::Form => EncodingErrorKind::Value { tag, item_type },
                ValueFault::Name => EncodingErrorKind::UnknownName { tag },
            })
        })
    }
}

impl Value<'_> {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Plain(text) => Some(text),
            Self::Unescaped(text) => Some(text),
            Self::Number(_) | Self::Boolean(_) | Self::Written | Self::Aside(_) => None,
        }
    }

    fn scalar(&self) -> Option<Scalar<'_>> {
        match self {
            Self::Number(number) => Some(Scalar::Number(*number)),
            Self::Boolean(value) => Some(Scalar::Boolean(*value)),
            Self::Plain(_) | Self::Unescaped(_) | Self::Written | Self::Aside(_) => self.text().map(Scalar::Text),
        }
    }
}

/// Reads a value of any kind. Arrays go straight into the message where their tag is known.
struct AnyValue<'w> {
    tag: Option<Tag>,
    depth: usize,
    course: &'w mut Course,
    writer: &'w mut Writer,
}

impl<'de> DeserializeSeed<'de> for AnyValue<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue<'_> {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a whole number, a boolean or an array")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value<'de>, E> {
        // No type has numbers as large as the largest one here, so what is larger is refused as well.
        Ok(Value::Number(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Plain(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value<'de>, E> {
        Ok(Value::Unescaped(Zeroizing::new(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Value<'de>, A::Error> {
        let Self { tag, depth, course, writer } = self;
        if depth >= MAX_DEPTH {
            return Err(course.give_up(EncodingErrorKind::TooDeep));
        }
        match tag {
            Some(tag) => {
                let mut outcome = Ok(());
                writer.structure(tag, |writer| outcome = array(items, depth + 1, course, writer));
                outcome.map(|()| Value::Written)
            }
            None => {
                let mut aside = Writer::new(ProtocolVersion::V2_1);
                array(items, depth + 1, course, &mut aside)?;
                Ok(Value::Aside(aside.finish()))
            }
        }
    }
}

/// Writes the items of an array.
fn array<'de, A: SeqAccess<'de>>(
    mut items: A,
    depth: usize,
    course: &mut Course,
    writer: &mut Writer,
) -> Result<(), A::Error> {
    let mut attribute = None;
    loop {
        let item = Object { attribute: &mut attribute, depth, course: &mut *course, writer: &mut *writer };
        if items.next_element_seed(item)?.is_none() {
            return Ok(());
        }
    }
}

/// A string that `F` makes something of.
struct Text<F>(F);

impl<'de, T, F: FnOnce(&str) -> Option<T>> DeserializeSeed<'de> for Text<F> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<T, F: FnOnce(&str) -> Option<T>> Visitor<'_> for Text<F> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<T>, E> {
        Ok((self.0)(text))
    }
}

fn property_named(name: &str) -> Option<Property> {
    Some(match name {
        "tag" => Property::Tag,
        "type" => Property::Type,
        "name" => Property::Name,
        "value" => Property::Value,
        _ => return None,
    })
}

fn tag_named(name: &str) -> Option<Tag> {
    tag_number(name).or_else(|| tag_of(name))
}

fn type_named(name: &str) -> Option<ItemType> {
    ItemType::ALL.into_iter().find(|item_type| item_type.xml_name() == name)
}

/// Bytes before `column` of `line`, both as the parser counts them: lines from 1, columns in bytes.
fn offset(json: &str, line: usize, column: usize) -> usize {
    let lines_before = json.split_inclusive('\n').take(line.saturating_sub(1));
    lines_before.map(str::len).sum::<usize>().saturating_add(column).min(json.len())
}
