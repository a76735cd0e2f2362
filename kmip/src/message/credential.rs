//! Credentials: who the requester says he is. KMIP 1.4 §2.1.2, §6.6, 2.1 §9.4, §9.11.

use secret::Secret;

use crate::limits::MAX_CREDENTIALS;
use crate::payload::Ticket;
use crate::registry::{AttestationType, CredentialType, HashingAlgorithm};
use crate::ttlv::{DateTimeExtended, DecodeError, Item, Wire, Writer};
use crate::wire::{Fields, Part, structure};
use crate::{ProtocolVersion, Tag};

/// A Text String that is secret.
#[derive(Debug, PartialEq)]
pub struct Password(Secret);

impl Password {
    /// A password; `None` if the bytes are not UTF-8, which no message could carry.
    #[must_use]
    pub fn new(secret: Secret) -> Option<Self> {
        std::str::from_utf8(secret.expose()).is_ok().then_some(Self(secret))
    }

    /// The bytes.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.0
    }
}

impl Wire for Password {
    fn encode(&self, tag: Tag, w: &mut Writer) {
        write_password(&self.0, tag, w);
    }

    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        Ok(Self(Secret::copy_from(item.text()?.as_bytes())))
    }
}

fn write_password(password: &Secret, tag: Tag, w: &mut Writer) {
    if let Ok(text) = std::str::from_utf8(password.expose()) {
        w.text(tag, text);
    }
}

structure! {
    /// A number from the server that an attestation answers. KMIP 1.4 §2.1.14.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Nonce {
        /// Which nonce this is.
        required nonce_id: Vec<u8> = Tag::NONCE_ID,
        /// The random bytes.
        required nonce_value: Vec<u8> = Tag::NONCE_VALUE,
    }
}

structure! {
    /// Identifies a device. KMIP 1.4 §2.1.2.
    #[derive(Debug, Default, PartialEq)]
    pub struct DeviceCredential {
        /// Serial number of the device.
        optional device_serial_number: String = Tag::DEVICE_SERIAL_NUMBER,
        /// A shared secret.
        optional password: Password = Tag::PASSWORD,
        /// Identifier of the device.
        optional device_identifier: String = Tag::DEVICE_IDENTIFIER,
        /// Identifier in the network.
        optional network_identifier: String = Tag::NETWORK_IDENTIFIER,
        /// Identifier of the machine.
        optional machine_identifier: String = Tag::MACHINE_IDENTIFIER,
        /// Identifier of the medium.
        optional media_identifier: String = Tag::MEDIA_IDENTIFIER,
    }
}

structure! {
    /// Proves the state of a machine. KMIP 1.4 §2.1.2.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct AttestationCredential {
        /// The server's nonce.
        required nonce: Nonce = Tag::NONCE,
        /// The kind of attestation.
        required attestation_type: AttestationType = Tag::ATTESTATION_TYPE,
        /// What the client measured.
        optional attestation_measurement: Vec<u8> = Tag::ATTESTATION_MEASUREMENT,
        /// What a third party asserts.
        optional attestation_assertion: Vec<u8> = Tag::ATTESTATION_ASSERTION,
    }
}

structure! {
    /// A name with a password that is good once. Since 2.0. KMIP 2.1 §9.11.
    #[derive(Debug, PartialEq)]
    pub struct OneTimePasswordCredential {
        /// The name.
        required username: String = Tag::USERNAME,
        /// The password that stays the same.
        optional password: Password = Tag::PASSWORD,
        /// The password that is good once.
        required one_time_password: Password = Tag::ONE_TIME_PASSWORD,
    }
}

structure! {
    /// A name with the proof that the client knows the password. Since 2.0. KMIP 2.1 §9.11.
    #[derive(Debug, PartialEq)]
    pub struct HashedPasswordCredential {
        /// The name.
        required username: String = Tag::USERNAME,
        /// The client's clock, which is in the proof; from one use to the next it has to rise.
        required timestamp: DateTimeExtended = Tag::TIME_STAMP,
        /// The hash; absent means SHA-256.
        optional hashing_algorithm: HashingAlgorithm = Tag::HASHING_ALGORITHM,
        /// `Hash(S1 || Timestamp) || S2` with S1 = `Hash(Username || Password)`, S2 = `Hash(Password || Username)`.
        required hashed_password: Secret = Tag::HASHED_PASSWORD,
    }
}

structure! {
    /// A ticket that the server gave. Since 2.0. KMIP 2.1 §9.11.
    #[derive(Debug, PartialEq)]
    pub struct TicketCredential {
        /// The ticket.
        required ticket: Ticket = Tag::TICKET,
    }
}

/// Credential. Its `Debug` shows no password. KMIP 1.4 §2.1.2.
#[derive(Debug, PartialEq)]
pub enum Credential {
    /// A name and, perhaps, a password in UTF-8.
    UsernameAndPassword {
        /// The name.
        username: String,
        /// The password.
        password: Option<Secret>,
    },
    /// A device.
    Device(DeviceCredential),
    /// An attested machine.
    Attestation(AttestationCredential),
    /// A name and a password that is good once.
    OneTimePassword(OneTimePasswordCredential),
    /// A name and the proof that the password is known.
    HashedPassword(HashedPasswordCredential),
    /// What an earlier log-in brought.
    Ticket(TicketCredential),
}

impl Credential {
    /// The type on the wire.
    #[must_use]
    pub const fn credential_type(&self) -> CredentialType {
        match self {
            Self::UsernameAndPassword { .. } => CredentialType::UsernameAndPassword,
            Self::Device(_) => CredentialType::Device,
            Self::Attestation(_) => CredentialType::Attestation,
            Self::OneTimePassword(_) => CredentialType::OneTimePassword,
            Self::HashedPassword(_) => CredentialType::HashedPassword,
            Self::Ticket(_) => CredentialType::Ticket,
        }
    }

    fn is_field(tag: Tag, _version: ProtocolVersion) -> bool {
        tag == Tag::CREDENTIAL_TYPE || tag == Tag::CREDENTIAL_VALUE
    }

    fn is_name_or_password(tag: Tag, _version: ProtocolVersion) -> bool {
        tag == Tag::USERNAME || tag == Tag::PASSWORD
    }
}

impl Wire for Credential {
    fn encode(&self, tag: Tag, w: &mut Writer) {
        w.structure(tag, |w| {
            self.credential_type().encode(Tag::CREDENTIAL_TYPE, w);
            match self {
                Self::UsernameAndPassword { username, password } => w.structure(Tag::CREDENTIAL_VALUE, |w| {
                    w.text(Tag::USERNAME, username);
                    if let Some(password) = password {
                        write_password(password, Tag::PASSWORD, w);
                    }
                }),
                Self::Device(value) => value.encode(Tag::CREDENTIAL_VALUE, w),
                Self::Attestation(value) => value.encode(Tag::CREDENTIAL_VALUE, w),
                Self::OneTimePassword(value) => value.encode(Tag::CREDENTIAL_VALUE, w),
                Self::HashedPassword(value) => value.encode(Tag::CREDENTIAL_VALUE, w),
                Self::Ticket(value) => value.encode(Tag::CREDENTIAL_VALUE, w),
            }
        });
    }

    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(item.structure()?, Self::is_field);
        let type_item = fields.require(Tag::CREDENTIAL_TYPE)?;
        let value = fields.require(Tag::CREDENTIAL_VALUE)?;
        fields.finish()?;
        match CredentialType::decode(&type_item)? {
            CredentialType::UsernameAndPassword => {
                let mut fields = Fields::new(value.structure()?, Self::is_name_or_password);
                let username = fields.required(Tag::USERNAME)?;
                let password = fields.optional::<Password>(Tag::PASSWORD)?.map(|password| password.0);
                fields.finish()?;
                Ok(Self::UsernameAndPassword { username, password })
            }
            CredentialType::Device => DeviceCredential::decode(&value).map(Self::Device),
            CredentialType::Attestation => AttestationCredential::decode(&value).map(Self::Attestation),
            CredentialType::OneTimePassword => OneTimePasswordCredential::decode(&value).map(Self::OneTimePassword),
            CredentialType::HashedPassword => HashedPasswordCredential::decode(&value).map(Self::HashedPassword),
            CredentialType::Ticket => TicketCredential::decode(&value).map(Self::Ticket),
        }
    }

    fn known_in(&self, version: ProtocolVersion) -> bool {
        let expressible = match self {
            Self::UsernameAndPassword { password, .. } => {
                password.as_ref().is_none_or(|password| std::str::from_utf8(password.expose()).is_ok())
            }
            Self::Device(value) => value.known_in(version),
            Self::Attestation(value) => value.known_in(version),
            Self::OneTimePassword(value) => value.known_in(version),
            Self::HashedPassword(value) => value.known_in(version),
            Self::Ticket(value) => value.known_in(version),
        };
        expressible && self.credential_type().known_in(version)
    }
}

/// The credentials of a header, inside one Authentication.
pub struct Authentication;

impl Part<Vec<Credential>> for Authentication {
    fn takes(tag: Tag, _version: ProtocolVersion) -> bool {
        tag == Tag::AUTHENTICATION
    }

    fn known_in(credentials: &Vec<Credential>, version: ProtocolVersion) -> bool {
        // Leaving a credential out would ask in somebody else's name.
        credentials.iter().all(|credential| credential.known_in(version))
    }

    fn encode(credentials: &Vec<Credential>, w: &mut Writer) {
        if credentials.is_empty() {
            return;
        }
        w.structure(Tag::AUTHENTICATION, |w| {
            for credential in credentials {
                credential.encode(Tag::CREDENTIAL, w);
            }
        });
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Vec<Credential>, DecodeError> {
        let Some(item) = fields.take(Tag::AUTHENTICATION)? else { return Ok(Vec::new()) };
        let mut inside = Fields::new(item.structure()?, |tag, _| tag == Tag::CREDENTIAL);
        let credentials = inside.repeated_by(Tag::CREDENTIAL, MAX_CREDENTIALS, Credential::decode)?;
        if credentials.is_empty() {
            inside.require(Tag::CREDENTIAL)?;
        }
        inside.finish()?;
        Ok(credentials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::TicketType;
    use crate::ttlv::Reader;

    const V2_1: ProtocolVersion = ProtocolVersion::V2_1;

    fn password(text: &str) -> Password {
        Password::new(Secret::copy_from(text.as_bytes())).unwrap()
    }

    fn those_of_2_x() -> [Credential; 3] {
        let ticket = Ticket { ticket_type: TicketType::Login, ticket_value: Secret::copy_from(b"marker") };
        [
            Credential::OneTimePassword(OneTimePasswordCredential {
                username: "kmip".into(),
                password: Some(password("marker")),
                one_time_password: password("marker"),
            }),
            Credential::HashedPassword(HashedPasswordCredential {
                username: "kmip".into(),
                timestamp: DateTimeExtended(1),
                hashing_algorithm: Some(HashingAlgorithm::Sha256),
                hashed_password: Secret::copy_from(b"marker"),
            }),
            Credential::Ticket(TicketCredential { ticket }),
        ]
    }

    #[test]
    fn credentials_of_2_x_come_back_and_are_not_told_to_1_x() {
        for credential in those_of_2_x() {
            let mut w = Writer::new(V2_1);
            credential.encode(Tag::CREDENTIAL, &mut w);
            let bytes = w.finish();
            let item = Reader::new(&bytes, V2_1).next_item().unwrap().unwrap();
            assert_eq!(Credential::decode(&item).unwrap(), credential);
            assert!(credential.known_in(ProtocolVersion::V2_0) && !credential.known_in(ProtocolVersion::V1_4));
        }
    }

    #[test]
    fn debug_of_credentials_shows_no_secret() {
        for credential in those_of_2_x() {
            let shown = format!("{credential:?}");
            assert!(shown.contains("Secret(6 bytes)") && !shown.contains("marker"), "{shown}");
        }
    }
}
