//! Every limit of the store, with its reason.

/// Units that one transaction takes at most. More would only delay the first of them; a batch is about half of what
/// waits, so this is reached with 2,000 requests in flight.
pub const MAX_GROUP: usize = 1024;
/// Units that may wait for the writer: four full groups. Who comes after is told that the store is busy.
pub const DEFAULT_QUEUE: usize = 4 * MAX_GROUP;
/// Kibibytes of units that may wait for the writer, whatever their number: a unit may hold an object of 1 MiB.
pub const MAX_QUEUED_KIB: usize = 256 * 1024;
/// Connections that read. Two cores gain nothing from more; each holds its own page cache.
pub const DEFAULT_READERS: u32 = 4;
/// Kibibytes of objects lately read that stay in memory: some 10,000 rows, all that a site's hosts ask for at one time.
pub const DEFAULT_KEPT_KIB: u64 = 24 * 1024;
/// Bytes that the row of a usual key takes up in memory; where rows are larger, fewer are kept.
pub const USUAL_ROW_LEN: u64 = 2048;
/// Pages of the write-ahead log at which SQLite carries it over into the database: 32 MB. With 1,000 (SQLite's
/// default) the carrying over showed in the slowest percent of requests.
pub const DEFAULT_CHECKPOINT_PAGES: u32 = 8000;
/// Kibibytes of database pages that the writer keeps in memory at most. The pages of the indexes that a Create changes
/// are spread over the file: with 2 MB (SQLite's default) it read fourteen of them again for each. With 64 MB it spent a
/// tenth of its time looking through the table of pages: SQLite does that at each commit that reordered pages of a tree.
pub const WRITER_CACHE_KIB: u32 = 16 * 1024;
/// Milliseconds a statement waits for a lock of another connection before it fails. Readers never block the writer in
/// WAL mode; this covers the moments of opening and closing.
pub const BUSY_TIMEOUT_MS: u64 = 5000;
/// Seconds a read waits for a free connection.
pub const ACQUIRE_TIMEOUT_S: u64 = 30;
/// Steps of one unit: as many as a message may have batch items, with room for transitions that became due.
pub const MAX_STEPS: usize = 4096;
/// Changes of one step.
pub const MAX_CHANGES: usize = 64;
/// Attributes of one object.
pub const MAX_ATTRIBUTES: usize = 1024;
/// Bytes of an object's attributes, encoded.
pub const MAX_ATTRIBUTES_LEN: usize = 1 << 20;
/// Terms of one search; each costs an index look-up per candidate.
pub const MAX_TERMS: usize = 64;
/// Subtrees whose roots one call asks for: a tile has 256, a proof at most two for each level of a tree.
pub const MAX_RANGES: usize = 256;
/// Whole tiles of 256 hashes that are held in memory for proofs: 8 MiB.
pub const MAX_CACHED_TILES: usize = 1024;
/// Rows of leaves and subtrees that a start reads of one log: a tile of 256 for each of eight levels, once up to the
/// last checkpoint and twice from there to the end.
pub const MAX_ROWS_PER_LOG: u64 = 3 * 8 * 256;
/// Positions that one look for old records passes over.
pub const RETENTION_PAGE: u64 = 4096;
/// Bytes of a domain's retention settings, encoded: all holds at their longest.
pub const MAX_RETENTION_LEN: usize = 128 * 1024;
/// Legal holds on one log.
pub const MAX_HOLDS: usize = 64;
/// Bytes of a hold's name, and of the words beside it.
pub const MAX_HOLD_TEXT_LEN: usize = 256;
/// Rows that one call returns.
pub const MAX_PAGE: usize = 1000;
/// Bytes of a domain's or an identity's name, of a role, a policy, a user name.
pub const MAX_NAME_LEN: usize = 256;
/// Bytes of a password hash in PHC form.
pub const MAX_PASSWORD_HASH_LEN: usize = 512;
/// Credentials of one identity.
pub const MAX_CREDENTIALS: usize = 64;
/// Bytes of an identity's rights, encoded: its credentials with all that may be said of each.
pub const MAX_RIGHTS_LEN: usize = 256 * 1024;
/// Bytes of a revocation message; the protocol sets no limit.
pub const MAX_REVOCATION_MESSAGE_LEN: usize = 4096;
/// Bytes of a certificate in DER. Real ones have 2 KB, those with many names 10.
pub const MAX_CERTIFICATE_LEN: usize = 64 * 1024;
/// Bytes of a domain's wrapped Domain Key with its canary.
pub const MAX_DOMAIN_KEY_LEN: usize = 4096;
/// Bytes of a domain's defaults, and of its constraints: some hundred attributes each.
pub const MAX_DOMAIN_RULES_LEN: usize = 64 * 1024;
/// Bytes of the requests that administrators have to approve: 32 of them with a certificate and a full quorum each.
pub const MAX_REQUESTS_LEN: usize = 512 * 1024;
/// Bytes of the list of backups: about a thousand of them.
pub const MAX_BACKUPS_LEN: usize = 256 * 1024;
/// Bytes of a setting's name.
pub const MAX_SETTING_NAME_LEN: usize = 128;
/// Bytes of a setting.
pub const MAX_SETTING_LEN: usize = 1 << 20;
/// The digest of a domain's set is repeated in every leaf whose position is a multiple of this, so that a start looks
/// at no more leaves than this to find the last one.
pub const SET_DIGEST_INTERVAL: u64 = 1024;
/// Bytes of records that one INSERT carries. SQLite would take 1 GB; two buffers of this size are held for a moment.
pub const MAX_INSERT_LEN: usize = 8 << 20;
/// Rows and records that a start reads at a time.
pub const SCAN_PAGE: i64 = 4096;
/// Rows and records that a verification reads at a time: some milliseconds of work, between which others have their
/// turn, and of a transaction that keeps the write-ahead log from being carried over.
pub const VERIFY_PAGE: i64 = 64;
/// Objects whose last record a verification holds in memory at a time: 64 bytes each and the map's overhead. For more
/// objects it reads the log more than once.
pub const VERIFY_OBJECTS: usize = 100_000;
/// Findings that a verification names; it counts the rest.
pub const MAX_FINDINGS: usize = 1000;

// Three texts a hold, of which every byte may be escaped.
const _: () = assert!(MAX_HOLDS * (2 * 3 * MAX_HOLD_TEXT_LEN + 80) < MAX_RETENTION_LEN);
const _: () = assert!(RETENTION_PAGE == audit::limits::MAX_DROPPED_AT_ONCE as u64);
const _: () = assert!(MAX_GROUP <= DEFAULT_QUEUE);
const _: () = assert!(SET_DIGEST_INTERVAL.is_power_of_two());
