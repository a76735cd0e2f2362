//! Add Attribute: a value that was not there. KMIP 1.4 §4.14.

use kmip::payload::{AddAttributeRequest, AddAttributeResponse};

use crate::attributes::{self, Place};
use crate::change;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::operation::making::birth;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &AddAttributeRequest,
) -> Result<AddAttributeResponse, Failure> {
    if request.attribute.index.is_some() {
        return Err(Failure::InvalidField("attribute index is the server's to give"));
    }
    let value = request.attribute.value.clone();
    let mut row = scope.object(request.unique_identifier.as_ref()).await?;
    change::may_add(&row, &value, scope.version, scope.now_s)?;
    if row.attributes.len() >= scope.node.limits.object_attributes {
        return Err(Failure::TooMany("attributes of the object"));
    }
    birth::refuse_taken_name(scope, &value, Some(row.id)).await?;
    let added = match attributes::set_column(&mut row, value.clone()) {
        Place::Column => kmip::attribute::Attribute::new(value),
        Place::List(value) => attributes::append(&mut row, value),
    };
    change::finish(&mut row, scope.now_s)?;
    let unique_identifier = identifier_text(row.id);
    scope.draft.update(row);
    Ok(AddAttributeResponse { unique_identifier, attribute: Some(attributes::answered(added)) })
}
