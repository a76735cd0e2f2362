//! The states of hosts and VMs with regard to keys, and the events that lead from one to the next.
//!
//! ```text
//! host:  incapable ──prepare──► prepared ──host key──► safe ──disable──► pending-incapable ──reboot──► incapable
//! VM:    clear ──encrypt──► unlocked ──host lacks the key, and no server gives it──► locked ──key given──► unlocked
//! ```
//!
//! The loss of the key service alone locks nothing: hosts keep the keys that they have until they reboot.

use serde::{Deserialize, Serialize};

use crate::ids::KeyId;
use crate::model::compute::HostCrypto;
use crate::model::states;

states! {
    /// What happens to a host.
    HostEvent {
        /// It is made ready to hold keys.
        Prepare = "prepare",
        /// It gets its host key.
        HostKey = "host-key",
        /// It is to hold keys no more.
        Disable = "disable",
        /// It starts anew, without any key in memory.
        Reboot = "reboot",
    }

    /// A VM with regard to its key.
    VmCrypto {
        /// It is in clear.
        Clear = "clear",
        /// It is encrypted and its host has the key.
        Unlocked = "unlocked",
        /// It is encrypted and its host cannot get the key; it shows as invalid and does not start.
        Locked = "locked",
    }

    /// What happens to a VM.
    VmEvent {
        /// It was encrypted.
        Encrypted = "encrypted",
        /// It was written in clear.
        Decrypted = "decrypted",
        /// Its host has not the key and no key server gives it.
        KeyLost = "key-lost",
        /// A key server gave the key to its host.
        KeyGiven = "key-given",
    }
}

/// A host's state after an event; `None` where the event cannot happen in that state.
#[must_use]
pub fn host_after(state: &HostCrypto, event: HostEvent, key: &KeyId) -> Option<HostCrypto> {
    use {HostCrypto as S, HostEvent as E};
    Some(match (state, event) {
        (S::Incapable, E::Prepare) => S::Prepared,
        (S::Prepared, E::HostKey) => S::Safe(key.clone()),
        (S::Safe(_), E::Disable) => S::PendingIncapable,
        (S::PendingIncapable | S::Incapable, E::Reboot) => S::Incapable,
        // A host that is ready stays ready; one that is safe gets its keys again from vCenter.
        (S::Prepared, E::Reboot) => S::Prepared,
        (S::Safe(old), E::Reboot) => S::Safe(old.clone()),
        // Its host key was gone from the key service: it gets another.
        (S::Safe(_), E::HostKey) => S::Safe(key.clone()),
        _ => return None,
    })
}

/// A VM's state after an event; `None` where the event cannot happen in that state.
#[must_use]
pub const fn vm_after(state: VmCrypto, event: VmEvent) -> Option<VmCrypto> {
    use {VmCrypto as S, VmEvent as E};
    Some(match (state, event) {
        (S::Clear, E::Encrypted) => S::Unlocked,
        (S::Unlocked, E::Decrypted) => S::Clear,
        (S::Unlocked | S::Locked, E::KeyLost) => S::Locked,
        (S::Locked | S::Unlocked, E::KeyGiven) => S::Unlocked,
        _ => return None,
    })
}

/// What a key server says of a key (KMIP's State), as far as a hypervisor cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum KeyAnswer {
    /// Pre-Active: usable once it is activated.
    PreActive,
    /// Active.
    Active,
    /// Deactivated, Compromised, Destroyed or both: not given out for use.
    Ended,
    /// There is no such key.
    Missing,
    /// No server answers.
    Unreachable,
}

/// Whether a VM that is to start, move or be unlocked on a host is locked there: only where the host lacks the key
/// *and* cannot have it.
#[must_use]
pub const fn locks(host_has_key: bool, answer: KeyAnswer) -> bool {
    !host_has_key && !matches!(answer, KeyAnswer::PreActive | KeyAnswer::Active)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_life_of_a_host_is_the_diagram() {
        let states =
            [HostCrypto::Incapable, HostCrypto::Prepared, HostCrypto::Safe("k".into()), HostCrypto::PendingIncapable];
        let mut table = Vec::new();
        for state in &states {
            for event in HostEvent::ALL {
                if let Some(after) = host_after(state, *event, &"k2".into()) {
                    table.push(format!("{state:?} {event} {after:?}"));
                }
            }
        }
        let expected = [
            "Incapable prepare Prepared",
            "Incapable reboot Incapable",
            "Prepared host-key Safe(KeyId(\"k2\"))",
            "Prepared reboot Prepared",
            "Safe(KeyId(\"k\")) host-key Safe(KeyId(\"k2\"))",
            "Safe(KeyId(\"k\")) disable PendingIncapable",
            "Safe(KeyId(\"k\")) reboot Safe(KeyId(\"k\"))",
            "PendingIncapable reboot Incapable",
        ];
        assert_eq!(table, expected);
    }

    #[test]
    fn the_life_of_a_vm_is_the_diagram() {
        let mut table = Vec::new();
        for state in VmCrypto::ALL {
            for event in VmEvent::ALL {
                if let Some(after) = vm_after(*state, *event) {
                    table.push(format!("{state} {event} {after}"));
                }
            }
        }
        let expected = [
            "clear encrypted unlocked",
            "unlocked decrypted clear",
            "unlocked key-lost locked",
            "unlocked key-given unlocked",
            "locked key-lost locked",
            "locked key-given unlocked",
        ];
        assert_eq!(table, expected);
    }

    #[test]
    fn a_host_that_has_the_key_needs_no_server() {
        use KeyAnswer as A;
        for answer in [A::PreActive, A::Active, A::Ended, A::Missing, A::Unreachable] {
            assert!(!locks(true, answer), "{answer:?}");
        }
        let locked = [A::PreActive, A::Active, A::Ended, A::Missing, A::Unreachable].map(|answer| locks(false, answer));
        assert_eq!(locked, [false, false, true, true, true]);
    }
}
