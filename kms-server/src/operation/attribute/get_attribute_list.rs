//! Get Attribute List: the names of what is there. KMIP 1.4 §4.13.

use kmip::payload::{GetAttributeListRequest, GetAttributeListResponse};

use crate::attributes;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &GetAttributeListRequest,
) -> Result<GetAttributeListResponse, Failure> {
    let row = scope.object(request.unique_identifier.as_ref()).await?;
    Ok(GetAttributeListResponse {
        unique_identifier: identifier_text(row.id),
        attribute_names: attributes::names(&row, scope.view()),
    })
}
