//! Get Attributes: the named ones, or all. KMIP 1.4 §4.12.

use kmip::payload::{GetAttributesRequest, GetAttributesResponse};

use crate::attributes;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &GetAttributesRequest,
) -> Result<GetAttributesResponse, Failure> {
    let names = &request.attribute_names;
    if names.iter().enumerate().any(|(at, name)| names[..at].contains(name)) {
        return Err(Failure::Contradiction("attribute name given twice"));
    }
    let row = scope.object(request.unique_identifier.as_ref()).await?;
    let found = if names.is_empty() {
        attributes::visible(&row, scope.view())
    } else {
        // A name that the object does not have is not an error: vCenter asks for its tags before it sets them.
        names.iter().flat_map(|name| attributes::instances(&row, scope.view(), name)).collect()
    };
    Ok(GetAttributesResponse {
        unique_identifier: identifier_text(row.id),
        attributes: found.into_iter().map(attributes::answered).collect(),
    })
}
