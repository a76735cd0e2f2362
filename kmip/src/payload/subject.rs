//! The object that a request names: what a log says the request was about.

use super::RequestPayload;
use crate::attribute::Identifier;

/// The field that names the one object which a request works on, by `as_ref` or by `as_mut`; `None` where there is no such
/// field.
macro_rules! field_of_one {
    ($payload:expr, $lent:ident) => {
        match $payload {
            RequestPayload::Activate(request) => request.unique_identifier.$lent(),
            RequestPayload::AddAttribute(request) => request.unique_identifier.$lent(),
            RequestPayload::AdjustAttribute(request) => request.unique_identifier.$lent(),
            RequestPayload::Archive(request) => request.unique_identifier.$lent(),
            RequestPayload::Certify(request) => request.unique_identifier.$lent(),
            RequestPayload::Check(request) => request.unique_identifier.$lent(),
            RequestPayload::CreateSplitKey(request) => request.unique_identifier.$lent(),
            RequestPayload::Decrypt(request) => request.unique_identifier.$lent(),
            RequestPayload::DeleteAttribute(request) => request.unique_identifier.$lent(),
            RequestPayload::Destroy(request) => request.unique_identifier.$lent(),
            RequestPayload::Encrypt(request) => request.unique_identifier.$lent(),
            RequestPayload::Export(request) => request.unique_identifier.$lent(),
            RequestPayload::Get(request) => request.unique_identifier.$lent(),
            RequestPayload::GetAttributeList(request) => request.unique_identifier.$lent(),
            RequestPayload::GetAttributes(request) => request.unique_identifier.$lent(),
            RequestPayload::GetUsageAllocation(request) => request.unique_identifier.$lent(),
            RequestPayload::Mac(request) => request.unique_identifier.$lent(),
            RequestPayload::MacVerify(request) => request.unique_identifier.$lent(),
            RequestPayload::ModifyAttribute(request) => request.unique_identifier.$lent(),
            RequestPayload::ObtainLease(request) => request.unique_identifier.$lent(),
            RequestPayload::ReCertify(request) => request.unique_identifier.$lent(),
            RequestPayload::Recover(request) => request.unique_identifier.$lent(),
            RequestPayload::ReKey(request) => request.unique_identifier.$lent(),
            RequestPayload::Revoke(request) => request.unique_identifier.$lent(),
            RequestPayload::SetAttribute(request) => request.unique_identifier.$lent(),
            RequestPayload::Sign(request) => request.unique_identifier.$lent(),
            RequestPayload::SignatureVerify(request) => request.unique_identifier.$lent(),
            RequestPayload::ReKeyKeyPair(request) => request.private_key_unique_identifier.$lent(),
            RequestPayload::DeriveKey(_)
            | RequestPayload::JoinSplitKey(_)
            | RequestPayload::Validate(_)
            | RequestPayload::Import(_)
            | RequestPayload::Notify(_)
            | RequestPayload::Put(_)
            | RequestPayload::Cancel(_)
            | RequestPayload::Create(_)
            | RequestPayload::CreateKeyPair(_)
            | RequestPayload::DelegatedLogin(_)
            | RequestPayload::DiscoverVersions(_)
            | RequestPayload::GetConstraints(_)
            | RequestPayload::Hash(_)
            | RequestPayload::Interop(_)
            | RequestPayload::Locate(_)
            | RequestPayload::Log(_)
            | RequestPayload::Login(_)
            | RequestPayload::Logout(_)
            | RequestPayload::Ping(_)
            | RequestPayload::Pkcs11(_)
            | RequestPayload::Poll(_)
            | RequestPayload::Process(_)
            | RequestPayload::Query(_)
            | RequestPayload::QueryAsynchronousRequests(_)
            | RequestPayload::Register(_)
            | RequestPayload::ReProvision(_)
            | RequestPayload::RngRetrieve(_)
            | RequestPayload::RngSeed(_)
            | RequestPayload::SetConstraints(_)
            | RequestPayload::SetDefaults(_)
            | RequestPayload::SetEndpointRole(_) => None,
        }
    };
}

impl RequestPayload {
    /// How the request names the one object that it works on. `None` where it names none, or may name several.
    #[must_use]
    pub const fn identifier(&self) -> Option<&Identifier> {
        field_of_one!(self, as_ref)
    }

    /// The same, to put another one in its place.
    pub(crate) const fn identifier_mut(&mut self) -> Option<&mut Identifier> {
        field_of_one!(self, as_mut)
    }

    /// The identifier of the object that the request works on, the first where there may be several. `None` where the
    /// request names no object, or names it by its place in the batch.
    #[must_use]
    pub fn unique_identifier(&self) -> Option<&str> {
        let identifier = match self {
            Self::DeriveKey(request) => request.unique_identifiers.first(),
            Self::JoinSplitKey(request) => request.unique_identifiers.first(),
            Self::Validate(request) => request.unique_identifiers.first(),
            Self::Import(request) => return Some(&request.unique_identifier),
            Self::Notify(request) => return Some(&request.unique_identifier),
            Self::Put(request) => return Some(&request.unique_identifier),
            _ => self.identifier(),
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
