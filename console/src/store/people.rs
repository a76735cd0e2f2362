//! People, what they may do in which tenant, and their tokens, of which only hashes are kept.

use provisioning::ids::TenantId;
use provisioning::permission::Permissions;

use super::{Store, StoreError, signed, unsigned};

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What they log in with.
    pub login: String,
    /// What they are called.
    pub name: String,
    /// The password as a PHC string.
    pub password: String,
}

/// What a person may do in a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The tenant.
    pub tenant: TenantId,
    /// What they may do in it.
    pub permissions: Permissions,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Months long, and only good for getting access tokens.
    Personal,
    /// Minutes long, for the API.
    Access,
    /// Hours long, in a browser's cookie.
    Session,
}

impl TokenKind {
    /// As it is written.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Access => "access",
            Self::Session => "session",
        }
    }
}

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// By which it is named.
    pub id: String,
    /// Whose it is.
    pub login: String,
    /// For which tenant.
    pub tenant: TenantId,
    /// What its owner calls it.
    pub name: String,
    /// What it may do at most.
    pub permissions: Permissions,
    /// The token that it was got with.
    pub parent: Option<String>,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Seconds since 1970; from then on it is no token.
    pub expires_at: u64,
}

type Row = (String, String, String, String, String, Option<String>, i64, i64);

fn read((id, login, tenant, name, permissions, parent, created_at, expires_at): Row) -> Result<Token, StoreError> {
    let permissions = serde_json::from_str(&permissions).map_err(|fault| StoreError::damaged("token", fault))?;
    let (created_at, expires_at) = (unsigned(created_at), unsigned(expires_at));
    Ok(Token { id, login, tenant: TenantId::new(tenant), name, permissions, parent, created_at, expires_at })
}

fn listed(permissions: &Permissions) -> Result<String, StoreError> {
    serde_json::to_string(permissions).map_err(|fault| StoreError::damaged("permissions", fault))
}

impl Store {
    /// Adds a person, or gives one another name and password.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_account(&self, account: &Account) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        sqlx::query(
            "INSERT INTO account (login, name, password) VALUES (?1, ?2, ?3)
             ON CONFLICT (login) DO UPDATE SET name = excluded.name, password = excluded.password",
        )
        .bind(&account.login)
        .bind(&account.name)
        .bind(&account.password)
        .execute(&mut *writer)
        .await?;
        Ok(())
    }

    /// The person of that login.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account(&self, login: &str) -> Result<Option<Account>, StoreError> {
        let row: Option<(String, String, String)> =
            sqlx::query_as("SELECT login, name, password FROM account WHERE login = ?1")
                .bind(login)
                .fetch_optional(&self.readers)
                .await?;
        Ok(row.map(|(login, name, password)| Account { login, name, password }))
    }

    /// Says what a person may do in a tenant. Without a permission they are no member.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_membership(&self, login: &str, membership: &Membership) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        let statement = if membership.permissions.is_empty() {
            sqlx::query("DELETE FROM membership WHERE login = ?1 AND tenant = ?2 AND ?3 = '[]'")
        } else {
            sqlx::query(
                "INSERT INTO membership (login, tenant, permissions) VALUES (?1, ?2, ?3)
                 ON CONFLICT (login, tenant) DO UPDATE SET permissions = excluded.permissions",
            )
        };
        let permissions = listed(&membership.permissions)?;
        statement.bind(login).bind(membership.tenant.as_str()).bind(permissions).execute(&mut *writer).await?;
        Ok(())
    }

    /// What a person may do, tenant by tenant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn memberships(&self, login: &str) -> Result<Vec<Membership>, StoreError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT tenant, permissions FROM membership WHERE login = ?1 ORDER BY tenant")
                .bind(login)
                .fetch_all(&self.readers)
                .await?;
        let one = |(tenant, permissions): (String, String)| {
            let permissions = serde_json::from_str(&permissions).map_err(|f| StoreError::damaged("membership", f))?;
            Ok(Membership { tenant: TenantId::new(tenant), permissions })
        };
        rows.into_iter().map(one).collect()
    }

    /// Keeps a new token by the hash of its secret, and clears away those that have expired.
    ///
    /// # Errors
    /// [`StoreError::Overtaken`] where that person has `most` of the kind already.
    pub async fn add_token(
        &self,
        kind: TokenKind,
        hash: &[u8; 32],
        token: &Token,
        most: usize,
    ) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        sqlx::query("DELETE FROM token WHERE expires_at <= ?1")
            .bind(signed(token.created_at))
            .execute(&mut *writer)
            .await?;
        if kind != TokenKind::Personal {
            // The newest tokens are those in use.
            sqlx::query(
                "DELETE FROM token WHERE hash IN (SELECT hash FROM token WHERE login = ?1 AND tenant = ?2 AND kind = ?3
                 ORDER BY created_at DESC, id DESC LIMIT -1 OFFSET ?4)",
            )
            .bind(&token.login)
            .bind(token.tenant.as_str())
            .bind(kind.text())
            .bind(i64::try_from(most.saturating_sub(1)).unwrap_or(i64::MAX))
            .execute(&mut *writer)
            .await?;
        }
        let written = sqlx::query(
            "INSERT INTO token (hash, id, kind, login, tenant, name, permissions, parent, created_at, expires_at)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
             WHERE (SELECT COUNT(*) FROM token WHERE login = ?4 AND tenant = ?5 AND kind = ?3) < ?11",
        )
        .bind(&hash[..])
        .bind(&token.id)
        .bind(kind.text())
        .bind(&token.login)
        .bind(token.tenant.as_str())
        .bind(&token.name)
        .bind(listed(&token.permissions)?)
        .bind(&token.parent)
        .bind(signed(token.created_at))
        .bind(signed(token.expires_at))
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .execute(&mut *writer)
        .await?;
        if written.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Overtaken) }
    }

    /// The token of that kind whose secret has this hash, unless it has expired, with what it may do now: what it was
    /// given, and no more than its owner may still do in its tenant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn token(&self, kind: TokenKind, hash: &[u8; 32], now: u64) -> Result<Option<Token>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, login, tenant, name, permissions, parent, created_at, expires_at FROM token
             WHERE hash = ?1 AND kind = ?2 AND expires_at > ?3",
        )
        .bind(&hash[..])
        .bind(kind.text())
        .bind(signed(now))
        .fetch_optional(&self.readers)
        .await?;
        let Some(token) = row.map(read).transpose()? else { return Ok(None) };
        let memberships = self.memberships(&token.login).await?;
        let of_tenant = memberships.into_iter().find(|membership| membership.tenant == token.tenant);
        Ok(of_tenant.map(|membership| {
            let permissions = token.permissions.intersection(&membership.permissions).copied().collect();
            Token { permissions, ..token }
        }))
    }

    /// A person's personal tokens in a tenant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn personal_tokens(&self, login: &str, tenant: &TenantId, now: u64) -> Result<Vec<Token>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, login, tenant, name, permissions, parent, created_at, expires_at FROM token
             WHERE login = ?1 AND tenant = ?2 AND kind = 'personal' AND expires_at > ?3 ORDER BY id",
        )
        .bind(login)
        .bind(tenant.as_str())
        .bind(signed(now))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(read).collect()
    }

    /// Forgets a token and those that were got with it; whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_token(&self, login: &str, tenant: &TenantId, id: &str) -> Result<bool, StoreError> {
        let mut writer = self.writer.lock().await;
        let gone = sqlx::query("DELETE FROM token WHERE login = ?1 AND tenant = ?2 AND (id = ?3 OR parent = ?3)")
            .bind(login)
            .bind(tenant.as_str())
            .bind(id)
            .execute(&mut *writer)
            .await?;
        Ok(gone.rows_affected() > 0)
    }
}
