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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Tag;
    use crate::ttlv::{ItemType, Reader};
    use crate::version::ProtocolVersion;

    fn value<T>(xml: &str, read: impl FnOnce(&crate::ttlv::Item<'_>) -> T) -> T {
        let bytes = to_ttlv(xml).unwrap();
        let item = Reader::new(&bytes, ProtocolVersion::V1_4).next_item().unwrap().unwrap();
        read(&item)
    }

    #[test]
    fn values_have_the_forms_of_the_profile() {
        assert_eq!(value(r#"<BatchCount type="Integer" value="-3"/>"#, |item| item.integer()), Ok(-3));
        assert_eq!(
            value(r#"<CryptographicUsageMask type="Integer" value="Decrypt  Encrypt 0x100"/>"#, |item| item.integer()),
            Ok(0x10C)
        );
        assert_eq!(value(r#"<LeaseTime type="Interval" value="3600"/>"#, |item| item.interval()), Ok(3600));
        assert_eq!(value(r#"<ObjectType type="Enumeration" value="SymmetricKey"/>"#, |item| item.enumeration()), Ok(2));
        assert_eq!(
            value(r#"<ObjectType type="Enumeration" value="0x80123456"/>"#, |item| item.enumeration()),
            Ok(0x8012_3456)
        );
        assert_eq!(value(r#"<Fresh type="Boolean" value="true"/>"#, |item| item.boolean()), Ok(true));
        for date in ["2008-03-14T11:56:40Z", "2008-03-14T13:56:40+02:00", "2008-03-14T11:56:40.000-00:00"] {
            let xml = format!(r#"<TimeStamp type="DateTime" value="{date}"/>"#);
            assert_eq!(value(&xml, |item| item.date_time()), Ok(1_205_495_800), "{date}");
        }
        assert_eq!(value(r#"<Modulus type="BigInteger" value="Ff"/>"#, |item| item.value_bytes().to_vec()), [0xFF; 8]);
    }

    #[test]
    fn an_attribute_value_has_the_names_of_its_attribute() {
        let xml = r#"<Attribute>
  <AttributeName type="TextString" value="Cryptographic Algorithm"/>
  <AttributeValue type="Enumeration" value="DES3"/>
</Attribute>
"#;
        let bytes = to_ttlv(xml).unwrap();
        assert_eq!(from_ttlv(&bytes).unwrap(), xml);
        let elsewhere = xml.replace("Cryptographic Algorithm", "State");
        assert_eq!(
            to_ttlv(&elsewhere),
            Err(XmlError::UnknownName { element: "AttributeValue".to_owned(), name: "DES3".to_owned() })
        );
    }

    #[test]
    fn a_tag_without_a_name_stands_as_a_number() {
        let xml = "<TTLV tag=\"0x540001\" type=\"TextString\" value=\"a &lt; &quot;b&quot; &amp; &#10;c\"/>\n";
        let bytes = to_ttlv(xml).unwrap();
        let item = Reader::new(&bytes, ProtocolVersion::V1_4).next_item().unwrap().unwrap();
        assert_eq!((item.tag, item.text()), (Tag(0x54_0001), Ok("a < \"b\" & \nc")));
        assert_eq!(from_ttlv(&bytes).unwrap(), xml);
    }

    #[test]
    fn a_date_outside_the_calendar_survives_as_a_number() {
        let mut writer = crate::ttlv::Writer::new(ProtocolVersion::V1_4);
        writer.date_time(Tag::ACTIVATION_DATE, i64::MIN);
        let bytes = writer.finish();
        assert_eq!(to_ttlv(&from_ttlv(&bytes).unwrap()).unwrap(), bytes);
    }

    #[test]
    fn placeholders_can_be_filled_in_before_the_values_are_read() {
        let mut element = Element::parse(r#"<TimeStamp type="DateTime" value="$NOW"/>"#).unwrap();
        let unfilled = XmlError::Value { element: "TimeStamp".to_owned(), item_type: ItemType::DateTime };
        assert_eq!(element.to_ttlv(), Err(unfilled));
        element.value = Some("1970-01-01T00:00:00Z".to_owned());
        assert!(element.to_ttlv().is_ok());
    }

    #[test]
    fn what_is_not_an_item_is_refused() {
        for xml in [
            "",
            "text",
            "<BatchItem>",
            "<BatchItem>text</BatchItem>",
            "<BatchItem></BatchCount>",
            "<BatchItem/><BatchItem/>",
            "<NoSuchTag/>",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><BatchItem/>",
            r#"<BatchCount type="Integer"/>"#,
            r#"<BatchCount type="Integer" value=""/>"#,
            r#"<BatchCount type="Integer" value="4294967296"/>"#,
            r#"<BatchCount type="Number" value="1"/>"#,
            r#"<UniqueIdentifier type="TextString" value="&b;"/>"#,
            r#"<TTLV tag="0x1000000" type="Integer" value="1"/>"#,
            r#"<Data type="ByteString" value="abc"/>"#,
        ] {
            assert!(to_ttlv(xml).is_err(), "{xml}");
        }
        let deep = format!("{}{}", "<BatchItem>".repeat(40), "</BatchItem>".repeat(40));
        assert_eq!(to_ttlv(&deep), Err(XmlError::TooDeep));
    }
}
