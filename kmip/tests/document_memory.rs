//! What a document costs in memory: at most a few times its own length, whatever is in it.
//!
//! One test, because the allocator counts for the whole process.
use std::fmt::Write as _;

use kmip::encoding::Encoding;
use kmip::limits::{MAX_DEPTH, MAX_DOCUMENT_ITEMS};
use kmip::registry::Tag;
use kmip::ttlv::Writer;
use kmip::{ProtocolVersion, json, xml};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The length of a request that a node takes unless it is told otherwise.
const FRAME: usize = 1 << 20;

/// A document may cost this many times its length: the shortest element of XML is half as long as its item, the message
/// grows into twice the room it fills, and while it moves the old room is there too.
const MULTIPLE: usize = 6;

/// What one document may cost beyond that.
const ALLOWANCE: usize = 64 << 10;

/// A message may cost this many times its length when it becomes a document: an empty structure is 8 bytes, its element
/// a name of up to 37 letters, its object the same in quotes and with brackets; and the text grows like the message.
const MULTIPLE_OF_WRITING: usize = 27;

/// Bytes that `work` holds at its peak, what it returns included.
fn peak<T>(work: impl FnOnce() -> T) -> usize {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let kept = work();
    let peak = ALLOCATOR.peak_usage();
    drop(kept);
    peak.saturating_sub(before)
}

/// `unit` again and again between `open` and `close`, up to the length of a frame.
fn filled(open: &str, unit: &str, close: &str) -> String {
    let count = (FRAME - open.len() - close.len()) / unit.len();
    format!("{open}{}{close}", unit.repeat(count))
}

/// Documents of the length of a frame, most of which are made to cost as much as they can.
fn documents() -> Vec<(Encoding, &'static str, String)> {
    let (x, j) = (Encoding::Xml, Encoding::Json);
    let items = r#"{"tag":"D"},"#.repeat(MAX_DOCUMENT_ITEMS / 2);
    let mut documents = vec![
        (x, "the shortest elements", filled("<P>", "<D/>", "</P>")),
        (x, "the shortest elements, up to the limit", format!("<P>{}</P>", "<D/>".repeat(MAX_DOCUMENT_ITEMS - 1))),
        // The message has just moved into a buffer of twice the size.
        (x, "the shortest elements at the worst moment", format!("<P>{}</P>", "<D/>".repeat(1 << 16))),
        (x, "short values", filled("<P>", r#"<D type="ByteString" value=""/>"#, "</P>")),
        (x, "one large byte string", filled(r#"<Data type="ByteString" value=""#, "ab", r#""/>"#)),
        (x, "one large big integer", filled(r#"<D type="BigInteger" value=""#, "ab", r#""/>"#)),
        (x, "one large text", filled(r#"<Name type="TextString" value=""#, "a", r#""/>"#)),
        (x, "one large text of escapes", filled(r#"<Name type="TextString" value=""#, "&lt;", r#""/>"#)),
        (x, "one large text of line ends", filled(r#"<Name type="TextString" value=""#, "\r\n", r#""/>"#)),
        (x, "one large mask", filled(r#"<CryptographicUsageMask type="Integer" value=""#, "Sign ", r#""/>"#)),
        (x, "one large attribute that says nothing", filled(r#"<D a=""#, "a", r#""/>"#)),
        (x, "many attributes", filled("<D ", "a='' ", "/>")),
        (x, "one large name", filled("<", "a", "/>")),
        (x, "elements inside elements", "<P>".repeat(FRAME / 3)),
        (x, "comments", filled("<P>", "<!-- -->", "</P>")),
        (j, "the shortest objects", filled(r#"{"tag":"P","value":["#, r#"{"tag":"D"},"#, r#"{"tag":"D"}]}"#)),
        (
            j,
            "the shortest objects before their tag",
            filled(r#"{"value":["#, r#"{"tag":"D"},"#, r#"{"tag":"D"}],"tag":"P"}"#),
        ),
        (
            j,
            "short values",
            filled(r#"{"tag":"P","value":["#, r#"{"tag":"D","type":"ByteString","value":""},"#, r#"{"tag":"D"}]}"#),
        ),
        (j, "one large byte string", filled(r#"{"tag":"Data","type":"ByteString","value":""#, "ab", r#""}"#)),
        (
            j,
            "one large byte string of escapes",
            filled(r#"{"tag":"Data","type":"ByteString","value":""#, r"\u0030\u0031", r#""}"#),
        ),
        (
            j,
            "one large big integer",
            filled(r#"{"tag":"D","type":"BigInteger","value":"0x"#, "0123456789abcdef", r#""}"#),
        ),
        (j, "one large text", filled(r#"{"tag":"Name","type":"TextString","value":""#, "a", r#""}"#)),
        (j, "one large text of escapes", filled(r#"{"tag":"Name","type":"TextString","value":""#, r"\n", r#""}"#)),
        (
            j,
            "one large text of escapes before its type",
            filled(r#"{"value":""#, r"\n", r#"","tag":"Name","type":"TextString"}"#),
        ),
        (
            j,
            "one large mask",
            filled(r#"{"tag":"CryptographicUsageMask","type":"Integer","value":""#, "Sign|", r#"Sign"}"#),
        ),
        (j, "one large name", filled(r#"{"tag":"D","name":""#, r"\n", r#""}"#)),
        (j, "one large tag", filled(r#"{"tag":""#, r"\n", r#""}"#)),
        (j, "one large number", filled(r#"{"tag":"D","type":"Integer","value":"#, "1", "}")),
        (j, "one large property", filled(r#"{""#, r"\n", r#"":1}"#)),
        (j, "objects inside objects", r#"{"value":["#.repeat(FRAME / 10)),
        (j, "arrays inside arrays", "[".repeat(FRAME)),
    ];
    // Every level is copied into the one around it, since its tag comes last.
    let mut nested = String::new();
    for _ in 0..MAX_DEPTH - 1 {
        nested.push_str(r#"{"value":["#);
    }
    let _ = write!(nested, r#"{{"value":[{items}{{"tag":"D"}}],"tag":"P"}}"#);
    for _ in 0..MAX_DEPTH - 1 {
        nested.push_str(r#"],"tag":"P"}"#);
    }
    documents.push((j, "every level before its tag", nested));
    documents
}

#[test]
fn a_document_costs_at_most_six_times_its_length_and_64_kib() {
    // What is made once for the whole process is not a document's.
    assert!(xml::to_ttlv("<D/>").is_ok() && json::to_ttlv(r#"{"tag":"D"}"#).is_ok());

    // Tenths of a document's length.
    let (mut read, mut dearest, mut dearest_to_write) = (0, 0, 0);
    for (encoding, what, document) in documents() {
        assert!(document.len() <= FRAME, "{what}: {}", document.len());
        let used = peak(|| encoding.to_ttlv(document.as_bytes()));
        let allowed = MULTIPLE * document.len() + ALLOWANCE;
        assert!(used <= allowed, "{encoding:?}, {what}: {used} bytes for a document of {}", document.len());
        dearest = dearest.max(used * 10 / document.len());
        let Ok(message) = encoding.to_ttlv(document.as_bytes()) else { continue };
        read += 1;

        for encoding in [Encoding::Xml, Encoding::Json] {
            let used = peak(|| encoding.from_ttlv(&message));
            let allowed = MULTIPLE_OF_WRITING * message.len() + ALLOWANCE;
            assert!(used <= allowed, "{what} as {encoding:?}: {used} bytes for a message of {}", message.len());
        }
    }
    // Most have to be messages: refusing is cheap.
    assert!(read >= 18, "{read}");

    // The dearest message to write: empty structures with a long name.
    let mut writer = Writer::new(ProtocolVersion::V2_1);
    nest(MAX_DEPTH - 1, &mut writer);
    let message = writer.finish();
    assert!(message.len() > FRAME - 1024);
    for encoding in [Encoding::Xml, Encoding::Json] {
        let used = peak(|| encoding.from_ttlv(&message).unwrap());
        let allowed = MULTIPLE_OF_WRITING * message.len() + ALLOWANCE;
        assert!(used <= allowed, "{encoding:?}: {used} bytes for a message of {}", message.len());
        dearest_to_write = dearest_to_write.max(used * 10 / message.len());
    }
    println!("tenths of the length: {dearest} to read, {dearest_to_write} to write");

    // The control: the allocator counts, and the worst cases are close to what is allowed.
    assert!(dearest >= 50 && dearest_to_write >= 100, "{dearest}, {dearest_to_write}");
}

/// Structures inside structures, the innermost full of empty ones with a long name.
fn nest(depth: usize, writer: &mut Writer) {
    writer.structure(Tag::P, |writer| match depth {
        1 => (0..FRAME / 8 - 2 * MAX_DEPTH).for_each(|_| {
            writer.structure(Tag::AUTHENTICATED_ENCRYPTION_ADDITIONAL_DATA, |_| {});
        }),
        _ => nest(depth - 1, writer),
    });
}
