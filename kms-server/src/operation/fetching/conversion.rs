//! A key in another format: what Key Format Type and Key Compression Type of Get and Export ask for. KMIP 1.4 §4.11,
//! 2.1 §4.26, §6.1.19.
//!
//! A key comes back in the format it came in unless another is asked for. Asymmetric keys go through `crypto`, which
//! reads and writes every encoding and the numbers; the other formats differ in their framing only.

use crypto::CryptoError;
use crypto::key::{KeyHint, KeyKind, PrivateKey, PublicKey, inspect_private, inspect_public};
use keystore::ObjectRow;
use kmip::ProtocolVersion;
use kmip::attribute::AttributeValue;
use kmip::object::{KeyBlock, KeyMaterial, KeyValue, ManagedObject};
use kmip::registry::{KeyCompressionType as Compression, KeyFormatType as Format, ObjectType};
use kmip::ttlv::Wire;

use crate::failure::Failure;

/// What the attributes of a key say about it, for the formats that say nothing themselves.
pub(in crate::operation) fn hint_of(row: &ObjectRow) -> KeyHint {
    let curve = row.attributes.iter().find_map(|one| match &one.value {
        AttributeValue::CryptographicDomainParameters(parameters) => parameters.recommended_curve,
        _ => None,
    });
    KeyHint { algorithm: row.algorithm, curve }
}

/// Brings `object`, whose key is in clear, into the format and compression that were asked for. Without a format it
/// stays as it is, in the newest form of it that `version` knows.
///
/// # Errors
/// [`Failure::KeyFormat`], [`Failure::KeyCompression`].
pub(super) fn convert(
    mut object: ManagedObject,
    hint: KeyHint,
    format: Option<Format>,
    compression: Option<Compression>,
    version: ProtocolVersion,
) -> Result<ManagedObject, Failure> {
    let (object_type, own) = (object.object_type(), object.format());
    let Some(block) = object.key_block_mut() else {
        // Certificates, requests and opaque objects have one format and no points of their own.
        return match (format, compression) {
            (_, Some(_)) => Err(Failure::KeyCompression),
            (Some(format), None) if own != Some(format) => Err(Failure::KeyFormat),
            _ => Ok(object),
        };
    };
    // Compression is a property of points, which only public keys are.
    if compression.is_some() && object_type != ObjectType::PublicKey {
        return Err(Failure::KeyCompression);
    }
    let wanted = format.unwrap_or_else(|| form_known_to(block, version));
    if wanted != block.format || compression.is_some() {
        recast(block, object_type, hint, wanted, compression)?;
    }
    leave_out_unknown_algorithm(block, object_type, version);
    Ok(object)
}

/// Algorithm and length may be left out where the key itself tells them (KMIP 1.4 table 8): so that a client whose
/// version has no name for the algorithm, Ed25519 before 2.0, gets the key all the same.
fn leave_out_unknown_algorithm(block: &mut KeyBlock, object_type: ObjectType, version: ProtocolVersion) {
    if block.algorithm.is_none_or(|algorithm| algorithm.known_in(version)) {
        return;
    }
    let Some(material @ KeyMaterial::Bytes(_)) = block.material() else { return };
    // Without a hint: what is found out is in the key.
    let none = KeyHint::default();
    let facts = match object_type {
        ObjectType::PrivateKey => inspect_private(block.format, material, none),
        ObjectType::PublicKey => inspect_public(block.format, material, none),
        _ => None,
    };
    if facts.is_some() {
        block.algorithm = None;
        block.length = None;
    }
}

/// Refuses what `version` has no words for. When the answer is written it would be too late: the object would stay
/// here, and the record would say that it left.
///
/// # Errors
/// [`Failure::KeyFormat`] for a format that came later or is gone, [`Failure::UnsupportedFeature`] for an object type,
/// an algorithm or anything else of the kind.
pub(super) fn tellable(object: ManagedObject, version: ProtocolVersion) -> Result<ManagedObject, Failure> {
    if object.known_in(version) {
        return Ok(object);
    }
    let format_is_known = object.format().is_none_or(|format| format.known_in(version));
    if object.object_type().known_in(version) && !format_is_known {
        return Err(Failure::KeyFormat);
    }
    Err(Failure::UnsupportedFeature("an object that the protocol version has no words for"))
}

/// The stored format, or, where the version has another name for the same structure, that one.
fn form_known_to(block: &KeyBlock, version: ProtocolVersion) -> Format {
    if block.format.known_in(version) {
        return block.format;
    }
    // Formats that are bytes are other encodings, not other names.
    let forms = match block.material() {
        None | Some(KeyMaterial::Bytes(_)) => &[],
        Some(structure) => structure.formats(),
    };
    forms.iter().copied().find(|form| form.known_in(version)).unwrap_or(block.format)
}

fn recast(
    block: &mut KeyBlock,
    object_type: ObjectType,
    hint: KeyHint,
    wanted: Format,
    compression: Option<Compression>,
) -> Result<(), Failure> {
    // Metadata of a key that is elsewhere has no bytes to convert.
    let Some(KeyValue::Plain { material, attributes }) = block.value.take() else {
        return Err(Failure::KeyFormat);
    };
    let material = match object_type {
        // The structures of EC, ECDSA, ECDH and ECMQV keys are the same, whatever object they are registered as.
        _ if compression.is_none() && !matches!(material, KeyMaterial::Bytes(_)) && material.fits(wanted) => material,
        ObjectType::SymmetricKey => recast_symmetric(material, block.format, wanted)?,
        ObjectType::PrivateKey => {
            let key = PrivateKey::from_material(block.format, &material, hint).map_err(unconvertible)?;
            key.to_material(wanted).map_err(unconvertible)?
        }
        ObjectType::PublicKey => {
            let key = PublicKey::from_material(block.format, &material, hint).map_err(unconvertible)?;
            // Compressed or not, it would be said of a key that has no point.
            if compression.is_some() && key.kind() != KeyKind::Ec {
                return Err(Failure::KeyCompression);
            }
            let refused = |error| if compression.is_some() { Failure::KeyCompression } else { unconvertible(error) };
            key.to_material(wanted, compression).map_err(refused)?
        }
        _ => return Err(Failure::KeyFormat),
    };
    block.value = Some(KeyValue::Plain { material, attributes });
    block.format = wanted;
    block.compression = compression;
    Ok(())
}

/// A key that the library does not understand can be had as it came, and only so.
fn unconvertible(error: CryptoError) -> Failure {
    match error {
        CryptoError::Library(what) => Failure::Internal(what),
        _ => Failure::KeyFormat,
    }
}

/// Between Raw and Transparent Symmetric Key only the framing differs.
fn recast_symmetric(material: KeyMaterial, from: Format, wanted: Format) -> Result<KeyMaterial, Failure> {
    const SYMMETRIC: [Format; 2] = [Format::Raw, Format::TransparentSymmetricKey];
    if !SYMMETRIC.contains(&from) || !SYMMETRIC.contains(&wanted) {
        return Err(Failure::KeyFormat);
    }
    let bytes = material.into_secret().map_err(|_| Failure::KeyFormat)?;
    Ok(match wanted {
        Format::TransparentSymmetricKey => KeyMaterial::TransparentSymmetric(bytes),
        _ => KeyMaterial::Bytes(bytes),
    })
}

#[cfg(test)]
mod tests {
    use kmip::object::{EcPublicKey, PublicKey as PublicKeyObject, SymmetricKey};
    use kmip::registry::{CryptographicAlgorithm, RecommendedCurve};
    use secret::Secret;

    use super::*;

    fn convert(
        object: ManagedObject,
        format: Option<Format>,
        compression: Option<Compression>,
        version: ProtocolVersion,
    ) -> Result<ManagedObject, Failure> {
        super::convert(object, KeyHint::default(), format, compression, version)
    }

    fn symmetric() -> ManagedObject {
        let key_block = KeyBlock::raw(Secret::copy_from(&[7; 16]), CryptographicAlgorithm::Aes, 128);
        ManagedObject::SymmetricKey(SymmetricKey { key_block })
    }

    /// The generator of P-256: a point whose second coordinate is odd.
    fn generator() -> ManagedObject {
        let q_string = hex::decode(concat!(
            "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
        ))
        .unwrap();
        let key = EcPublicKey { recommended_curve: RecommendedCurve::P256, q_string };
        let material = KeyMaterial::TransparentEcPublic(Box::new(key));
        let key_block =
            KeyBlock::new(Format::TransparentEcPublicKey, material, Some(CryptographicAlgorithm::Ec), Some(256));
        ManagedObject::PublicKey(PublicKeyObject { key_block })
    }

    fn q_string(object: &ManagedObject) -> String {
        match object.key_block().unwrap().material().unwrap() {
            KeyMaterial::TransparentEcPublic(key) => hex::encode(&key.q_string),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_symmetric_key_is_raw_and_transparent_and_nothing_else() {
        let v = ProtocolVersion::V1_4;
        let transparent = convert(symmetric(), Some(Format::TransparentSymmetricKey), None, v).unwrap();
        assert_eq!(transparent.format(), Some(Format::TransparentSymmetricKey));
        assert_eq!(convert(transparent, Some(Format::Raw), None, v).unwrap(), symmetric());
        assert!(matches!(convert(symmetric(), Some(Format::Pkcs8), None, v), Err(Failure::KeyFormat)));
        let compressed = Some(Compression::EcPublicKeyTypeUncompressed);
        assert!(matches!(convert(symmetric(), None, compressed, v), Err(Failure::KeyCompression)));
    }

    #[test]
    fn a_public_key_goes_round_through_its_encodings() {
        let v = ProtocolVersion::V2_1;
        let encoded = convert(generator(), Some(Format::X509), None, v).unwrap();
        assert_eq!(encoded.format(), Some(Format::X509));
        let back = convert(encoded, Some(Format::TransparentEcPublicKey), None, v).unwrap();
        assert_eq!(back, generator());
        assert!(matches!(convert(generator(), Some(Format::Pkcs1), None, v), Err(Failure::KeyFormat)));
    }

    #[test]
    fn an_older_client_gets_the_name_of_the_structure_that_it_knows() {
        let old = convert(generator(), None, None, ProtocolVersion::V1_2).unwrap();
        assert_eq!(old.format(), Some(Format::TransparentEcdsaPublicKey));
        assert_eq!(q_string(&old), q_string(&generator()));
    }

    #[test]
    fn what_a_version_has_no_words_for_is_refused_before_anybody_is_told() {
        let edwards = || {
            let spki = "302a300506032b657003210019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
            let material = KeyMaterial::Bytes(Secret::new(hex::decode(spki).unwrap()));
            let algorithm = Some(CryptographicAlgorithm::Ed25519);
            let key_block = KeyBlock::new(Format::X509, material, algorithm, Some(256));
            ManagedObject::PublicKey(PublicKeyObject { key_block })
        };
        let asked = |format, version| {
            let hint = KeyHint { algorithm: Some(CryptographicAlgorithm::Ed25519), curve: None };
            super::convert(edwards(), hint, format, None, version).and_then(|object| tellable(object, version))
        };
        assert_eq!(asked(None, ProtocolVersion::V2_1).unwrap(), edwards());
        // The key says itself what it is.
        let old = asked(None, ProtocolVersion::V1_4).unwrap();
        let block = old.key_block().unwrap();
        assert_eq!((block.algorithm, block.length), (None, None));
        assert_eq!(block.material(), edwards().key_block().unwrap().material());
        // Raw bytes do not.
        assert!(asked(Some(Format::Raw), ProtocolVersion::V2_1).is_ok());
        assert!(matches!(asked(Some(Format::Raw), ProtocolVersion::V1_4), Err(Failure::UnsupportedFeature(_))));
        assert!(matches!(tellable(generator(), ProtocolVersion::V1_2), Err(Failure::KeyFormat)));
    }

    #[test]
    fn points_are_compressed_and_written_out_again() {
        let as_type = |object, wanted| convert(object, None, Some(wanted), ProtocolVersion::V1_4);
        let short = as_type(generator(), Compression::EcPublicKeyTypeX9_62CompressedPrime).unwrap();
        assert_eq!(q_string(&short), "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
        let long = as_type(short, Compression::EcPublicKeyTypeUncompressed).unwrap();
        assert_eq!(q_string(&long), q_string(&generator()));
        let hybrid = as_type(long, Compression::EcPublicKeyTypeX9_62Hybrid).unwrap();
        assert!(q_string(&hybrid).starts_with("076b17"));
        // The library writes both compressed forms alike; the field of the curve decides which it is.
        assert!(matches!(as_type(symmetric(), Compression::EcPublicKeyTypeUncompressed), Err(Failure::KeyCompression)));
    }
}
