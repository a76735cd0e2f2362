//! Scripts of KMIP messages as data: what is sent, item by item, and what has to come back.
//!
//! `tests/scripts/batches.kms` explains the words. The messages are put together here, not by the typed encoder, so that
//! they may lie about their Batch Count or hold an item that cannot be read.

mod parse;

use std::collections::BTreeMap;

use kmip::attribute::{AttributeValue, Identifier, Name};
use kmip::message::{Outcome, RequestHeader, RequestMessage, ResponseMessage};
use kmip::payload::{
    ActivateRequest, AddAttributeRequest, DestroyRequest, DiscoverVersionsRequest, GetAttributesRequest, GetRequest,
    LocateRequest, QueryRequest, RequestPayload, ResponsePayload,
};
use kmip::registry::{Operation, QueryFunction};
use kmip::ttlv::{DateTime, ItemType, Reader, Wire, Writer};
use kmip::{ProtocolVersion, Tag};

use crate::asking;
use crate::node::{Connection, Node, Result};

pub use parse::{Case, Exchange, Expected, Item, Send, parse};

/// An identifier that nobody has.
const NOBODY: &str = "01890000-0000-7000-8000-000000000000";
/// An operation number of the vendors' range that no version names.
const STRANGE: u32 = 0x8000_1234;

/// Plays a case as a tenant of its own.
///
/// # Errors
/// What was not as the script says.
pub fn play(node: &Node, case: &Case) -> Result<()> {
    let tenant = node.tenant("script", "anssi")?;
    let mut player = Player { connection: node.connect(&tenant.identity)?, identifiers: BTreeMap::new() };
    for (number, exchange) in case.exchanges.iter().enumerate() {
        player.exchange(exchange).map_err(|error| format!("{}, message {}: {error}", case.name, number + 1))?;
    }
    Ok(())
}

struct Player {
    connection: Connection,
    /// Identifiers by the names of the script.
    identifiers: BTreeMap<String, String>,
}

impl Player {
    fn exchange(&mut self, exchange: &Exchange) -> Result<()> {
        let items = self.expanded(&exchange.send)?;
        let request = message(&exchange.send, &items)?;
        let bytes = self.connection.raw(&request)?;
        if let Some(limit) = exchange.send.max
            && bytes.len() > limit
        {
            return Err(format!("{} bytes, {limit} were allowed", bytes.len()).into());
        }
        let answer = ResponseMessage::decode(&bytes)?;
        if answer.header.version != exchange.send.version {
            return Err(format!("answered in {}", answer.header.version).into());
        }
        let found: Vec<String> = answer.items.iter().map(|item| told(&item.outcome)).collect();
        let expected = exchange.expected_of(&items);
        if exchange.of_message {
            let [only] = answer.items.as_slice() else { return Err(format!("answered {found:?}").into()) };
            if only.operation.is_some() || only.unique_batch_item_id.is_some() {
                return Err("the answer to a message that cannot be read names an operation or item".into());
            }
        } else {
            for (number, (item, sent)) in answer.items.iter().zip(&items).enumerate() {
                if item.operation != Some(sent.operation) || item.unique_batch_item_id != Some(mark(number)) {
                    return Err(format!("item {} is not answered as itself", number + 1).into());
                }
            }
        }
        if found != expected {
            return Err(format!("answered {found:?}, expected {expected:?}").into());
        }
        for (item, sent) in answer.items.iter().zip(&items) {
            if let (Outcome::Success(ResponsePayload::Create(created)), Some(name)) = (&item.outcome, &sent.makes) {
                self.identifiers.insert(name.clone(), created.unique_identifier.clone());
            }
        }
        Ok(())
    }

    fn expanded(&self, send: &Send) -> Result<Vec<Encoded>> {
        let mut items = Vec::new();
        // Keys that this very batch makes are found by the ID Placeholder only; a script names them all the same where
        // they are the last that was made.
        let mut made: Option<&str> = None;
        for item in &send.items {
            let named = match item.object.as_deref() {
                None | Some("-") => None,
                Some("absent") => Some(NOBODY.to_owned()),
                Some(name) if made == Some(name) => None,
                Some(name) => self.identifiers.get(name).cloned(),
            };
            let times = if item.verb == "filler" { item.number()? } else { 1 };
            for _ in 0..times {
                items.push(Encoded::of(item, named.clone(), send.version)?);
            }
            if matches!(item.verb.as_str(), "create" | "active") {
                made = item.object.as_deref();
            }
        }
        Ok(items)
    }
}

/// A batch item as bytes without its mark.
struct Encoded {
    verb: String,
    operation: u32,
    payload: Vec<u8>,
    /// The name of the key that it makes.
    makes: Option<String>,
}

impl Encoded {
    fn of(item: &Item, named: Option<String>, version: ProtocolVersion) -> Result<Self> {
        let object = || item.object.clone().ok_or_else(|| format!("{} needs an object", item.verb));
        let item_named = named.clone();
        let named = named.map(Identifier::from);
        let typed: RequestPayload = match item.verb.as_str() {
            "create" => asking::aes(vec![asking::name(&object()?)]).into(),
            "active" => {
                let active = AttributeValue::ActivationDate(DateTime(1));
                asking::aes(vec![asking::name(&object()?), active]).into()
            }
            "get" => GetRequest { unique_identifier: named, ..GetRequest::default() }.into(),
            "state" => {
                let attribute_names = vec!["State".to_owned()];
                GetAttributesRequest { unique_identifier: named, attribute_names }.into()
            }
            "locate" => {
                let name = object()?;
                let filter = (name != "*").then(|| AttributeValue::Name(Name::text(name)).into());
                LocateRequest { attributes: filter.into_iter().collect(), ..LocateRequest::default() }.into()
            }
            "activate" => ActivateRequest { unique_identifier: named }.into(),
            "revoke" => asking::cessation(item_named.clone()).into(),
            "destroy" => DestroyRequest { unique_identifier: named }.into(),
            "tag" => {
                let attribute = AttributeValue::custom_text("x-tag", "value").ok_or("a tag")?.into();
                AddAttributeRequest { unique_identifier: named, attribute }.into()
            }
            "query" => QueryRequest::of(vec![QueryFunction::QueryOperations, QueryFunction::QueryObjects]).into(),
            "versions" | "filler" => DiscoverVersionsRequest::default().into(),
            "broken" => {
                return Ok(Self::by_hand(item, Operation::Get.value(), |w| w.integer(Tag::UNIQUE_IDENTIFIER, 7)));
            }
            "strange" => return Ok(Self::by_hand(item, STRANGE, |_| {})),
            // Known to 2.x, and not offered under `anssi`.
            "interop" => return Ok(Self::by_hand(item, Operation::Interop.value(), |_| {})),
            other => return Err(format!("{other} is no verb").into()),
        };
        let makes = matches!(item.verb.as_str(), "create" | "active").then(object).transpose()?;
        let operation = typed.operation().value();
        Ok(Self { verb: item.verb.clone(), operation, payload: payload_of(version, typed)?, makes })
    }

    fn by_hand(item: &Item, operation: u32, fill: impl FnOnce(&mut Writer)) -> Self {
        let mut writer = Writer::new(ProtocolVersion::V1_4);
        writer.structure(Tag::REQUEST_PAYLOAD, fill);
        Self { verb: item.verb.clone(), operation, payload: writer.finish().to_vec(), makes: None }
    }
}

impl Exchange {
    /// What has to come back, a filler as often as it was sent.
    fn expected_of(&self, items: &[Encoded]) -> Vec<String> {
        let fillers = items.iter().filter(|item| item.verb == "filler").count();
        let each = self.expected.iter().flat_map(|expected| {
            let times = if expected.verb == "filler" { fillers } else { 1 };
            std::iter::repeat_n(expected.outcome.clone(), times)
        });
        each.collect()
    }
}

/// The payload of a typed request: taken out of a message that the typed encoder wrote.
fn payload_of(version: ProtocolVersion, typed: RequestPayload) -> Result<Vec<u8>> {
    let message = RequestMessage::single(version, typed).encode()?;
    let mut reader = Reader::new(&message, version);
    let mut inside = reader.next_item()?.ok_or("no message")?.structure()?;
    while let Some(item) = inside.next_item()? {
        if item.tag == Tag::BATCH_ITEM {
            let mut fields = item.structure()?;
            while let Some(field) = fields.next_item()? {
                if field.tag == Tag::REQUEST_PAYLOAD && field.item_type == ItemType::Structure {
                    return Ok(field.raw().to_vec());
                }
            }
        }
    }
    Err("a request without payload".into())
}

fn message(send: &Send, items: &[Encoded]) -> Result<Vec<u8>> {
    let count = match send.count {
        Some(count) => count,
        None => i32::try_from(items.len())?,
    };
    let header = RequestHeader {
        maximum_response_size: send.max.map(i32::try_from).transpose()?,
        batch_error_continuation: send.option,
        batch_order: (items.len() > 1).then_some(true),
        ..RequestHeader::new(send.version, count)
    };
    let mut writer = Writer::new(send.version);
    writer.structure(Tag::REQUEST_MESSAGE, |w| {
        header.encode(Tag::REQUEST_HEADER, w);
        for (number, item) in items.iter().enumerate() {
            w.structure(Tag::BATCH_ITEM, |w| {
                w.enumeration(Tag::OPERATION, item.operation);
                w.bytes(Tag::UNIQUE_BATCH_ITEM_ID, &mark(number));
                w.raw(&item.payload);
            });
        }
    });
    Ok(writer.finish().to_vec())
}

/// The Unique Batch Item ID of the item with this number: not its position, so that an echo is one.
fn mark(number: usize) -> Vec<u8> {
    format!("item {number:04}").into_bytes()
}

/// An outcome in the words of a script.
fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Success(ResponsePayload::Locate(located)) => format!("ok found={}", located.unique_identifiers.len()),
        Outcome::Success(ResponsePayload::GetAttributes(answer)) => {
            let state = answer.attributes.iter().find_map(|one| match &one.value {
                AttributeValue::State(state) => Some(state.text()),
                _ => None,
            });
            format!("ok {}", state.unwrap_or("without state"))
        }
        Outcome::Success(_) => "ok".to_owned(),
        Outcome::Undone(_) => "undone".to_owned(),
        Outcome::Failure { reason, .. } | Outcome::CheckFailed { reason, .. } => reason.xml_name().to_owned(),
        Outcome::Pending { .. } => "pending".to_owned(),
    }
}
