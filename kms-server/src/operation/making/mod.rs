//! Operations that bring objects into being; `birth` has what they share.

pub(super) mod birth;
pub(super) mod create;
mod generator;
pub(super) mod register;
