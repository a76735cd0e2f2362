//! One client: makes keys in several ways, tags, activates, revokes and destroys them, each step acknowledged.

use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue};
use kmip::message::RequestMessage;
use kmip::payload::{
    ActivateRequest, AddAttributeRequest, DestroyRequest, GetRequest, RequestPayload, ResponsePayload,
};
use ring::digest::{SHA256, digest};
use uuid::Uuid;

use super::{Acknowledged, Ledger, Shared, Stage};
use crate::asking;
use crate::node::Connection;
use crate::random::Random;

/// Name of the vendor attribute that keys are tagged with.
pub(crate) const TAG: &str = "x-clavis-tag";
/// Keys registered by one message.
const REGISTERED_AT_ONCE: usize = 8;
const KEY_BYTES: usize = 32;

/// The server is gone.
pub(super) struct Gone;

/// A client at work.
pub(super) struct Worker<'s> {
    connection: Connection,
    shared: &'s Shared,
    mark: String,
    requests: u64,
    random: Random,
}

/// SHA-256 of key bytes.
pub(crate) fn fingerprint(key: &[u8]) -> [u8; 32] {
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, key).as_ref());
    fingerprint
}

impl<'s> Worker<'s> {
    pub(super) fn new(connection: Connection, shared: &'s Shared, mark: String, random: Random) -> Self {
        Self { connection, shared, mark, requests: 0, random }
    }

    /// Until the server is gone.
    pub(super) fn work(mut self) {
        while let Ok(()) = self.lives() {}
    }

    /// One or several keys from birth to wherever chance leads them.
    fn lives(&mut self) -> Result<(), Gone> {
        let born = match self.random.below(4) {
            0 => self.created()?,
            1 => self.created_and_activated_at_once()?,
            2 => self.registered(1)?,
            _ => self.registered(REGISTERED_AT_ONCE)?,
        };
        for id in born {
            self.tag(id)?;
            self.activate(id)?;
            if self.random.below(4) == 0 {
                self.revoke_and_destroy(id)?;
            }
        }
        Ok(())
    }

    fn created(&mut self) -> Result<Vec<Uuid>, Gone> {
        let name = self.next_name();
        let made = self.exchange(vec![asking::aes(vec![name]).into()], |ledger, made| {
            made.iter().filter_map(identifier_of).for_each(|id| drop(ledger.keys.insert(id, Acknowledged::default())));
        })?;
        let born: Vec<Uuid> = made.iter().filter_map(identifier_of).collect();
        for id in &born {
            self.exchange(vec![GetRequest::of(id.to_string()).into()], note_key)?;
        }
        Ok(born)
    }

    /// One message, all or nothing; the later items mean the object of the first.
    fn created_and_activated_at_once(&mut self) -> Result<Vec<Uuid>, Gone> {
        let name = self.next_name();
        let batch: Vec<RequestPayload> =
            vec![asking::aes(vec![name]).into(), ActivateRequest::default().into(), GetRequest::default().into()];
        let made = self.exchange(batch, |ledger, made| {
            if let Some(id) = made.first().and_then(identifier_of) {
                ledger.keys.insert(id, Acknowledged { stage: Stage::Active, ..Acknowledged::default() });
            }
            note_key(ledger, made);
        })?;
        Ok(made.first().and_then(identifier_of).into_iter().collect())
    }

    fn registered(&mut self, how_many: usize) -> Result<Vec<Uuid>, Gone> {
        let keys: Vec<Vec<u8>> = (0..how_many).map(|_| self.random.bytes(KEY_BYTES)).collect();
        let batch = keys.iter().map(|key| asking::known_aes(key, vec![self.next_name()]).into()).collect();
        let made = self.exchange(batch, |ledger, made| {
            for (id, key) in made.iter().filter_map(identifier_of).zip(&keys) {
                ledger.keys.insert(id, Acknowledged { digest: Some(fingerprint(key)), ..Acknowledged::default() });
            }
        })?;
        Ok(made.iter().filter_map(identifier_of).collect())
    }

    fn tag(&mut self, id: Uuid) -> Result<(), Gone> {
        let text = self.random.number().to_string();
        let Some(value) = AttributeValue::custom_text(TAG, &text) else { return Ok(()) };
        let request =
            AddAttributeRequest { unique_identifier: Some(id.to_string().into()), attribute: Attribute::new(value) };
        self.exchange(vec![request.into()], |ledger, _| {
            ledger.keys.entry(id).and_modify(|key| key.tag = Some(text));
        })?;
        Ok(())
    }

    fn activate(&mut self, id: Uuid) -> Result<(), Gone> {
        let active = self
            .shared
            .state
            .lock()
            .is_ok_and(|state| state.ledger.keys.get(&id).is_some_and(|key| key.stage >= Stage::Active));
        if active {
            return Ok(());
        }
        self.step(id, ActivateRequest::of(id.to_string()), Stage::Active)
    }

    fn revoke_and_destroy(&mut self, id: Uuid) -> Result<(), Gone> {
        self.step(id, asking::cessation(Some(id.to_string())), Stage::Deactivated)?;
        self.step(id, DestroyRequest::of(id.to_string()), Stage::Destroyed)
    }

    fn step(&mut self, id: Uuid, request: impl Into<RequestPayload>, stage: Stage) -> Result<(), Gone> {
        self.exchange(vec![request.into()], |ledger, _| {
            ledger.keys.entry(id).and_modify(|key| key.stage = stage);
        })?;
        Ok(())
    }

    /// Sends one message. If all of it succeeded, `note` enters it into the ledger; if the server refused anything,
    /// nothing is noted but that, and the answer is empty.
    fn exchange(
        &mut self,
        payloads: Vec<RequestPayload>,
        note: impl FnOnce(&mut Ledger, &[ResponsePayload]),
    ) -> Result<Vec<ResponsePayload>, Gone> {
        self.requests += 1;
        let mark = format!("{}-{}", self.mark, self.requests);
        let request = asking::correlated(RequestMessage::batch(ProtocolVersion::V1_4, payloads), &mark);
        self.shared.begin();
        let answer = self.connection.call(request).map_err(|_| Gone)?;
        match asking::successes(answer) {
            Ok(answers) => {
                self.shared.acknowledge(|ledger| {
                    note(ledger, &answers);
                    ledger.answers.insert(mark, answers.len());
                });
                Ok(answers)
            }
            Err(why) => {
                self.shared.refused(why);
                Ok(Vec::new())
            }
        }
    }

    fn next_name(&mut self) -> AttributeValue {
        asking::name(&format!("vm {} {:016x}", self.mark, self.random.number()))
    }
}

fn identifier_of(answer: &ResponsePayload) -> Option<Uuid> {
    match answer {
        ResponsePayload::Create(created) => created.unique_identifier.parse().ok(),
        ResponsePayload::Register(registered) => registered.unique_identifier.parse().ok(),
        _ => None,
    }
}

/// The bytes that came with a Get are what the client has now.
fn note_key(ledger: &mut Ledger, answers: &[ResponsePayload]) {
    for answer in answers {
        let ResponsePayload::Get(got) = answer else { continue };
        let (Ok(id), Some(key)) = (got.unique_identifier.parse::<Uuid>(), asking::bytes(got)) else { continue };
        ledger.keys.entry(id).and_modify(|held| held.digest = Some(fingerprint(key)));
    }
}
