//! A simulated vCenter and ESXi host that really do what they simulate: KMIP over mutual TLS, and disk images
//! encrypted sector by sector.
//!
//! The pair is the one of vSphere with a standard key provider. The **vCenter half** ([`vcenter`]) is the KMIP client:
//! it asks for keys and remembers nothing but their identifiers. The **ESXi half** ([`host`]) holds keys in memory
//! only, makes the DEKs, wraps them, and encrypts; ending the process is rebooting the host, which forgets every key.
//! [`pair`] lets the two work together, and [`api`] is the way in from outside.

pub mod api;
pub mod disk;
pub mod host;
pub mod key;
pub mod limits;
pub mod pair;
pub mod vcenter;
