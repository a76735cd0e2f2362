//! The one writer: it takes all units that wait, does them in one transaction, waits for the disk, and only then
//! answers them all. While it waits for the disk, the next group gathers.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use sqlx::{Connection, Row, SqliteConnection};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::Shared;
use super::apply::{Application, Applied, Failure, Leaf, Memory, News};
use super::logs::Log;
use super::prepare::Prepared;
use super::rows::Place;
use super::subtrees::{self, Finished};
use super::together::Together;
use super::{StoreOptions, activate};
use crate::error::StoreError;
use crate::limits::{MAX_GROUP, MAX_INSERT_LEN};
use crate::mac::MacKey;
use crate::row::DomainRow;
use crate::unit::Committed;

/// Where an answer goes.
pub(super) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the writer is asked to do.
pub(super) enum Job {
    Commit(Prepared, Answer<Committed>, OwnedSemaphorePermit),
    Activate(secret::DomainId, MacKey, Answer<DomainRow>),
    Deactivate(secret::DomainId, oneshot::Sender<()>),
    Flush(Answer<()>),
    Close(oneshot::Sender<()>),
}

/// The task that writes.
pub(super) struct Writer {
    connection: SqliteConnection,
    shared: Arc<Shared>,
    memory: Memory,
    #[cfg(feature = "fault")]
    faults: super::Faults,
    #[cfg(feature = "fault")]
    commits: u64,
    /// Held until the database is closed.
    lock: File,
}

/// Units with their answers; the permits give their room in the queue back when the group is done.
type Group = Vec<(Prepared, Answer<Committed>, OwnedSemaphorePermit)>;

impl Writer {
    pub(super) fn new(
        connection: SqliteConnection,
        shared: Arc<Shared>,
        logs: HashMap<audit::LogId, Log>,
        options: &StoreOptions,
        lock: File,
    ) -> Self {
        #[cfg(not(feature = "fault"))]
        let _ = options;
        Self {
            connection,
            shared,
            memory: Memory { logs, sets: HashMap::new() },
            #[cfg(feature = "fault")]
            faults: options.faults.clone(),
            #[cfg(feature = "fault")]
            commits: 0,
            lock,
        }
    }

    /// Works until the store is closed or dropped.
    pub(super) async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut waiting = Vec::with_capacity(MAX_GROUP);
        let mut closed = None;
        while closed.is_none() && jobs.recv_many(&mut waiting, MAX_GROUP).await > 0 {
            let mut group = Group::new();
            for job in waiting.drain(..) {
                match job {
                    Job::Commit(unit, answer, permit) => group.push((unit, answer, permit)),
                    Job::Activate(domain, key, answer) => {
                        // Behind everything that came before it: the set must not change while it is read.
                        self.commit(std::mem::take(&mut group)).await;
                        let activated = self.activate(domain, key).await;
                        let _ = answer.send(activated);
                    }
                    Job::Deactivate(domain, answer) => {
                        self.commit(std::mem::take(&mut group)).await;
                        self.shared.reader.domains.remove(&domain);
                        self.memory.sets.remove(&domain);
                        let _ = answer.send(());
                    }
                    Job::Flush(answer) => {
                        self.commit(std::mem::take(&mut group)).await;
                        let flushed = self.flush().await;
                        let _ = answer.send(flushed);
                    }
                    Job::Close(answer) => closed = Some(answer),
                }
            }
            self.commit(group).await;
        }
        // Units that were handed in after the call to close are refused, not forgotten: dropping them answers them.
        drop(jobs);
        self.close().await;
        if let Some(closed) = closed {
            let _ = closed.send(());
        }
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        self.shared.reader.check()?;
        let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut self.connection).await?;
        // The first column tells whether somebody was still reading what was to be emptied.
        match row.try_get::<i64, _>(0)? {
            0 => Ok(()),
            _ => Err(StoreError::io("a reader kept the write-ahead log from being emptied")),
        }
    }

    async fn close(self) {
        let Self { mut connection, shared, lock, .. } = self;
        shared.reader.domains.clear();
        shared.reader.pool.close().await;
        if shared.failure().is_some() {
            // Closing would carry the write-ahead log over, of which nobody knows what is on the disk.
            std::mem::forget(connection);
        } else {
            let carried = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await;
            if let Err(error) = carried.map(drop).and(connection.close().await) {
                tracing::error!(%error, "the database was not closed properly; the next start recovers it");
            }
        }
        drop(lock);
    }

    async fn activate(&mut self, domain: secret::DomainId, key: MacKey) -> Result<DomainRow, StoreError> {
        self.shared.reader.check()?;
        let (active, set) = activate::activate(&mut self.connection, &self.memory, domain, key).await?;
        let row = active.look(|members| members.row.clone());
        self.memory.sets.insert(domain, set);
        self.shared.reader.domains.put(Arc::new(active));
        Ok(row)
    }

    /// Commits a group and answers it. A failure of the database ends the store; see [`StoreError::Failed`].
    async fn commit(&mut self, group: Group) {
        if group.is_empty() {
            return;
        }
        if let Some(reason) = self.shared.failure() {
            for (_, answer, _) in group {
                let _ = answer.send(Err(StoreError::Failed(Arc::clone(&reason))));
            }
            return;
        }
        let mut open = Vec::with_capacity(group.len());
        if let Err(error) = self.transaction(group, &mut open).await {
            let reason = self.shared.fail(&error);
            for Open { answer, .. } in open {
                let _ = answer.send(Err(StoreError::Failed(Arc::clone(&reason))));
            }
            return;
        }
        for Open { answer, result, .. } in open {
            // Whoever asked may have gone; what was asked is done.
            let _ = answer.send(result);
        }
    }

    async fn transaction(&mut self, group: Group, open: &mut Vec<Open>) -> Result<(), StoreError> {
        let changing = group.iter().any(|(unit, ..)| unit.changes);
        if changing {
            sqlx::query("BEGIN IMMEDIATE").execute(&mut self.connection).await?;
        }
        // Of units that are refused, too: what is on the disk is then another row than was thought.
        let places: Vec<Place> = group.iter().flat_map(|(unit, ..)| unit.places()).collect();
        let mut done = Done::default();
        let mut failed = None;
        let (together, singly) = group.into_iter().partition(|(unit, ..)| unit.only_change().is_some());
        let singly: Group = singly;
        let mut rest = match self.apply_together(together, &mut done, open).await {
            Ok(refused) => refused,
            Err(error) => {
                failed = Some(error);
                Group::new()
            }
        };
        rest.extend(singly);
        for (unit, answer, room) in rest {
            if failed.is_some() {
                open.push(Open { answer, result: Err(StoreError::Closed), _room: room });
                continue;
            }
            let result = match self.apply(unit).await {
                Ok(applied) => Ok(done.add(applied)),
                Err(Failure::Rejected(error)) => Err(error),
                Err(Failure::Fatal(error)) => {
                    failed = Some(error);
                    Err(StoreError::Closed)
                }
            };
            open.push(Open { answer, result, _room: room });
        }
        if let Some(error) = failed {
            return Err(error);
        }
        #[cfg(feature = "fault")]
        if self.faults.early_answer {
            for Open { answer, result, .. } in open.drain(..) {
                let _ = answer.send(result);
            }
        }
        let Done { leaves, finished, news } = done;
        self.append(&leaves, &finished, changing).await?;
        // Before a tombstone is told: a row that is still there then would be one that came back.
        self.shared.reader.rows.forget(places);
        self.tell(news, &leaves);
        Ok(())
    }

    /// Applies units of which each changes one object, many at a time. Gives those back that were refused in company.
    async fn apply_together(
        &mut self,
        mut units: Group,
        done: &mut Done,
        open: &mut Vec<Open>,
    ) -> Result<Group, StoreError> {
        let mut refused = Group::new();
        while units.len() > 1 {
            let mut application = Application::new(&mut self.memory);
            let mut together = Together::default();
            let mut counts = Vec::new();
            let mut placed = Ok(());
            for (unit, ..) in &units {
                if placed.is_err() || together.len() > MAX_INSERT_LEN {
                    break;
                }
                unit.only_change().into_iter().for_each(|op| together.take(op));
                let mut records = unit.steps.iter().filter_map(|step| step.record.as_ref());
                placed = records.try_for_each(|record| application.place(Cow::Borrowed(record)));
                counts.push(unit.steps.iter().filter(|step| step.record.is_some()).count());
            }
            let taken: Group = units.drain(..counts.len()).collect();
            let written = match placed {
                Ok(()) => together.write(&mut self.connection).await,
                Err(error) => Err(Failure::Rejected(error)),
            };
            match written {
                Ok(()) => {
                    let mut positions = done.add(application.keep()).positions.into_iter();
                    for ((_, answer, room), count) in taken.into_iter().zip(counts) {
                        let committed = Committed { positions: positions.by_ref().take(count).collect() };
                        open.push(Open { answer, result: Ok(committed), _room: room });
                    }
                }
                Err(Failure::Rejected(_)) => refused.extend(taken),
                Err(Failure::Fatal(error)) => {
                    let closed = |(_, answer, room)| Open { answer, result: Err(StoreError::Closed), _room: room };
                    open.extend(taken.into_iter().chain(refused).chain(units).map(closed));
                    return Err(error);
                }
            }
        }
        refused.extend(units);
        Ok(refused)
    }

    /// Applies a unit: in a savepoint if it changes rows, so that one that fails undoes only itself.
    async fn apply(&mut self, unit: Prepared) -> Result<Applied, Failure> {
        let mut application = Application::new(&mut self.memory);
        if !unit.changes {
            application.run_records(unit)?;
            return Ok(application.keep());
        }
        if unit.is_one_statement() {
            application.run(&mut self.connection, unit).await?;
            return Ok(application.keep());
        }
        sqlx::query("SAVEPOINT unit").execute(&mut self.connection).await.map_err(fatal)?;
        match application.run(&mut self.connection, unit).await {
            Ok(()) => {
                let applied = application.keep();
                sqlx::query("RELEASE unit").execute(&mut self.connection).await.map_err(fatal)?;
                Ok(applied)
            }
            Err(Failure::Rejected(error)) => {
                drop(application);
                let undo = sqlx::query("ROLLBACK TO unit; RELEASE unit");
                undo.execute(&mut self.connection).await.map_err(fatal)?;
                Err(Failure::Rejected(error))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Appends the records of the whole group, one statement for all of them, and the subtrees that they finished; and
    /// commits.
    async fn append(&mut self, leaves: &[Leaf], finished: &[Finished], begun: bool) -> Result<(), StoreError> {
        let mut batches = Batch::all(leaves);
        #[cfg(feature = "fault")]
        self.fail_if_told().await?;
        if !begun && batches.len() == 1 && finished.is_empty() {
            // A statement outside a transaction is one.
            if let Some(batch) = batches.pop() {
                batch.insert(&mut self.connection, INSERT).await?;
            }
            return Ok(());
        }
        if !begun && !batches.is_empty() {
            sqlx::query("BEGIN IMMEDIATE").execute(&mut self.connection).await?;
        }
        if !finished.is_empty() {
            subtrees::insert(&mut self.connection, finished).await?;
        }
        let last = batches.pop();
        for batch in batches {
            batch.insert(&mut self.connection, INSERT).await?;
        }
        match last {
            Some(batch) => batch.insert(&mut self.connection, INSERT_AND_COMMIT).await,
            None if begun => {
                sqlx::query("COMMIT").execute(&mut self.connection).await?;
                Ok(())
            }
            None => Ok(()),
        }
    }

    #[cfg(feature = "fault")]
    async fn fail_if_told(&mut self) -> Result<(), StoreError> {
        self.commits += 1;
        while self.faults.stalled_by.as_ref().is_some_and(|file| file.exists()) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        if self.faults.failing_commit == Some(self.commits) {
            // As after a failed fsync: what was written is not in the database.
            let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
            return Err(StoreError::io("injected: the commit failed"));
        }
        Ok(())
    }

    fn tell(&self, news: Vec<News>, leaves: &[Leaf]) {
        let touched: std::collections::HashSet<i64> = leaves.iter().map(|leaf| leaf.log).collect();
        for (name, log) in self.memory.logs.iter().filter(|(_, log)| touched.contains(&log.id)) {
            self.shared.reader.heads.put(*name, log.id, log.tree.clone());
        }
        for one in news {
            one.tell(&self.shared.reader.domains);
        }
    }
}

fn fatal(error: sqlx::Error) -> Failure {
    Failure::Fatal(error.into())
}

/// What the units of a group leave to be done.
#[derive(Default)]
struct Done {
    leaves: Vec<Leaf>,
    finished: Vec<Finished>,
    news: Vec<News>,
}

impl Done {
    fn add(&mut self, applied: Applied) -> Committed {
        self.leaves.extend(applied.leaves);
        self.finished.extend(applied.finished);
        self.news.extend(applied.news);
        applied.committed
    }
}

/// An answer that waits for the disk. Until it is given the unit still takes up its room in the queue: its records are
/// in memory, and who comes meanwhile must wait for the disk too.
struct Open {
    answer: Answer<Committed>,
    result: Result<Committed, StoreError>,
    _room: OwnedSemaphorePermit,
}

macro_rules! insert_audit {
    () => {
        "INSERT INTO audit (log, seq, leaf, record) \
         SELECT value ->> 0, value ->> 1, substr($2, value ->> 2, 32), substr($2, (value ->> 2) + 32, value ->> 3) \
         FROM json_each($1)"
    };
}

const INSERT: &str = insert_audit!();
const INSERT_AND_COMMIT: &str = concat!(insert_audit!(), "; COMMIT");

/// Records for one INSERT: a list of log, position, offset and length, and one blob of leaf hashes and records.
#[derive(Default)]
struct Batch {
    places: String,
    blob: Vec<u8>,
}

impl Batch {
    fn all(leaves: &[Leaf]) -> Vec<Self> {
        let mut batches: Vec<Self> = Vec::new();
        for leaf in leaves {
            match batches.last_mut() {
                Some(batch) if batch.blob.len() < MAX_INSERT_LEN => batch.push(leaf),
                _ => {
                    let mut batch = Self::default();
                    batch.push(leaf);
                    batches.push(batch);
                }
            }
        }
        batches
    }

    fn push(&mut self, leaf: &Leaf) {
        let separator = if self.places.is_empty() { '[' } else { ',' };
        // SQL counts bytes from 1.
        let (at, len) = (self.blob.len() + 1, leaf.bytes.len());
        self.places.push_str(&format!("{separator}[{},{},{at},{len}]", leaf.log, leaf.seq));
        self.blob.extend_from_slice(&leaf.hash);
        self.blob.extend_from_slice(&leaf.bytes);
    }

    async fn insert(mut self, connection: &mut SqliteConnection, sql: &'static str) -> Result<(), StoreError> {
        self.places.push(']');
        sqlx::query(sql).bind(self.places).bind(self.blob).execute(connection).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use audit::{Identity, LogId, Outcome, Record};
    use tokio::sync::{Semaphore, watch};

    use super::super::rows::Rows;
    use super::super::{logs, open, prepare, read};
    use super::*;
    use crate::unit::Unit;

    fn record() -> Record {
        Record {
            time_us: 1,
            node: [1; 16],
            boot: [2; 16],
            counter: 0,
            log: LogId::System,
            identity: Identity::Node,
            source: String::new(),
            operation: "Start".to_owned(),
            object: None,
            outcome: Outcome::Success,
            reason: None,
            request_id: [3; 16],
            correlation: None,
            revision: None,
            row_digest: None,
            set_digest: None,
            approvals: Vec::new(),
            detail: None,
            count: 1,
        }
    }

    #[tokio::test]
    async fn a_unit_takes_up_its_room_until_it_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions::default();
        let mut opened = open::open(&folder.path().join("store.db"), &options).await.unwrap();
        let (logs, _) = logs::load(&mut opened.writer).await.unwrap();
        let (failure, _) = watch::channel(None);
        let (pool, domains, heads) = (opened.readers, Default::default(), Default::default());
        let (subtrees, rows) = (Default::default(), Rows::within(0));
        let shared = Arc::new(Shared { reader: read::Reader { pool, domains, heads, subtrees, rows, failure } });
        let mut writer = Writer::new(opened.writer, Arc::clone(&shared), logs, &options, opened.lock);
        let room = Arc::new(Semaphore::new(10));
        let mut group = Group::new();
        let mut answers = Vec::new();
        for _ in 0..3 {
            let unit = Unit::records([record()]);
            let unit = prepare::prepare(&shared.reader, unit).await.unwrap();
            let (answer, answered) = oneshot::channel();
            group.push((unit, answer, Arc::clone(&room).try_acquire_many_owned(2).unwrap()));
            answers.push(answered);
        }
        let mut open = Vec::new();
        writer.transaction(group, &mut open).await.unwrap();
        assert_eq!((open.len(), room.available_permits()), (3, 4), "on the disk, not answered");
        drop(open);
        assert_eq!(room.available_permits(), 10);
        writer.close().await;
    }
}
