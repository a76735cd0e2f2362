//! One TLS connection: whole messages out and in, each within its deadline.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use crate::{Error, Limits};

/// Tag, type and length of the message, before its items.
const HEADER_LEN: usize = kmip::ttlv::HEADER_LEN;

pub struct Connection {
    stream: TlsStream<TcpStream>,
    limits: Limits,
    /// Set while a call is under way. It stays set when the call fails or its future is dropped: then what arrives
    /// next may be the rest of an old answer.
    broken: bool,
}

impl Connection {
    pub async fn open(
        address: impl ToSocketAddrs,
        server_name: &str,
        tls: Arc<ClientConfig>,
        limits: Limits,
    ) -> Result<Self, Error> {
        let name = ServerName::try_from(server_name.to_owned())
            .map_err(|_| Error::Tls(rustls::Error::General("server name is neither DNS name nor address".into())))?;
        within("connect", limits.connect, async {
            let tcp = TcpStream::connect(address).await?;
            // A request is one small write; waiting for more to send would only delay it.
            tcp.set_nodelay(true)?;
            let stream = TlsConnector::from(tls).connect(name, tcp).await?;
            Ok(Self { stream, limits, broken: false })
        })
        .await
    }

    /// Sends one message and reads one.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        if self.broken {
            return Err(Error::Broken);
        }
        self.broken = true;
        let limits = self.limits;
        let answer = timeout(limits.call, async {
            self.stream.write_all(request).await.map_err(Error::Transport)?;
            self.stream.flush().await.map_err(Error::Transport)?;
            self.read_message(limits.response_len).await
        })
        .await
        .map_err(|_| Error::Deadline { phase: "call" })??;
        self.broken = false;
        Ok(answer)
    }

    /// Reads one message into a buffer that never grows, so that no copy of a key stays behind.
    async fn read_message(&mut self, limit: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut header = [0; HEADER_LEN];
        self.stream.read_exact(&mut header).await.map_err(Error::Transport)?;
        let [_, _, _, _, length @ ..] = header;
        let announced = u64::from(u32::from_be_bytes(length)) + HEADER_LEN as u64;
        let len =
            usize::try_from(announced).ok().filter(|len| *len <= limit).ok_or(Error::TooLong { announced, limit })?;
        let mut message = Zeroizing::new(vec![0; len]);
        let (start, rest) = message.split_at_mut(HEADER_LEN);
        start.copy_from_slice(&header);
        self.stream.read_exact(rest).await.map_err(Error::Transport)?;
        Ok(message)
    }

    /// Says goodbye, so that the server sees an end and not a break.
    pub async fn close(mut self) -> Result<(), Error> {
        within("close", self.limits.connect, self.stream.shutdown()).await
    }
}

async fn within<T>(
    phase: &'static str,
    deadline: Duration,
    work: impl Future<Output = io::Result<T>>,
) -> Result<T, Error> {
    timeout(deadline, work).await.map_err(|_| Error::Deadline { phase })?.map_err(Error::Transport)
}
