//! Decisions: the life of a key, its use, who may do what, which attributes may be set and changed.
//!
//! Pure functions of their arguments: no I/O, no clock (the time is an argument, seconds since 1970), no randomness.
//! Each refusal is a value that says what stood in the way; what a client is told of it is for the server to say.
//! Every table is written out as text under `tests/golden/`, to be reviewed like prose.

pub mod access;
pub mod algorithm;
pub mod attributes;
pub mod creation;
pub mod derivation;
pub mod lifecycle;
pub mod limits;
pub mod mechanism;
pub mod pairs;
pub mod usage;
pub mod wrapping;
