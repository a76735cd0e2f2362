//! What a crash left, held against what was acknowledged: one check for the real server and for the broken controls.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use admin_api::Object;
use audit::{Outcome, Record};
use keystore::{SqliteStore, StoreOptions};
use kmip::ProtocolVersion;
use kmip::attribute::{AttributeValue, Digest};
use kmip::message::{Outcome as Answer, RequestMessage};
use kmip::payload::{GetAttributesRequest, GetRequest, RequestPayload, ResponsePayload};
use kmip::registry::{BatchErrorContinuationOption, State};
use uuid::Uuid;

use crate::asking;
use crate::exported;
use crate::load::{Acknowledged, Ledger, Stage, TAG, fingerprint};
use crate::node::{Node, Result, Tenant, folder};

/// Objects asked about by one message, with two items each.
const ASKED_AT_ONCE: usize = 100;
/// Objects on a page of the admin API.
const PAGE: u32 = 1000;

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It was acknowledged and is gone, or an acknowledged change of it is.
    Lost(String),
    /// An object without the record of its birth, a record without its object, a key that does not open.
    HalfMade(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(what) => write!(f, "lost: {what}"),
            Self::HalfMade(what) => write!(f, "half made: {what}"),
        }
    }
}

/// What SQLite says of the database as the crash left it, and whether the store opens: its audit trees are rebuilt from
/// their leaves. Works on a copy, so that the server itself is the first to repair the original.
///
/// # Errors
/// Of the files.
pub fn store_findings(node: &Node) -> Result<Vec<Finding>> {
    let copies = folder()?;
    let store = node.stage.store();
    let (Some(from), Some(name)) = (store.parent(), store.file_name()) else { return Err("no store".into()) };
    for suffix in ["", "-wal"] {
        let mut file = name.to_owned();
        file.push(suffix);
        if from.join(&file).exists() {
            std::fs::copy(from.join(&file), copies.path().join(&file))?;
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let said = runtime.block_on(integrity(&copies.path().join(name)));
    Ok(match said {
        Ok(said) if said == ["ok"] => Vec::new(),
        Ok(said) => vec![Finding::HalfMade(format!("integrity: {said:?}"))],
        Err(error) => vec![Finding::HalfMade(format!("the store does not open: {error}"))],
    })
}

async fn integrity(store: &Path) -> std::result::Result<Vec<String>, keystore::StoreError> {
    let store = SqliteStore::open(store, StoreOptions::default()).await?;
    let said = store.integrity().await;
    keystore::KeyStore::close(&store).await;
    said
}

/// Everything that a restarted server shows wrongly.
///
/// # Errors
/// Of asking it; what it answers is a finding.
pub fn findings(node: &Node, tenant: &Tenant, ledger: &Ledger) -> Result<Vec<Finding>> {
    let objects = objects(node, tenant)?;
    let records = exported::records(node, &tenant.name)?;
    let mut findings = Vec::new();
    told_and_done(&objects, &records, &mut findings);
    answered_and_told(ledger, &records, &mut findings);
    kept(ledger, &objects, &mut findings);
    opens(node, tenant, ledger, &objects, &mut findings)?;
    Ok(findings)
}

fn objects(node: &Node, tenant: &Tenant) -> Result<BTreeMap<Uuid, Object>> {
    let admin = node.admin("operator")?;
    let mut objects = BTreeMap::new();
    let mut after = None;
    loop {
        let page = admin.object_list(&tenant.name, after, Some(PAGE))?;
        objects.extend(page.objects.into_iter().map(|object| (object.id, object)));
        after = page.next;
        if after.is_none() {
            return Ok(objects);
        }
    }
}

/// Every object was born by exactly one record, every change of it was told by one, and nothing was told that is not
/// there: the revisions in the records of an object are all numbers up to its own.
fn told_and_done(objects: &BTreeMap<Uuid, Object>, records: &[Record], findings: &mut Vec<Finding>) {
    let mut births: BTreeMap<Uuid, usize> = BTreeMap::new();
    let mut revisions: BTreeMap<Uuid, Vec<u64>> = BTreeMap::new();
    for record in records.iter().filter(|record| record.outcome == Outcome::Success) {
        let Some(id) = record.object.as_deref().and_then(|id| id.parse().ok()) else { continue };
        if matches!(record.operation.as_str(), "Create" | "Register") {
            *births.entry(id).or_default() += 1;
        }
        revisions.entry(id).or_default().extend(record.revision);
    }
    for id in births.keys().filter(|id| !objects.contains_key(id)) {
        findings.push(Finding::HalfMade(format!("{id} was told and is not there")));
    }
    for (id, object) in objects {
        let told = revisions.get(id).map_or(&[][..], Vec::as_slice);
        if births.get(id) != Some(&1) || told.is_empty() {
            findings.push(Finding::HalfMade(format!("{id} is there and was not told once: {:?}", births.get(id))));
        }
        let whole = told.iter().zip(told.iter().skip(1)).all(|(one, next)| one + 1 == *next);
        if !whole || told.last() != Some(&object.revision) {
            findings.push(Finding::HalfMade(format!("{id} has revision {}, told were {told:?}", object.revision)));
        }
    }
}

/// Every answer that was delivered has its records, one per item, and no others under its mark.
fn answered_and_told(ledger: &Ledger, records: &[Record], findings: &mut Vec<Finding>) {
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    for record in records.iter().filter(|record| record.outcome == Outcome::Success) {
        if let Some(mark) = &record.correlation {
            *told.entry(mark).or_default() += 1;
        }
    }
    for (mark, items) in &ledger.answers {
        if told.get(mark.as_str()) != Some(items) {
            let told = told.get(mark.as_str());
            findings.push(Finding::Lost(format!("answer {mark} had {items} items, the log has {told:?}")));
        }
    }
}

fn kept(ledger: &Ledger, objects: &BTreeMap<Uuid, Object>, findings: &mut Vec<Finding>) {
    for (id, key) in &ledger.keys {
        match objects.get(id) {
            None => findings.push(Finding::Lost(format!("{id} was acknowledged"))),
            Some(object) if stage_of(&object.state).is_none_or(|stage| stage < key.stage) => {
                findings.push(Finding::Lost(format!("{id} was acknowledged {:?} and is {}", key.stage, object.state)));
            }
            Some(_) => {}
        }
    }
}

fn stage_of(state: &str) -> Option<Stage> {
    let is = |other: State| state == other.text();
    match state {
        _ if is(State::PreActive) => Some(Stage::PreActive),
        _ if is(State::Active) => Some(Stage::Active),
        _ if is(State::Deactivated) => Some(Stage::Deactivated),
        _ if is(State::Destroyed) => Some(Stage::Destroyed),
        _ => None,
    }
}

/// Every object that is there and not destroyed opens, to the bytes that its Digest and the client know.
fn opens(
    node: &Node,
    tenant: &Tenant,
    ledger: &Ledger,
    objects: &BTreeMap<Uuid, Object>,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let mut connection = node.connect(&tenant.identity)?;
    let live: Vec<Uuid> = objects
        .values()
        .filter(|object| stage_of(&object.state) != Some(Stage::Destroyed))
        .map(|object| object.id)
        .collect();
    for some in live.chunks(ASKED_AT_ONCE) {
        let questions = some.iter().flat_map(|id| {
            let id = id.to_string();
            let attributes = GetAttributesRequest::of(id.clone(), &["Digest", TAG]);
            [RequestPayload::from(GetRequest::of(id)), attributes.into()]
        });
        let mut request = RequestMessage::batch(ProtocolVersion::V1_4, questions);
        request.header.batch_error_continuation = Some(BatchErrorContinuationOption::Continue);
        let answer = connection.call(request)?;
        for (id, pair) in some.iter().zip(answer.items.chunks(2)) {
            let acknowledged = ledger.keys.get(id).cloned().unwrap_or_default();
            if let [got, attributes] = pair
                && let Err(what) = opens_to(&acknowledged, &got.outcome, &attributes.outcome)
            {
                findings.push(what(*id));
            }
        }
        if answer.items.len() != 2 * some.len() {
            findings.push(Finding::HalfMade(format!("{} answers for {} objects", answer.items.len(), some.len())));
        }
    }
    Ok(())
}

type What = Box<dyn FnOnce(Uuid) -> Finding>;

fn opens_to(acknowledged: &Acknowledged, got: &Answer, attributes: &Answer) -> std::result::Result<(), What> {
    let (Answer::Success(ResponsePayload::Get(got)), Answer::Success(ResponsePayload::GetAttributes(attributes))) =
        (got, attributes)
    else {
        let said = format!("{got:?}, {attributes:?}");
        return Err(Box::new(move |id| Finding::HalfMade(format!("{id} does not open: {said}"))));
    };
    let found = asking::bytes(got).map(fingerprint);
    let digest = attributes.attributes.iter().find_map(|attribute| match &attribute.value {
        AttributeValue::Digest(Digest { digest_value, .. }) => digest_value.clone(),
        _ => None,
    });
    if found.is_none() || found.map(Vec::from) != digest {
        return Err(Box::new(|id| Finding::HalfMade(format!("{id} opens to other bytes than its Digest says"))));
    }
    if acknowledged.digest.is_some() && acknowledged.digest != found {
        return Err(Box::new(|id| Finding::Lost(format!("{id} opens to other bytes than its client has"))));
    }
    let tag = acknowledged.tag.as_deref().and_then(|tag| AttributeValue::custom_text(TAG, tag));
    if tag.is_some_and(|tag| !attributes.attributes.iter().any(|attribute| attribute.value == tag)) {
        return Err(Box::new(|id| Finding::Lost(format!("the tag of {id} was acknowledged"))));
    }
    Ok(())
}
