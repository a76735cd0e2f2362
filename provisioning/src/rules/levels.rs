//! R4, R12, R16, R20, R34, R39, R53b: what is measured, and when a measured month breaks a promise.

use crate::rule::{Rule, facts, part, promise, rule};

/// Seconds that a mirror may be behind: 15 minutes.
pub const MIRROR_RPO_S: u64 = 15 * 60;
/// Seconds within which a mirrored LUN is in service again: 4 hours.
pub const MIRROR_RTO_S: u64 = 4 * 3600;
/// Seconds within which a replicated VM is in service again: 15 minutes.
pub const VM_RTO_S: u64 = 15 * 60;
/// Microseconds within a zone, and between two.
pub const LATENCY_US: (u64, u64) = (3_000, 5_000);
/// Per cent of speed that a mirror may cost.
pub const MIRROR_COST_PERCENT: u64 = 10;

rule! {
    /// Compute.
    R4 = promise(4), "platform-is-available", Metric;
    source: "Plattformverfügbarkeit von 99,99 %, monatlich gemessen, Wartungsfenster eingeschlossen";
    why: "The platform is there 99.99 % of each month, and maintenance counts as outage.";
    says: "the platform was there {availability} of {month}: {down} seconds were missed";
    Measured: |service, found| {
        let availability = service.availability(&service.platform);
        if !availability.is_kept() {
            let month = service.month.to_string();
            found.add(facts! { month: month, availability: availability.to_string(), down: availability.down_s });
        }
    }
}

rule! {
    /// Who may claim that R4 was broken.
    R12 = promise(12), "claim-needs-two-hosts-ha-and-ticket", Metric;
    source: "Die Eignung bei Nichterfüllung des SLA ist abhängig von der Erstellung eines Incident-Tickets. Sie müssen \
        außerdem mindestens zwei Hosts pro Cluster besitzen und die Funktion High Availability (HA) aktivieren";
    why: "A claim needs at least two hosts in the Cpool, high availability switched on, and an incident ticket.";
    says: "the claim for Cpool \"{cpool}\" does not count; missing: {missing}";
    Measured: |service, found| {
        for claim in &service.claims {
            let missing = [
                (claim.hosts < 2, "a second host"),
                (!claim.high_availability, "high availability"),
                (claim.ticket.as_ref().is_none_or(|ticket| ticket.is_empty()), "an incident ticket"),
            ];
            let missing: Vec<_> = missing.iter().filter(|(is_missing, _)| *is_missing).map(|(_, what)| what).collect();
            if !missing.is_empty() {
                found.add(facts! { cpool: &claim.cpool, missing: missing });
            }
        }
    }
}

rule! {
    /// Networks.
    R16 = promise(16), "latency-is-low", Metric;
    source: "Intra-AZ-Latenz: Unter 3 ms. Inter-AZ-Latenz: Unter 5 ms";
    why: "A packet goes there and back in under 3 ms within a zone and under 5 ms between zones.";
    says: "from {from} to {to} it takes {measured} µs; under {limit} µs are promised";
    Measured: |service, found| {
        for one in &service.latencies {
            let limit = if one.from == one.to { LATENCY_US.0 } else { LATENCY_US.1 };
            if one.round_trip_us >= limit {
                found.add(facts! { from: &one.from, to: &one.to, measured: one.round_trip_us, limit: limit });
            }
        }
    }
}

rule! {
    /// Storage.
    R20 = promise(20), "storage-is-available", Metric;
    source: "Die Speicherverfügbarkeit beträgt 99,99 %, gemessen monatlich, einschließlich Wartungszeitraum";
    why: "The storage is there 99.99 % of each month, and maintenance counts as outage.";
    says: "the storage was there {availability} of {month}: {down} seconds were missed";
    Measured: |service, found| {
        let availability = service.availability(&service.storage);
        if !availability.is_kept() {
            let month = service.month.to_string();
            found.add(facts! { month: month, availability: availability.to_string(), down: availability.down_s });
        }
    }
}

rule! {
    /// How far behind a mirror may be.
    R34A = part(34, 'a'), "mirror-loses-at-most-15-minutes", Metric;
    source: "Diese Angebots ermöglicht ein RPO von 15 Minuten";
    why: "If the primary site is lost, at most the writes of the last 15 minutes are lost with it.";
    says: "mirror \"{mirror}\" was {behind} seconds behind; at most {limit} are promised";
    Measured: |service, found| {
        for copies in &service.mirrors {
            let behind = service.oldest_copy_s(copies);
            if behind > MIRROR_RPO_S {
                found.add(facts! { mirror: &copies.of, behind: behind, limit: MIRROR_RPO_S });
            }
        }
    }
}

rule! {
    /// How long a take-over may last.
    R34B = part(34, 'b'), "mirror-is-back-within-4-hours", Metric;
    source: "und ein RTO unter 4 Stunden";
    why: "If the primary site is lost, the mirrored LUN is in service at the standby site in under 4 hours.";
    says: "taking over mirror \"{mirror}\" took {took} seconds; under {limit} are promised";
    Measured: |service, found| {
        for recovery in &service.mirror_recoveries {
            if recovery.span.seconds() >= MIRROR_RTO_S {
                found.add(facts! { mirror: &recovery.of, took: recovery.span.seconds(), limit: MIRROR_RTO_S });
            }
        }
    }
}

rule! {
    /// What mirroring costs.
    R39 = promise(39), "mirror-costs-at-most-a-tenth", Metric;
    source: "kann die Leistung der Anwendung um bis zu 10 % beeinträchtigen";
    why: "Mirroring costs up to 10 % of a LUN's performance, and not more.";
    says: "mirror \"{mirror}\" performs {mirrored} writes per second where the LUN alone performed {alone}";
    Measured: |service, found| {
        for cost in &service.mirror_costs {
            let kept = u128::from(cost.alone) * u128::from(100 - MIRROR_COST_PERCENT);
            if u128::from(cost.mirrored) * 100 < kept {
                found.add(facts! { mirror: &cost.mirror, alone: cost.alone, mirrored: cost.mirrored });
            }
        }
    }
}

rule! {
    /// How far behind a replica may be.
    R53B = part(53, 'b'), "replica-is-as-young-as-agreed", Metric;
    source: "beträgt die maximale Datenverlustmenge die der letzten Schreibvorgänge auf den Standby-Standort";
    why: "The copy of a replicated VM is never older than the hours that were agreed.";
    says: "the copy of VM \"{vm}\" was {behind} seconds old; {limit} were agreed";
    Measured: |service, found| {
        for (copies, hours) in &service.replicas {
            let (behind, limit) = (service.oldest_copy_s(copies), u64::from(*hours) * 3600);
            if behind > limit {
                found.add(facts! { vm: &copies.of, behind: behind, limit: limit });
            }
        }
    }
}

rule! {
    /// How long starting it may last.
    R53C = part(53, 'c'), "replica-is-back-within-15-minutes", Metric;
    source: "RTO < 15 Minuten: Startvorgang der gestoppten virtuellen Maschine auf dem entfernten Standort";
    why: "A replicated VM runs at the standby site in under 15 minutes.";
    says: "starting VM \"{vm}\" at the standby site took {took} seconds; under {limit} are promised";
    Measured: |service, found| {
        for recovery in &service.vm_recoveries {
            if recovery.span.seconds() >= VM_RTO_S {
                found.add(facts! { vm: &recovery.of, took: recovery.span.seconds(), limit: VM_RTO_S });
            }
        }
    }
}

/// The rules of this file.
pub static RULES: [&Rule; 9] = [&R4, &R12, &R16, &R20, &R34A, &R34B, &R39, &R53B, &R53C];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{Span, Timestamp};
    use crate::rules::testing::{expect_measured, start_of_month};
    use crate::service_level::{Claim, Copies, Latency, MirrorCost, Outage, Recovery};

    fn span(seconds: u64) -> Span {
        Span { from: start_of_month(), to: Timestamp(start_of_month().0 + seconds) }
    }

    #[test]
    fn maintenance_of_260_seconds_breaks_the_month() {
        let said = "the platform was there 99.9899 % of 2026-11: 260 seconds were missed";
        let outage = |seconds| Outage { span: span(seconds), maintenance: true };
        expect_measured(&R4, Some(said), |service| service.platform.push(outage(260)));
        expect_measured(&R4, None, |service| service.platform.push(outage(259)));
        let said = "the storage was there 99.9899 % of 2026-11: 260 seconds were missed";
        expect_measured(&R20, Some(said), |service| service.storage.push(outage(260)));
        expect_measured(&R20, None, |service| service.storage.push(outage(259)));
    }

    #[test]
    fn a_claim_names_all_that_it_misses() {
        let claim = |hosts, high_availability, ticket: Option<&str>| Claim {
            cpool: "clu-par".into(),
            hosts,
            high_availability,
            ticket: ticket.map(str::to_owned),
        };
        let said = "the claim for Cpool \"clu-par\" does not count; missing: \
            a second host, high availability, an incident ticket";
        expect_measured(&R12, Some(said), |service| service.claims.push(claim(1, false, None)));
        let said = "the claim for Cpool \"clu-par\" does not count; missing: an incident ticket";
        expect_measured(&R12, Some(said), |service| service.claims.push(claim(2, true, Some(""))));
        expect_measured(&R12, None, |service| service.claims.push(claim(2, true, Some("INC-7"))));
    }

    #[test]
    fn three_milliseconds_within_a_zone_are_too_many_and_between_zones_are_not() {
        let latency = |to: &str| Latency { from: "PAR7S".into(), to: to.into(), round_trip_us: 3_000 };
        let said = "from PAR7S to PAR7S it takes 3000 µs; under 3000 µs are promised";
        expect_measured(&R16, Some(said), |service| service.latencies.push(latency("PAR7S")));
        expect_measured(&R16, None, |service| service.latencies.push(latency("TH3S")));
    }

    #[test]
    fn a_mirror_16_minutes_behind_is_too_far() {
        let end = Timestamp(start_of_month().0 + 30 * 86_400);
        let late = |seconds| Copies { of: "gm-1".into(), since: Timestamp(end.0 - seconds), complete_at: vec![] };
        let said = "mirror \"gm-1\" was 960 seconds behind; at most 900 are promised";
        expect_measured(&R34A, Some(said), |service| service.mirrors.push(late(960)));
        expect_measured(&R34A, None, |service| service.mirrors.push(late(900)));
    }

    #[test]
    fn recoveries_are_timed() {
        let said = "taking over mirror \"gm-1\" took 14400 seconds; under 14400 are promised";
        let mirror = |seconds| Recovery { of: "gm-1".into(), span: span(seconds) };
        expect_measured(&R34B, Some(said), |service| service.mirror_recoveries.push(mirror(14_400)));
        expect_measured(&R34B, None, |service| service.mirror_recoveries.push(mirror(14_399)));
        let said = "starting VM \"vm-web\" at the standby site took 900 seconds; under 900 are promised";
        let vm = |seconds| Recovery { of: "vm-web".into(), span: span(seconds) };
        expect_measured(&R53C, Some(said), |service| service.vm_recoveries.push(vm(900)));
        expect_measured(&R53C, None, |service| service.vm_recoveries.push(vm(899)));
    }

    #[test]
    fn a_mirror_that_costs_more_than_a_tenth_is_found() {
        let cost = |mirrored| MirrorCost { mirror: "gm-1".into(), alone: 1000, mirrored };
        let said = "mirror \"gm-1\" performs 899 writes per second where the LUN alone performed 1000";
        expect_measured(&R39, Some(said), |service| service.mirror_costs.push(cost(899)));
        expect_measured(&R39, None, |service| service.mirror_costs.push(cost(900)));
    }

    #[test]
    fn a_replica_older_than_agreed_is_found() {
        let end = Timestamp(start_of_month().0 + 30 * 86_400);
        let late = |seconds| Copies { of: "vm-web".into(), since: Timestamp(end.0 - seconds), complete_at: vec![] };
        let said = "the copy of VM \"vm-web\" was 7201 seconds old; 7200 were agreed";
        expect_measured(&R53B, Some(said), |service| service.replicas.push((late(7201), 2)));
        expect_measured(&R53B, None, |service| service.replicas.push((late(7200), 2)));
    }
}
