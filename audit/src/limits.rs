//! Every limit of the audit formats, with its reason.

/// Bytes of a peer's address, `[IPv6%zone]:port` at its longest with room to spare.
pub const MAX_SOURCE_LEN: usize = 96;
/// Bytes of an operation's name; the longest KMIP name has 24, admin verbs are of the same order.
pub const MAX_OPERATION_LEN: usize = 64;
/// Bytes of an object identifier. Ours have 36; what a client asked for and does not exist may be longer.
pub const MAX_OBJECT_LEN: usize = 128;
/// Bytes of a Result Reason's name.
pub const MAX_REASON_LEN: usize = 64;
/// Bytes of a client's correlation value.
pub const MAX_CORRELATION_LEN: usize = 128;
/// Bytes of the detail, which the server makes; what it quotes of a client's words is bounded apart.
pub const MAX_DETAIL_LEN: usize = 256;
/// Bytes of a name by which a detail calls an object, and of the attribute that it is the value of: as many as tell two
/// machines apart.
pub const MAX_CALLED_LEN: usize = 64;
/// Bytes of an administrator's name.
pub const MAX_NAME_LEN: usize = 128;
/// Approvals in one record; a quorum larger than this is not a quorum but an assembly.
pub const MAX_APPROVALS: usize = 16;
/// Bytes of one approval's identifier.
pub const MAX_APPROVAL_LEN: usize = 128;
/// Bytes of an encoded record: more than all fields at their longest, so that a reader can bound its buffer.
pub const MAX_RECORD_LEN: usize = 4096;
/// 9999-12-31T23:59:59.999999Z in microseconds: the last instant that RFC 3339 can write.
pub const MAX_TIME_US: i64 = 253_402_300_799_999_999;
/// Leaves of one tree: what a signed 64-bit database column can count.
pub const MAX_TREE_SIZE: u64 = i64::MAX as u64;
/// Bytes of a KMS name or a key name inside an origin.
pub const MAX_KEY_NAME_LEN: usize = 128;
/// Bytes of a signed note: a checkpoint and 16 signatures of classical size.
pub const MAX_NOTE_LEN: usize = 16 * 1024;
/// Signatures of a note; the signed-note specification demands at least 16.
pub const MAX_NOTE_SIGNATURES: usize = 16;
/// Public keys in a trust file: members of the HSM group over its whole life, and witnesses.
pub const MAX_TRUSTED_KEYS: usize = 64;
/// Confirmations of HSM members in a certificate of destruction: as many as a group has members.
pub const MAX_CONFIRMATIONS: usize = 16;
/// Bytes of a certificate of destruction: a proof for each record that it rests on, quotes escaped.
pub const MAX_CERTIFICATE_LEN: usize = 1 << 20;
/// Bytes of one line of a bundle: a record in both forms at its longest, or the keys and hashes of the header.
pub const MAX_LINE_LEN: usize = 32 * 1024;

/// Positions that one record of a dropping tells of. Their rows change in one transaction, which others wait for.
pub const MAX_DROPPED_AT_ONCE: usize = 4096;
/// Droppings that a verifier holds until it comes to their records: 160 bytes each, for four thousand million records.
pub const MAX_OPEN_DROPPINGS: usize = 1 << 20;

// Tags and lengths included, all fields at their longest fit; see `record::encode`.
const _: () = assert!(
    512 + MAX_SOURCE_LEN
        + MAX_OPERATION_LEN
        + MAX_OBJECT_LEN
        + MAX_REASON_LEN
        + MAX_CORRELATION_LEN
        + MAX_DETAIL_LEN
        + MAX_NAME_LEN
        + MAX_APPROVALS * (MAX_APPROVAL_LEN + 2)
        <= MAX_RECORD_LEN
);
// Base64 of the record, and every human-readable byte escaped.
const _: () = assert!(MAX_RECORD_LEN * 2 + MAX_RECORD_LEN * 2 + 4096 <= MAX_LINE_LEN);
// A note is one JSON string of the last line: newlines and the em dash are the only bytes that grow.
const _: () = assert!(MAX_NOTE_LEN + 4096 + 64 * 70 <= MAX_LINE_LEN);
