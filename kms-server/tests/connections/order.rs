//! Messages in pieces and ahead of time, answers in order and in one piece.

use kms_server::shell::service::FrameFault;

use crate::bench::{BOTH, Bench, REFUSAL, answer, generous, request};

#[tokio::test]
async fn eight_messages_sent_ahead_are_answered_in_order_each_in_one_record() {
    let bench = Bench::start(generous()).await;
    let identity = bench.client("acme");
    for version in BOTH {
        let mut client = bench.connect(version, &identity).await;
        client.call(0).await.unwrap();
        let before = client.records();
        let messages: Vec<Vec<u8>> = (1..=8).map(|number| request(number, 64 * u32::from(number))).collect();
        client.send(&messages.concat()).await.unwrap();
        for message in &messages {
            assert_eq!(client.receive().await.unwrap(), answer(message));
        }
        assert_eq!(client.records() - before, messages.len());
    }
    bench.end().await;
}

#[tokio::test]
async fn an_answer_as_large_as_a_record_is_one_record() {
    let bench = Bench::start(generous()).await;
    let identity = bench.client("acme");
    for version in BOTH {
        let mut client = bench.connect(version, &identity).await;
        client.call(0).await.unwrap();
        for (bytes, records) in [(16_384, 1), (16_392, 2)] {
            let before = client.records();
            let message = request(1, bytes - 8);
            client.send(&message).await.unwrap();
            assert_eq!(client.receive().await.unwrap(), answer(&message));
            assert_eq!(client.records() - before, records, "{bytes} bytes");
        }
    }
    bench.end().await;
}

#[tokio::test]
async fn a_message_in_records_of_seven_bytes_is_one_message() {
    let bench = Bench::start(generous()).await;
    let identity = bench.client("acme");
    for version in BOTH {
        let mut client = bench.connect(version, &identity).await;
        let message = request(1, 200);
        for piece in message.chunks(7) {
            client.send(piece).await.unwrap();
        }
        assert_eq!(client.receive().await.unwrap(), answer(&message));
    }
    bench.end().await;
}

#[tokio::test]
async fn what_is_no_message_is_answered_once_and_the_connection_closed() {
    let bench = Bench::start(generous()).await;
    let identity = bench.client("acme");
    let huge = [0x42, 0x00, 0x78, 0x01, 0xFF, 0xFF, 0xFF, 0xF8];
    let faults = [
        (huge, FrameFault::TooLong { announced: 0x1_0000_0000 }),
        (*b"GET / HT", FrameFault::NotARequest),
        ([0x42, 0x00, 0x78, 0x01, 0, 0, 0, 7], FrameFault::Unaligned { announced: 15 }),
    ];
    for version in BOTH {
        for (start, fault) in faults {
            let mut client = bench.connect(version, &identity).await;
            client.call(0).await.unwrap();
            // Bytes behind the header stay unread; closing over them must not destroy the answer on its way.
            client.send(&[start.as_slice(), &[0x55; 4096], &request(9, 24)].concat()).await.unwrap();
            assert_eq!(client.receive().await.unwrap(), REFUSAL);
            client.closed().await;
            assert_eq!(bench.service.refused.lock().unwrap().pop(), Some((fault, 8)));
        }
    }
    bench.end().await;
}

#[tokio::test]
async fn messages_of_many_clients_do_not_mix() {
    let bench = Bench::start(generous()).await;
    let identity = bench.client("acme");
    let mut clients = Vec::new();
    for number in 0..16 {
        clients.push((number, bench.connect(BOTH[usize::from(number) % 2], &identity).await));
    }
    for _ in 0..10 {
        for (number, client) in &mut clients {
            client.send(&request(*number, 4_096)).await.unwrap();
        }
        for (number, client) in clients.iter_mut().rev() {
            assert_eq!(client.receive().await.unwrap(), answer(&request(*number, 4_096)));
        }
    }
    drop(clients);
    bench.end().await;
}
