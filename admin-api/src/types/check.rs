//! What a request must hold before a server acts on it. Clients may ask first.

use uuid::Uuid;

use super::access::{Access, NewCredential};
use super::domain::NewDomain;
use super::identity::{Credential, IssueClient, RegisterClient};
use super::object::{RevocationReason, RevokeObject};
use super::text::SecretText;
use crate::limits::{MAX_MESSAGE, MAX_NAME, MAX_OPERATIONS, MAX_PASSWORD_LEN, MAX_USERNAME_LEN};

/// The log of the system stands beside those of the domains under this name.
const SYSTEM: &str = "system";

impl NewDomain {
    /// Whether the name can be one: 1 to 64 ASCII letters, digits, `.`, `-`, `_`, a letter or digit first; not
    /// `system`, and not what reads as an identifier, because a path takes either.
    ///
    /// # Errors
    /// What is wrong, one sentence.
    pub fn check(&self) -> Result<(), &'static str> {
        let name = self.name.as_bytes();
        let characters = name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        if !(1..=MAX_NAME).contains(&name.len()) || !characters || !name.first().is_some_and(u8::is_ascii_alphanumeric)
        {
            return Err("a domain's name has 1 to 64 letters, digits, '.', '-', '_', a letter or digit first");
        }
        if self.name.eq_ignore_ascii_case(SYSTEM) || Uuid::try_parse(&self.name).is_ok() {
            return Err("a domain cannot be called 'system' or like an identifier");
        }
        Ok(())
    }
}

impl RegisterClient {
    /// Whether name and credential can be such. The certificate is for the server to read.
    ///
    /// # Errors
    /// What is wrong, one sentence.
    pub fn check(&self) -> Result<(), &'static str> {
        self.name.as_deref().map_or(Ok(()), client_name)?;
        self.credential.as_ref().map_or(Ok(()), Credential::check)
    }
}

impl IssueClient {
    /// Whether name and credential can be such. The signing request is for the server to read.
    ///
    /// # Errors
    /// What is wrong, one sentence.
    pub fn check(&self) -> Result<(), &'static str> {
        client_name(&self.name)?;
        self.credential.as_ref().map_or(Ok(()), Credential::check)
    }
}

impl Credential {
    fn check(&self) -> Result<(), &'static str> {
        username_fits(&self.username)?;
        password_fits(&self.password)
    }
}

impl NewCredential {
    /// Whether it is one user or one device, with a password where it has to have one.
    ///
    /// # Errors
    /// What is wrong, one sentence.
    pub fn check(&self) -> Result<(), &'static str> {
        match (&self.username, &self.device) {
            (Some(username), None) => {
                username_fits(username)?;
                if self.password.is_none() {
                    return Err("a user has a password");
                }
            }
            (None, Some(device)) => {
                let mut given = device.identifiers().into_iter().flatten().peekable();
                if given.peek().is_none() {
                    return Err("a device has at least one identifier");
                }
                if given.any(|one| !(1..=MAX_USERNAME_LEN).contains(&one.len())) {
                    return Err("an identifier of a device has 1 to 255 bytes");
                }
            }
            _ => return Err("a credential is that of a user or that of a device"),
        }
        self.password.as_ref().map_or(Ok(()), password_fits)?;
        self.access.check()
    }
}

impl Access {
    /// Whether there are no more operations than there can be. Their names are for the server to know.
    ///
    /// # Errors
    /// What is wrong, one sentence.
    pub fn check(&self) -> Result<(), &'static str> {
        match &self.operations {
            Some(operations) if operations.len() > MAX_OPERATIONS => Err("there are not that many operations"),
            _ => Ok(()),
        }
    }
}

fn username_fits(username: &str) -> Result<(), &'static str> {
    if (1..=MAX_USERNAME_LEN).contains(&username.len()) { Ok(()) } else { Err("a username has 1 to 255 bytes") }
}

fn password_fits(password: &SecretText) -> Result<(), &'static str> {
    if (1..=MAX_PASSWORD_LEN).contains(&password.expose().len()) {
        Ok(())
    } else {
        Err("a password has 1 to 1024 bytes")
    }
}

impl RevokeObject {
    /// Whether message and date go with the reason.
    ///
    /// # Errors
    /// What is wrong, one sentence.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.message.as_ref().is_some_and(|message| message.chars().count() > MAX_MESSAGE) {
            return Err("a revocation message has at most 1024 characters");
        }
        let compromise = matches!(self.reason, RevocationReason::KeyCompromise | RevocationReason::CaCompromise);
        match self.compromise_occurrence {
            Some(_) if !compromise => Err("only a compromise has a date of its occurrence"),
            Some(date) if date < 0 => Err("the date lies before 1970"),
            _ => Ok(()),
        }
    }
}

fn client_name(name: &str) -> Result<(), &'static str> {
    if !(1..=MAX_NAME).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err("a client's name has 1 to 64 characters, none of them control characters");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_a_user_with_a_password_or_a_device() {
        use crate::types::Device;
        let nobody = NewCredential { username: None, device: None, password: None, access: Access::default() };
        let password = || Some(SecretText::new("p".to_owned()));
        let user = || Some("u".to_owned());
        let device = || Some(Device { media: Some("m".to_owned()), ..Device::default() });
        assert!(nobody.check().is_err());
        assert!(NewCredential { username: user(), ..nobody.clone() }.check().is_err());
        assert!(NewCredential { username: user(), password: password(), ..nobody.clone() }.check().is_ok());
        assert!(NewCredential { device: device(), ..nobody.clone() }.check().is_ok());
        assert!(NewCredential { device: Some(Device::default()), ..nobody.clone() }.check().is_err());
        assert!(NewCredential { username: user(), device: device(), password: password(), ..nobody }.check().is_err());
    }

    fn domain(name: &str) -> NewDomain {
        NewDomain { name: name.to_owned(), policy: None, allow: Vec::new() }
    }

    #[test]
    fn a_domain_is_not_called_like_anything_else_in_its_place() {
        for good in ["acme", "a", "Acme-2.eu_west", &"x".repeat(64)] {
            assert_eq!(domain(good).check(), Ok(()), "{good}");
        }
        let id = "0197f9a0-0000-7000-8000-000000000000";
        for bad in ["", "-acme", ".", "a b", "a/b", "é", "system", "SYSTEM", id, &id.replace('-', ""), &"x".repeat(65)]
        {
            assert!(domain(bad).check().is_err(), "{bad} was accepted");
        }
    }

    #[test]
    fn credentials_and_client_names_have_lengths() {
        let credential = |user: usize, password: usize| Credential {
            username: "u".repeat(user),
            password: SecretText::new("p".repeat(password)),
        };
        let issue = |name: &str, credential| IssueClient { name: name.to_owned(), csr: None, credential };
        assert_eq!(issue("vc-01 é", Some(credential(255, 1024))).check(), Ok(()));
        assert!(issue("vc-01", Some(credential(256, 1))).check().is_err());
        assert!(issue("vc-01", Some(credential(0, 1))).check().is_err());
        assert!(issue("vc-01", Some(credential(1, 1025))).check().is_err());
        assert!(issue("vc-01", Some(credential(1, 0))).check().is_err());
        assert!(issue("", None).check().is_err());
        assert!(issue("a\nb", None).check().is_err());
        let register = RegisterClient { certificate: String::new(), name: Some("x".repeat(65)), credential: None };
        assert!(register.check().is_err());
    }

    #[test]
    fn only_a_compromise_has_a_date() {
        let revoke = |reason, compromise_occurrence| RevokeObject { reason, message: None, compromise_occurrence };
        assert!(revoke(RevocationReason::KeyCompromise, Some(0)).check().is_ok());
        assert!(revoke(RevocationReason::KeyCompromise, None).check().is_ok());
        assert!(revoke(RevocationReason::CaCompromise, Some(-1)).check().is_err());
        assert!(revoke(RevocationReason::Superseded, Some(1)).check().is_err());
        let wordy = RevokeObject {
            reason: RevocationReason::Superseded,
            message: Some("é".repeat(1025)),
            compromise_occurrence: None,
        };
        assert!(wordy.check().is_err());
    }
}
