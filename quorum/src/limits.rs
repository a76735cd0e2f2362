//! Every limit of requests and approvals, with its reason.

/// Bytes of a request's text: a certificate of 4 KiB in base64, and everything else.
pub const MAX_TEXT_LEN: usize = 8 * 1024;
/// Parameters of one request.
pub const MAX_PARAMETERS: usize = 16;
/// Bytes of the name of an act, of a parameter, of an installation, of an administrator.
pub const MAX_NAME_LEN: usize = 128;
/// Bytes of a parameter's value: a certificate of 4 KiB in base64.
pub const MAX_VALUE_LEN: usize = 6 * 1024;
/// Approvals of one request; a quorum larger than this is not a quorum but an assembly.
pub const MAX_APPROVALS: usize = 16;
/// Members of an HSM group in a record of a ceremony; a group has no more.
pub const MAX_MEMBERS: usize = 16;
/// Bytes of a signature: two integers of 384 bits.
pub const MAX_SIGNATURE_LEN: usize = 96;
/// Bytes of the file that goes from hand to hand: the text with every character escaped, and the approvals.
pub const MAX_FILE_LEN: usize = 32 * 1024;
/// Seconds between making and expiring, at most: 31 days. A request that was forgotten must not lie in wait.
pub const MAX_LIFETIME_S: i64 = 31 * 86_400;
/// Seconds by which the clock of the maker may be ahead of the clock of the judge.
pub const CLOCK_SKEW_S: i64 = 300;

const _: () = assert!(MAX_VALUE_LEN + 16 * MAX_NAME_LEN <= MAX_TEXT_LEN);
const _: () = assert!(2 * MAX_TEXT_LEN + MAX_APPROVALS * 512 <= MAX_FILE_LEN);
