//! What the process denies itself and others before it touches a secret.

use std::io;

use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit, umask};

/// Descriptors beside those of connections: store, modules, listeners, standard streams.
const OTHER_DESCRIPTORS: u64 = 256;

/// Forbids memory images: no core file, no debugger of the same user, `/proc/self/mem` for root only. Files made from
/// here on are readable by their owner alone.
///
/// # Errors
/// The system refuses; then the process should not go on.
pub fn close_off() -> io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    umask(Mode::RWXG | Mode::RWXO);
    Ok(())
}

/// Raises the limit of open descriptors as far as it is allowed and useful, and tells whether `connections` fit.
///
/// # Errors
/// The system refuses to raise the limit to what it allows.
pub fn make_room_for(connections: usize) -> io::Result<Room> {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHER_DESCRIPTORS);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // No limit is room enough.
    let Some(current) = current else { return Ok(Room { descriptors: u64::MAX, wanted }) };
    let reachable = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if current >= reachable {
        return Ok(Room { descriptors: current, wanted });
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(reachable), maximum })?;
    Ok(Room { descriptors: reachable, wanted })
}

/// How many descriptors there are, and how many the limits of connections ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Allowed to be open at one time.
    pub descriptors: u64,
    /// Needed if every connection is taken.
    pub wanted: u64,
}

impl Room {
    /// Whether every connection that the limits allow can be open at one time.
    #[must_use]
    pub fn suffices(self) -> bool {
        self.descriptors >= self.wanted
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rustix::process::dumpable_behavior;

    use super::*;

    #[test]
    fn no_image_of_memory_is_left_and_new_files_are_private() {
        close_off().unwrap();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        let core = getrlimit(Resource::Core);
        assert_eq!((core.current, core.maximum), (Some(0), Some(0)));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("made");
        std::fs::write(&file, "secret").unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn descriptors_are_raised_as_far_as_allowed() {
        let before = getrlimit(Resource::Nofile);
        let room = make_room_for(64).unwrap();
        assert_eq!(room.wanted, 64 + OTHER_DESCRIPTORS);
        assert!(room.suffices() || before.maximum.is_some_and(|maximum| maximum < room.wanted));
        let beyond = make_room_for(usize::MAX).unwrap();
        assert_eq!(beyond.suffices(), before.current.is_none());
        if before.current.is_some() {
            assert_eq!(getrlimit(Resource::Nofile).current, before.maximum.or(Some(u64::MAX)));
        }
    }
}
