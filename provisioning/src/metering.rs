//! What is consumed: for each tenant and SKU how much, at every moment of a month.
//!
//! A level is how much of a SKU a tenant has at a moment, in the smallest unit that occurs: bytes of storage, blades,
//! VMs. Metering adds level × seconds, exactly; only text is rounded. Events are the changes of levels.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::calendar::{Month, Span, Timestamp};
use crate::catalogue::{Service, Unit, catalogue};
use crate::ids::{RegionId, TenantId};
use crate::inventory::Inventory;
use crate::sku::Sku;
use crate::units::{Gib, Tib};

/// How much of each SKU each tenant has. Storage in bytes, the rest in pieces.
pub type Levels = BTreeMap<(TenantId, Sku), u64>;

/// A level that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub tenant: TenantId,
    /// Of what.
    pub sku: Sku,
    /// How much there is from then on; bytes of storage, or pieces.
    pub level: u64,
}

/// What a tenant consumed of a SKU in a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Consumption {
    /// The month.
    #[serde(serialize_with = "as_text")]
    pub month: Month,
    /// Whose.
    pub tenant: TenantId,
    /// Of what.
    pub sku: Sku,
    /// What it is charged by.
    pub unit: Unit,
    /// Bytes or pieces, times seconds: exact.
    #[serde(serialize_with = "as_text")]
    pub amount_seconds: u128,
    /// The same in units over the whole month, rounded to a millionth, half up.
    pub unit_months: String,
}

fn as_text<S: serde::Serializer>(value: &impl fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// What exists in an inventory, by tenant and SKU.
#[must_use]
pub fn levels(inventory: &Inventory) -> Levels {
    let mut levels = Levels::new();
    let region = |zone| inventory.zone(zone).map(|zone| &zone.region);
    let mut add = |tenant: &TenantId, sku: Sku, amount: u64| {
        let level = levels.entry((tenant.clone(), sku)).or_default();
        *level = level.saturating_add(amount);
    };
    for host in inventory.hosts() {
        if let (Some(blade), Some(region)) = (catalogue().blade(&host.blade), region(&host.zone)) {
            add(&host.tenant, blade.sku(region), 1);
        }
    }
    for lun in inventory.datastores() {
        if let (Some(class), Some(region)) = (catalogue().class(&lun.class), region(&lun.zone)) {
            add(&lun.tenant, class.sku(region), lun.capacity.bytes().0);
        }
    }
    for mirror in inventory.mirrors() {
        let Some(lun) = inventory.datastore(&mirror.primary) else { continue };
        if let Some(region) = region(&lun.zone) {
            add(&lun.tenant, Service::GlobalMirror.sku(region), lun.capacity.bytes().0);
        }
    }
    for tenant in inventory.tenants().filter(|tenant| tenant.backup_quota > Tib(0)) {
        // The quota is ordered for the tenant; it has backups where its policies put them, in the region of its zones.
        let mut policies = inventory.policies().filter(|policy| policy.tenant == tenant.id);
        let zone = policies.next().map(|policy| &policy.zone);
        if let Some(region) = zone.and_then(region).or_else(|| home_region(inventory, &tenant.id)) {
            add(&tenant.id, Service::BackupStorage.sku(region), tenant.backup_quota.bytes().0);
        }
    }
    for vm in inventory.vms() {
        let Some(around) = inventory.around(vm) else { continue };
        let services = [
            (Service::VmBackup, !vm.policies.is_empty()),
            (Service::VmReplication, vm.replication.is_some()),
            (Service::VmEncryption, vm.encryption.is_some()),
        ];
        for (service, _) in services.into_iter().filter(|(_, used)| *used) {
            add(&around.tenant.id, service.sku(&around.zone.region), 1);
        }
    }
    levels
}

fn home_region<'a>(inventory: &'a Inventory, tenant: &TenantId) -> Option<&'a RegionId> {
    let cpool = inventory.cpools().find(|cpool| inventory.tenant_of_cpool(&cpool.id) == Some(tenant))?;
    inventory.zone(&cpool.zone).map(|zone| &zone.region)
}

/// Adds up levels over time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    events: Vec<Event>,
    levels: Levels,
}

impl Meter {
    /// Notes what exists at a moment; changes become events. Moments are given in order: an earlier one than the last
    /// is taken for the last.
    pub fn observe(&mut self, at: Timestamp, inventory: &Inventory) {
        let now = levels(inventory);
        let at = self.events.last().map_or(at, |last| at.max(last.at));
        let mut keys: Vec<_> = now.keys().chain(self.levels.keys()).cloned().collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let level = now.get(&key).copied().unwrap_or_default();
            if level != self.levels.get(&key).copied().unwrap_or_default() {
                self.events.push(Event { at, tenant: key.0, sku: key.1, level });
            }
        }
        self.levels = now;
    }

    /// The events noted so far, in order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What each tenant consumed of each SKU in a month, in the order of tenants and SKUs.
    #[must_use]
    pub fn month(&self, month: Month) -> Vec<Consumption> {
        consumption(month, &self.events)
    }
}

/// What each tenant consumed of each SKU in a month, given all events in order from the beginning.
#[must_use]
pub fn consumption(month: Month, events: &[Event]) -> Vec<Consumption> {
    let mut series: BTreeMap<(&TenantId, &Sku), Vec<&Event>> = BTreeMap::new();
    for event in events {
        series.entry((&event.tenant, &event.sku)).or_default().push(event);
    }
    let total = |events: &[&Event]| -> u128 {
        let ends = events.iter().skip(1).map(|event| event.at).chain([month.span().to]);
        let spans = events.iter().zip(ends).map(|(event, to)| {
            let seconds = Span { from: event.at, to }.within(month.span()).seconds();
            u128::from(event.level) * u128::from(seconds)
        });
        spans.sum()
    };
    let of = |((tenant, sku), events): ((&TenantId, &Sku), Vec<&Event>)| {
        let (amount_seconds, unit) = (total(&events), unit_of(sku));
        let divisor = u128::from(smallest_in(unit)) * u128::from(month.span().seconds());
        let unit_months = decimal(amount_seconds, divisor);
        Consumption { month, tenant: tenant.clone(), sku: sku.clone(), unit, amount_seconds, unit_months }
    };
    series.into_iter().map(of).filter(|consumption| consumption.amount_seconds > 0).collect()
}

/// The unit a SKU is charged by; what is not in the catalogue is charged by the piece.
fn unit_of(sku: &Sku) -> Unit {
    let region = RegionId::new(sku.as_str().split(':').nth(1).unwrap_or_default());
    catalogue().skus(&region).find(|(sold, _)| sold == sku).map_or(Unit::Vm, |(_, unit)| unit)
}

/// Bytes or pieces in a unit.
const fn smallest_in(unit: Unit) -> u64 {
    match unit {
        Unit::Blade | Unit::Vm => 1,
        Unit::Gib => Gib(1).bytes().0,
        Unit::Tib => Tib(1).bytes().0,
    }
}

/// A fraction as text with six decimals, rounded half up.
fn decimal(numerator: u128, denominator: u128) -> String {
    const MILLION: u128 = 1_000_000;
    let denominator = denominator.max(1);
    let (whole, rest) = (numerator / denominator, numerator % denominator);
    let millionths = (rest * MILLION + denominator / 2) / denominator;
    let (whole, millionths) = (whole + millionths / MILLION, millionths % MILLION);
    format!("{whole}.{millionths:06}")
}

/// Consumption as CSV with a header line, fields without quotes: no field can hold a comma.
#[must_use]
pub fn csv(consumption: &[Consumption]) -> String {
    let mut text = String::from("month,tenant,sku,unit,amount_seconds,unit_months\n");
    for line in consumption {
        let unit = match line.unit {
            Unit::Blade => "blade",
            Unit::Gib => "GiB",
            Unit::Tib => "TiB",
            Unit::Vm => "VM",
        };
        let Consumption { month, tenant, sku, amount_seconds, unit_months, .. } = line;
        text.push_str(&format!("{month},{tenant},{sku},{unit},{amount_seconds},{unit_months}\n"));
    }
    text
}

/// Prices in ten-thousandths of the currency's unit for a unit and month.
pub type Prices = BTreeMap<Sku, u64>;

/// What a line costs in hundredths of the currency's unit, rounded once, half up; `None` without a price.
#[must_use]
pub fn cost(line: &Consumption, prices: &Prices) -> Option<u128> {
    let price = u128::from(*prices.get(&line.sku)?);
    let divisor = u128::from(smallest_in(line.unit)) * u128::from(line.month.span().seconds()) * 100;
    Some((line.amount_seconds.checked_mul(price)? + divisor / 2) / divisor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    fn month() -> Month {
        Month::new(2026, 11).unwrap()
    }

    /// The example from the first second of the month, and nothing after so many seconds.
    fn meter(seconds: u64) -> Meter {
        let mut meter = Meter::default();
        let start = month().span().from;
        meter.observe(start, &example::inventory());
        meter.observe(Timestamp(start.0 + seconds), &Inventory::default());
        meter
    }

    fn acme(meter: &Meter, sku: &str) -> Option<Consumption> {
        meter.month(month()).into_iter().find(|one| one.tenant.as_str() == "acme" && one.sku.as_str() == sku)
    }

    #[test]
    fn a_whole_month_is_the_amount_itself() {
        let meter = meter(month().span().seconds());
        let units = |sku: &str| acme(&meter, sku).unwrap().unit_months;
        assert_eq!(units("csp:fr1:iaas:vmware:standard:v3"), "5.000000");
        assert_eq!(units("csp:fr1:iaas:storage:bloc:premium:v1"), "3072.000000");
        assert_eq!(units("csp:fr1:iaas:storage:licence:globalmirror:v1"), "1.000000");
        assert_eq!(units("csp:fr1:iaas:storage:bloc:backup:v1"), "10.000000");
        assert_eq!(units("csp:fr1:iaas:backup:vm:v1"), "3.000000");
        assert_eq!(acme(&meter, "csp:fr1:iaas:vmware:encryption:hsm:v1"), None);
    }

    #[test]
    fn one_second_is_charged_as_one_second() {
        let line = acme(&meter(1), "csp:fr1:iaas:vmware:standard:v3").unwrap();
        assert_eq!(line.amount_seconds, 5);
        // 5 / 2 592 000 = 0.00000192…
        assert_eq!(line.unit_months, "0.000002");
    }

    #[test]
    fn the_month_after_is_not_charged_and_the_one_before_neither() {
        let meter = meter(1000);
        assert_eq!(meter.month(Month::new(2026, 12).unwrap()), []);
        assert_eq!(meter.month(Month::new(2026, 10).unwrap()), []);
    }

    #[test]
    fn consumption_of_parts_adds_up_to_that_of_the_whole() {
        let start = month().span().from;
        let mut once = Meter::default();
        once.observe(start, &example::inventory());
        let mut often = Meter::default();
        for hour in 0..700 {
            often.observe(Timestamp(start.0 + hour * 3600), &example::inventory());
        }
        assert_eq!(once, often);
        assert_eq!(once.events().len(), once.month(month()).len());
    }

    #[test]
    fn money_is_rounded_once() {
        let line = acme(&meter(month().span().seconds() / 3), "csp:fr1:iaas:vmware:standard:v3").unwrap();
        // 5 blades at 100.0001 for a third of the month are 166.6668…
        let prices = Prices::from([(line.sku.clone(), 1_000_001)]);
        assert_eq!(cost(&line, &prices), Some(16_667));
        assert_eq!(cost(&line, &Prices::new()), None);
    }

    #[test]
    fn csv_and_json_say_the_same() {
        let lines = meter(month().span().seconds()).month(month());
        let csv = csv(&lines);
        assert_eq!(csv.lines().count(), lines.len() + 1);
        let first = &lines[0];
        let expected =
            format!("2026-11,{},{},VM,{},{}", first.tenant, first.sku, first.amount_seconds, first.unit_months);
        assert_eq!(csv.lines().nth(1).unwrap(), expected);
        let json = serde_json::to_value(first).unwrap();
        assert_eq!(json["amount_seconds"], first.amount_seconds.to_string());
        assert_eq!((json["month"].as_str(), json["unit"].as_str()), (Some("2026-11"), Some("vm")));
    }

    #[test]
    fn decimals_are_rounded_half_up_and_carry() {
        assert_eq!(decimal(1, 3), "0.333333");
        assert_eq!(decimal(2, 3), "0.666667");
        assert_eq!(decimal(9_999_999, 10_000_000), "1.000000");
        assert_eq!(decimal(7, 0), "7.000000");
    }

    proptest::proptest! {
        /// Whatever levels are noted at whatever moments: the sum is that of looking at every second.
        #[test]
        fn consumption_is_the_sum_over_all_seconds(
            steps in proptest::collection::vec((0u64..400, 0u64..1000), 1..20),
        ) {
            // A window of 2 000 seconds around the beginning of the month.
            let start = month().span().from.0;
            let sku = Sku::new("csp:fr1:iaas:backup:vm:v1");
            let mut at = start - 1000;
            let mut events = Vec::new();
            for (wait, level) in steps {
                at += wait;
                events.push(Event { at: Timestamp(at), tenant: "t".into(), sku: sku.clone(), level });
            }
            events.push(Event { at: Timestamp(at + 1), tenant: "t".into(), sku: sku.clone(), level: 0 });
            let level_at = |second: u64| {
                events.iter().rev().find(|event| event.at.0 <= second).map_or(0, |event| u128::from(event.level))
            };
            let naive: u128 = (start..=at + 1).map(level_at).sum();
            let exact = consumption(month(), &events).first().map_or(0, |line| line.amount_seconds);
            proptest::prop_assert_eq!(exact, naive);
        }
    }
}
