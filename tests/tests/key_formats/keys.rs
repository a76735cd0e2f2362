//! Known pairs of keys in every format that one of them has, as OpenSSL wrote them. KMIP 1.4 §2.1.7, §9.1.3.2.3, 2.1 §3.4
//! to §3.12, §11.22.
//!
//! What has no encoding of its own, raw keys and the numbers of the Transparent formats, is taken out of the encodings
//! by [`leaves`], which knows nothing of keys.

use kmip::attribute::{AttributeValue, CryptographicDomainParameters};
use kmip::object::{
    DhPrivateKey, DhPublicKey, DsaPrivateKey, DsaPublicKey, EcPrivateKey, EcPublicKey, KeyBlock, KeyMaterial,
    ManagedObject, RsaPrivateKey, RsaPublicKey, SecretInteger,
};
use kmip::payload::RegisterRequest;
use kmip::registry::{CryptographicAlgorithm, KeyFormatType as Format, ObjectType, RecommendedCurve, UsageMask};
use kmip::ttlv::{BigInteger, DateTime};
use secret::Secret;

macro_rules! vector {
    ($name:literal) => {
        include_bytes!(concat!("../../vectors/key_formats/", $name)).as_slice()
    };
}

/// A known key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Aes,
    Rsa,
    P256,
    Ed25519,
    X25519,
    Dsa,
    Dh,
}

/// FIPS 197 §C.3.
pub(crate) const AES_KEY: [u8; 32] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
    31,
];

impl Key {
    pub(crate) const ALL: [Self; 7] =
        [Self::Aes, Self::Rsa, Self::P256, Self::Ed25519, Self::X25519, Self::Dsa, Self::Dh];

    /// The objects that it is.
    pub(crate) const fn object_types(self) -> &'static [ObjectType] {
        match self {
            Self::Aes => &[ObjectType::SymmetricKey],
            _ => &[ObjectType::PrivateKey, ObjectType::PublicKey],
        }
    }

    const fn says(self) -> (CryptographicAlgorithm, i32, Option<RecommendedCurve>) {
        use CryptographicAlgorithm as A;
        match self {
            Self::Aes => (A::Aes, 256, None),
            Self::Rsa => (A::Rsa, 3072, None),
            Self::P256 => (A::Ecdsa, 256, Some(RecommendedCurve::P256)),
            Self::Ed25519 => (A::Ed25519, 256, Some(RecommendedCurve::Curve25519)),
            Self::X25519 => (A::Ecdh, 256, Some(RecommendedCurve::Curve25519)),
            Self::Dsa => (A::Dsa, 2048, None),
            Self::Dh => (A::Dh, 2048, None),
        }
    }

    const fn mask(self, object_type: ObjectType) -> UsageMask {
        match (self, object_type) {
            (Self::Aes, _) => UsageMask::ENCRYPT,
            (Self::X25519 | Self::Dh, _) => UsageMask::DERIVE_KEY,
            (_, ObjectType::PrivateKey) => UsageMask::SIGN,
            _ => UsageMask::VERIFY,
        }
    }

    /// The key as an object in `format`; `None` where it has no such format.
    pub(crate) fn object(self, object_type: ObjectType, format: Format) -> Option<ManagedObject> {
        let material = self.written(object_type == ObjectType::PrivateKey, format)?;
        let (algorithm, length, _) = self.says();
        let block = KeyBlock::new(format, material, Some(algorithm), Some(length));
        Some(ManagedObject::from_key_block(object_type, block).unwrap())
    }

    /// The Register of [`Key::object`], active at once.
    pub(crate) fn register(self, object_type: ObjectType, format: Format) -> Option<RegisterRequest> {
        let mut attributes = vec![
            AttributeValue::CryptographicUsageMask(self.mask(object_type)),
            AttributeValue::ActivationDate(DateTime(1)),
        ];
        if let Some(curve) = self.says().2 {
            let parameters = CryptographicDomainParameters { recommended_curve: Some(curve), ..Default::default() };
            attributes.push(AttributeValue::CryptographicDomainParameters(parameters));
        }
        Some(RegisterRequest::new(self.object(object_type, format)?, attributes))
    }

    /// Without a wildcard over the formats: a new one has to be said something of.
    fn written(self, private: bool, format: Format) -> Option<KeyMaterial> {
        match format {
            Format::Raw => self.raw(private).map(bytes),
            Format::TransparentSymmetricKey => {
                (self == Self::Aes).then(|| KeyMaterial::TransparentSymmetric(Secret::copy_from(&AES_KEY)))
            }
            Format::Pkcs1 => match (self, private) {
                (Self::Rsa, true) => Some(bytes(vector!("rsa.pkcs1"))),
                (Self::Rsa, false) => Some(bytes(vector!("rsa.public-pkcs1"))),
                _ => None,
            },
            Format::Pkcs8 => self.pair().filter(|_| private).map(|(pkcs8, _)| bytes(pkcs8)),
            Format::X509 => self.pair().filter(|_| !private).map(|(_, spki)| bytes(spki)),
            Format::EcPrivateKey => (self == Self::P256 && private).then(|| bytes(vector!("p256.sec1"))),
            Format::TransparentDsaPrivateKey => (self == Self::Dsa && private).then(dsa_private),
            Format::TransparentDsaPublicKey => (self == Self::Dsa && !private).then(dsa_public),
            Format::TransparentRsaPrivateKey => (self == Self::Rsa && private).then(rsa_private),
            Format::TransparentRsaPublicKey => (self == Self::Rsa && !private).then(rsa_public),
            Format::TransparentDhPrivateKey => (self == Self::Dh && private).then(dh_private),
            Format::TransparentDhPublicKey => (self == Self::Dh && !private).then(dh_public),
            Format::TransparentEcPrivateKey
            | Format::TransparentEcdsaPrivateKey
            | Format::TransparentEcdhPrivateKey
            | Format::TransparentEcmqvPrivateKey => (self == Self::P256 && private).then(|| {
                let d = SecretInteger::from_unsigned(self.raw(true).unwrap());
                KeyMaterial::TransparentEcPrivate(Box::new(EcPrivateKey {
                    recommended_curve: RecommendedCurve::P256,
                    d,
                }))
            }),
            Format::TransparentEcPublicKey
            | Format::TransparentEcdsaPublicKey
            | Format::TransparentEcdhPublicKey
            | Format::TransparentEcmqvPublicKey => (self == Self::P256 && !private).then(|| {
                let q_string = self.raw(false).unwrap().to_vec();
                KeyMaterial::TransparentEcPublic(Box::new(EcPublicKey {
                    recommended_curve: RecommendedCurve::P256,
                    q_string,
                }))
            }),
            // An opaque encoding is nobody's but the client's; a PKCS#12 file is taken apart when it is registered and
            // needs a password; a PKCS#10 request is an object of its own.
            Format::Opaque | Format::Pkcs12 | Format::Pkcs10 => None,
        }
    }

    /// PKCS#8 and SubjectPublicKeyInfo.
    fn pair(self) -> Option<(&'static [u8], &'static [u8])> {
        match self {
            Self::Aes => None,
            Self::Rsa => Some((vector!("rsa.pkcs8"), vector!("rsa.spki"))),
            Self::P256 => Some((vector!("p256.pkcs8"), vector!("p256.spki"))),
            Self::Ed25519 => Some((vector!("ed25519.pkcs8"), vector!("ed25519.spki"))),
            Self::X25519 => Some((vector!("x25519.pkcs8"), vector!("x25519.spki"))),
            Self::Dsa => Some((vector!("dsa.pkcs8"), vector!("dsa.spki"))),
            Self::Dh => Some((vector!("dh.pkcs8"), vector!("dh.spki"))),
        }
    }

    /// The key alone: of RSA, DSA and DH it is several numbers, which have no such form.
    fn raw(self, private: bool) -> Option<&'static [u8]> {
        match (self, private) {
            (Self::Aes, _) => Some(&AES_KEY),
            (Self::P256, true) => Some(leaves(vector!("p256.sec1"))[1]),
            (Self::P256, false) => Some(of_bits(leaves(vector!("p256.sec1"))[3])),
            // An Octet String inside the Octet String of PKCS#8.
            (Self::Ed25519 | Self::X25519, true) => Some(leaves(leaves(self.pair()?.0)[2])[0]),
            (Self::Ed25519 | Self::X25519, false) => Some(of_bits(leaves(self.pair()?.1)[1])),
            (Self::Rsa | Self::Dsa | Self::Dh, _) => None,
        }
    }

    /// What the key made of "Test", or agrees on with its own other half, when OpenSSL used it.
    pub(crate) fn known_answer(self) -> &'static [u8] {
        match self {
            // FIPS 197 §C.3.
            Self::Aes => {
                &[0x8e, 0xa2, 0xb7, 0xca, 0x51, 0x67, 0x45, 0xbf, 0xea, 0xfc, 0x49, 0x90, 0x4b, 0x49, 0x60, 0x89]
            }
            Self::Rsa => vector!("rsa.signature"),
            Self::P256 => vector!("p256.signature"),
            Self::Ed25519 => vector!("ed25519.signature"),
            Self::X25519 => vector!("x25519.secret"),
            Self::Dsa => vector!("dsa.signature"),
            Self::Dh => vector!("dh.secret"),
        }
    }
}

fn bytes(bytes: &[u8]) -> KeyMaterial {
    KeyMaterial::Bytes(Secret::copy_from(bytes))
}

/// The values of all primitive elements of some DER, in their order.
fn leaves(mut der: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while let Some((tag, rest)) = der.split_first() {
        let (len, rest) = match rest[0] {
            short @ 0..=0x7f => (usize::from(short), &rest[1..]),
            long => {
                let digits = usize::from(long & 0x7f);
                let len = rest[1..=digits].iter().fold(0, |len, digit| len << 8 | usize::from(*digit));
                (len, &rest[1 + digits..])
            }
        };
        let (value, behind) = rest.split_at(len);
        if tag & 0x20 == 0 {
            found.push(value)
        } else {
            found.extend(leaves(value))
        }
        der = behind;
    }
    found
}

/// The octets of a Bit String, which begins with the number of unused bits.
fn of_bits(value: &[u8]) -> &[u8] {
    &value[1..]
}

fn number(digits: &[u8]) -> BigInteger {
    BigInteger::from_unsigned(digits)
}

fn secret(digits: &[u8]) -> SecretInteger {
    SecretInteger::from_unsigned(digits)
}

/// q of a safe prime p = 2q + 1, which the groups of RFC 7919 have.
fn half(p: &[u8]) -> BigInteger {
    let above = std::iter::once(0).chain(p.iter().copied());
    let digits: Vec<u8> = p.iter().zip(above).map(|(digit, above)| digit >> 1 | above << 7).collect();
    number(&digits)
}

fn rsa_private() -> KeyMaterial {
    let numbers = leaves(vector!("rsa.pkcs1"));
    KeyMaterial::TransparentRsaPrivate(Box::new(RsaPrivateKey {
        modulus: number(numbers[1]),
        public_exponent: Some(number(numbers[2])),
        private_exponent: Some(secret(numbers[3])),
        p: Some(secret(numbers[4])),
        q: Some(secret(numbers[5])),
        prime_exponent_p: Some(secret(numbers[6])),
        prime_exponent_q: Some(secret(numbers[7])),
        crt_coefficient: Some(secret(numbers[8])),
    }))
}

fn rsa_public() -> KeyMaterial {
    let numbers = leaves(vector!("rsa.public-pkcs1"));
    let key = RsaPublicKey { modulus: number(numbers[0]), public_exponent: number(numbers[1]) };
    KeyMaterial::TransparentRsaPublic(Box::new(key))
}

fn dsa_private() -> KeyMaterial {
    let parts = leaves(vector!("dsa.pkcs8"));
    let [p, q, g] = [parts[2], parts[3], parts[4]].map(number);
    KeyMaterial::TransparentDsaPrivate(Box::new(DsaPrivateKey { p, q, g, x: secret(leaves(parts[5])[0]) }))
}

fn dsa_public() -> KeyMaterial {
    let parts = leaves(vector!("dsa.spki"));
    let [p, q, g] = [parts[1], parts[2], parts[3]].map(number);
    KeyMaterial::TransparentDsaPublic(Box::new(DsaPublicKey { p, q, g, y: number(leaves(of_bits(parts[4]))[0]) }))
}

fn dh_private() -> KeyMaterial {
    let parts = leaves(vector!("dh.pkcs8"));
    let (p, g, x) = (number(parts[2]), number(parts[3]), secret(leaves(parts[4])[0]));
    KeyMaterial::TransparentDhPrivate(Box::new(DhPrivateKey { p, q: Some(half(parts[2])), g, j: None, x }))
}

fn dh_public() -> KeyMaterial {
    let parts = leaves(vector!("dh.spki"));
    let (p, g, y) = (number(parts[1]), number(parts[2]), number(leaves(of_bits(parts[3]))[0]));
    KeyMaterial::TransparentDhPublic(Box::new(DhPublicKey { p, q: Some(half(parts[1])), g, j: None, y }))
}
