//! Managed objects and what wraps them.

use kmip::ProtocolVersion;
use kmip::object::*;
use kmip::registry::*;
use proptest::option::of;
use proptest::prelude::*;

use super::values::*;

pub(super) fn encryption_key_information(v: ProtocolVersion) -> BoxedStrategy<EncryptionKeyInformation> {
    (text(), of(cryptographic_parameters(v)))
        .prop_map(|(unique_identifier, parameters)| EncryptionKeyInformation {
            unique_identifier,
            cryptographic_parameters: parameters.map(Box::new),
        })
        .boxed()
}

pub(super) fn mac_key_information(v: ProtocolVersion) -> BoxedStrategy<MacSignatureKeyInformation> {
    (text(), of(cryptographic_parameters(v)))
        .prop_map(|(unique_identifier, parameters)| MacSignatureKeyInformation {
            unique_identifier,
            cryptographic_parameters: parameters.map(Box::new),
        })
        .boxed()
}

pub(super) fn wrapping_data(v: ProtocolVersion) -> BoxedStrategy<KeyWrappingData> {
    (
        one!(WrappingMethod, v),
        of(encryption_key_information(v)),
        of(mac_key_information(v)),
        of(bytes()),
        of(bytes()),
        of(one!(EncodingOption, v)),
    )
        .prop_map(|fields| KeyWrappingData {
            wrapping_method: fields.0,
            encryption_key_information: fields.1,
            mac_signature_key_information: fields.2,
            mac_signature: fields.3,
            iv_counter_nonce: fields.4,
            encoding_option: fields.5,
        })
        .boxed()
}

pub(super) fn key_block(v: ProtocolVersion) -> BoxedStrategy<KeyBlock> {
    let around = (of(one!(KeyCompressionType, v)), of(one!(CryptographicAlgorithm, v)), of(any::<i32>()));
    let raw = (one!(KeyFormatType, v), secret(), attributes(v), of(wrapping_data(v))).prop_map(
        |(format, key, attributes, wrapping)| {
            let material = match format {
                KeyFormatType::TransparentSymmetricKey => KeyMaterial::TransparentSymmetric(key),
                _ => KeyMaterial::Bytes(key),
            };
            (format, Some(KeyValue::Plain { material, attributes }), wrapping)
        },
    );
    let wrapped = (one!(KeyFormatType, v), secret(), wrapping_data(v))
        .prop_map(|(format, key, wrapping)| (format, Some(KeyValue::Wrapped(key)), Some(wrapping)));
    let absent = one!(KeyFormatType, v).prop_map(|format| (format, None, None));
    (around, prop_oneof![4 => raw, 2 => wrapped, 1 => absent])
        .prop_map(|((compression, algorithm, length), (format, value, wrapping))| KeyBlock {
            format,
            compression,
            value,
            algorithm,
            length,
            wrapping: wrapping.map(Box::new),
        })
        .boxed()
}

pub fn object(v: ProtocolVersion) -> BoxedStrategy<ManagedObject> {
    prop_oneof![
        key_block(v).prop_map(|key_block| ManagedObject::SymmetricKey(SymmetricKey { key_block })),
        (one!(SecretDataType, v), key_block(v)).prop_map(|(secret_data_type, key_block)| {
            ManagedObject::SecretData(SecretData { secret_data_type, key_block })
        }),
        (any::<u32>(), secret()).prop_map(|(kind, value)| {
            ManagedObject::OpaqueObject(OpaqueObject { opaque_data_type: OpaqueDataType(kind), value })
        }),
        attributes(v).prop_map(|attributes| ManagedObject::Template(Template { attributes })),
    ]
    .boxed()
}
