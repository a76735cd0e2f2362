//! Messages as XML. KMIP Profiles 1.4 §5.4, 2.1 §5.4.
//!
//! XML is transcoded from and to TTLV by the tables of the registry; no structure of the protocol is described here. An
//! item is `<Name type="Type" value="..."/>`, a structure has its items inside, and a tag without a name stands as
//! `<TTLV tag="0x540001" ...>`. How values are spelt is said in [`encoding`](crate::encoding).
//!
//! [`to_ttlv`] and [`from_ttlv`] are for messages on their way. An [`Element`] is a document as a tree whose values are
//! still text: who has placeholders to fill in edits it before it becomes TTLV.

mod element;
mod error;
mod event;
mod read;
mod write;

pub use element::Element;
pub use error::XmlError;
pub use read::to_ttlv;
pub use write::from_ttlv;

/// The element of an item whose tag has no name; the tag stands in its attribute `tag`.
const UNNAMED: &str = "TTLV";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::EncodingErrorKind as Kind;
    use crate::limits::{MAX_DEPTH, MAX_DOCUMENT_ITEMS, MAX_ELEMENT_ATTRIBUTES};
    use crate::registry::Tag;
    use crate::ttlv::{ItemType, Reader, Writer};
    use crate::version::ProtocolVersion;

    /// An element and its TTLV, where the value is what is written of it; then other spellings of the value.
    type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

    const SPELLINGS: [Row; 23] = [
        ("BatchCount", "Integer", "-3", "42000d 02 00000004 fffffffd00000000", &["0xfffffffd", "0xFFFFFFFD"]),
        ("BatchCount", "Integer", "10", "42000d 02 00000004 0000000a00000000", &["0x0000000a", "0xA", "+10", "010"]),
        (
            "CryptographicUsageMask",
            "Integer",
            "Encrypt Decrypt 0x40000000",
            "42002c 02 00000004 4000000c00000000",
            &["Decrypt  Encrypt 0x40000000", "0x40000004 Decrypt", "0x4000000c", "1073741836", " Decrypt\t0x4000000c "],
        ),
        ("CryptographicUsageMask", "Integer", "0", "42002c 02 00000004 0000000000000000", &["0x00000000"]),
        ("StorageStatusMask", "Integer", "OnLineStorage", "42008e 02 00000004 0000000100000000", &["1", "0x1"]),
        (
            "UsageLimitsTotal",
            "LongInteger",
            "-9223372036854775808",
            "420097 03 00000008 8000000000000000",
            &["0x8000000000000000"],
        ),
        ("UsageLimitsTotal", "LongInteger", "4503599627370496", "420097 03 00000008 0010000000000000", &[]),
        (
            "Modulus",
            "BigInteger",
            "ffffffffffffffff",
            "420052 04 00000008 ffffffffffffffff",
            &["FFFFFFFFFFFFFFFF", "0xffffffffffffffff", "Ff"],
        ),
        (
            "Modulus",
            "BigInteger",
            "00000000000000008000000000000000",
            "420052 04 00000010 00000000000000008000000000000000",
            &["008000000000000000"],
        ),
        ("ObjectType", "Enumeration", "SymmetricKey", "420057 05 00000004 0000000200000000", &["0x00000002", "0x2"]),
        ("ObjectType", "Enumeration", "0x80123456", "420057 05 00000004 8012345600000000", &[]),
        ("CryptographicAlgorithm", "Enumeration", "DES3", "420028 05 00000004 0000000200000000", &["0x00000002"]),
        (
            "AttributeReference",
            "Enumeration",
            "CryptographicLength",
            "42013b 05 00000004 0042002a00000000",
            &["0x0042002a"],
        ),
        ("Fresh", "Boolean", "true", "4200a8 06 00000008 0000000000000001", &["1", "0x0000000000000001"]),
        ("Fresh", "Boolean", "false", "4200a8 06 00000008 0000000000000000", &["0", "0x0000000000000000"]),
        ("UniqueIdentifier", "TextString", "", "420094 07 00000000", &[]),
        (
            "UniqueIdentifier",
            "TextString",
            "&lt;&#10;é>",
            "420094 07 00000005 3c0ac3a93e000000",
            &["&#60;&#xA;&#xe9;&gt;"],
        ),
        ("Data", "ByteString", "00ff", "4200c2 08 00000002 00ff000000000000", &["00FF"]),
        ("Data", "ByteString", "", "4200c2 08 00000000", &[]),
        (
            "TimeStamp",
            "DateTime",
            "2008-03-14T11:56:40Z",
            "420092 09 00000008 0000000047da67f8",
            &[
                "2008-03-14T13:56:40+02:00",
                "2008-03-14T11:56:40.999-00:00",
                "2008-03-14T13:56:40+0200",
                "20080314T115640Z",
                "0x0000000047da67f8",
            ],
        ),
        ("ActivationDate", "DateTime", "0x8000000000000000", "420001 09 00000008 8000000000000000", &[]),
        ("LeaseTime", "Interval", "4294967295", "420049 0a 00000004 ffffffff00000000", &["0xffffffff"]),
        (
            "TimeStamp",
            "DateTimeExtended",
            "1969-12-31T23:59:59.999999Z",
            "420092 0b 00000008 ffffffffffffffff",
            &["1970-01-01T02:59:59.999999+03:00", "0xffffffffffffffff"],
        ),
    ];

    #[test]
    fn one_spelling_is_written_and_every_spelling_is_read() {
        for (name, item_type, written, ttlv, others) in SPELLINGS {
            let ttlv = hex::decode(ttlv.replace(' ', "")).unwrap();
            let element = |value: &str| format!("<{name} type=\"{item_type}\" value=\"{value}\"/>");
            assert_eq!(*from_ttlv(&ttlv).unwrap(), element(written));
            for value in others.iter().chain([&written]) {
                assert_eq!(to_ttlv(&element(value)).as_deref(), Ok(&ttlv), "{name} {value}");
                // The tree reads the same, and finds the same in the message.
                let tree = Element::parse(&element(value)).unwrap();
                assert_eq!(tree.to_ttlv().as_deref(), Ok(&ttlv), "{name} {value}");
                assert_eq!(Element::from_ttlv(&ttlv).unwrap().print().unwrap().trim_end(), element(written));
            }
        }
        let types: std::collections::HashSet<_> = SPELLINGS.iter().map(|row| row.1).collect();
        assert_eq!(types.len(), ItemType::ALL.len() - 1, "every type but structures");
    }

    #[test]
    fn other_values_are_refused() {
        for (item_type, values) in [
            (
                ItemType::Integer,
                &["", " ", "2147483648", "0x100000000", "1.0", "0x", "0x-1", "12 13", "--1", "1e3"][..],
            ),
            (ItemType::LongInteger, &["", "9223372036854775808", "0x10000000000000000", "Encrypt", "1 2"]),
            (ItemType::BigInteger, &["", "0x", "abc", "0xabc", "-01", "zz"]),
            (ItemType::Enumeration, &["0x", "0x100000000", "0x-1"]),
            (ItemType::Boolean, &["", "TRUE", "yes", "2", "0x2", "0x"]),
            (ItemType::ByteString, &["abc", "0xab", "a b", "zz"]),
            (
                ItemType::DateTime,
                &["", "$NOW", "0", "1205495800", "2008-03-14", "2008-03-14T11:56:40", "2008-13-14T11:56:40Z", "0x"],
            ),
            (ItemType::DateTimeExtended, &["", "2008-03-14T11:56:40", "0x10000000000000000"]),
            (ItemType::Interval, &["", "-1", "4294967296", "0x100000000", "1.5"]),
        ] {
            for value in values {
                let xml = format!(" <BatchCount type=\"{item_type}\" value=\"{value}\"/>");
                let fault = Kind::Value { tag: Tag::BATCH_COUNT, item_type }.at(1);
                assert_eq!(to_ttlv(&xml), Err(fault), "{xml}");
                let unread = XmlError::Value { element: "BatchCount".to_owned(), item_type };
                assert_eq!(Element::parse(&xml).unwrap().to_ttlv(), Err(unread), "{xml}");
            }
        }
        let fault = Kind::Value { tag: Tag::BATCH_COUNT, item_type: ItemType::Integer }.at(0);
        assert_eq!(fault.to_string(), "Batch Count has no value of type Integer at byte 0");
    }

    #[test]
    fn names_are_those_of_the_table() {
        for (xml, tag) in [
            (r#"<State type="Enumeration" value="DES3"/>"#, Tag::STATE),
            (r#"<State type="Enumeration" value="active"/>"#, Tag::STATE),
            (r#"<State type="Enumeration" value="1"/>"#, Tag::STATE),
            (r#"<BatchCount type="Integer" value="Encrypt"/>"#, Tag::BATCH_COUNT),
            (r#"<CryptographicUsageMask type="Integer" value="Encrypt|Decrypt"/>"#, Tag::CRYPTOGRAPHIC_USAGE_MASK),
            (r#"<CryptographicUsageMask type="Integer" value="Encrypt Nonsense"/>"#, Tag::CRYPTOGRAPHIC_USAGE_MASK),
        ] {
            assert_eq!(to_ttlv(xml), Err(Kind::UnknownName { tag }.at(0)), "{xml}");
        }
    }

    #[test]
    fn an_attribute_value_has_the_names_of_its_attribute() {
        let xml = r#"<Attribute>
  <AttributeName type="TextString" value="Cryptographic Algorithm"/>
  <AttributeValue type="Enumeration" value="DES3"/>
</Attribute>
"#;
        let bytes = to_ttlv(xml).unwrap();
        assert_eq!(*from_ttlv(&bytes).unwrap(), xml.lines().map(str::trim_start).collect::<String>());
        let tree = Element::from_ttlv(&bytes).unwrap();
        assert_eq!((tree.print().unwrap().as_str(), &tree), (xml, &Element::parse(xml).unwrap()));
        let elsewhere = xml.replace("Cryptographic Algorithm", "State");
        let at = elsewhere.find("<AttributeValue").unwrap();
        assert_eq!(to_ttlv(&elsewhere), Err(Kind::UnknownName { tag: Tag::ATTRIBUTE_VALUE }.at(at)));
        assert_eq!(
            Element::parse(&elsewhere).unwrap().to_ttlv(),
            Err(XmlError::UnknownName { element: "AttributeValue".to_owned(), name: "DES3".to_owned() })
        );
        let numbered = xml.replace("<AttributeName", "<TTLV tag=\"0x42000a\"");
        assert_eq!(to_ttlv(&numbered).unwrap(), bytes);
        assert_eq!(Element::parse(&numbered).unwrap().to_ttlv().unwrap(), bytes);
        let vendors = xml.replace("Cryptographic Algorithm", "x-Algorithm");
        assert!(to_ttlv(&vendors).is_err());
        assert!(to_ttlv(&vendors.replace("DES3", "0x00000002")).is_ok());
    }

    #[test]
    fn a_tag_without_a_name_stands_as_a_number() {
        let xml = "<TTLV tag=\"0x540001\" type=\"TextString\" value=\"a &lt; &quot;b&quot; &amp; &#10;c\"/>";
        let bytes = to_ttlv(xml).unwrap();
        let item = Reader::new(&bytes, ProtocolVersion::V1_4).next_item().unwrap().unwrap();
        assert_eq!((item.tag, item.text()), (Tag(0x54_0001), Ok("a < \"b\" & \nc")));
        assert_eq!(*from_ttlv(&bytes).unwrap(), xml);
        let named = to_ttlv("<Fresh type=\"Boolean\" value=\"true\"/>").unwrap();
        for tag in ["0x4200a8", "0x4200A8", "Fresh"] {
            let xml = format!("<TTLV tag=\"{tag}\" name=\"Fresh\" type=\"Boolean\" value=\"true\"/>");
            assert_eq!(to_ttlv(&xml).unwrap(), named, "{tag}");
        }
    }

    #[test]
    fn what_surrounds_and_adorns_items_is_passed_over() {
        let plain = to_ttlv("<BatchItem><BatchCount type=\"Integer\" value=\"1\"/></BatchItem>").unwrap();
        for xml in [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><BatchItem><BatchCount type='Integer' value='1' /></BatchItem>",
            "\u{feff}<BatchItem type=\"Structure\">\r\n<BatchCount value=\"1\" type=\"Integer\"></BatchCount></BatchItem>\n",
            "<!-- a --><k:BatchItem xmlns:k=\"urn:k\"><?pi?><k:BatchCount type=\"Integer\" value=\"&#49;\"/></k:BatchItem>",
        ] {
            assert_eq!(to_ttlv(xml).as_deref(), Ok(&*plain), "{xml}");
        }
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
    fn remarks_stand_between_the_messages_of_a_test_case_only() {
        let case = Element::parse("<KMIP># TIME 0 <RequestMessage/># TIME 1 <ResponseMessage/></KMIP>").unwrap();
        assert_eq!(
            case.children.iter().map(|child| child.name.as_str()).collect::<Vec<_>>(),
            ["RequestMessage", "ResponseMessage"]
        );
        assert!(to_ttlv("<RequestMessage># TIME 0 <BatchItem/></RequestMessage>").is_err());
    }

    #[test]
    fn what_is_not_an_item_is_refused_where_it_stands() {
        for (xml, kind, offset) in [
            ("", Kind::Syntax("a document without an element"), 0),
            ("<!-- -->", Kind::Syntax("a document without an element"), 8),
            ("text", Kind::Syntax("text between elements"), 0),
            ("<BatchItem>", Kind::Syntax("the end of the document, with elements open"), 11),
            ("<BatchItem>text</BatchItem>", Kind::Syntax("text between elements"), 11),
            ("<BatchItem><![CDATA[a]]></BatchItem>", Kind::Syntax("text between elements"), 11),
            ("<BatchItem>&amp;</BatchItem>", Kind::Syntax("text between elements"), 11),
            ("<BatchItem></BatchCount>", Kind::Syntax("not well-formed XML"), 11),
            ("</BatchItem>", Kind::Syntax("not well-formed XML"), 0),
            ("<BatchItem/><BatchItem/>", Kind::Syntax("a second root element"), 12),
            ("<BatchItem><NoSuchTag/></BatchItem>", Kind::UnknownTag, 11),
            ("<!DOCTYPE a [<!ENTITY b \"c\">]><BatchItem/>", Kind::Syntax("a document type"), 0),
            ("<?xml version=\"1.0\" encoding=\"UTF-16\"?><BatchItem/>", Kind::NotUtf8, 0),
            (r#"<BatchCount type="Integer"/>"#, Kind::Value { tag: Tag::BATCH_COUNT, item_type: ItemType::Integer }, 0),
            (r#"<BatchCount value="1"/>"#, Kind::Value { tag: Tag::BATCH_COUNT, item_type: ItemType::Structure }, 0),
            (
                r#"<BatchCount type="Integer" value="1"><Data/></BatchCount>"#,
                Kind::Syntax("an element inside a value"),
                37,
            ),
            (r#"<BatchCount type="Number" value="1"/>"#, Kind::UnknownType, 0),
            (r#"<BatchCount type="integer" value="1"/>"#, Kind::UnknownType, 0),
            (
                r#"<BatchCount type="Integer" value="1" value="2"/>"#,
                Kind::Syntax("an attribute twice, or not well formed"),
                0,
            ),
            (r#"<UniqueIdentifier type="TextString" value="&b;"/>"#, Kind::Syntax("an unknown entity"), 0),
            (r#"<TTLV type="Integer" value="1"/>"#, Kind::UnknownTag, 0),
            (r#"<TTLV tag="540001" type="Integer" value="1"/>"#, Kind::UnknownTag, 0),
            (r#"<TTLV tag="0x1000000" type="Integer" value="1"/>"#, Kind::UnknownTag, 0),
            (r#"<TTLV tag="0x42" type="Integer" value="1"/>"#, Kind::UnknownTag, 0),
        ] {
            assert_eq!(to_ttlv(xml), Err(kind.at(offset)), "{xml}");
        }
    }

    #[test]
    fn every_limit_holds() {
        let nested = |depth: usize| format!("{}{}", "<BatchItem>".repeat(depth), "</BatchItem>".repeat(depth));
        let deepest = to_ttlv(&nested(MAX_DEPTH)).unwrap();
        assert_eq!(Reader::new(&deepest, ProtocolVersion::V2_1).check_all(), Ok(()));
        assert_eq!(to_ttlv(&nested(MAX_DEPTH + 1)).unwrap_err().kind, Kind::TooDeep);
        assert_eq!(Element::parse(&nested(MAX_DEPTH + 1)).unwrap().to_ttlv(), Err(XmlError::TooDeep));
        assert_eq!(Element::parse(&nested(MAX_DEPTH + 3)), Err(Kind::TooDeep.at(11 * (MAX_DEPTH + 2)).into()));

        let inside = |count: usize| format!("<BatchItem>{}</BatchItem>", "<Q/>".repeat(count));
        assert!(to_ttlv(&inside(MAX_DOCUMENT_ITEMS - 1)).is_ok());
        let more = to_ttlv(&inside(MAX_DOCUMENT_ITEMS)).unwrap_err();
        assert_eq!(more.kind, Kind::TooManyItems { limit: MAX_DOCUMENT_ITEMS });

        let attributes = |count: usize| {
            let attributes: String = (0..count).map(|at| format!(" a{at}=\"\"")).collect();
            format!("<BatchItem{attributes}/>")
        };
        assert!(to_ttlv(&attributes(MAX_ELEMENT_ATTRIBUTES)).is_ok());
        assert!(to_ttlv(&attributes(MAX_ELEMENT_ATTRIBUTES + 1)).is_err());
    }

    #[test]
    fn a_character_that_xml_lacks_has_no_xml() {
        for c in ['\0', '\u{1b}', '\u{ffff}'] {
            let mut writer = Writer::new(ProtocolVersion::V2_1);
            writer.structure(Tag::BATCH_ITEM, |w| w.text(Tag::COMMENT, &c.to_string()));
            let ttlv = writer.finish();
            assert_eq!(from_ttlv(&ttlv), Err(Kind::NotXml { tag: Tag::COMMENT }.at(8)));
            assert_eq!(Element::from_ttlv(&ttlv).unwrap().print(), Err(XmlError::NotXml("Comment".to_owned())));
        }
    }
}
