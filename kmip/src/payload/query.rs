//! Query: what the server can do. KMIP 1.4 §4.25, 2.1 §6.1.40.

use super::{DefaultsInformation, ObjectGroups};
use crate::attribute::{ProtectionStorageMasks, RngParameters};
use crate::limits::MAX_REPETITIONS;
use crate::registry::{
    AttestationType, ClientRegistrationMethod, DestroyAction, ObjectType, Operation, ProfileName, QueryFunction,
    RngMode, ShreddingAlgorithm, UnwrapMode, ValidationAuthorityType, ValidationType,
};
use crate::ttlv::{DecodeError, DecodeErrorKind, OwnedItem, Writer};
use crate::wire::{Fields, Part, structure};
use crate::{ProtocolVersion, Tag};

structure! {
    /// What the client wants to know.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct QueryRequest {
        /// The questions; at least one.
        several functions: QueryFunction = Tag::QUERY_FUNCTION,
        /// Groups of objects for which is asked; absent means all.
        optional object_groups: ObjectGroups = Tag::OBJECT_GROUPS [since V2_1],
    }
}

impl QueryRequest {
    /// These questions, about all groups of objects.
    #[must_use]
    pub fn of(functions: impl Into<Vec<QueryFunction>>) -> Self {
        Self { functions: functions.into(), object_groups: None }
    }
}

structure! {
    /// The answers. What a client's version does not know is left out.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct QueryResponse {
        /// Operations the server supports.
        repeated operations: Operation = Tag::OPERATION,
        /// Objects the server supports.
        repeated object_types: ObjectType = Tag::OBJECT_TYPE,
        /// Who made the server.
        optional vendor_identification: String = Tag::VENDOR_IDENTIFICATION,
        /// What the vendor says about the server.
        optional server_information: Box<ServerInformation> = Tag::SERVER_INFORMATION,
        /// Name spaces for which the server makes application data.
        repeated application_namespaces: String = Tag::APPLICATION_NAMESPACE,
        /// Vendor's tags.
        repeated extension_information: ExtensionInformation = Tag::EXTENSION_INFORMATION [since V1_1],
        /// Attestations the server takes.
        repeated attestation_types: AttestationType = Tag::ATTESTATION_TYPE [since V1_2],
        /// Random number generators the server has.
        repeated rng_parameters: RngParameters = Tag::RNG_PARAMETERS [since V1_3],
        /// Profiles the server conforms to.
        repeated profile_information: ProfileInformation = Tag::PROFILE_INFORMATION [since V1_3],
        /// Validations the server has.
        repeated validation_information: ValidationInformation = Tag::VALIDATION_INFORMATION [since V1_3],
        /// Optional features the server has.
        repeated capability_information: CapabilityInformation = Tag::CAPABILITY_INFORMATION [since V1_3],
        /// How clients are registered.
        repeated client_registration_methods: ClientRegistrationMethod =
            Tag::CLIENT_REGISTRATION_METHOD [since V1_3],
        /// What a new object has where the client says nothing.
        optional defaults_information: DefaultsInformation = Tag::DEFAULTS_INFORMATION [since V2_0],
        /// Where objects may be kept. The tables require it, the published test cases do without.
        optional protection_storage_masks: ProtectionStorageMasks = Tag::PROTECTION_STORAGE_MASKS [since V2_0],
    }
}

structure! {
    /// Server Information. In 1.x the structure is the vendor's alone. KMIP 2.1 §7.37.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct ServerInformation {
        /// Name of the server.
        optional server_name: String = Tag::SERVER_NAME [since V2_0],
        /// Its serial number.
        optional server_serial_number: String = Tag::SERVER_SERIAL_NUMBER [since V2_0],
        /// Its version.
        optional server_version: String = Tag::SERVER_VERSION [since V2_0],
        /// How busy it is.
        optional server_load: String = Tag::SERVER_LOAD [since V2_0],
        /// The product.
        optional product_name: String = Tag::PRODUCT_NAME [since V2_0],
        /// The build.
        optional build_level: String = Tag::BUILD_LEVEL [since V2_0],
        /// When it was built.
        optional build_date: String = Tag::BUILD_DATE [since V2_0],
        /// The cluster it belongs to.
        optional cluster_info: String = Tag::CLUSTER_INFO [since V2_0],
        /// Where else the service is to be had.
        repeated alternate_failover_endpoints: String = Tag::ALTERNATE_FAILOVER_ENDPOINTS [since V2_0],
        /// What the vendor adds, kept as it came.
        part vendor_specific: Vec<OwnedItem> = VendorItems,
    }
}

/// Items of a vendor's choice. In 2.x they have no tag of the standard's, so that they cannot be taken for its fields.
pub struct VendorItems;

impl Part<Vec<OwnedItem>> for VendorItems {
    fn takes(tag: Tag, version: ProtocolVersion) -> bool {
        !version.is_2_x() || tag.text().is_none()
    }

    fn encode(items: &Vec<OwnedItem>, w: &mut Writer) {
        let version = w.version();
        let is_known = |tag: Tag| tag.since().is_none_or(|since| version.is_within(since, tag.until()));
        for item in items.iter().filter(|item| Self::takes(item.tag(), version) && is_known(item.tag())) {
            w.raw(item.as_bytes());
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Vec<OwnedItem>, DecodeError> {
        let mut items = Vec::new();
        while let Some(tag) = fields.peek()?
            && Self::takes(tag, fields.version())
            && let Some(item) = fields.take(tag)?
        {
            if items.len() == MAX_REPETITIONS {
                return Err(item.error(DecodeErrorKind::TooMany { what: "items of a vendor", limit: MAX_REPETITIONS }));
            }
            items.push(OwnedItem::new(&item)?);
        }
        Ok(items)
    }
}

structure! {
    /// A tag in the vendor's range. KMIP 1.4 §2.1.9, 2.1 §7.13.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct ExtensionInformation {
        /// Its name.
        required extension_name: String = Tag::EXTENSION_NAME,
        /// Its number.
        optional extension_tag: i32 = Tag::EXTENSION_TAG,
        /// The number of its type, as in TTLV.
        part extension_type: Option<i32> = ExtensionType,
        /// The number of the enumeration that its values are from.
        optional extension_enumeration: i32 = Tag::EXTENSION_ENUMERATION [since V2_0],
        /// Whether it is an attribute.
        optional extension_attribute: bool = Tag::EXTENSION_ATTRIBUTE [since V2_0],
        /// Number of the tag in whose structure it stands.
        optional extension_parent_structure_tag: i32 = Tag::EXTENSION_PARENT_STRUCTURE_TAG [since V2_0],
        /// For people.
        optional extension_description: String = Tag::EXTENSION_DESCRIPTION [since V2_0],
    }
}

/// Extension Type: an Integer in 1.x, an Enumeration in 2.x.
pub struct ExtensionType;

impl Part<Option<i32>> for ExtensionType {
    fn takes(tag: Tag, _version: ProtocolVersion) -> bool {
        tag == Tag::EXTENSION_TYPE
    }

    fn encode(number: &Option<i32>, w: &mut Writer) {
        match number {
            Some(number) if w.version().is_2_x() => w.enumeration(Tag::EXTENSION_TYPE, number.cast_unsigned()),
            Some(number) => w.integer(Tag::EXTENSION_TYPE, *number),
            None => {}
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Option<i32>, DecodeError> {
        let Some(item) = fields.take(Tag::EXTENSION_TYPE)? else { return Ok(None) };
        if item.version().is_2_x() {
            return item.enumeration().map(|number| Some(number.cast_signed()));
        }
        item.integer().map(Some)
    }
}

structure! {
    /// Version of a profile. KMIP 2.1 §7.32.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ProfileVersion {
        /// Profiles of different major versions differ in what they demand.
        required major: i32 = Tag::PROFILE_VERSION_MAJOR,
        /// A newer minor version only adds.
        required minor: i32 = Tag::PROFILE_VERSION_MINOR,
    }
}

structure! {
    /// A profile the server conforms to. KMIP 1.4 §2.1.19, 2.1 §7.31.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ProfileInformation {
        /// The profile.
        required profile_name: ProfileName = Tag::PROFILE_NAME,
        /// Its version.
        optional profile_version: ProfileVersion = Tag::PROFILE_VERSION [since V2_0],
        /// Where the profile is served, if elsewhere.
        optional server_uri: String = Tag::SERVER_URI,
        /// At which port.
        optional server_port: i32 = Tag::SERVER_PORT,
    }
}

structure! {
    /// A validation of the server, such as FIPS 140. KMIP 1.4 §2.1.20.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ValidationInformation {
        /// Who validated.
        required validation_authority_type: ValidationAuthorityType = Tag::VALIDATION_AUTHORITY_TYPE,
        /// In which country.
        optional validation_authority_country: String = Tag::VALIDATION_AUTHORITY_COUNTRY,
        /// The authority's address.
        optional validation_authority_uri: String = Tag::VALIDATION_AUTHORITY_URI,
        /// Major version of the standard, such as the 2 of FIPS 140-2.
        required validation_version_major: i32 = Tag::VALIDATION_VERSION_MAJOR,
        /// Its minor version.
        optional validation_version_minor: i32 = Tag::VALIDATION_VERSION_MINOR,
        /// Hardware, software, or both.
        required validation_type: ValidationType = Tag::VALIDATION_TYPE,
        /// The level reached.
        required validation_level: i32 = Tag::VALIDATION_LEVEL,
        /// Number of the certificate.
        optional validation_certificate_identifier: String = Tag::VALIDATION_CERTIFICATE_IDENTIFIER,
        /// Address of the certificate.
        optional validation_certificate_uri: String = Tag::VALIDATION_CERTIFICATE_URI,
        /// Address of the vendor.
        optional validation_vendor_uri: String = Tag::VALIDATION_VENDOR_URI,
        /// Names of what was validated.
        repeated validation_profile: String = Tag::VALIDATION_PROFILE,
    }
}

structure! {
    /// Optional features. KMIP 1.4 §2.1.21, 2.1 §7.5.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct CapabilityInformation {
        /// Multi-part cryptographic operations.
        optional streaming_capability: bool = Tag::STREAMING_CAPABILITY,
        /// Asynchronous operations.
        optional asynchronous_capability: bool = Tag::ASYNCHRONOUS_CAPABILITY,
        /// Attestation.
        optional attestation_capability: bool = Tag::ATTESTATION_CAPABILITY,
        /// Batch Error Continuation Option Undo.
        optional batch_undo_capability: bool = Tag::BATCH_UNDO_CAPABILITY [since V1_4],
        /// Batch Error Continuation Option Continue.
        optional batch_continue_capability: bool = Tag::BATCH_CONTINUE_CAPABILITY [since V1_4],
        /// Whether wrapped keys are unwrapped on the way in.
        optional unwrap_mode: UnwrapMode = Tag::UNWRAP_MODE,
        /// What Destroy leaves behind.
        optional destroy_action: DestroyAction = Tag::DESTROY_ACTION,
        /// How storage is overwritten.
        optional shredding_algorithm: ShreddingAlgorithm = Tag::SHREDDING_ALGORITHM,
        /// Whose random numbers a client gets.
        optional rng_mode: RngMode = Tag::RNG_MODE,
        /// Protection from quantum computers.
        optional quantum_safe_capability: bool = Tag::QUANTUM_SAFE_CAPABILITY [since V2_0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ttlv::{Reader, Wire};

    const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
    const V2_1: ProtocolVersion = ProtocolVersion::V2_1;

    fn told<T: Wire>(version: ProtocolVersion, value: &T) -> Result<T, DecodeError> {
        let mut w = Writer::new(version);
        value.encode(Tag::RESPONSE_PAYLOAD, &mut w);
        let bytes = w.finish();
        T::decode(&Reader::new(&bytes, version).next_item()?.unwrap())
    }

    fn of_vendor() -> OwnedItem {
        OwnedItem::of(Tag(0x54_0001), &"rack 7".to_owned()).unwrap()
    }

    #[test]
    fn in_1_x_server_information_is_the_vendors_alone() {
        let whole = ServerInformation {
            server_name: Some("clavis".into()),
            vendor_specific: vec![of_vendor()],
            ..ServerInformation::default()
        };
        assert_eq!(told(V2_1, &whole).unwrap(), whole);
        assert_eq!(told(V1_4, &whole).unwrap(), ServerInformation { server_name: None, ..whole });
    }

    #[test]
    fn in_2_x_a_vendor_has_no_tags_of_the_standard() {
        let mut w = Writer::new(V2_1);
        w.structure(Tag::SERVER_INFORMATION, |w| {
            of_vendor().encode(Tag(0x54_0001), w);
            w.text(Tag::SERVER_NAME, "clavis");
        });
        let bytes = w.finish();
        let item = Reader::new(&bytes, V2_1).next_item().unwrap().unwrap();
        let refused = ServerInformation::decode(&item).unwrap_err();
        assert_eq!(refused.kind, DecodeErrorKind::MisplacedField(Tag::SERVER_NAME));
    }

    #[test]
    fn an_extension_says_its_type_in_either_form() {
        let whole = ExtensionInformation {
            extension_name: "rack".into(),
            extension_type: Some(7),
            extension_attribute: Some(true),
            ..ExtensionInformation::default()
        };
        assert_eq!(told(V2_1, &whole).unwrap(), whole);
        assert_eq!(told(V1_4, &whole).unwrap(), ExtensionInformation { extension_attribute: None, ..whole });
    }

    #[test]
    fn what_2_x_answers_more_is_left_out_for_1_x() {
        let whole = QueryResponse {
            capability_information: vec![CapabilityInformation {
                quantum_safe_capability: Some(false),
                ..CapabilityInformation::default()
            }],
            defaults_information: Some(DefaultsInformation::default()),
            protection_storage_masks: Some(ProtectionStorageMasks::default()),
            ..QueryResponse::default()
        };
        assert_eq!(told(V2_1, &whole).unwrap(), whole);
        let capability_information = vec![CapabilityInformation::default()];
        assert_eq!(told(V1_4, &whole).unwrap(), QueryResponse { capability_information, ..QueryResponse::default() });
    }
}
