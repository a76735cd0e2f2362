//! The store on SQLite: one file, one writer that commits groups, some readers beside it.
//!
//! ```text
//!  commit(unit) ─ prepare ─► queue ─► writer: BEGIN · savepoint per changing unit · one INSERT of all records · COMMIT
//!                    │                           │ then, and only then
//!  object(…) ─► reader ◄── committed heads, sets ◄┘─► answers
//! ```

mod activate;
mod apply;
mod columns;
mod copy;
mod due;
mod examine;
mod logs;
mod open;
mod prepare;
mod read;
mod retention;
mod rows;
mod snapshot;
mod statements;
mod subtrees;
mod together;
mod verify;
mod writer;

pub use open::Synchronous;
pub use snapshot::{KeptDomain, KeptObject, Snapshot};

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use audit::{Hash, LogId};
use secret::DomainId;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::error::StoreError;
use crate::index::IndexTerm;
use crate::limits::{DEFAULT_CHECKPOINT_PAGES, DEFAULT_KEPT_KIB, DEFAULT_QUEUE, DEFAULT_READERS, MAX_QUEUED_KIB};
use crate::mac::MacKey;
use crate::pace::Pace;
use crate::row::{DomainRow, IdentityRow, ObjectId, ObjectRow};
use crate::set::Domains;
use crate::store::{Among, DueObject, KeptLeaf, KeyStore, OldRecords, StoredRecord, Verification};
use crate::unit::{Committed, Unit};
use logs::Heads;
use prepare::{Op, Prepared};
use read::{Reader, Start};
use rows::Rows;
use subtrees::Subtrees;
use writer::{Job, Writer};

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// How far a commit goes before it is answered; below [`Synchronous::Full`] the store refuses to start.
    pub synchronous: Synchronous,
    /// Connections that read.
    pub readers: u32,
    /// Units that may wait for the writer.
    pub queue: usize,
    /// Pages of the write-ahead log at which it is carried over into the database.
    pub checkpoint_pages: u32,
    /// Kibibytes of objects lately read that stay in memory; 0 keeps none, so that every read is one of the disk.
    pub kept_kib: u64,
    /// What is to go wrong.
    #[cfg(feature = "fault")]
    pub faults: Faults,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::Full,
            readers: DEFAULT_READERS,
            queue: DEFAULT_QUEUE,
            checkpoint_pages: DEFAULT_CHECKPOINT_PAGES,
            kept_kib: DEFAULT_KEPT_KIB,
            #[cfg(feature = "fault")]
            faults: Faults::default(),
        }
    }
}

/// Deliberate faults, for tests that must notice them.
#[cfg(feature = "fault")]
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Start although `synchronous` is below FULL.
    pub weak_synchronous: bool,
    /// Answer before the commit.
    pub early_answer: bool,
    /// The commit of this number, counted from 1 at opening, fails as if the disk had refused it.
    pub failing_commit: Option<u64>,
    /// While this file is there, commits wait, as on a disk that hangs.
    pub stalled_by: Option<std::path::PathBuf>,
}

/// Does work whose future may not go from thread to thread.
async fn on_a_thread<T, W>(work: W) -> Result<T, StoreError>
where
    T: Send + 'static,
    W: AsyncFnOnce() -> Result<T, StoreError> + Send + 'static,
{
    let runtime = tokio::runtime::Handle::current();
    let done = tokio::task::spawn_blocking(move || runtime.block_on(work())).await;
    done.unwrap_or_else(|error| Err(StoreError::io(std::io::Error::other(error))))
}

/// What the store and its writer share.
struct Shared {
    reader: Reader,
}

impl Shared {
    fn failure(&self) -> Option<Arc<str>> {
        self.reader.failure.borrow().clone()
    }

    /// Enters the failed state, for good.
    fn fail(&self, error: &StoreError) -> Arc<str> {
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            reason.push_str(": ");
            reason.push_str(&cause.to_string());
            source = cause.source();
        }
        let reason: Arc<str> = reason.into();
        tracing::error!(alarm = "store failed", %reason, "nobody knows what is on the disk; the process must end");
        self.reader.failure.send_replace(Some(Arc::clone(&reason)));
        reason
    }
}

/// A store in an SQLite file.
pub struct SqliteStore {
    path: PathBuf,
    shared: Arc<Shared>,
    jobs: mpsc::Sender<Job>,
    /// Kibibytes that may still wait for the writer.
    room: Arc<Semaphore>,
    frozen: AtomicBool,
    rows_at_start: u64,
}

impl SqliteStore {
    /// Opens the database at `path`, or makes it. Beside it SQLite keeps `-wal` and `-shm`, and the store `-lock`.
    ///
    /// Every audit log's tree is taken up from its stored subtrees and the leaves behind them, and the latest checkpoint
    /// of each must be of that tree.
    /// Must be called inside a tokio runtime, which the writer then runs on.
    ///
    /// # Errors
    /// [`StoreError::Refused`], [`StoreError::Tampered`] for logs that are not whole, [`StoreError::Io`].
    pub async fn open(path: impl AsRef<Path>, options: StoreOptions) -> Result<Self, StoreError> {
        // On a thread of its own, because the futures of migrations are bound to one.
        let (file, with) = (path.as_ref().to_owned(), options.clone());
        let mut opened = on_a_thread(async move || open::open(&file, &with).await).await?;
        let (logs, rows_at_start) = logs::load(&mut opened.writer).await?;
        let (heads, subtrees) = (Heads::default(), Subtrees::default());
        for (name, log) in &logs {
            heads.put(*name, log.id, log.tree.clone());
        }
        let (failure, _) = watch::channel(None);
        let (pool, domains, rows) = (opened.readers, Domains::default(), Rows::within(options.kept_kib));
        let reader = Reader { pool, domains, heads, subtrees, rows, failure };
        let shared = Arc::new(Shared { reader });
        let (sender, jobs) = mpsc::channel(options.queue.max(1));
        let writer = Writer::new(opened.writer, Arc::clone(&shared), logs, &options, opened.lock);
        tokio::spawn(writer.run(jobs));
        Ok(Self {
            path: path.as_ref().to_owned(),
            shared,
            jobs: sender,
            room: Arc::new(Semaphore::new(MAX_QUEUED_KIB)),
            frozen: AtomicBool::new(false),
            rows_at_start,
        })
    }

    /// Rows of leaves and subtrees that opening read: at most [`crate::limits::MAX_ROWS_PER_LOG`] for each log, however
    /// long it is.
    #[must_use]
    pub fn rows_at_start(&self) -> u64 {
        self.rows_at_start
    }

    /// What the system's SQLite is called; shown by health checks.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub async fn sqlite_version(&self) -> Result<String, StoreError> {
        Ok(sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&self.shared.reader.pool).await?)
    }

    /// SQLite's own check of the file: `ok`, or what is broken. Reads everything.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub async fn integrity(&self) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&self.shared.reader.pool).await?)
    }

    async fn hand_in(&self, unit: Prepared) -> Result<Committed, StoreError> {
        let kib = u32::try_from(unit.weight / 1024 + 1).map_err(|_| StoreError::Full)?;
        let permit = Arc::clone(&self.room).try_acquire_many_owned(kib).map_err(|_| StoreError::Full)?;
        let (answer, answered) = oneshot::channel();
        self.jobs.try_send(Job::Commit(unit, answer, permit)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Full,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        answered.await.unwrap_or(Err(StoreError::Closed))
    }
}

#[async_trait]
impl KeyStore for SqliteStore {
    async fn domains(&self) -> Result<Vec<DomainRow>, StoreError> {
        self.shared.reader.domains().await
    }

    async fn activate(&self, domain: DomainId, key: MacKey) -> Result<DomainRow, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Job::Activate(domain, key, answer)).await.map_err(|_| StoreError::Closed)?;
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    async fn deactivate(&self, domain: DomainId) {
        // At once for readers; the writer forgets it in its turn.
        self.shared.reader.domains.remove(&domain);
        self.shared.reader.rows.forget_domain(&domain);
        let (answer, answered) = oneshot::channel();
        if self.jobs.send(Job::Deactivate(domain, answer)).await.is_ok() {
            let _ = answered.await;
        }
    }

    async fn is_buried(&self, domain: DomainId, id: ObjectId) -> Result<bool, StoreError> {
        self.shared.reader.check()?;
        Ok(self.shared.reader.domains.get(&domain)?.is_tombstoned(&id))
    }

    async fn flush(&self) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Job::Flush(answer)).await.map_err(|_| StoreError::Closed)?;
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    async fn copy(&self, to: &Path, domain: Option<DomainId>) -> Result<(), StoreError> {
        self.shared.reader.check()?;
        let (from, to) = (self.path.clone(), to.to_owned());
        on_a_thread(async move || copy::copy(&from, &to, domain).await).await
    }

    async fn identities(&self, domain: DomainId) -> Result<Vec<IdentityRow>, StoreError> {
        self.shared.reader.check()?;
        let active = self.shared.reader.domains.get(&domain)?;
        let mut identities: Vec<_> = active.look(|members| members.identities.values().cloned().collect());
        identities.sort_by_key(|identity| identity.fingerprint);
        Ok(identities)
    }

    async fn object(&self, domain: DomainId, id: ObjectId) -> Result<Option<ObjectRow>, StoreError> {
        self.shared.reader.object(domain, id).await
    }

    async fn object_named(&self, domain: DomainId, name: &str) -> Result<Option<ObjectRow>, StoreError> {
        self.shared.reader.object_named(domain, name).await
    }

    async fn candidates(
        &self,
        domain: DomainId,
        terms: &[IndexTerm],
        after: Option<ObjectId>,
        limit: usize,
    ) -> Result<Vec<ObjectRow>, StoreError> {
        let among = if terms.is_empty() { Among::All } else { Among::Living(terms) };
        self.shared.reader.search(domain, among, Start::After(after), limit).await
    }

    async fn newest(
        &self,
        domain: DomainId,
        among: Among<'_>,
        before: Option<ObjectId>,
        limit: usize,
    ) -> Result<Vec<ObjectRow>, StoreError> {
        self.shared.reader.search(domain, among, Start::Before(before), limit).await
    }

    async fn domains_due(&self, now_s: i64) -> Result<Vec<DomainId>, StoreError> {
        self.shared.reader.domains_due(now_s).await
    }

    async fn due(
        &self,
        domain: DomainId,
        now_s: i64,
        after: Option<DueObject>,
        limit: usize,
    ) -> Result<Vec<DueObject>, StoreError> {
        self.shared.reader.due(domain, now_s, after, limit).await
    }

    async fn count_objects(&self, domain: DomainId) -> Result<u64, StoreError> {
        self.shared.reader.count_objects(domain).await
    }

    fn freeze_changes(&self, frozen: bool) -> bool {
        self.frozen.swap(frozen, Ordering::AcqRel)
    }

    async fn commit(&self, unit: Unit) -> Result<Committed, StoreError> {
        self.shared.reader.check()?;
        if self.frozen.load(Ordering::Acquire) && unit.steps.iter().any(|step| !step.changes.is_empty()) {
            return Err(StoreError::Frozen);
        }
        #[cfg(feature = "unaudited-bench")]
        if unit.steps.iter().all(|step| step.changes.is_empty()) {
            return Ok(Committed::default());
        }
        let prepared = prepare::prepare(&self.shared.reader, unit).await?;
        self.hand_in(prepared).await
    }

    async fn records(&self, log: LogId, from: u64, limit: usize) -> Result<Vec<StoredRecord>, StoreError> {
        self.shared.reader.records(log, from, limit).await
    }

    async fn leaves_as_kept(&self, log: LogId, from: u64, limit: usize) -> Result<Vec<KeptLeaf>, StoreError> {
        self.shared.reader.leaves_as_kept(log, from, limit).await
    }

    async fn old_records(&self, log: LogId, from: u64, before_us: i64) -> Result<OldRecords, StoreError> {
        self.shared.reader.old_records(log, from, before_us).await
    }

    async fn tree_head(&self, log: LogId) -> Result<(u64, Hash), StoreError> {
        self.shared.reader.check()?;
        let (_, tree) = self.shared.reader.heads.get(&log).ok_or(StoreError::NotFound)?;
        Ok((tree.size(), tree.root()))
    }

    async fn leaf_hashes(&self, log: LogId, from: u64, to: u64) -> Result<Vec<Hash>, StoreError> {
        self.shared.reader.leaf_hashes(log, from, to).await
    }

    async fn subtree_roots(&self, log: LogId, ranges: &[Range<u64>]) -> Result<Vec<Hash>, StoreError> {
        self.shared.reader.check()?;
        subtrees::roots(&self.shared.reader, log, ranges).await
    }

    async fn logs(&self) -> Result<Vec<LogId>, StoreError> {
        self.shared.reader.check()?;
        Ok(self.shared.reader.heads.all())
    }

    async fn store_checkpoint(&self, log: LogId, note: String) -> Result<(), StoreError> {
        self.shared.reader.check()?;
        let size = logs::checkpoint_of(log, &note)?.size;
        self.hand_in(Prepared::of(Op::PutCheckpoint { log, size, note })).await.map(drop)
    }

    async fn latest_checkpoint(&self, log: LogId) -> Result<Option<String>, StoreError> {
        self.shared.reader.latest_checkpoint(log).await
    }

    async fn checkpoint_between(&self, log: LogId, after: u64, up_to: u64) -> Result<Option<String>, StoreError> {
        self.shared.reader.checkpoint_between(log, after, up_to).await
    }

    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.shared.reader.setting(name).await
    }

    async fn put_setting(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.shared.reader.check()?;
        let op = prepare::put_setting(name.to_owned(), value.to_vec())?;
        self.hand_in(Prepared::of(op)).await.map(drop)
    }

    async fn verify(&self, domain: DomainId, pace: Pace) -> Result<Verification, StoreError> {
        verify::verify(&self.shared.reader, domain, pace).await
    }

    async fn fatal(&self) -> StoreError {
        let mut failure = self.shared.reader.failure.subscribe();
        // The sender lives as long as `self`, so that waiting ends only with a failure.
        match failure.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone()) {
            Some(reason) => StoreError::Failed(reason),
            None => StoreError::Closed,
        }
    }

    async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        if self.jobs.send(Job::Close(answer)).await.is_ok() {
            let _ = answered.await;
        }
    }
}
