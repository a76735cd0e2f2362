//! The names in a request: what is there, whose it is, and what is new.

use crate::command::{Names, Whose};
use crate::ids::TenantId;
use crate::inventory::{Inventory, unfit};
use crate::reference::Ref;
use crate::rule::{Asked, Finding, Found, Number, Rule, facts, rule};

rule! {
    /// Asked before all others: without it there is nothing to ask them about.
    KNOWN = Number::Flow, "request-names-what-exists", Reject;
    source: "";
    why: "Only what exists in your tenant can be used, and a new name must be free. What is another tenant's does not exist.";
    says: "{fault}";
    Built: "looked up before any other rule is asked"
}

/// What the request names that does not exist for the one who asks, and new names that are taken or unfit.
pub(crate) fn unknown_names(asked: &Asked<'_>) -> Vec<Finding> {
    let mut seen = Vec::new();
    crate::command::names(asked.command(), &mut Names { seen: &mut seen });
    let mut found = Found::by(&KNOWN);
    let actor = asked.request.actor.tenant();
    if let Some(tenant) = actor.filter(|tenant| asked.inventory.tenant(tenant).is_none()) {
        found.add(facts! { fault: format!("there is no tenant \"{tenant}\"") });
    }
    // The whole customer's things are everybody's who belongs to it.
    for (whose, reference) in seen {
        let owner = owner(asked.inventory, reference);
        let is_known = asked.inventory.has(reference)
            && match (whose, actor, owner) {
                (Whose::Platforms, ..) | (_, None, _) | (_, _, None) => true,
                (Whose::Customers, Some(actor), Some(owner)) => asked.inventory.same_customer(actor, owner),
                (_, Some(actor), Some(owner)) => actor == owner,
            };
        if whose == Whose::New {
            if let Some(fault) = unfit(reference.id()) {
                found.add(facts! { fault: format!("\"{}\": {fault}", reference.id()) });
            } else if asked.inventory.has(reference) {
                found.add(facts! { fault: format!("the name of {reference} is taken") });
            }
        } else if !is_known {
            found.add(facts! { fault: format!("there is no {reference} in this tenant") });
        }
    }
    found.into_findings()
}

/// Whose a thing is; `None` for what is the platform's.
fn owner<'a>(inventory: &'a Inventory, reference: Ref<'a>) -> Option<&'a TenantId> {
    match reference {
        Ref::VStack(id) => inventory.vstack(id).map(|vstack| &vstack.tenant),
        Ref::Cpool(id) => inventory.tenant_of_cpool(id),
        Ref::Host(id) => inventory.host(id).map(|host| &host.tenant),
        Ref::Network(id) => inventory.network(id).map(|network| &network.tenant),
        Ref::InternetAccess(id) => inventory.internet_access(id).map(|access| &access.tenant),
        Ref::Datastore(id) => inventory.datastore(id).map(|lun| &lun.tenant),
        Ref::Mirror(id) => {
            inventory.mirror(id).and_then(|one| inventory.datastore(&one.primary)).map(|lun| &lun.tenant)
        }
        Ref::BackupPolicy(id) => inventory.policy(id).map(|policy| &policy.tenant),
        Ref::Backup(id) => inventory.backup(id).map(|backup| &backup.tenant),
        Ref::Vm(id) | Ref::Disk(id, _) | Ref::Snapshot(id, _) => {
            inventory.vm(id).and_then(|vm| inventory.tenant_of_cpool(&vm.cpool))
        }
        Ref::AffinityRule(id) => inventory.affinity_rule(id).and_then(|rule| inventory.tenant_of_cpool(&rule.cpool)),
        Ref::ServiceRequest(id) => inventory.service_request(id).map(|request| &request.tenant),
        Ref::KeyDomain(id) => inventory.key_domain(id).map(|domain| &domain.tenant),
        _ => None,
    }
}

/// The rules of this file.
pub static RULES: [&Rule; 1] = [&KNOWN];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Actor, Command};
    use crate::example;
    use crate::rules::testing::{expect_allowed, expect_refused, expect_refused_of};

    fn encrypt(vm: &str) -> Command {
        Command::Encrypt { vm: vm.into() }
    }

    #[test]
    fn a_foreign_vm_is_told_of_like_an_absent_one() {
        let foreign = Actor::owner(&example::FOREIGN_TENANT.into());
        let said = |vm: &str| format!("there is no VM \"{vm}\" in this tenant");
        expect_refused_of(&KNOWN, &said("vm-web"), foreign.clone(), encrypt("vm-web"), |_| {});
        expect_refused_of(&KNOWN, &said("vm-none"), foreign, encrypt("vm-none"), |_| {});
        expect_refused(&KNOWN, &said("vm-none"), encrypt("vm-none"), |_| {});
    }

    #[test]
    fn everything_that_a_command_names_is_looked_up() {
        let move_to =
            |disk: &str, to: &str| Command::MoveDisk { vm: "vm-web".into(), disk: disk.into(), to: to.into() };
        let said = "there is no disk \"disk-9\" in this tenant";
        expect_refused(&KNOWN, said, move_to("disk-9", "lun-acme-2"), |_| {});
        let said = "there is no datastore \"lun-boreal-1\" in this tenant";
        expect_refused(&KNOWN, said, move_to("disk-0", "lun-boreal-1"), |_| {});
        let said = "there is no tenant \"nobody\"";
        let nobody = crate::command::Request { actor: Actor::owner(&"nobody".into()), command: encrypt("vm-web") };
        let found = crate::plan::plan(&example::inventory(), &nobody).unwrap_err();
        assert_eq!(found[0].message(), said);
    }

    #[test]
    fn a_new_name_is_free_and_fit() {
        let clone = |name: &str| Command::CloneVm { vm: "vm-web".into(), clone: name.into(), name: "x".to_owned() };
        expect_refused(&KNOWN, "the name of VM \"vm-db\" is taken", clone("vm-db"), |_| {});
        let said = "\"a b\": an identifier has letters, digits, and - _ . : only";
        expect_refused(&KNOWN, said, clone("a b"), |_| {});
        expect_allowed(Actor::owner(&example::TENANT.into()), clone("vm-web-2"), |_| {});
    }

    #[test]
    fn a_sister_tenants_network_can_be_named_and_its_cpool_not_used() {
        let owner = Actor::owner(&"acme-lab".into());
        let move_home = Command::MoveVm { vm: "vm-web".into(), cpool: "clu-lab".into() };
        let found =
            crate::plan::plan(&example::inventory(), &crate::command::Request { actor: owner, command: move_home });
        let messages: Vec<String> = found.unwrap_err().iter().map(Finding::message).collect();
        assert_eq!(messages, ["there is no VM \"vm-web\" in this tenant"]);
        let carry = Command::PropagateNetwork { network: "net-web".into(), cpool: "clu-none".into() };
        expect_refused(&KNOWN, "there is no Cpool \"clu-none\" in this tenant", carry, |_| {});
    }
}
