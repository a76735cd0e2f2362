//! Elements to text.

use std::fmt::Write as _;

use super::{Element, XmlError};
use crate::ttlv::ItemType;

impl Element {
    /// The element as indented XML.
    ///
    /// # Errors
    /// [`XmlError::NotXml`] for a character that XML 1.0 cannot represent, such as NUL.
    pub fn print(&self) -> Result<String, XmlError> {
        let mut xml = String::new();
        self.print_at(0, &mut xml)?;
        Ok(xml)
    }

    fn print_at(&self, depth: usize, xml: &mut String) -> Result<(), XmlError> {
        indent(depth, xml);
        let _ = write!(xml, "<{}", self.name);
        if let Some(tag) = self.tag {
            let _ = write!(xml, " tag=\"{:#08x}\"", tag.value());
        }
        if self.item_type != ItemType::Structure {
            let _ = write!(xml, " type=\"{}\" value=\"", self.item_type);
            for c in self.value.as_deref().unwrap_or_default().chars() {
                escape(c, xml).map_err(|NotACharacter| XmlError::NotXml(self.name.clone()))?;
            }
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
        let _ = writeln!(xml, "</{}>", self.name);
        Ok(())
    }
}

fn indent(depth: usize, xml: &mut String) {
    for _ in 0..depth {
        xml.push_str("  ");
    }
}

struct NotACharacter;

/// Appends `c` so that it survives in an attribute between double quotes.
fn escape(c: char, xml: &mut String) -> Result<(), NotACharacter> {
    match c {
        '&' => xml.push_str("&amp;"),
        '<' => xml.push_str("&lt;"),
        '"' => xml.push_str("&quot;"),
        // As themselves they would be read as blanks (XML 1.0 §3.3.3).
        '\t' | '\n' | '\r' => {
            let _ = write!(xml, "&#{};", u32::from(c));
        }
        // What is not a Char of XML 1.0 §2.2 cannot even be referred to.
        '\0'..'\u{20}' | '\u{FFFE}' | '\u{FFFF}' => return Err(NotACharacter),
        _ => xml.push(c),
    }
    Ok(())
}
