//! One member made ready: its PINs, its copy of the library, its token.

use std::fmt;
use std::fs;
use std::path::Path;

use hsm::ceremony::{self, TokenState};
use ring::rand::{SecureRandom, SystemRandom};
use secret::Secret;
use zeroize::Zeroizing;

use super::{InitError, read_secret};
use crate::config::{MemberConfig, Vendor};
use crate::durable;

/// Bytes of randomness in a PIN: 128 bits, written as 32 hexadecimal digits, which every token takes.
const PIN_BYTES: usize = 16;

/// A PIN file: longer is the wrong file.
const MAX_PIN_BYTES: usize = 256;

/// What of the two PINs is there.
enum Pins {
    /// Both, found or made.
    Both { so_pin: Secret, pin: Secret },
    /// The Security Officer's PIN was taken off the node after an earlier run.
    UserOnly,
}

/// Makes `member` ready, keeping what is there.
pub(super) fn prepare(
    member: &MemberConfig,
    library: &Path,
    say: &mut dyn FnMut(fmt::Arguments<'_>),
) -> Result<(), InitError> {
    let label = &member.label;
    if copy_library(library, &member.module)? {
        say(format_args!("{label}: library copied to {}", member.module.display()));
    }
    if member.vendor == Vendor::Network {
        // Its partition and PINs come from whoever administers the HSM.
        return match read_secret(&member.pin_file, MAX_PIN_BYTES)? {
            Some(_) => Ok(()),
            None => Err(InitError::content(&member.pin_file, "the PIN of an HSM's partition cannot be made here")),
        };
    }
    match pins(member, say)? {
        Pins::Both { so_pin, pin } => {
            let done = match ceremony::init_token(&member.module, label, &so_pin, &pin)? {
                TokenState::Kept => "found",
                TokenState::Completed => "completed",
                TokenState::Made => "made",
            };
            say(format_args!("{label}: token {done}"));
        }
        Pins::UserOnly => say(format_args!("{label}: no Security Officer's PIN here, so the token must be there")),
    }
    Ok(())
}

/// The officer's PIN is made first: where only the user's is there, the officer's was there once and was taken away.
fn pins(member: &MemberConfig, say: &mut dyn FnMut(fmt::Arguments<'_>)) -> Result<Pins, InitError> {
    let label = &member.label;
    let so_pin = read_secret(&member.so_pin_file, MAX_PIN_BYTES)?;
    let pin = read_secret(&member.pin_file, MAX_PIN_BYTES)?;
    let so_pin = match (so_pin, &pin) {
        (None, Some(_)) => return Ok(Pins::UserOnly),
        (None, None) => {
            let made = make_pin(&member.so_pin_file)?;
            say(format_args!("{label}: Security Officer's PIN written to {}", member.so_pin_file.display()));
            made
        }
        (Some(found), _) => found,
    };
    let pin = match pin {
        Some(found) => found,
        None => {
            let made = make_pin(&member.pin_file)?;
            say(format_args!("{label}: PIN written to {}", member.pin_file.display()));
            made
        }
    };
    Ok(Pins::Both { so_pin, pin })
}

/// A PIN that nobody has seen, on the disk before any token learns it.
fn make_pin(path: &Path) -> Result<Secret, InitError> {
    let mut random = Zeroizing::new([0; PIN_BYTES]);
    SystemRandom::new().fill(random.as_mut_slice()).map_err(|_| InitError::Randomness)?;
    let digits = Secret::filled_by(2 * PIN_BYTES, |digits| hex::encode_to_slice(random.as_slice(), digits))
        .map_err(|_| InitError::Randomness)?;
    durable::write(path, digits.expose(), 0o600).map_err(InitError::file(path))?;
    Ok(digits)
}

/// Puts a copy of `library` at `module`; `false` if an equal one is there. A node that runs keeps the old file open.
fn copy_library(library: &Path, module: &Path) -> Result<bool, InitError> {
    let wanted = fs::read(library).map_err(InitError::file(library))?;
    match fs::read(module) {
        Ok(found) if found == wanted => return Ok(false),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(InitError::file(module)(error)),
    }
    durable::write(module, &wanted, 0o700).map_err(InitError::file(module))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn member(folder: &Path) -> MemberConfig {
        MemberConfig {
            label: "PAR7S".to_owned(),
            module: folder.join("hsm/PAR7S.so"),
            pin_file: folder.join("hsm/PAR7S.pin"),
            so_pin_file: folder.join("hsm/PAR7S.so-pin"),
            vendor: Vendor::SoftHsm,
        }
    }

    #[test]
    fn pins_are_made_once_private_and_different() {
        let folder = tempfile::tempdir().unwrap();
        let member = member(folder.path());
        let mut lines = Vec::new();
        let Pins::Both { so_pin, pin } = pins(&member, &mut |line| lines.push(line.to_string())).unwrap() else {
            panic!("both were made")
        };
        assert_eq!((so_pin.len(), pin.len(), lines.len()), (32, 32, 2));
        assert_ne!(so_pin, pin);
        for file in [&member.pin_file, &member.so_pin_file] {
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let shown = lines.concat();
        assert!(!shown.contains(std::str::from_utf8(pin.expose()).unwrap()));
        let Pins::Both { so_pin: so_again, pin: again } = pins(&member, &mut |_| panic!("nothing new")).unwrap() else {
            panic!("both are there")
        };
        assert_eq!((so_again, again), (so_pin, pin));
    }

    #[test]
    fn an_officers_pin_that_was_taken_away_is_not_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let member = member(folder.path());
        pins(&member, &mut |_| {}).unwrap();
        fs::remove_file(&member.so_pin_file).unwrap();
        assert!(matches!(pins(&member, &mut |_| {}).unwrap(), Pins::UserOnly));
        assert!(!member.so_pin_file.exists());
    }

    #[test]
    fn an_interruption_between_the_two_pins_is_made_good() {
        let folder = tempfile::tempdir().unwrap();
        let member = member(folder.path());
        let so_pin = make_pin(&member.so_pin_file).unwrap();
        let Pins::Both { so_pin: kept, .. } = pins(&member, &mut |_| {}).unwrap() else { panic!("both") };
        assert_eq!(kept, so_pin);
    }

    #[test]
    fn the_library_is_copied_once_and_again_when_it_was_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (library, module) = (folder.path().join("vendor.so"), folder.path().join("hsm/PAR7S.so"));
        fs::write(&library, "one").unwrap();
        assert!(copy_library(&library, &module).unwrap());
        assert!(!copy_library(&library, &module).unwrap());
        fs::write(&library, "two").unwrap();
        assert!(copy_library(&library, &module).unwrap());
        assert_eq!(fs::read(&module).unwrap(), b"two");
        fs::remove_file(&library).unwrap();
        assert!(matches!(copy_library(&library, &module), Err(InitError::File { .. })));
    }

    #[test]
    fn the_pin_of_a_network_hsm_is_never_made_up() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("vendor.so");
        fs::write(&library, "one").unwrap();
        let member = MemberConfig { vendor: Vendor::Network, ..member(folder.path()) };
        assert!(matches!(prepare(&member, &library, &mut |_| {}), Err(InitError::Content { .. })));
        assert!(!member.pin_file.exists() && !member.so_pin_file.exists());
        fs::write(&member.pin_file, "1234").unwrap();
        prepare(&member, &library, &mut |_| {}).unwrap();
    }
}
