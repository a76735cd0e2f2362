//! Operations that bring objects into being; `birth` has what they share.

pub(super) mod birth;
pub(super) mod certify;
pub(super) mod create;
pub(super) mod create_key_pair;
pub(super) mod create_split_key;
pub(super) mod derive_key;
mod distinguished_name;
pub(super) mod generator;
mod implied;
mod issuing;
pub(super) mod join_split_key;
pub(super) mod judging;
mod links;
mod pair;
mod pkcs12;
pub(super) mod re_certify;
pub(super) mod re_key;
pub(super) mod re_key_key_pair;
pub(super) mod re_provision;
pub(super) mod register;
mod renewal;
mod source;
pub(super) mod stock;
