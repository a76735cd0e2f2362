//! What a log holds, counted.

use std::collections::BTreeMap;

use serde::Serialize;

use super::lines::Line;
use crate::output::{Sheet, Table};

/// Numbers of a log or of a choice of its records.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Stats {
    records: u64,
    /// More than the records where failures of strangers are counted together.
    events: u64,
    failed: u64,
    from: Option<String>,
    to: Option<String>,
    operations: BTreeMap<String, Counts>,
    identities: BTreeMap<String, u64>,
    reasons: BTreeMap<String, u64>,
}

/// How often, by outcome.
#[derive(Debug, Default, Serialize)]
struct Counts {
    success: u64,
    failed: u64,
    undone: u64,
}

impl Stats {
    /// Counts a record; `clients` are the names of fingerprints.
    pub(crate) fn count(&mut self, line: Line, clients: &BTreeMap<String, String>) {
        self.records += 1;
        self.events += line.count;
        let counts = self.operations.entry(line.operation).or_default();
        match line.outcome.as_str() {
            "success" => counts.success += line.count,
            "undone" => counts.undone += line.count,
            _ => {
                counts.failed += line.count;
                self.failed += line.count;
            }
        }
        if let Some(reason) = line.reason {
            *self.reasons.entry(reason).or_default() += line.count;
        }
        let who = match (line.name, line.fingerprint) {
            (Some(name), _) => format!("administrator {name}"),
            (None, Some(print)) => format!("client {}", clients.get(&print).unwrap_or(&print)),
            (None, None) => line.identity,
        };
        *self.identities.entry(who).or_default() += line.count;
        // Commit order is not quite that of times.
        if self.from.as_ref().is_none_or(|from| line.time < *from) {
            self.from = Some(line.time.clone());
        }
        if self.to.as_ref().is_none_or(|to| *to < line.time) {
            self.to = Some(line.time);
        }
    }

    pub(crate) fn text(&self) -> String {
        let mut sheet = Sheet::new();
        sheet
            .line("records", self.records.to_string())
            .line("events", self.events.to_string())
            .line("failed", self.failed.to_string())
            .maybe("from", self.from.clone())
            .maybe("to", self.to.clone());
        let mut operations = Table::new(&["OPERATION", "DONE", "FAILED", "UNDONE"]);
        for (name, counts) in &self.operations {
            let numbers = [counts.success, counts.failed, counts.undone].map(|number| number.to_string());
            operations.row([name.clone()].into_iter().chain(numbers));
        }
        let mut text = format!("{}\n{}", sheet.render(), operations.render());
        for (title, counts) in [("IDENTITY", &self.identities), ("REASON", &self.reasons)] {
            if !counts.is_empty() {
                let mut table = Table::new(&[title, "EVENTS"]);
                counts.iter().for_each(|(name, count)| table.row([name.clone(), count.to_string()]));
                text += &format!("\n{}", table.render());
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_by_operation_identity_and_reason() {
        let mut stats = Stats::default();
        let line = |operation: &str, outcome: &str, count: u64, reason: Option<&str>| Line {
            time: format!("2026-11-22T11:30:0{count}.000000Z"),
            operation: operation.to_owned(),
            outcome: outcome.to_owned(),
            identity: "none".to_owned(),
            reason: reason.map(str::to_owned),
            count,
            ..Line::default()
        };
        for one in [
            line("Get", "success", 1, None),
            line("Get", "failed", 1, Some("Item Not Found")),
            line("Connect", "failed", 7, Some("no certificate")),
        ] {
            stats.count(one, &BTreeMap::new());
        }
        let text = stats.text();
        for row in [
            "records  3\n",
            "events   9\n",
            "failed   8\n",
            "Get        1     1       0\n",
            "Connect    0     7       0\n",
            "none      9\n",
            "no certificate  7\n",
            "from     2026-11-22T11:30:01.000000Z\n",
            "to       2026-11-22T11:30:07.000000Z\n",
        ] {
            assert!(text.contains(row), "{row:?} in\n{text}");
        }
    }
}
