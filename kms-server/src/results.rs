//! What the operations of a batch returned so far, for requests that name an object by its place. KMIP 2.1 §4.58, §11.58.

use keystore::ObjectId;
use kmip::payload::ResponsePayload;
use kmip::registry::{DataPlaceholder, Operation, UniqueIdentifierPlaceholder as Place};
use secret::Secret;

use crate::node::sealing::parse_identifier;

/// Identifiers in the order in which the response names them.
#[derive(Debug, Default)]
pub struct Results {
    items: Vec<Returned>,
}

/// What one operation returned.
#[derive(Debug)]
pub struct Returned {
    operation: Operation,
    identifiers: Vec<ObjectId>,
    data: Option<(DataPlaceholder, Secret)>,
}

impl From<&ResponsePayload> for Returned {
    fn from(payload: &ResponsePayload) -> Self {
        let identifiers = identifiers_of(payload).filter_map(parse_identifier).collect();
        let data = data_of(payload).map(|(place, bytes)| (place, Secret::copy_from(bytes)));
        Self { operation: payload.operation(), identifiers, data }
    }
}

impl Results {
    /// Remembers what an operation that succeeded returned.
    pub fn remember(&mut self, returned: Returned) {
        self.items.push(returned);
    }

    /// The nth identifier of the response, from 0; a negative number counts backwards from its end so far.
    #[must_use]
    pub fn at(&self, index: i32) -> Option<ObjectId> {
        let mut identifiers = self.items.iter().flat_map(|item| &item.identifiers);
        let distance = usize::try_from(index.unsigned_abs()).ok()?;
        match index {
            0.. => identifiers.nth(distance).copied(),
            _ => identifiers.rev().nth(distance.checked_sub(1)?).copied(),
        }
    }

    /// The nth Data of the response, from 0; a negative number counts backwards from its end so far. KMIP 2.1 §7.9.
    #[must_use]
    pub fn data_at(&self, index: i32) -> Option<&Secret> {
        let mut all = self.items.iter().filter_map(|item| item.data.as_ref()).map(|(_, data)| data);
        let distance = usize::try_from(index.unsigned_abs()).ok()?;
        match index {
            0.. => all.nth(distance),
            _ => all.rev().nth(distance.checked_sub(1)?),
        }
    }

    /// What the latest operation of the kind that `place` names computed. KMIP 2.1 §7.9, §11.13.
    #[must_use]
    pub fn data_of(&self, place: DataPlaceholder) -> Option<&Secret> {
        let mut all = self.items.iter().rev().filter_map(|item| item.data.as_ref());
        all.find(|(of, _)| *of == place).map(|(_, data)| data)
    }

    /// What the latest operation of the kind that `place` names returned: none if there was none, more than one where
    /// it returned several.
    #[must_use]
    pub fn of(&self, place: Place) -> &[ObjectId] {
        use Operation as O;
        let (operation, part) = match place {
            // The ID Placeholder is the scope's.
            Place::IdPlaceholder => return &[],
            Place::Certify => (O::Certify, Part::All),
            Place::Create => (O::Create, Part::All),
            Place::CreateKeyPair => (O::CreateKeyPair, Part::All),
            Place::CreateKeyPairPrivateKey => (O::CreateKeyPair, Part::PrivateKey),
            Place::CreateKeyPairPublicKey => (O::CreateKeyPair, Part::PublicKey),
            Place::CreateSplitKey => (O::CreateSplitKey, Part::All),
            Place::DeriveKey => (O::DeriveKey, Part::All),
            Place::Import => (O::Import, Part::All),
            Place::JoinSplitKey => (O::JoinSplitKey, Part::All),
            Place::Locate => (O::Locate, Part::All),
            Place::Register => (O::Register, Part::All),
            Place::ReKey => (O::ReKey, Part::All),
            Place::ReCertify => (O::ReCertify, Part::All),
            Place::ReKeyKeyPair => (O::ReKeyKeyPair, Part::All),
            Place::ReKeyKeyPairPrivateKey => (O::ReKeyKeyPair, Part::PrivateKey),
            Place::ReKeyKeyPairPublicKey => (O::ReKeyKeyPair, Part::PublicKey),
        };
        let latest = self.items.iter().rev().find(|item| item.operation == operation);
        let identifiers = latest.map_or(&[][..], |item| &item.identifiers);
        match part {
            Part::All => identifiers,
            Part::PrivateKey => identifiers.get(..1).unwrap_or_default(),
            Part::PublicKey => identifiers.get(1..).unwrap_or_default(),
        }
    }
}

/// Which of the identifiers of a key pair, the private key's being the first in its response.
enum Part {
    All,
    PrivateKey,
    PublicKey,
}

/// Takes the Data out of an answer whose client wants it kept here, for the items behind it only. KMIP 2.1 §8.3.
pub fn withhold_data(payload: &mut ResponsePayload) {
    use ResponsePayload as A;
    match payload {
        A::Decrypt(answer) => answer.data = None,
        A::Encrypt(answer) => answer.data = None,
        A::Hash(answer) => answer.data = None,
        A::Mac(answer) => answer.mac_data = None,
        // There has to be one.
        A::RngRetrieve(answer) => answer.data = Secret::new(Vec::new()),
        A::Sign(answer) => answer.signature_data = None,
        A::SignatureVerify(answer) => answer.data = None,
        _ => {}
    }
}

/// The Data of an answer, or the field that stands for it.
fn data_of(payload: &ResponsePayload) -> Option<(DataPlaceholder, &[u8])> {
    use DataPlaceholder as D;
    use ResponsePayload as A;
    Some(match payload {
        A::Decrypt(answer) => (D::Decrypt, answer.data.as_ref()?.expose()),
        A::Encrypt(answer) => (D::Encrypt, answer.data.as_deref()?),
        A::Hash(answer) => (D::Hash, answer.data.as_deref()?),
        A::Mac(answer) => (D::MacMacData, answer.mac_data.as_deref()?),
        A::RngRetrieve(answer) => (D::RngRetrieve, answer.data.expose()),
        A::Sign(answer) => (D::SignSignatureData, answer.signature_data.as_deref()?),
        A::SignatureVerify(answer) => (D::SignatureVerify, answer.data.as_ref()?.expose()),
        _ => return None,
    })
}

fn identifiers_of(payload: &ResponsePayload) -> impl Iterator<Item = &str> {
    use ResponsePayload as A;
    let (one, two, many): (Option<&String>, Option<&String>, &[String]) = match payload {
        A::Create(answer) => (Some(&answer.unique_identifier), None, &[]),
        A::Register(answer) => (Some(&answer.unique_identifier), None, &[]),
        A::CreateKeyPair(answer) => {
            (Some(&answer.private_key_unique_identifier), Some(&answer.public_key_unique_identifier), &[])
        }
        A::ReKeyKeyPair(answer) => {
            (Some(&answer.private_key_unique_identifier), Some(&answer.public_key_unique_identifier), &[])
        }
        A::ReKey(answer) => (Some(&answer.unique_identifier), None, &[]),
        A::DeriveKey(answer) => (Some(&answer.unique_identifier), None, &[]),
        A::Certify(answer) => (Some(&answer.unique_identifier), None, &[]),
        A::ReCertify(answer) => (Some(&answer.unique_identifier), None, &[]),
        A::JoinSplitKey(answer) => (Some(&answer.unique_identifier), None, &[]),
        A::Import(answer) => (Some(&answer.unique_identifier), None, &[]),
        A::CreateSplitKey(answer) => (None, None, &answer.unique_identifiers),
        A::Locate(answer) => (None, None, &answer.unique_identifiers),
        _ => (None, None, &[]),
    };
    one.into_iter().chain(two).chain(many).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use kmip::payload::{CreateKeyPairResponse, CreateResponse, HashResponse, LocateResponse, RngRetrieveResponse};
    use kmip::registry::ObjectType;

    use super::*;
    use crate::node::sealing::identifier_text;

    fn id(number: u8) -> ObjectId {
        [number; 16]
    }

    fn returned(payload: impl Into<ResponsePayload>) -> Returned {
        Returned::from(&payload.into())
    }

    fn created(number: u8) -> Returned {
        let unique_identifier = identifier_text(id(number));
        returned(CreateResponse { object_type: ObjectType::SymmetricKey, unique_identifier, template_attribute: None })
    }

    fn results() -> Results {
        let mut results = Results::default();
        results.remember(created(1));
        results.remember(returned(CreateKeyPairResponse {
            private_key_unique_identifier: identifier_text(id(2)),
            public_key_unique_identifier: identifier_text(id(3)),
            private_key_template_attribute: None,
            public_key_template_attribute: None,
        }));
        results.remember(created(4));
        results
    }

    #[test]
    fn a_number_counts_identifiers_from_either_end() {
        let results = results();
        assert_eq!([0, 1, 2, 3, 4].map(|index| results.at(index)), [1, 2, 3, 4, 0].map(|n| (n > 0).then(|| id(n))));
        assert_eq!([-1, -4, -5, i32::MIN].map(|index| results.at(index)), [Some(id(4)), Some(id(1)), None, None]);
    }

    #[test]
    fn an_operation_means_its_latest_answer() {
        let results = results();
        assert_eq!(results.of(Place::Create), [id(4)]);
        assert_eq!(results.of(Place::CreateKeyPair), [id(2), id(3)]);
        assert_eq!(results.of(Place::CreateKeyPairPrivateKey), [id(2)]);
        assert_eq!(results.of(Place::CreateKeyPairPublicKey), [id(3)]);
        assert!(results.of(Place::Register).is_empty() && results.of(Place::IdPlaceholder).is_empty());
    }

    #[test]
    fn a_locate_that_found_nothing_counts_for_nothing() {
        let mut results = results();
        results.remember(returned(LocateResponse::default()));
        assert!(results.of(Place::Locate).is_empty());
        assert_eq!(results.at(-1), Some(id(4)));
    }

    #[test]
    fn whatever_counts_as_data_can_be_withheld() {
        let mut payload = HashResponse { data: Some(vec![1]), correlation_value: None }.into();
        withhold_data(&mut payload);
        assert!(data_of(&payload).is_none());
        let mut payload = RngRetrieveResponse { data: Secret::copy_from(&[9]) }.into();
        withhold_data(&mut payload);
        assert_eq!(data_of(&payload).map(|(_, data)| data), Some(&[][..]));
    }

    #[test]
    fn data_is_that_of_the_latest_operation_or_of_its_place() {
        let hash = |byte| returned(HashResponse { data: Some(vec![byte]), correlation_value: None });
        let random = returned(RngRetrieveResponse { data: Secret::copy_from(&[9]) });
        let mut results = results();
        for one in [hash(1), random, hash(2), returned(HashResponse { data: None, correlation_value: None })] {
            results.remember(one);
        }
        let byte = |data: Option<&Secret>| data.map(|data| data.expose().to_vec());
        assert_eq!(byte(results.data_of(DataPlaceholder::Hash)), Some(vec![2]));
        assert_eq!(byte(results.data_of(DataPlaceholder::RngRetrieve)), Some(vec![9]));
        assert_eq!(byte(results.data_of(DataPlaceholder::Encrypt)), None);
        assert_eq!([0, 1, 2].map(|index| byte(results.data_at(index))), [1, 9, 2].map(|byte| Some(vec![byte])));
        assert_eq!([-1, -3].map(|index| byte(results.data_at(index))), [2, 1].map(|byte| Some(vec![byte])));
        assert_eq!([3, -4, i32::MIN].map(|index| byte(results.data_at(index))), [None, None, None]);
    }
}
