//! Managed objects: what the server keeps. KMIP 1.4 §2.2, 2.1 §2 and §3.
//!
//! Whatever may be secret is [`Secret`](secret::Secret) or [`SecretInteger`]; certificates, requests and the public
//! numbers of keys are plain bytes.

mod integer;
mod key_block;
mod key_material;
mod key_value;
mod kinds;
mod managed;
mod transparent;
mod wrapping;

pub use integer::SecretInteger;
pub use key_block::KeyBlock;
pub use key_material::KeyMaterial;
pub use key_value::{KeyValue, NotWrappable};
pub use kinds::{
    Certificate, CertificateRequest, OpaqueObject, PgpKey, PrivateKey, PublicKey, SecretData, SplitKey, SymmetricKey,
    Template,
};
pub use managed::{AnyObject, ManagedObject};
pub use transparent::{
    DhPrivateKey, DhPublicKey, DsaPrivateKey, DsaPublicKey, EcPrivateKey, EcPublicKey, RsaPrivateKey, RsaPublicKey,
};
pub use wrapping::{EncryptionKeyInformation, KeyWrappingData, KeyWrappingSpecification, MacSignatureKeyInformation};
