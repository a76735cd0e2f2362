//! The life of a key in sentences: made, by whom, fetched when and from where, rotated, destroyed.

use std::collections::BTreeMap;

use audit::about::About;
use serde::Serialize;

use super::lines::Line;

/// Something that happened to an object, or the same thing several times in a row.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Event {
    /// When, and when last where it happened several times.
    time: String,
    until: Option<String>,
    times: u64,
    /// The KMIP operation or administrative act.
    operation: String,
    outcome: String,
    /// Who, in words.
    by: String,
    /// Host, without the port; empty for the node's own acts.
    from: String,
    reason: Option<String>,
    detail: Option<String>,
    /// The object whose place it took, the one that took its place, and what it was called by which attribute.
    predecessor: Option<String>,
    successor: Option<String>,
    called: Vec<(String, String)>,
    correlation: Option<String>,
    approvals: Vec<String>,
    /// Positions in the log of the first and the last record, for `audit prove`.
    record: u64,
    last_record: u64,
}

/// The life of one object.
#[derive(Debug, Serialize)]
pub(crate) struct Story {
    object: String,
    events: Vec<Event>,
    /// Position of every record.
    #[serde(skip)]
    records: Vec<u64>,
    #[serde(skip)]
    clients: BTreeMap<String, String>,
}

impl Story {
    /// A story of `object`; `clients` are the names of fingerprints.
    pub(crate) fn new(object: &str, clients: BTreeMap<String, String>) -> Self {
        Self { object: object.to_owned(), events: Vec::new(), records: Vec::new(), clients }
    }

    /// Goes on with a record.
    pub(crate) fn tell(&mut self, line: Line) {
        let by = self.who(&line);
        let from = host(&line.source).to_owned();
        let record = line.index.unwrap_or_default();
        self.records.push(record);
        let (detail, about) = match &line.detail {
            Some(detail) => About::split(detail),
            None => ("", About::default()),
        };
        let detail = (!detail.is_empty()).then(|| detail.to_owned());
        if let Some(last) = self.events.last_mut()
            && (&last.operation, &last.outcome, &last.by, &last.from, &last.reason)
                == (&line.operation, &line.outcome, &by, &from, &line.reason)
            && last.correlation == line.correlation
            && last.detail == detail
            && (&last.predecessor, &last.successor, &last.called)
                == (&about.predecessor, &about.successor, &about.called)
        {
            last.until = Some(line.time);
            last.times += line.count;
            last.last_record = record;
            return;
        }
        self.events.push(Event {
            time: line.time,
            until: None,
            times: line.count,
            operation: line.operation,
            outcome: line.outcome,
            by,
            from,
            reason: line.reason,
            detail,
            predecessor: about.predecessor,
            successor: about.successor,
            called: about.called,
            correlation: line.correlation,
            approvals: line.approvals,
            record,
            last_record: record,
        });
    }

    /// Whether the log tells of the object at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Positions of all records that it is told by.
    pub(crate) fn records(&self) -> &[u64] {
        &self.records
    }

    fn who(&self, line: &Line) -> String {
        let print = line.fingerprint.as_deref().unwrap_or_default();
        match line.identity.as_str() {
            "client" => match self.clients.get(print) {
                Some(name) => format!("client {name}"),
                None => format!("client {}", print.get(..16).unwrap_or(print)),
            },
            "admin" => format!("administrator {}", line.name.as_deref().unwrap_or(print)),
            "node" => "the node itself".to_owned(),
            other => other.to_owned(),
        }
    }

    /// The story for people: a paragraph that sums up, then a line for each event.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}: {}.\n\n", self.object, self.summary());
        for event in &self.events {
            text += &format!("{}\n", event.sentence());
        }
        text
    }

    fn summary(&self) -> String {
        let done = |operations: &[&str]| {
            let is = |event: &&Event| event.outcome == "success" && operations.contains(&event.operation.as_str());
            self.events.iter().filter(is).collect::<Vec<_>>()
        };
        let mut parts = Vec::new();
        let births = self.events.iter().filter(|event| event.outcome == "success" && event.is_birth());
        let whose = self.whose().map(|whose| format!(", for {whose}")).unwrap_or_default();
        match births.min_by_key(|event| event.record) {
            Some(birth) => parts.push(format!("{} {} by {}{whose}", birth.verb(), day(&birth.time), birth.by)),
            None if !whose.is_empty() => parts.push(whose.trim_start_matches(", ").to_owned()),
            None => {}
        }
        let fetched = done(&["Get", "Export"]);
        let times: u64 = fetched.iter().map(|event| event.times).sum();
        match fetched.last() {
            Some(last) => {
                let at = last.until.as_ref().unwrap_or(&last.time);
                parts.push(format!("handed out {}, last {} to {}", plural(times, "time"), day(at), last.by));
            }
            None => parts.push("never handed out".to_owned()),
        }
        for (operations, what) in [(&["Revoke"][..], "revoked"), (&["Destroy"], "destroyed")] {
            if let Some(event) = done(operations).last() {
                parts.push(format!("{what} {} by {}", day(&event.time), event.by));
            }
        }
        if let Some(event) = done(RENEWALS).iter().rfind(|event| !event.is_birth()) {
            let by = event.successor.as_ref().map(|id| format!(", {id} took its place")).unwrap_or_default();
            parts.push(format!("rotated {} by {}{by}", day(&event.time), event.by));
        }
        let refused: u64 = self.events.iter().filter(|event| event.outcome == "failed").map(|event| event.times).sum();
        if refused > 0 {
            parts.push(format!("{} refused", plural(refused, "request")));
        }
        parts.join("; ")
    }

    /// The machine or whatever else it was last said to be for, in the words of whoever made or marked it: vCenter's
    /// marks, else its Name.
    fn whose(&self) -> Option<String> {
        let mut called = BTreeMap::new();
        for event in self.events.iter().filter(|event| event.outcome == "success") {
            called.extend(event.called.iter().map(|(attribute, value)| (attribute.as_str(), value.as_str())));
        }
        let name = ["x-Name", "Name", "x-Identifier"].iter().find_map(|attribute| called.get(attribute))?;
        let kind = called.get("x-Component").map(|kind| format!("{kind} ")).unwrap_or_default();
        Some(format!("{kind}\"{name}\""))
    }
}

/// Operations that bring an object into being.
const BIRTHS: &[&str] =
    &["Create", "Create Key Pair", "Register", "Import", "Derive Key", "Create Split Key", "Join Split Key", "Certify"];

/// Operations that put another object in the place of one; both have a record of it.
const RENEWALS: &[&str] = &["Re-key", "Re-key Key Pair", "Re-certify"];

impl Event {
    /// Whether it brought the object into being.
    fn is_birth(&self) -> bool {
        let operation = self.operation.as_str();
        BIRTHS.contains(&operation) || (RENEWALS.contains(&operation) && self.predecessor.is_some())
    }

    /// What was done to the object.
    fn verb(&self) -> String {
        match (&self.predecessor, &self.successor) {
            (Some(id), _) => format!("made in the place of {id}"),
            (None, Some(id)) => format!("{}, {id} took its place", verb(&self.operation)),
            (None, None) => verb(&self.operation),
        }
    }

    fn sentence(&self) -> String {
        let what = match self.outcome.as_str() {
            "success" => self.verb(),
            "undone" => format!("{} and taken back", self.verb()),
            _ => format!("refused: {} ({})", self.operation, self.reason.as_deref().unwrap_or("no reason")),
        };
        let mut text = format!("{}  {what}", seconds(&self.time));
        if !self.called.is_empty() {
            let called: Vec<String> = self.called.iter().map(|(by, value)| format!("{by} \"{value}\"")).collect();
            text += &format!(", called {}", called.join(", "));
        }
        if self.times > 1 {
            text += &format!(", {}", plural(self.times, "time"));
        }
        text += &format!(", by {}", self.by);
        if !self.from.is_empty() {
            text += &format!(" from {}", self.from);
        }
        if let Some(until) = &self.until {
            text += &format!(", until {}", seconds(until));
        }
        if let Some(correlation) = &self.correlation {
            text += &format!(", for \"{correlation}\"");
        }
        if !self.approvals.is_empty() {
            text += &format!(", approved by {}", self.approvals.join(" and "));
        }
        if let Some(detail) = &self.detail {
            text += &format!(" ({detail})");
        }
        if self.record == self.last_record {
            text + &format!("  [record {}]", self.record)
        } else {
            text + &format!("  [records {} to {}]", self.record, self.last_record)
        }
    }
}

/// One event of a log in one line, for those who follow it.
pub(crate) fn one_line(line: Line, clients: &BTreeMap<String, String>) -> String {
    let object = line.object.clone().map(|object| format!("{object} ")).unwrap_or_default();
    let mut story = Story::new("", clients.clone());
    story.tell(line);
    let sentence = story.events.first().map(Event::sentence).unwrap_or_default();
    match sentence.split_once("  ") {
        Some((time, rest)) => format!("{time}  {object}{rest}\n"),
        None => format!("{sentence}\n"),
    }
}

/// What an operation did to the object.
fn verb(operation: &str) -> String {
    let verb = match operation {
        "Create" | "Create Key Pair" => "made",
        "Register" => "registered",
        "Import" => "imported",
        "Derive Key" => "derived",
        "Create Split Key" => "split",
        "Join Split Key" => "joined",
        "Certify" => "certified",
        "Get" => "fetched",
        "Export" => "exported",
        "Activate" => "activated",
        "Revoke" => "revoked",
        "Destroy" => "destroyed",
        "Archive" => "archived",
        "Recover" => "recovered",
        "Re-key" | "Re-key Key Pair" | "Re-certify" => "rotated",
        "Add Attribute" | "Modify Attribute" | "Set Attribute" | "Delete Attribute" | "Adjust Attribute" => {
            return format!("changed ({operation})");
        }
        "Encrypt" | "Decrypt" | "Sign" | "Signature Verify" | "MAC" | "MAC Verify" => {
            return format!("used to {}", operation.to_lowercase());
        }
        other => return format!("{other}: done"),
    };
    verb.to_owned()
}

fn plural(count: u64, noun: &str) -> String {
    match (count, noun) {
        (1, "time") => "once".to_owned(),
        (1, noun) => format!("1 {noun}"),
        (count, noun) => format!("{count} {noun}s"),
    }
}

/// `2026-11-22T11:30:00.000000Z` without the fraction.
fn seconds(time: &str) -> String {
    time.split_once('.').map_or_else(|| time.to_owned(), |(seconds, _)| format!("{seconds}Z"))
}

fn day(time: &str) -> String {
    format!("on {}", time.get(..10).unwrap_or(time))
}

fn host(source: &str) -> &str {
    source.rsplit_once(':').map_or(source, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(index: u64, second: u64, operation: &str) -> Line {
        Line {
            index: Some(index),
            time: format!("2026-11-22T11:30:{second:02}.000000Z"),
            identity: "client".into(),
            fingerprint: Some("ab".repeat(32)),
            source: "192.0.2.7:5001".into(),
            operation: operation.into(),
            outcome: "success".into(),
            count: 1,
            ..Line::default()
        }
    }

    fn story(lines: Vec<Line>) -> Story {
        let mut story = Story::new("K", BTreeMap::from([("ab".repeat(32), "vc-paris".to_owned())]));
        lines.into_iter().for_each(|line| story.tell(line));
        story
    }

    #[test]
    fn a_life_is_told_in_the_order_in_which_it_happened() {
        let mut created = line(3, 0, "Create");
        created.correlation = Some("vm-42".into());
        let mut stranger = line(9, 8, "Get");
        stranger.fingerprint = Some("cd".repeat(32));
        stranger.outcome = "failed".into();
        stranger.reason = Some("Item Not Found".into());
        let mut destroyed = line(12, 9, "Destroy");
        destroyed.identity = "admin".into();
        destroyed.name = Some("officer1".into());
        destroyed.approvals = vec!["officer2".into(), "officer3".into()];
        let story = story(vec![created, line(4, 1, "Get"), line(6, 5, "Get"), stranger, line(11, 9, "Get"), destroyed]);
        assert_eq!(
            story.text(),
            "K: made on 2026-11-22 by client vc-paris; handed out 3 times, last on 2026-11-22 to client vc-paris; \
             destroyed on 2026-11-22 by administrator officer1; 1 request refused.\n\n\
             2026-11-22T11:30:00Z  made, by client vc-paris from 192.0.2.7, for \"vm-42\"  [record 3]\n\
             2026-11-22T11:30:01Z  fetched, 2 times, by client vc-paris from 192.0.2.7, until 2026-11-22T11:30:05Z  \
             [records 4 to 6]\n\
             2026-11-22T11:30:08Z  refused: Get (Item Not Found), by client cdcdcdcdcdcdcdcd from 192.0.2.7  \
             [record 9]\n\
             2026-11-22T11:30:09Z  fetched, by client vc-paris from 192.0.2.7  [record 11]\n\
             2026-11-22T11:30:09Z  destroyed, by administrator officer1 from 192.0.2.7, approved by officer2 and \
             officer3  [record 12]\n"
        );
    }

    #[test]
    fn a_key_is_told_with_its_machine_and_both_sides_of_a_rotation() {
        let with = |mut line: Line, detail: &str| {
            line.detail = Some(detail.to_owned());
            line
        };
        let marked = with(line(4, 1, "Add Attribute"), "version 1.1: x-Name \"web-1\"");
        let component = with(line(5, 1, "Add Attribute"), "version 1.1: x-Component \"Virtual Machine\"");
        let rotated = with(line(9, 2, "Re-key"), "version 1.4: successor L");
        let old = story(vec![with(line(3, 0, "Create"), "version 1.1: Name \"k\""), marked, component, rotated]);
        assert_eq!(
            old.text(),
            "K: made on 2026-11-22 by client vc-paris, for Virtual Machine \"web-1\"; never handed out; rotated on \
             2026-11-22 by client vc-paris, L took its place.\n\n\
             2026-11-22T11:30:00Z  made, called Name \"k\", by client vc-paris from 192.0.2.7 (version 1.1)  [record 3]\n\
             2026-11-22T11:30:01Z  changed (Add Attribute), called x-Name \"web-1\", by client vc-paris from 192.0.2.7 \
             (version 1.1)  [record 4]\n\
             2026-11-22T11:30:01Z  changed (Add Attribute), called x-Component \"Virtual Machine\", by client vc-paris \
             from 192.0.2.7 (version 1.1)  [record 5]\n\
             2026-11-22T11:30:02Z  rotated, L took its place, by client vc-paris from 192.0.2.7 (version 1.4)  \
             [record 9]\n"
        );
        assert_eq!(old.records(), [3, 4, 5, 9]);
        let new = story(vec![with(line(8, 2, "Re-key"), "version 1.4: predecessor J, Name \"k\""), line(10, 3, "Get")]);
        let first = new.text();
        assert!(
            first.starts_with(
                "K: made in the place of J on 2026-11-22 by client vc-paris, for \"k\"; handed out once, last on"
            ),
            "{first}"
        );
        assert!(!first.contains("rotated"), "{first}");
    }

    #[test]
    fn a_key_that_nobody_fetched_is_said_to_be_so() {
        assert!(story(vec![line(0, 0, "Register")]).text().contains("never handed out"));
        assert!(story(Vec::new()).is_empty());
    }

    #[test]
    fn an_event_of_a_log_names_its_object() {
        let mut get = line(7, 1, "Get");
        get.object = Some("K".into());
        let told = one_line(get, &BTreeMap::new());
        assert_eq!(told, "2026-11-22T11:30:01Z  K fetched, by client abababababababab from 192.0.2.7  [record 7]\n");
    }
}
