//! One request message being worked on: who asks, in which domain and version, and what it has changed so far.

use std::sync::Arc;

use keystore::{DomainRow, ObjectId, ObjectRow};
use kmip::ProtocolVersion;
use kmip::attribute::{AttributeValue, Identifier};
use kmip::payload::Data;
use kmip::registry::{Operation, UniqueIdentifierPlaceholder};
use policy::access;
use secret::Secret;

use crate::attributes::View;
use crate::draft::Draft;
use crate::failure::Failure;
use crate::login::Login;
use crate::node::Node;
use crate::node::auditing::Told;
use crate::node::directory::Domain;
use crate::node::sealing::{identifier_text, parse_identifier};
use crate::node::tickets::Permit;
use crate::results::Results;
use crate::shell::peer::Fingerprint;

/// What an operation has in its hands.
pub struct Scope<'n> {
    /// The node.
    pub node: &'n Node,
    /// The client's own domain. There is no way from here to another one.
    pub domain: Arc<Domain>,
    /// Version of the request, and of its answer.
    pub version: ProtocolVersion,
    /// Time of the request, seconds since the epoch: one for all items.
    pub now_s: i64,
    /// Fingerprint of the client's certificate.
    pub client: Fingerprint,
    /// Whom the message speaks for.
    pub login: Login,
    /// Pending changes.
    pub draft: Draft,
    /// The ID Placeholder (KMIP 1.4 §4).
    pub placeholder: Option<ObjectId>,
    /// What the items before this one returned.
    pub results: Results,
    /// What audit records of this message say about its origin.
    pub told: Told,
    /// The operation of the current item, for the access decision.
    pub operation: Operation,
    /// In what role the request comes.
    pub actor: access::Actor,
    /// The object the current item turned out to be about, for its audit record.
    pub object: Option<ObjectId>,
    /// What the client's ticket lets the current item do.
    pub permit: Permit,
    /// What the record of the current item says beside what it says of all.
    pub note: Option<String>,
}

impl<'n> Scope<'n> {
    /// The scope of a message, before its first item.
    #[must_use]
    pub fn new(
        node: &'n Node,
        domain: Arc<Domain>,
        version: ProtocolVersion,
        client: Fingerprint,
        told: Told,
        actor: access::Actor,
    ) -> Self {
        Self {
            node,
            domain,
            version,
            now_s: node.clock.now_s(),
            client,
            login: Login::of_certificate(client),
            draft: Draft::default(),
            placeholder: None,
            results: Results::default(),
            told,
            operation: Operation::Query,
            actor,
            object: None,
            permit: Permit::Full,
            note: None,
        }
    }

    /// How attributes are told to the client.
    #[must_use]
    pub const fn view(&self) -> View {
        View { version: self.version, lease_s: self.node.offer.lease_s }
    }

    /// The domain's row as the current item sees it.
    #[must_use]
    pub fn domain_row(&self) -> &DomainRow {
        self.draft.domain().unwrap_or(&self.domain.row)
    }

    /// The object that a request names, or the ID Placeholder if it names none; in the state that dates put it in.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for an object that is absent, foreign, or misspelt: the three cannot be told apart, and
    /// take the same path. [`Failure::Archived`] for one that has to be recovered first. Transitions that are due are
    /// drafted with records of their own.
    pub async fn object(&mut self, named: Option<&Identifier>) -> Result<ObjectRow, Failure> {
        let id = self.identify(named)?;
        self.object = id;
        // A text that no object can have is looked up all the same, so that it takes as long as any other.
        let id = id.unwrap_or_default();
        let row = match self.draft.row(&id) {
            Some(row) => Some(row.clone()),
            None => self.node.store.object(self.domain.row.id, id).await?,
        };
        let Some(mut row) = row else {
            access::decide(self.actor, self.operation, access::Ownership::Absent).map_err(|_| Failure::NotFound)?;
            return Err(Failure::NotFound);
        };
        access::decide(self.actor, self.operation, access::Ownership::Own)
            .map_err(|_| Failure::Denied("operation is not for clients"))?;
        self.require_permit(&row)?;
        if !self.login.reaches(&row.owner) {
            return Err(Failure::Denied("object of another login"));
        }
        self.apply_due(&mut row);
        if row.dates.archive.is_some() && !crate::lifecycle::may_be_archived(self.operation) {
            return Err(Failure::Archived);
        }
        Ok(row)
    }

    /// A bearer of a ticket with restricted rights reaches what one of them reaches. KMIP 2.1 §7.34.
    fn require_permit(&self, row: &ObjectRow) -> Result<(), Failure> {
        let Permit::Within(reaches) = &self.permit else { return Ok(()) };
        let is_in = |groups: &Vec<String>| {
            row.attributes
                .iter()
                .any(|one| matches!(&one.value, AttributeValue::ObjectGroup(group) if groups.contains(group)))
        };
        let reached = reaches.iter().any(|reach| {
            reach.objects.as_ref().is_none_or(|objects| objects.contains(&row.id))
                && reach.groups.as_ref().is_none_or(is_in)
        });
        if reached { Ok(()) } else { Err(Failure::Denied("the ticket does not reach the object")) }
    }

    /// The identifier that a request means: its text, the ID Placeholder where it names none, or what items before this
    /// one returned (KMIP 2.1 §4.58, §11.58). `None` where that is no identifier of an object.
    ///
    /// # Errors
    /// [`Failure::UnsupportedFeature`] for a name that means several objects, where the field is for one and the operation
    /// is not repeated for it: what it works on was named in another field.
    pub fn identify(&self, named: Option<&Identifier>) -> Result<Option<ObjectId>, Failure> {
        Ok(match named {
            Some(Identifier::Text(text)) => parse_identifier(text),
            // An empty placeholder, as after a Locate that found nothing, is an object that is not there.
            None | Some(Identifier::Placeholder(UniqueIdentifierPlaceholder::IdPlaceholder)) => self.placeholder,
            Some(Identifier::Placeholder(place)) => match self.results.of(*place) {
                [] => None,
                [one] => Some(*one),
                _ => return Err(Failure::UnsupportedFeature("one name for several objects")),
            },
            Some(Identifier::Index(index)) => self.results.at(*index),
        })
    }

    /// The objects that one name means where it means several: what the latest operation of its kind returned. Empty
    /// where it means one object or none. KMIP 2.1 §11.58.
    #[must_use]
    pub fn several(&self, named: &Identifier) -> &[ObjectId] {
        let all = match named {
            Identifier::Placeholder(place) => self.results.of(*place),
            Identifier::Text(_) | Identifier::Index(_) => &[],
        };
        if all.len() > 1 { all } else { &[] }
    }

    /// A list of names in which one may mean several objects: those stand in its place then.
    #[must_use]
    pub fn each_of(&self, named: &[Identifier]) -> Vec<Identifier> {
        let mut each = Vec::with_capacity(named.len());
        for one in named {
            match self.several(one) {
                [] => each.push(one.clone()),
                several => each.extend(several.iter().map(|id| Identifier::from(identifier_text(*id)))),
            }
        }
        each
    }

    /// The bytes that an operation works on: those of the request, or what items before this one answered.
    ///
    /// # Errors
    /// [`Failure::InvalidField`] where none of them answered such data.
    pub fn data<'s>(&'s self, data: &'s Data) -> Result<&'s Secret, Failure> {
        let found = match data {
            Data::Bytes(bytes) => Some(bytes),
            Data::Placeholder(place) => self.results.data_of(*place),
            Data::Index(index) => self.results.data_at(*index),
        };
        found.ok_or(Failure::InvalidField("no earlier item of the batch answered that data"))
    }

    /// Carries out the transitions whose date has come, each told by a record of its own.
    fn apply_due(&mut self, row: &mut ObjectRow) {
        for due in crate::lifecycle::due(row, self.now_s) {
            crate::lifecycle::apply_due(row, &due);
            let record = self.told.due(self.node, &due, row.id);
            self.draft.due(row.clone(), record);
            row.revision += 1;
        }
    }
}
