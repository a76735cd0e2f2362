//! A message as a tree, read byte by byte with nothing of the server's own decoder.

use std::fmt;

/// Tag (3 bytes), type (1), length (4). KMIP 1.4 §9.1.1.
const HEADER: usize = 8;
/// Every value is padded to a multiple of this.
const ALIGNMENT: usize = 8;

/// A type of the encoding. KMIP 1.4 §9.1.1.2, 2.1 §9.1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Fields.
    Structure,
    /// 32 bits.
    Integer,
    /// 64 bits.
    LongInteger,
    /// Any multiple of 8 bytes.
    BigInteger,
    /// 32 bits.
    Enumeration,
    /// 64 bits, 0 or 1.
    Boolean,
    /// UTF-8.
    Text,
    /// Bytes.
    Bytes,
    /// Seconds, 64 bits.
    DateTime,
    /// Seconds, 32 bits.
    Interval,
    /// Microseconds, 64 bits; of 2.x.
    DateTimeExtended,
}

impl Kind {
    fn of(value: u8) -> Option<Self> {
        Some(match value {
            1 => Self::Structure,
            2 => Self::Integer,
            3 => Self::LongInteger,
            4 => Self::BigInteger,
            5 => Self::Enumeration,
            6 => Self::Boolean,
            7 => Self::Text,
            8 => Self::Bytes,
            9 => Self::DateTime,
            10 => Self::Interval,
            11 => Self::DateTimeExtended,
            _ => return None,
        })
    }

    /// Whether a value may have this length.
    const fn has_len(self, len: usize) -> bool {
        match self {
            Self::Integer | Self::Enumeration | Self::Interval => len == 4,
            Self::LongInteger | Self::Boolean | Self::DateTime | Self::DateTimeExtended => len == 8,
            Self::BigInteger => len != 0 && len.is_multiple_of(8),
            Self::Structure => len.is_multiple_of(ALIGNMENT),
            Self::Text | Self::Bytes => true,
        }
    }
}

/// An item and what is in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Tree {
    /// Its tag.
    pub tag: u32,
    /// Its type.
    pub kind: Kind,
    /// The value without padding; empty for a structure.
    pub value: Vec<u8>,
    /// The fields of a structure.
    pub children: Vec<Self>,
}

impl Tree {
    /// Reads exactly one item.
    ///
    /// # Errors
    /// What is not as the specification has it, as text.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        match Self::first(bytes)? {
            (tree, []) => Ok(tree),
            (tree, rest) => Err(format!("{} bytes after {:06x}", rest.len(), tree.tag)),
        }
    }

    fn first(bytes: &[u8]) -> Result<(Self, &[u8]), String> {
        let (header, rest) = bytes.split_at_checked(HEADER).ok_or("a header is cut short")?;
        let [t1, t2, t3, kind, l1, l2, l3, l4] = *header else { return Err("a header is cut short".to_owned()) };
        let tag = u32::from_be_bytes([0, t1, t2, t3]);
        let kind = Kind::of(kind).ok_or_else(|| format!("{tag:06x} has type {kind:#x}"))?;
        let len = usize::try_from(u32::from_be_bytes([l1, l2, l3, l4])).map_err(|error| error.to_string())?;
        if !kind.has_len(len) {
            return Err(format!("{tag:06x} of type {kind:?} has length {len}"));
        }
        let (padded, rest) = rest
            .split_at_checked(len.next_multiple_of(ALIGNMENT))
            .ok_or_else(|| format!("{tag:06x} is longer than what it is in"))?;
        let (value, padding) = padded.split_at(len);
        if padding.iter().any(|byte| *byte != 0) {
            return Err(format!("{tag:06x} is padded with something"));
        }
        let mut tree = Self { tag, kind, value: Vec::new(), children: Vec::new() };
        match kind {
            Kind::Structure => {
                let mut fields = value;
                while !fields.is_empty() {
                    let (field, after) = Self::first(fields)?;
                    tree.children.push(field);
                    fields = after;
                }
            }
            Kind::Text if std::str::from_utf8(value).is_err() => return Err(format!("{tag:06x} is not UTF-8")),
            Kind::Boolean if !matches!(value, [0, 0, 0, 0, 0, 0, 0, 0 | 1]) => {
                return Err(format!("{tag:06x} is neither true nor false"));
            }
            _ => tree.value = value.to_vec(),
        }
        Ok((tree, rest))
    }

    /// The first field with this tag.
    #[must_use]
    pub fn child(&self, tag: kmip::Tag) -> Option<&Self> {
        self.all(tag).next()
    }

    /// Every field with this tag.
    pub fn all(&self, tag: kmip::Tag) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.tag == tag.value())
    }

    /// The tags of the fields, in order.
    #[must_use]
    pub fn tags(&self) -> Vec<u32> {
        self.children.iter().map(|child| child.tag).collect()
    }

    /// This item and everything in it.
    pub fn walk(&self, visit: &mut impl FnMut(&Self)) {
        visit(self);
        for child in &self.children {
            child.walk(visit);
        }
    }

    /// The value of an Integer, an Enumeration or an Interval.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        match self.kind {
            Kind::Integer | Kind::Enumeration | Kind::Interval => {
                Some(u32::from_be_bytes(self.value.as_slice().try_into().ok()?))
            }
            _ => None,
        }
    }

    /// The value of a Text String.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self.kind {
            Kind::Text => std::str::from_utf8(&self.value).ok(),
            _ => None,
        }
    }
}

impl fmt::Debug for Tree {
    /// Tags, types and lengths; a value may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Structure => {
                write!(f, "{:06x}", self.tag)?;
                f.debug_list().entries(&self.children).finish()
            }
            Kind::Integer | Kind::Enumeration => write!(f, "{:06x}={}", self.tag, self.number().unwrap_or_default()),
            kind => write!(f, "{:06x}:{kind:?}({})", self.tag, self.value.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: [u8; 16] = [0x42, 0, 0x55, 7, 0, 0, 0, 3, b'a', b'b', b'c', 0, 0, 0, 0, 0];

    #[test]
    fn a_structure_is_read_field_by_field() {
        let bytes = [[0x42, 0, 0x53, 1, 0, 0, 0, 32].as_slice(), &TEXT, &TEXT].concat();
        let tree = Tree::read(&bytes).unwrap();
        assert_eq!(tree.tags(), [0x42_0055, 0x42_0055]);
        assert_eq!(tree.children[1].text(), Some("abc"));
        let mut visited = 0;
        tree.walk(&mut |_| visited += 1);
        assert_eq!(visited, 3);
    }

    #[test]
    fn what_a_lenient_reader_would_take_is_refused() {
        let mut padded = TEXT;
        padded[15] = 1;
        let mut boolean = [0x42, 0, 0x10, 6, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 2];
        for bytes in [
            &padded[..],
            &TEXT[..8],
            &TEXT[..15],
            &[TEXT, TEXT].concat()[..],
            &[0x42, 0, 0x55, 12, 0, 0, 0, 0],
            &[0x42, 0, 0x55, 2, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0x42, 0, 0x55, 7, 0, 0, 0, 1, 0xff, 0, 0, 0, 0, 0, 0, 0],
            &boolean[..],
        ] {
            assert!(Tree::read(bytes).is_err(), "{bytes:?}");
        }
        boolean[15] = 1;
        Tree::read(&boolean).unwrap();
    }
}
