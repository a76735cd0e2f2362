//! R68g: the VM is not a restore test of the backup service.

use crate::inventory::SppMode;
use crate::rule::{Case, Evidence, Kind, Number, Rule};

/// See the module.
pub static RULE: Rule = Rule {
    id: "vm-not-in-test-mode",
    number: Number::Promise(68, Some('g')),
    kind: Kind::Reject,
    source: "La machine virtuelle ne doit pas être en mode test",
    why: "A restore test runs from the backup and is thrown away; make it productive or a clone first.",
    check: |case, findings| {
        let Case::Encrypt(encryption) = case else { return };
        if encryption.vm.spp_mode == SppMode::Test {
            findings.push(&RULE, Evidence::TestMode { vm: encryption.vm.id.clone() });
        }
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::VM;
    use crate::rules::testing::{expect_clean, expect_only};

    #[test]
    fn a_restore_test_is_refused() {
        expect_only(&RULE, Evidence::TestMode { vm: VM.into() }, |world| world.vm.spp_mode = SppMode::Test);
    }

    #[test]
    fn a_clone_is_a_vm_like_any_other() {
        expect_clean(|world| world.vm.spp_mode = SppMode::Clone);
    }
}
