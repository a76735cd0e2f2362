//! What vCenter 7.0.3 does at its key server to have one VM encrypted, as it was seen on the wire.
//!
//! | connection | messages, each connection beginning with Discover Versions | when |
//! |---|---|---|
//! | 1 | Create: AES-256, Encrypt and Decrypt, no name | first |
//! | 2 | Get Attributes of each of three product tags; Add Attribute of all three in one batch | then |
//! | 3 | Get; Get Attributes `State`; Activate | at the same time as 2 |
//! | 4 | as 2, with the tags of the VM | last |
//!
//! All in KMIP 1.1, batch items marked `QLKC` and their number. vCenter goes on when a tag is refused, so this does;
//! the refusal is counted.

use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue};
use kmip::message::{Outcome, RequestHeader, RequestItem, RequestMessage};
use kmip::payload::{
    ActivateRequest, AddAttributeRequest, CreateRequest, CreateResponse, DiscoverVersionsRequest,
    DiscoverVersionsResponse, GetAttributesRequest, GetAttributesResponse, GetRequest, GetResponse, RequestPayload,
    ResponsePayload,
};
use kmip::registry::{CryptographicAlgorithm, ResultStatus, State, UsageMask};
use kmip_client::{Client, Error};

use super::Target;
use super::population::KEY_BITS;
use super::worker::is_the_key;

const VERSION: ProtocolVersion = ProtocolVersion::V1_1;
/// Begins every mark of a batch item; its number from 1, four bytes little endian, follows.
const MARK: &[u8; 4] = b"QLKC";
const PRODUCT_TAGS: [(&str, &str); 3] =
    [("x-Product_Version", "7.0.3 build-19480866"), ("x-Vendor", "VMware, Inc."), ("x-Product", "VMware vSphere")];

/// Performs the whole sequence and returns the number of refused tags.
pub(super) async fn encrypt_vm(target: &Target) -> Result<u64, Error> {
    let id = create(target).await?;
    let (product, fetched) = tokio::join!(tag(target, &id, &PRODUCT_TAGS), fetch(target, &id));
    fetched?;
    // A VM of its own for each key.
    let uuid = uuid::Uuid::new_v4();
    let (uuid, name) = (uuid.to_string(), format!("vm-{}", uuid.simple()));
    let owner = [("x-Identifier", &uuid[..]), ("x-Component", "Virtual Machine"), ("x-Name", &name[..])];
    Ok(product? + tag(target, &id, &owner).await?)
}

async fn create(target: &Target) -> Result<String, Error> {
    let mut session = Session::open(target).await?;
    let request = CreateRequest::symmetric_key(vec![
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Aes),
        AttributeValue::CryptographicUsageMask(UsageMask::ENCRYPT.union(UsageMask::DECRYPT)),
        AttributeValue::CryptographicLength(KEY_BITS),
    ]);
    let answer: CreateResponse = session.ask(request).await?;
    session.close().await;
    Ok(answer.unique_identifier)
}

async fn fetch(target: &Target, id: &str) -> Result<(), Error> {
    let mut session = Session::open(target).await?;
    let key: GetResponse = session.ask(GetRequest::of(id)).await?;
    is_the_key(&key, id)?;
    let state: GetAttributesResponse = session.ask(GetAttributesRequest::of(id, &["State"])).await?;
    if !state.attributes.iter().any(|attribute| attribute.value == AttributeValue::State(State::PreActive)) {
        return Err(Error::Mismatch("a new key that is not Pre-Active"));
    }
    success(session.exchange([ActivateRequest::of(id).into()]).await?)?;
    session.close().await;
    Ok(())
}

async fn tag(target: &Target, id: &str, tags: &[(&str, &str)]) -> Result<u64, Error> {
    let mut session = Session::open(target).await?;
    let mut refused = 0;
    for (name, _) in tags {
        let asked = session.exchange([GetAttributesRequest::of(id, &[name]).into()]).await?;
        refused += u64::from(success(asked).is_err());
    }
    let additions = tags.iter().map(|(name, value)| {
        let value = AttributeValue::custom_text(*name, value).ok_or(Error::Mismatch("not a custom attribute"))?;
        let request = AddAttributeRequest { unique_identifier: Some(id.into()), attribute: Attribute::new(value) };
        Ok(RequestPayload::from(request))
    });
    let additions = additions.collect::<Result<Vec<_>, Error>>()?;
    refused += u64::from(success(session.exchange(additions).await?).is_err());
    session.close().await;
    Ok(refused)
}

/// One short connection.
struct Session {
    client: Client,
}

impl Session {
    /// Connects; the first message asks for the versions and carries no mark.
    async fn open(target: &Target) -> Result<Self, Error> {
        let mut session = Self { client: target.connect().await? };
        let items = vec![RequestItem::new(DiscoverVersionsRequest::default())];
        let versions: DiscoverVersionsResponse = only(session.send(items).await?)?;
        if versions.protocol_versions.contains(&VERSION) {
            Ok(session)
        } else {
            Err(Error::Mismatch("a server that does not speak KMIP 1.1"))
        }
    }

    /// Asks for one operation, which has to succeed.
    async fn ask<T: TryFrom<ResponsePayload>>(&mut self, payload: impl Into<RequestPayload>) -> Result<T, Error> {
        only(self.exchange([payload.into()]).await?)
    }

    /// Sends operations in one message and returns what became of those that the server began.
    async fn exchange(&mut self, payloads: impl IntoIterator<Item = RequestPayload>) -> Result<Vec<Outcome>, Error> {
        let marks = (1_u32..).map(|number| [&MARK[..], &number.to_le_bytes()].concat());
        let marked = payloads.into_iter().zip(marks);
        let items = marked
            .map(|(payload, mark)| RequestItem { unique_batch_item_id: Some(mark), ..RequestItem::new(payload) })
            .collect();
        self.send(items).await
    }

    async fn send(&mut self, items: Vec<RequestItem>) -> Result<Vec<Outcome>, Error> {
        let header = RequestHeader::new(VERSION, i32::try_from(items.len()).unwrap_or(i32::MAX));
        let answer = self.client.call(RequestMessage { header, items }).await?;
        Ok(answer.items.into_iter().map(|item| item.outcome).collect())
    }

    async fn close(self) {
        let _ = self.client.close().await;
    }
}

/// The payloads of operations that all succeeded, or the first refusal.
fn success(outcomes: Vec<Outcome>) -> Result<Vec<ResponsePayload>, Error> {
    if outcomes.is_empty() {
        return Err(Error::Mismatch("an answer to nothing"));
    }
    let payload = |outcome| match outcome {
        Outcome::Success(payload) => Ok(payload),
        Outcome::Failure { status, reason, message } => Err(Error::Failed { status, reason, message }),
        Outcome::CheckFailed { reason, message, .. } => {
            Err(Error::Failed { status: ResultStatus::OperationFailed, reason, message })
        }
        Outcome::Undone(_) | Outcome::Pending { .. } => Err(Error::Mismatch("undone or put off")),
    };
    outcomes.into_iter().map(payload).collect()
}

fn only<T: TryFrom<ResponsePayload>>(outcomes: Vec<Outcome>) -> Result<T, Error> {
    let [payload] = <[ResponsePayload; 1]>::try_from(success(outcomes)?)
        .map_err(|_| Error::Mismatch("one operation, another number of answers"))?;
    T::try_from(payload).map_err(|_| Error::Mismatch("another operation"))
}
