//! How long the client waits and how much it takes in; lengths that server and clients share.

use std::time::Duration;

/// Finding the host, TCP and TLS together. Three members of an HSM group do not enter into a handshake.
pub const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// From sending a request to the last byte of its answer, exports excepted. Making a domain asks every HSM member,
/// each with a deadline of its own.
pub const CALL_DEADLINE: Duration = Duration::from_secs(30);

/// The longest silence within an export; how long the whole takes depends on the size of the log.
pub const EXPORT_SILENCE: Duration = Duration::from_secs(30);

/// The largest answer that is read into memory, in bytes: 1000 objects with many attributes stay below.
pub const MAX_ANSWER_LEN: u64 = 16 << 20;

/// The largest request body that a server of this API reads, in bytes: a certificate of 64 KiB and a credential.
pub const MAX_REQUEST_LEN: usize = 128 << 10;

/// The largest error body that is looked at, in bytes. What is longer was not written by this API.
pub const MAX_ERROR_LEN: u64 = 16 << 10;

/// Objects on a page when `limit` does not say.
pub const DEFAULT_PAGE: u32 = 100;

/// The most objects on a page; a greater `limit` is refused.
pub const MAX_PAGE: u32 = 1000;

/// The longest text that records are filtered by, in bytes; no field of a record is longer.
pub const MAX_FILTER_LEN: usize = 256;

/// The largest tile of a log, in bytes: 256 records with their lengths.
pub const MAX_TILE_LEN: u64 = 256 * (4096 + 2);

/// The longest name of a domain or client, in characters.
pub const MAX_NAME: usize = 64;
/// Days for which a backup is kept: ten years.
pub const MAX_BACKUP_DAYS: u32 = 3650;

/// The longest text of a revocation message, in characters.
pub const MAX_MESSAGE: usize = 1024;

/// The longest username of a credential, in bytes.
pub const MAX_USERNAME_LEN: usize = 255;

/// Credentials of one client.
pub const MAX_CREDENTIALS: usize = 64;

/// Operations of one access: more than the specification has.
pub const MAX_OPERATIONS: usize = 128;

/// The longest password of a credential, in bytes: hashing it costs memory and time.
pub const MAX_PASSWORD_LEN: usize = 1024;
