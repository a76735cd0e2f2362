//! Which key pairs a domain takes: lengths of RSA moduli, and curves. KMIP 1.4 §4.2.

use kmip::registry::{CryptographicAlgorithm, RecommendedCurve};

use crate::algorithm::{AlgorithmPolicy, AlgorithmRefusal, anssi_minimum};

/// A key pair to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairRecipe {
    /// RSA with a modulus of so many bits.
    Rsa(i32),
    /// A key on a curve in Weierstrass form: for ECDSA, ECDH, or either.
    Curve(RecommendedCurve),
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// X25519: agreement on Curve25519.
    X25519,
    /// X448: agreement on Curve448.
    X448,
}

/// A curve that keys are made on.
struct Curve {
    curve: RecommendedCurve,
    /// Cryptographic Length: bits of the field.
    bits: i32,
    /// Whether `anssi` takes it: the curves of its guide, and Edwards' and Montgomery's of the same strength.
    anssi: bool,
}

const fn row(curve: RecommendedCurve, bits: i32, anssi: bool) -> Curve {
    Curve { curve, bits, anssi }
}

/// The curves. Of those with the same length the first is the default.
const CURVES: [Curve; 14] = [
    row(RecommendedCurve::P256, 256, true),
    row(RecommendedCurve::P384, 384, true),
    row(RecommendedCurve::P521, 521, true),
    row(RecommendedCurve::P224, 224, false),
    row(RecommendedCurve::P192, 192, false),
    row(RecommendedCurve::Secp256k1, 256, false),
    row(RecommendedCurve::Brainpoolp256r1, 256, true),
    row(RecommendedCurve::Brainpoolp320r1, 320, true),
    row(RecommendedCurve::Brainpoolp384r1, 384, true),
    row(RecommendedCurve::Brainpoolp512r1, 512, true),
    row(RecommendedCurve::Brainpoolp224r1, 224, false),
    row(RecommendedCurve::Brainpoolp192r1, 192, false),
    row(RecommendedCurve::Curve25519, 256, true),
    row(RecommendedCurve::Curve448, 448, true),
];

/// Lengths of RSA moduli that are made. The HSM makes no longer ones.
const RSA_BITS: [i32; 4] = [1024, 2048, 3072, 4096];
/// The length of an RSA modulus where the client names none: ANSSI asks for 3072 bits beyond 2030.
const DEFAULT_RSA_BITS: i32 = 3072;

impl PairRecipe {
    /// Cryptographic Length in bits.
    #[must_use]
    pub fn length(self) -> i32 {
        match self {
            Self::Rsa(bits) => bits,
            Self::Curve(curve) => CURVES.iter().find(|row| row.curve == curve).map_or(0, |row| row.bits),
            Self::Ed25519 | Self::X25519 => 256,
            Self::Ed448 | Self::X448 => 448,
        }
    }

    /// The curve, for what is on one.
    #[must_use]
    pub const fn curve(self) -> Option<RecommendedCurve> {
        match self {
            Self::Rsa(_) => None,
            Self::Curve(curve) => Some(curve),
            Self::Ed25519 | Self::X25519 => Some(RecommendedCurve::Curve25519),
            Self::Ed448 | Self::X448 => Some(RecommendedCurve::Curve448),
        }
    }
}

/// The pair to be made for `algorithm`: of the given length or on the given curve, which have to agree, or the default.
///
/// # Errors
/// [`AlgorithmRefusal`].
pub fn may_create_pair(
    policy: AlgorithmPolicy,
    algorithm: CryptographicAlgorithm,
    length: Option<i32>,
    curve: Option<RecommendedCurve>,
) -> Result<PairRecipe, AlgorithmRefusal> {
    use CryptographicAlgorithm as A;
    let recipe = match algorithm {
        A::Rsa => rsa(policy, length.unwrap_or(DEFAULT_RSA_BITS))?,
        A::Ec | A::Ecdsa | A::Ecdh => {
            let row = find(algorithm, length, curve)?;
            if policy == AlgorithmPolicy::Anssi && !row.anssi {
                return Err(AlgorithmRefusal::PolicyCurve(row.curve));
            }
            match (row.curve, algorithm) {
                (RecommendedCurve::Curve25519, A::Ecdh) => PairRecipe::X25519,
                (RecommendedCurve::Curve448, A::Ecdh) => PairRecipe::X448,
                // Which of the two forms of the curve is meant, a bare EC does not say.
                (curve @ (RecommendedCurve::Curve25519 | RecommendedCurve::Curve448), _) => {
                    return Err(AlgorithmRefusal::Curve { algorithm, curve });
                }
                (curve, _) => PairRecipe::Curve(curve),
            }
        }
        A::Ed25519 => edwards(PairRecipe::Ed25519, algorithm, curve)?,
        A::Ed448 => edwards(PairRecipe::Ed448, algorithm, curve)?,
        _ => return Err(AlgorithmRefusal::NoPairs(algorithm)),
    };
    match length {
        Some(length) if length != recipe.length() => Err(AlgorithmRefusal::Length { algorithm, length }),
        _ => Ok(recipe),
    }
}

/// May a key on this curve that somebody else made be registered? `legacy` takes every curve.
///
/// # Errors
/// [`AlgorithmRefusal::PolicyCurve`].
pub fn may_register_on(policy: AlgorithmPolicy, curve: RecommendedCurve) -> Result<(), AlgorithmRefusal> {
    let is_strong = || CURVES.iter().any(|row| row.curve == curve && row.anssi);
    if policy == AlgorithmPolicy::Legacy || is_strong() { Ok(()) } else { Err(AlgorithmRefusal::PolicyCurve(curve)) }
}

/// May an RSA key with a public exponent of so many bits that somebody else made be registered? ANSSI asks for exponents
/// above 65536, that is, of 17 bits at least.
///
/// # Errors
/// [`AlgorithmRefusal::PolicyExponent`].
pub fn may_register_exponent(policy: AlgorithmPolicy, bits: i32) -> Result<(), AlgorithmRefusal> {
    if policy == AlgorithmPolicy::Anssi && bits < ANSSI_EXPONENT_BITS {
        return Err(AlgorithmRefusal::PolicyExponent(bits));
    }
    Ok(())
}

/// Bits of the shortest public exponent of an RSA key that ANSSI accepts.
const ANSSI_EXPONENT_BITS: i32 = 17;

fn rsa(policy: AlgorithmPolicy, length: i32) -> Result<PairRecipe, AlgorithmRefusal> {
    let algorithm = CryptographicAlgorithm::Rsa;
    if !RSA_BITS.contains(&length) {
        return Err(AlgorithmRefusal::Length { algorithm, length });
    }
    let minimum = anssi_minimum(algorithm).unwrap_or(i32::MAX);
    if policy == AlgorithmPolicy::Anssi && length < minimum {
        return Err(AlgorithmRefusal::PolicyLength { algorithm, length });
    }
    Ok(PairRecipe::Rsa(length))
}

fn find(
    algorithm: CryptographicAlgorithm,
    length: Option<i32>,
    curve: Option<RecommendedCurve>,
) -> Result<&'static Curve, AlgorithmRefusal> {
    match (curve, length) {
        (Some(curve), _) => {
            CURVES.iter().find(|row| row.curve == curve).ok_or(AlgorithmRefusal::Curve { algorithm, curve })
        }
        (None, Some(length)) => {
            CURVES.iter().find(|row| row.bits == length).ok_or(AlgorithmRefusal::Length { algorithm, length })
        }
        (None, None) => CURVES.first().ok_or(AlgorithmRefusal::NoPairs(algorithm)),
    }
}

fn edwards(
    recipe: PairRecipe,
    algorithm: CryptographicAlgorithm,
    curve: Option<RecommendedCurve>,
) -> Result<PairRecipe, AlgorithmRefusal> {
    match curve {
        Some(curve) if Some(curve) != recipe.curve() => Err(AlgorithmRefusal::Curve { algorithm, curve }),
        _ => Ok(recipe),
    }
}

#[cfg(test)]
mod tests {
    use CryptographicAlgorithm as A;

    use super::*;

    #[test]
    fn both_policies_make_the_pairs_of_today() {
        for policy in AlgorithmPolicy::ALL {
            let pair = |algorithm, length, curve| may_create_pair(policy, algorithm, length, curve);
            assert_eq!(pair(A::Rsa, Some(2048), None), Ok(PairRecipe::Rsa(2048)));
            assert_eq!(pair(A::Rsa, None, None), Ok(PairRecipe::Rsa(3072)));
            assert_eq!(pair(A::Ecdsa, Some(384), None), Ok(PairRecipe::Curve(RecommendedCurve::P384)));
            assert_eq!(pair(A::Ec, None, None), Ok(PairRecipe::Curve(RecommendedCurve::P256)));
            assert_eq!(pair(A::Ed25519, None, None), Ok(PairRecipe::Ed25519));
            assert_eq!(pair(A::Ecdh, None, Some(RecommendedCurve::Curve25519)), Ok(PairRecipe::X25519));
        }
    }

    #[test]
    fn anssi_refuses_short_moduli_and_curves_that_its_guide_does_not_name() {
        let anssi = |algorithm, length, curve| may_create_pair(AlgorithmPolicy::Anssi, algorithm, length, curve);
        let short = AlgorithmRefusal::PolicyLength { algorithm: A::Rsa, length: 1024 };
        assert_eq!(anssi(A::Rsa, Some(1024), None), Err(short));
        assert_eq!(may_create_pair(AlgorithmPolicy::Legacy, A::Rsa, Some(1024), None), Ok(PairRecipe::Rsa(1024)));
        for curve in [RecommendedCurve::P192, RecommendedCurve::P224, RecommendedCurve::Secp256k1] {
            assert_eq!(anssi(A::Ec, None, Some(curve)), Err(AlgorithmRefusal::PolicyCurve(curve)));
            assert!(may_create_pair(AlgorithmPolicy::Legacy, A::Ec, None, Some(curve)).is_ok());
        }
    }

    #[test]
    fn what_anssi_does_not_make_it_does_not_register() {
        for row in &CURVES {
            let curve = row.curve;
            assert_eq!(may_register_on(AlgorithmPolicy::Anssi, curve).is_ok(), row.anssi, "{curve:?}");
            assert_eq!(may_register_on(AlgorithmPolicy::Legacy, curve), Ok(()));
        }
        // Longer than its minimum for curves, and still none of its guide.
        let binary = RecommendedCurve::K283;
        assert_eq!(may_register_on(AlgorithmPolicy::Anssi, binary), Err(AlgorithmRefusal::PolicyCurve(binary)));
        assert_eq!(may_register_exponent(AlgorithmPolicy::Anssi, 17), Ok(()));
        assert_eq!(may_register_exponent(AlgorithmPolicy::Anssi, 16), Err(AlgorithmRefusal::PolicyExponent(16)));
        assert_eq!(may_register_exponent(AlgorithmPolicy::Legacy, 2), Ok(()));
    }

    #[test]
    fn length_and_curve_agree() {
        let pair = |length, curve| may_create_pair(AlgorithmPolicy::Legacy, A::Ec, length, Some(curve));
        assert!(pair(Some(256), RecommendedCurve::Secp256k1).is_ok());
        let other = AlgorithmRefusal::Length { algorithm: A::Ec, length: 384 };
        assert_eq!(pair(Some(384), RecommendedCurve::P256), Err(other));
        assert!(pair(None, RecommendedCurve::Secp112r1).is_err());
        assert!(may_create_pair(AlgorithmPolicy::Legacy, A::Rsa, Some(2050), None).is_err());
        assert!(may_create_pair(AlgorithmPolicy::Legacy, A::Aes, None, None).is_err());
    }
}
