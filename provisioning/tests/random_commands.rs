//! Whatever is asked, in whatever order: no inventory breaks a promise, and nothing panics.
//!
//! Each walk begins with the example or a generated inventory and asks for random things; what is planned is applied.
//! After each change an independent judge looks at the whole inventory. `CLAVIS_COMMANDS` says how many are asked.

#[expect(clippy::unwrap_used, reason = "what the documents of the tests refer to is there")]
mod support;

use std::collections::BTreeMap;

use provisioning::{Document, Inventory, Outcome, apply, example, plan};
use support::choices::Choices;
use support::judge::judge;

/// Commands of one walk.
const WALK: u64 = 200;

fn count() -> u64 {
    std::env::var("CLAVIS_COMMANDS").ok().and_then(|count| count.parse().ok()).unwrap_or(20_000)
}

/// What came of the commands of one kind.
#[derive(Debug, Default)]
struct Tally {
    done: u64,
    refused: u64,
}

#[test]
fn no_random_command_breaks_a_promise() {
    let mut tally: BTreeMap<String, Tally> = BTreeMap::new();
    let walks = count().div_ceil(WALK);
    for seed in 0..walks {
        let mut inventory = if seed % 3 == 0 { Inventory::generate(seed, 2, 12) } else { example::inventory() };
        assert_eq!(judge(&Document::from(inventory.clone())), [""; 0], "seed {seed}: the beginning");
        let mut choices = Choices::of(seed);
        let mut done = Vec::new();
        for number in 0..WALK {
            let request = choices.request(&inventory);
            let entry = tally.entry(request.command.name()).or_default();
            let Ok(planned) = plan(&inventory, &request) else {
                entry.refused += 1;
                continue;
            };
            let outcome = Outcome::key(format!("key-{seed}-{number}").as_str().into());
            let after = apply(&inventory, &planned, &outcome).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            entry.done += 1;
            done.push(request.command);
            let document = Document::from(after);
            let broken = judge(&document);
            assert!(broken.is_empty(), "seed {seed}: {broken:?} after {:#?}", done.last());
            // What is applied is a whole inventory: no reference dangles.
            inventory = Inventory::build(document)
                .unwrap_or_else(|faults| panic!("seed {seed}: {faults} after {:#?}", done.last()));
        }
    }
    // A walk that is always refused would show nothing: of what is asked often, everything happens.
    for (command, tally) in &tally {
        println!("{command}: {tally:?}");
        let never = ["open-v-center"];
        if tally.done + tally.refused > 400 && !never.contains(&command.as_str()) {
            assert!(tally.done > 0, "{command} was always refused");
        }
    }
    let done: u64 = tally.values().map(|tally| tally.done).sum();
    assert!(done * 20 > count(), "only {done} commands of {} were done", count());
}

#[test]
fn the_judge_sees_what_is_broken() {
    // The control: were the judge blind, the walks above would show nothing.
    type Break = (&'static str, fn(&mut Document));
    let breaks: [Break; 12] = [
        ("R7", |document| document.hosts[0].blade = "eco".into()),
        ("R8", |document| document.hosts[0].ram.0 = 512),
        ("R14", |document| document.networks[0].cpools.extend(["clu-lab".into()])),
        ("R18", |document| document.datastores[0].iops_limit = None),
        ("R23", |document| document.datastores[4].capacity.0 = 499),
        ("R28", |document| document.datastores[0].other_files.0 = 1 << 40),
        ("R38", |document| document.datastores[3].capacity.0 = 2048),
        ("R48", |document| document.cpools[0].ram_enabled.0 = 100),
        ("R55", |document| document.vms[0].policies.clear()),
        ("R56", |document| document.policies[0].zone = "PAR7S".into()),
        ("R65", |document| document.vms[1].disks[0].key = Some("17".into())),
        ("R70", |document| document.key_domains[0].keys.clear()),
    ];
    for (number, spoil) in breaks {
        let mut document = example::document();
        spoil(&mut document);
        assert!(judge(&document).iter().any(|broken| broken.starts_with(number)), "{number}");
    }
    assert_eq!(judge(&example::document()), [""; 0]);
}
