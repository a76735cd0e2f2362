//! Clients at work who remember what the server acknowledged, until somebody kills it under their hands.

mod worker;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::thread;

use certs::Issued;
use kmip_client::TlsVersions;
use rustix::process::{Pid, Signal, kill_process};
use uuid::Uuid;

use crate::node::{Dial, Node, Result};
use crate::random::Random;
use worker::Worker;
pub(crate) use worker::{TAG, fingerprint};

/// Clients at work at one time.
pub const WORKERS: u64 = 4;

/// How far a key has come in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It is there.
    #[default]
    PreActive,
    /// Activated.
    Active,
    /// Revoked.
    Deactivated,
    /// Destroyed.
    Destroyed,
}

/// What the server acknowledged about a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acknowledged {
    /// SHA-256 of its bytes, where they were sent or came back.
    pub digest: Option<[u8; 32]>,
    /// The value of its tag.
    pub tag: Option<String>,
    /// How far it had come.
    pub stage: Stage,
}

/// Everything that was acknowledged.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The keys.
    pub keys: BTreeMap<Uuid, Acknowledged>,
    /// For each Client Correlation Value that was answered, how many items succeeded.
    pub answers: BTreeMap<String, usize>,
    /// What the server refused although nothing was wrong with it.
    pub refusals: Vec<String>,
}

/// When the server is killed.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// As soon as this many acknowledgements came.
    Acknowledgement(u64),
    /// As soon as this many requests are on their way, or about to be.
    Request(u64),
    /// It is not.
    Never,
}

impl Moment {
    /// One or the other, after at most so many.
    pub fn at_random(random: &mut Random, most: usize) -> Self {
        let after = u64::try_from(random.below(most)).unwrap_or(0) + 1;
        if random.below(2) == 0 { Self::Acknowledgement(after) } else { Self::Request(after) }
    }
}

/// What the workers share.
struct Shared {
    state: Mutex<State>,
    moment: Moment,
    server: Option<Pid>,
}

#[derive(Default)]
struct State {
    ledger: Ledger,
    begun: u64,
    acknowledged: u64,
}

impl Shared {
    fn begin(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.begun += 1;
        if matches!(self.moment, Moment::Request(after) if after == state.begun) {
            self.kill();
        }
    }

    /// Notes what was acknowledged, and only then strikes.
    fn acknowledge(&self, note: impl FnOnce(&mut Ledger)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        note(&mut state.ledger);
        state.acknowledged += 1;
        if matches!(self.moment, Moment::Acknowledgement(after) if after == state.acknowledged) {
            self.kill();
        }
    }

    fn refused(&self, why: String) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).ledger.refusals.push(why);
    }

    fn kill(&self) {
        if let Some(server) = self.server {
            // It may have ended by itself, which the test will find out.
            let _ = kill_process(server, Signal::KILL);
        }
    }
}

/// Lets [`WORKERS`] clients of one identity work until the server is gone, and returns the ledger with what was
/// acknowledged in addition. `round` tells the rounds of a ledger apart. The process is still to be waited for.
///
/// # Errors
/// Of the first connection.
pub fn until_it_dies(
    node: &Node,
    identity: &Issued,
    round: u64,
    moment: Moment,
    random: &mut Random,
    ledger: Ledger,
) -> Result<Ledger> {
    let dial = Dial::to(node, identity, TlsVersions::Both)?;
    let server = i32::try_from(node.server()?.id()).ok().and_then(Pid::from_raw);
    let shared = Shared { state: Mutex::new(State { ledger, ..State::default() }), moment, server };
    let mut workers = Vec::new();
    for number in 0..WORKERS {
        let own = Random::from_seed(random.number());
        match dial.connect() {
            Ok(connection) => workers.push(Worker::new(connection, &shared, format!("{round}-{number}"), own)),
            // The server may be gone before everybody is there.
            Err(_) if number > 0 => {}
            Err(error) => return Err(error.into()),
        }
    }
    thread::scope(|scope| {
        for worker in workers {
            scope.spawn(move || worker.work());
        }
    });
    Ok(shared.state.into_inner().unwrap_or_else(PoisonError::into_inner).ledger)
}
