//! From a request to a plan, or to every reason against it; and from a plan to the inventory after it.

use serde::Serialize;
use thiserror::Error;

use crate::capacity::View;
use crate::command::{Command, Outcome, Request, effect};
use crate::inventory::Inventory;
use crate::rule::{Asked, Check, EVERYTHING, Finding, Found, Kind, Rule};
use crate::rules;
use crate::rules::names;
use crate::saga::{Step, steps};
use crate::service_level::MonthOfService;

/// What may be done, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// What was asked, by whom.
    pub request: Request,
    /// What a person should know before it is done.
    pub warnings: Vec<Finding>,
    /// What is done, one after the other; each step can be done again or undone.
    pub steps: Vec<Step>,
}

/// Why a plan could not be applied.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ApplyError {
    /// The inventory has changed since the plan was made, and now there are reasons against it.
    #[error("the plan is no longer allowed: {}", lines(.0))]
    Refused(Vec<Finding>),
    /// The command needs a key, and no key was made.
    #[error("the plan was carried out without the key that it needs")]
    KeyMissing,
    /// The key that was made is no new one.
    #[error("the key \"{0}\" is known already")]
    KeyNotNew(crate::ids::KeyId),
}

fn lines(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Plans what is asked. Nothing changes.
///
/// # Errors
/// All findings that refuse it at once, in the order of [`rules::all`]. A request that names something that does not
/// exist in the asking tenant, whether foreign or absent, is told only that.
pub fn plan(inventory: &Inventory, request: &Request) -> Result<Plan, Vec<Finding>> {
    let (refusals, warnings): (Vec<_>, Vec<_>) =
        judge(inventory, request, &Outcome::default()).into_iter().partition(|finding| finding.rule.kind.refuses());
    if refusals.is_empty() {
        Ok(Plan { request: request.clone(), warnings, steps: steps(inventory, &request.command) })
    } else {
        Err(refusals)
    }
}

/// The inventory after a plan was carried out, with what the world answered.
///
/// # Errors
/// [`ApplyError`] where the inventory has meanwhile changed so that the plan is refused, or the outcome does not fit.
pub fn apply(inventory: &Inventory, plan: &Plan, outcome: &Outcome) -> Result<Inventory, ApplyError> {
    if plan.request.command.needs_key() {
        let key = outcome.key.as_ref().ok_or(ApplyError::KeyMissing)?;
        if inventory.key_domains().any(|domain| domain.keys.contains(key) || domain.domain_key == *key) {
            return Err(ApplyError::KeyNotNew(key.clone()));
        }
    }
    // What the activity holds it holds for this; while others have it, they would be found.
    let held = outcome.activity.as_ref().zip(plan.request.command.vm());
    let own = held.and_then(|(activity, vm)| inventory.let_go(vm, activity));
    let inventory = own.as_ref().unwrap_or(inventory);
    let findings = judge(inventory, &plan.request, outcome);
    let refusals: Vec<_> = findings.into_iter().filter(|finding| finding.rule.kind.refuses()).collect();
    if !refusals.is_empty() {
        return Err(ApplyError::Refused(refusals));
    }
    let after = effect(inventory, &plan.request, outcome);
    // It holds the VM until it lets it go, after what is to be tidied up.
    Ok(held.filter(|_| own.is_some()).and_then(|(activity, vm)| after.hold(vm, activity)).unwrap_or(after))
}

/// Everything that the rules find in an inventory as it stands.
#[must_use]
pub fn findings(inventory: &Inventory) -> Vec<Finding> {
    always(&View::of(inventory))
}

/// Everything that the rules find in a month of service.
#[must_use]
pub fn measured(service: &MonthOfService) -> Vec<Finding> {
    collect(|rule, found| {
        if let Check::Measured(check) = rule.check {
            check(service, found);
        }
    })
}

fn always(view: &View<'_>) -> Vec<Finding> {
    collect(|rule, found| {
        if let Check::Always(check) = rule.check {
            check(view, found);
        }
    })
}

fn collect(check: impl Fn(&'static Rule, &mut Found)) -> Vec<Finding> {
    let one = |rule: &'static Rule| {
        let mut found = Found::by(rule);
        check(rule, &mut found);
        found.into_findings()
    };
    rules::all().iter().flat_map(|rule| one(rule)).collect()
}

/// What the rules find against a request: what they ask of it, and what it would newly break or break worse.
fn judge(inventory: &Inventory, request: &Request, outcome: &Outcome) -> Vec<Finding> {
    let asked = Asked { inventory, request };
    let unknown = names::unknown_names(&asked);
    if !unknown.is_empty() {
        return unknown;
    }
    let mut findings = collect(|rule, found| {
        if let Check::Asked(check) = rule.check {
            check(&asked, found);
        }
    });
    let after = effect(inventory, request, outcome);
    let mut broken = always(&View::of(&after));
    if !broken.is_empty() {
        // Only now is it worth looking at what was broken before.
        let before = findings_before(inventory);
        broken.retain(|finding| !before.iter().any(|old| finding.is_no_worse_than(old)));
    }
    let spoken_for: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.rule.kind != Kind::Warn)
        .flat_map(|finding| finding.rule.speaks_for.iter().copied())
        .collect();
    let is_told = |rule: &Rule| EVERYTHING.iter().chain([&rule.id]).any(|id| spoken_for.contains(id));
    broken.retain(|finding| !is_told(finding.rule));
    findings.extend(broken);
    let place = |finding: &Finding| rules::all().iter().position(|rule| *rule == finding.rule);
    findings.sort_by_key(place);
    findings
}

fn findings_before(inventory: &Inventory) -> Vec<Finding> {
    always(&View::of(inventory))
}

impl Plan {
    /// What was asked.
    #[must_use]
    pub const fn command(&self) -> &Command {
        &self.request.command
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Actor;
    use crate::example;
    use crate::rules::testing::build;

    fn encrypt() -> Request {
        let command = Command::Encrypt { vm: example::VM.into() };
        Request { actor: Actor::owner(&example::TENANT.into()), command }
    }

    #[test]
    fn a_finding_is_readable_by_programs() {
        let inventory = build(|document| example::vm(document, "vm-web").spp_mode = crate::model::vm::SppMode::Test);
        let findings = plan(&inventory, &encrypt()).unwrap_err();
        let expected = serde_json::json!([{
            "rule": "vm-not-in-test-mode", "number": "R68g", "kind": "reject",
            "message": "VM \"vm-web\" is a restore test",
            "why": "A restore test runs from the backup and is thrown away; make it productive or a clone first.",
            "evidence": { "vm": "vm-web" },
        }]);
        assert_eq!(serde_json::to_value(findings).unwrap(), expected);
    }

    #[test]
    fn a_plan_that_is_overtaken_is_not_applied() {
        let planned = plan(&example::inventory(), &encrypt()).unwrap();
        let overtaken = build(|document| example::snapshot(document, "quick"));
        let refused = apply(&overtaken, &planned, &Outcome::key("17".into())).unwrap_err();
        assert!(matches!(&refused, ApplyError::Refused(findings) if findings[0].rule.id == "vm-has-no-snapshot"));
    }

    #[test]
    fn a_plan_with_a_key_needs_a_new_one() {
        let inventory = example::inventory();
        let planned = plan(&inventory, &encrypt()).unwrap();
        assert_eq!(apply(&inventory, &planned, &Outcome::default()), Err(ApplyError::KeyMissing));
        let used = Outcome::key("k-b1".into());
        assert_eq!(apply(&inventory, &planned, &used), Err(ApplyError::KeyNotNew("k-b1".into())));
    }

    #[test]
    fn a_rule_that_was_broken_before_may_stay_so_but_not_get_worse() {
        let crowded = |document: &mut crate::inventory::Document| {
            example::lun(document, "lun-acme-1").other_files = crate::units::Gib(1100).bytes();
        };
        let inventory = build(crowded);
        assert_eq!(findings(&inventory).len(), 2);
        let actor = || Actor::owner(&example::TENANT.into());
        let ask = |command| plan(&inventory, &Request { actor: actor(), command });
        let remove = Command::RemoveDisk { vm: "vm-web".into(), disk: "disk-1".into() };
        assert!(ask(remove).is_ok());
        let disk = crate::command::NewDisk {
            id: "disk-9".into(),
            datastore: "lun-acme-1".into(),
            capacity: crate::units::Gib(1),
            dynamic: false,
        };
        let refused = ask(Command::AddDisk { vm: "vm-web".into(), disk }).unwrap_err();
        assert_eq!(refused[0].rule.id, "datastore-holds-its-files");
    }

    #[test]
    fn what_is_another_tenants_is_told_like_what_is_absent() {
        let ask = |tenant: &str, vm: &str| {
            let request = Request { actor: Actor::owner(&tenant.into()), command: Command::Encrypt { vm: vm.into() } };
            let found = plan(&example::inventory(), &request).unwrap_err();
            assert_eq!(found.len(), 1);
            found[0].message().replace(vm, "?")
        };
        assert_eq!(ask(example::FOREIGN_TENANT, example::VM), ask(example::FOREIGN_TENANT, "vm-nowhere"));
    }
}
