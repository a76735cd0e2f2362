//! Managed objects: what the server keeps. KMIP 1.4 §2.2.

mod key_block;
mod managed;
mod wrapping;

pub use key_block::{KeyBlock, KeyMaterial, KeyValue};
pub use managed::{AnyObject, ManagedObject, OpaqueObject, SecretData, SymmetricKey, Template};
pub use wrapping::{EncryptionKeyInformation, KeyWrappingData, KeyWrappingSpecification, MacSignatureKeyInformation};
