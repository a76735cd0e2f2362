//! R68f: the VM is not encrypted yet.

use crate::rule::{Case, Evidence, Kind, Number, Rule};

/// See the module.
pub static RULE: Rule = Rule {
    id: "vm-not-encrypted-yet",
    number: Number::Promise(68, Some('f')),
    kind: Kind::Reject,
    source: "La machine virtuelle ne doit pas être déjà chiffrée",
    why: "An encrypted VM has its key already; a second encryption would not protect it better.",
    check: |case, findings| {
        let Case::Encrypt(encryption) = case else { return };
        if let Some(key) = &encryption.vm.encryption {
            let evidence = Evidence::AlreadyEncrypted {
                vm: encryption.vm.id.clone(),
                provider: key.provider.clone(),
                key: key.key.clone(),
            };
            findings.push(&RULE, evidence);
        }
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::VM;
    use crate::inventory::VmEncryption;
    use crate::rules::testing::expect_only;

    #[test]
    fn an_encrypted_vm_is_refused_and_its_key_named() {
        let evidence = Evidence::AlreadyEncrypted { vm: VM.into(), provider: "clavis".into(), key: "17".into() };
        expect_only(&RULE, evidence, |world| {
            world.vm.encryption = Some(VmEncryption { provider: "clavis".into(), key: "17".into() });
        });
    }
}
