//! R68b: the VM is powered off. The German text says "gelöscht", which is a mistranslation of "éteinte".

use crate::inventory::PowerState;
use crate::rule::{Case, Evidence, Kind, Number, Rule};

/// See the module.
pub static RULE: Rule = Rule {
    id: "vm-powered-off",
    number: Number::Promise(68, Some('b')),
    kind: Kind::Reject,
    source: "Gelöschte virtuelle Maschine",
    why: "The disks are rewritten into encrypted files, and nothing may write to them meanwhile.",
    check: |case, findings| {
        let Case::Encrypt(encryption) = case else { return };
        if encryption.vm.power != PowerState::Off {
            let evidence = Evidence::NotPoweredOff { vm: encryption.vm.id.clone(), power: encryption.vm.power };
            findings.push(&RULE, evidence);
        }
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::VM;
    use crate::rules::testing::expect_only;

    #[test]
    fn only_off_is_off() {
        let others = [
            PowerState::On,
            PowerState::Suspended,
            PowerState::Processing,
            PowerState::HostDisconnected,
            PowerState::Invalid,
        ];
        for power in others {
            expect_only(&RULE, Evidence::NotPoweredOff { vm: VM.into(), power }, |world| world.vm.power = power);
        }
    }
}
