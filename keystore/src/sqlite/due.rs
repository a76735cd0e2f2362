//! Finds objects whose date has come, by two indexes that hold nothing but objects that wait for one.

use secret::DomainId;
use sqlx::Row;

use super::read::Reader;
use crate::error::StoreError;
use crate::limits::MAX_PAGE;
use crate::raw::{sized, uuid_text};
use crate::store::DueObject;

/// Word for word the condition of index `object_to_activate`, or SQLite does not use it.
macro_rules! to_activate {
    () => {
        "state = 1 AND object_type NOT IN (6, 8) AND activation_date <= "
    };
}

/// The same of `object_to_deactivate`.
macro_rules! to_deactivate {
    () => {
        "state = 2 AND object_type NOT IN (6, 8) AND deactivation_date <= "
    };
}

/// Two look-ups for each domain.
const DOMAINS: &str = concat!(
    "SELECT id FROM domain WHERE EXISTS (SELECT 1 FROM object WHERE object.domain = domain.id AND object.",
    to_activate!(),
    "$1) OR EXISTS (SELECT 1 FROM object WHERE object.domain = domain.id AND object.",
    to_deactivate!(),
    "$1)"
);

/// Both indexes, merged.
const OBJECTS: &str = concat!(
    "SELECT activation_date AS at, id FROM object WHERE domain = $1 AND ",
    to_activate!(),
    "$2 AND (activation_date, id) > ($3, $4) UNION ALL \
     SELECT deactivation_date AS at, id FROM object WHERE domain = $1 AND ",
    to_deactivate!(),
    "$2 AND (deactivation_date, id) > ($3, $4) ORDER BY at, id LIMIT $5"
);

impl Reader {
    pub(super) async fn domains_due(&self, now_s: i64) -> Result<Vec<DomainId>, StoreError> {
        self.check()?;
        let ids: Vec<Vec<u8>> = sqlx::query_scalar(DOMAINS).bind(now_s).fetch_all(&self.pool).await?;
        ids.iter().map(|id| sized(id, "id").map_err(|_| StoreError::tampered("domain", uuid_text(id)))).collect()
    }

    pub(super) async fn due(
        &self,
        domain: DomainId,
        now_s: i64,
        after: Option<DueObject>,
        limit: usize,
    ) -> Result<Vec<DueObject>, StoreError> {
        self.check()?;
        self.domains.get(&domain)?;
        // The empty blob is before every identifier.
        let (at, id) = after.map_or((i64::MIN, Vec::new()), |after| (after.at, after.id.to_vec()));
        let rows = sqlx::query(OBJECTS)
            .bind(domain.to_vec())
            .bind(now_s)
            .bind(at)
            .bind(id)
            .bind(i64::try_from(limit.min(MAX_PAGE)).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let id: Vec<u8> = row.try_get(1)?;
            let id = sized(&id, "id").map_err(|_| StoreError::tampered("object", uuid_text(&id)))?;
            found.push(DueObject { at: row.try_get(0)?, id });
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use kmip::registry::{ObjectType, State};
    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection};

    use super::*;
    use crate::sqlite::open::MIGRATIONS;

    async fn plan(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
        let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).fetch_all(connection).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>(3)).collect()
    }

    #[tokio::test]
    async fn no_table_of_objects_is_scanned() {
        let mut connection = SqliteConnectOptions::new().connect().await.unwrap();
        MIGRATIONS.run(&mut connection).await.unwrap();
        for sql in [DOMAINS, OBJECTS] {
            let plan = plan(&mut connection, sql).await;
            for index in ["USING INDEX object_to_activate (", "USING INDEX object_to_deactivate ("] {
                assert!(plan.iter().any(|step| step.contains(index)), "{plan:?}");
            }
            assert!(!plan.iter().any(|step| step.contains("SCAN object") || step.contains("TEMP B-TREE")), "{plan:?}");
        }
        // The control: without the word-for-word condition the plan is another one.
        let plan = plan(&mut connection, &OBJECTS.replace("NOT IN (6, 8)", "NOT IN (8, 6)")).await;
        assert!(!plan.iter().any(|step| step.contains("object_to_")), "{plan:?}");
    }

    #[test]
    fn the_numbers_in_the_statements_are_those_of_the_registry() {
        assert_eq!([State::PreActive.value(), State::Active.value()], [1, 2]);
        assert_eq!([ObjectType::Template.value(), ObjectType::OpaqueObject.value()], [6, 8]);
    }
}
