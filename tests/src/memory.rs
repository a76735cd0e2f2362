//! What a process holds in memory that it could have written a secret to: heap, stacks, data of its libraries.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

use crate::needles::{Hit, Needles};
use crate::node::Result;

/// A variable in the environment of a process of glibc: what is freed by code in C is written over at once, small pieces
/// too, which are otherwise kept aside as they are. The server's own allocator wipes without it.
pub const WIPED_BY_C: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0");

/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;
/// Bytes that two chunks share, so that nothing lies across their border: more than any form of a secret's part has.
const OVERLAP: usize = 256;

/// Whether this process may look into others that forbid it to their own user.
#[must_use]
pub fn may_look() -> bool {
    rustix::process::geteuid().is_root()
}

/// Every secret in the writable memory of the process `id`, and how many bytes of it there were.
///
/// # Errors
/// Of reading `/proc`.
pub fn find(needles: &Needles, id: u32) -> Result<(usize, Vec<Hit>)> {
    let memory = File::open(format!("/proc/{id}/mem"))?;
    let (mut bytes, mut hits) = (0, Vec::new());
    let mut chunk = vec![0; CHUNK];
    for line in fs::read_to_string(format!("/proc/{id}/maps"))?.lines() {
        let Some((from, to, name)) = writable(line) else { continue };
        let mut at = from;
        while at < to {
            let wanted = usize::try_from(to - at)?.min(CHUNK);
            let Some(into) = chunk.get_mut(..wanted) else { break };
            match memory.read_at(into, at) {
                Ok(0) => break,
                Ok(read) => {
                    bytes += read;
                    hits.extend(needles.find(name, into.get(..read).unwrap_or_default()));
                    let next = at + u64::try_from(read)?;
                    at = if next < to { next.saturating_sub(u64::try_from(OVERLAP)?).max(at + 1) } else { next };
                }
                // Reserved and never touched, or given back since the list was read.
                Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    hits.sort();
    hits.dedup();
    Ok((bytes, hits))
}

/// Beginning, end and name of a mapping that may be written to.
fn writable(line: &str) -> Option<(u64, u64, &str)> {
    let mut words = line.split_ascii_whitespace();
    let (from, to) = words.next()?.split_once('-')?;
    let modes = words.next()?;
    // Offset, device and number of a file stand between.
    let name = words.nth(3).unwrap_or("anonymous");
    let is_device = name.starts_with("/dev/") || name == "[vvar]";
    let range = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
    (modes.starts_with("rw") && !is_device).then_some((range.0, range.1, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_written_to_is_looked_at() {
        assert_eq!(writable("7f00-7f10 r--p 00000000 00:00 0"), None);
        assert_eq!(writable("7f00-7f10 rw-s 00000000 00:05 7  /dev/shm/other"), None);
        assert_eq!(writable("7f00-7f10 rw-p 00000000 00:00 0"), Some((0x7f00, 0x7f10, "anonymous")));
        assert_eq!(writable("7f00-7f10 rw-p 00000000 00:00 0  [heap]"), Some((0x7f00, 0x7f10, "[heap]")));
    }
}
