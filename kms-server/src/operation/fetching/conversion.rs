//! A key in another format: what Key Format Type and Key Compression Type of Get and Export ask for. KMIP 1.4 §4.11,
//! 2.1 §4.26, §6.1.19.
//!
//! A key comes back in the format it came in unless another is asked for. Asymmetric keys go through `crypto`, which
//! reads and writes every encoding and the numbers; the other formats differ in their framing only.

use crypto::CryptoError;
use crypto::key::{KeyKind, PrivateComponents, PrivateKey, PublicComponents, PublicKey};
use kmip::ProtocolVersion;
use kmip::object::{
    DhPrivateKey, DhPublicKey, DsaPrivateKey, DsaPublicKey, EcPrivateKey, EcPublicKey, KeyBlock, KeyMaterial, KeyValue,
    ManagedObject, RsaPrivateKey, RsaPublicKey, SecretInteger,
};
use kmip::registry::{
    CryptographicAlgorithm, KeyCompressionType as Compression, KeyFormatType as Format, ObjectType, RecommendedCurve,
};
use kmip::ttlv::{BigInteger, Wire};
use secret::Secret;

use super::point;
use crate::failure::Failure;

/// Brings `object`, whose key is in clear, into the format and compression that were asked for. Without a format it
/// stays as it is, in the newest form of it that `version` knows.
///
/// # Errors
/// [`Failure::KeyFormat`], [`Failure::KeyCompression`].
pub(super) fn convert(
    object: ManagedObject,
    format: Option<Format>,
    compression: Option<Compression>,
    version: ProtocolVersion,
) -> Result<ManagedObject, Failure> {
    let mut object = object;
    let (object_type, own) = (object.object_type(), object.format());
    let Some(block) = object.key_block_mut() else {
        // Certificates, requests and opaque objects have one format and no points of their own.
        return match (format, compression) {
            (_, Some(_)) => Err(Failure::KeyCompression),
            (Some(format), None) if own != Some(format) => Err(Failure::KeyFormat),
            _ => Ok(object),
        };
    };
    let wanted = format.unwrap_or_else(|| form_known_to(block, version));
    if wanted != block.format {
        recast(block, object_type, wanted)?;
    }
    if let Some(compression) = compression {
        compress(block, compression)?;
    }
    Ok(object)
}

/// The stored format, or, where the version has another name for the same structure, that one.
fn form_known_to(block: &KeyBlock, version: ProtocolVersion) -> Format {
    if block.format.known_in(version) {
        return block.format;
    }
    let forms = block.material().map_or(&[][..], KeyMaterial::formats);
    forms.iter().copied().find(|form| form.known_in(version)).unwrap_or(block.format)
}

fn recast(block: &mut KeyBlock, object_type: ObjectType, wanted: Format) -> Result<(), Failure> {
    // Metadata of a key that is elsewhere has no bytes to convert.
    let Some(KeyValue::Plain { material, attributes }) = block.value.take() else {
        return Err(Failure::KeyFormat);
    };
    let material = match object_type {
        ObjectType::SymmetricKey => recast_symmetric(material, block.format, wanted)?,
        // The structures of EC, ECDSA, ECDH and ECMQV keys are the same.
        _ if !matches!(material, KeyMaterial::Bytes(_)) && material.fits(wanted) => material,
        ObjectType::PrivateKey => {
            let key = private_key(&material, block.format, block.algorithm).map_err(unconvertible)?;
            write_private(&key, wanted).map_err(unconvertible)?
        }
        ObjectType::PublicKey => {
            let key = public_key(&material, block.format, block.algorithm).map_err(unconvertible)?;
            write_public(&key, wanted).map_err(unconvertible)?
        }
        _ => return Err(Failure::KeyFormat),
    };
    block.value = Some(KeyValue::Plain { material, attributes });
    block.format = wanted;
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

/// The kind of a raw key, which only its algorithm tells.
fn raw_kind(algorithm: Option<CryptographicAlgorithm>) -> Result<KeyKind, CryptoError> {
    match algorithm {
        Some(CryptographicAlgorithm::Ed25519) => Ok(KeyKind::Ed25519),
        Some(CryptographicAlgorithm::Ed448) => Ok(KeyKind::Ed448),
        _ => Err(CryptoError::Unsupported("a raw key of this algorithm")),
    }
}

/// A private key in the library's form, out of any format but PKCS#12.
///
/// # Errors
/// [`CryptoError`] where the library does not understand it.
pub(in crate::operation) fn private_key(
    material: &KeyMaterial,
    format: Format,
    algorithm: Option<CryptographicAlgorithm>,
) -> Result<PrivateKey, CryptoError> {
    let copy = |number: &SecretInteger| Secret::copy_from(number.secret().expose());
    let components = match material {
        KeyMaterial::Bytes(bytes) if format == Format::Raw => {
            return PrivateKey::from_raw(raw_kind(algorithm)?, bytes);
        }
        KeyMaterial::Bytes(bytes) => return PrivateKey::from_encoded(format, bytes),
        KeyMaterial::TransparentRsaPrivate(key) => PrivateComponents::Rsa {
            modulus: key.modulus.0.clone(),
            private_exponent: key.private_exponent.as_ref().map(copy),
            public_exponent: key.public_exponent.as_ref().map(|number| number.0.clone()),
            p: key.p.as_ref().map(copy),
            q: key.q.as_ref().map(copy),
            prime_exponent_p: key.prime_exponent_p.as_ref().map(copy),
            prime_exponent_q: key.prime_exponent_q.as_ref().map(copy),
            crt_coefficient: key.crt_coefficient.as_ref().map(copy),
        },
        KeyMaterial::TransparentDsaPrivate(key) => {
            PrivateComponents::Dsa { p: key.p.0.clone(), q: key.q.0.clone(), g: key.g.0.clone(), x: copy(&key.x) }
        }
        KeyMaterial::TransparentDhPrivate(key) => PrivateComponents::Dh {
            p: key.p.0.clone(),
            q: key.q.as_ref().map(|number| number.0.clone()),
            g: key.g.0.clone(),
            x: copy(&key.x),
        },
        KeyMaterial::TransparentEcPrivate(key) => {
            PrivateComponents::Ec { curve: key.recommended_curve, d: copy(&key.d) }
        }
        _ => return Err(CryptoError::InvalidKey("it is no private key")),
    };
    PrivateKey::from_components(&components)
}

/// A public key in the library's form, out of any format.
///
/// # Errors
/// [`CryptoError`] where the library does not understand it.
pub(in crate::operation) fn public_key(
    material: &KeyMaterial,
    format: Format,
    algorithm: Option<CryptographicAlgorithm>,
) -> Result<PublicKey, CryptoError> {
    let components = match material {
        KeyMaterial::Bytes(bytes) if format == Format::Raw => {
            return PublicKey::from_raw(raw_kind(algorithm)?, bytes.expose());
        }
        KeyMaterial::Bytes(bytes) => return PublicKey::from_encoded(format, bytes.expose()),
        KeyMaterial::TransparentRsaPublic(key) => {
            PublicComponents::Rsa { modulus: key.modulus.0.clone(), public_exponent: key.public_exponent.0.clone() }
        }
        KeyMaterial::TransparentDsaPublic(key) => {
            PublicComponents::Dsa { p: key.p.0.clone(), q: key.q.0.clone(), g: key.g.0.clone(), y: key.y.0.clone() }
        }
        KeyMaterial::TransparentDhPublic(key) => PublicComponents::Dh {
            p: key.p.0.clone(),
            q: key.q.as_ref().map(|number| number.0.clone()),
            g: key.g.0.clone(),
            y: key.y.0.clone(),
        },
        KeyMaterial::TransparentEcPublic(key) => {
            PublicComponents::Ec { curve: key.recommended_curve, q_string: key.q_string.clone() }
        }
        _ => return Err(CryptoError::InvalidKey("it is no public key")),
    };
    PublicKey::from_components(&components)
}

fn write_private(key: &PrivateKey, wanted: Format) -> Result<KeyMaterial, CryptoError> {
    if matches!(wanted, Format::Raw | Format::Pkcs1 | Format::Pkcs8 | Format::EcPrivateKey) {
        return key.to_encoded(wanted).map(KeyMaterial::Bytes);
    }
    let secret = |digits: &Secret| SecretInteger::from_unsigned(digits.expose());
    let number = |digits: &Vec<u8>| BigInteger::from_unsigned(digits);
    let material = match &key.to_components()? {
        PrivateComponents::Rsa {
            modulus,
            private_exponent,
            public_exponent,
            p,
            q,
            prime_exponent_p,
            prime_exponent_q,
            crt_coefficient,
        } => KeyMaterial::TransparentRsaPrivate(Box::new(RsaPrivateKey {
            modulus: number(modulus),
            private_exponent: private_exponent.as_ref().map(secret),
            public_exponent: public_exponent.as_ref().map(number),
            p: p.as_ref().map(secret),
            q: q.as_ref().map(secret),
            prime_exponent_p: prime_exponent_p.as_ref().map(secret),
            prime_exponent_q: prime_exponent_q.as_ref().map(secret),
            crt_coefficient: crt_coefficient.as_ref().map(secret),
        })),
        PrivateComponents::Dsa { p, q, g, x } => KeyMaterial::TransparentDsaPrivate(Box::new(DsaPrivateKey {
            p: number(p),
            q: number(q),
            g: number(g),
            x: secret(x),
        })),
        PrivateComponents::Dh { p, q, g, x } => KeyMaterial::TransparentDhPrivate(Box::new(DhPrivateKey {
            p: number(p),
            q: q.as_ref().map(number),
            g: number(g),
            j: None,
            x: secret(x),
        })),
        PrivateComponents::Ec { curve, d } => {
            KeyMaterial::TransparentEcPrivate(Box::new(EcPrivateKey { recommended_curve: *curve, d: secret(d) }))
        }
    };
    if material.fits(wanted) { Ok(material) } else { Err(CryptoError::Unsupported(wanted.text())) }
}

fn write_public(key: &PublicKey, wanted: Format) -> Result<KeyMaterial, CryptoError> {
    if matches!(wanted, Format::Raw | Format::Pkcs1 | Format::X509) {
        return key.to_encoded(wanted).map(|bytes| KeyMaterial::Bytes(Secret::new(bytes)));
    }
    let number = |digits: &Vec<u8>| BigInteger::from_unsigned(digits);
    let material = match &key.to_components()? {
        PublicComponents::Rsa { modulus, public_exponent } => {
            KeyMaterial::TransparentRsaPublic(Box::new(RsaPublicKey {
                modulus: number(modulus),
                public_exponent: number(public_exponent),
            }))
        }
        PublicComponents::Dsa { p, q, g, y } => KeyMaterial::TransparentDsaPublic(Box::new(DsaPublicKey {
            p: number(p),
            q: number(q),
            g: number(g),
            y: number(y),
        })),
        PublicComponents::Dh { p, q, g, y } => KeyMaterial::TransparentDhPublic(Box::new(DhPublicKey {
            p: number(p),
            q: q.as_ref().map(number),
            g: number(g),
            j: None,
            y: number(y),
        })),
        PublicComponents::Ec { curve, q_string } => KeyMaterial::TransparentEcPublic(Box::new(EcPublicKey {
            recommended_curve: *curve,
            q_string: q_string.clone(),
        })),
    };
    if material.fits(wanted) { Ok(material) } else { Err(CryptoError::Unsupported(wanted.text())) }
}

/// Writes the point of an elliptic curve public key in another way. Only where the point stands by itself, in the
/// Transparent formats: an encoding around it would have to be opened. KMIP 1.4 §9.1.3.2.2.
fn compress(block: &mut KeyBlock, wanted: Compression) -> Result<(), Failure> {
    let Some(KeyValue::Plain { material: KeyMaterial::TransparentEcPublic(key), .. }) = &mut block.value else {
        return Err(Failure::KeyCompression);
    };
    // A point of its own compression, or one that came compressed, is first written out.
    let components = PublicComponents::Ec { curve: key.recommended_curve, q_string: std::mem::take(&mut key.q_string) };
    let whole = PublicKey::from_components(&components).and_then(|key| key.to_components());
    let Ok(PublicComponents::Ec { q_string, .. }) = whole else { return Err(Failure::KeyCompression) };
    key.q_string =
        point::written_as(&q_string, wanted, is_prime_curve(key.recommended_curve)).ok_or(Failure::KeyCompression)?;
    block.compression = Some(wanted);
    Ok(())
}

/// Curves over prime fields, whose points compress to a coordinate and the parity of the other.
fn is_prime_curve(curve: RecommendedCurve) -> bool {
    let name = curve.text();
    ["P-", "SECP", "ANSIX9P", "BRAINPOOL"].iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use kmip::object::{PublicKey as PublicKeyObject, SymmetricKey};

    use super::*;

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
    fn points_are_compressed_and_written_out_again() {
        let as_type = |object, wanted| convert(object, None, Some(wanted), ProtocolVersion::V1_4);
        let short = as_type(generator(), Compression::EcPublicKeyTypeX9_62CompressedPrime).unwrap();
        assert_eq!(q_string(&short), "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
        let long = as_type(short, Compression::EcPublicKeyTypeUncompressed).unwrap();
        assert_eq!(q_string(&long), q_string(&generator()));
        let hybrid = as_type(long, Compression::EcPublicKeyTypeX9_62Hybrid).unwrap();
        assert!(q_string(&hybrid).starts_with("076b17"));
        let char2 = as_type(generator(), Compression::EcPublicKeyTypeX9_62CompressedChar2);
        assert!(matches!(char2, Err(Failure::KeyCompression)));
    }
}
