//! The inventory as it is kept: every change an event with the next version, and now and then the whole of it.
//!
//! What is read back is judged again: an event is replayed through the rules that allowed it, and a snapshot is built
//! as any file is. A file that somebody changed by hand into what the rules forbid does not open.

use provisioning::command::Outcome;
use provisioning::ids::{ActivityId, VmId};
use provisioning::{Inventory, Plan, Request, apply};
use serde::{Deserialize, Serialize};
use sqlx::{Connection, SqliteConnection};

use super::activities::{self, Activity, Given};
use super::{Store, StoreError, signed, unsigned};
use crate::limits::EVENTS_PER_SNAPSHOT;

/// One change of the inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[expect(clippy::large_enum_variant, reason = "one event exists at a time, on its way to the store or from it")]
pub enum Event {
    /// A command was carried out, with what the world answered.
    Applied {
        /// Who asked for what.
        request: Request,
        /// What came of it.
        outcome: Outcome,
    },
    /// An activity holds a VM.
    Held {
        /// The VM.
        vm: VmId,
        /// The activity.
        activity: ActivityId,
    },
    /// It holds it no more.
    LetGo {
        /// The VM.
        vm: VmId,
        /// The activity.
        activity: ActivityId,
    },
}

impl Event {
    /// The inventory after it; `None` where it cannot have happened.
    #[must_use]
    pub fn after(&self, inventory: &Inventory) -> Option<Inventory> {
        match self {
            Self::Applied { request, outcome } => {
                let plan = Plan { request: request.clone(), warnings: Vec::new(), steps: Vec::new() };
                apply(inventory, &plan, outcome).ok()
            }
            Self::Held { vm, activity } => inventory.hold(vm, activity),
            Self::LetGo { vm, activity } => inventory.let_go(vm, activity),
        }
    }
}

impl Store {
    /// The inventory and its version; an empty one of version 0 where none was ever put in.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the row that cannot be.
    pub async fn inventory(&self) -> Result<(u64, Inventory), StoreError> {
        let mut reader = self.readers.acquire().await?;
        let mut reading = reader.begin().await?;
        let newest: Option<(i64, String)> =
            sqlx::query_as("SELECT version, document FROM snapshot ORDER BY version DESC LIMIT 1")
                .fetch_optional(&mut *reading)
                .await?;
        let (start, mut inventory) = match newest {
            None => (0, Inventory::default()),
            Some((version, text)) => {
                let read = Inventory::from_json(&text);
                (version, read.map_err(|fault| StoreError::damaged(format!("snapshot {version}"), fault))?)
            }
        };
        let events: Vec<(i64, String)> =
            sqlx::query_as("SELECT version, body FROM event WHERE version > ?1 ORDER BY version")
                .bind(start)
                .fetch_all(&mut *reading)
                .await?;
        let mut version = start;
        for (number, body) in events {
            let row = || format!("event {number}");
            if number != version + 1 {
                return Err(StoreError::damaged(row(), "the one before it is missing"));
            }
            let event: Event = serde_json::from_str(&body).map_err(|fault| StoreError::damaged(row(), fault))?;
            inventory = event.after(&inventory).ok_or_else(|| StoreError::damaged(row(), "the rules forbid it"))?;
            version = number;
        }
        Ok((unsigned(version), inventory))
    }

    /// Puts a whole inventory in the place of the one of that version.
    ///
    /// # Errors
    /// [`StoreError::Overtaken`] where it is not of that version any more.
    pub async fn import(&self, expected: u64, inventory: &Inventory) -> Result<u64, StoreError> {
        let mut writer = self.writer.lock().await;
        let mut writing = writer.begin_with("BEGIN IMMEDIATE").await?;
        if newest(&mut writing).await? != signed(expected) {
            return Err(StoreError::Overtaken);
        }
        let version = expected + 1;
        snapshot(&mut writing, version, inventory).await?;
        writing.commit().await?;
        Ok(version)
    }

    /// One transaction: the event as the version after `expected`, with the inventory that it leads to, and the activity
    /// that did it, new or changed.
    ///
    /// # Errors
    /// [`StoreError::Overtaken`] where inventory or activity are of another version; nothing is written then.
    pub async fn commit(
        &self,
        expected: u64,
        change: Option<(&Event, &Inventory)>,
        activity: &mut Activity,
        given: Option<&Given<'_>>,
    ) -> Result<u64, StoreError> {
        let mut writer = self.writer.lock().await;
        let mut writing = writer.begin_with("BEGIN IMMEDIATE").await?;
        let mut version = expected;
        if let Some((event, after)) = change {
            if newest(&mut writing).await? != signed(expected) {
                return Err(StoreError::Overtaken);
            }
            version = expected + 1;
            let body = serde_json::to_string(event).map_err(|fault| StoreError::damaged("event", fault))?;
            sqlx::query("INSERT INTO event (version, at, body) VALUES (?1, ?2, ?3)")
                .bind(signed(version))
                .bind(signed(activity.updated_at))
                .bind(body)
                .execute(&mut *writing)
                .await?;
            if version.is_multiple_of(EVENTS_PER_SNAPSHOT) {
                snapshot(&mut writing, version, after).await?;
            }
        }
        let written = activities::write(&mut writing, activity).await?;
        if let Some(given) = given {
            activities::note_token(&mut writing, activity, given).await?;
        }
        writing.commit().await?;
        activity.version = written;
        Ok(version)
    }
}

async fn newest(writing: &mut SqliteConnection) -> Result<i64, StoreError> {
    let statement = "SELECT MAX(version) FROM (SELECT MAX(version) AS version FROM event
                     UNION ALL SELECT MAX(version) FROM snapshot)";
    let found: Option<i64> = sqlx::query_scalar(statement).fetch_one(writing).await?;
    Ok(found.unwrap_or(0))
}

/// The two newest snapshots stay; events stay all, for they say who changed what.
async fn snapshot(writing: &mut SqliteConnection, version: u64, inventory: &Inventory) -> Result<(), StoreError> {
    let document = serde_json::to_string(inventory).map_err(|fault| StoreError::damaged("inventory", fault))?;
    sqlx::query("INSERT INTO snapshot (version, document) VALUES (?1, ?2)")
        .bind(signed(version))
        .bind(document)
        .execute(&mut *writing)
        .await?;
    let old = "DELETE FROM snapshot WHERE version NOT IN (SELECT version FROM snapshot ORDER BY version DESC LIMIT 2)";
    sqlx::query(old).execute(&mut *writing).await?;
    Ok(())
}
