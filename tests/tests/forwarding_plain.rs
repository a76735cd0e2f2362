//! Every record reaches a collector over plain TCP, octet-counted as RFC 6587 has it, once and in order.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use audit::siem::position_in;
use kmip::ProtocolVersion;
use kmip::payload::GetRequest;
use system_tests::asking::{aes, name};
use system_tests::exported::records;
use system_tests::node::Node;
use xtask::stage::StageOptions;

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;

/// The next message: its length in decimal, a space, so many bytes. `None` at the end.
fn message(from: &mut BufReader<TcpStream>) -> Option<String> {
    let mut len = Vec::new();
    from.read_until(b' ', &mut len).unwrap();
    let len = std::str::from_utf8(&len).unwrap().strip_suffix(' ')?.parse().unwrap();
    let mut message = vec![0; len];
    from.read_exact(&mut message).unwrap();
    Some(String::from_utf8(message).unwrap())
}

#[test]
fn every_record_comes_over_plain_tcp_once_and_in_order() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    let mut config = OpenOptions::new().append(true).open(node.stage.config()).unwrap();
    let address = listener.local_addr().unwrap();
    write!(config, "\n[[collectors]]\nname = \"plain\"\naddress = \"{address}\"\ntransport = \"tcp\"\n").unwrap();
    node.serve().unwrap();
    let (stream, _) = listener.accept().unwrap();
    let mut received = BufReader::new(stream);

    let tenant = node.tenant("plain", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let id = client.request(V1_4, aes(vec![name("a key")])).unwrap().unique_identifier;
    for _ in 0..100 {
        client.request(V1_4, GetRequest::of(&id)).unwrap();
    }
    let all = records(&node, &tenant.name).unwrap();
    let log = all[0].log;
    let mut next = 0;
    while next < u64::try_from(all.len()).unwrap() {
        let message = message(&mut received).unwrap();
        let Some((_, position)) = position_in(&message).filter(|(of, _)| *of == log) else { continue };
        assert_eq!(position, next);
        let record = &all[usize::try_from(position).unwrap()];
        assert!(
            message.starts_with('<') && message.contains(&format!("\"operation\":\"{}\"", record.operation)),
            "{message}"
        );
        next += 1;
    }

    // A node that stops sends the rest and closes its side; a collector that closes then has read everything.
    let reader = std::thread::spawn(move || {
        let mut rest = Vec::new();
        while let Some(message) = message(&mut received) {
            rest.push(message);
        }
        rest
    });
    node.stop().unwrap();
    assert!(!reader.join().unwrap().is_empty(), "the export was recorded behind what it exported");
    // It begins where it ended: nothing comes again.
    node.serve().unwrap();
    let (stream, _) = listener.accept().unwrap();
    let mut received = BufReader::new(stream);
    client = node.connect(&tenant.identity).unwrap();
    client.request(V1_4, GetRequest::of(&id)).unwrap();
    let first = loop {
        let message = message(&mut received).unwrap();
        if let Some((_, position)) = position_in(&message).filter(|(of, _)| *of == log) {
            break position;
        }
    };
    assert_eq!(first, next + 1, "the export lies between");
}
