//! A witness: it remembers the last head of every log, co-signs only what extends that, and says what it remembers to a
//! node that starts. It is a process of its own with a folder and a key of its own, best on another machine under
//! another hand than the node.
//!
//! `folder` is what outlives the process, `serve` the connections, `nodes` who may open one. The rule by which it co-signs is `audit::witness`.

#![forbid(unsafe_code)]

pub mod folder;
mod nodes;
pub mod serve;
