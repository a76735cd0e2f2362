//! R68c: the VM is not replicated. Replication of the LUN beneath it is R69.

use crate::rule::{Case, Evidence, Kind, Number, Rule};

/// See the module.
pub static RULE: Rule = Rule {
    id: "vm-not-replicated",
    number: Number::Promise(68, Some('c')),
    kind: Kind::Reject,
    source: "Keine aktive Replikation",
    why: "The standby site keeps a copy in clear, and replication does not go with encryption.",
    check: |case, findings| {
        let Case::Encrypt(encryption) = case else { return };
        if let Some(replication) = &encryption.vm.replication {
            let evidence = Evidence::IsReplicated { vm: encryption.vm.id.clone(), paused: replication.paused };
            findings.push(&RULE, evidence);
        }
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::VM;
    use crate::inventory::Replication;
    use crate::rules::testing::expect_only;

    #[test]
    fn a_replicated_vm_is_refused_even_while_the_replication_pauses() {
        for paused in [false, true] {
            expect_only(&RULE, Evidence::IsReplicated { vm: VM.into(), paused }, |world| {
                world.vm.replication = Some(Replication { rpo_hours: 4, paused });
            });
        }
    }
}
