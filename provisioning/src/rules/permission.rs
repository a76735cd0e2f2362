//! The flow: who asks may see and manage VMs.

use crate::permission::Permission;
use crate::rule::{Case, Evidence, Kind, Number, Rule};

const NEEDED: [Permission; 2] = [Permission::ComputeRead, Permission::ComputeManagement];

/// See the module.
pub static RULE: Rule = Rule {
    id: "requester-may-manage-vms",
    number: Number::Flow,
    kind: Kind::Reject,
    source: "",
    why: "Encrypting a VM changes it, which takes the permission to manage VMs.",
    check: |case, findings| {
        let Case::Encrypt(encryption) = case else { return };
        let permissions: Vec<Permission> =
            NEEDED.into_iter().filter(|needed| !encryption.request.permissions.contains(needed)).collect();
        if !permissions.is_empty() {
            findings.push(&RULE, Evidence::PermissionsMissing { permissions });
        }
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::expect_only;

    #[test]
    fn each_missing_permission_is_named() {
        for missing in NEEDED {
            let evidence = Evidence::PermissionsMissing { permissions: vec![missing] };
            expect_only(&RULE, evidence, |world| world.request.permissions.retain(|held| *held != missing));
        }
    }

    #[test]
    fn the_right_to_switch_a_vm_off_is_not_the_right_to_encrypt_it() {
        let evidence = Evidence::PermissionsMissing { permissions: NEEDED.to_vec() };
        expect_only(&RULE, evidence, |world| world.request.permissions = [Permission::VirtualMachinePower].into());
    }
}
