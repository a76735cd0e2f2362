//! The life of a key pair inside a module: born as session objects, the private half wrapped out under a one-time key,
//! all of it destroyed.

use cryptoki::mechanism::vendor_defined::{CKM_VENDOR_DEFINED, VendorDefinedMechanism};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, ObjectHandle};
use cryptoki::session::Session;
use secret::{Secret, wiped_after};
use zeroize::Zeroize;

use super::{Recipe, transport};
use crate::config::Vendor;
use crate::error::{Doing, Fault, Kind, is_unknown_mechanism};
use crate::template;

/// Bytes of a one-time key: AES-256.
const ONE_TIME_KEY_LEN: usize = 32;
/// AES key wrap with padding (RFC 5649) as Luna numbers it.
const LUNA_AES_KWP: u64 = CKM_VENDOR_DEFINED | 0x171;

/// The halves as they left the module.
pub(crate) struct Newborn {
    /// PKCS #8 as the module writes it.
    pub private: Secret,
    pub public: Public,
}

/// The attributes of a public half.
pub(crate) enum Public {
    /// Both big endian.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    /// `CKA_EC_POINT`, see `bare_point`.
    Point(Vec<u8>),
}

#[cfg(feature = "fault")]
impl Newborn {
    /// With another public half, if garbage is set.
    pub fn garbled(mut self, fault: &crate::fault::MemberSwitch) -> Self {
        match &mut self.public {
            Public::Rsa { modulus: bytes, .. } | Public::Point(bytes) => *bytes = fault.garble_bytes(bytes),
        }
        self
    }
}

/// Makes a pair and carries it out. Whatever comes of it, nothing is left in the session.
///
/// # Errors
/// What the module says. Where an object could not be destroyed, a member fault: a private key that could still be
/// wrapped must not stay, so the whole epoch has to go.
pub(crate) fn bear(session: &Session, recipe: Recipe, vendor: Vendor) -> Result<Newborn, Fault> {
    bear_with(session, recipe, &wrappings(vendor, recipe.doing())?)
}

fn bear_with(session: &Session, recipe: Recipe, mechanisms: &[Mechanism<'_>]) -> Result<Newborn, Fault> {
    let doing = recipe.doing();
    let (public, private) = templates(recipe)?;
    let (public, private) = session.generate_key_pair(&generation(recipe), &public, &private).offered(doing)?;
    let newborn = read_public(session, recipe, public).and_then(|public| {
        let (one_time, wrapped) = wrap_out(session, mechanisms, private, doing)?;
        let private = wiped_after(|| transport::unwrap(&one_time, &wrapped))
            .ok_or_else(|| Fault::new(Kind::Member, doing, "what was wrapped under the one-time key does not open"))?;
        Ok(Newborn { private, public })
    });
    // Both are tried before either fault counts.
    let destroyed = [private, public].map(|half| session.destroy_object(half));
    for half in destroyed {
        half.doing("destroy a newborn key pair").map_err(|fault| fault.settled(Kind::Member))?;
    }
    newborn
}

/// Draws a one-time key, wraps the private half under it, destroys it in the module: the key and what it wrapped.
fn wrap_out(
    session: &Session,
    mechanisms: &[Mechanism<'_>],
    private: ObjectHandle,
    doing: &'static str,
) -> Result<(Secret, Vec<u8>), Fault> {
    let one_time = Secret::filled_by(ONE_TIME_KEY_LEN, |bytes| session.generate_random_slice(bytes))
        .doing("draw a one-time key")?;
    let wrapping_key = import_one_time(session, &one_time, mechanisms)?;
    let wrapped = wrap(session, mechanisms, wrapping_key, private, doing);
    session
        .destroy_object(wrapping_key)
        .doing("destroy a one-time key")
        .map_err(|fault| fault.settled(Kind::Member))?;
    Ok((one_time, wrapped?))
}

/// Wraps by the first mechanism that the module knows.
fn wrap(
    session: &Session,
    mechanisms: &[Mechanism<'_>],
    wrapping_key: ObjectHandle,
    private: ObjectHandle,
    doing: &'static str,
) -> Result<Vec<u8>, Fault> {
    let mut last = Fault::new(Kind::Refused, doing, "no mechanism wraps a private key");
    for mechanism in mechanisms {
        match session.wrap_key(mechanism, wrapping_key, private) {
            Ok(wrapped) => return Ok(wrapped),
            Err(error) => {
                let go_on = is_unknown_mechanism(&error);
                last = Err::<(), _>(error).offered(doing).err().unwrap_or(last);
                if !go_on {
                    break;
                }
            }
        }
    }
    Err(last)
}

/// How the module wraps a key of any length, in the order in which it is tried.
fn wrappings(vendor: Vendor, doing: &'static str) -> Result<Vec<Mechanism<'static>>, Fault> {
    match vendor {
        // RFC 5649 under the name of another mechanism.
        Vendor::SoftHsm => Ok(vec![Mechanism::AesKeyWrapPad]),
        Vendor::Network => {
            let luna = MechanismType::new_vendor_defined(LUNA_AES_KWP).doing(doing)?;
            let luna = VendorDefinedMechanism::new::<()>(luna, None);
            Ok(vec![Mechanism::VendorDefined(luna), Mechanism::AesKeyWrapPad])
        }
    }
}

fn import_one_time(session: &Session, one_time: &Secret, mechanisms: &[Mechanism<'_>]) -> Result<ObjectHandle, Fault> {
    let allowed = mechanisms.iter().map(Mechanism::mechanism_type).collect();
    let mut template = template::one_time_key(one_time.expose(), allowed);
    let imported = session.create_object(&template);
    for attribute in &mut template {
        if let Attribute::Value(bytes) = attribute {
            bytes.zeroize();
        }
    }
    imported.offered("import a one-time key")
}

fn read_public(session: &Session, recipe: Recipe, public: ObjectHandle) -> Result<Public, Fault> {
    let doing = recipe.doing();
    let read = |kinds: &[AttributeType]| session.get_attributes(public, kinds).doing(doing);
    let missing = || Fault::new(Kind::Member, doing, "the public half has no value");
    match recipe {
        Recipe::Rsa { .. } => {
            let (mut modulus, mut exponent) = (None, None);
            for attribute in read(&[AttributeType::Modulus, AttributeType::PublicExponent])? {
                match attribute {
                    Attribute::Modulus(bytes) => modulus = Some(bytes),
                    Attribute::PublicExponent(bytes) => exponent = Some(bytes),
                    _ => {}
                }
            }
            modulus.zip(exponent).map(|(modulus, exponent)| Public::Rsa { modulus, exponent }).ok_or_else(missing)
        }
        Recipe::Ec(_) => read(&[AttributeType::EcPoint])?
            .into_iter()
            .find_map(|attribute| match attribute {
                Attribute::EcPoint(point) => Some(Public::Point(point)),
                _ => None,
            })
            .ok_or_else(missing),
    }
}

fn generation(recipe: Recipe) -> Mechanism<'static> {
    match recipe {
        Recipe::Rsa { .. } => Mechanism::RsaPkcsKeyPairGen,
        Recipe::Ec(_) => Mechanism::EccKeyPairGen,
    }
}

/// Public and private template.
fn templates(recipe: Recipe) -> Result<(Vec<Attribute>, Vec<Attribute>), Fault> {
    match recipe {
        Recipe::Rsa { bits, exponent } => Ok(template::rsa_newborn(bits, exponent)),
        Recipe::Ec(curve) => Ok(template::curve_newborn(curve.parameters()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::EcCurve;
    use super::*;
    use crate::limits::EPOCH_PATIENCE;
    use crate::module::{Epoch, Module};
    use crate::{support, token};

    const RSA: Recipe = Recipe::Rsa { bits: 1024, exponent: 65_537 };

    fn every_kind() -> Vec<Recipe> {
        let mut recipes = vec![RSA];
        recipes.extend(EcCurve::ALL.map(Recipe::Ec));
        recipes
    }

    /// A member as in an epoch, and a second session, which sees all session objects of the process.
    struct Scene {
        worker: Session,
        onlooker: Session,
        _epoch: Epoch,
        _rig: support::Rig,
    }

    impl Scene {
        fn set() -> Self {
            let rig = support::Rig::new();
            let member = rig.member("PAR7S", "2");
            let epoch = Module::load(&member.module).unwrap().begin(EPOCH_PATIENCE).unwrap();
            let slot = token::find_slot(epoch.library(), "PAR7S").unwrap();
            let session = || epoch.library().open_ro_session_no_drop(slot).unwrap();
            let (worker, onlooker) = (session(), session());
            token::log_in(&onlooker, &member.pin_file).unwrap();
            Self { worker, onlooker, _epoch: epoch, _rig: rig }
        }

        /// Everything that is on the token or in a session.
        fn objects(&self) -> usize {
            self.onlooker.find_objects(&[]).unwrap().len()
        }

        fn born(&self, recipe: Recipe) -> (ObjectHandle, ObjectHandle) {
            let (public, private) = templates(recipe).unwrap();
            self.worker.generate_key_pair(&generation(recipe), &public, &private).unwrap()
        }
    }

    #[test]
    fn nothing_is_left_behind_whatever_comes_of_it() {
        let scene = Scene::set();
        assert_eq!(scene.objects(), 0);
        // The control: what is not destroyed is seen.
        let (public, private) = scene.born(RSA);
        assert_eq!(scene.objects(), 2);
        scene.worker.destroy_object(private).unwrap();
        scene.worker.destroy_object(public).unwrap();

        let unknown = MechanismType::new_vendor_defined(CKM_VENDOR_DEFINED | 0x7777).unwrap();
        let unknown = || Mechanism::VendorDefined(VendorDefinedMechanism::new::<()>(unknown, None));
        for recipe in every_kind() {
            for vendor in [Vendor::SoftHsm, Vendor::Network] {
                let newborn = bear(&scene.worker, recipe, vendor).unwrap();
                recipe.checked(&newborn).unwrap();
                assert_eq!(scene.objects(), 0, "{recipe:?}");
            }
            // No mechanism wraps: the pair was born and is destroyed.
            let refused = bear_with(&scene.worker, recipe, &[unknown(), unknown()]).err().unwrap();
            assert_eq!((refused.kind, refused.cause.as_str()), (Kind::Refused, "CKR_MECHANISM_INVALID"));
            // A mechanism that wraps no private key of this length, or that the one-time key may not use.
            for mechanism in [Mechanism::AesEcb, Mechanism::AesCMac] {
                bear_with(&scene.worker, recipe, &[mechanism]).err().unwrap();
            }
            assert_eq!(scene.objects(), 0, "{recipe:?}");
        }
        let too_short = Recipe::Rsa { bits: 64, exponent: 65_537 };
        bear(&scene.worker, too_short, Vendor::SoftHsm).err().unwrap();
        assert_eq!(scene.objects(), 0);
    }

    #[test]
    fn a_one_time_key_wraps_once() {
        let scene = Scene::set();
        let (_, private) = scene.born(RSA);
        let mechanisms = wrappings(Vendor::SoftHsm, "wrap").unwrap();
        let mut seen = std::collections::BTreeSet::new();
        let mut opened = Vec::new();
        for _ in 0..50 {
            // The wrapping has no random part of its own: two equal results are one key.
            let (one_time, wrapped) = wrap_out(&scene.worker, &mechanisms, private, "wrap").unwrap();
            opened.push(transport::unwrap(&one_time, &wrapped).unwrap());
            assert!(seen.insert(wrapped) && seen.insert(one_time.expose().to_vec()));
        }
        assert!(opened.windows(2).all(|two| two[0] == two[1]));
        assert_eq!(scene.objects(), 2);
    }

    #[test]
    fn a_newborn_is_a_sensitive_session_object_that_does_nothing() {
        let scene = Scene::set();
        for recipe in every_kind() {
            let (_, private) = scene.born(recipe);
            let flags = [
                (AttributeType::Token, Attribute::Token(false)),
                (AttributeType::Private, Attribute::Private(true)),
                (AttributeType::Sensitive, Attribute::Sensitive(true)),
                (AttributeType::Extractable, Attribute::Extractable(true)),
                (AttributeType::Sign, Attribute::Sign(false)),
                (AttributeType::Decrypt, Attribute::Decrypt(false)),
                (AttributeType::Unwrap, Attribute::Unwrap(false)),
                (AttributeType::Derive, Attribute::Derive(false)),
            ];
            for (kind, expected) in flags {
                assert_eq!(scene.worker.get_attributes(private, &[kind]).unwrap(), [expected], "{recipe:?}");
            }
        }
    }

    #[test]
    fn another_public_half_is_noticed() {
        let scene = Scene::set();
        for recipe in every_kind() {
            let one = bear(&scene.worker, recipe, Vendor::SoftHsm).unwrap();
            let other = bear(&scene.worker, recipe, Vendor::SoftHsm).unwrap();
            let mixed = Newborn { private: one.private, public: other.public };
            assert_eq!(recipe.checked(&mixed).unwrap_err().kind, Kind::Member, "{recipe:?}");
        }
        let rsa = bear(&scene.worker, RSA, Vendor::SoftHsm).unwrap();
        for another in [Recipe::Rsa { bits: 1040, exponent: 65_537 }, Recipe::Rsa { bits: 1024, exponent: 65_539 }] {
            assert!(another.checked(&rsa).is_err());
        }
        let p256 = bear(&scene.worker, Recipe::Ec(EcCurve::P256), Vendor::SoftHsm).unwrap();
        for another in [Recipe::Ec(EcCurve::Secp256k1), Recipe::Ec(EcCurve::P384), RSA] {
            assert!(another.checked(&p256).is_err());
        }
    }
}
