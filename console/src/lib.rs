//! The console: inventory and activities of the IaaS, their REST API, and the web application on top.
//!
//! ```text
//!  browser ─► web ─┐                          ┌─► store: events, snapshots, activities, people (SQLite)
//!                  ├─► platform ── plan, apply ┤
//!  client ──► api ─┘        │                  └─► saga ─► hypervisor ─► KMIP
//! ```
//! `provisioning` decides; [`platform`] keeps what it decided and lets one change in at a time; `saga` carries out what
//! takes time. [`api`] and [`web`] are two ways of asking for the same.

pub mod api;
pub mod config;
mod fault;
pub mod hypervisor;
pub mod identity;
pub mod limits;
pub mod operator;
pub mod platform;
mod saga;
pub mod serve;
pub mod store;
pub mod web;
