//! Limits of what is read, each with its reason.

/// Structures inside structures. The deepest message of the specification nests about 12; a stack frame of the decoder
/// is small, so 32 leaves room for extensions and none for attacks.
pub const MAX_DEPTH: usize = 32;

/// Neighbouring items with the same tag in one structure. Far above what any client sends, far below what would make
/// one request expensive.
pub const MAX_REPETITIONS: usize = 10_000;
