//! What the detail of a record says of its object: what a client calls it, and what it took the place of.
//!
//! ```text
//! predecessor <identifier>, successor <identifier>, <attribute> "<value>", …
//! ```
//! Each part stands there or not. What a client chose stands between quotes, with a backslash before each quote and
//! backslash in it, so that it cannot be taken for one of the other parts. `docs/formats.md` section 3.

use crate::{limits::MAX_CALLED_LEN, record::bounded_text};

const PREDECESSOR: &str = "predecessor ";
const SUCCESSOR: &str = "successor ";

/// What is said of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The object whose place it took.
    pub predecessor: Option<String>,
    /// The object that took its place.
    pub successor: Option<String>,
    /// Attributes by which people know it, each with its value.
    pub called: Vec<(String, String)>,
}

impl About {
    /// Remembers what the object is called by `attribute`: at most [`MAX_CALLED_LEN`] bytes of it. An attribute whose name
    /// has other characters than letters, digits, `-`, `.` and `_` is passed over.
    pub fn call(&mut self, attribute: &str, value: &str) {
        if is_name(attribute) {
            self.called.push((attribute.to_owned(), bounded_text(value, MAX_CALLED_LEN)));
        }
    }

    /// The words, as many whole parts as have room in so many bytes; `None` where that is none.
    #[must_use]
    pub fn write(&self, room: usize) -> Option<String> {
        let links = [(PREDECESSOR, &self.predecessor), (SUCCESSOR, &self.successor)];
        let links = links.into_iter().filter_map(|(word, id)| Some(format!("{word}{}", id.as_ref()?)));
        let called = self.called.iter().map(|(attribute, value)| format!("{attribute} \"{}\"", escaped(value)));
        let mut text = String::new();
        for part in links.chain(called) {
            let between = if text.is_empty() { "" } else { ", " };
            if text.len() + between.len() + part.len() <= room {
                text += between;
                text += &part;
            }
        }
        (!text.is_empty()).then_some(text)
    }

    /// Cuts a detail into what stands in front, such as the protocol version, and what it says of the object.
    #[must_use]
    pub fn split(detail: &str) -> (&str, Self) {
        if let Some(about) = Self::parse(detail) {
            return ("", about);
        }
        let found = detail.match_indices(": ").find_map(|(at, between)| {
            let (front, rest) = detail.split_at_checked(at)?;
            Some((front, Self::parse(rest.get(between.len()..)?)?))
        });
        found.unwrap_or_else(|| (detail, Self::default()))
    }

    /// Reads what [`About::write`] wrote; `None` for everything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut about = Self::default();
        let mut rest = text;
        loop {
            rest = about.take_part(rest)?;
            if rest.is_empty() {
                return Some(about);
            }
            rest = rest.strip_prefix(", ")?;
        }
    }

    /// Reads one part; returns what follows it.
    fn take_part<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        for (word, place) in [(PREDECESSOR, &mut self.predecessor), (SUCCESSOR, &mut self.successor)] {
            if let Some(rest) = text.strip_prefix(word).filter(|rest| !rest.starts_with('"')) {
                let (id, rest) = rest.split_at_checked(rest.find(", ").unwrap_or(rest.len()))?;
                let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
                *place = is_id.then(|| id.to_owned());
                return is_id.then_some(rest);
            }
        }
        let (attribute, rest) = text.split_once(" \"")?;
        let (value, rest) = unescaped(rest)?;
        is_name(attribute).then(|| self.called.push((attribute.to_owned(), value)))?;
        Some(rest)
    }
}

fn is_name(attribute: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !attribute.is_empty() && attribute.len() <= MAX_CALLED_LEN && attribute.bytes().all(fits)
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"")
}

/// The value up to the quote that ends it, and what follows that.
fn unescaped(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return Some((value, characters.as_str())),
            '\\' => value.push(characters.next()?),
            other => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limits::MAX_DETAIL_LEN;

    #[test]
    fn a_detail_has_the_words_of_the_description() {
        let mut about = About { predecessor: Some("0197-a".into()), ..About::default() };
        about.call("Name", "vm \"42\"");
        about.call("x-Component", "Virtual Machine");
        about.call("x, successor 0197", "no name");
        let text = about.write(MAX_DETAIL_LEN).unwrap();
        assert_eq!(text, "predecessor 0197-a, Name \"vm \\\"42\\\"\", x-Component \"Virtual Machine\"");
        assert_eq!(About::split(&format!("version 1.4, as me: {text}")), ("version 1.4, as me", about.clone()));
        assert_eq!(About::split(&text), ("", about));
        assert_eq!(About::default().write(MAX_DETAIL_LEN), None);
    }

    #[test]
    fn other_details_say_nothing_of_the_object() {
        for detail in
            ["", "version 1.4", "version 2.1: pending", "due at 5", "Name \"a", "Name \"a\" b", "predecessor "]
        {
            assert_eq!(About::split(detail), (detail, About::default()));
        }
    }

    #[test]
    fn what_has_no_room_is_left_out_whole() {
        let mut about = About { successor: Some("0197".into()), ..About::default() };
        about.call("Name", "a long name");
        about.call("x-a", "b");
        assert_eq!(about.write(6), None);
        assert_eq!(about.write(13).unwrap(), "x-a \"b\"");
        assert_eq!(about.write(14).unwrap(), "successor 0197");
        assert_eq!(about.write(23).unwrap(), "successor 0197, x-a \"b\"");
    }

    proptest! {
        #[test]
        fn no_value_is_taken_for_another_part(values in prop::collection::vec("[a-z\"\\\\, :]{0,80}", 0..4), old in any::<bool>()) {
            let mut about = About { predecessor: old.then(|| "0197".into()), ..About::default() };
            values.iter().for_each(|value| about.call("x-Name", value));
            let text = about.write(usize::MAX);
            prop_assert_eq!(text.as_deref().map_or(Some(About::default()), About::parse), Some(about));
        }
    }
}
