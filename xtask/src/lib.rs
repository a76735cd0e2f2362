//! Chores of the repository that other programs use, too: the stage on which demo, `make serve` and system tests play.

pub mod stage;
