//! Reads one TTLV message from a stream, within deadlines, without trusting the length it announces.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout, timeout_at};
use zeroize::Zeroizing;

use crate::limits::{FIRST_BUFFER_BYTES, FRAME_HEADER_BYTES, Limits};
use crate::shell::service::FrameFault;
use crate::shell::shutdown::Stopping;

/// Tag of a Request Message and the type Structure, the first four bytes of every request (KMIP 1.4 §9.1.1).
const REQUEST_START: [u8; 4] = [0x42, 0x00, 0x78, 0x01];

/// What came in.
#[derive(Debug)]
pub enum Incoming {
    /// A whole message, header and body; nothing but its framing was looked at.
    Message(Zeroizing<Vec<u8>>),
    /// Something that is no message; `start` is what was read of it.
    Fault {
        /// Why it is none.
        fault: FrameFault,
        /// The header and the part of the body that arrived.
        start: Zeroizing<Vec<u8>>,
    },
    /// Nothing: the conversation is over.
    End(End),
}

/// Why a conversation is over.
#[derive(Debug)]
pub enum End {
    /// The peer closed between two messages.
    Closed,
    /// The peer was silent for the idle deadline.
    Idle,
    /// Less than a header came, and no more within the deadline.
    HalfHeader,
    /// The node stops, and no message had begun.
    Stopping,
    /// The connection broke, within a message if it is an unexpected end of file.
    Broken(io::Error),
}

/// Reads the next message.
pub async fn read<S>(stream: &mut S, limits: &Limits, stopping: &mut Stopping) -> Incoming
where
    S: AsyncRead + Unpin,
{
    let mut header = [0; FRAME_HEADER_BYTES];
    // Nothing is allocated while a connection is idle.
    let first = tokio::select! {
        biased;
        () = stopping.wait() => return Incoming::End(End::Stopping),
        first = timeout(limits.idle_deadline, stream.read(&mut header)) => first,
    };
    let arrived = match first {
        Err(_) => return Incoming::End(End::Idle),
        Ok(Err(error)) => return Incoming::End(End::Broken(error)),
        Ok(Ok(0)) => return Incoming::End(End::Closed),
        Ok(Ok(arrived)) => arrived,
    };
    // Slices of the header cannot fail: a read never reports more than it was given room for.
    let rest = header.get_mut(arrived..).unwrap_or_default();
    match timeout(limits.header_deadline, stream.read_exact(rest)).await {
        Err(_) => return Incoming::End(End::HalfHeader),
        Ok(Err(error)) => return Incoming::End(End::Broken(error)),
        Ok(Ok(_)) => {}
    }
    match body_bytes(&header, limits) {
        Ok(body) => read_body(stream, &header, body, limits).await,
        Err(fault) => Incoming::Fault { fault, start: Zeroizing::new(header.to_vec()) },
    }
}

/// The length of the body that `header` announces.
fn body_bytes(header: &[u8; FRAME_HEADER_BYTES], limits: &Limits) -> Result<usize, FrameFault> {
    let [t0, t1, t2, kind, l0, l1, l2, l3] = *header;
    if [t0, t1, t2, kind] != REQUEST_START {
        return Err(FrameFault::NotARequest);
    }
    let body = u32::from_be_bytes([l0, l1, l2, l3]);
    let announced = u64::from(body) + FRAME_HEADER_BYTES as u64;
    if announced > limits.request_bytes as u64 {
        return Err(FrameFault::TooLong { announced });
    }
    if body % 8 != 0 {
        return Err(FrameFault::Unaligned { announced });
    }
    usize::try_from(body).map_err(|_| FrameFault::TooLong { announced })
}

async fn read_body<S>(stream: &mut S, header: &[u8; FRAME_HEADER_BYTES], body: usize, limits: &Limits) -> Incoming
where
    S: AsyncRead + Unpin,
{
    let deadline = Instant::now() + limits.body_deadline;
    let mut growing = Growing::new(header, body);
    while let Some(room) = growing.room() {
        match timeout_at(deadline, stream.read(room)).await {
            Err(_) => return Incoming::Fault { fault: FrameFault::Late, start: growing.arrived() },
            Ok(Err(error)) => return Incoming::End(End::Broken(error)),
            Ok(Ok(0)) => return Incoming::End(End::Broken(io::ErrorKind::UnexpectedEof.into())),
            Ok(Ok(more)) => growing.filled += more,
        }
    }
    Incoming::Message(growing.arrived())
}

/// A message that grows with what arrives: at most twice as large as that, or [`FIRST_BUFFER_BYTES`].
struct Growing {
    buffer: Zeroizing<Vec<u8>>,
    filled: usize,
    total: usize,
}

impl Growing {
    fn new(header: &[u8; FRAME_HEADER_BYTES], body: usize) -> Self {
        let total = FRAME_HEADER_BYTES + body;
        let mut growing = Self { buffer: Zeroizing::default(), filled: 0, total };
        growing.enlarge(total.min(FIRST_BUFFER_BYTES));
        for (place, byte) in growing.buffer.iter_mut().zip(header) {
            *place = *byte;
        }
        growing.filled = FRAME_HEADER_BYTES;
        growing
    }

    /// Where the next bytes go; none when the message is whole.
    fn room(&mut self) -> Option<&mut [u8]> {
        if self.filled >= self.total {
            return None;
        }
        if self.filled == self.buffer.len() {
            self.enlarge(self.total.min(self.buffer.len().saturating_mul(2)));
        }
        self.buffer.get_mut(self.filled..)
    }

    /// Moves to a buffer of `len` bytes. `Vec`'s own growth would free the old one with its bytes in it; here it is
    /// wiped as it is dropped.
    fn enlarge(&mut self, len: usize) {
        let mut larger = Zeroizing::new(Vec::with_capacity(len));
        larger.extend_from_slice(&self.buffer);
        larger.resize(len, 0);
        self.buffer = larger;
    }

    fn arrived(mut self) -> Zeroizing<Vec<u8>> {
        self.buffer.truncate(self.filled);
        self.buffer
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::shell::shutdown::stop_signal;

    fn message(body: usize) -> Vec<u8> {
        let mut bytes = REQUEST_START.to_vec();
        bytes.extend_from_slice(&u32::try_from(body).unwrap().to_be_bytes());
        bytes.extend((0..body).map(|index| u8::try_from(index % 251).unwrap()));
        bytes
    }

    #[tokio::test]
    async fn messages_arrive_whole_whatever_the_pieces() {
        let limits = Limits::default();
        for body in [0, 8, 4_080, 4_088, 4_096, 65_536] {
            for piece in [1_usize, 7, 4_096, 100_000] {
                let (mut near, mut far) = tokio::io::duplex(piece.max(16));
                let sent = message(body);
                let sender = sent.clone();
                let writer = tokio::spawn(async move {
                    for bytes in sender.chunks(piece) {
                        far.write_all(bytes).await.unwrap();
                    }
                    far
                });
                let (_switch, mut stopping) = stop_signal();
                let Incoming::Message(read) = read(&mut near, &limits, &mut stopping).await else {
                    panic!("{body} bytes in pieces of {piece} are a message")
                };
                assert_eq!(*read, sent);
                drop(writer.await.unwrap());
            }
        }
    }

    #[tokio::test]
    async fn pipelined_messages_stay_apart() {
        let limits = Limits::default();
        let (mut near, mut far) = tokio::io::duplex(4_096);
        far.write_all(&message(16)).await.unwrap();
        far.write_all(&message(8)).await.unwrap();
        drop(far);
        let (_switch, mut stopping) = stop_signal();
        for body in [16, 8] {
            let Incoming::Message(read) = read(&mut near, &limits, &mut stopping).await else { panic!("a message") };
            assert_eq!(*read, message(body));
        }
        assert!(matches!(read(&mut near, &limits, &mut stopping).await, Incoming::End(End::Closed)));
    }

    #[tokio::test]
    async fn a_length_over_the_limit_is_refused_at_the_header() {
        let limits = Limits { request_bytes: 1_024, ..Limits::default() };
        for (body, refused) in [(1_016_u32, false), (1_024, true), (u32::MAX - 7, true)] {
            let mut header = REQUEST_START.to_vec();
            header.extend_from_slice(&body.to_be_bytes());
            let result = body_bytes(&header.try_into().unwrap(), &limits);
            assert_eq!(matches!(result, Err(FrameFault::TooLong { .. })), refused, "{body}");
        }
    }

    #[tokio::test]
    async fn foreign_bytes_are_no_message() {
        let limits = Limits::default();
        let (_switch, mut stopping) = stop_signal();
        for start in [*b"GET / HTTP/1.1\r\n", [0x42, 0, 0x7b, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0]] {
            let (mut near, mut far) = tokio::io::duplex(64);
            far.write_all(&start).await.unwrap();
            let Incoming::Fault { fault, start: kept } = read(&mut near, &limits, &mut stopping).await else {
                panic!("no message")
            };
            assert_eq!((fault, kept.as_slice()), (FrameFault::NotARequest, &start[..8]));
        }
        let odd = [0x42, 0, 0x78, 1, 0, 0, 0, 9];
        assert_eq!(body_bytes(&odd, &limits), Err(FrameFault::Unaligned { announced: 17 }));
    }

    // In the tests below tokio's clock is paused: it jumps to the next deadline when every task waits.

    #[tokio::test(start_paused = true)]
    async fn each_phase_ends_at_its_own_deadline() {
        let limits = Limits {
            idle_deadline: Duration::from_secs(300),
            header_deadline: Duration::from_secs(5),
            body_deadline: Duration::from_secs(8),
            ..Limits::default()
        };
        for (sent, seconds) in [(0_usize, 300), (1, 5), (7, 5), (8, 8), (40, 8)] {
            let (mut near, mut far) = tokio::io::duplex(64);
            far.write_all(message(40).get(..sent).unwrap()).await.unwrap();
            let (_switch, mut stopping) = stop_signal();
            let begun = Instant::now();
            let incoming = read(&mut near, &limits, &mut stopping).await;
            assert_eq!(begun.elapsed().as_secs(), seconds, "{sent} bytes sent");
            match (sent, incoming) {
                (0, Incoming::End(End::Idle)) | (1..=7, Incoming::End(End::HalfHeader)) => {}
                (8.., Incoming::Fault { fault: FrameFault::Late, start }) => assert_eq!(start.len(), sent),
                (_, other) => panic!("{sent} bytes sent: {other:?}"),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_each_second_does_not_move_the_deadline() {
        let limits = Limits::default();
        let (mut near, mut far) = tokio::io::duplex(64);
        let dripping = tokio::spawn(async move {
            for byte in message(64) {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if far.write_all(&[byte]).await.is_err() {
                    break;
                }
            }
        });
        let (_switch, mut stopping) = stop_signal();
        let incoming = read(&mut near, &limits, &mut stopping).await;
        assert!(matches!(incoming, Incoming::End(End::HalfHeader)));
        drop(near);
        dripping.await.unwrap();
    }

    #[tokio::test]
    async fn a_stop_ends_the_wait_but_not_a_message_that_has_begun() {
        let limits = Limits::default();
        let (stop, stopping) = stop_signal();
        // Room for three bytes: the fourth can only be written after the reader took the first.
        let (mut near, mut far) = tokio::io::duplex(3);
        let mut view = stopping.clone();
        let reading = tokio::spawn(async move { read(&mut near, &Limits::default(), &mut view).await });
        let (begin, rest) = (message(8)[..4].to_vec(), message(8)[4..].to_vec());
        far.write_all(&begin).await.unwrap();
        stop.stop();
        far.write_all(&rest).await.unwrap();
        assert!(matches!(reading.await.unwrap(), Incoming::Message(read) if *read == message(8)));

        let (mut near, _far) = tokio::io::duplex(64);
        let mut view = stopping.clone();
        assert!(matches!(read(&mut near, &limits, &mut view).await, Incoming::End(End::Stopping)));
    }
}
