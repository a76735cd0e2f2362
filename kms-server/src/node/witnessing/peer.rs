//! The conversation with one witness: TLS, one message after the other, and only what it signed is believed.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use audit::witness::{Answer, Head, MAX_MESSAGE_LEN, Request, StateText, Update, WitnessKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// First room for an answer; an announced length alone buys no more.
const FIRST_BUFFER: usize = 64 << 10;

/// Where a witness is, and who.
#[derive(Clone)]
pub struct WitnessAddress {
    /// Host and port.
    pub address: String,
    /// How to speak TLS to it.
    pub tls: Arc<rustls::ClientConfig>,
    /// The name in its certificate.
    pub server_name: ServerName<'static>,
    /// Its key.
    pub key: WitnessKey,
    /// For one question, connecting included. A witness syncs a small file.
    pub deadline: Duration,
}

/// A witness as the node sees it.
pub struct Peer {
    who: WitnessAddress,
    stream: Option<TlsStream<TcpStream>>,
    /// Where it stands, if it is known.
    seen: Option<Vec<Head>>,
    /// Why it was told to forget, if it says so.
    rebased: Option<String>,
    /// What of that is on record.
    told: Option<String>,
    /// That it does not answer is on record.
    lost: bool,
}

/// A witness did not co-sign.
#[derive(Debug)]
pub struct Refused {
    what: String,
    /// It says that the past is another one.
    pub diverged: bool,
    /// It may co-sign if it is asked from where it stands.
    pub again: bool,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl Peer {
    /// A witness that was not asked yet.
    #[must_use]
    pub fn new(who: WitnessAddress) -> Self {
        Self { who, stream: None, seen: None, rebased: None, told: None, lost: false }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.who.key.name()
    }

    /// Where it stands, as far as is known.
    #[must_use]
    pub fn seen(&self) -> Vec<Head> {
        self.seen.clone().unwrap_or_default()
    }

    /// Why its holders told it to forget what it remembered, if that is not on record.
    #[must_use]
    pub fn rebased(&self) -> Option<&str> {
        self.rebased.as_deref().filter(|reason| self.told.as_deref() != Some(reason))
    }

    /// What [`Peer::rebased`] says is on record.
    pub fn told_rebase(&mut self) {
        self.told.clone_from(&self.rebased);
    }

    /// Whether it is on record that it does not answer.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// It is on record now that it does not answer, or that it does again.
    pub fn told_lost(&mut self, lost: bool) {
        self.lost = lost;
    }

    /// Asks where it stands, unless that is known.
    ///
    /// # Errors
    /// As [`Peer::fetch_state`].
    pub async fn ensure_state(&mut self) -> io::Result<()> {
        if self.seen.is_none() { self.fetch_state().await.map(drop) } else { Ok(()) }
    }

    /// Asks what it remembers.
    ///
    /// # Errors
    /// It does not answer in time, or what it answers is not signed by it, or not in answer to this question.
    pub async fn fetch_state(&mut self) -> io::Result<StateText> {
        self.seen = None;
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let answer = self.ask(&Request::State { nonce: nonce.clone() }).await?;
        let (Some(text), Some(signature)) = (answer.state, answer.signature) else {
            return Err(wrong("no state in the answer"));
        };
        let signature = STANDARD.decode(signature).map_err(|_| wrong("the signature is not base64"))?;
        self.who.key.verify_state(&text, &signature).map_err(|_| wrong("not signed by this witness"))?;
        let state = StateText::read(&text).filter(|state| state.nonce == nonce);
        let state = state.ok_or_else(|| wrong("not an answer to this question"))?;
        self.seen = Some(state.heads.clone());
        self.rebased.clone_from(&state.rebased);
        Ok(state)
    }

    /// Asks it to co-sign `body`, the head of the system's log; then it stands at `heads`. It is not asked over a new
    /// connection before it said where it stands: meanwhile it may have been told to forget.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn update(&mut self, update: Update, body: &str, heads: Vec<Head>) -> Result<String, Refused> {
        // Until it says otherwise, nobody knows whether it remembers this.
        self.seen = None;
        let had_connection = self.stream.is_some();
        let answer = self.ask_once(&Request::Update(update)).await;
        let lost = |error: io::Error| Refused { what: error.to_string(), diverged: false, again: had_connection };
        let answer = answer.map_err(lost)?;
        let Some(line) = answer.cosignature else {
            let what = audit::bounded_text(&answer.refused.unwrap_or_default(), audit::limits::MAX_DETAIL_LEN);
            return Err(Refused { what, diverged: answer.diverged, again: !answer.diverged });
        };
        let bad = |_| Refused { what: "the co-signature is not by this witness".into(), diverged: false, again: false };
        self.who.key.verify_cosignature(body, &line).map_err(bad)?;
        self.seen = Some(heads);
        // From here on it does not say so any more; if it does again, it is another time.
        (self.rebased, self.told) = (None, None);
        Ok(line)
    }

    /// Asks it to co-sign the head of one log, which it has seen.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn cosign(&mut self, note: &str, body: &str) -> Result<String, Refused> {
        let refused = |what: String| Refused { what, diverged: false, again: false };
        let answer = self.ask(&Request::Cosign { note: note.to_owned() }).await;
        let answer = answer.map_err(|error| refused(error.to_string()))?;
        let why = audit::bounded_text(&answer.refused.unwrap_or_default(), audit::limits::MAX_DETAIL_LEN);
        let line = answer.cosignature.ok_or_else(|| refused(why))?;
        let bad = |_| refused("the co-signature is not by this witness".into());
        self.who.key.verify_cosignature(body, &line).map_err(bad)?;
        Ok(line)
    }

    async fn ask(&mut self, request: &Request) -> io::Result<Answer> {
        // A connection that was closed meanwhile is not the witness's refusal.
        let had_connection = self.stream.is_some();
        match self.ask_once(request).await {
            Err(_) if had_connection => self.ask_once(request).await,
            other => other,
        }
    }

    async fn ask_once(&mut self, request: &Request) -> io::Result<Answer> {
        // Where it stands is known for as long as the connection lives over which it said so: whoever had it forget had to
        // end it.
        let (stream, seen) = (self.stream.take(), self.seen.take());
        let seen = seen.filter(|_| stream.is_some());
        let (answer, stream) = timeout(self.who.deadline, exchange(&self.who, stream, request))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        (self.stream, self.seen) = (Some(stream), seen);
        Ok(answer)
    }
}

async fn exchange(
    who: &WitnessAddress,
    stream: Option<TlsStream<TcpStream>>,
    request: &Request,
) -> io::Result<(Answer, TlsStream<TcpStream>)> {
    let mut stream = match stream {
        Some(stream) => stream,
        None => {
            let socket = TcpStream::connect(&who.address).await?;
            socket.set_nodelay(true)?;
            TlsConnector::from(Arc::clone(&who.tls)).connect(who.server_name.clone(), socket).await?
        }
    };
    let message = serde_json::to_vec(request)?;
    let len = u32::try_from(message.len()).ok().filter(|_| message.len() <= MAX_MESSAGE_LEN);
    stream.write_all(&len.ok_or_else(|| wrong("a message over the limit"))?.to_be_bytes()).await?;
    stream.write_all(&message).await?;
    stream.flush().await?;
    let len = usize::try_from(stream.read_u32().await?).unwrap_or(usize::MAX);
    if len > MAX_MESSAGE_LEN {
        return Err(wrong("an answer over the limit"));
    }
    let mut answer = Vec::with_capacity(len.min(FIRST_BUFFER));
    let wanted = u64::try_from(len).unwrap_or(u64::MAX);
    (&mut stream).take(wanted).read_to_end(&mut answer).await?;
    if answer.len() < len {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((serde_json::from_slice(&answer)?, stream))
}
