//! A load generator for KMIP servers, and the comparison of this one with another in the same run.
//!
//! | module | what |
//! |---|---|
//! | [`load`] | the generator: a closed loop of N connections over `kmip-client`, against any server |
//! | [`measurement`] | what came out: a rate, latencies, errors by their text |
//! | [`compare`] | both servers started, measured by turns, told as a table and as JSON |
//! | [`audit_log`] | what verifying a long log takes, and a proof out of one |
//!
//! `README.md` beside this crate says how to read the numbers, and what they do not say.

pub mod audit_log;
pub mod compare;
pub mod limits;
pub mod load;
pub mod measurement;
