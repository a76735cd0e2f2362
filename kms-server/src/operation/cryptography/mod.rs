//! Operations that use keys, or hashes and randomness without a key: the server computes, and the key stays inside.

mod asked;
mod authenticating;
mod ciphering;
mod in_use;
mod parts;
mod signing;

pub(super) mod decrypt;
pub(super) mod encrypt;
pub(super) mod get_usage_allocation;
pub(super) mod hash;
pub(super) mod mac;
pub(super) mod mac_verify;
pub(super) mod pkcs11;
pub(super) mod rng_retrieve;
pub(super) mod rng_seed;
pub(super) mod sign;
pub(super) mod signature_verify;
