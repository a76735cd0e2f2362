//! R14, R15: how far a private network reaches.

use crate::rule::{Number, Rule, facts, promise, rule};

rule! {
    /// Inside a tenant.
    R14 = promise(14), "network-stays-in-its-tenants", Reject;
    source: "VLANs können zwischen verschiedenen AZ und verschiedenen Clustern, die demselben Tenant angehören, geteilt \
        werden";
    why: "A network reaches Cpools, in whatever zones, of its own tenant and of tenants into which it is propagated.";
    says: "network \"{network}\" is carried into Cpool \"{cpool}\" of tenant \"{tenant}\", which it was not propagated to";
    Always: |view, found| {
        for network in view.inventory.networks() {
            for cpool in &network.cpools {
                if let Some(tenant) = view.inventory.tenant_of_cpool(cpool)
                    && *tenant != network.tenant
                    && !network.tenants.contains(tenant)
                {
                    found.add(facts! { network: &network.id, cpool: cpool, tenant: tenant });
                }
            }
        }
    }
}

rule! {
    /// Between tenants.
    R15 = promise(15), "network-stays-in-its-organisation", Reject;
    source: "VLANs können zwischen mehreren Mietern einer Organisation weitergeleitet werden";
    why: "A network is propagated only between tenants of one organisation.";
    says: "network \"{network}\" is propagated to tenant \"{tenant}\" of another organisation";
    Always: |view, found| {
        for network in view.inventory.networks() {
            for tenant in network.tenants.iter().filter(|tenant| !view.inventory.same_customer(&network.tenant, tenant)) {
                found.add(facts! { network: &network.id, tenant: tenant });
            }
        }
    }
}

rule! {
    /// A card without a network behind it connects to nothing.
    CONNECTED = Number::Flow, "vm-is-on-networks-of-its-cpool", Reject;
    source: "";
    why: "A VM can be connected to the networks that are carried into its Cpool.";
    says: "VM \"{vm}\" is on network \"{network}\", which is not carried into Cpool \"{cpool}\"";
    Always: |view, found| {
        for vm in view.inventory.vms() {
            let carried = |id| view.inventory.network(id).is_some_and(|network| network.cpools.contains(&vm.cpool));
            for network in vm.networks.iter().filter(|id| !carried(id)) {
                found.add(facts! { vm: &vm.id, network: network, cpool: &vm.cpool });
            }
        }
    }
}

/// The rules of this file.
pub static RULES: [&Rule; 3] = [&R14, &R15, &CONNECTED];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Actor, Command};
    use crate::example;
    use crate::rules::testing::{expect_allowed, expect_found, expect_refused};

    #[test]
    fn a_network_carried_into_a_sister_tenants_cpool_is_found_until_it_is_propagated_there() {
        let said = "network \"net-web\" is carried into Cpool \"clu-lab\" of tenant \"acme-lab\", \
            which it was not propagated to";
        expect_found(&R14, said, |document| {
            document.networks[0].cpools.insert("clu-lab".into());
        });
        let carry = || Command::PropagateNetwork { network: "net-web".into(), cpool: "clu-lab".into() };
        expect_refused(&R14, said, carry(), |_| {});
        expect_allowed(Actor::owner(&example::TENANT.into()), carry(), |document| {
            document.networks[0].tenants.insert("acme-lab".into());
        });
    }

    #[test]
    fn a_network_propagated_to_another_organisation_is_refused() {
        let said = "network \"net-web\" is propagated to tenant \"boreal\" of another organisation";
        let share = |to: &str| Command::ShareNetwork { network: "net-web".into(), tenant: to.into() };
        expect_refused(&R15, said, share("boreal"), |_| {});
        expect_allowed(Actor::owner(&example::TENANT.into()), share("acme-lab"), |_| {});
    }

    #[test]
    fn a_vm_on_a_network_that_is_not_there_is_found() {
        let said = "VM \"vm-web\" is on network \"net-far\", which is not carried into Cpool \"clu-par\"";
        let connect = |network: &str| Command::ConnectVm { vm: "vm-web".into(), network: network.into() };
        expect_refused(&CONNECTED, said, connect("net-far"), |_| {});
        expect_allowed(Actor::owner(&example::TENANT.into()), connect("net-web"), |_| {});
    }
}
