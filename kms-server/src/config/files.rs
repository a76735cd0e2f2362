//! Whether the files that a configuration names are there, and whether those with secrets are closed to others.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Config, Fault, Purpose, ShareSeal};
use crate::shell::tls;

/// Bits of a file's mode that let group or others do anything.
const OPEN_TO_OTHERS: u32 = 0o077;

/// What a setting's file must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    /// A file that can be read.
    File,
    /// The same, and only its owner may.
    Secret,
    /// Nothing yet or a secret: `init` makes it if it is absent.
    SecretIfThere,
    /// A place to write to: no folder stands there.
    Place,
}

/// Every fault of the files of `config` that matter for `purpose`.
pub(super) fn check(config: &Config, purpose: Purpose, places: &BTreeMap<String, usize>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut want = |key: String, path: &Path, want: Want| {
        // A default stands on no line; the first line is where the file as a whole is spoken of.
        let line = places.get(&key).copied().unwrap_or(1);
        if let Some(text) = fault_of(path, want) {
            faults.push(Fault { line, key, text });
        }
    };
    let serving = purpose == Purpose::Serve;

    if serving {
        for (name, listener) in [("kmip", &config.kmip), ("admin", &config.admin)] {
            want(format!("{name}.certificate"), &listener.certificate, Want::File);
            want(format!("{name}.key"), &listener.key, Want::Secret);
        }
        want("ceremony.trust_anchor".to_owned(), &config.ceremony.trust_anchor, Want::File);
        for (index, witness) in config.witnesses.iter().enumerate() {
            want(format!("witnesses[{index}].ca"), &witness.ca, Want::File);
        }
        for (index, collector) in config.collectors.iter().enumerate() {
            if let Some(ca) = &collector.ca {
                want(format!("collectors[{index}].ca"), ca, Want::File);
            }
        }
    } else if purpose == Purpose::Ceremony {
        want("hsm.library".to_owned(), &config.hsm.library, Want::File);
    } else {
        want("hsm.library".to_owned(), &config.hsm.library, Want::File);
        // After the ceremony the custodians have taken their passphrases away.
        let passphrase = if config.ceremony.trust_anchor.exists() { Want::SecretIfThere } else { Want::Secret };
        for (index, custodian) in config.ceremony.custodians.iter().enumerate() {
            let key = |field: &str| format!("ceremony.custodians[{index}].{field}");
            match &custodian.seal {
                ShareSeal::Passphrase(file) => want(key("passphrase_file"), file, passphrase),
                ShareSeal::PublicKey(file) if !config.ceremony.trust_anchor.exists() => {
                    want(key("public_key"), file, Want::File);
                }
                ShareSeal::PublicKey(_) => {}
            }
            want(key("share"), &custodian.share, Want::Place);
        }
        for (index, administrator) in config.administrators.iter().enumerate() {
            want(format!("administrators[{index}].certificate"), &administrator.certificate, Want::File);
        }
        for (field, path) in [("protocol", &config.ceremony.protocol), ("escrow_blob", &config.ceremony.escrow_blob)] {
            want(format!("ceremony.{field}"), path, Want::Place);
        }
    }
    for (index, member) in config.hsm.members.iter().enumerate() {
        let key = |field: &str| format!("hsm.members[{index}].{field}");
        if serving {
            want(key("module"), &member.module, Want::File);
        }
        want(key("pin_file"), &member.pin_file, if serving { Want::Secret } else { Want::SecretIfThere });
        // The Security Officer's PIN may have been taken off the node.
        want(key("so_pin_file"), &member.so_pin_file, Want::SecretIfThere);
    }
    want("store.path".to_owned(), &config.store.path, Want::Place);
    if serving {
        for (name, listener) in [("kmip", &config.kmip), ("admin", &config.admin)] {
            let (certificate, key) = (format!("{name}.certificate"), format!("{name}.key"));
            // What cannot be read at all has been reported already.
            if !faults.iter().any(|fault| fault.key == certificate || fault.key == key)
                && let Err(error) = tls::server_key(&listener.certificate, &listener.key)
            {
                let line = places.get(&key).copied().unwrap_or(1);
                faults.push(Fault { line, key, text: error.to_string() });
            }
        }
    }
    faults
}

fn fault_of(path: &Path, want: Want) -> Option<String> {
    if path.as_os_str().is_empty() {
        return None;
    }
    let shown = path.display();
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return match want {
                Want::File | Want::Secret => Some(format!("{shown} does not exist")),
                Want::SecretIfThere | Want::Place => None,
            };
        }
        Err(error) => return Some(format!("{shown}: {error}")),
    };
    if !found.is_file() {
        return Some(format!("{shown} is no file"));
    }
    if want == Want::Place {
        return None;
    }
    let mode = found.permissions().mode() & 0o7777;
    if want != Want::File && mode & OPEN_TO_OTHERS != 0 {
        return Some(format!("{shown} holds a secret and has mode {mode:04o}; 0600 is wanted"));
    }
    std::fs::File::open(path).err().map(|error| format!("{shown}: {error}"))
}
