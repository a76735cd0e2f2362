//! Managed objects and what wraps them.

use kmip::ProtocolVersion;
use kmip::Tag;
use kmip::attribute::CryptographicParameters;
use kmip::object::*;
use kmip::registry::*;
use kmip::ttlv::{BigInteger, Reader, Wire, Writer};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::values::*;

/// Versions before 1.4 lack so many values that some attributes would have none: they get those of all versions, of
/// which the encoder leaves out what they do not know.
fn values_for(v: ProtocolVersion) -> ProtocolVersion {
    if v < ProtocolVersion::V1_4 { ProtocolVersion::EVERY } else { v }
}

/// Parameters that `v` knows, all of them.
fn parameters(v: ProtocolVersion) -> BoxedStrategy<CryptographicParameters> {
    if v >= ProtocolVersion::V1_4 {
        return cryptographic_parameters(v);
    }
    (of(one!(BlockCipherMode, v)), of(one!(PaddingMethod, v)), of(one!(HashingAlgorithm, v)), of(one!(KeyRoleType, v)))
        .prop_map(|(block_cipher_mode, padding_method, hashing_algorithm, key_role_type)| CryptographicParameters {
            block_cipher_mode,
            padding_method,
            hashing_algorithm,
            key_role_type,
            ..CryptographicParameters::default()
        })
        .boxed()
}

/// An Encoding Option; 1.0 has none.
fn encoding_option(v: ProtocolVersion) -> BoxedStrategy<Option<EncodingOption>> {
    if v >= ProtocolVersion::V1_1 { of(one!(EncodingOption, v)).boxed() } else { Just(None).boxed() }
}

pub(super) fn encryption_key_information(v: ProtocolVersion) -> BoxedStrategy<EncryptionKeyInformation> {
    (text(), of(parameters(v)))
        .prop_map(|(unique_identifier, parameters)| EncryptionKeyInformation {
            unique_identifier,
            cryptographic_parameters: parameters.map(Box::new),
        })
        .boxed()
}

pub(super) fn mac_key_information(v: ProtocolVersion) -> BoxedStrategy<MacSignatureKeyInformation> {
    (text(), of(parameters(v)))
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
        encoding_option(v),
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

/// A Big Integer as it may stand in a message: of any sign, and longer than it has to be.
fn number() -> BoxedStrategy<BigInteger> {
    (1..4_usize).prop_flat_map(|words| vec(any::<u8>(), words * 8)).prop_map(BigInteger).boxed()
}

fn secret_number() -> BoxedStrategy<SecretInteger> {
    number()
        .prop_map(|number| {
            let mut w = Writer::new(ProtocolVersion::EVERY);
            number.encode(Tag::X, &mut w);
            let bytes = w.finish();
            let item = Reader::new(&bytes, ProtocolVersion::EVERY).next_item().unwrap().unwrap();
            SecretInteger::decode(&item).unwrap()
        })
        .boxed()
}

fn rsa_private() -> BoxedStrategy<RsaPrivateKey> {
    let primes = || of((secret_number(), secret_number()));
    (number(), secret_number(), of(number()), primes(), primes(), of(secret_number()), 0..3_u8)
        .prop_map(|(modulus, exponent, public_exponent, primes, exponents, crt_coefficient, without)| {
            // The private exponent may be absent only where something stands for it.
            let may_lack = primes.is_some() || exponents.is_some();
            let (p, q) = primes.unzip();
            let (prime_exponent_p, prime_exponent_q) = exponents.unzip();
            RsaPrivateKey {
                modulus,
                private_exponent: Some(exponent).filter(|_| without > 0 || !may_lack),
                public_exponent,
                p,
                q,
                prime_exponent_p,
                prime_exponent_q,
                crt_coefficient,
            }
        })
        .boxed()
}

/// Key material of a format. Without a wildcard arm: a format that has no generator does not compile.
fn key_material(format: KeyFormatType, v: ProtocolVersion) -> BoxedStrategy<KeyMaterial> {
    use KeyFormatType as F;
    use KeyMaterial as M;
    match format {
        F::Raw | F::Opaque | F::Pkcs1 | F::Pkcs8 | F::X509 | F::EcPrivateKey | F::Pkcs12 | F::Pkcs10 => {
            secret().prop_map(M::Bytes).boxed()
        }
        F::TransparentSymmetricKey => secret().prop_map(M::TransparentSymmetric).boxed(),
        F::TransparentDsaPrivateKey => (number(), number(), number(), secret_number())
            .prop_map(|(p, q, g, x)| M::TransparentDsaPrivate(Box::new(DsaPrivateKey { p, q, g, x })))
            .boxed(),
        F::TransparentDsaPublicKey => (number(), number(), number(), number())
            .prop_map(|(p, q, g, y)| M::TransparentDsaPublic(Box::new(DsaPublicKey { p, q, g, y })))
            .boxed(),
        F::TransparentRsaPrivateKey => rsa_private().prop_map(|key| M::TransparentRsaPrivate(Box::new(key))).boxed(),
        F::TransparentRsaPublicKey => (number(), number())
            .prop_map(|(modulus, public_exponent)| {
                M::TransparentRsaPublic(Box::new(RsaPublicKey { modulus, public_exponent }))
            })
            .boxed(),
        F::TransparentDhPrivateKey => (number(), of(number()), number(), of(number()), secret_number())
            .prop_map(|(p, q, g, j, x)| M::TransparentDhPrivate(Box::new(DhPrivateKey { p, q, g, j, x })))
            .boxed(),
        F::TransparentDhPublicKey => (number(), of(number()), number(), of(number()), number())
            .prop_map(|(p, q, g, j, y)| M::TransparentDhPublic(Box::new(DhPublicKey { p, q, g, j, y })))
            .boxed(),
        F::TransparentEcPrivateKey
        | F::TransparentEcdsaPrivateKey
        | F::TransparentEcdhPrivateKey
        | F::TransparentEcmqvPrivateKey => (one!(RecommendedCurve, v), secret_number())
            .prop_map(|(recommended_curve, d)| M::TransparentEcPrivate(Box::new(EcPrivateKey { recommended_curve, d })))
            .boxed(),
        F::TransparentEcPublicKey
        | F::TransparentEcdsaPublicKey
        | F::TransparentEcdhPublicKey
        | F::TransparentEcmqvPublicKey => (one!(RecommendedCurve, v), bytes())
            .prop_map(|(recommended_curve, q_string)| {
                M::TransparentEcPublic(Box::new(EcPublicKey { recommended_curve, q_string }))
            })
            .boxed(),
    }
}

/// A key block of that format: in clear, wrapped, or without its value.
fn key_block(format: KeyFormatType, v: ProtocolVersion) -> BoxedStrategy<KeyBlock> {
    let around = (of(one!(KeyCompressionType, v)), of(one!(CryptographicAlgorithm, v)), of(any::<i32>()));
    let plain = (key_material(format, v), attributes(values_for(v)), of(wrapping_data(v)))
        .prop_map(|(material, attributes, wrapping)| (Some(KeyValue::Plain { material, attributes }), wrapping));
    let wrapped = (secret(), wrapping_data(v), any::<bool>()).prop_map(move |(bytes, wrapping, described)| {
        // Only PKCS#12 need not say how it is wrapped.
        let described = described || format != KeyFormatType::Pkcs12;
        (Some(KeyValue::Wrapped(bytes)), Some(wrapping).filter(|_| described))
    });
    let absent = if v >= ProtocolVersion::V1_2 { 1 } else { 0 };
    (around, prop_oneof![4 => plain, 2 => wrapped, absent => Just(()).prop_map(|()| (None, None))])
        .prop_map(move |((compression, algorithm, length), (value, wrapping))| KeyBlock {
            format,
            compression,
            value,
            algorithm,
            length,
            wrapping: wrapping.map(Box::new),
        })
        .boxed()
}

fn split_key(key_block: BoxedStrategy<KeyBlock>, v: ProtocolVersion) -> BoxedStrategy<ManagedObject> {
    let numbers = (1..i32::MAX).prop_flat_map(|parts| (Just(parts), 1..=parts, any::<i32>()));
    (numbers, one!(SplitKeyMethod, v), number(), any::<bool>(), key_block)
        .prop_map(|((parts, part_identifier, threshold), method, prime, has_prime, key_block)| {
            let has_prime = has_prime || method == SplitKeyMethod::PolynomialSharingPrimeField;
            ManagedObject::SplitKey(Box::new(SplitKey {
                parts,
                part_identifier,
                threshold,
                method,
                prime_field_size: Some(prime).filter(|_| has_prime),
                key_block,
            }))
        })
        .boxed()
}

/// An object of that type, with its key in that format if it has a key block. Without a wildcard arm, as above.
pub fn object_of(kind: ObjectType, format: KeyFormatType, v: ProtocolVersion) -> BoxedStrategy<ManagedObject> {
    use ManagedObject as O;
    let key_block = key_block(format, v);
    match kind {
        ObjectType::Certificate => (one!(CertificateType, v), bytes())
            .prop_map(|(certificate_type, value)| O::Certificate(Certificate { certificate_type, value }))
            .boxed(),
        ObjectType::CertificateRequest => (one!(CertificateRequestType, v), bytes())
            .prop_map(|(certificate_request_type, value)| {
                O::CertificateRequest(CertificateRequest { certificate_request_type, value })
            })
            .boxed(),
        ObjectType::SymmetricKey | ObjectType::PublicKey | ObjectType::PrivateKey => {
            key_block.prop_map(move |key_block| O::from_key_block(kind, key_block).unwrap()).boxed()
        }
        ObjectType::SplitKey => split_key(key_block, v),
        ObjectType::SecretData => (one!(SecretDataType, v), key_block)
            .prop_map(|(secret_data_type, key_block)| O::SecretData(SecretData { secret_data_type, key_block }))
            .boxed(),
        ObjectType::PgpKey => {
            (any::<i32>(), key_block).prop_map(|(version, key_block)| O::PgpKey(PgpKey { version, key_block })).boxed()
        }
        ObjectType::OpaqueObject => (any::<u32>(), secret())
            .prop_map(|(kind, value)| O::OpaqueObject(OpaqueObject { opaque_data_type: OpaqueDataType(kind), value }))
            .boxed(),
        ObjectType::Template => {
            attributes(values_for(v)).prop_map(|attributes| O::Template(Template { attributes })).boxed()
        }
    }
}

/// An object of any type.
pub fn object(v: ProtocolVersion) -> BoxedStrategy<ManagedObject> {
    (one!(ObjectType, v), one!(KeyFormatType, v))
        .prop_flat_map(move |(kind, format)| object_of(kind, format, v))
        .boxed()
}
