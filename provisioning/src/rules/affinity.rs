//! R52: which VMs run together, and which do not.

use std::collections::BTreeSet;

use crate::command::Command;
use crate::ids::VmId;
use crate::model::compute::{AffinityKind, AffinityRule};
use crate::rule::{Number, Rule, facts, promise, rule};

rule! {
    /// Between VMs of one Cpool, without contradiction.
    R52 = promise(52), "affinity-rule-is-consistent", Reject;
    source: "Die in der Konsole angebotenen Affinitäts- und Anti-Affinitätsregeln beziehen sich auf virtuelle Maschinen \
        untereinander";
    why: "An affinity rule names two or more VMs of one Cpool. No VM is in two active rules of one kind, no pair in two of \
        different kinds.";
    says: "affinity rule \"{rule}\" {fault}";
    Always: |view, found| {
        let active: Vec<&AffinityRule> = view.inventory.affinity_rules().filter(|rule| rule.enabled).collect();
        for rule in view.inventory.affinity_rules() {
            if rule.vms.len() < 2 {
                found.add(facts! { rule: &rule.id, fault: "names fewer than two VMs" });
            }
            let elsewhere = |vm: &&VmId| view.inventory.vm(vm).is_some_and(|vm| vm.cpool != rule.cpool);
            if let Some(vm) = rule.vms.iter().find(elsewhere) {
                let fault = format!("names VM \"{vm}\", which is not in Cpool \"{}\"", rule.cpool);
                found.add(facts! { rule: &rule.id, fault: fault });
            }
        }
        for (index, one) in active.iter().enumerate() {
            for other in active.iter().skip(index + 1) {
                let shared: BTreeSet<_> = one.vms.iter().filter(|vm| other.vms.contains(vm)).collect();
                let allowed = if one.kind == other.kind { 0 } else { 1 };
                if shared.len() > allowed {
                    let shared: Vec<&str> = shared.into_iter().map(VmId::as_str).collect();
                    let fault = format!("contradicts \"{}\" about {}", other.id, shared.join(", "));
                    found.add(facts! { rule: &one.id, fault: fault });
                }
            }
        }
    }
}

rule! {
    /// A move by hand keeps the rules in force.
    PLACEMENT = Number::Flow, "host-suits-affinity-rules", Reject;
    source: "";
    why: "A VM moves to a host on which the affinity rules in force let it run.";
    says: "VM \"{vm}\" may not run on host \"{host}\" beside what runs there: {kinds}";
    Asked: |asked, found| {
        let Command::MigrateVm { vm, host } = asked.command() else { return };
        if !crate::command::suits(asked.inventory, vm, host) {
            let rules = asked.inventory.affinity_rules().filter(|rule| rule.enabled && rule.vms.contains(vm));
            let kinds: Vec<AffinityKind> = rules.map(|rule| rule.kind).collect();
            found.add(facts! { vm: vm, host: host, kinds: kinds });
        }
    }
}

/// The rules of this file.
pub static RULES: [&Rule; 2] = [&R52, &PLACEMENT];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Actor;
    use crate::example::{self, vm};
    use crate::model::vm::PowerState;
    use crate::rules::testing::{expect_allowed, expect_refused};

    fn owner() -> Actor {
        Actor::owner(&example::TENANT.into())
    }

    #[test]
    fn rules_that_contradict_each_other_are_found() {
        let rule = |id: &str, kind, vms: &[&str]| AffinityRule {
            id: id.into(),
            name: id.to_owned(),
            cpool: "clu-par".into(),
            kind,
            enabled: true,
            vms: vms.iter().map(|vm| (*vm).into()).collect(),
        };
        let create = |rule| Command::CreateAffinityRule { rule };
        let together = AffinityKind::Affinity;
        let said = "affinity rule \"apart\" contradicts \"new\" about vm-db, vm-web";
        expect_refused(&R52, said, create(rule("new", together, &["vm-db", "vm-web"])), |_| {});
        let said = "affinity rule \"apart\" contradicts \"new\" about vm-db";
        let apart = AffinityKind::AntiAffinity;
        expect_refused(&R52, said, create(rule("new", apart, &["vm-db", "vm-erp"])), |_| {});
        let said = "affinity rule \"new\" names fewer than two VMs";
        expect_refused(&R52, said, create(rule("new", together, &["vm-erp"])), |_| {});
        let said = "affinity rule \"new\" names VM \"vm-erp\", which is not in Cpool \"clu-th3\"";
        let elsewhere = AffinityRule { cpool: "clu-th3".into(), ..rule("new", together, &["vm-erp", "vm-db"]) };
        expect_refused(&R52, said, create(elsewhere), |_| {});
        expect_allowed(owner(), create(rule("new", together, &["vm-db", "vm-erp"])), |_| {});
    }

    #[test]
    fn a_vm_is_not_moved_beside_one_it_is_to_keep_away_from() {
        let on = |document: &mut crate::inventory::Document| {
            let web = vm(document, "vm-web");
            (web.power, web.host) = (PowerState::On, Some("host-2".into()));
        };
        let said = "VM \"vm-web\" may not run on host \"host-1\" beside what runs there: anti-affinity";
        expect_refused(&PLACEMENT, said, Command::MigrateVm { vm: "vm-web".into(), host: "host-1".into() }, on);
        expect_allowed(owner(), Command::MigrateVm { vm: "vm-web".into(), host: "host-3".into() }, on);
    }
}
