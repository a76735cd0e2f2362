//! Every limit and default of the benchmark, with its reason.

use std::time::Duration;

/// For one answer. The slowest operation of the slowest server, sixteen of them in a queue, takes seconds; what takes
/// longer than this hangs.
pub const CALL_PATIENCE: Duration = Duration::from_secs(120);

/// For TCP and TLS together, with as many others at it.
pub const CONNECT_PATIENCE: Duration = Duration::from_secs(30);

/// A connection that fails so often without one success between stops trying: the server is gone, and counting
/// refused connections as fast as the kernel refuses them measures nothing.
pub const FAILURES_IN_A_ROW: u32 = 50;

/// Different error texts that are kept apart. A server may put identifiers into them.
pub const ERROR_KINDS: usize = 16;

/// Connections of one load. More would need more ports than one address has.
pub const MAX_CONNECTIONS: usize = 20_000;

/// Latencies above this are recorded as this, in microseconds; above every patience.
pub const MAX_LATENCY_US: u64 = 600_000_000;

/// Significant decimal digits of a latency.
pub const LATENCY_DIGITS: u8 = 3;

/// Measured time of one round of one operation, in seconds, unless the caller says otherwise.
pub const SECONDS: f64 = 3.0;

/// The part of the measured time that is spent on warming up before it.
pub const WARM_UP: f64 = 0.2;

/// Rounds of each operation on each server.
pub const ROUNDS: usize = 3;

/// Keys that each server holds before anything is measured. Enough that a search through all of them shows.
pub const KEYS: usize = 1_000;

/// Records of the log whose verification has a bar.
pub const VERIFIED_RECORDS: f64 = 1_000_000.0;

/// Seconds that the verification of so many may take on one core.
pub const MOST_VERIFYING_S: f64 = 60.0;

/// KiB by which the verification of a log ten times as long may need more memory: what an allocator happens to keep.
pub const MOST_GROWTH_KIB: u64 = 2_048;

/// Proofs that are made.
pub const PROOFS: usize = 2_000;

/// Microseconds that one of them may take: the median, because the slowest of thousands measure what else the machine
/// does.
pub const MOST_PROOF_US: u64 = 1_000;

/// The part of Get's rate that the audit log may take.
pub const MOST_LOST: f64 = 0.25;

/// Connections of the two columns.
pub const CONNECTIONS: [usize; 2] = [1, 16];
