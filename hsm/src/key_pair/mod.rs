//! Key pairs made inside an HSM: which ones there are, how they are asked for, what comes back.
//!
//! ```text
//!  birth      C_GenerateKeyPair ─► session objects ─► C_WrapKey under a one-time key ─► destroyed
//!  transport                                                │ opened in this process
//!  rsa, curve                                               ▼
//!             do the halves belong together? ─► PKCS #8 in a `Secret`, SubjectPublicKeyInfo
//! ```
//! No half is ever a token object, no one-time key wraps twice, and no pair is returned that was not checked: a member
//! whose halves do not fit is given up, and the next one makes the pair.

mod birth;
mod curve;
mod rsa;
mod transport;

use pkcs8::AssociatedOid;
use pkcs8::der::Encode;
use secret::{Secret, wiped_after};

use crate::error::{Fault, HsmError, Kind};
use crate::group::Group;
use crate::lane::Lane;
use crate::limits::{MAX_RSA_BITS, MIN_RSA_BITS, MIN_RSA_EXPONENT, RSA_BITS_STEP};
use crate::status::Service;
use crate::workers::Queue;

pub(crate) use birth::{Newborn, bear};
pub(crate) use curve::bare_point;

/// A key pair made inside an HSM. Nothing of it is left there.
#[derive(Debug)]
pub struct GeneratedKeyPair {
    /// PKCS #8 version 1 in DER (RFC 5208): an `RSAPrivateKey` (RFC 8017), or an `ECPrivateKey` without parameters and
    /// with its public key (RFC 5915).
    pub private_key: Secret,
    /// SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7). A point of a curve in it is uncompressed.
    pub public_key: Vec<u8>,
    /// The label of the member that made it.
    pub member: String,
}

/// A curve on which an HSM makes key pairs for ECDSA and ECDH.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EcCurve {
    /// NIST P-256, secp256r1.
    P256,
    /// NIST P-384, secp384r1.
    P384,
    /// NIST P-521, secp521r1.
    P521,
    /// SEC 2 secp256k1.
    Secp256k1,
}

impl EcCurve {
    /// Every curve.
    pub const ALL: [Self; 4] = [Self::P256, Self::P384, Self::P521, Self::Secp256k1];

    /// The curve's name as `CKA_EC_PARAMS` carries it: an OBJECT IDENTIFIER in DER.
    fn parameters(self) -> Result<Vec<u8>, Fault> {
        let name = match self {
            Self::P256 => p256::NistP256::OID,
            Self::P384 => p384::NistP384::OID,
            Self::P521 => p521::NistP521::OID,
            Self::Secp256k1 => k256::Secp256k1::OID,
        };
        // Kept total: a constant of a library that could not be encoded is no reason to panic.
        name.to_der().map_err(|error| Fault::new(Kind::Refused, "name a curve", error.to_string()))
    }
}

/// Which key pair is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recipe {
    Rsa { bits: u32, exponent: u32 },
    Ec(EcCurve),
}

impl Recipe {
    /// Whose workers make it.
    fn queue(self) -> Queue {
        match self {
            Self::Rsa { .. } => Queue::RsaPairs,
            Self::Ec(_) => Queue::CurvePairs,
        }
    }

    fn doing(self) -> &'static str {
        match self {
            Self::Rsa { .. } => "make an RSA key pair",
            Self::Ec(_) => "make an EC key pair",
        }
    }

    /// The halves in their standard forms, private half first, if they belong together and are what was asked for.
    ///
    /// # Errors
    /// A member fault: a module that gives halves which do not fit is not well.
    pub fn checked(self, newborn: &Newborn) -> Result<(Secret, Vec<u8>), Fault> {
        let checked = wiped_after(|| match (self, &newborn.public) {
            (Self::Rsa { bits, exponent }, birth::Public::Rsa { modulus, exponent: given }) => {
                rsa::checked(&newborn.private, modulus, given, bits, exponent)
            }
            (Self::Ec(curve), birth::Public::Point(point)) => curve::checked(curve, &newborn.private, point),
            _ => Err("the public half is of another kind"),
        });
        checked.map_err(|what| Fault::new(Kind::Member, self.doing(), what))
    }
}

impl Group {
    /// Makes an RSA key pair with two primes inside an HSM. `bits` is the length of the modulus: 1024 to 4096, a
    /// multiple of 16. `public_exponent` is odd and at least 65537 (FIPS 186-5 §A.1.1). Which lengths are strong enough
    /// is for the caller to say.
    ///
    /// Of the members that are up, the one with the fewest RSA pairs in hand makes it, the first of them where that is
    /// equal. Sealing and opening have workers of their own and go on meanwhile. A pair may take `pair_deadline`
    /// per member, the wait for others before it included; a member that misses it is not given up for that.
    ///
    /// # Errors
    /// [`HsmError::Limit`]; [`HsmError::Busy`] where every member has as many pairs in hand as it may;
    /// [`HsmError::Unsupported`] where the members are well and refuse; the availability errors of [`Group`].
    pub async fn generate_rsa_key_pair(&self, bits: u32, public_exponent: u32) -> Result<GeneratedKeyPair, HsmError> {
        if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) || !bits.is_multiple_of(RSA_BITS_STEP) {
            return Err(HsmError::Limit(format!(
                "an RSA modulus of {bits} bits; {MIN_RSA_BITS} to {MAX_RSA_BITS} in steps of {RSA_BITS_STEP} are allowed"
            )));
        }
        if public_exponent < MIN_RSA_EXPONENT || public_exponent.is_multiple_of(2) {
            return Err(HsmError::Limit(format!(
                "an RSA public exponent of {public_exponent}; odd ones from {MIN_RSA_EXPONENT} are allowed"
            )));
        }
        self.key_pair(Recipe::Rsa { bits, exponent: public_exponent }).await
    }

    /// Makes a key pair on `curve` inside an HSM. As [`Group::generate_rsa_key_pair`], with workers and a bound of its
    /// own, so that it does not wait for RSA pairs.
    ///
    /// # Errors
    /// Those of [`Group::generate_rsa_key_pair`].
    pub async fn generate_ec_key_pair(&self, curve: EcCurve) -> Result<GeneratedKeyPair, HsmError> {
        self.key_pair(Recipe::Ec(curve)).await
    }

    async fn key_pair(&self, recipe: Recipe) -> Result<GeneratedKeyPair, HsmError> {
        let attempt = || move |lane: &mut Lane| lane.key_pair(recipe);
        let (member, (private_key, public_key)) = self.on_freest(recipe.queue(), Service::KeyPair, attempt).await?;
        Ok(GeneratedKeyPair { private_key, public_key, member: member.label().into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorClass, GroupConfig, MemberConfig, Vendor, support};

    #[tokio::test(flavor = "multi_thread")]
    async fn what_the_devices_do_not_offer_is_unsupported_and_stops_nobody() {
        let rig = support::Rig::new();
        rig.hold().unwrap();
        let member = |label: &str| MemberConfig {
            label: label.into(),
            module: rig.member(label, "1").module,
            pin_file: rig.member(label, "1").pin_file,
            vendor: Vendor::SoftHsm,
        };
        let mut config = GroupConfig::new(support::LABELS.map(member).into());
        // The machine of a test may be slow.
        config.call_deadline = std::time::Duration::from_secs(60);
        config.open_deadline = config.call_deadline;
        let group = Group::open(config, None).await.unwrap();
        // SoftHSM answers a general error, as it does for a token that has vanished: the Root of Trust tells which it is.
        let refused = group.key_pair(Recipe::Rsa { bits: 64, exponent: 65_537 }).await.unwrap_err();
        assert_eq!(refused.class(), ErrorClass::Unsupported, "{refused}");
        assert!(matches!(&refused, HsmError::Unsupported { reasons, .. } if reasons.len() == 3), "{refused}");
        group.generate_ec_key_pair(EcCurve::P256).await.unwrap();
        for member in group.status() {
            assert!(member.up && member.failed == 0 && member.epochs == 1, "{member:?}");
        }
        group.close().await;
    }
}
