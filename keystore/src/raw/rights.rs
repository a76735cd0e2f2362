//! What an identity reaches, and by which credentials, as the JSON in its column `rights`.
//!
//! Operations are the numbers of the specification. The row's MAC covers the text as it stands.

use kmip::registry::Operation;
use serde_json::{Map, Value, json};

use super::{bounded, hex_text};
use crate::error::StoreError;
use crate::limits::{MAX_CREDENTIALS, MAX_NAME_LEN, MAX_PASSWORD_HASH_LEN, MAX_RIGHTS_LEN};
use crate::row::{Access, Credential, Device, Fingerprint, IdentityRow, Subject};

/// What the column means.
#[derive(Debug, PartialEq)]
pub(super) struct Rights {
    pub(super) origin: Fingerprint,
    pub(super) access: Access,
    pub(super) credential_demanded: bool,
    pub(super) credentials: Vec<Credential>,
}

/// Names of a device's identifiers, in the order of [`Device::identifiers`].
const IDENTIFIERS: [&str; 5] = ["serial_number", "device", "network", "machine", "media"];

/// The column for `row`.
pub(super) fn encode(row: &IdentityRow) -> Result<String, StoreError> {
    bounded(row.credentials.len(), MAX_CREDENTIALS, "too many credentials")?;
    let mut names: Vec<&str> = row.credentials.iter().map(|one| one.subject.name()).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() != row.credentials.len() || names.iter().any(|name| name.is_empty()) {
        return Err(StoreError::InvalidUnit("two credentials of one name, or one of none"));
    }
    let credentials = row.credentials.iter().map(credential).collect::<Result<Vec<_>, _>>()?;
    let text = json!({
        "origin": hex_text(&row.origin),
        "access": access(&row.access),
        "credential_demanded": row.credential_demanded,
        "credentials": credentials,
    })
    .to_string();
    bounded(text.len(), MAX_RIGHTS_LEN, "rights too long")?;
    Ok(text)
}

fn credential(one: &Credential) -> Result<Value, StoreError> {
    bounded(one.argon2.as_ref().map_or(0, String::len), MAX_PASSWORD_HASH_LEN, "password hash too long")?;
    let subject = match &one.subject {
        Subject::User(name) => {
            bounded(name.len(), MAX_NAME_LEN, "user name too long")?;
            json!({ "user": name })
        }
        Subject::Device(device) => {
            let mut given = Map::new();
            for (name, value) in IDENTIFIERS.into_iter().zip(device.identifiers()) {
                if let Some(value) = value {
                    bounded(value.len(), MAX_NAME_LEN, "identifier of a device too long")?;
                    given.insert(name.to_owned(), value.into());
                }
            }
            json!({ "device": given })
        }
    };
    Ok(json!({ "subject": subject, "argon2": one.argon2, "access": access(&one.access) }))
}

fn access(access: &Access) -> Value {
    let numbers = |operations: &Vec<Operation>| operations.iter().map(|one| one.value()).collect::<Vec<u32>>();
    json!({ "own": access.own, "operations": access.operations.as_ref().map(numbers) })
}

/// The meaning of a column; `None` where it has none.
pub(super) fn decode(text: &str) -> Option<Rights> {
    let value: Value = serde_json::from_str(text).ok()?;
    Some(Rights {
        origin: read_origin(value.get("origin")?.as_str()?)?,
        access: read_access(value.get("access")?)?,
        credential_demanded: value.get("credential_demanded")?.as_bool()?,
        credentials: value
            .get("credentials")?
            .as_array()?
            .iter()
            .map(|one| {
                Some(Credential {
                    subject: read_subject(one.get("subject")?)?,
                    argon2: maybe(one.get("argon2")?, |text| Some(text.as_str()?.to_owned()))?,
                    access: read_access(one.get("access")?)?,
                })
            })
            .collect::<Option<_>>()?,
    })
}

/// 32 bytes in hexadecimal.
fn read_origin(text: &str) -> Option<Fingerprint> {
    let byte = |at: usize| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok();
    let bytes: Vec<u8> = (0..text.len() / 2).map(byte).collect::<Option<_>>()?;
    bytes.try_into().ok().filter(|_| text.len() == 64)
}

/// Null is none; what is there has to make sense.
fn maybe<T>(value: &Value, read: impl FnOnce(&Value) -> Option<T>) -> Option<Option<T>> {
    if value.is_null() { Some(None) } else { read(value).map(Some) }
}

fn read_access(value: &Value) -> Option<Access> {
    let operation = |number: &Value| Operation::try_from(u32::try_from(number.as_u64()?).ok()?).ok();
    Some(Access {
        own: value.get("own")?.as_bool()?,
        operations: maybe(value.get("operations")?, |list| list.as_array()?.iter().map(operation).collect())?,
    })
}

fn read_subject(value: &Value) -> Option<Subject> {
    if let Some(name) = value.get("user") {
        return Some(Subject::User(name.as_str()?.to_owned()));
    }
    let given = value.get("device")?.as_object()?;
    let [serial_number, device, network, machine, media] =
        IDENTIFIERS.map(|name| given.get(name).and_then(Value::as_str).map(str::to_owned));
    Some(Subject::Device(Device { serial_number, device, network, machine, media }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::IdentityKind;

    fn user(name: &str) -> Credential {
        let access = Access { own: true, operations: Some(vec![Operation::Get, Operation::Locate]) };
        Credential { subject: Subject::User(name.to_owned()), argon2: Some("$argon2id$".to_owned()), access }
    }

    fn row(credentials: Vec<Credential>) -> IdentityRow {
        IdentityRow {
            domain: [1; 16],
            fingerprint: [2; 32],
            origin: [0xab; 32],
            name: String::new(),
            kind: IdentityKind::Client,
            certificate: Vec::new(),
            access: Access { own: false, operations: Some(Vec::new()) },
            credential_demanded: true,
            credentials,
            created_us: 0,
            revoked: false,
            revision: 0,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let device = Device { serial_number: Some("s".to_owned()), media: Some("m".to_owned()), ..Device::default() };
        let device = Credential { subject: Subject::Device(device), argon2: None, access: Access::default() };
        let row = row(vec![user("fred"), device]);
        let rights = decode(&encode(&row).unwrap()).unwrap();
        assert_eq!(rights.origin, row.origin);
        assert_eq!(rights.access, row.access);
        assert!(rights.credential_demanded);
        assert_eq!(rights.credentials, row.credentials);
    }

    #[test]
    fn a_name_is_had_by_one_and_every_number_has_its_limit() {
        assert!(encode(&row(vec![user("fred"), user("fred")])).is_err());
        assert!(encode(&row(vec![user("")])).is_err());
        assert!(encode(&row(vec![user(&"x".repeat(MAX_NAME_LEN + 1))])).is_err());
        let many = |count: usize| (0..count).map(|number| user(&number.to_string())).collect();
        assert!(encode(&row(many(MAX_CREDENTIALS))).is_ok());
        assert!(encode(&row(many(MAX_CREDENTIALS + 1))).is_err());
    }

    #[test]
    fn what_makes_no_sense_is_not_read() {
        let good = encode(&row(vec![user("fred")])).unwrap();
        for (from, to) in [
            ("\"user\"", "\"loser\""),
            ("true", "1"),
            ("[10,8]", "[0]"),
            ("\"own\"", "\"o\""),
            ("abab\"", "ab\""),
            ("{", ""),
        ] {
            assert!(good.contains(from), "{good}");
            assert_eq!(decode(&good.replace(from, to)), None, "{from}");
        }
    }
}
