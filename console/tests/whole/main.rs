//! The console as a process, beside a real node on real tokens: sagas that are killed, and a browser that clicks.

mod browser;
mod clicks;
mod sagas;
mod world;
