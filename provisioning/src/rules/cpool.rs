//! R13, R44 to R49: Cpools, their hosts and their memory.

use crate::catalogue::catalogue;
use crate::command::Command;
use crate::model::settings::RamActivation;
use crate::rule::{Number, Rule, facts, promise, rule};
use crate::units::Gb;

/// RAM that is enabled of each blade at first.
pub const RAM_AT_FIRST: Gb = Gb(128);
/// Hosts of a Cpool.
pub const MOST_HOSTS: usize = 32;
/// Per cent of a Cpool's RAM beyond which performance suffers.
pub const RAM_PERCENT: u64 = 85;

rule! {
    /// With one host there is no other.
    R13 = promise(13), "high-availability-needs-two-hosts", Reject;
    source: "Falls eine Verfügbarkeitszone nur einen Hypervisor enthält, ist ein automatischer Neustart nicht möglich";
    why: "VMs of a failed host start on another, so there has to be another.";
    says: "Cpool \"{cpool}\" has high availability on and {hosts} host(s)";
    Always: |view, found| {
        for cpool in view.inventory.cpools().filter(|cpool| cpool.high_availability) {
            let hosts = view.hosts(&cpool.id).len();
            if hosts < 2 {
                found.add(facts! { cpool: &cpool.id, hosts: hosts });
            }
        }
    }
}

rule! {
    /// Of one tenant, in one zone; that they are of one kind R7 says.
    R44 = promise(44), "cpool-is-of-one-tenant-and-zone", Reject;
    source: "Die Hosts, die sich in einem 'Cpool' befinden, gehören alle demselben Mandanten und der gleichen \
        Verfügbarkeitszone (AZ)";
    why: "All hosts of a Cpool belong to one tenant and stand in one zone.";
    says: "host \"{host}\" of Cpool \"{cpool}\" {fault}";
    Always: |view, found| {
        for host in view.inventory.hosts() {
            let Some(cpool) = view.inventory.cpool(&host.cpool) else { continue };
            let Some(tenant) = view.inventory.tenant_of_cpool(&cpool.id) else { continue };
            if host.zone != cpool.zone {
                let fault = format!("stands in zone {} instead of {}", host.zone, cpool.zone);
                found.add(facts! { host: &host.id, cpool: &cpool.id, fault: fault });
            }
            if host.tenant != *tenant && view.inventory.same_customer(&host.tenant, tenant) {
                let fault = format!("is tenant \"{}\"'s instead of \"{tenant}\"'s", host.tenant);
                found.add(facts! { host: &host.id, cpool: &cpool.id, fault: fault });
            }
        }
    }
}

rule! {
    /// At activation.
    R45 = promise(45), "blade-starts-with-128-gb", Reject;
    source: "Standardmäßig verfügt jeder Compute-Block über 128 GB aktivierter RAM innerhalb des 'Cpool'";
    why: "A new Cpool has 128 GB enabled for each blade; more can be enabled afterwards.";
    says: "Cpool \"{cpool}\" would start with {asked} enabled; its blades start with {at_first}", speaks_for: &["cpool-ram-is-within-bounds"];
    Asked: |asked, found| {
        let Command::CreateCpool { cpool, blade, hosts, ram, .. } = asked.command() else { return };
        let each = match asked.inventory.settings().ram_activation {
            RamActivation::OnDemand => RAM_AT_FIRST,
            RamActivation::All => catalogue().blade(blade).map_or(RAM_AT_FIRST, |blade| blade.ram),
        };
        let at_first = each.times(u64::try_from(hosts.len()).unwrap_or(u64::MAX));
        if *ram != at_first {
            found.add(facts! { cpool: cpool, asked: *ram, at_first: at_first });
        }
    }
}

rule! {
    /// The most.
    R46 = promise(46), "cpool-has-32-hosts", Reject;
    source: "Ein 'Cpool' kann maximal 32 Hypervisoren enthalten. Überschreitet man diese Grenze, ist es notwendig, einen \
        zweiten Cluster zu erstellen";
    why: "A Cpool has at most 32 hosts; make a second one.";
    says: "Cpool \"{cpool}\" would have {hosts} hosts";
    Always: |view, found| {
        for cpool in view.inventory.cpools() {
            let hosts = view.hosts(&cpool.id).len();
            if hosts > MOST_HOSTS {
                found.add(facts! { cpool: &cpool.id, hosts: hosts });
            }
        }
    }
}

rule! {
    /// Storage goes across Cpools.
    R47 = promise(47), "cpools-share-datastores", Fact;
    source: "Der Speicher kann zwischen den 'Cpool' geteilt werden";
    why: "A datastore may serve several Cpools.";
    says: "";
    Built: "`Datastore` has a list of Cpools"
}

rule! {
    /// How much may be enabled; looked at again when hosts come and go.
    R48 = promise(48), "cpool-ram-is-within-bounds", Reject;
    source: "Mindestspeicher eines 'Cpool' = Anzahl der Hosts × 128 GB Speicher. Maximaler Speicher eines 'Cpool' = Anzahl der \
        Hosts × physische Speicherkapazität des Rechenknotens";
    why: "The RAM enabled in a Cpool is between 128 GB per host and all that its hosts have.";
    says: "Cpool \"{cpool}\" has {enabled} enabled; with its hosts it has {least} to {most}, in steps of {step}";
    Always: |view, found| {
        let settings = view.inventory.settings();
        for cpool in view.inventory.cpools() {
            let hosts = view.hosts(&cpool.id);
            let most: Gb = hosts.iter().map(|host| host.ram).sum();
            let least = match settings.ram_activation {
                RamActivation::OnDemand => RAM_AT_FIRST.times(u64::try_from(hosts.len()).unwrap_or(u64::MAX)),
                RamActivation::All => most,
            };
            let enabled = cpool.ram_enabled;
            let in_step = enabled.0.is_multiple_of(settings.ram_step.0.max(1)) || enabled == least || enabled == most;
            if enabled < least || enabled > most || !in_step {
                let step = settings.ram_step;
                found.add(facts! { cpool: &cpool.id, enabled: enabled, least: least, most: most, step: step });
            }
        }
    }
}

rule! {
    /// Beyond this the hypervisor compresses, balloons and swaps.
    R49 = promise(49), "cpool-ram-is-not-overused", Warn;
    source: "Achten Sie darauf, die durchschnittliche Speicherkonsum pro Rechenknoten nicht zu überschreiten";
    why: "Above 85 % of its RAM on average a blade compresses, balloons and swaps, and all its VMs slow down.";
    says: "VMs and standby reservations use {percent} % of the {enabled} enabled in Cpool \"{cpool}\"; keep it under {limit} %";
    Always: |view, found| {
        for cpool in view.inventory.cpools() {
            let percent = view.memory(&cpool.id).percent_of(cpool.ram_enabled);
            if percent > RAM_PERCENT {
                let enabled = cpool.ram_enabled;
                found.add_by(
                    percent,
                    facts! { cpool: &cpool.id, percent: percent, enabled: enabled, limit: RAM_PERCENT },
                );
            }
        }
    }
}

rule! {
    /// What is promised twice is kept once.
    STANDBY_FITS = Number::Flow, "cpool-holds-its-standby-reservations", Reject;
    source: "";
    why: "All reservations of a Cpool together are within the RAM that it has enabled.";
    says: "{reserved} would be reserved in Cpool \"{cpool}\", which has {enabled} enabled";
    Always: |view, found| {
        for cpool in view.inventory.cpools() {
            let reserved = view.memory(&cpool.id).standby;
            if reserved.bytes() > cpool.ram_enabled.bytes() {
                let short = reserved.bytes().less(cpool.ram_enabled.bytes()).0;
                found.add_by(short, facts! { cpool: &cpool.id, reserved: reserved, enabled: cpool.ram_enabled });
            }
        }
    }
}

/// The rules of this file.
pub static RULES: [&Rule; 8] = [&R13, &R44, &R45, &R46, &R47, &R48, &R49, &STANDBY_FITS];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Actor, Request};
    use crate::example::{self, vm};
    use crate::ids::HostId;
    use crate::model::vm::PowerState;
    use crate::plan::{apply, plan};
    use crate::rules::testing::{build, expect_allowed, expect_found, expect_refused, expect_refused_of};
    use crate::units::Gib;

    fn owner() -> Actor {
        Actor::owner(&example::TENANT.into())
    }

    #[test]
    fn high_availability_with_one_host_is_refused() {
        let enable = Command::SetHighAvailability { cpool: "clu-lab".into(), enabled: true };
        let said = "Cpool \"clu-lab\" has high availability on and 1 host(s)";
        expect_refused_of(&R13, said, Actor::owner(&"acme-lab".into()), enable, |_| {});
        expect_allowed(owner(), Command::SetHighAvailability { cpool: "clu-par".into(), enabled: true }, |_| {});
    }

    #[test]
    fn vms_of_a_failed_host_start_on_another_only_with_high_availability() {
        let _ = &R13;
        let fail = |high_availability: bool| {
            let inventory = build(|document| document.cpools[0].high_availability = high_availability);
            let failed = inventory.vm(&"vm-db".into()).unwrap().host.clone().unwrap();
            let request = Request { actor: Actor::Operator, command: Command::HostFailed { host: failed.clone() } };
            let planned = plan(&inventory, &request).unwrap();
            let after = apply(&inventory, &planned, &crate::command::Outcome::default()).unwrap();
            let vm = after.vm(&"vm-db".into()).unwrap();
            (vm.power, vm.host.as_ref() != Some(&failed))
        };
        assert_eq!(fail(true), (PowerState::On, true));
        assert_eq!(fail(false), (PowerState::HostDisconnected, false));
    }

    #[test]
    fn a_host_of_another_zone_or_sister_tenant_is_found() {
        let said = "host \"host-3\" of Cpool \"clu-par\" stands in zone TH3S instead of PAR7S";
        expect_found(&R44, said, |document| document.hosts[2].zone = "TH3S".into());
        let said = "host \"host-3\" of Cpool \"clu-par\" is tenant \"acme-lab\"'s instead of \"acme\"'s";
        expect_found(&R44, said, |document| document.hosts[2].tenant = "acme-lab".into());
    }

    fn new_cpool(ram: u64) -> Command {
        Command::CreateCpool {
            cpool: "clu-new".into(),
            name: "new".to_owned(),
            vstack: example::VSTACK.into(),
            zone: "AZ07".into(),
            blade: "advance".into(),
            hosts: vec!["host-91".into(), "host-92".into()],
            ram: Gb(ram),
        }
    }

    #[test]
    fn a_new_cpool_starts_with_128_gb_per_blade() {
        let said = "Cpool \"clu-new\" would start with 255 GB enabled; its blades start with 256 GB";
        expect_refused(&R45, said, new_cpool(255), |_| {});
        expect_allowed(owner(), new_cpool(256), |_| {});
    }

    #[test]
    fn with_all_ram_active_a_new_cpool_starts_with_all() {
        let all = |document: &mut crate::inventory::Document| {
            document.settings.ram_activation = RamActivation::All;
            for cpool in &mut document.cpools {
                let hosts = document.hosts.iter().filter(|host| host.cpool == cpool.id);
                cpool.ram_enabled = hosts.map(|host| host.ram).sum();
            }
        };
        let said = "Cpool \"clu-new\" would start with 256 GB enabled; its blades start with 1536 GB";
        expect_refused(&R45, said, new_cpool(256), all);
        expect_allowed(owner(), new_cpool(1536), all);
        let enable = Command::EnableRam { cpool: "clu-par".into(), ram: Gb(384) };
        let said = "Cpool \"clu-par\" has 384 GB enabled; with its hosts it has 1152 GB to 1152 GB, in steps of 1 GB";
        expect_refused(&R48, said, enable, all);
    }

    fn add_hosts(document: &mut crate::inventory::Document, total: usize) {
        for number in 4..=total {
            let mut host = document.hosts[0].clone();
            host.id = HostId::new(format!("host-par-{number}"));
            document.hosts.push(host);
        }
        document.cpools[0].ram_enabled = RAM_AT_FIRST.times(u64::try_from(total).unwrap());
    }

    #[test]
    fn the_33rd_host_is_refused() {
        let add = || Command::AddHost { cpool: "clu-par".into(), host: "host-x".into(), blade: "standard".into() };
        expect_refused(&R46, "Cpool \"clu-par\" would have 33 hosts", add(), |document| add_hosts(document, 32));
        expect_allowed(owner(), add(), |document| add_hosts(document, 31));
    }

    #[test]
    fn a_datastore_serves_two_cpools() {
        let _ = &R47;
        let two = |command| expect_allowed(owner(), command, |_| {});
        two(Command::AttachDatastore { datastore: "lun-acme-1".into(), cpool: "clu-th3".into() });
    }

    #[test]
    fn three_standard_hosts_have_384_to_1152_gb() {
        let enable = |ram| Command::EnableRam { cpool: "clu-par".into(), ram: Gb(ram) };
        let said = |ram| {
            format!("Cpool \"clu-par\" has {ram} GB enabled; with its hosts it has 384 GB to 1152 GB, in steps of 1 GB")
        };
        expect_refused(&R48, &said(383), enable(383), |_| {});
        expect_refused(&R48, &said(1153), enable(1153), |_| {});
        expect_allowed(owner(), enable(384), |_| {});
        expect_allowed(owner(), enable(1152), |_| {});
    }

    #[test]
    fn more_than_85_per_cent_is_told() {
        // 384 GB are 357.6 GiB; 85 % of them 303.9 GiB, of which vm-db takes 8 and vm-erp 16.
        let said =
            "VMs and standby reservations use 86 % of the 384 GB enabled in Cpool \"clu-par\"; keep it under 85 %";
        expect_found(&R49, said, |document| vm(document, "vm-db").memory = Gib(292));
    }

    #[test]
    fn more_standby_than_ram_is_found() {
        let said = "358 GiB would be reserved in Cpool \"clu-th3\", which has 256 GB enabled";
        let found = crate::plan::findings(&build(|document| document.mirrors[0].standby.memory = Gib(358)));
        assert_eq!(found.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [&R49, &STANDBY_FITS]);
        assert_eq!(found[1].message(), said);
    }
}
