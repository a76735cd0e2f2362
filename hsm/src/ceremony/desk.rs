//! A member at the ceremony: a session that may create and destroy token objects, and what already stands there.

use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsOaepParams, PkcsOaepSource};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use cryptoki::slot::Slot;
use zeroize::Zeroize;

use super::attack::Scene;
use super::error::{CeremonyError, OnMember};
use super::protocol::MemberProtocol;
use crate::config::MemberConfig;
use crate::error::{Doing, Fault, Kind};
use crate::limits::{EPOCH_PATIENCE, WRAPPED_KEY_LEN};
use crate::module::{Epoch, Module};
use crate::{template, token};

/// A member, logged in, in an epoch of its own. Dropping it ends the epoch and with it every session object.
pub(super) struct Desk {
    pub label: String,
    pub session: Session,
    slot: Slot,
    epoch: Epoch,
}

/// How far a member has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing of ours is on the token.
    Blank,
    /// Something is, but no ceremony was completed. With the fingerprint, if there is a Root of Trust with its signing
    /// key.
    Half(Option<[u8; 32]>),
    /// A ceremony was completed, with this Root of Trust.
    Complete([u8; 32]),
}

impl Standing {
    /// The Root of Trust of a completed ceremony.
    pub fn complete(&self) -> Option<[u8; 32]> {
        match self {
            Self::Complete(fingerprint) => Some(*fingerprint),
            Self::Blank | Self::Half(_) => None,
        }
    }
}

impl Desk {
    pub fn open(member: &MemberConfig) -> Result<Self, CeremonyError> {
        Self::try_open(member).on(&member.label)
    }

    fn try_open(member: &MemberConfig) -> Result<Self, Fault> {
        let epoch = Module::load(&member.module)?.begin(EPOCH_PATIENCE)?;
        let slot = token::find_slot(epoch.library(), &member.label)?;
        let session = epoch.library().open_rw_session_no_drop(slot).doing("open a session")?;
        token::log_in(&session, &member.pin_file)?;
        Ok(Self { label: member.label.clone(), session, slot, epoch })
    }

    pub fn standing(&self) -> Result<Standing, CeremonyError> {
        self.try_standing().on(&self.label)
    }

    fn try_standing(&self) -> Result<Standing, Fault> {
        if self.ours()?.is_empty() {
            return Ok(Standing::Blank);
        }
        let (Some(root), Some(_), Some(_)) = (
            token::find_root(&self.session)?,
            token::find_signing_key(&self.session)?,
            token::checkpoint_key(&self.session)?,
        ) else {
            return Ok(Standing::Half(None));
        };
        let fingerprint = self.try_fingerprint(root)?;
        Ok(match token::completed_mark(&self.session)? {
            Some(mark) if mark == fingerprint => Standing::Complete(fingerprint),
            Some(_) | None => Standing::Half(Some(fingerprint)),
        })
    }

    /// Every token object that a ceremony makes.
    fn ours(&self) -> Result<Vec<ObjectHandle>, Fault> {
        let mut ours = Vec::new();
        for (class, label) in [
            (ObjectClass::DATA, template::COMPLETED_LABEL),
            (ObjectClass::PRIVATE_KEY, template::AUDIT_LABEL),
            (ObjectClass::PUBLIC_KEY, template::AUDIT_LABEL),
            (ObjectClass::SECRET_KEY, template::ROT_LABEL),
        ] {
            ours.extend(token::find_all(&self.session, class, label).doing("look for what is on the token")?);
        }
        Ok(ours)
    }

    /// Removes what a ceremony that was not completed has left behind.
    pub fn clear(&self) -> Result<(), CeremonyError> {
        let clear = || {
            for object in self.ours()? {
                self.session.destroy_object(object).doing("remove what an unfinished ceremony left")?;
            }
            Ok(())
        };
        clear().on(&self.label)
    }

    /// The Root of Trust on this token.
    fn root(&self) -> Result<ObjectHandle, Fault> {
        token::find_root(&self.session)?
            .ok_or_else(|| Fault::new(Kind::Operator, "find the Root of Trust", "there is none"))
    }

    pub fn fingerprint(&self) -> Result<[u8; 32], CeremonyError> {
        self.root().and_then(|root| self.try_fingerprint(root)).on(&self.label)
    }

    fn try_fingerprint(&self, root: ObjectHandle) -> Result<[u8; 32], Fault> {
        let constant = token::import_constant(&self.session)?;
        let fingerprint = token::fingerprint(&self.session, root, constant);
        self.session.destroy_object(constant).doing("remove the constant of the fingerprint")?;
        fingerprint
    }

    /// A Root of Trust in its first moment: an extractable session object.
    pub fn bear_root(&self) -> Result<ObjectHandle, CeremonyError> {
        self.session
            .generate_key(&Mechanism::AesKeyGen, &template::newborn())
            .doing("generate the Root of Trust")
            .on(&self.label)
    }

    /// Carries the newborn Root of Trust from this member to `to`, under a transport key made there for this purpose.
    pub fn carry_root(&self, newborn: ObjectHandle, to: &Self) -> Result<(), CeremonyError> {
        let (public, private) = template::transport_pair();
        let (public, private) = to
            .session
            .generate_key_pair(&Mechanism::RsaPkcsKeyPairGen, &public, &private)
            .doing("make a transport key")
            .on(&to.label)?;
        let (modulus, exponent) = to.rsa_public(public).on(&to.label)?;
        let wrapped = self.wrap_for_transport(newborn, modulus, exponent).on(&self.label)?;
        to.session
            .unwrap_key(&Mechanism::RsaPkcsOaep(oaep()), private, &wrapped, &template::root_of_trust())
            .doing("import the Root of Trust")
            .on(&to.label)?;
        for half in [public, private] {
            to.session.destroy_object(half).doing("destroy the transport key").on(&to.label)?;
        }
        Ok(())
    }

    fn rsa_public(&self, public: ObjectHandle) -> Result<(Vec<u8>, Vec<u8>), Fault> {
        const DOING: &str = "read the transport key";
        let wanted = [AttributeType::Modulus, AttributeType::PublicExponent];
        let mut parts = self.session.get_attributes(public, &wanted).doing(DOING)?.into_iter();
        match (parts.next(), parts.next()) {
            (Some(Attribute::Modulus(modulus)), Some(Attribute::PublicExponent(exponent))) => Ok((modulus, exponent)),
            _ => Err(Fault::new(Kind::Operator, DOING, "it has no modulus or exponent")),
        }
    }

    fn wrap_for_transport(&self, newborn: ObjectHandle, modulus: Vec<u8>, exponent: Vec<u8>) -> Result<Vec<u8>, Fault> {
        let transport = self
            .session
            .create_object(&template::transport_public(modulus, exponent))
            .doing("import a transport key")?;
        let wrapped = self.session.wrap_key(&Mechanism::RsaPkcsOaep(oaep()), transport, newborn);
        self.session.destroy_object(transport).doing("remove a transport key")?;
        wrapped.doing("wrap the Root of Trust for transport")
    }

    /// Wraps the newborn Root of Trust under the escrow key.
    pub fn wrap_for_escrow(
        &self,
        newborn: ObjectHandle,
        escrow_key: &[u8],
    ) -> Result<[u8; WRAPPED_KEY_LEN], CeremonyError> {
        const DOING: &str = "wrap the Root of Trust for escrow";
        let wrap = || {
            let escrow = self.import_escrow_key(escrow_key)?;
            let wrapped = self.session.wrap_key(&Mechanism::AesKeyWrap, escrow, newborn);
            self.session.destroy_object(escrow).doing("destroy the escrow key")?;
            let wrapped = wrapped.doing(DOING)?;
            let len = wrapped.len();
            wrapped.try_into().map_err(|_| Fault::new(Kind::Member, DOING, format!("{len} bytes came back")))
        };
        wrap().on(&self.label)
    }

    /// Imports the Root of Trust from escrow.
    pub fn restore_root(&self, wrapped: &[u8], escrow_key: &[u8]) -> Result<(), CeremonyError> {
        let restore = || {
            let escrow = self.import_escrow_key(escrow_key)?;
            let root = self.session.unwrap_key(&Mechanism::AesKeyWrap, escrow, wrapped, &template::root_of_trust());
            self.session.destroy_object(escrow).doing("destroy the escrow key")?;
            root.doing("import the Root of Trust from escrow").map(drop)
        };
        restore().on(&self.label)
    }

    fn import_escrow_key(&self, key: &[u8]) -> Result<ObjectHandle, Fault> {
        let mut template = template::escrow_key(key);
        let imported = self.session.create_object(&template);
        for attribute in &mut template {
            if let Attribute::Value(bytes) = attribute {
                bytes.zeroize();
            }
        }
        imported.doing("import the escrow key")
    }

    /// Destroys a session object that must not outlive its purpose.
    pub fn destroy(&self, object: ObjectHandle) -> Result<(), CeremonyError> {
        self.session.destroy_object(object).doing("destroy the newborn Root of Trust").on(&self.label)
    }

    /// Makes this member's signing key for checkpoints.
    pub fn make_checkpoint_key(&self) -> Result<(), CeremonyError> {
        let (public, private) = template::audit_pair();
        self.session
            .generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private)
            .doing("make the checkpoint key")
            .on(&self.label)
            .map(drop)
    }

    /// Attacks the keys of this member and reports.
    ///
    /// # Errors
    /// [`CeremonyError::Guard`] for the first attempt that was not refused.
    pub fn examine(&self) -> Result<MemberProtocol, CeremonyError> {
        let fingerprint = self.fingerprint()?;
        let attack = || {
            let scene = Scene::set(self.epoch.library(), self.slot, &self.session, self.root()?)?;
            let attempts = scene.run();
            scene.strike();
            attempts
        };
        let attempts = attack().on(&self.label)?;
        if let Some(attempt) = attempts.iter().find(|attempt| !attempt.refused) {
            return Err(CeremonyError::Guard {
                member: self.label.clone(),
                attempt: format!("{:?}: {}", attempt.target, attempt.attempt),
                outcome: attempt.answer.clone(),
            });
        }
        let checkpoint_key = token::checkpoint_key(&self.session)
            .and_then(|key| key.ok_or_else(|| Fault::new(Kind::Operator, "read the checkpoint key", "there is none")))
            .on(&self.label)?;
        Ok(MemberProtocol { label: self.label.clone(), fingerprint, checkpoint_key, attempts })
    }

    /// Marks the ceremony as completed on this member.
    pub fn mark_complete(&self, fingerprint: &[u8; 32]) -> Result<(), CeremonyError> {
        self.session
            .create_object(&template::completed_mark(fingerprint))
            .doing("mark the ceremony as completed")
            .on(&self.label)
            .map(drop)
    }
}

/// RSA-OAEP with SHA-1, the only hash that SoftHSM offers; its collisions do not matter to OAEP.
fn oaep() -> PkcsOaepParams<'static> {
    PkcsOaepParams::new(MechanismType::SHA1, PkcsMgfType::MGF1_SHA1, PkcsOaepSource::empty())
}
