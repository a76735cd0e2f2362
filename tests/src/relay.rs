//! Passes bytes on between one client and a server, and cuts the line just when the next answer comes back.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::node::Result;

/// A relay for one connection.
pub struct Relay {
    /// Where the client connects.
    pub address: SocketAddr,
    armed: Arc<AtomicBool>,
}

impl Relay {
    /// Listens for one client of `server`.
    ///
    /// # Errors
    /// Of the socket.
    pub fn to(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let armed = Arc::new(AtomicBool::new(false));
        let down = Arc::clone(&armed);
        thread::spawn(move || {
            let (client, _) = listener.accept()?;
            let server = TcpStream::connect(server)?;
            let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
            thread::spawn(move || pass_on(&mut from, &mut to, || false));
            let (mut from, mut to) = (server, client);
            pass_on(&mut from, &mut to, || down.load(Ordering::SeqCst));
            Ok::<(), std::io::Error>(())
        });
        Ok(Self { address, armed })
    }

    /// The next byte that the server sends does not arrive, nor does anything after it.
    pub fn cut_at_the_next_answer(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }
}

/// Until one side ends, or something comes while the line is to be cut. Then both sides end.
fn pass_on(from: &mut TcpStream, to: &mut TcpStream, cut: impl Fn() -> bool) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if cut() || buffer.get(..read).is_none_or(|bytes| to.write_all(bytes).is_err()) {
            break;
        }
    }
    for side in [from, to] {
        // It may be gone already.
        let _ = side.shutdown(Shutdown::Both);
    }
}
