//! The structure of each kind of managed object. KMIP 1.4 §2.2, 2.1 §2.

use secret::Secret;

use super::KeyBlock;
use crate::Tag;
use crate::attribute::{Attribute, AttributeList};
use crate::registry::{CertificateRequestType, CertificateType, OpaqueDataType, SecretDataType, SplitKeyMethod};
use crate::ttlv::{BigInteger, DecodeError, DecodeErrorKind, Item};
use crate::wire::structure;

structure! {
    /// Certificate. KMIP 1.4 §2.2.1, 2.1 §2.1.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Certificate {
        /// X.509; PGP is deprecated since 1.2.
        required certificate_type: CertificateType = Tag::CERTIFICATE_TYPE,
        /// The certificate: DER, if it is X.509.
        required value: Vec<u8> = Tag::CERTIFICATE_VALUE,
    }
}

structure! {
    /// Certificate Request, a managed object since 2.0. KMIP 2.1 §2.2.
    #[derive(Clone, Debug, PartialEq)]
    pub struct CertificateRequest {
        /// How the request is encoded.
        required certificate_request_type: CertificateRequestType = Tag::CERTIFICATE_REQUEST_TYPE,
        /// The request.
        required value: Vec<u8> = Tag::CERTIFICATE_REQUEST_VALUE,
    }
}

structure! {
    /// Symmetric Key. KMIP 1.4 §2.2.2, 2.1 §2.9.
    #[derive(Debug, PartialEq)]
    pub struct SymmetricKey {
        /// The key.
        required key_block: KeyBlock = Tag::KEY_BLOCK,
    }
}

structure! {
    /// Public Key: the public half of a key pair, without certificate. KMIP 1.4 §2.2.3, 2.1 §2.6.
    #[derive(Debug, PartialEq)]
    pub struct PublicKey {
        /// The key.
        required key_block: KeyBlock = Tag::KEY_BLOCK,
    }
}

structure! {
    /// Private Key: the private half of a key pair. KMIP 1.4 §2.2.4, 2.1 §2.5.
    #[derive(Debug, PartialEq)]
    pub struct PrivateKey {
        /// The key.
        required key_block: KeyBlock = Tag::KEY_BLOCK,
    }
}

structure! {
    /// Split Key: one part of a key that was divided among several holders. KMIP 1.4 §2.2.5, 2.1 §2.8.
    #[derive(Debug, PartialEq)]
    pub struct SplitKey {
        /// How many parts there are.
        required parts: i32 = Tag::SPLIT_KEY_PARTS,
        /// Which of them this is, from 1.
        required part_identifier: i32 = Tag::KEY_PART_IDENTIFIER,
        /// How many of them make the key.
        required threshold: i32 = Tag::SPLIT_KEY_THRESHOLD,
        /// How the key was divided.
        required method: SplitKeyMethod = Tag::SPLIT_KEY_METHOD,
        /// The prime, if the method computes modulo one.
        optional prime_field_size: BigInteger = Tag::PRIME_FIELD_SIZE,
        /// The part; algorithm and length are those of the whole key.
        required key_block: KeyBlock = Tag::KEY_BLOCK,
    }
}

impl SplitKey {
    /// What the standard says of fields together.
    pub(super) fn check(&self, item: &Item<'_>) -> Result<(), DecodeError> {
        if !(1..=self.parts).contains(&self.part_identifier) {
            let why = "is none of the parts";
            return Err(item.error(DecodeErrorKind::Invalid { tag: Tag::KEY_PART_IDENTIFIER, why }));
        }
        if self.method == SplitKeyMethod::PolynomialSharingPrimeField && self.prime_field_size.is_none() {
            return Err(item.error(DecodeErrorKind::MissingField(Tag::PRIME_FIELD_SIZE)));
        }
        Ok(())
    }
}

structure! {
    /// Secret Data: a password or a seed. KMIP 1.4 §2.2.7, 2.1 §2.7.
    #[derive(Debug, PartialEq)]
    pub struct SecretData {
        /// What kind of secret it is.
        required secret_data_type: SecretDataType = Tag::SECRET_DATA_TYPE,
        /// The secret.
        required key_block: KeyBlock = Tag::KEY_BLOCK,
    }
}

structure! {
    /// Opaque Object: bytes that the server does not interpret. KMIP 1.4 §2.2.8, 2.1 §2.3.
    #[derive(Debug, PartialEq)]
    pub struct OpaqueObject {
        /// What the client says they are.
        required opaque_data_type: OpaqueDataType = Tag::OPAQUE_DATA_TYPE,
        /// The bytes, treated like a key.
        required value: Secret = Tag::OPAQUE_DATA_VALUE,
    }
}

structure! {
    /// PGP Key: an exported key in ASCII armour, with its private half or without; since 1.2. KMIP 1.4 §2.2.9, 2.1 §2.4.
    #[derive(Debug, PartialEq)]
    pub struct PgpKey {
        /// Version of the PGP key: 3 or 4.
        required version: i32 = Tag::PGP_KEY_VERSION,
        /// The armoured text as key bytes.
        required key_block: KeyBlock = Tag::KEY_BLOCK,
    }
}

structure! {
    /// Template: named attributes for objects to be made; deprecated since 1.3, gone in 2.0. KMIP 1.4 §2.2.6.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Template {
        /// The attributes.
        part attributes: Vec<Attribute> = AttributeList,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProtocolVersion;
    use crate::object::ManagedObject;
    use crate::registry::{CryptographicAlgorithm, KeyFormatType, ObjectType};
    use crate::ttlv::Wire;

    fn split(method: SplitKeyMethod, parts: i32, part_identifier: i32, prime: Option<u8>) -> ManagedObject {
        let key_block = KeyBlock::raw(Secret::copy_from(&[1; 16]), CryptographicAlgorithm::Aes, 128);
        let prime_field_size = prime.map(|prime| BigInteger::from_unsigned(&[prime]));
        ManagedObject::SplitKey(Box::new(SplitKey {
            parts,
            part_identifier,
            threshold: 2,
            method,
            prime_field_size,
            key_block,
        }))
    }

    fn fault_of(object: &ManagedObject) -> Option<DecodeErrorKind> {
        ManagedObject::from_canonical(object.to_canonical().expose()).err().map(|error| error.kind)
    }

    #[test]
    fn a_part_is_one_of_the_parts() {
        for (parts, part, allowed) in
            [(3, 1, true), (3, 3, true), (3, 0, false), (3, 4, false), (0, 0, false), (-1, 1, false)]
        {
            let fault = fault_of(&split(SplitKeyMethod::Xor, parts, part, None));
            let refused = DecodeErrorKind::Invalid { tag: Tag::KEY_PART_IDENTIFIER, why: "is none of the parts" };
            assert_eq!(fault, (!allowed).then_some(refused), "{part} of {parts}");
        }
    }

    #[test]
    fn a_prime_field_has_a_prime() {
        let method = SplitKeyMethod::PolynomialSharingPrimeField;
        assert_eq!(fault_of(&split(method, 3, 1, Some(251))), None);
        let missing = DecodeErrorKind::MissingField(Tag::PRIME_FIELD_SIZE);
        assert_eq!(fault_of(&split(method, 3, 1, None)), Some(missing));
    }

    #[test]
    fn only_kinds_that_are_all_key_block_are_made_of_one() {
        for kind in ObjectType::ALL.iter().copied() {
            let block = KeyBlock::without_algorithm(KeyFormatType::Raw, Secret::copy_from(&[1]));
            match ManagedObject::from_key_block(kind, block) {
                Ok(object) => assert_eq!((object.object_type(), object.format()), (kind, Some(KeyFormatType::Raw))),
                Err(block) => assert_eq!(block.format, KeyFormatType::Raw),
            }
        }
    }

    #[test]
    fn a_digest_is_taken_over_what_is_kept() {
        let certificate = Certificate { certificate_type: CertificateType::X509, value: vec![1, 2] };
        let request =
            CertificateRequest { certificate_request_type: CertificateRequestType::Pkcs10, value: vec![3, 4] };
        let opaque = OpaqueObject { opaque_data_type: OpaqueDataType(0x8000_0000), value: Secret::copy_from(&[5, 6]) };
        for (object, input, format) in [
            (ManagedObject::Certificate(certificate), vec![1, 2], KeyFormatType::X509),
            (ManagedObject::CertificateRequest(request), vec![3, 4], KeyFormatType::Pkcs10),
            (ManagedObject::OpaqueObject(opaque), vec![5, 6], KeyFormatType::Opaque),
            (split(SplitKeyMethod::Xor, 2, 1, None), vec![1; 16], KeyFormatType::Raw),
        ] {
            assert_eq!(object.with_digest_input(<[u8]>::to_vec), Some(input));
            assert_eq!(object.format(), Some(format));
        }
        let template = ManagedObject::Template(Template { attributes: Vec::new() });
        assert_eq!((template.with_digest_input(<[u8]>::len), template.format()), (None, None));
    }

    #[test]
    fn kinds_belong_to_their_versions() {
        let block = || KeyBlock::raw(Secret::copy_from(&[1; 16]), CryptographicAlgorithm::Aes, 128);
        let pgp = ManagedObject::PgpKey(PgpKey { version: 4, key_block: block() });
        assert!(!pgp.known_in(ProtocolVersion::V1_1));
        assert!(pgp.known_in(ProtocolVersion::V1_2));
        let template = ManagedObject::Template(Template { attributes: Vec::new() });
        assert!(template.known_in(ProtocolVersion::V1_4));
        assert!(!template.known_in(ProtocolVersion::V2_0));
        // GF(2^8) came with 1.2.
        let method = SplitKeyMethod::PolynomialSharingGf2_8;
        assert!(!split(method, 2, 1, None).known_in(ProtocolVersion::V1_1));
    }
}
