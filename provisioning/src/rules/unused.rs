//! What is given back: only what nothing uses any more.

use crate::command::Command;
use crate::inventory::Inventory;
use crate::model::compute::HostState;
use crate::model::contract::{RequestState, Wish};
use crate::model::storage::MirrorState;
use crate::model::vm::Vm;
use crate::reference::Ref;
use crate::rule::{EVERYTHING, Number, Rule, facts, rule};

rule! {
    /// What is given back is empty.
    UNUSED = Number::Flow, "what-is-given-back-is-unused", Reject;
    source: "";
    why: "Only what nothing uses any more can be given back; a host and the hosts of a Cpool are in maintenance first.";
    says: "{what} is still used: {by}", speaks_for: EVERYTHING;
    Asked: |asked, found| {
        if let Some((what, by)) = removed(asked.command()).map(|what| (what, users(asked.inventory, what)))
            && !by.is_empty()
        {
            found.add(facts! { what: what.to_string(), by: by });
        }
    }
}

/// What a command gives back.
fn removed(command: &Command) -> Option<Ref<'_>> {
    match command {
        Command::DeleteDatastore { datastore } => Some(Ref::Datastore(datastore)),
        Command::DeleteCpool { cpool } => Some(Ref::Cpool(cpool)),
        Command::RemoveHost { host } => Some(Ref::Host(host)),
        Command::DeleteNetwork { network } => Some(Ref::Network(network)),
        Command::RemoveMirror { mirror } => Some(Ref::Mirror(mirror)),
        Command::DeleteVm { vm } => Some(Ref::Vm(vm)),
        _ => None,
    }
}

/// Everything that still uses a thing, in words.
fn users(inventory: &Inventory, thing: Ref<'_>) -> Vec<String> {
    let vms = |uses: &dyn Fn(&Vm) -> bool| -> Vec<String> {
        inventory.vms().filter(|vm| uses(vm)).map(|vm| Ref::Vm(&vm.id).to_string()).collect()
    };
    match thing {
        Ref::Datastore(id) => {
            let replicates = |vm: &Vm| vm.replication.as_ref().is_some_and(|replication| replication.datastore == *id);
            let mut by = vms(&|vm| vm.datastores().contains(id) || replicates(vm));
            by.extend(inventory.mirrors_of(id).map(|mirror| Ref::Mirror(&mirror.id).to_string()));
            let cluster = inventory.datastore(id).and_then(|lun| lun.cluster.as_ref());
            let others = inventory.datastores().filter(|lun| lun.cluster.is_some() && lun.cluster.as_ref() == cluster);
            if let (Some(cluster), 1) = (cluster, others.count()) {
                by.push(format!("datastore cluster \"{cluster}\", whose last it is"));
            }
            by
        }
        Ref::Cpool(id) => {
            let waits = |vm: &Vm| vm.replication.as_ref().is_some_and(|replication| replication.standby.cpool == *id);
            let mut by = vms(&|vm| vm.cpool == *id || waits(vm));
            let mirrors = inventory.mirrors().filter(|mirror| mirror.standby.cpool == *id);
            by.extend(mirrors.map(|mirror| Ref::Mirror(&mirror.id).to_string()));
            let working = inventory.hosts().filter(|host| host.cpool == *id && host.state != HostState::Maintenance);
            by.extend(working.map(|host| format!("{}, which is not in maintenance", Ref::Host(&host.id))));
            by
        }
        Ref::Host(id) => {
            let mut by = vms(&|vm| vm.host.as_ref() == Some(id));
            let works = inventory.host(id).filter(|host| host.state != HostState::Maintenance);
            by.extend(works.map(|_| "it is not in maintenance".to_owned()));
            by
        }
        Ref::Network(id) => {
            let mut by = vms(&|vm| vm.networks.contains(id));
            let accesses = inventory.internet_accesses().filter(|access| access.network == *id);
            by.extend(accesses.map(|access| Ref::InternetAccess(&access.id).to_string()));
            by
        }
        Ref::Mirror(id) => {
            let active = inventory
                .mirror(id)
                .filter(|mirror| matches!(mirror.state, MirrorState::Test | MirrorState::FailedOver));
            let requests = inventory.service_requests().filter(|request| {
                let is_open = request.state == RequestState::Open;
                is_open && matches!(&request.wish, Wish::PresentMirror { mirror } if mirror == id)
            });
            let active = active.map(|mirror| format!("it is in the state {}", mirror.state)).into_iter();
            active.chain(requests.map(|request| Ref::ServiceRequest(&request.id).to_string())).collect()
        }
        Ref::Vm(id) => {
            let requests = inventory.service_requests().filter(|request| {
                let is_open = request.state == RequestState::Open;
                is_open && matches!(&request.wish, Wish::ExportEncrypted { vm } if vm == id)
            });
            requests.map(|request| Ref::ServiceRequest(&request.id).to_string()).collect()
        }
        _ => Vec::new(),
    }
}

/// The rules of this file.
pub static RULES: [&Rule; 1] = [&UNUSED];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Actor;
    use crate::example::{self, lun};
    use crate::model::vm::PowerState;
    use crate::rules::testing::{expect_allowed, expect_refused};

    fn owner() -> Actor {
        Actor::owner(&example::TENANT.into())
    }

    #[test]
    fn a_datastore_with_files_or_a_mirror_or_the_last_of_a_cluster_stays() {
        let delete = |id: &str| Command::DeleteDatastore { datastore: id.into() };
        let said = "datastore \"lun-acme-1\" is still used: VM \"vm-db\", VM \"vm-web\", \
            datastore cluster \"sdrs-1\", whose last it is";
        expect_refused(&UNUSED, said, delete("lun-acme-1"), |_| {});
        let said = "datastore \"lun-acme-gm-th3\" is still used: mirror \"gm-1\"";
        expect_refused(&UNUSED, said, delete("lun-acme-gm-th3"), |_| {});
        let said = "datastore \"lun-acme-th3\" is still used: VM \"vm-web\"";
        expect_refused(&UNUSED, said, delete("lun-acme-th3"), example::replicated);
        expect_allowed(owner(), delete("lun-acme-2"), |document| {
            lun(document, "lun-acme-2").cluster = Some("sdrs-1".into());
        });
    }

    #[test]
    fn a_cpool_is_given_back_empty_and_in_maintenance() {
        let delete = || Command::DeleteCpool { cpool: "clu-th3".into() };
        let said = "Cpool \"clu-th3\" is still used: mirror \"gm-1\", host \"host-4\", which is not in maintenance, \
            host \"host-5\", which is not in maintenance";
        expect_refused(&UNUSED, said, delete(), |_| {});
        expect_allowed(owner(), delete(), |document| {
            document.mirrors.clear();
            document.service_requests.retain(|request| request.id.as_str() != "sr-present");
            for host in document.hosts.iter_mut().filter(|host| host.cpool.as_str() == "clu-th3") {
                host.state = HostState::Maintenance;
            }
        });
    }

    #[test]
    fn a_host_is_given_back_empty_and_in_maintenance() {
        let remove = |host: &str| Command::RemoveHost { host: host.into() };
        let said = "host \"host-1\" is still used: VM \"vm-db\", it is not in maintenance";
        expect_refused(&UNUSED, said, remove("host-1"), |_| {});
        expect_allowed(owner(), remove("host-3"), |document| document.hosts[2].state = HostState::Maintenance);
    }

    #[test]
    fn a_network_or_a_mirror_in_use_stays() {
        let said = "network \"net-web\" is still used: VM \"vm-erp\", internet access \"www-1\"";
        expect_refused(&UNUSED, said, Command::DeleteNetwork { network: "net-web".into() }, |_| {});
        expect_allowed(owner(), Command::DeleteNetwork { network: "net-far".into() }, |_| {});
        let remove = || Command::RemoveMirror { mirror: "gm-1".into() };
        let said = "mirror \"gm-1\" is still used: it is in the state failed-over";
        expect_refused(&UNUSED, said, remove(), |document| {
            document.mirrors[0].state = MirrorState::FailedOver;
            document.service_requests[1].state = RequestState::Done;
        });
        let said = "mirror \"gm-1\" is still used: service request \"sr-present\"";
        expect_refused(&UNUSED, said, remove(), |_| {});
        expect_allowed(owner(), remove(), |document| document.service_requests[1].state = RequestState::Done);
    }

    #[test]
    fn a_vm_whose_export_was_asked_for_stays() {
        let said = "VM \"vm-web\" is still used: service request \"sr-present\"";
        expect_refused(&UNUSED, said, Command::DeleteVm { vm: "vm-web".into() }, |document| {
            document.service_requests[1].wish = Wish::ExportEncrypted { vm: "vm-web".into() };
        });
        expect_allowed(owner(), Command::DeleteVm { vm: "vm-web".into() }, |document| {
            assert_eq!(example::vm(document, "vm-web").power, PowerState::Off);
        });
    }
}
