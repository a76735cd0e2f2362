//! Silent and slow peers are closed by their deadlines while others are served.

use std::time::Duration;

use kms_server::limits::Limits;
use kms_server::shell::service::{FrameFault, StrangerKind};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::bench::{BOTH, Bench, REFUSAL, ended, generous, request};

/// Sockets that hold on in each phase at one time.
const EACH: usize = 20;

/// The first bytes of a ClientHello: a handshake record of 512 bytes, of which only these come.
const HALF_HELLO: [u8; 11] = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03, 0x03];

/// Serves an honest client over new and old connections until `done`.
macro_rules! while_others_are_served {
    ($bench:expr, $honest:expr, $done:expr) => {{
        let mut old = $bench.connect(BOTH[1], $honest).await;
        let done = $done;
        tokio::pin!(done);
        let mut served = 0_usize;
        loop {
            tokio::select! {
                biased;
                result = &mut done => break (result, served),
                () = async {
                    let mut new = $bench.connect(BOTH[served % 2], $honest).await;
                    new.call(1).await.unwrap();
                    old.call(2).await.unwrap();
                } => served += 1,
            }
        }
    }};
}

#[tokio::test]
async fn sockets_that_do_not_finish_a_handshake_are_closed_while_others_are_served() {
    let bench = Bench::start(Limits { handshake_deadline: Duration::from_secs(2), ..generous() }).await;
    let honest = bench.client("acme");
    let mut sockets = Vec::new();
    for start in [&[][..], &HALF_HELLO] {
        for _ in 0..EACH {
            let mut socket = TcpStream::connect(bench.address).await.unwrap();
            socket.write_all(start).await.unwrap();
            sockets.push(socket);
        }
    }
    let ((), served) = while_others_are_served!(bench, &honest, async {
        for socket in &mut sockets {
            ended(socket).await;
        }
    });
    assert!(served > 0);
    assert_eq!(bench.service.strangers(2 * EACH).await, [StrangerKind::SilentHandshake; 2 * EACH]);
    bench.end().await;
}

#[tokio::test]
async fn clients_that_do_not_finish_a_message_are_closed_while_others_are_served() {
    let brief = Duration::from_secs(1);
    let bench = Bench::start(Limits { header_deadline: brief, body_deadline: brief, ..generous() }).await;
    let (slow, honest) = (bench.client("slow"), bench.client("acme"));
    let (mut half_headers, mut half_bodies) = (Vec::new(), Vec::new());
    for number in 0..EACH {
        let mut client = bench.connect(BOTH[number % 2], &slow).await;
        client.send(&request(1, 64)[..4]).await.unwrap();
        half_headers.push(client);
        let mut client = bench.connect(BOTH[number % 2], &slow).await;
        client.send(&request(1, 64)[..40]).await.unwrap();
        half_bodies.push(client);
    }
    let ((), served) = while_others_are_served!(bench, &honest, async {
        for client in &mut half_headers {
            client.closed().await;
        }
        for client in &mut half_bodies {
            // A header told how to answer.
            assert_eq!(client.receive().await.unwrap(), REFUSAL);
            client.closed().await;
        }
    });
    assert!(served > 0);
    assert_eq!(*bench.service.refused.lock().unwrap(), [(FrameFault::Late, 40); EACH]);
    drop((half_headers, half_bodies));
    bench.end().await;
}

#[tokio::test]
async fn a_byte_at_a_time_does_not_buy_time() {
    let brief = Duration::from_secs(1);
    let bench = Bench::start(Limits { header_deadline: brief, body_deadline: brief, ..generous() }).await;
    let (slow, honest) = (bench.client("slow"), bench.client("acme"));
    for version in BOTH {
        let mut dripping = bench.connect(version, &slow).await;
        let mut served = bench.connect(version, &honest).await;
        // A byte per answer to somebody else, for ever: the body is so long that only the deadline can end it.
        let message = request(1, 1_000_000);
        dripping.send(&message[..8]).await.unwrap();
        let mut bytes = message[8..].iter();
        while dripping.send(&[*bytes.next().unwrap()]).await.is_ok() {
            served.call(3).await.unwrap();
            if !bench.service.refused.lock().unwrap().is_empty() {
                break;
            }
        }
        assert_eq!(dripping.receive().await.unwrap(), REFUSAL);
        assert!(matches!(bench.service.refused.lock().unwrap().pop(), Some((FrameFault::Late, _))));
    }
    bench.end().await;
}

#[tokio::test]
async fn an_idle_client_is_closed_and_a_busy_one_is_not() {
    let bench = Bench::start(Limits { idle_deadline: Duration::from_secs(1), ..generous() }).await;
    let (idle, busy) = (bench.client("idle"), bench.client("busy"));
    for version in BOTH {
        let mut idle = bench.connect(version, &idle).await;
        idle.call(1).await.unwrap();
        let mut busy = bench.connect(version, &busy).await;
        let closed = idle.closed();
        tokio::pin!(closed);
        loop {
            tokio::select! {
                biased;
                () = &mut closed => break,
                served = busy.call(2) => served.unwrap(),
            }
        }
    }
    assert!(bench.service.refused.lock().unwrap().is_empty());
    bench.end().await;
}
