//! A connection on which every answer is looked at as closely as it can be.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use certs::Issued;
use kmip_client::TlsVersions;
use rustls::{ClientConfig, ClientConnection};
use rustls_pki_types::ServerName;

use super::answer::{Answer, faults};
use super::{Request, Tree};
use crate::node::{Node, Result};
use crate::socket::{configuration, tcp};

/// The name in the server's certificate.
const SERVER_NAME: &str = "localhost";
/// What fits into a record of TLS: a longer answer takes several.
pub const RECORD: usize = 16 << 10;
/// Room for one read: more than a record with its own bytes.
const READ: usize = 32 << 10;
/// Type, version and length of a record of TLS.
const RECORD_HEADER: usize = 5;

/// A connection.
pub struct Strict {
    socket: TcpStream,
    tls: ClientConnection,
    /// Bytes that were read and belong to records that were not looked at.
    ahead: Vec<u8>,
    /// Requests that were sent and not answered.
    outstanding: VecDeque<Vec<u8>>,
    reads: usize,
}

impl Strict {
    /// Connects to a node as a client.
    ///
    /// # Errors
    /// Of TCP and TLS.
    pub fn open(node: &Node, identity: &Issued, versions: TlsVersions) -> Result<Self> {
        Self::open_with(node, configuration(node, identity, versions)?, SERVER_NAME)
    }

    /// The same with a configuration of TLS, of a server that is to have this name or address in its certificate.
    ///
    /// # Errors
    /// Of TCP and TLS.
    pub fn open_with(node: &Node, configuration: ClientConfig, name: &'static str) -> Result<Self> {
        let mut socket = tcp(node.addresses()?.kmip)?;
        let mut tls = ClientConnection::new(Arc::new(configuration), ServerName::try_from(name)?)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut socket)?;
        }
        Ok(Self { socket, tls, ahead: Vec::new(), outstanding: VecDeque::new(), reads: 0 })
    }

    /// What TLS knows about the connection.
    #[must_use]
    pub const fn tls(&self) -> &ClientConnection {
        &self.tls
    }

    /// Sends a request as one record and looks at its answer.
    ///
    /// # Errors
    /// Of the connection, and what is wrong with the answer.
    pub fn ask(&mut self, request: &Request) -> Result<Answer> {
        let request = request.bytes();
        self.send(&request, request.len())?;
        self.reads = 0;
        let answer = self.answer()?;
        if answer.bytes.len() <= RECORD && self.reads != 1 {
            return Err(format!("{} bytes took {} reads", answer.bytes.len(), self.reads).into());
        }
        Ok(answer)
    }

    /// Sends a request in pieces of so many bytes, each a record of its own, and does not wait for the answer.
    ///
    /// # Errors
    /// Of the connection.
    pub fn send(&mut self, request: &[u8], piece: usize) -> Result<()> {
        for piece in request.chunks(piece) {
            self.tls.writer().write_all(piece)?;
            while self.tls.wants_write() {
                self.tls.write_tls(&mut self.socket)?;
            }
        }
        self.outstanding.push_back(request.to_vec());
        Ok(())
    }

    /// Says that nothing more will come, as TLS wants it.
    ///
    /// # Errors
    /// Of the connection.
    pub fn close(&mut self) -> Result<()> {
        self.tls.send_close_notify();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.socket)?;
        }
        Ok(())
    }

    /// The answer to the oldest request that has none.
    ///
    /// # Errors
    /// Of the connection, and what is wrong with the answer.
    pub fn answer(&mut self) -> Result<Answer> {
        let request = self.outstanding.pop_front().ok_or("nothing was asked")?;
        let bytes = self.message()?;
        let message = Tree::read(&bytes)?;
        let faults = faults(&Tree::read(&request)?, &message);
        if faults.is_empty() { Ok(Answer { bytes, message }) } else { Err(format!("{faults:?} in {message:?}").into()) }
    }

    /// One message, from as many records as it needs and no more; a record holds nothing of another one.
    fn message(&mut self) -> Result<Vec<u8>> {
        let mut message = self.record()?;
        let [_, _, _, _, a, b, c, d, ..] = *message else { return Err("a record holds less than a header".into()) };
        let len = 8 + usize::try_from(u32::from_be_bytes([a, b, c, d]))?;
        let mut records = 1;
        while message.len() < len {
            message.append(&mut self.record()?);
            records += 1;
        }
        if message.len() != len || records != len.div_ceil(RECORD) {
            return Err(format!("{len} bytes came as {} in {records} records", message.len()).into());
        }
        Ok(message)
    }

    /// What the next record that holds something holds.
    fn record(&mut self) -> Result<Vec<u8>> {
        loop {
            let mut record = self.sealed_record()?;
            let mut left = record.as_mut_slice() as &[u8];
            while !left.is_empty() {
                self.tls.read_tls(&mut left)?;
            }
            let state = self.tls.process_new_packets()?;
            let mut plain = vec![0; state.plaintext_bytes_to_read()];
            self.tls.reader().read_exact(&mut plain)?;
            if !plain.is_empty() {
                return Ok(plain);
            }
            if state.peer_has_closed() {
                return Err("closed".into());
            }
        }
    }

    /// The next record as it is on its way.
    fn sealed_record(&mut self) -> Result<Vec<u8>> {
        loop {
            if let [_, _, _, high, low, ..] = *self.ahead {
                let len = RECORD_HEADER + usize::from(u16::from_be_bytes([high, low]));
                if self.ahead.len() >= len {
                    return Ok(self.ahead.drain(..len).collect());
                }
            }
            let mut bytes = vec![0; READ];
            let read = self.socket.read(&mut bytes)?;
            if read == 0 {
                return Err("the connection ended".into());
            }
            self.reads += 1;
            self.ahead.extend_from_slice(bytes.get(..read).unwrap_or_default());
        }
    }
}
