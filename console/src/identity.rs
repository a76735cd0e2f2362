//! Who somebody is: passwords, and tokens of which the store has only the hash.

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use provisioning::ids::TenantId;
use provisioning::permission::Permissions;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;
use tokio::sync::Semaphore;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::limits::{ACCESS_TOKEN_S, PASSWORD_CHECKS, SESSION_S, TEXT_BYTES, TOKENS};
use crate::platform::{Principal, now};
use crate::store::{Account, Membership, Store, StoreError, Token, TokenKind};

/// Every secret begins with this, so that one that was published by mistake can be searched for.
const PREFIX: &str = "clavis_";
/// Random bytes of a secret.
const SECRET_BYTES: usize = 32;
/// Passwords: 19 MiB, two passes, one lane, as OWASP has it.
const ARGON2: (u32, u32, u32) = (19 * 1024, 2, 1);
/// What the password of nobody is compared with, so that an unknown login takes as long as a known one.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz$7JCA6i0tqD4bn0VPYhYZ3pjRYr+3bUzmzQ2V2tYw0Bo";

static CHECKS: Semaphore = Semaphore::const_new(PASSWORD_CHECKS);

/// Why nobody was let in, or nothing given.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// Login or password are wrong, or the token is none.
    #[error("login, password or token are not valid")]
    Wrong,
    /// A text is too long or empty.
    #[error("{0} has 1 to {TEXT_BYTES} bytes")]
    Text(&'static str),
    /// They are in no tenant, or not in this one.
    #[error("there is no tenant for this login")]
    NoTenant,
    /// A person has as many tokens as they may.
    #[error("there are {TOKENS} tokens already")]
    TooMany,
    /// No randomness, or no hash.
    #[error("a secret cannot be made")]
    NoSecret,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A token and its secret, which is shown once.
pub struct Issued {
    /// The token.
    pub token: Token,
    /// Its secret.
    pub secret: Zeroizing<String>,
}

/// What a token may be.
pub struct Wanted<'a> {
    /// Its kind.
    pub kind: TokenKind,
    /// What its owner calls it.
    pub name: &'a str,
    /// Its life in seconds.
    pub life_s: u64,
    /// The token that it is got with.
    pub parent: Option<String>,
}

impl Wanted<'static> {
    /// A session in the browser.
    #[must_use]
    pub const fn session() -> Self {
        Self { kind: TokenKind::Session, name: "browser", life_s: SESSION_S, parent: None }
    }

    /// A token for the API, got with a personal one.
    #[must_use]
    pub const fn access(parent: String) -> Self {
        Self { kind: TokenKind::Access, name: "access", life_s: ACCESS_TOKEN_S, parent: Some(parent) }
    }
}

fn argon2() -> Result<Argon2<'static>, IdentityError> {
    let params = Params::new(ARGON2.0, ARGON2.1, ARGON2.2, None).map_err(|_| IdentityError::NoSecret)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// SHA-256 of a secret: secrets are random, so that one pass is enough.
#[must_use]
pub fn hash(secret: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
    hash
}

fn fits(what: &'static str, text: &str) -> Result<(), IdentityError> {
    if text.is_empty() || text.len() > TEXT_BYTES { Err(IdentityError::Text(what)) } else { Ok(()) }
}

/// Adds a person to a tenant, or gives them another password.
///
/// # Errors
/// [`IdentityError`].
pub async fn enrol(
    store: &Store,
    login: &str,
    name: &str,
    password: &str,
    memberships: &[Membership],
) -> Result<(), IdentityError> {
    fits("a login", login)?;
    fits("a name", name)?;
    fits("a password", password)?;
    let mut salt = [0; 16];
    SystemRandom::new().fill(&mut salt).map_err(|_| IdentityError::NoSecret)?;
    let hashed = argon2()?.hash_password_with_salt(password.as_bytes(), &salt).map_err(|_| IdentityError::NoSecret)?;
    let account = Account { login: login.to_owned(), name: name.to_owned(), password: hashed.to_string() };
    store.put_account(&account).await?;
    for membership in memberships {
        store.put_membership(login, membership).await?;
    }
    Ok(())
}

/// The person of that login, if the password is theirs.
///
/// # Errors
/// [`IdentityError::Wrong`], of which one cannot tell what is wrong.
pub async fn check_password(store: &Store, login: &str, password: &str) -> Result<Account, IdentityError> {
    fits("a login", login)?;
    fits("a password", password)?;
    let account = store.account(login).await?;
    let hashed = account.as_ref().map_or_else(|| NOBODY.to_owned(), |account| account.password.clone());
    let password = Zeroizing::new(password.to_owned());
    let _turn = CHECKS.acquire().await.map_err(|_| IdentityError::Wrong)?;
    let check = tokio::task::spawn_blocking(move || {
        let hashed = PasswordHash::new(&hashed).map_err(|_| IdentityError::Wrong)?;
        argon2()?.verify_password(password.as_bytes(), &hashed).map_err(|_| IdentityError::Wrong)
    });
    check.await.map_err(|_| IdentityError::Wrong)??;
    account.ok_or(IdentityError::Wrong)
}

/// Makes a token for somebody; it may do at most what they may.
///
/// # Errors
/// [`IdentityError`].
pub async fn issue(store: &Store, who: &Principal, wanted: &Wanted<'_>) -> Result<Issued, IdentityError> {
    fits("a name", wanted.name)?;
    let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
    SystemRandom::new().fill(&mut bytes[..]).map_err(|_| IdentityError::NoSecret)?;
    let secret = Zeroizing::new(format!("{PREFIX}{}", hex::encode(&bytes[..])));
    let created_at = now();
    let token = Token {
        id: Uuid::now_v7().to_string(),
        login: who.login.clone(),
        tenant: who.tenant.clone(),
        name: wanted.name.to_owned(),
        permissions: who.permissions.clone(),
        parent: wanted.parent.clone(),
        created_at,
        expires_at: created_at.saturating_add(wanted.life_s),
    };
    match store.add_token(wanted.kind, &hash(&secret), &token, TOKENS).await {
        Ok(()) => Ok(Issued { token, secret }),
        Err(StoreError::Overtaken) => Err(IdentityError::TooMany),
        Err(error) => Err(error.into()),
    }
}

/// Who holds this secret.
///
/// # Errors
/// [`IdentityError::Wrong`].
pub async fn holder(store: &Store, kind: TokenKind, secret: &str) -> Result<Token, IdentityError> {
    if !secret.starts_with(PREFIX) || secret.len() != PREFIX.len() + 2 * SECRET_BYTES {
        return Err(IdentityError::Wrong);
    }
    store.token(kind, &hash(secret), now()).await?.ok_or(IdentityError::Wrong)
}

/// Somebody in one of their tenants: in the one named, or in the first.
///
/// # Errors
/// [`IdentityError::NoTenant`].
pub async fn in_tenant(store: &Store, login: &str, tenant: Option<&TenantId>) -> Result<Principal, IdentityError> {
    let memberships = store.memberships(login).await?;
    let found = memberships.into_iter().find(|membership| tenant.is_none_or(|tenant| membership.tenant == *tenant));
    let Membership { tenant, permissions } = found.ok_or(IdentityError::NoTenant)?;
    Ok(Principal { login: login.to_owned(), tenant, permissions })
}

impl Token {
    /// Its holder.
    #[must_use]
    pub fn principal(&self) -> Principal {
        let permissions: Permissions = self.permissions.clone();
        Principal { login: self.login.clone(), tenant: self.tenant.clone(), permissions }
    }
}
