//! The object that a request names: what a log says the request was about.

use super::RequestPayload;
use crate::attribute::Identifier;

impl RequestPayload {
    /// The identifier of the object that the request works on, the first where there may be several. `None` where the
    /// request names no object, or names it by its place in the batch.
    #[must_use]
    pub fn unique_identifier(&self) -> Option<&str> {
        let identifier = match self {
            Self::Activate(request) => request.unique_identifier.as_ref(),
            Self::AddAttribute(request) => request.unique_identifier.as_ref(),
            Self::AdjustAttribute(request) => request.unique_identifier.as_ref(),
            Self::Archive(request) => request.unique_identifier.as_ref(),
            Self::Certify(request) => request.unique_identifier.as_ref(),
            Self::Check(request) => request.unique_identifier.as_ref(),
            Self::CreateSplitKey(request) => request.unique_identifier.as_ref(),
            Self::Decrypt(request) => request.unique_identifier.as_ref(),
            Self::DeleteAttribute(request) => request.unique_identifier.as_ref(),
            Self::DeriveKey(request) => request.unique_identifiers.first(),
            Self::Destroy(request) => request.unique_identifier.as_ref(),
            Self::Encrypt(request) => request.unique_identifier.as_ref(),
            Self::Export(request) => request.unique_identifier.as_ref(),
            Self::Get(request) => request.unique_identifier.as_ref(),
            Self::GetAttributeList(request) => request.unique_identifier.as_ref(),
            Self::GetAttributes(request) => request.unique_identifier.as_ref(),
            Self::GetUsageAllocation(request) => request.unique_identifier.as_ref(),
            Self::JoinSplitKey(request) => request.unique_identifiers.first(),
            Self::Mac(request) => request.unique_identifier.as_ref(),
            Self::MacVerify(request) => request.unique_identifier.as_ref(),
            Self::ModifyAttribute(request) => request.unique_identifier.as_ref(),
            Self::ObtainLease(request) => request.unique_identifier.as_ref(),
            Self::ReCertify(request) => request.unique_identifier.as_ref(),
            Self::Recover(request) => request.unique_identifier.as_ref(),
            Self::ReKey(request) => request.unique_identifier.as_ref(),
            Self::ReKeyKeyPair(request) => request.private_key_unique_identifier.as_ref(),
            Self::Revoke(request) => request.unique_identifier.as_ref(),
            Self::SetAttribute(request) => request.unique_identifier.as_ref(),
            Self::Sign(request) => request.unique_identifier.as_ref(),
            Self::SignatureVerify(request) => request.unique_identifier.as_ref(),
            Self::Validate(request) => request.unique_identifiers.first(),
            Self::Import(request) => return Some(&request.unique_identifier),
            Self::Notify(request) => return Some(&request.unique_identifier),
            Self::Put(request) => return Some(&request.unique_identifier),
            Self::Cancel(_)
            | Self::Create(_)
            | Self::CreateKeyPair(_)
            | Self::DelegatedLogin(_)
            | Self::DiscoverVersions(_)
            | Self::GetConstraints(_)
            | Self::Hash(_)
            | Self::Interop(_)
            | Self::Locate(_)
            | Self::Log(_)
            | Self::Login(_)
            | Self::Logout(_)
            | Self::Ping(_)
            | Self::Pkcs11(_)
            | Self::Poll(_)
            | Self::Process(_)
            | Self::Query(_)
            | Self::QueryAsynchronousRequests(_)
            | Self::Register(_)
            | Self::ReProvision(_)
            | Self::RngRetrieve(_)
            | Self::RngSeed(_)
            | Self::SetConstraints(_)
            | Self::SetDefaults(_)
            | Self::SetEndpointRole(_) => None,
        };
        identifier.and_then(Identifier::as_text)
    }
}

#[cfg(test)]
mod tests {
    use crate::payload::{
        Data, EncryptRequest, Identifier, JoinSplitKeyRequest, ReKeyKeyPairRequest, RequestPayload, RngSeedRequest,
    };
    use crate::registry::ObjectType;
    use secret::Secret;

    fn named(payload: impl Into<RequestPayload>) -> Option<String> {
        payload.into().unique_identifier().map(str::to_owned)
    }

    #[test]
    fn a_request_is_about_the_object_that_it_names() {
        let key = Some(Identifier::from("key"));
        assert_eq!(
            named(EncryptRequest { unique_identifier: key.clone(), ..EncryptRequest::default() }).as_deref(),
            Some("key")
        );
        let pair = ReKeyKeyPairRequest { private_key_unique_identifier: key, ..ReKeyKeyPairRequest::default() };
        assert_eq!(named(pair).as_deref(), Some("key"));
        let join = JoinSplitKeyRequest {
            object_type: ObjectType::SymmetricKey,
            unique_identifiers: vec!["first".into(), "second".into()],
            secret_data_type: None,
            template_attribute: None,
            protection_storage_masks: None,
        };
        assert_eq!(named(join).as_deref(), Some("first"));
    }

    #[test]
    fn a_place_in_the_batch_is_no_name() {
        let request = EncryptRequest { unique_identifier: Some(Identifier::Index(0)), ..EncryptRequest::default() };
        assert_eq!(named(request), None);
        assert_eq!(named(EncryptRequest::default()), None);
        assert_eq!(named(RngSeedRequest { data: Data::Bytes(Secret::copy_from(&[])) }), None);
    }
}
