//! Every limit of the console: value and reason.

use std::time::Duration;

/// Bytes of a request's body: the largest command names 60 disks.
pub const BODY_BYTES: usize = 64 << 10;
/// For the headers of a request, and for the TLS handshake before it.
pub const HEADER_DEADLINE: Duration = Duration::from_secs(10);
/// Connections at the same time; further ones wait in the system's queue.
pub const CONNECTIONS: usize = 1024;
/// For requests under way after the process was asked to stop.
pub const DRAIN_DEADLINE: Duration = Duration::from_secs(5);
/// Things on a page of a list, unless the caller asks for fewer.
pub const PAGE: usize = 50;
/// The most things on a page.
pub const PAGE_MOST: usize = 500;
/// Requests per second from one address to one product; the burst is one second's worth.
pub const REQUESTS_PER_SECOND: u32 = 25;
/// The same where passwords and tokens are tried.
pub const LOGINS_PER_SECOND: u32 = 5;
/// Addresses that are remembered for the two above. The one unseen for longest is forgotten first.
pub const ADDRESSES: usize = 10_000;
/// Life of an access token.
pub const ACCESS_TOKEN_S: u64 = 5 * 60;
/// Life of a personal access token at most: twelve months.
pub const PERSONAL_TOKEN_S: u64 = 366 * 86_400;
/// Life of a session in the browser: a working day.
pub const SESSION_S: u64 = 8 * 3600;
/// Tokens of one person in one tenant, of each kind.
pub const TOKENS: usize = 100;
/// Bytes of a login, a name, a password, a client's token.
pub const TEXT_BYTES: usize = 256;
/// Passwords that are checked at the same time: each takes 19 MiB.
pub const PASSWORD_CHECKS: usize = 4;
/// Events after a snapshot before the next one is written; a start replays no more than these.
pub const EVENTS_PER_SNAPSHOT: u64 = 64;
/// Activities that work at the same time; further ones wait.
pub const WORKING: usize = 8;
/// Activities of one tenant that are not finished yet.
pub const UNFINISHED: i64 = 5_000;
/// Between two attempts at a step that must succeed; doubles from the first to the second.
pub const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));
/// Attempts at a step before the activity goes back: with the pauses between them, a minute and a half. A key server that
/// is started again, or a node that is replaced, is back by then, and what was queued meanwhile has not failed.
pub const ATTEMPTS: u32 = 9;
/// Between two looks at an activity while a page follows it.
pub const FOLLOW: Duration = Duration::from_millis(200);
/// A page follows one activity for so long and then asks again.
pub const FOLLOW_AT_MOST: Duration = Duration::from_secs(300);
/// Pages that follow an activity at the same time.
pub const FOLLOWERS: usize = 256;
/// Records on one audit page.
pub const AUDIT_RECORDS: usize = 100;
/// Bytes of an answer of the key service that are read.
pub const AUDIT_BYTES: usize = 4 << 20;
