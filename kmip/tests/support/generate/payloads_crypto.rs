//! Operations that use keys: encryption, signatures, codes, hashes, random numbers.

use kmip::ProtocolVersion;
use kmip::payload::*;
use kmip::registry::*;
use proptest::option::of;
use proptest::prelude::*;

use super::payloads_common::*;
use super::values::*;

/// What to work on; in another item of the batch where `v` has such references.
fn data(v: ProtocolVersion) -> BoxedStrategy<Data> {
    let bytes = secret().prop_map(Data::Bytes);
    if v < ProtocolVersion::V2_0 {
        return bytes.boxed();
    }
    prop_oneof![
        4 => bytes,
        1 => one!(DataPlaceholder, v).prop_map(Data::Placeholder),
        1 => any::<i32>().prop_map(Data::Index),
    ]
    .boxed()
}

fn parameters(v: ProtocolVersion) -> BoxedStrategy<Option<Box<kmip::attribute::CryptographicParameters>>> {
    of(cryptographic_parameters(v).prop_map(Box::new)).boxed()
}

/// Correlation value, first part, last part; since 1.3.
type Stream = (Option<Vec<u8>>, Option<bool>, Option<bool>);

fn stream(v: ProtocolVersion) -> BoxedStrategy<Stream> {
    (correlation(v), since(v, ProtocolVersion::V1_3, any::<bool>()), since(v, ProtocolVersion::V1_3, any::<bool>()))
        .boxed()
}

fn correlation(v: ProtocolVersion) -> BoxedStrategy<Option<Vec<u8>>> {
    since(v, ProtocolVersion::V1_3, bytes())
}

pub(super) fn request_of(operation: Operation, v: ProtocolVersion) -> Option<BoxedStrategy<RequestPayload>> {
    use RequestPayload as P;
    let key = (id(v), parameters(v), of(data(v)));
    let digest = since(v, ProtocolVersion::V1_4, secret());
    let authenticated = since(v, ProtocolVersion::V1_4, bytes());
    Some(match operation {
        Operation::Encrypt => (key, of(bytes()), stream(v), authenticated)
            .prop_map(|(key, iv_counter_nonce, stream, authenticated_encryption_additional_data)| {
                P::Encrypt(EncryptRequest {
                    unique_identifier: key.0,
                    cryptographic_parameters: key.1,
                    data: key.2,
                    iv_counter_nonce,
                    correlation_value: stream.0,
                    init_indicator: stream.1,
                    final_indicator: stream.2,
                    authenticated_encryption_additional_data,
                })
            })
            .boxed(),
        Operation::Decrypt => (key, of(bytes()), stream(v), authenticated, since(v, ProtocolVersion::V1_4, bytes()))
            .prop_map(|(key, iv_counter_nonce, stream, additional_data, tag)| {
                P::Decrypt(DecryptRequest {
                    unique_identifier: key.0,
                    cryptographic_parameters: key.1,
                    data: key.2,
                    iv_counter_nonce,
                    correlation_value: stream.0,
                    init_indicator: stream.1,
                    final_indicator: stream.2,
                    authenticated_encryption_additional_data: additional_data,
                    authenticated_encryption_tag: tag,
                })
            })
            .boxed(),
        Operation::Sign => (key, digest, stream(v))
            .prop_map(|(key, digested_data, stream)| {
                P::Sign(SignRequest {
                    unique_identifier: key.0,
                    cryptographic_parameters: key.1,
                    data: key.2,
                    digested_data,
                    correlation_value: stream.0,
                    init_indicator: stream.1,
                    final_indicator: stream.2,
                })
            })
            .boxed(),
        Operation::SignatureVerify => (key, digest, of(bytes()), stream(v))
            .prop_map(|(key, digested_data, signature_data, stream)| {
                P::SignatureVerify(SignatureVerifyRequest {
                    unique_identifier: key.0,
                    cryptographic_parameters: key.1,
                    data: key.2,
                    digested_data,
                    signature_data,
                    correlation_value: stream.0,
                    init_indicator: stream.1,
                    final_indicator: stream.2,
                })
            })
            .boxed(),
        Operation::Mac => (key, stream(v))
            .prop_map(|(key, stream)| {
                P::Mac(MacRequest {
                    unique_identifier: key.0,
                    cryptographic_parameters: key.1,
                    data: key.2,
                    correlation_value: stream.0,
                    init_indicator: stream.1,
                    final_indicator: stream.2,
                })
            })
            .boxed(),
        Operation::MacVerify => (key, of(bytes()), stream(v))
            .prop_map(|(key, mac_data, stream)| {
                P::MacVerify(MacVerifyRequest {
                    unique_identifier: key.0,
                    cryptographic_parameters: key.1,
                    data: key.2,
                    mac_data,
                    correlation_value: stream.0,
                    init_indicator: stream.1,
                    final_indicator: stream.2,
                })
            })
            .boxed(),
        Operation::Hash => (cryptographic_parameters(v), of(data(v)), stream(v))
            .prop_map(|(parameters, data, stream)| {
                P::Hash(HashRequest {
                    cryptographic_parameters: Box::new(parameters),
                    data,
                    correlation_value: stream.0,
                    init_indicator: stream.1,
                    final_indicator: stream.2,
                })
            })
            .boxed(),
        Operation::RngRetrieve => {
            any::<i32>().prop_map(|data_length| P::RngRetrieve(RngRetrieveRequest { data_length })).boxed()
        }
        Operation::RngSeed => data(v).prop_map(|data| P::RngSeed(RngSeedRequest { data })).boxed(),
        _ => return None,
    })
}

pub(super) fn response_of(operation: Operation, v: ProtocolVersion) -> Option<BoxedStrategy<ResponsePayload>> {
    use ResponsePayload as P;
    let validity = of(one!(ValidityIndicator, v));
    Some(match operation {
        Operation::Encrypt => {
            (text(), of(bytes()), of(bytes()), correlation(v), since(v, ProtocolVersion::V1_4, bytes()))
                .prop_map(|(unique_identifier, data, iv_counter_nonce, correlation_value, tag)| {
                    P::Encrypt(EncryptResponse {
                        unique_identifier,
                        data,
                        iv_counter_nonce,
                        correlation_value,
                        authenticated_encryption_tag: tag,
                    })
                })
                .boxed()
        }
        Operation::Decrypt => (text(), of(secret()), correlation(v))
            .prop_map(|(unique_identifier, data, correlation_value)| {
                P::Decrypt(DecryptResponse { unique_identifier, data, correlation_value })
            })
            .boxed(),
        Operation::Sign => (text(), of(bytes()), correlation(v))
            .prop_map(|(unique_identifier, signature_data, correlation_value)| {
                P::Sign(SignResponse { unique_identifier, signature_data, correlation_value })
            })
            .boxed(),
        Operation::SignatureVerify => (text(), validity, of(secret()), correlation(v))
            .prop_map(|(unique_identifier, validity_indicator, data, correlation_value)| {
                P::SignatureVerify(SignatureVerifyResponse {
                    unique_identifier,
                    validity_indicator,
                    data,
                    correlation_value,
                })
            })
            .boxed(),
        Operation::Mac => (text(), of(bytes()), correlation(v))
            .prop_map(|(unique_identifier, mac_data, correlation_value)| {
                P::Mac(MacResponse { unique_identifier, mac_data, correlation_value })
            })
            .boxed(),
        Operation::MacVerify => (text(), validity, correlation(v))
            .prop_map(|(unique_identifier, validity_indicator, correlation_value)| {
                P::MacVerify(MacVerifyResponse { unique_identifier, validity_indicator, correlation_value })
            })
            .boxed(),
        Operation::Hash => (of(bytes()), correlation(v))
            .prop_map(|(data, correlation_value)| P::Hash(HashResponse { data, correlation_value }))
            .boxed(),
        Operation::RngRetrieve => secret().prop_map(|data| P::RngRetrieve(RngRetrieveResponse { data })).boxed(),
        Operation::RngSeed => any::<i32>().prop_map(|data_length| P::RngSeed(RngSeedResponse { data_length })).boxed(),
        _ => return None,
    })
}
