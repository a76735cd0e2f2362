//! How each operation meets the objects of a domain: one row for each, so that an operation without does not compile.

use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue, Identifier, Name};
use kmip::payload::{
    ActivateRequest, AddAttributeRequest, AdjustAttributeRequest, ArchiveRequest, CertifyRequest, CheckRequest,
    CreateSplitKeyRequest, DecryptRequest, DeleteAttributeRequest, DeriveKeyRequest, DestroyRequest, EncryptRequest,
    ExportRequest, GetAttributeListRequest, GetAttributesRequest, GetRequest, GetUsageAllocationRequest,
    JoinSplitKeyRequest, MacRequest, MacVerifyRequest, ModifyAttributeRequest, ObtainLeaseRequest, ReCertifyRequest,
    ReKeyKeyPairRequest, ReKeyRequest, RecoverRequest, RequestPayload, RevokeRequest, SetAttributeRequest, SignRequest,
    SignatureVerifyRequest,
};
use kmip::registry::Operation;
use system_tests::asking;

/// The identifier that an imported object brings along.
pub(crate) const IMPORTED: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

/// What an operation is aimed at: an object by its identifier and its name, or by its name a template.
#[derive(Clone, Debug)]
pub(crate) struct Aim {
    /// One, or two where it takes several; none to leave it to the placeholder.
    pub(crate) ids: Vec<String>,
    pub(crate) name: String,
    pub(crate) template: String,
}

/// How an operation meets the objects of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// It names one object and fails where there is none.
    Names,
    /// It names a template and fails where there is none.
    NamesTemplate,
    /// It searches, and finds nothing where there is none.
    Searches,
    /// It has nothing to do with objects.
    Apart,
    /// It makes objects and names none; each has another identifier.
    Makes,
    /// It is about a value that the server gave.
    ByValue,
}

/// Operations that are about values which the server gave, are random in what they give, or take the client's credential
/// away: `values` and `credentials` are about them.
pub(crate) const BY_VALUE: &[Operation] = &[
    Operation::RngRetrieve,
    Operation::Cancel,
    Operation::Poll,
    Operation::Process,
    Operation::Login,
    Operation::Logout,
    Operation::DelegatedLogin,
    Operation::Interop,
    Operation::Notify,
    Operation::Put,
    Operation::ReProvision,
];

/// The payload aimed at something, and its row. Whoever adds a payload says here how it meets objects.
pub(crate) fn aimed(payload: RequestPayload, aim: &Aim, version: ProtocolVersion) -> (RequestPayload, Row) {
    use RequestPayload as Q;
    let (id, template) = (aim.ids.first().cloned(), || vec![Name::text(aim.template.as_str())]);
    let unique_identifier = id.clone().map(Identifier::from);
    let unique_identifiers = || aim.ids.iter().map(Identifier::from).collect();
    match payload {
        Q::DiscoverVersions(_)
        | Q::Query(_)
        | Q::Ping(_)
        | Q::QueryAsynchronousRequests(_)
        | Q::GetConstraints(_)
        | Q::SetConstraints(_)
        | Q::SetDefaults(_)
        | Q::Log(_)
        | Q::SetEndpointRole(_) => (payload, Row::Apart),
        Q::Cancel(_)
        | Q::Poll(_)
        | Q::Process(_)
        | Q::Login(_)
        | Q::Logout(_)
        | Q::DelegatedLogin(_)
        | Q::ReProvision(_)
        | Q::Interop(_) => (payload, Row::ByValue),
        // There are no templates in 2.x, and new objects name none that are there.
        Q::Create(_) | Q::Register(_) | Q::CreateKeyPair(_) if version.is_2_x() => (payload, Row::Makes),
        Q::Create(mut request) => {
            request.template_attribute.names = template();
            (request.into(), Row::NamesTemplate)
        }
        Q::Register(mut request) => {
            request.template_attribute.names = template();
            (request.into(), Row::NamesTemplate)
        }
        Q::CreateKeyPair(mut request) => {
            let common = request.common_attributes.get_or_insert_default();
            common.names = template();
            (request.into(), Row::NamesTemplate)
        }
        Q::ReKey(request) => (ReKeyRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::CreateSplitKey(request) => {
            // Without an identifier it splits a key made for it, whatever the placeholder says.
            let row = if unique_identifier.is_some() { Row::Names } else { Row::Makes };
            (CreateSplitKeyRequest { unique_identifier, ..request }.into(), row)
        }
        Q::ReKeyKeyPair(request) => {
            let private_key_unique_identifier = unique_identifier;
            (ReKeyKeyPairRequest { private_key_unique_identifier, ..request }.into(), Row::Names)
        }
        Q::Certify(request) => (CertifyRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::ReCertify(request) => (ReCertifyRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::DeriveKey(request) => {
            (DeriveKeyRequest { unique_identifiers: unique_identifiers(), ..request }.into(), Row::Names)
        }
        Q::JoinSplitKey(request) => {
            (JoinSplitKeyRequest { unique_identifiers: unique_identifiers(), ..request }.into(), Row::Names)
        }
        Q::Locate(mut request) => {
            request.attributes = match id {
                Some(id) => vec![Attribute::new(AttributeValue::UniqueIdentifier(id))],
                None => vec![Attribute::new(asking::name(&aim.name))],
            };
            (request.into(), Row::Searches)
        }
        Q::Get(request) => (GetRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::GetAttributes(request) => (GetAttributesRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::GetAttributeList(_) => (GetAttributeListRequest { unique_identifier }.into(), Row::Names),
        Q::AddAttribute(request) => (AddAttributeRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::ModifyAttribute(request) => (ModifyAttributeRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::DeleteAttribute(request) => (DeleteAttributeRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::Check(request) => (CheckRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::Activate(_) => (ActivateRequest { unique_identifier }.into(), Row::Names),
        Q::Revoke(request) => (RevokeRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::Notify(_) | Q::Put(_) => (payload, Row::ByValue),
        Q::Destroy(_) => (DestroyRequest { unique_identifier }.into(), Row::Names),
        Q::Export(request) => (ExportRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::SetAttribute(request) => (SetAttributeRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::AdjustAttribute(request) => (AdjustAttributeRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::ObtainLease(_) => (ObtainLeaseRequest { unique_identifier }.into(), Row::Names),
        Q::Archive(_) => (ArchiveRequest { unique_identifier }.into(), Row::Names),
        Q::Recover(_) => (RecoverRequest { unique_identifier }.into(), Row::Names),
        // It names certificates, which the objects here are not: the test below asks it about some.
        Q::Validate(_) => (payload, Row::Apart),
        // It names an identifier that nobody need have; the test below asks it about another domain's.
        Q::Import(_) => (payload, Row::Apart),
        Q::GetUsageAllocation(request) => {
            (GetUsageAllocationRequest { unique_identifier, ..request }.into(), Row::Names)
        }
        Q::Encrypt(request) => (EncryptRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::Decrypt(request) => (DecryptRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::Sign(request) => (SignRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::SignatureVerify(request) => (SignatureVerifyRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::Mac(request) => (MacRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::MacVerify(request) => (MacVerifyRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::Hash(_) | Q::RngRetrieve(_) | Q::RngSeed(_) | Q::Pkcs11(_) => (payload, Row::Apart),
    }
}
