//! Activities as they are kept: what was asked, how far it is, how it ended.

use provisioning::Request;
use provisioning::ids::{ActivityId, KeyId, TenantId};
use provisioning::saga::Progress;
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use super::{Store, StoreError, signed, unsigned};

/// How far an activity is, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ActivityState {
    /// Nothing has begun.
    Waiting,
    /// It works.
    Running,
    /// The change holds, and nothing is left to do.
    Completed,
    /// Everything is as it was.
    Failed,
}

impl ActivityState {
    /// As it is written.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing more will happen.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

/// A change under way, or done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Its identifier; later ones sort after earlier ones.
    pub id: ActivityId,
    /// In which tenant.
    pub tenant: TenantId,
    /// Who asked.
    pub login: String,
    /// What was asked.
    pub request: Request,
    /// Which steps are done.
    pub progress: Progress,
    /// How far it is.
    pub state: ActivityState,
    /// The key that was made for it.
    pub key: Option<KeyId>,
    /// The key that the VM had before.
    pub key_before: Option<KeyId>,
    /// Why it goes back, or went.
    pub reason: Option<String>,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Seconds since 1970.
    pub updated_at: u64,
    /// The version of its row; 0 while it has none.
    #[serde(skip)]
    pub version: u64,
}

/// The token that a client gave its request, and the fingerprint of that request.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The token.
    pub token: &'a str,
    /// SHA-256 of what was asked.
    pub request: [u8; 32],
}

/// What a client's token was used for before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// Nothing.
    New,
    /// The same request, which made this activity.
    Same(ActivityId),
    /// Another request.
    Other,
}

type Row = (String, i64);

fn read((body, version): Row) -> Result<Activity, StoreError> {
    let read: Result<Activity, _> = serde_json::from_str(&body);
    let activity = read.map_err(|fault| StoreError::damaged("activity", fault))?;
    Ok(Activity { version: unsigned(version), ..activity })
}

impl Store {
    /// The activity of that id, if this tenant has one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn activity(&self, tenant: &TenantId, id: &ActivityId) -> Result<Option<Activity>, StoreError> {
        let row: Option<Row> = sqlx::query_as("SELECT body, version FROM activity WHERE id = ?1 AND tenant = ?2")
            .bind(id.as_str())
            .bind(tenant.as_str())
            .fetch_optional(&self.readers)
            .await?;
        row.map(read).transpose()
    }

    /// A tenant's activities, newest first, from before `before`; those of one VM where one is given.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn activities(
        &self,
        tenant: &TenantId,
        vm: Option<&str>,
        state: Option<&str>,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Activity>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT body, version FROM activity WHERE tenant = ?1 AND (?2 IS NULL OR vm = ?2)
             AND (?3 IS NULL OR state = ?3) AND (?4 IS NULL OR id < ?4) ORDER BY id DESC LIMIT ?5",
        )
        .bind(tenant.as_str())
        .bind(vm)
        .bind(state)
        .bind(before)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(read).collect()
    }

    /// All that are not finished, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unfinished(&self) -> Result<Vec<Activity>, StoreError> {
        let rows: Vec<Row> =
            sqlx::query_as("SELECT body, version FROM activity WHERE state IN ('waiting', 'running') ORDER BY id")
                .fetch_all(&self.readers)
                .await?;
        rows.into_iter().map(read).collect()
    }

    /// How many of a tenant's are not finished.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unfinished_of(&self, tenant: &TenantId) -> Result<i64, StoreError> {
        let count = "SELECT COUNT(*) FROM activity WHERE tenant = ?1 AND state IN ('waiting', 'running')";
        Ok(sqlx::query_scalar(count).bind(tenant.as_str()).fetch_one(&self.readers).await?)
    }

    /// What a client's token was used for before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn token_use(&self, tenant: &TenantId, login: &str, given: &Given<'_>) -> Result<TokenUse, StoreError> {
        let row: Option<(Vec<u8>, String)> = sqlx::query_as(
            "SELECT request, activity FROM client_token WHERE tenant = ?1 AND account = ?2 AND token = ?3",
        )
        .bind(tenant.as_str())
        .bind(login)
        .bind(given.token)
        .fetch_optional(&self.readers)
        .await?;
        Ok(match row {
            None => TokenUse::New,
            Some((request, activity)) if request == given.request => TokenUse::Same(ActivityId::new(activity)),
            Some(_) => TokenUse::Other,
        })
    }
}

/// Writes an activity whose row is of the version it was read at, or that has none yet; returns the new version.
pub(super) async fn write(writing: &mut SqliteConnection, activity: &Activity) -> Result<u64, StoreError> {
    let body = serde_json::to_string(activity).map_err(|fault| StoreError::damaged("activity", fault))?;
    let written = if activity.version == 0 {
        sqlx::query(
            "INSERT INTO activity (id, tenant, vm, state, version, created_at, body) VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6)
             ON CONFLICT DO NOTHING",
        )
        .bind(activity.id.as_str())
        .bind(activity.tenant.as_str())
        .bind(activity.request.command.vm().map(|vm| vm.as_str()))
        .bind(activity.state.text())
        .bind(signed(activity.created_at))
        .bind(body)
        .execute(writing)
        .await?
    } else {
        sqlx::query("UPDATE activity SET state = ?1, version = version + 1, body = ?2 WHERE id = ?3 AND version = ?4")
            .bind(activity.state.text())
            .bind(body)
            .bind(activity.id.as_str())
            .bind(signed(activity.version))
            .execute(writing)
            .await?
    };
    if written.rows_affected() == 1 { Ok(activity.version + 1) } else { Err(StoreError::Overtaken) }
}

pub(super) async fn note_token(
    writing: &mut SqliteConnection,
    activity: &Activity,
    given: &Given<'_>,
) -> Result<(), StoreError> {
    let written = sqlx::query(
        "INSERT INTO client_token (tenant, account, token, request, activity) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
    )
    .bind(activity.tenant.as_str())
    .bind(&activity.login)
    .bind(given.token)
    .bind(&given.request[..])
    .bind(activity.id.as_str())
    .execute(writing)
    .await?;
    if written.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Overtaken) }
}
