//! What the tests of the store have in common: domains, objects, records, and a hand on the database itself.

#![expect(dead_code, reason = "each test file uses its own part")]

pub mod database;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use audit::{Identity, LogId, Outcome, Record};
use keystore::{
    Access, Change, Committed, Credential, Dates, DomainRow, DomainState, IdentityKind, IdentityRow, KeyStore, MacKey,
    ObjectId, ObjectRow, Permissions, Revocation, SqliteStore, Step, StoreError, StoreOptions, Subject, Unit,
};
use kmip::attribute::{Attribute, AttributeValue, Name};
use kmip::registry::{CryptographicAlgorithm, NameType, ObjectType, RevocationReasonCode, State, UsageMask};
use secret::{Algorithm, DomainId, Sealed, Secret};
use tempfile::TempDir;

pub const ACME: DomainId = [0xac; 16];
pub const BOREAL: DomainId = [0xb0; 16];

/// A store in a folder of its own.
pub struct Folder {
    pub folder: TempDir,
}

impl Folder {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("store.db")
    }

    pub async fn open(&self) -> SqliteStore {
        self.open_with(StoreOptions::default()).await.unwrap()
    }

    pub async fn open_with(&self, options: StoreOptions) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(self.path(), options).await
    }

    /// Opens it and activates both domains.
    pub async fn open_active(&self) -> SqliteStore {
        let store = self.open().await;
        for domain in [ACME, BOREAL] {
            store.activate(domain, key_of(domain)).await.unwrap();
        }
        store
    }
}

/// A store with both domains.
pub async fn with_domains() -> (Folder, SqliteStore) {
    with_domains_by(StoreOptions::default()).await
}

/// A store with both domains that keeps no rows in memory: every read is one of the disk.
pub async fn with_domains_on_disk() -> (Folder, SqliteStore) {
    with_domains_by(StoreOptions { kept_kib: 0, ..StoreOptions::default() }).await
}

async fn with_domains_by(options: StoreOptions) -> (Folder, SqliteStore) {
    let folder = Folder::new();
    let store = folder.open_with(options).await.unwrap();
    create_domains(&store).await;
    (folder, store)
}

pub async fn create_domains(store: &dyn KeyStore) {
    for (domain, name) in [(ACME, "acme"), (BOREAL, "boreal")] {
        let change = Change::CreateDomain(domain_row(domain, name), key_of(domain));
        store.commit(unit(vec![step(change, record(domain, "CreateDomain"))])).await.unwrap();
    }
}

pub fn key_of(domain: DomainId) -> MacKey {
    MacKey::from_secret(&Secret::copy_from(&[domain[0]; 32]), domain)
}

pub fn sealed(domain: DomainId, fill: u8) -> Sealed {
    Sealed::assemble(Algorithm::AesGcmInHsm, domain, 1, &[fill; 12], &[fill; 48]).unwrap()
}

pub fn domain_row(id: DomainId, name: &str) -> DomainRow {
    DomainRow {
        id,
        name: name.to_owned(),
        state: DomainState::Active,
        revision: 0,
        created_us: 1_700_000_000_000_000,
        domain_key: vec![id[0]; 90],
        secret: sealed(id, 0x5e),
        policy: "anssi".to_owned(),
        system: false,
        authority: None,
        permissions: Permissions::EXPORT,
        defaults: Some(vec![1; 8]),
        constraints: Some(vec![2; 16]),
        requests: Some(vec![3; 24]),
        retention: keystore::retention::Retention { days: Some(400), ..keystore::retention::Retention::default() },
        backups: Some(b"[]".to_vec()),
    }
}

pub fn identity_row(domain: DomainId, number: u8) -> IdentityRow {
    IdentityRow {
        domain,
        fingerprint: [number; 32],
        origin: [number; 32],
        name: format!("host {number}"),
        kind: IdentityKind::Client,
        certificate: vec![number; 40],
        access: Access::default(),
        credential_demanded: false,
        credentials: vec![Credential {
            subject: Subject::User(format!("user{number}")),
            argon2: Some(format!("$argon2id${number}")),
            access: Access::default(),
        }],
        created_us: 1_700_000_000_000_000 + i64::from(number),
        revoked: false,
        revision: 0,
    }
}

/// Identifiers that grow, as version 7 UUIDs do, no two of them a bit apart.
pub fn next_id() -> ObjectId {
    static COUNTER: AtomicU64 = AtomicU64::new(1);
    let mut id = [0; 16];
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    id[..8].copy_from_slice(&number.to_be_bytes());
    id[8..].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    id
}

pub fn name(value: &str) -> Attribute {
    let value = value.to_owned();
    Attribute::new(AttributeValue::Name(Name { value, name_type: NameType::UninterpretedTextString }))
}

/// An AES key with nothing special about it.
pub fn object(domain: DomainId) -> ObjectRow {
    ObjectRow {
        id: next_id(),
        domain,
        revision: 0,
        object_type: ObjectType::SymmetricKey,
        state: State::PreActive,
        algorithm: Some(CryptographicAlgorithm::Aes),
        length: Some(256),
        usage_mask: UsageMask(12),
        dates: Dates { initial: 1_700_000_000, last_change: 1_700_000_000, ..Dates::default() },
        revocation: None,
        owner: [0x0e; 32],
        fresh: true,
        attributes: Vec::new(),
        seal_number: 1,
        sealed: Some(sealed(domain, 0x11)),
    }
}

pub fn named(domain: DomainId, value: &str) -> ObjectRow {
    ObjectRow { attributes: vec![name(value)], ..object(domain) }
}

/// An object with something in every column.
pub fn full_object(domain: DomainId) -> ObjectRow {
    let day = |number: i64| Some(1_700_000_000 + number * 86_400);
    ObjectRow {
        state: State::Compromised,
        dates: Dates {
            initial: 1_700_000_000,
            activation: day(1),
            process_start: day(2),
            protect_stop: day(3),
            deactivation: day(4),
            destroy: day(5),
            compromise_occurrence: day(6),
            compromise: day(7),
            archive: day(8),
            last_change: 1_700_000_999,
        },
        revocation: Some(Revocation {
            code: RevocationReasonCode::KeyCompromise,
            message: Some("laptop lost – again".to_owned()),
        }),
        attributes: vec![
            name(&format!("full {}", uuid::Uuid::from_bytes(next_id()))),
            Attribute::new(AttributeValue::custom_text("x-site", "PAR7S").unwrap()),
        ],
        ..object(domain)
    }
}

pub fn record(domain: DomainId, operation: &str) -> Record {
    record_for(LogId::Domain(domain), operation)
}

pub fn record_for(log: LogId, operation: &str) -> Record {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    Record {
        time_us: 1_700_000_000_000_000,
        node: [1; 16],
        boot: [2; 16],
        counter: COUNTER.fetch_add(1, Ordering::Relaxed),
        log,
        identity: Identity::Node,
        source: String::new(),
        operation: operation.to_owned(),
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

pub fn step(change: Change, record: Record) -> Step {
    Step { changes: vec![change], record: Some(record) }
}

pub fn unit(steps: Vec<Step>) -> Unit {
    Unit { steps }
}

pub fn record_only(record: Record) -> Unit {
    unit(vec![Step { changes: Vec::new(), record: Some(record) }])
}

pub fn creation(row: ObjectRow) -> Step {
    let record = record(row.domain, "Create");
    step(Change::CreateObject(row), record)
}

pub fn update(row: ObjectRow) -> Step {
    let record = record(row.domain, "Activate");
    step(Change::UpdateObject { row }, record)
}

pub fn destruction(mut row: ObjectRow) -> Step {
    row.state = State::Destroyed;
    row.sealed = None;
    row.dates.destroy = Some(1_700_000_777);
    let record = record(row.domain, "Destroy");
    step(Change::DestroyObject { row }, record)
}

pub async fn commit(store: &dyn KeyStore, steps: Vec<Step>) -> Result<Committed, StoreError> {
    store.commit(unit(steps)).await
}

pub async fn create(store: &dyn KeyStore, row: &ObjectRow) -> Committed {
    commit(store, vec![creation(row.clone())]).await.unwrap()
}

pub async fn get(store: &dyn KeyStore, row: &ObjectRow) -> ObjectRow {
    store.object(row.domain, row.id).await.unwrap().expect("the object is there")
}

pub async fn register(store: &dyn KeyStore, row: IdentityRow) -> Result<Committed, StoreError> {
    let record = record(row.domain, "Register");
    commit(store, vec![step(Change::PutIdentity(row), record)]).await
}

/// Every record of a log, decoded.
pub async fn all_records(store: &dyn KeyStore, log: LogId) -> Vec<Record> {
    let mut records = Vec::new();
    loop {
        let from = u64::try_from(records.len()).unwrap();
        let page = store.records(log, from, 1000).await.unwrap();
        if page.is_empty() {
            return records;
        }
        records.extend(page.iter().map(|stored| Record::decode(&stored.bytes).unwrap()));
    }
}

pub fn shared(store: SqliteStore) -> Arc<SqliteStore> {
    Arc::new(store)
}
