//! Messages as JSON. KMIP Profiles 1.4 §5.5, 2.1 §5.5.
//!
//! JSON is transcoded from and to TTLV by the tables of the registry; no structure of the protocol is described here. An
//! item is an object: `{"tag":"State","type":"Enumeration","value":"Active"}`. A structure is an object without a type,
//! whose value is the array of its items. A tag without a name stands as its number, `"0x540001"`. The properties may
//! come in any order; a `name`, which is for people, is passed over; a property twice, or any other, is an error. How
//! values are spelt is said in [`encoding`](crate::encoding).

mod read;
mod write;

pub use read::to_ttlv;
pub use write::from_ttlv;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::EncodingErrorKind as Kind;
    use crate::limits::{MAX_DEPTH, MAX_DOCUMENT_ITEMS};
    use crate::registry::Tag;
    use crate::ttlv::{ItemType, Reader};
    use crate::version::ProtocolVersion;

    /// A tag, a type, the value as it is written, the TTLV; then other spellings of the value.
    type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

    const SPELLINGS: [Row; 24] = [
        ("BatchCount", "Integer", "-3", "42000d 02 00000004 fffffffd00000000", &[r#""0xfffffffd""#, r#""0xFFFFFFFD""#]),
        ("BatchCount", "Integer", "10", "42000d 02 00000004 0000000a00000000", &[r#""0x0000000a""#, r#""0xA""#]),
        (
            "CryptographicUsageMask",
            "Integer",
            r#""Encrypt|Decrypt|0x40000000""#,
            "42002c 02 00000004 4000000c00000000",
            &[r#""Decrypt|Encrypt|0x40000000""#, r#"" Decrypt | 0x4000000c""#, r#""0x4000000c""#, "1073741836"],
        ),
        ("CryptographicUsageMask", "Integer", "0", "42002c 02 00000004 0000000000000000", &[r#""0x00000000""#]),
        ("StorageStatusMask", "Integer", r#""OnLineStorage""#, "42008e 02 00000004 0000000100000000", &["1"]),
        (
            "UsageLimitsTotal",
            "LongInteger",
            "-4503599627370495",
            "420097 03 00000008 fff0000000000001",
            &[r#""0xfff0000000000001""#, r#""0xFFF0000000000001""#],
        ),
        ("UsageLimitsTotal", "LongInteger", r#""0x0010000000000000""#, "420097 03 00000008 0010000000000000", &[]),
        ("UsageLimitsTotal", "LongInteger", r#""0xfff0000000000000""#, "420097 03 00000008 fff0000000000000", &[]),
        (
            "Modulus",
            "BigInteger",
            r#""0xffffffffffffffff""#,
            "420052 04 00000008 ffffffffffffffff",
            &[r#""0xFFFFFFFFFFFFFFFF""#, "-1"],
        ),
        (
            "Modulus",
            "BigInteger",
            r#""0x00000000000000008000000000000000""#,
            "420052 04 00000010 00000000000000008000000000000000",
            &[],
        ),
        (
            "ObjectType",
            "Enumeration",
            r#""SymmetricKey""#,
            "420057 05 00000004 0000000200000000",
            &[r#""0x00000002""#, r#""0x2""#, "2", r#""Symmetric\u004bey""#],
        ),
        ("ObjectType", "Enumeration", r#""0x80123456""#, "420057 05 00000004 8012345600000000", &["2148676694"]),
        ("CryptographicAlgorithm", "Enumeration", r#""DES3""#, "420028 05 00000004 0000000200000000", &["2"]),
        (
            "AttributeReference",
            "Enumeration",
            r#""CryptographicLength""#,
            "42013b 05 00000004 0042002a00000000",
            &[r#""0x0042002a""#],
        ),
        ("Fresh", "Boolean", "true", "4200a8 06 00000008 0000000000000001", &[r#""0x0000000000000001""#]),
        ("Fresh", "Boolean", "false", "4200a8 06 00000008 0000000000000000", &[r#""0x0000000000000000""#]),
        ("UniqueIdentifier", "TextString", r#""""#, "420094 07 00000000", &[]),
        (
            "UniqueIdentifier",
            "TextString",
            r#""\"\\\u0000\u000aé😀""#,
            "420094 07 0000000a 225c000ac3a9f09f9880000000000000",
            &[r#""\u0022\u005C\u0000\n\u00e9\ud83d\ude00""#],
        ),
        ("Data", "ByteString", r#""00ff""#, "4200c2 08 00000002 00ff000000000000", &[r#""00FF""#, r#""00\u0046f""#]),
        ("Data", "ByteString", r#""""#, "4200c2 08 00000000", &[]),
        (
            "TimeStamp",
            "DateTime",
            r#""2008-03-14T11:56:40Z""#,
            "420092 09 00000008 0000000047da67f8",
            &[r#""2008-03-14T13:56:40+02:00""#, r#""2008-03-14T11:56:40.999-00:00""#, r#""0x0000000047da67f8""#],
        ),
        ("ActivationDate", "DateTime", r#""0x8000000000000000""#, "420001 09 00000008 8000000000000000", &[]),
        ("LeaseTime", "Interval", "4294967295", "420049 0a 00000004 ffffffff00000000", &[r#""0xffffffff""#]),
        (
            "TimeStamp",
            "DateTimeExtended",
            r#""1969-12-31T23:59:59.999999Z""#,
            "420092 0b 00000008 ffffffffffffffff",
            &[r#""1970-01-01T02:59:59.999999+03:00""#, r#""0xffffffffffffffff""#],
        ),
    ];

    #[test]
    fn one_spelling_is_written_and_every_spelling_is_read() {
        for (tag, item_type, written, ttlv, others) in SPELLINGS {
            let ttlv = hex::decode(ttlv.replace(' ', "")).unwrap();
            let object = |value: &str| format!(r#"{{"tag":"{tag}","type":"{item_type}","value":{value}}}"#);
            assert_eq!(*from_ttlv(&ttlv).unwrap(), object(written));
            for value in others.iter().chain([&written]) {
                assert_eq!(to_ttlv(&object(value)).as_deref(), Ok(&ttlv), "{tag} {value}");
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
                &[
                    "2147483648",
                    "-2147483649",
                    "18446744073709551615",
                    "true",
                    r#""""#,
                    r#""10""#,
                    r#""0x""#,
                    r#""0x100000000""#,
                    r#""0x-1""#,
                    r#""|""#,
                    "[]",
                ][..],
            ),
            (
                ItemType::LongInteger,
                &["4503599627370496", "-4503599627370496", "9223372036854775808", r#""1""#, r#""0x10000000000000000""#],
            ),
            (
                ItemType::BigInteger,
                &[
                    "4503599627370496",
                    "false",
                    r#""""#,
                    r#""0x""#,
                    r#""0xff""#,
                    r#""0000000000000001""#,
                    r#""0x000000000000000g""#,
                ],
            ),
            (ItemType::Enumeration, &["-1", "4294967296", "true", r#""0x""#, r#""0x100000000""#, "[]"]),
            (ItemType::Boolean, &["1", "0", r#""true""#, r#""1""#, r#""0x2""#, r#""0x""#, r#""""#]),
            (ItemType::TextString, &["1", "true", "[]"]),
            (ItemType::ByteString, &["1", r#""abc""#, r#""0xab""#, r#""a b""#, "[]"]),
            (ItemType::DateTime, &["1205495800", r#""2008-03-14""#, r#""2008-03-14T11:56:40""#, r#""0x""#, r#""""#]),
            (ItemType::DateTimeExtended, &["1205495800", r#""2008-03-14T11:56:40""#]),
            (ItemType::Interval, &["-1", "4294967296", r#""3600""#, r#""0x100000000""#]),
            (ItemType::Structure, &["1", "true", r#""""#]),
        ] {
            for value in values {
                for json in [
                    format!(r#"{{"tag":"BatchCount","type":"{item_type}","value":{value}}}"#),
                    format!(r#"{{"value":{value},"type":"{item_type}","tag":"BatchCount"}}"#),
                ] {
                    let fault = Kind::Value { tag: Tag::BATCH_COUNT, item_type }.at(json.len());
                    assert_eq!(to_ttlv(&json), Err(fault), "{json}");
                }
            }
            // What no type has.
            for value in ["null", "1.0", "1e3", "-0", "18446744073709551616", "{}"] {
                let json = format!(r#"{{"tag":"BatchCount","type":"{item_type}","value":{value}}}"#);
                assert_eq!(to_ttlv(&json).unwrap_err().kind, Kind::Syntax("not the JSON of an item"), "{json}");
            }
        }
    }

    #[test]
    fn names_are_those_of_the_table() {
        for (name, item_type, value, tag) in [
            ("State", "Enumeration", "DES3", Tag::STATE),
            ("State", "Enumeration", "1", Tag::STATE),
            ("BatchCount", "Integer", "Encrypt", Tag::BATCH_COUNT),
            ("CryptographicUsageMask", "Integer", "Encrypt Decrypt", Tag::CRYPTOGRAPHIC_USAGE_MASK),
            ("CryptographicUsageMask", "Integer", "Encrypt|Nonsense", Tag::CRYPTOGRAPHIC_USAGE_MASK),
        ] {
            let json = format!(r#"{{"tag":"{name}","type":"{item_type}","value":"{value}"}}"#);
            assert_eq!(to_ttlv(&json).unwrap_err().kind, Kind::UnknownName { tag }, "{json}");
        }
    }

    #[test]
    fn an_attribute_value_has_the_names_of_its_attribute() {
        let json = concat!(
            r#"{"tag":"Attribute","value":["#,
            r#"{"tag":"AttributeName","type":"TextString","value":"Cryptographic Algorithm"},"#,
            r#"{"tag":"AttributeValue","type":"Enumeration","value":"DES3"}]}"#,
        );
        assert_eq!(*from_ttlv(&to_ttlv(json).unwrap()).unwrap(), json);
        for elsewhere in ["State", "x-Algorithm"] {
            let fault = to_ttlv(&json.replace("Cryptographic Algorithm", elsewhere)).unwrap_err();
            assert_eq!(fault.kind, Kind::UnknownName { tag: Tag::ATTRIBUTE_VALUE });
        }
        // What an attribute is called ends with the structure around it.
        let two = format!(
            r#"{{"tag":"BatchItem","value":[{json},{{"tag":"AttributeValue","type":"Enumeration","value":"DES3"}}]}}"#
        );
        assert!(to_ttlv(&two).is_err());
    }

    #[test]
    fn properties_come_in_any_order() {
        let ordered = r#"{"tag":"BatchItem","type":"Structure","value":[{"tag":"CryptographicUsageMask","type":"Integer",
            "value":"Sign"},{"tag":"Attribute","value":[{"tag":"AttributeName","type":"TextString","value":"State"},
            {"tag":"AttributeValue","type":"Enumeration","value":"Active"}]},{"tag":"Data","type":"ByteString",
            "value":"00"},{"tag":"RequestPayload"}]}"#;
        let mixed = r#"{"value":[{"value":"Sign","tag":"CryptographicUsageMask","type":"Integer"},
            {"value":[{"value":"State","type":"TextString","tag":"AttributeName"},
            {"type":"Enumeration","value":"Active","tag":"0x42000b"}],"name":"Attribute","tag":"Attribute"},
            {"tag":"Data","value":"\u00300","type":"ByteString"},{"tag":"RequestPayload","value":[]}],"type":"Structure",
            "tag":"BatchItem","name":"any \"name\""}"#;
        assert_eq!(to_ttlv(mixed).unwrap(), to_ttlv(ordered).unwrap());
    }

    #[test]
    fn a_tag_without_a_name_stands_as_a_number() {
        let json = r#"{"tag":"0x540001","type":"TextString","value":"a"}"#;
        let bytes = to_ttlv(json).unwrap();
        let item = Reader::new(&bytes, ProtocolVersion::V1_4).next_item().unwrap().unwrap();
        assert_eq!((item.tag, item.text()), (Tag(0x54_0001), Ok("a")));
        assert_eq!(*from_ttlv(&bytes).unwrap(), json);
        let named = to_ttlv(r#"{"tag":"Fresh","type":"Boolean","value":true}"#).unwrap();
        for tag in ["0x4200a8", "0x4200A8"] {
            let json = format!(r#"{{"tag":"{tag}","name":"Fresh","type":"Boolean","value":true}}"#);
            assert_eq!(to_ttlv(&json).unwrap(), named, "{tag}");
        }
    }

    #[test]
    fn what_is_not_an_item_is_refused_where_it_stands() {
        for (json, kind, offset) in [
            ("", Kind::Syntax("not well-formed JSON"), 0),
            ("  \n\n ", Kind::Syntax("not well-formed JSON"), 5),
            ("[]", Kind::Syntax("not the JSON of an item"), 0),
            ("1", Kind::Syntax("not the JSON of an item"), 1),
            ("{}", Kind::Syntax("an item without a tag"), 2),
            ("{\"value\":[]}", Kind::Syntax("an item without a tag"), 12),
            ("{\"tag\":\"NoSuchTag\"}", Kind::UnknownTag, 18),
            ("{\n\"tag\":\n \"0x42\"}", Kind::UnknownTag, 16),
            ("{\"tag\":\"0x1000000\"}", Kind::UnknownTag, 18),
            ("{\"tag\":4325386}", Kind::Syntax("not the JSON of an item"), 14),
            ("{\"tag\":null}", Kind::Syntax("not the JSON of an item"), 11),
            ("{\"tag\":\"BatchItem\",\"type\":\"Number\"}", Kind::UnknownType, 34),
            ("{\"tag\":\"BatchItem\",\"tag\":\"BatchItem\"}", Kind::Syntax("a property twice"), 36),
            ("{\"tag\":\"BatchItem\",\"value\":[],\"value\":[]}", Kind::Syntax("a property twice"), 40),
            ("{\"tag\":\"BatchItem\",\"name\":\"a\",\"name\":\"a\"}", Kind::Syntax("a property twice"), 40),
            ("{\"tag\":\"BatchItem\",\"name\":1}", Kind::Syntax("not the JSON of an item"), 27),
            ("{\"Tag\":\"BatchItem\"}", Kind::Syntax("a property that items do not have"), 6),
            ("{\"tag\":\"BatchItem\",\"value\":[1]}", Kind::Syntax("not the JSON of an item"), 29),
            ("{\"tag\":\"BatchItem\",\"value\":[],}", Kind::Syntax("not well-formed JSON"), 31),
            ("{\"tag\":\"BatchItem\"} {}", Kind::Syntax("not well-formed JSON"), 21),
            ("{\"tag\":\"BatchItem\"", Kind::Syntax("not well-formed JSON"), 18),
            ("{'tag':'BatchItem'}", Kind::Syntax("not well-formed JSON"), 2),
            (
                "{\"tag\":\"Name\",\"type\":\"TextString\",\"value\":\"\\ud800\"}",
                Kind::Syntax("not well-formed JSON"),
                50,
            ),
            ("{\"tag\":\"Name\",\"type\":\"TextString\",\"value\":\"\n\"}", Kind::Syntax("not well-formed JSON"), 44),
        ] {
            let fault = to_ttlv(json).unwrap_err();
            assert_eq!(fault.kind, kind, "{json}");
            assert!(fault.offset.abs_diff(offset) <= 1, "{json}: {} is not {offset}", fault.offset);
        }
    }

    #[test]
    fn every_limit_holds() {
        let first = r#"{"tag":"BatchItem","value":["#;
        let last = r#"{"value":["#;
        for (open, close) in [(first, "]}"), (last, r#"],"tag":"BatchItem"}"#)] {
            let nested = |depth: usize| format!("{}{}", open.repeat(depth), close.repeat(depth));
            let deepest = to_ttlv(&nested(MAX_DEPTH)).unwrap();
            assert_eq!(Reader::new(&deepest, ProtocolVersion::V2_1).check_all(), Ok(()));
            assert_eq!(to_ttlv(&nested(MAX_DEPTH + 1)).unwrap_err().kind, Kind::TooDeep);
            assert!(to_ttlv(&nested(100_000)).is_err());
        }
        let empty = format!("{}{}{}", first.repeat(MAX_DEPTH), r#"{"tag":"BatchItem"}"#, "]}".repeat(MAX_DEPTH));
        assert_eq!(to_ttlv(&empty).unwrap_err().kind, Kind::TooDeep);

        let inside = |count: usize| {
            let items = vec![r#"{"tag":"D"}"#; count].join(",");
            format!(r#"{{"tag":"BatchItem","value":[{items}]}}"#)
        };
        assert!(to_ttlv(&inside(MAX_DOCUMENT_ITEMS - 1)).is_ok());
        let more = to_ttlv(&inside(MAX_DOCUMENT_ITEMS)).unwrap_err();
        assert_eq!(more.kind, Kind::TooManyItems { limit: MAX_DOCUMENT_ITEMS });
    }
}
