//! Import: an object with the history that it had elsewhere, under the identifier that it had there. KMIP 1.4 §4.41,
//! 2.1 §6.1.25.
//!
//! The rules of who sets an attribute do not hold here; what is said is believed, which is why only domains that allow
//! it import. What makes no sense is refused all the same: a state that the dates contradict, an owner, a seal.

use keystore::{ObjectRow, Revocation};
use kmip::attribute::{Attribute, AttributeKind, AttributeValue};
use kmip::object::{KeyBlock, ManagedObject};
use kmip::payload::{ImportRequest, ImportResponse};
use kmip::registry::{KeyWrapType, ObjectType, State, UsageMask};
use kmip::ttlv::DateTime;
use policy::attributes::{applies, check_value};
use policy::creation;

use super::handing_out;
use crate::attributes::{self, Place, is_cryptographic};
use crate::failure::Failure;
use crate::lifecycle;
use crate::node::sealing::{self, identifier_text, parse_identifier};
use crate::operation::making::{birth, judging};
use crate::operation::server::constraints;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &ImportRequest,
) -> Result<ImportResponse, Failure> {
    let object_type = request.object.object_type();
    if request.object_type.is_some_and(|said| said != object_type) {
        return Err(Failure::InvalidField("object type and object do not match"));
    }
    if object_type == ObjectType::Template {
        return Err(Failure::IllegalOperation("a template is registered, not imported"));
    }
    // One identifier has one spelling here; where another server spells its own otherwise, the object gets a new one,
    // as 2.1 allows.
    let id = parse_identifier(&request.unique_identifier);
    let there = match id {
        Some(id) => existing(scope, id).await?,
        None => None,
    };
    if there.is_some() && request.replace_existing != Some(true) {
        return Err(Failure::ObjectExists);
    }
    let mut row = ObjectRow {
        id: id.unwrap_or_else(|| uuid::Uuid::now_v7().into_bytes()),
        domain: scope.domain.row.id,
        revision: 0,
        object_type,
        state: State::PreActive,
        algorithm: None,
        length: None,
        usage_mask: UsageMask(0),
        dates: keystore::Dates { initial: scope.now_s, last_change: scope.now_s, ..keystore::Dates::default() },
        revocation: None,
        owner: scope.login.owner(),
        fresh: is_cryptographic(object_type),
        attributes: Vec::new(),
        seal_number: 1,
        sealed: None,
    };
    if let Some(there) = &there {
        if !scope.login.reaches(&there.owner) {
            return Err(Failure::Denied("object of another login"));
        }
        if there.dates.destroy.is_some() {
            // What was destroyed stays so: a domain's destroyed identifiers are remembered for good.
            return Err(Failure::ObjectExists);
        }
        row.revision = there.revision;
        row.seal_number = there.seal_number.checked_add(1).ok_or(Failure::Internal("seal numbers are used up"))?;
    }
    take_attributes(scope, &mut row, &request.attributes)?;
    let object = kept(scope, request).await?;
    fill_from_key_block(&mut row, object.key_block())?;
    if let Some(facts) = judging::key_facts(&object, &row) {
        row.algorithm = row.algorithm.or(Some(facts.algorithm));
        row.length = row.length.or(Some(facts.length_bits));
    }
    judging::judge(scope, &row, &object)?;
    birth::complete_imported(&mut row, &object);
    check(scope, &row).await?;
    constraints::check(scope, &row)?;

    row.sealed = Some(sealing::seal(&scope.node.hsm, &scope.domain.key, &row, &object).await?);
    let unique_identifier = identifier_text(row.id);
    scope.placeholder = Some(row.id);
    scope.object = Some(row.id);
    if there.is_some() {
        scope.draft.update(row);
    } else {
        scope.draft.create(row);
    }
    Ok(ImportResponse { unique_identifier })
}

/// The object that has the identifier in the client's own domain. One that another domain has does not exist.
async fn existing(scope: &mut Scope<'_>, id: keystore::ObjectId) -> Result<Option<ObjectRow>, Failure> {
    match scope.draft.row(&id) {
        Some(row) => Ok(Some(row.clone())),
        None => Ok(scope.node.store.object(scope.domain.row.id, id).await?),
    }
}

/// The object to be kept: unwrapped first if the client asks for it. KMIP 1.4 §4.41.
async fn kept(scope: &mut Scope<'_>, request: &ImportRequest) -> Result<ManagedObject, Failure> {
    // A request is borrowed and its key not to be copied about: its canonical bytes make the one copy.
    let copy = ManagedObject::from_canonical(request.object.to_canonical().expose())
        .map_err(|_| Failure::Internal("an object that is not whole"))?;
    if request.key_wrap_type == Some(KeyWrapType::NotWrapped) {
        return handing_out::in_clear(scope, copy).await;
    }
    Ok(copy)
}

fn take_attributes(scope: &Scope<'_>, row: &mut ObjectRow, wanted: &[Attribute]) -> Result<(), Failure> {
    if wanted.len() > scope.node.limits.object_attributes {
        return Err(Failure::TooMany("attributes of the object"));
    }
    let mut seen = Vec::new();
    for attribute in wanted {
        let (kind, value) = (attribute.kind(), attribute.value.clone());
        if !applies(kind, row.object_type, scope.version) {
            return Err(Failure::InvalidField("attribute of another object type"));
        }
        if !kind.rules().multiple_instances {
            if seen.contains(&kind) {
                return Err(Failure::InvalidField("single-valued attribute given twice"));
            }
            seen.push(kind);
        }
        // The count of usage limits is part of the history here; every other value is judged as always.
        if kind != AttributeKind::UsageLimits {
            check_value(&value).map_err(|_| Failure::InvalidField("attribute has an impossible value"))?;
        }
        take(row, value)?;
    }
    Ok(())
}

/// Puts a value into its place, those too that only a server sets otherwise.
fn take(row: &mut ObjectRow, value: AttributeValue) -> Result<(), Failure> {
    use AttributeValue as V;
    let dates = &mut row.dates;
    match value {
        // Said by the identifier and the object; the lease is this server's.
        V::UniqueIdentifier(_) | V::LeaseTime(_) => {}
        V::ObjectType(said) if said == row.object_type => {}
        V::ObjectType(_) => return Err(Failure::InvalidField("object type and object do not match")),
        V::State(State::Destroyed | State::DestroyedCompromised) | V::DestroyDate(_) => {
            return Err(Failure::InvalidField("a destroyed object cannot be imported"));
        }
        V::State(state) => row.state = state,
        V::InitialDate(DateTime(at)) => dates.initial = at,
        V::LastChangeDate(DateTime(at)) => dates.last_change = at,
        V::CompromiseOccurrenceDate(DateTime(at)) => dates.compromise_occurrence = Some(at),
        V::CompromiseDate(DateTime(at)) => dates.compromise = Some(at),
        V::ArchiveDate(DateTime(at)) => dates.archive = Some(at),
        V::RevocationReason(reason) => {
            row.revocation = Some(Revocation { code: reason.code, message: reason.message });
        }
        other => {
            if let Place::List(value) = attributes::set_column(row, other) {
                attributes::append(row, value);
            }
        }
    }
    Ok(())
}

fn fill_from_key_block(row: &mut ObjectRow, block: Option<&KeyBlock>) -> Result<(), Failure> {
    let Some(block) = block else { return Ok(()) };
    if row.algorithm.is_some() && block.algorithm.is_some() && row.algorithm != block.algorithm {
        return Err(Failure::InvalidField("cryptographic algorithm differs from the key block"));
    }
    if row.length.is_some() && block.length.is_some() && row.length != block.length {
        return Err(Failure::InvalidField("cryptographic length differs from the key block"));
    }
    row.algorithm = row.algorithm.or(block.algorithm);
    row.length = row.length.or(block.length);
    Ok(())
}

/// What has to fit together whoever says it: names are unique, dates in order.
async fn check(scope: &mut Scope<'_>, row: &ObjectRow) -> Result<(), Failure> {
    for one in &row.attributes {
        birth::refuse_taken_name(scope, &one.value, Some(row.id)).await.map_err(|failure| match failure {
            Failure::NameTakenByOther => Failure::NameTaken,
            other => other,
        })?;
    }
    creation::check_dates(&lifecycle::dates(row))?;
    // What has come due meanwhile is carried out, and recorded, when the object is next touched.
    if row.state == State::PreActive && row.dates.compromise.is_some() {
        return Err(Failure::InvalidField("a compromise date without the state"));
    }
    Ok(())
}
