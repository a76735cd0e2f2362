//! The columns of an object.

use kmip::attribute::Attribute;
use kmip::registry::{CryptographicAlgorithm, ObjectType, State, UsageMask};
use kmip::ttlv::{Reader, Wire, Writer};
use kmip::{ProtocolVersion, Tag};
use secret::Sealed;

use super::{Raw, bounded, flag, signed, sized, unsigned, uuid_text};
use crate::canonical::Canonical;
use crate::error::StoreError;
use crate::limits::{MAX_ATTRIBUTES, MAX_ATTRIBUTES_LEN, MAX_REVOCATION_MESSAGE_LEN};
use crate::row::{Dates, ObjectRow, Revocation};

/// Attributes are stored in the form of this version, whatever the client spoke.
const STORED_VERSION: ProtocolVersion = ProtocolVersion::EVERY;

/// Columns of table `object`, in its order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RawObject {
    pub(crate) domain: Vec<u8>,
    pub(crate) id: Vec<u8>,
    pub(crate) revision: i64,
    pub(crate) object_type: i64,
    pub(crate) state: i64,
    pub(crate) algorithm: Option<i64>,
    pub(crate) length: Option<i64>,
    pub(crate) usage_mask: i64,
    pub(crate) initial_date: i64,
    pub(crate) activation_date: Option<i64>,
    pub(crate) process_start_date: Option<i64>,
    pub(crate) protect_stop_date: Option<i64>,
    pub(crate) deactivation_date: Option<i64>,
    pub(crate) destroy_date: Option<i64>,
    pub(crate) compromise_occurrence_date: Option<i64>,
    pub(crate) compromise_date: Option<i64>,
    pub(crate) archive_date: Option<i64>,
    pub(crate) last_change_date: i64,
    pub(crate) revocation_code: Option<i64>,
    pub(crate) revocation_message: Option<String>,
    pub(crate) owner: Vec<u8>,
    pub(crate) fresh: i64,
    pub(crate) attributes: Vec<u8>,
    pub(crate) seal_number: i64,
    pub(crate) sealed: Option<Vec<u8>>,
}

impl RawObject {
    /// The columns of `row` under `revision`.
    pub(crate) fn of(row: &ObjectRow, revision: u64) -> Result<Self, StoreError> {
        bounded(row.attributes.len(), MAX_ATTRIBUTES, "too many attributes")?;
        let message = row.revocation.as_ref().and_then(|revocation| revocation.message.clone());
        bounded(message.as_ref().map_or(0, String::len), MAX_REVOCATION_MESSAGE_LEN, "revocation message too long")?;
        let attributes = encode_attributes(&row.attributes);
        bounded(attributes.len(), MAX_ATTRIBUTES_LEN, "attributes too long")?;
        Ok(Self {
            domain: row.domain.to_vec(),
            id: row.id.to_vec(),
            revision: signed(revision)?,
            object_type: i64::from(row.object_type.value()),
            state: i64::from(row.state.value()),
            algorithm: row.algorithm.map(|one| i64::from(one.value())),
            length: row.length.map(i64::from),
            usage_mask: i64::from(row.usage_mask.0),
            initial_date: row.dates.initial,
            activation_date: row.dates.activation,
            process_start_date: row.dates.process_start,
            protect_stop_date: row.dates.protect_stop,
            deactivation_date: row.dates.deactivation,
            destroy_date: row.dates.destroy,
            compromise_occurrence_date: row.dates.compromise_occurrence,
            compromise_date: row.dates.compromise,
            archive_date: row.dates.archive,
            last_change_date: row.dates.last_change,
            revocation_code: row.revocation.as_ref().map(|revocation| i64::from(revocation.code.value())),
            revocation_message: message,
            owner: row.owner.to_vec(),
            fresh: i64::from(row.fresh),
            attributes,
            seal_number: i64::from(row.seal_number),
            sealed: row.sealed.as_ref().map(|sealed| sealed.as_bytes().to_vec()),
        })
    }
}

impl Raw for RawObject {
    const TABLE: &'static str = "object";
    type Row = ObjectRow;

    fn key(&self) -> String {
        uuid_text(&self.id)
    }

    fn canonical(&self) -> Vec<u8> {
        Canonical::new("object 1")
            .blob(&self.domain)
            .blob(&self.id)
            .integer(self.revision)
            .integer(self.object_type)
            .integer(self.state)
            .maybe_integer(self.algorithm)
            .maybe_integer(self.length)
            .integer(self.usage_mask)
            .integer(self.initial_date)
            .maybe_integer(self.activation_date)
            .maybe_integer(self.process_start_date)
            .maybe_integer(self.protect_stop_date)
            .maybe_integer(self.deactivation_date)
            .maybe_integer(self.destroy_date)
            .maybe_integer(self.compromise_occurrence_date)
            .maybe_integer(self.compromise_date)
            .maybe_integer(self.archive_date)
            .integer(self.last_change_date)
            .maybe_integer(self.revocation_code)
            .maybe_text(self.revocation_message.as_deref())
            .blob(&self.owner)
            .integer(self.fresh)
            .blob(&self.attributes)
            .integer(self.seal_number)
            .maybe(self.sealed.as_deref(), Canonical::digest_of)
            .finish()
    }

    fn decode(self) -> Result<ObjectRow, String> {
        let message = self.revocation_message;
        let revocation = match self.revocation_code {
            Some(code) => Some(Revocation { code: number(code, "revocation reason")?, message }),
            None if message.is_some() => return Err("revocation message without reason".to_owned()),
            None => None,
        };
        Ok(ObjectRow {
            id: sized(&self.id, "identifier")?,
            domain: sized(&self.domain, "domain")?,
            revision: unsigned(self.revision, "revision")?,
            object_type: number::<ObjectType>(self.object_type, "object type")?,
            state: number::<State>(self.state, "state")?,
            algorithm: self.algorithm.map(|one| number::<CryptographicAlgorithm>(one, "algorithm")).transpose()?,
            length: match self.length {
                Some(length) => Some(i32::try_from(length).map_err(|_| format!("length {length}"))?),
                None => None,
            },
            usage_mask: UsageMask(wire_number(self.usage_mask, "usage mask")?),
            dates: Dates {
                initial: self.initial_date,
                activation: self.activation_date,
                process_start: self.process_start_date,
                protect_stop: self.protect_stop_date,
                deactivation: self.deactivation_date,
                destroy: self.destroy_date,
                compromise_occurrence: self.compromise_occurrence_date,
                compromise: self.compromise_date,
                archive: self.archive_date,
                last_change: self.last_change_date,
            },
            revocation,
            owner: sized(&self.owner, "owner")?,
            fresh: flag(self.fresh, "fresh")?,
            attributes: decode_attributes(&self.attributes)?,
            seal_number: wire_number(self.seal_number, "seal number")?,
            sealed: match self.sealed {
                Some(bytes) => Some(Sealed::from_bytes(bytes).map_err(|error| error.to_string())?),
                None => None,
            },
        })
    }
}

fn wire_number(value: i64, what: &str) -> Result<u32, String> {
    u32::try_from(value).map_err(|_| format!("{what} {value}"))
}

fn number<T: TryFrom<u32>>(value: i64, what: &str) -> Result<T, String> {
    T::try_from(wire_number(value, what)?).map_err(|_| format!("{what} {value}"))
}

/// The attributes one after the other, each as KMIP 1.4 §2.1.1 has it.
fn encode_attributes(attributes: &[Attribute]) -> Vec<u8> {
    let mut writer = Writer::new(STORED_VERSION);
    for attribute in attributes {
        attribute.encode(Tag::ATTRIBUTE, &mut writer);
    }
    writer.finish().to_vec()
}

fn decode_attributes(bytes: &[u8]) -> Result<Vec<Attribute>, String> {
    let mut reader = Reader::new(bytes, STORED_VERSION);
    let mut attributes = Vec::new();
    while let Some(item) = reader.next_item().map_err(|error| format!("attributes: {error}"))? {
        if item.tag != Tag::ATTRIBUTE || attributes.len() == MAX_ATTRIBUTES {
            return Err(format!("attributes: item at {}", item.offset));
        }
        attributes.push(Attribute::decode(&item).map_err(|error| format!("attributes: {error}"))?);
    }
    Ok(attributes)
}
