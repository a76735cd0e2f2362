//! Elliptic curves: KMIP's Recommended Curve and OpenSSL's names. KMIP 1.4 §9.1.3.2.5.

use kmip::registry::RecommendedCurve as Curve;
use openssl::ec::{Asn1Flag, EcGroup};
use openssl::nid::Nid;

use crate::CryptoError;
use crate::library::Checked;

/// Every curve with a group of its own that OpenSSL knows. The X9.62 curves over binary fields that nobody ever used are
/// left out, as are groups below 160 bits, which OpenSSL has only as broken examples.
const CURVES: &[(Curve, Nid)] = &[
    (Curve::P192, Nid::X9_62_PRIME192V1),
    (Curve::K163, Nid::SECT163K1),
    (Curve::B163, Nid::SECT163R2),
    (Curve::P224, Nid::SECP224R1),
    (Curve::K233, Nid::SECT233K1),
    (Curve::B233, Nid::SECT233R1),
    (Curve::P256, Nid::X9_62_PRIME256V1),
    (Curve::K283, Nid::SECT283K1),
    (Curve::B283, Nid::SECT283R1),
    (Curve::P384, Nid::SECP384R1),
    (Curve::K409, Nid::SECT409K1),
    (Curve::B409, Nid::SECT409R1),
    (Curve::P521, Nid::SECP521R1),
    (Curve::K571, Nid::SECT571K1),
    (Curve::B571, Nid::SECT571R1),
    (Curve::Secp160k1, Nid::SECP160K1),
    (Curve::Secp160r1, Nid::SECP160R1),
    (Curve::Secp160r2, Nid::SECP160R2),
    (Curve::Secp192k1, Nid::SECP192K1),
    (Curve::Secp224k1, Nid::SECP224K1),
    (Curve::Secp256k1, Nid::SECP256K1),
    (Curve::Ansix9p192v2, Nid::X9_62_PRIME192V2),
    (Curve::Ansix9p192v3, Nid::X9_62_PRIME192V3),
    (Curve::Ansix9p239v1, Nid::X9_62_PRIME239V1),
    (Curve::Ansix9p239v2, Nid::X9_62_PRIME239V2),
    (Curve::Ansix9p239v3, Nid::X9_62_PRIME239V3),
    (Curve::Brainpoolp192r1, Nid::BRAINPOOL_P192R1),
    (Curve::Brainpoolp192t1, Nid::BRAINPOOL_P192T1),
    (Curve::Brainpoolp224r1, Nid::BRAINPOOL_P224R1),
    (Curve::Brainpoolp224t1, Nid::BRAINPOOL_P224T1),
    (Curve::Brainpoolp256r1, Nid::BRAINPOOL_P256R1),
    (Curve::Brainpoolp256t1, Nid::BRAINPOOL_P256T1),
    (Curve::Brainpoolp320r1, Nid::BRAINPOOL_P320R1),
    (Curve::Brainpoolp320t1, Nid::BRAINPOOL_P320T1),
    (Curve::Brainpoolp384r1, Nid::BRAINPOOL_P384R1),
    (Curve::Brainpoolp384t1, Nid::BRAINPOOL_P384T1),
    (Curve::Brainpoolp512r1, Nid::BRAINPOOL_P512R1),
    (Curve::Brainpoolp512t1, Nid::BRAINPOOL_P512T1),
];

/// The group of a curve, always encoded by its name.
pub(crate) fn group(curve: Curve) -> Result<EcGroup, CryptoError> {
    let refused = CryptoError::Unsupported(curve.text());
    let (_, nid) = CURVES.iter().find(|(of, _)| *of == curve).ok_or(refused)?;
    let mut group = EcGroup::from_curve_name(*nid).or_refuse(refused)?;
    group.set_asn1_flag(Asn1Flag::NAMED_CURVE);
    Ok(group)
}

/// The curve of OpenSSL's name.
pub(crate) fn of_nid(nid: Nid) -> Option<Curve> {
    CURVES.iter().find_map(|(curve, of)| (*of == nid).then_some(*curve))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_has_every_curve_of_the_table() {
        for (curve, nid) in CURVES {
            let group = group(*curve).unwrap();
            assert_eq!(group.curve_name(), Some(*nid));
            assert_eq!(of_nid(*nid), Some(*curve));
        }
    }

    #[test]
    fn curves_without_a_group_are_refused_by_name() {
        assert!(matches!(group(Curve::Secp112r1), Err(CryptoError::Unsupported("SECP112R1"))));
        assert!(matches!(group(Curve::Curve25519), Err(CryptoError::Unsupported("CURVE25519"))));
    }
}
