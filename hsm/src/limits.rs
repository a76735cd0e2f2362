//! Every bound of this crate: its value and why it is that value.

use std::time::Duration;

/// Members of a group. Three zones are the design; more than this is a typing error in the configuration.
pub(crate) const MAX_MEMBERS: usize = 16;

/// Calls that may wait for the workers of one member. At 12 µs each a full queue is worked off in about 12 ms, well
/// within the deadline of a call; a longer queue would only turn refusals into deadlines.
pub(crate) const MAX_QUEUED_CALLS: usize = 1024;

/// Domain Keys imported on one member at a time. Each takes about 8.5 KB in SoftHSM, and a miss costs 0.1 ms.
pub(crate) const MAX_IMPORTED_KEYS: usize = 1000;

/// Worker threads of one member. Thales calls 30 the number at which an appliance is saturated.
pub(crate) const MAX_WORKERS: usize = 32;

/// Random bytes in one call. A managed object of the protocol is at most this large.
pub(crate) const MAX_RANDOM_LEN: usize = 1 << 20;

/// Payloads up to this go into the HSM as they are; longer ones under a fresh object key (see `seal`).
pub(crate) const MAX_IN_HSM_LEN: usize = 1024;

/// Payloads in all: the largest object of the protocol (1 MiB) with its framing. The envelope, which adds less than
/// 512 bytes, has to stay below its own limit.
pub(crate) const MAX_PLAIN_LEN: usize = (1 << 20) + 2048;
const _: () = assert!(MAX_PLAIN_LEN + 512 <= secret::MAX_ENVELOPE_LEN);

/// Facts of one object: domain, object id, type, algorithm, length, seal number and room for what later versions add.
pub(crate) const MAX_FACTS_LEN: usize = 4096;

/// A PIN file: PKCS#11 tokens take far shorter PINs; a longer file is the wrong file.
pub(crate) const MAX_PIN_FILE_LEN: u64 = 512;

/// A token's label, in bytes (`CK_TOKEN_INFO`, PKCS#11 2.40 §3.2).
pub(crate) const MAX_LABEL_LEN: usize = 32;

/// An AES-KW wrapped 256-bit key: 32 bytes and the 8 of RFC 3394.
pub(crate) const WRAPPED_KEY_LEN: usize = 40;

/// First wait before a lost member is opened again.
pub(crate) const FIRST_BACK_OFF: Duration = Duration::from_millis(100);

/// Longest wait between two attempts: a member that came back is used within this time.
pub(crate) const LONGEST_BACK_OFF: Duration = Duration::from_secs(10);

/// How long a new epoch waits until the calls of the old one have returned. Beyond it the attempt counts as failed and
/// is made again later: finalizing under a call that is still running is undefined.
pub(crate) const EPOCH_PATIENCE: Duration = Duration::from_secs(5);

/// How long `Group::close` waits for each member's calls in flight.
pub(crate) const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// Custodians of the escrow key. Shamir's scheme over GF(256) has 255 points; no board of custodians is that large.
pub(crate) const MAX_CUSTODIANS: usize = 16;

/// Shortest passphrase of a custodian, in bytes.
pub(crate) const MIN_PASSPHRASE_LEN: usize = 12;
