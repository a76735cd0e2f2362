//! What an attacker who is logged in would try on the Root of Trust and on a Domain Key. A member on which any of it
//! goes through is not fit to hold them, so the ceremony tries all of it on every member.

use cryptoki::context::{Function, Pkcs11};
use cryptoki::error::{Error as Pkcs11Error, RvError};
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::mechanism::ekdf::AesCbcDeriveParams;
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeInfo, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use cryptoki::slot::Slot;
use serde::{Deserialize, Serialize};

use crate::error::{Doing, Fault, name_of};
use crate::raw;
use crate::template;

/// Which key was attacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// The Root of Trust on the token.
    RootOfTrust,
    /// A Domain Key, imported as it is in use.
    DomainKey,
}

/// One attempt and how the member answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The key that was attacked.
    pub target: Target,
    /// What was tried, in the words of PKCS#11.
    pub attempt: String,
    /// Whether the member refused it, and said so.
    pub refused: bool,
    /// The PKCS#11 error, or `went through`.
    pub answer: String,
}

/// The keys of an attack. All but the Root of Trust are session objects of `session`.
pub(super) struct Scene<'a> {
    library: &'a Pkcs11,
    slot: Slot,
    owner: &'a Session,
    root: ObjectHandle,
    domain_key: ObjectHandle,
    /// The Domain Key's blob.
    wrapped: Vec<u8>,
    /// A key of the attacker's, good for everything.
    rogue: ObjectHandle,
    /// A key that is not sensitive, so that whoever can wrap it can read it.
    plain: ObjectHandle,
}

/// Went through (with an object that it made), or the module's answer.
type Answer = Result<Option<ObjectHandle>, Pkcs11Error>;
type Act = Box<dyn Fn(&Scene<'_>, &Session) -> Answer>;

impl<'a> Scene<'a> {
    /// Sets the scene: a Domain Key made and imported as always, and the attacker's own keys.
    pub fn set(library: &'a Pkcs11, slot: Slot, owner: &'a Session, root: ObjectHandle) -> Result<Self, Fault> {
        Self::with_domain_key(library, slot, owner, root, &template::domain_key(&[0; 16], 1))
    }

    fn with_domain_key(
        library: &'a Pkcs11,
        slot: Slot,
        owner: &'a Session,
        root: ObjectHandle,
        domain_key: &[Attribute],
    ) -> Result<Self, Fault> {
        const DOING: &str = "prepare the attacks";
        let newborn = owner.generate_key(&Mechanism::AesKeyGen, &template::newborn()).doing(DOING)?;
        let wrapped = owner.wrap_key(&Mechanism::AesKeyWrap, root, newborn).doing(DOING)?;
        owner.destroy_object(newborn).doing(DOING)?;
        let domain_key = owner.unwrap_key(&Mechanism::AesKeyWrap, root, &wrapped, domain_key).doing(DOING)?;
        let attackers = |sensitive| {
            [
                Attribute::ValueLen(32.into()),
                Attribute::Token(false),
                Attribute::Sensitive(sensitive),
                Attribute::Extractable(true),
                Attribute::Encrypt(true),
                Attribute::Decrypt(true),
                Attribute::Wrap(true),
                Attribute::Unwrap(true),
            ]
        };
        let rogue = owner.generate_key(&Mechanism::AesKeyGen, &attackers(true)).doing(DOING)?;
        let plain = owner.generate_key(&Mechanism::AesKeyGen, &attackers(false)).doing(DOING)?;
        Ok(Self { library, slot, owner, root, domain_key, wrapped, rogue, plain })
    }

    /// Tries everything.
    pub fn run(&self) -> Result<Vec<Attempt>, Fault> {
        let mut attempts = Vec::new();
        for (target, attempt, act) in acts() {
            // A session of its own, so that what one attempt leaves active is not taken for a refusal of the next.
            let session = self.library.open_rw_session_no_drop(self.slot).doing("open a session for an attack")?;
            let answer = act(self, &session);
            session.close().doing("close the session of an attack")?;
            let (refused, answer) = match answer {
                Ok(made) => {
                    if let Some(made) = made {
                        // It may be gone with its session already.
                        let _ = self.owner.destroy_object(made);
                    }
                    (false, "went through".to_string())
                }
                Err(error) => (is_refusal(&error), name_of(&error)),
            };
            attempts.push(Attempt { target, attempt, refused, answer });
        }
        Ok(attempts)
    }

    /// Clears the scene.
    pub fn strike(self) {
        for object in [self.domain_key, self.rogue, self.plain] {
            // What is left goes with the session.
            let _ = self.owner.destroy_object(object);
        }
    }

    fn key(&self, target: Target) -> ObjectHandle {
        match target {
            Target::RootOfTrust => self.root,
            Target::DomainKey => self.domain_key,
        }
    }
}

/// Whether the error says "this is not allowed", rather than that something went wrong on the way.
fn is_refusal(error: &Pkcs11Error) -> bool {
    let Pkcs11Error::Pkcs11(code, _) = error else { return false };
    matches!(
        code,
        RvError::ActionProhibited
            | RvError::AttributeReadOnly
            | RvError::AttributeSensitive
            | RvError::KeyFunctionNotPermitted
            | RvError::KeyNotWrappable
            | RvError::KeyUnextractable
            | RvError::MechanismInvalid
            | RvError::TemplateInconsistent
    )
}

/// The list. Its order is that of the report.
fn acts() -> Vec<(Target, String, Act)> {
    use Target::{DomainKey, RootOfTrust};
    let mut acts: Vec<(Target, String, Act)> = Vec::new();
    for (what, change) in [
        ("CKA_SENSITIVE=false", Attribute::Sensitive(false)),
        ("CKA_EXTRACTABLE=true", Attribute::Extractable(true)),
        ("CKA_PRIVATE=false", Attribute::Private(false)),
        ("CKA_KEY_TYPE=CKK_GENERIC_SECRET", Attribute::KeyType(KeyType::GENERIC_SECRET)),
    ] {
        let template = lax_import(&change);
        acts.push((
            RootOfTrust,
            format!("C_UnwrapKey of a Domain Key with {what}"),
            Box::new(move |scene, session| {
                session.unwrap_key(&Mechanism::AesKeyWrap, scene.root, &scene.wrapped, &template).map(Some)
            }),
        ));
    }
    acts.push((
        RootOfTrust,
        "C_Decrypt of a Domain Key's blob with CKM_AES_KEY_WRAP".into(),
        Box::new(|scene, session| session.decrypt(&Mechanism::AesKeyWrap, scene.root, &scene.wrapped).map(|_| None)),
    ));
    acts.push((
        RootOfTrust,
        "C_WrapKey of a key that is not sensitive".into(),
        Box::new(|scene, session| session.wrap_key(&Mechanism::AesKeyWrap, scene.root, scene.plain).map(|_| None)),
    ));
    acts.push((
        RootOfTrust,
        "C_WrapKey of a sensitive key with CKM_AES_KEY_WRAP_PAD".into(),
        Box::new(|scene, session| session.wrap_key(&Mechanism::AesKeyWrapPad, scene.root, scene.rogue).map(|_| None)),
    ));
    acts.push((
        RootOfTrust,
        "C_Encrypt with CKM_AES_GCM".into(),
        Box::new(|scene, session| {
            let mut iv = [0; 12];
            let params = GcmParams::new(&mut iv, b"facts", 128.into())?;
            session.encrypt(&Mechanism::AesGcm(params), scene.root, &[0; 16]).map(|_| None)
        }),
    ));
    acts.push((
        DomainKey,
        "C_WrapKey of another key with CKM_AES_KEY_WRAP".into(),
        Box::new(|scene, session| {
            session.wrap_key(&Mechanism::AesKeyWrap, scene.domain_key, scene.rogue).map(|_| None)
        }),
    ));
    for target in [RootOfTrust, DomainKey] {
        acts.extend(acts_on_any_key(target));
    }
    acts
}

fn acts_on_any_key(target: Target) -> Vec<(Target, String, Act)> {
    let mut acts: Vec<(Target, String, Act)> = Vec::new();
    let mut add = |attempt: &str, act: Act| acts.push((target, attempt.to_string(), act));
    add("C_GetAttributeValue of CKA_VALUE", Box::new(move |scene, session| read_value(session, scene.key(target))));
    add(
        "C_WrapKey under the attacker's key",
        Box::new(move |scene, session| {
            session.wrap_key(&Mechanism::AesKeyWrap, scene.rogue, scene.key(target)).map(|_| None)
        }),
    );
    add(
        "C_WrapKey under the Root of Trust",
        Box::new(move |scene, session| {
            session.wrap_key(&Mechanism::AesKeyWrap, scene.root, scene.key(target)).map(|_| None)
        }),
    );
    add(
        "C_Encrypt with CKM_AES_ECB",
        Box::new(move |scene, session| session.encrypt(&Mechanism::AesEcb, scene.key(target), &[0; 16]).map(|_| None)),
    );
    add(
        "C_Decrypt with CKM_AES_ECB",
        Box::new(move |scene, session| session.decrypt(&Mechanism::AesEcb, scene.key(target), &[0; 16]).map(|_| None)),
    );
    add(
        "C_Decrypt with CKM_AES_CBC",
        Box::new(move |scene, session| {
            session.decrypt(&Mechanism::AesCbc([0; 16]), scene.key(target), &[0; 16]).map(|_| None)
        }),
    );
    add(
        "C_Sign with CKM_AES_CMAC",
        Box::new(move |scene, session| session.sign(&Mechanism::AesCMac, scene.key(target), &[0; 16]).map(|_| None)),
    );
    add(
        "C_DeriveKey with CKM_AES_CBC_ENCRYPT_DATA",
        Box::new(move |scene, session| {
            let params = AesCbcDeriveParams::new([0; 16], &[0; 32]);
            let derived = [
                Attribute::Class(ObjectClass::SECRET_KEY),
                Attribute::KeyType(KeyType::AES),
                Attribute::ValueLen(32.into()),
                Attribute::Token(false),
            ];
            session.derive_key(&Mechanism::AesCbcEncryptData(params), scene.key(target), &derived).map(Some)
        }),
    );
    for (what, change) in changes() {
        let template = [change.clone()];
        add(
            &format!("C_SetAttributeValue {what}"),
            Box::new(move |scene, session| session.update_attributes(scene.key(target), &template).map(|()| None)),
        );
        let template = [Attribute::Token(false), change];
        add(
            &format!("C_CopyObject with {what}"),
            Box::new(move |scene, session| session.copy_object(scene.key(target), &template).map(Some)),
        );
    }
    add(
        "C_CopyObject as it is",
        Box::new(move |scene, session| session.copy_object(scene.key(target), &[Attribute::Token(false)]).map(Some)),
    );
    acts
}

/// Every loosening that would help an attacker.
fn changes() -> [(&'static str, Attribute); 11] {
    [
        ("CKA_SENSITIVE=false", Attribute::Sensitive(false)),
        ("CKA_EXTRACTABLE=true", Attribute::Extractable(true)),
        ("CKA_DECRYPT=true", Attribute::Decrypt(true)),
        ("CKA_SIGN=true", Attribute::Sign(true)),
        ("CKA_DERIVE=true", Attribute::Derive(true)),
        ("CKA_WRAP=true", Attribute::Wrap(true)),
        ("CKA_ALLOWED_MECHANISMS={CKM_AES_ECB}", Attribute::AllowedMechanisms(vec![MechanismType::AES_ECB])),
        ("CKA_UNWRAP_TEMPLATE={CKA_EXTRACTABLE=true}", raw::lax_unwrap_template()),
        ("CKA_WRAP_TEMPLATE={CKA_SENSITIVE=false}", raw::lax_wrap_template()),
        ("CKA_MODIFIABLE=true", Attribute::Modifiable(true)),
        ("CKA_COPYABLE=true", Attribute::Copyable(true)),
    ]
}

/// The template of a Domain Key with one attribute changed, and without what only loosens when it is absent.
fn lax_import(change: &Attribute) -> Vec<Attribute> {
    [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
    ]
    .into_iter()
    .map(|attribute| if attribute.attribute_type() == change.attribute_type() { change.clone() } else { attribute })
    .collect()
}

/// Modules answer a question for a sensitive value with an error or with nothing at all; both are refusals.
fn read_value(session: &Session, key: ObjectHandle) -> Answer {
    let refused = Pkcs11Error::Pkcs11(RvError::AttributeSensitive, Function::GetAttributeValue);
    match session.get_attribute_info(key, &[AttributeType::Value])?.first() {
        Some(AttributeInfo::Available(_)) => Ok(None),
        Some(AttributeInfo::Sensitive | AttributeInfo::Unavailable | AttributeInfo::TypeInvalid) | None => Err(refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MemberConfig;
    use crate::limits::EPOCH_PATIENCE;
    use crate::module::Module;
    use crate::{support, token};

    /// Everything that a guarded key is not.
    fn unguarded(kind: &[Attribute]) -> Vec<Attribute> {
        let mut template = kind.to_vec();
        template.extend([
            Attribute::Token(false),
            Attribute::Private(true),
            Attribute::Sensitive(false),
            Attribute::Extractable(true),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Sign(true),
            Attribute::Wrap(true),
            Attribute::Unwrap(true),
            Attribute::Derive(true),
        ]);
        template
    }

    #[test]
    fn the_same_attempts_go_through_where_nothing_guards_the_keys() {
        let rig = support::Rig::new();
        let module = rig.member("PAR7S", "control").module;
        let member = MemberConfig {
            label: "PAR7S".into(),
            module,
            pin_file: rig.path().join("PAR7S.pin"),
            vendor: crate::Vendor::SoftHsm,
        };
        let epoch = Module::load(&member.module).unwrap().begin(EPOCH_PATIENCE).unwrap();
        let library = epoch.library();
        let slot = token::find_slot(library, "PAR7S").unwrap();
        let session = library.open_rw_session_no_drop(slot).unwrap();
        token::log_in(&session, &member.pin_file).unwrap();
        let root = session.generate_key(&Mechanism::AesKeyGen, &unguarded(&[Attribute::ValueLen(32.into())])).unwrap();
        let key_type = [Attribute::Class(ObjectClass::SECRET_KEY), Attribute::KeyType(KeyType::AES)];
        let scene = Scene::with_domain_key(library, slot, &session, root, &unguarded(&key_type)).unwrap();
        let attempts = scene.run().unwrap();
        // SoftHSM never lets anybody change these, and it cannot decrypt with the mechanism at all.
        let refused_on_any_key = [
            "C_Decrypt of a Domain Key's blob",
            "CKA_ALLOWED_MECHANISMS",
            "CKA_UNWRAP_TEMPLATE",
            "CKA_WRAP_TEMPLATE",
            "CKA_MODIFIABLE=true",
            "CKA_COPYABLE=true",
        ];
        let (went_through, refused): (Vec<&Attempt>, Vec<&Attempt>) =
            attempts.iter().partition(|attempt| attempt.answer == "went through");
        for attempt in refused {
            assert!(refused_on_any_key.iter().any(|word| attempt.attempt.contains(word)), "{attempt:?}");
        }
        assert!(went_through.len() > 40, "only {} of {} went through", went_through.len(), attempts.len());
    }
}
