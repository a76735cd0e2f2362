//! An object of the client's own for each operation: of the kind that it is about, so that it succeeds.

use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue};
use kmip::object::{ManagedObject, Template};
use kmip::payload::{ActivateRequest, AddAttributeRequest, CertifyRequest, RegisterRequest};
use kmip::registry::{CryptographicAlgorithm, Operation, UsageMask};
use system_tests::asking;
use system_tests::node::Connection;
use uuid::Uuid;

use crate::TAG;
use crate::requests::usable_aes;
use crate::rows::Aim;
use crate::secondary::{part, symmetric};

/// What an operation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A key for every operation on symmetric keys.
    Key,
    /// A key that others may be derived from.
    Source,
    /// The private half of a pair.
    Private,
    /// The public half.
    Public,
    /// A certificate that the domain's authority signed.
    Certificate,
    /// Two parts of a key.
    Parts,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] =
        [Self::Key, Self::Source, Self::Private, Self::Public, Self::Certificate, Self::Parts];

    /// The kind that an operation is about.
    pub(crate) const fn of(operation: Operation) -> Self {
        match operation {
            Operation::DeriveKey => Self::Source,
            Operation::Sign | Operation::ReKeyKeyPair => Self::Private,
            Operation::SignatureVerify | Operation::Certify => Self::Public,
            Operation::ReCertify => Self::Certificate,
            Operation::JoinSplitKey => Self::Parts,
            _ => Self::Key,
        }
    }
}

/// A fresh object of that kind, or the two of them, called by a name of its own, and a template of its own.
pub(crate) fn prepare(client: &mut Connection, version: ProtocolVersion, kind: Kind) -> Aim {
    let name = format!("key {}", Uuid::new_v4());
    let template = format!("template {}", Uuid::new_v4());
    let activate = |client: &mut Connection, id: &str| {
        client.request(version, ActivateRequest { unique_identifier: Some(id.into()) }).unwrap();
    };
    let ids = match kind {
        Kind::Key => vec![client.request(version, usable_aes(Vec::new())).unwrap().unique_identifier],
        Kind::Source => {
            let source = symmetric(CryptographicAlgorithm::Aes, UsageMask::DERIVE_KEY);
            vec![client.request(version, source).unwrap().unique_identifier]
        }
        Kind::Parts => [1, 2].map(|number| client.request(version, part(number)).unwrap().unique_identifier).to_vec(),
        Kind::Private | Kind::Public | Kind::Certificate => {
            let halves = client.request(version, asking::p256_pair(Vec::new())).unwrap();
            let (private, public) = (halves.private_key_unique_identifier, halves.public_key_unique_identifier);
            match kind {
                Kind::Private => vec![private],
                Kind::Public => vec![public],
                _ => {
                    activate(client, &public);
                    let certify =
                        CertifyRequest { unique_identifier: Some(public.as_str().into()), ..Default::default() };
                    vec![client.request(version, certify).unwrap().unique_identifier]
                }
            }
        }
    };
    let first = ids[0].as_str();
    for value in [asking::name(&name), AttributeValue::custom_text(TAG, "value").unwrap()] {
        let attribute = Attribute::new(value);
        client.request(version, AddAttributeRequest { unique_identifier: Some(first.into()), attribute }).unwrap();
    }
    if !version.is_2_x() {
        let group = Attribute::new(AttributeValue::ObjectGroup("group".to_owned()));
        let object = ManagedObject::Template(Template { attributes: vec![group] });
        client.request(version, RegisterRequest::new(object, vec![asking::name(&template)])).unwrap();
    }
    Aim { ids, name, template }
}

/// What does not exist anywhere: as identifiers look, and as they do not; as many as there are of that kind.
pub(crate) fn nowhere(kind: Kind) -> [Aim; 2] {
    let count = if kind == Kind::Parts { 2 } else { 1 };
    let misspelt = |_| "misspelt".to_owned();
    let random = |_| Uuid::now_v7().to_string();
    [(0..count).map(random).collect(), (0..count).map(misspelt).collect()].map(|ids| Aim {
        ids,
        name: format!("key {}", Uuid::new_v4()),
        template: format!("template {}", Uuid::new_v4()),
    })
}
