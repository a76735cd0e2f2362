//! Limits of what is read, each with its reason.

/// Structures inside structures. The deepest message of the specification nests about 12; a stack frame of the decoder
/// is small, so 32 leaves room for extensions and none for attacks.
pub const MAX_DEPTH: usize = 32;

/// Neighbouring items with the same tag in one structure. The longest such list is what a Locate answers; a message of
/// 1 MiB has room for a quarter of it.
pub const MAX_REPETITIONS: usize = 1 << 16;

/// Attributes, or attribute names, in one list: all 51 kinds and many custom ones.
pub const MAX_ATTRIBUTES: usize = 1024;

/// Credentials in one header. Nobody sends more than one of each type.
pub const MAX_CREDENTIALS: usize = 16;

/// Batch items in one message. vSphere sends 3, test suites about 20; what 256 items cost in memory beyond four times
/// their length stays below 64 KiB.
pub const MAX_BATCH_ITEMS: usize = 256;

const _: () = assert!(MAX_CREDENTIALS < MAX_ATTRIBUTES && MAX_ATTRIBUTES < MAX_REPETITIONS);
