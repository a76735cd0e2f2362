//! R24, R32, R33, R35 to R38, R40 to R42: LUNs that are replicated into another zone.

use crate::catalogue::catalogue;
use crate::command::Command;
use crate::model::storage::{Datastore, Mirror, MirrorKind, MirrorState};
use crate::rule::{Number, Rule, facts, part, promise, rule};
use crate::units::Gib;

rule! {
    /// Both sides perform alike.
    R24 = promise(24), "mirror-has-one-class", Reject;
    source: "Bei der Verwendung eines Speicher-Replikationsmechanismus müssen die Leistungen in beiden Verfügbarkeitszonen \
        identisch sein";
    why: "Both LUNs of a mirror are of the same class, so that the standby site performs like the active one.";
    says: "mirror \"{mirror}\" goes from class \"{primary}\" to class \"{secondary}\"";
    Always: |view, found| {
        for (mirror, primary, secondary) in pairs(view) {
            if primary.class != secondary.class {
                found.add(facts! { mirror: &mirror.id, primary: &primary.class, secondary: &secondary.class });
            }
        }
    }
}

rule! {
    /// Into another zone of the region.
    R32 = promise(32), "mirror-joins-zones-of-one-region", Reject;
    source: "Speicher-Block-Replikationsmechanismen zwischen den Verfügbarkeitszonen einer Region";
    why: "A LUN is replicated into another zone of its region.";
    says: "mirror \"{mirror}\" goes from zone {from} to zone {to}; it has to be another zone of the same region";
    Always: |view, found| {
        for (mirror, primary, secondary) in pairs(view) {
            let region = |lun: &Datastore| view.inventory.zone(&lun.zone).map(|zone| &zone.region);
            if primary.zone == secondary.zone || region(primary) != region(secondary) {
                found.add(facts! { mirror: &mirror.id, from: &primary.zone, to: &secondary.zone });
            }
        }
    }
}

rule! {
    /// Not sold any more; mirrors of old contracts stay.
    R33 = promise(33), "metro-mirror-is-not-sold", Reject;
    source: "Seit dem 1. Januar 2024 wird die Funktion 'Metro Mirror' nicht mehr vertrieben";
    why: "Metro Mirror has not been sold since 1 January 2024; take Global Mirror.";
    says: "mirror \"{mirror}\" would be a Metro Mirror";
    Asked: |asked, found| {
        if let Command::CreateMirror { mirror, kind: MirrorKind::Metro, .. } = asked.command() {
            found.add(facts! { mirror: mirror });
        }
    }
}

rule! {
    /// Asynchronous.
    R35 = promise(35), "global-mirror-does-not-wait", Fact;
    source: "Der Hauptstandort wartet nicht auf die Bestätigung der Schreiboperation des sekundären Standorts";
    why: "A write is acknowledged before it is at the other site.";
    says: "";
    Built: "`MirrorKind::acknowledges_before_remote_write`"
}

rule! {
    /// The other site does not see it by itself.
    R36 = promise(36), "secondary-is-presented-on-request", ServiceRequest;
    source: "Die Hypervisoren des entfernten Standorts greifen nicht direkt auf die Global-Mirror-LUN zu: Eine Dienstanfrage \
        ist erforderlich";
    why: "Hosts of the standby site see a mirrored LUN only after a service request.";
    says: "LUN \"{datastore}\" is the standby side of mirror \"{mirror}\"; ask for its presentation by service request";
    Asked: |asked, found| {
        if let Command::AttachDatastore { datastore, .. } = asked.command()
            && let Some(mirror) = asked.inventory.mirrors().find(|mirror| mirror.secondary == *datastore)
        {
            found.add(facts! { datastore: datastore, mirror: &mirror.id });
        }
    }
}

rule! {
    /// The operator presents.
    R37A = part(37, 'a'), "operator-presents-and-activates", ServiceRequest;
    source: "Bei Aktivierung des PRA führt das Cloud Temple-Team eine Präsentation der LUN 'Global Mirror' an die entfernten \
        Hypervisoren durch";
    why: "Presenting a mirrored LUN and activating the recovery plan is done by the operator, upon a service request.";
    says: "ask for it by service request: \"{command}\" of mirror \"{mirror}\"";
    Asked: |asked, found| {
        if let Command::PresentMirror { mirror, .. } | Command::ActivateMirror { mirror, .. } = asked.command()
            && !asked.by_operator()
        {
            found.add(facts! { mirror: mirror, command: asked.command().name() });
        }
    }
}

rule! {
    /// Something has to be there to take over.
    R37B = part(37, 'b'), "mirror-has-standby-compute", Reject;
    source: "erfordert daher, dass auf dem 'Standby'-Standort Ressourcen für Berechnung und RAM reserviert wurden";
    why: "Compute and RAM are reserved at the standby site before they are needed.";
    says: "mirror \"{mirror}\": {what}";
    Always: |view, found| {
        for (mirror, _, secondary) in pairs(view) {
            let standby = &mirror.standby;
            let Some(cpool) = view.inventory.cpool(&standby.cpool) else { continue };
            if standby.cpus == 0 || standby.memory == Gib(0) {
                found.add(facts! { mirror: &mirror.id, what: "no CPU or no memory is reserved at the standby site" });
            } else if cpool.zone != secondary.zone {
                let what = format!("Cpool \"{}\" is in zone {}, the LUN in {}", cpool.id, cpool.zone, secondary.zone);
                found.add(facts! { mirror: &mirror.id, what: what });
            }
        }
    }
}

rule! {
    /// Storage twice.
    R38 = promise(38), "mirror-has-one-size", Reject;
    source: "Es ist erforderlich, dass auf dem entfernten Standort genau der gleiche Speicherplatz wie auf dem lokalen Standort \
        vorhanden ist";
    why: "The LUN at the standby site is exactly as large as the one that it replicates.";
    says: "mirror \"{mirror}\" goes from {primary} to {secondary}";
    Always: |view, found| {
        for (mirror, primary, secondary) in pairs(view) {
            if primary.capacity != secondary.capacity {
                found.add(facts! { mirror: &mirror.id, primary: primary.capacity, secondary: secondary.capacity });
            }
        }
    }
}

rule! {
    /// Not every class.
    R40 = promise(40), "mirror-is-of-a-class-that-can", Reject;
    source: "Nur die Speicherklassen 500 IOPS/To, 1500 IOPS/To und 3000 IOPS/TO sind kompatibel";
    why: "Only LUNs of the classes of 500, 1500 and 3000 IOPS per TiB can be mirrored.";
    says: "LUN \"{datastore}\" of mirror \"{mirror}\" is of class \"{class}\"";
    Always: |view, found| {
        for (mirror, primary, _) in pairs(view) {
            // Where the classes differ, R24 says so; then it is the primary's that counts.
            if !catalogue().class(&primary.class).is_some_and(|class| class.global_mirror) {
                found.add(facts! { mirror: &mirror.id, datastore: &primary.id, class: &primary.class });
            }
        }
    }
}

rule! {
    /// What it costs.
    R41 = promise(41), "mirror-is-charged-by-tib", Fact;
    source: "STORAGE - Global Replication SAN, 1 Tio, csp:(region):iaas:storage:licence:globalmirror:v1";
    why: "Mirroring is charged by the TiB of the LUN that is replicated.";
    says: "";
    Built: "data/services.toml and `metering::levels`"
}

rule! {
    /// The last writes.
    R42A = part(42, 'a'), "mirror-may-lack-the-last-writes", Warn;
    source: "ist es bei einem Ausfall möglich, dass einige Datenträgervorgänge nicht auf dem entfernten Standort geschrieben \
        wurden";
    why: "Replication is asynchronous: provide for the last writes being lost in your recovery plan.";
    says: "the standby side of mirror \"{mirror}\" may lack the writes of the last 15 minutes";
    Asked: |asked, found| match asked.command() {
        Command::CreateMirror { mirror, kind, .. } if kind.acknowledges_before_remote_write() => {
            found.add(facts! { mirror: mirror });
        }
        Command::ActivateMirror { mirror, state: MirrorState::FailedOver } => found.add(facts! { mirror: mirror }),
        _ => {}
    }
}

rule! {
    /// Compute may be smaller at the standby site; storage may not (R38).
    R42B = part(42, 'b'), "standby-is-smaller", Warn;
    source: "Berechnung und Speicher auf dem Wiederherstellungsstandort können reduziert werden, um die Kosten zu optimieren";
    why: "With less compute at the standby site not everything will run there; accept that, or reserve more.";
    says: "the VMs on mirror \"{mirror}\" have {cpus} CPUs and {memory}; reserved are {reserved_cpus} and {reserved}";
    Always: |view, found| {
        for (mirror, primary, _) in pairs(view) {
            let vms = || view.inventory.vms_on(&primary.id);
            let memory: Gib = vms().map(|vm| vm.memory).sum();
            let cpus: u64 = vms().map(|vm| u64::from(vm.cpus)).sum();
            if memory > mirror.standby.memory || cpus > u64::from(mirror.standby.cpus) {
                found.add(facts! {
                    mirror: &mirror.id,
                    cpus: cpus,
                    memory: memory,
                    reserved_cpus: mirror.standby.cpus,
                    reserved: mirror.standby.memory,
                });
            }
        }
    }
}

rule! {
    /// A LUN is one side of one mirror.
    ONE_MIRROR = Number::Flow, "lun-is-in-one-mirror", Reject;
    source: "";
    why: "A LUN is replicated once and follows one other, not itself.";
    says: "LUN \"{datastore}\" is a side of several mirrors: {mirrors}";
    Always: |view, found| {
        for lun in view.inventory.datastores() {
            let mut mirrors: Vec<_> = view.inventory.mirrors_of(&lun.id).map(|mirror| &mirror.id).collect();
            let both = view.inventory.mirrors_of(&lun.id).find(|mirror| mirror.primary == mirror.secondary);
            mirrors.extend(both.map(|mirror| &mirror.id));
            if mirrors.len() > 1 {
                found.add(facts! { datastore: &lun.id, mirrors: mirrors });
            }
        }
    }
}

rule! {
    /// Nothing writes to a LUN that follows another.
    SECONDARY_IS_PASSIVE = Number::Flow, "standby-lun-carries-no-vm", Reject;
    source: "";
    why: "The LUN at the standby site is written by the mirror alone until it takes over.";
    says: "VM \"{vm}\" has files on LUN \"{datastore}\", the standby side of mirror \"{mirror}\"";
    Always: |view, found| {
        for mirror in view.inventory.mirrors().filter(|mirror| mirror.state != MirrorState::FailedOver) {
            for vm in view.inventory.vms_on(&mirror.secondary) {
                found.add(facts! { vm: &vm.id, datastore: &mirror.secondary, mirror: &mirror.id });
            }
        }
    }
}

rule! {
    /// From which state to which.
    STEPS = Number::Flow, "mirror-goes-step-by-step", Reject;
    source: "";
    why: "A mirror is tested or taken over when its copy is consistent and presented, and then goes back.";
    says: "mirror \"{mirror}\" is {state}{presented}; it cannot become {wanted}";
    Asked: |asked, found| {
        let Command::ActivateMirror { mirror, state: wanted } = asked.command() else { return };
        let Some(mirror) = asked.inventory.mirror(mirror) else { return };
        let needs_presentation = matches!(wanted, MirrorState::Test | MirrorState::FailedOver);
        let presented = mirror.presented_under.is_some() || !needs_presentation;
        if !presented || !may_become(mirror.state, *wanted) {
            let unseen = if presented { "" } else { " and not presented" };
            let (state, wanted) = (mirror.state.text(), wanted.text());
            found.add(facts! { mirror: &mirror.id, state: state, presented: unseen, wanted: wanted });
        }
    }
}

/// The life of a mirror: first copied, then consistent; from there to a test or a take-over and back.
#[must_use]
pub const fn may_become(from: MirrorState, to: MirrorState) -> bool {
    use MirrorState as S;
    matches!(
        (from, to),
        (S::InitialCopy | S::Test | S::FailedOver, S::Consistent) | (S::Consistent, S::Test | S::FailedOver)
    )
}

fn pairs<'a>(view: &crate::capacity::View<'a>) -> impl Iterator<Item = (&'a Mirror, &'a Datastore, &'a Datastore)> {
    let inventory = view.inventory;
    inventory.mirrors().filter_map(move |mirror| {
        Some((mirror, inventory.datastore(&mirror.primary)?, inventory.datastore(&mirror.secondary)?))
    })
}

/// The rules of this file.
pub static RULES: [&Rule; 15] = [
    &R24,
    &R32,
    &R33,
    &R35,
    &R36,
    &R37A,
    &R37B,
    &R38,
    &R40,
    &R41,
    &R42A,
    &R42B,
    &ONE_MIRROR,
    &SECONDARY_IS_PASSIVE,
    &STEPS,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Actor;
    use crate::example::{self, lun, vm};
    use crate::model::storage::Standby;
    use crate::rules::testing::{expect_allowed, expect_found, expect_refused, expect_refused_of, expect_warned};
    use crate::units::{Iops, Tib};

    fn standby(memory: u64) -> Standby {
        Standby { cpool: "clu-th3".into(), cpus: 4, memory: Gib(memory) }
    }

    fn mirror(kind: MirrorKind) -> Command {
        Command::CreateMirror {
            mirror: "gm-2".into(),
            kind,
            primary: "lun-acme-2".into(),
            secondary: "lun-acme-th3".into(),
            standby: standby(8),
        }
    }

    fn owner() -> Actor {
        Actor::owner(&example::TENANT.into())
    }

    #[test]
    fn sides_of_different_class_are_found() {
        expect_found(&R24, "mirror \"gm-1\" goes from class \"medium\" to class \"live\"", |document| {
            let secondary = lun(document, "lun-acme-gm-th3");
            (secondary.class, secondary.iops_limit) = ("live".into(), Some(Iops(500)));
        });
    }

    #[test]
    fn a_mirror_within_a_zone_is_found() {
        let said = "mirror \"gm-1\" goes from zone PAR7S to zone PAR7S; it has to be another zone of the same region";
        expect_found(&R32, said, |document| {
            lun(document, "lun-acme-gm-th3").zone = "PAR7S".into();
            document.mirrors[0].standby.cpool = "clu-par".into();
        });
    }

    #[test]
    fn a_mirror_into_another_region_is_found() {
        let said = "mirror \"gm-1\" goes from zone PAR7S to zone TH3S; it has to be another zone of the same region";
        expect_found(&R32, said, |document| {
            document.regions.push(crate::model::place::Region { id: "fr2".into(), country: "FR".to_owned() });
            document.zones.iter_mut().find(|zone| zone.id.as_str() == "TH3S").unwrap().region = "fr2".into();
        });
    }

    #[test]
    fn a_metro_mirror_is_not_sold_and_an_old_one_may_stay() {
        expect_refused(&R33, "mirror \"gm-2\" would be a Metro Mirror", mirror(MirrorKind::Metro), |_| {});
        expect_allowed(owner(), Command::PowerOff { vm: "vm-db".into() }, |document| {
            document.mirrors[0].kind = MirrorKind::Metro;
        });
    }

    #[test]
    fn only_global_mirror_answers_early() {
        let _ = &R35;
        let early: Vec<_> = MirrorKind::ALL.iter().filter(|kind| kind.acknowledges_before_remote_write()).collect();
        assert_eq!(early, [&MirrorKind::Global]);
    }

    #[test]
    fn a_tenant_that_attaches_the_standby_lun_is_sent_to_a_service_request() {
        let said = "LUN \"lun-acme-gm-th3\" is the standby side of mirror \"gm-1\"; \
            ask for its presentation by service request";
        let attach =
            |datastore: &str| Command::AttachDatastore { datastore: datastore.into(), cpool: "clu-th3".into() };
        expect_refused(&R36, said, attach("lun-acme-gm-th3"), |_| {});
        expect_allowed(owner(), attach("lun-acme-th3"), |_| {});
    }

    #[test]
    fn a_tenant_does_not_activate_the_recovery_plan_itself() {
        let present = || Command::PresentMirror { mirror: "gm-1".into(), under: "sr-present".into() };
        let said = "ask for it by service request: \"present-mirror\" of mirror \"gm-1\"";
        expect_refused(&R37A, said, present(), |_| {});
        expect_allowed(Actor::Operator, present(), |_| {});
    }

    #[test]
    fn a_mirror_without_standby_compute_is_found() {
        let said = "mirror \"gm-1\": no CPU or no memory is reserved at the standby site";
        expect_found(&R37B, said, |document| {
            document.mirrors[0].standby.memory = Gib(0);
            document.vms.retain(|vm| vm.id.as_str() != "vm-erp");
        });
        let said = "mirror \"gm-1\": Cpool \"clu-par\" is in zone PAR7S, the LUN in TH3S";
        expect_found(&R37B, said, |document| document.mirrors[0].standby.cpool = "clu-par".into());
    }

    #[test]
    fn sides_of_different_size_are_found() {
        let resize = || Command::ResizeDatastore { datastore: "lun-acme-gm".into(), capacity: Tib(2).gib() };
        expect_refused(&R38, "mirror \"gm-1\" goes from 2048 GiB to 1024 GiB", resize(), |_| {});
        expect_allowed(owner(), resize(), |document| {
            document.mirrors.clear();
            document.service_requests.retain(|request| request.id.as_str() != "sr-present");
        });
    }

    #[test]
    fn enterprise_ultra_and_mass_storage_are_not_mirrored() {
        for (class, limit) in [("enterprise", Some(Iops(7500))), ("ultra", Some(Iops(15_000))), ("mass", None)] {
            let said = format!("LUN \"lun-acme-gm\" of mirror \"gm-1\" is of class \"{class}\"");
            expect_found(&R40, &said, |document| {
                for side in ["lun-acme-gm", "lun-acme-gm-th3"] {
                    let lun = lun(document, side);
                    (lun.class, lun.iops_limit) = (class.into(), limit);
                }
            });
        }
    }

    #[test]
    fn a_mirror_of_a_tib_is_charged_as_one() {
        let _ = &R41;
        let levels = crate::metering::levels(&example::inventory());
        let sku = crate::catalogue::Service::GlobalMirror.sku(&"fr1".into());
        assert_eq!(sku.to_string(), "csp:fr1:iaas:storage:licence:globalmirror:v1");
        assert_eq!(levels.get(&(example::TENANT.into(), sku)).copied(), Some(Tib(1).bytes().0));
    }

    #[test]
    fn who_mirrors_is_told_of_the_last_writes() {
        let said = "the standby side of mirror \"gm-2\" may lack the writes of the last 15 minutes";
        expect_warned(&R42A, said, owner(), mirror(MirrorKind::Global), |_| {});
    }

    #[test]
    fn a_smaller_standby_site_is_told() {
        let said = "the VMs on mirror \"gm-1\" have 4 CPUs and 16 GiB; reserved are 4 and 8 GiB";
        expect_found(&R42B, said, |document| document.mirrors[0].standby.memory = Gib(8));
    }

    #[test]
    fn a_lun_in_two_mirrors_is_found() {
        let said = "LUN \"lun-acme-gm\" is a side of several mirrors: gm-1, gm-9";
        expect_found(&ONE_MIRROR, said, |document| {
            let mut second = document.mirrors[0].clone();
            (second.id, second.secondary) = ("gm-9".into(), "lun-acme-th3".into());
            let other = lun(document, "lun-acme-th3");
            (other.class, other.iops_limit) = ("medium".into(), Some(Iops(1500)));
            document.mirrors.push(second);
        });
    }

    #[test]
    fn a_vm_on_a_standby_lun_is_found() {
        let said = "VM \"vm-web\" has files on LUN \"lun-acme-gm-th3\", the standby side of mirror \"gm-1\"";
        expect_found(&SECONDARY_IS_PASSIVE, said, |document| {
            lun(document, "lun-acme-gm-th3").cpools.push("clu-th3".into());
            let vm = vm(document, "vm-web");
            (vm.cpool, vm.home) = ("clu-th3".into(), "lun-acme-gm-th3".into());
            (vm.disks, vm.policies) = (Vec::new(), [].into());
            document.affinity_rules.clear();
        });
    }

    #[test]
    fn a_mirror_is_taken_over_only_when_consistent_and_presented() {
        let activate = |state| Command::ActivateMirror { mirror: "gm-1".into(), state };
        let said = "mirror \"gm-1\" is consistent and not presented; it cannot become failed-over";
        expect_refused_of(&STEPS, said, Actor::Operator, activate(MirrorState::FailedOver), |_| {});
        expect_allowed(Actor::Operator, activate(MirrorState::Test), |document| {
            document.mirrors[0].presented_under = Some("sr-present".into());
        });
    }

    #[test]
    fn a_mirrors_life_is_the_table() {
        let table: Vec<String> = MirrorState::ALL
            .iter()
            .flat_map(|from| MirrorState::ALL.iter().map(move |to| (*from, *to)))
            .filter(|(from, to)| may_become(*from, *to))
            .map(|(from, to)| format!("{from} -> {to}"))
            .collect();
        let expected = [
            "initial-copy -> consistent",
            "consistent -> test",
            "consistent -> failed-over",
            "test -> consistent",
            "failed-over -> consistent",
        ];
        assert_eq!(table, expected);
    }
}
