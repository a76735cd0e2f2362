//! R68d: the VM has no snapshot.

use crate::rule::{Case, Evidence, Kind, Number, Rule};

/// See the module.
pub static RULE: Rule = Rule {
    id: "vm-has-no-snapshot",
    number: Number::Promise(68, Some('d')),
    kind: Kind::Reject,
    source: "Kein Snapshot",
    why: "A snapshot holds blocks in clear that a later return to it would bring back.",
    check: |case, findings| {
        let Case::Encrypt(encryption) = case else { return };
        if !encryption.vm.snapshots.is_empty() {
            let snapshots = encryption.vm.snapshots.clone();
            findings.push(&RULE, Evidence::HasSnapshots { vm: encryption.vm.id.clone(), snapshots });
        }
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::VM;
    use crate::rules::testing::expect_only;

    #[test]
    fn a_vm_with_snapshots_is_refused_and_all_are_named() {
        let evidence = Evidence::HasSnapshots { vm: VM.into(), snapshots: vec!["before".into(), "after".into()] };
        expect_only(&RULE, evidence, |world| world.vm.snapshots = vec!["before".into(), "after".into()]);
    }
}
