//! Virtual disks: sectors under XTS-AES-256, images rewritten into new files, and files that are there after a crash.

mod image;
mod xts;

pub mod durable;

pub use image::{Image, ImageError, Interrupted, Pace};
pub use xts::{DiskCipher, DiskKey, KeyError};
