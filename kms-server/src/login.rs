//! Whom a message speaks for, and what that login reaches in its domain.
//!
//! A certificate proves who connects. A message may say more: that it comes from one of the users or devices registered
//! with the certificate. Each of these logins, the certificate alone among them, reaches what an administrator gave it:
//! the whole domain, or only the objects that it made; all operations, or some.

use keystore::{Access, Fingerprint, IdentityRow};
use kmip::registry::Operation;
use ring::digest::{SHA256, digest};

use crate::failure::Failure;

/// Begins what is hashed to the owner of an object.
const OWNER_LABEL: &[u8] = b"clavis login 1\0";

/// Whom a message speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Name of the credential; absent for the certificate alone.
    name: Option<String>,
    /// What it reaches.
    access: Access,
    /// What objects that it makes bear as their owner.
    owner: [u8; 32],
}

impl Login {
    /// The certificate alone, with all of its domain.
    #[must_use]
    pub fn of_certificate(fingerprint: Fingerprint) -> Self {
        Self { name: None, access: Access::default(), owner: fingerprint }
    }

    /// By the credential of this name that was proven, or by the certificate alone. A ticket (`has_ticket`) stands for the
    /// credential that got it.
    ///
    /// # Errors
    /// [`Failure::Authentication`] where there is no such credential any more, or one is demanded and none is named.
    pub fn of(identity: &IdentityRow, name: Option<&str>, has_ticket: bool) -> Result<Self, Failure> {
        let Some(name) = name else {
            if identity.credential_demanded && !has_ticket {
                return Err(Failure::Authentication("a credential is demanded"));
            }
            let access = identity.access.clone();
            return Ok(Self { name: None, access, owner: identity.origin });
        };
        let credential = identity.credentials.iter().find(|one| one.subject.name() == name);
        let access = credential.ok_or(Failure::Authentication("credential was removed"))?.access.clone();
        let owner = if access.own { owner_of(&identity.origin, name) } else { identity.origin };
        Ok(Self { name: Some(name.to_owned()), access, owner })
    }

    /// Name of the credential; absent for the certificate alone.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What objects that it makes bear as their owner.
    #[must_use]
    pub const fn owner(&self) -> [u8; 32] {
        self.owner
    }

    /// Whether it reaches the objects of this owner.
    #[must_use]
    pub fn reaches(&self, owner: &[u8; 32]) -> bool {
        !self.access.own || self.owner == *owner
    }

    /// Whether it may ask for the operation.
    #[must_use]
    pub fn permits(&self, operation: Operation) -> bool {
        use Operation as O;
        match operation {
            // They tell what the server is, or ask for what was permitted before.
            O::Query | O::DiscoverVersions | O::Ping | O::Poll | O::Cancel | O::Process | O::Logout => true,
            // Who may do only some things may not get himself a ticket for all of them.
            // Nor speak for the client as a whole.
            O::Login | O::DelegatedLogin | O::ReProvision => self.access.is_full(),
            // What is said there is said to the whole domain, or of it.
            O::SetConstraints | O::SetDefaults | O::QueryAsynchronousRequests if self.access.own => false,
            _ => self.access.operations.as_ref().is_none_or(|list| list.contains(&operation)),
        }
    }

    /// Whether the identity would give the same login now: what was asked for earlier is done with the rights of today.
    #[must_use]
    pub fn still_holds(&self, identity: &IdentityRow) -> bool {
        // That no credential is demanded was seen when the message came, or a ticket stood for one.
        Self::of(identity, self.name(), true).is_ok_and(|now| now == *self)
    }
}

fn owner_of(origin: &Fingerprint, name: &str) -> [u8; 32] {
    let hashed = digest(&SHA256, &[OWNER_LABEL, origin, name.as_bytes()].concat());
    let mut owner = [0; 32];
    owner.copy_from_slice(hashed.as_ref());
    owner
}

#[cfg(test)]
mod tests {
    use keystore::{Credential, IdentityKind, Subject};

    use super::*;

    fn identity() -> IdentityRow {
        let own = Access { own: true, operations: None };
        let reader = Access { own: false, operations: Some(vec![Operation::Get]) };
        let credential =
            |name: &str, access| Credential { subject: Subject::User(name.to_owned()), argon2: None, access };
        IdentityRow {
            domain: [1; 16],
            fingerprint: [2; 32],
            origin: [2; 32],
            name: String::new(),
            kind: IdentityKind::Client,
            certificate: Vec::new(),
            access: Access::default(),
            credential_demanded: false,
            credentials: vec![
                credential("fred", own.clone()),
                credential("barney", own),
                credential("reader", reader),
                credential("all", Access::default()),
            ],
            created_us: 0,
            revoked: false,
            revision: 1,
        }
    }

    fn login(name: &str) -> Login {
        Login::of(&identity(), Some(name), false).unwrap()
    }

    #[test]
    fn who_reaches_his_own_reaches_nobody_else_s() {
        let (fred, barney, all) = (login("fred"), login("barney"), login("all"));
        assert!(fred.reaches(&fred.owner()) && !barney.reaches(&fred.owner()) && all.reaches(&fred.owner()));
        assert!(!fred.reaches(&all.owner()));
        assert_eq!(all.owner(), [2; 32]);
        assert_ne!(fred.owner(), owner_of(&[3; 32], "fred"));
        assert!(!fred.permits(Operation::ReProvision) && all.permits(Operation::ReProvision));
    }

    #[test]
    fn a_certificate_that_was_replaced_leaves_everybody_his_own() {
        let replaced = IdentityRow { fingerprint: [9; 32], ..identity() };
        let now = |name| Login::of(&replaced, name, false).unwrap().owner();
        assert_eq!(now(Some("fred")), login("fred").owner());
        assert_eq!(now(None), Login::of(&identity(), None, false).unwrap().owner());
    }

    #[test]
    fn who_may_do_some_things_gets_no_ticket_and_changes_no_rules() {
        for (name, get, create, ticket, rules) in
            [("reader", true, false, false, false), ("fred", true, true, false, false), ("all", true, true, true, true)]
        {
            let login = login(name);
            assert_eq!(login.permits(Operation::Get), get, "{name}");
            assert_eq!(login.permits(Operation::Create), create, "{name}");
            assert_eq!(login.permits(Operation::Login) && login.permits(Operation::DelegatedLogin), ticket, "{name}");
            assert_eq!(login.permits(Operation::SetDefaults), rules, "{name}");
            assert!(login.permits(Operation::Query), "{name}");
        }
    }

    #[test]
    fn a_demanded_credential_is_demanded_unless_a_ticket_stands_for_it() {
        let mut identity = identity();
        assert!(Login::of(&identity, None, false).is_ok());
        identity.credential_demanded = true;
        assert!(matches!(Login::of(&identity, None, false), Err(Failure::Authentication(_))));
        assert!(Login::of(&identity, None, true).is_ok());
        assert!(Login::of(&identity, Some("wilma"), false).is_err());
    }

    #[test]
    fn rights_that_changed_hold_no_longer() {
        let (fred, mut identity) = (login("fred"), identity());
        assert!(fred.still_holds(&identity));
        identity.credentials[0].access.own = false;
        assert!(!fred.still_holds(&identity));
        identity.credentials.remove(0);
        assert!(!fred.still_holds(&identity));
    }
}
