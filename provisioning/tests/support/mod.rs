//! What the tests of random commands share: a source of choices and an independent judge.

pub mod choices;
pub mod judge;
