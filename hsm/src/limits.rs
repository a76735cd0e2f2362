//! Every bound of this crate: its value and why it is that value.

use std::time::Duration;

/// Members of a group. Three zones are the design; more than this is a typing error in the configuration.
pub(crate) const MAX_MEMBERS: usize = 16;

/// Calls that the workers of one member have in hand, waiting or begun. At 12 µs each a full queue is worked off in
/// about 12 ms, well within the deadline of a call; a longer queue would only turn refusals into deadlines.
pub(crate) const MAX_QUEUED_CALLS: usize = 1024;

/// Domain Keys imported on one member at a time. Each takes about 8.5 KB in SoftHSM, and a miss costs 0.1 ms.
pub(crate) const MAX_IMPORTED_KEYS: usize = 1000;

/// Worker threads of one member. Thales calls 30 the number at which an appliance is saturated.
pub(crate) const MAX_WORKERS: usize = 32;

/// RSA pairs that one member has in hand, waiting or begun. One of 4096 bits takes a software token about 3 s, so a full
/// queue of the longest ones is worked off within `PAIR_DEADLINE`.
pub(crate) const MAX_RSA_PAIRS_IN_HAND: usize = 16;

/// Pairs on curves that one member has in hand, waiting or begun. Each takes some milliseconds.
pub(crate) const MAX_CURVE_PAIRS_IN_HAND: usize = 256;

/// How long one member may take for a key pair, the wait for others before it included.
pub(crate) const PAIR_DEADLINE: Duration = Duration::from_secs(60);

/// Shortest RSA modulus, in bits: what the profiles of KMIP still use. The policy of a domain asks for more.
pub(crate) const MIN_RSA_BITS: u32 = 1024;

/// Longest RSA modulus, in bits. One of 8192 bits takes a software token up to a minute.
pub(crate) const MAX_RSA_BITS: u32 = 4096;

/// An RSA modulus has a multiple of this many bits, so that both primes are whole bytes.
pub(crate) const RSA_BITS_STEP: u32 = 16;

/// Smallest RSA public exponent: FIPS 186-5 §A.1.1 asks for more than 2^16.
pub(crate) const MIN_RSA_EXPONENT: u32 = 65_537;

/// A wrapped private key: PKCS #8 of an RSA key of `MAX_RSA_BITS` has about 2.4 KB.
pub(crate) const MAX_WRAPPED_PAIR_LEN: usize = 4096;

/// Bytes with which a caller may stir the generators of the members in one call. More add nothing.
pub(crate) const MAX_SEED_LEN: usize = 4096;

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

/// A custodian's share as a file: the share, its keys and its parameters have about 900 bytes in hexadecimal.
pub(crate) const MAX_SHARE_FILE_LEN: usize = 4096;

/// Shortest passphrase of a custodian, in bytes.
pub(crate) const MIN_PASSPHRASE_LEN: usize = 12;
