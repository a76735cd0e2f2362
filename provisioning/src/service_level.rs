//! What a month of service was like: outages, latencies, copies and recoveries, and the clocks that they drive.
//!
//! Everything is counted in whole seconds and compared by multiplication, so that 99.99 % is 99.99 % and not a float
//! near it. Maintenance counts as outage (R4, R20).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::calendar::{Month, Span, Timestamp, covered_s};
use crate::ids::{CpoolId, MirrorId, VmId, ZoneId};

/// Parts of ten thousand that a service has to be there: 99.99 %.
pub const AVAILABILITY: u64 = 9_999;
const WHOLE: u64 = 10_000;

/// A time in which something did not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// From when to when.
    pub span: Span,
    /// Whether it was announced; it counts all the same.
    pub maintenance: bool,
}

/// A measured time between two hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// Zone of the one.
    pub from: ZoneId,
    /// Zone of the other.
    pub to: ZoneId,
    /// There and back, in microseconds.
    pub round_trip_us: u64,
}

/// The moments at which a copy was complete, and how old it may become.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Copies<Id> {
    /// Of what.
    pub of: Id,
    /// The time from which the copy had to be there: the beginning of the month, or later.
    pub since: Timestamp,
    /// When it was complete, in order.
    pub complete_at: Vec<Timestamp>,
}

/// A recovery at the standby site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery<Id> {
    /// Of what.
    pub of: Id,
    /// From the decision to the running service.
    pub span: Span,
}

/// What a mirror costs in speed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorCost {
    /// The mirror.
    pub mirror: MirrorId,
    /// Writes per second that the LUN performed alone.
    pub alone: u64,
    /// Writes per second that it performs mirrored.
    pub mirrored: u64,
}

/// A customer's claim that the service level was missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The Cpool that it is about.
    pub cpool: CpoolId,
    /// Hosts it had.
    pub hosts: u32,
    /// Whether high availability was on.
    pub high_availability: bool,
    /// The incident ticket, if one was opened.
    pub ticket: Option<String>,
}

/// A month of service, as it was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MonthOfService {
    /// The month.
    pub month: Month,
    /// When the platform was not there.
    pub platform: Vec<Outage>,
    /// When the storage was not there.
    pub storage: Vec<Outage>,
    /// Latencies measured.
    pub latencies: Vec<Latency>,
    /// When mirrors were consistent.
    pub mirrors: Vec<Copies<MirrorId>>,
    /// When replicas of VMs were complete, with the hours agreed between two.
    pub replicas: Vec<(Copies<VmId>, u8)>,
    /// Recoveries from mirrors.
    pub mirror_recoveries: Vec<Recovery<MirrorId>>,
    /// Recoveries of replicated VMs.
    pub vm_recoveries: Vec<Recovery<VmId>>,
    /// What mirrors cost.
    pub mirror_costs: Vec<MirrorCost>,
    /// Claims.
    pub claims: Vec<Claim>,
}

/// How much of a month a service was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Availability {
    /// Seconds of the month.
    pub total_s: u64,
    /// Seconds without the service, maintenance included.
    pub down_s: u64,
}

impl Availability {
    /// Whether the service was there for 99.99 % of the month.
    #[must_use]
    pub const fn is_kept(self) -> bool {
        (self.total_s - self.down_s) * WHOLE >= self.total_s * AVAILABILITY
    }
}

impl fmt::Display for Availability {
    /// In per cent with four digits, rounded down: what was missed by little was missed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = ((self.total_s - self.down_s) * 1_000_000).checked_div(self.total_s).unwrap_or(1_000_000);
        write!(f, "{}.{:04} %", parts / 10_000, parts % 10_000)
    }
}

impl MonthOfService {
    /// A month in which nothing happened.
    #[must_use]
    pub const fn quiet(month: Month) -> Self {
        Self {
            month,
            platform: Vec::new(),
            storage: Vec::new(),
            latencies: Vec::new(),
            mirrors: Vec::new(),
            replicas: Vec::new(),
            mirror_recoveries: Vec::new(),
            vm_recoveries: Vec::new(),
            mirror_costs: Vec::new(),
            claims: Vec::new(),
        }
    }

    /// How much of the month a service was there, given its outages. Outages that overlap count once; of those that
    /// reach into other months, the part in this one.
    #[must_use]
    pub fn availability(&self, outages: &[Outage]) -> Availability {
        let month = self.month.span();
        let down_s = covered_s(outages.iter().map(|outage| outage.span.within(month)));
        Availability { total_s: month.seconds(), down_s }
    }

    /// The age in seconds that a copy reached at most: between two completions, and at the end of the month.
    #[must_use]
    pub fn oldest_copy_s<Id>(&self, copies: &Copies<Id>) -> u64 {
        let month = self.month.span();
        let (mut last, mut oldest) = (copies.since.max(month.from), 0);
        for at in copies.complete_at.iter().filter(|at| **at < month.to).chain([&month.to]) {
            oldest = oldest.max(Span { from: last, to: *at }.seconds());
            last = last.max(*at);
        }
        oldest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn november() -> MonthOfService {
        MonthOfService::quiet(Month::new(2026, 11).unwrap())
    }

    fn outage(from_s: u64, seconds: u64) -> Outage {
        let start = november().month.span().from.0 + from_s;
        Outage { span: Span { from: Timestamp(start), to: Timestamp(start + seconds) }, maintenance: false }
    }

    #[test]
    fn a_month_of_30_days_may_miss_259_seconds() {
        // 30 days are 2 592 000 seconds; a ten-thousandth of them are 259.2.
        assert!(november().availability(&[outage(0, 259)]).is_kept());
        assert!(!november().availability(&[outage(0, 260)]).is_kept());
        assert_eq!(november().availability(&[outage(0, 260)]).to_string(), "99.9899 %");
        assert_eq!(november().availability(&[]).to_string(), "100.0000 %");
    }

    #[test]
    fn outages_that_overlap_count_once_and_those_of_other_months_do_not() {
        let availability = november().availability(&[outage(0, 100), outage(50, 100), outage(2_592_000, 500)]);
        assert_eq!(availability.down_s, 150);
    }

    #[test]
    fn a_copy_ages_until_the_next_and_to_the_end_of_the_month() {
        let month = november().month.span();
        let at = |seconds| Timestamp(month.from.0 + seconds);
        let copies = Copies { of: (), since: month.from, complete_at: vec![at(600), at(1_000), at(2_591_000)] };
        assert_eq!(november().oldest_copy_s(&copies), 2_590_000);
        let ended = Copies { of: (), since: at(2_591_900), complete_at: vec![] };
        assert_eq!(november().oldest_copy_s(&ended), 100);
    }
}
