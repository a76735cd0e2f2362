//! The IaaS as a pure model: what exists (the inventory), what is promised to customers (the rules), and what may
//! therefore be done (plans).
//!
//! Nothing here does I/O, reads a clock or draws randomness, and nothing here knows KMIP: a key is an opaque reference
//! that a VM carries. A plan is either made whole or refused with *every* finding at once, in an order that never
//! changes, so that a person corrects a VM in one round and not in nine.
//!
//! Read order: [`model`], [`inventory`], [`rule`], one of [`rules`], [`command`], [`plan`]. Beside them:
//! [`catalogue`] (what can be bought), [`capacity`] (what is free), [`metering`] and [`service_level`] (what is charged
//! and measured), [`saga`] (how a plan is carried out).

pub mod calendar;
pub mod capacity;
pub mod catalogue;
pub mod command;
pub mod crypto_state;
pub mod example;
pub mod generate;
pub mod ids;
pub mod inventory;
pub mod limits;
pub mod metering;
pub mod model;
pub mod permission;
pub mod plan;
pub mod reference;
pub mod rule;
pub mod rules;
pub mod saga;
pub mod service_level;
pub mod sku;
pub mod units;

pub use command::{Actor, Command, Outcome, Request};
pub use inventory::{Document, Faults, Inventory};
pub use plan::{ApplyError, Plan, apply, findings, plan};
pub use rule::{Finding, Kind, Number, Rule};
