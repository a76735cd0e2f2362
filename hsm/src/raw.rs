//! The raw corner: what `cryptoki` cannot express and what needs the kernel – template attributes and locked memory.
//!
//! This is the only file of the workspace with `unsafe` in it (the tests set one environment variable).

use std::mem::size_of;

use cryptoki::object::{Attribute, AttributeType};
use secret::Secret;

/// `CKA_WRAP_TEMPLATE`, PKCS#11 2.40 header.
const CKA_WRAP_TEMPLATE: Ulong = 0x4000_0211;
/// `CKA_UNWRAP_TEMPLATE`, PKCS#11 2.40 header.
const CKA_UNWRAP_TEMPLATE: Ulong = 0x4000_0212;

/// `CK_ULONG`: `unsigned long`, so as wide as a pointer on the platforms we run on.
type Ulong = std::ffi::c_ulong;
const _: () = assert!(size_of::<Ulong>() == size_of::<usize>(), "an attribute array is laid out for LP64");

const CKA_CLASS: Ulong = 0x0000_0000;
const CKA_PRIVATE: Ulong = 0x0000_0002;
const CKA_KEY_TYPE: Ulong = 0x0000_0100;
const CKA_SENSITIVE: Ulong = 0x0000_0103;
const CKA_EXTRACTABLE: Ulong = 0x0000_0162;

// What the attributes point to. Statics, so that the addresses in an attribute array never dangle.
static TRUE: u8 = 1;
static FALSE: u8 = 0;
/// `CKO_SECRET_KEY`.
static SECRET_KEY: Ulong = 4;
/// `CKK_AES`.
static AES: Ulong = 0x1f;

/// What a key wrapped under the Root of Trust must be.
pub(crate) fn wrap_template() -> Attribute {
    array(CKA_WRAP_TEMPLATE, &[boolean(CKA_SENSITIVE, &TRUE)])
}

/// What a key unwrapped under the Root of Trust becomes, whoever unwraps it.
pub(crate) fn unwrap_template() -> Attribute {
    array(
        CKA_UNWRAP_TEMPLATE,
        &[
            number(CKA_CLASS, &SECRET_KEY),
            number(CKA_KEY_TYPE, &AES),
            boolean(CKA_PRIVATE, &TRUE),
            boolean(CKA_SENSITIVE, &TRUE),
            boolean(CKA_EXTRACTABLE, &FALSE),
        ],
    )
}

/// An unwrap template that allows everything: what an attacker would like the Root of Trust to have.
pub(crate) fn lax_unwrap_template() -> Attribute {
    array(CKA_UNWRAP_TEMPLATE, &[boolean(CKA_EXTRACTABLE, &TRUE)])
}

/// A wrap template that demands nothing.
pub(crate) fn lax_wrap_template() -> Attribute {
    array(CKA_WRAP_TEMPLATE, &[boolean(CKA_SENSITIVE, &FALSE)])
}

/// One `CK_ATTRIBUTE`: type, address, length, each one word and in this order.
type Words = [usize; 3];

fn boolean(kind: Ulong, value: &'static u8) -> Words {
    [word(kind), std::ptr::from_ref(value).expose_provenance(), size_of::<u8>()]
}

fn number(kind: Ulong, value: &'static Ulong) -> Words {
    [word(kind), std::ptr::from_ref(value).expose_provenance(), size_of::<Ulong>()]
}

#[expect(clippy::cast_possible_truncation, reason = "both are one machine word, asserted above")]
const fn word(value: Ulong) -> usize {
    value as usize
}

/// An array attribute as the bytes of its `CK_ATTRIBUTE`s. `cryptoki` has no variant for it, but hands vendor-defined
/// bytes through as they are, and the code is a standard one.
fn array(kind: Ulong, items: &[Words]) -> Attribute {
    let bytes: Vec<u8> = items.iter().flatten().flat_map(|word| word.to_ne_bytes()).collect();
    Attribute::VendorDefined((AttributeType::VendorDefined(kind), bytes))
}

/// Key bytes in memory that is never swapped out, as far as the system's limit on locked memory allows.
pub(crate) struct Locked {
    secret: Secret,
    locked: bool,
}

impl Locked {
    /// Locks the pages that hold `secret`.
    pub fn new(secret: Secret) -> Self {
        #[expect(unsafe_code, reason = "locking memory takes its address; no safe wrapper exists")]
        // SAFETY: address and length are those of a live allocation that `secret` owns and never moves or resizes
        // (`Secret` holds a boxed slice); locking does not read or write it.
        let locked = unsafe { rustix::mm::mlock(secret.expose().as_ptr().cast_mut().cast(), secret.len()) }.is_ok();
        Self { secret, locked }
    }

    /// The bytes in clear.
    pub fn expose(&self) -> &[u8] {
        self.secret.expose()
    }

    /// Whether the system granted the lock.
    pub fn is_locked(&self) -> bool {
        self.locked
    }
}

// Nothing unlocks the pages: the lock is of a page, not of an object, and a neighbour may still rely on it. A ceremony
// locks a handful of pages, once in the life of its process.

/// A handle that no module knows, for tests of what only compares handles.
#[cfg(test)]
pub(crate) fn made_up_handle(number: u64) -> cryptoki::object::ObjectHandle {
    #[expect(unsafe_code, reason = "no other way to make a handle without a module")]
    // SAFETY: the number is compared and never given to a module.
    unsafe {
        cryptoki::object::ObjectHandle::new_from_raw(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_attribute_has_three_words_per_item() {
        let Attribute::VendorDefined((kind, bytes)) = unwrap_template() else { panic!("not an array") };
        assert_eq!(kind, AttributeType::VendorDefined(CKA_UNWRAP_TEMPLATE));
        assert_eq!(bytes.len(), 5 * 3 * size_of::<usize>());
        let first: Vec<usize> =
            bytes.chunks(size_of::<usize>()).map(|w| usize::from_ne_bytes(w.try_into().unwrap())).collect();
        assert_eq!(first[0], word(CKA_CLASS));
        assert_eq!(first[1], std::ptr::from_ref(&SECRET_KEY).addr());
        assert_eq!(first[2], size_of::<Ulong>());
    }

    #[test]
    fn locked_bytes_are_the_bytes() {
        assert_eq!(Locked::new(Secret::copy_from(b"share")).expose(), b"share");
    }
}
