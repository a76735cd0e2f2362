//! The IaaS as a pure model: what exists (the inventory), what is promised to customers (the rules), and what may
//! therefore be done (plans).
//!
//! Nothing here does I/O, reads a clock or draws randomness, and nothing here knows KMIP: a key is an opaque reference
//! that a VM carries. A plan is either made whole or refused with *every* finding at once, in an order that never
//! changes, so that a person corrects a VM in one round and not in nine.
//!
//! Read order: [`inventory`], then [`rule`], then one of [`rules`], then [`plan`].

pub mod example;
pub mod ids;
pub mod inventory;
pub mod permission;
pub mod plan;
pub mod rule;
pub mod rules;
pub mod sku;
pub mod units;

pub use inventory::{Inventory, InventoryError};
pub use plan::{Change, EncryptRequest, Plan, check_change, plan_encryption};
pub use rule::{Evidence, Finding, Kind, Number, Rule};
