//! One connection's share of a load: it performs one operation after the other and looks at each answer.

use std::sync::Arc;

use kmip::attribute::{Attribute, AttributeValue, Name};
use kmip::payload::{GetRequest, GetResponse, LocateRequest, QueryRequest};
use kmip::registry::QueryFunction;
use kmip_client::{Client, Error};

use super::population::{self, KEY_BITS};
use super::{Operation, Population, Target, vsphere};

/// Splits a 64-bit sequence so that each connection walks through the keys in an order of its own.
const STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;

/// A connection with the state of its loop.
pub(super) struct Worker {
    target: Arc<Target>,
    operation: Operation,
    population: Arc<Population>,
    names: String,
    sequence: u64,
    walk: u64,
    client: Option<Client>,
}

impl Worker {
    pub(super) fn new(
        target: Arc<Target>,
        operation: Operation,
        population: Arc<Population>,
        run: &str,
        number: usize,
    ) -> Self {
        let walk = (number as u64).wrapping_mul(STRIDE);
        let names = format!("bench-{run}-{number}");
        Self { target, operation, population, names, sequence: 0, walk, client: None }
    }

    /// Connects, where one connection serves many operations. A failure shows again, and is counted, at the first one.
    pub(super) async fn get_ready(&mut self) {
        if self.operation.keeps_connection() {
            self.client = self.target.connect().await.ok();
        }
    }

    /// Performs the operation once. Returns how many of its requests the server refused where a client goes on all the
    /// same.
    pub(super) async fn perform(&mut self) -> Result<u64, Error> {
        self.sequence += 1;
        match self.operation {
            Operation::Vsphere => vsphere::encrypt_vm(&self.target).await,
            Operation::Query => self.query().await.map(|()| 0),
            Operation::Get | Operation::Locate | Operation::Create => {
                let mut client = match self.client.take() {
                    Some(client) => client,
                    None => self.target.connect().await?,
                };
                let outcome = self.ask(&mut client).await;
                // After a refusal the connection is as good as before; after anything else nobody knows.
                if matches!(outcome, Ok(()) | Err(Error::Failed { .. })) {
                    self.client = Some(client);
                }
                outcome.map(|()| 0)
            }
        }
    }

    /// Ends the connection. All answers are here, so how it ends is nobody's concern.
    pub(super) async fn close(self) {
        if let Some(client) = self.client {
            let _ = client.close().await;
        }
    }

    async fn query(&self) -> Result<(), Error> {
        let functions = vec![QueryFunction::QueryOperations, QueryFunction::QueryObjects];
        let mut client = self.target.connect().await?;
        let answer = client.request(self.target.version, QueryRequest::of(functions)).await?;
        let _ = client.close().await;
        if answer.operations.is_empty() { Err(Error::Mismatch("a server without operations")) } else { Ok(()) }
    }

    async fn ask(&mut self, client: &mut Client) -> Result<(), Error> {
        let version = self.target.version;
        if self.operation == Operation::Create {
            let name = format!("{}-{}", self.names, self.sequence);
            let answer = client.request(version, population::create(&name)).await?;
            return if answer.unique_identifier.is_empty() { Err(Error::Mismatch("no identifier")) } else { Ok(()) };
        }
        // The upper half of the walk: the lower bits of such a sequence repeat soon.
        self.walk = self.walk.wrapping_add(STRIDE);
        let key = self.population.pick(self.walk >> 32).ok_or(Error::Mismatch("no keys were made beforehand"))?;
        if self.operation == Operation::Get {
            let answer = client.request(version, GetRequest::of(key.id.as_str())).await?;
            return is_the_key(&answer, &key.id);
        }
        let attributes = vec![Attribute::new(AttributeValue::Name(Name::text(&key.name)))];
        let answer = client.request(version, LocateRequest { attributes, ..LocateRequest::default() }).await?;
        match &answer.unique_identifiers[..] {
            [only] if *only == key.id => Ok(()),
            _ => Err(Error::Mismatch("not the one key of that name")),
        }
    }
}

/// A server that answers quickly with something else is not quick.
pub(super) fn is_the_key(answer: &GetResponse, id: &str) -> Result<(), Error> {
    let block = answer.object.key_block().ok_or(Error::Mismatch("an object without a key block"))?;
    let material = block.material().ok_or(Error::Mismatch("a key without its value"))?;
    let bits = i32::try_from(material.secret().map_or(0, |key| key.len()) * 8).unwrap_or(i32::MAX);
    if answer.unique_identifier == id && bits == KEY_BITS { Ok(()) } else { Err(Error::Mismatch("another key")) }
}
