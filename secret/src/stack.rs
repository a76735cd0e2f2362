//! Wipes the stack below a computation in this process. Libraries that compute in Rust wipe their keys, but not what they
//! moved through registers and locals: AES-GCM leaves whole kilobytes of plaintext there, SHA-256 its last block, until
//! another call happens to write over them.

use std::hint::black_box;

use zeroize::Zeroize;

/// Words of stack that are wiped. The deepest computation here, GCM in the widest instructions of its time, was seen to
/// use less than 16 KiB; the threads of the server have 2 MiB.
const WORDS: usize = 8 * 1024;

/// Does `work`, which sees bytes of a key, then wipes the stack that it used. What it gives must not have bytes of a key
/// in the value itself, as it is on the stack above; a [`Secret`](crate::Secret) has them in a box.
pub fn wiped_after<T>(work: impl FnOnce() -> T) -> T {
    let result = framed(work);
    wipe();
    result
}

/// A frame of its own, so that nothing of `work` becomes part of the caller's frame, which is not wiped.
#[inline(never)]
fn framed<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

/// Begins where the frame of [`framed`] began.
#[inline(never)]
fn wipe() {
    let mut room = black_box([0_u64; WORDS]);
    room.zeroize();
    black_box(&room);
}
