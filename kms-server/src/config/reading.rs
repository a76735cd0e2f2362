//! A walk over a TOML document that goes on after a fault, so that all faults are named at once, each with its line.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Line in the file, from 1; 0 where the fault is not in the file but in the environment.
    pub line: usize,
    /// The setting, as in `hsm.members[1].pin_file`; empty where the text is no TOML.
    pub key: String,
    /// What is wrong, and what would be right. Never a value that may be secret.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.key.as_str()) {
            (0, key) => write!(f, "{key}: {}", self.text),
            (line, "") => write!(f, "line {line}: {}", self.text),
            (line, key) => write!(f, "line {line}: {key}: {}", self.text),
        }
    }
}

/// What the walk has seen: faults, and on which line each setting stands.
pub(super) struct Walk<'t> {
    text: &'t str,
    faults: RefCell<Vec<Fault>>,
    places: RefCell<BTreeMap<String, usize>>,
    /// The text did not parse as a whole: what is missing may only be unreadable, so it is not reported as missing.
    broken: bool,
}

/// The faults of a walk, and the line of each setting that was read.
pub(super) struct Seen {
    pub(super) faults: Vec<Fault>,
    pub(super) places: BTreeMap<String, usize>,
}

impl<'t> Walk<'t> {
    /// Parses `text` as far as it goes and hands its root to `read`.
    pub(super) fn over<T>(text: &'t str, read: impl FnOnce(Section<'_>) -> T) -> (T, Seen) {
        let (document, errors) = DeTable::parse_recoverable(text);
        let walk = Walk { text, faults: RefCell::default(), places: RefCell::default(), broken: !errors.is_empty() };
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            walk.fault(at, String::new(), format!("not TOML: {}", error.message()));
        }
        let root = Section { walk: &walk, name: String::new(), table: document.get_ref(), at: 0, asked: Vec::new() };
        let value = read(root);
        let Walk { faults, places, .. } = walk;
        (value, Seen { faults: faults.into_inner(), places: places.into_inner() })
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }

    fn fault(&self, offset: usize, key: String, text: String) {
        self.faults.borrow_mut().push(Fault { line: self.line(offset), key, text });
    }
}

/// One table of the document. Reading a key marks it as known; what no one has read by [`Section::finish`] is a fault.
pub(super) struct Section<'w> {
    walk: &'w Walk<'w>,
    name: String,
    table: &'w DeTable<'w>,
    at: usize,
    asked: Vec<&'static str>,
}

impl<'w> Section<'w> {
    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    fn look(&mut self, key: &'static str) -> Option<(Range<usize>, &'w DeValue<'w>)> {
        self.asked.push(key);
        let (name, value): (&Spanned<_>, &Spanned<DeValue<'w>>) = self.table.get_key_value(key)?;
        self.walk.places.borrow_mut().insert(self.path(key), self.walk.line(name.span().start));
        Some((name.span(), value.get_ref()))
    }

    fn wrong(&self, at: &Range<usize>, key: &str, text: String) {
        self.walk.fault(at.start, self.path(key), text);
    }

    fn wrong_type(&self, at: &Range<usize>, key: &str, wanted: &str, found: &DeValue<'_>) {
        self.wrong(at, key, format!("{wanted} is wanted here, not a value of type {}", found.type_str()));
    }

    /// Reports `key` as absent, at the line where the section begins.
    pub(super) fn missing(&self, key: &'static str, wanted: &str) {
        if !self.walk.broken {
            self.walk.fault(self.at, self.path(key), format!("missing; {wanted} is wanted"));
        }
    }

    /// Reports a fault of the value of `key`, which has been read.
    pub(super) fn refuse(&self, key: &str, text: impl Into<String>) {
        let at = self.table.get_key_value(key).map_or(self.at, |(name, _)| name.span().start);
        self.walk.fault(at, self.path(key), text.into());
    }

    /// A string.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        let (at, value) = self.look(key)?;
        let text = value.as_str();
        if text.is_none() {
            self.wrong_type(&at, key, "a string", value);
        }
        text.map(str::to_owned)
    }

    /// A string that must be there; a fault and an empty string if not.
    pub(super) fn needed_text(&mut self, key: &'static str, wanted: &str) -> String {
        let present = self.table.contains_key(key);
        let text = self.text(key);
        match &text {
            None if !present => self.missing(key, wanted),
            Some(text) if text.is_empty() => self.refuse(key, format!("empty; {wanted} is wanted")),
            _ => {}
        }
        text.unwrap_or_default()
    }

    /// A whole number within `range`.
    pub(super) fn number(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let (at, value) = self.look(key)?;
        let Some(integer) = value.as_integer() else {
            self.wrong_type(&at, key, "a whole number", value);
            return None;
        };
        // The digits are as written, without underscores; a sign may lead.
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|n| range.contains(n));
        if number.is_none() {
            let text = format!("{} is outside {} to {}", integer.as_str(), range.start(), range.end());
            self.wrong(&at, key, text);
        }
        number
    }

    /// Whether `key` is there at all.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let (at, value) = self.look(key)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.wrong_type(&at, key, "true or false", value);
        }
        flag
    }

    /// A list of strings; empty if it is absent.
    pub(super) fn texts(&mut self, key: &'static str) -> Vec<String> {
        let mut texts = Vec::new();
        match self.look(key) {
            Some((at, DeValue::Array(items))) => {
                for item in items.iter() {
                    match item.get_ref().as_str() {
                        Some(text) => texts.push(text.to_owned()),
                        None => self.wrong_type(&at, key, "a list of strings", item.get_ref()),
                    }
                }
            }
            Some((at, other)) => self.wrong_type(&at, key, "a list of strings", other),
            None => {}
        }
        texts
    }

    /// One of the words in `words`, with what it stands for.
    pub(super) fn word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.refuse(key, format!("{text:?} is none of: {}", known.join(", ")));
        }
        found
    }

    /// A table; an empty one if it is absent, so that its own missing keys are reported.
    pub(super) fn section(&mut self, key: &'static str) -> Section<'w> {
        let name = self.path(key);
        match self.look(key) {
            Some((at, DeValue::Table(table))) => {
                Section { walk: self.walk, name, table, at: at.start, asked: Vec::new() }
            }
            Some((at, other)) => {
                self.wrong_type(&at, key, "a table", other);
                self.empty(name, at.start)
            }
            None => self.empty(name, self.at),
        }
    }

    /// An array of tables; empty if it is absent.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Section<'w>> {
        let mut sections = Vec::new();
        match self.look(key) {
            Some((at, DeValue::Array(items))) => {
                for (index, item) in items.iter().enumerate() {
                    let name = format!("{}[{index}]", self.path(key));
                    match item.get_ref() {
                        DeValue::Table(table) => {
                            let at = item.span().start;
                            sections.push(Section { walk: self.walk, name, table, at, asked: Vec::new() });
                        }
                        other => self.wrong_type(&at, key, "an array of tables", other),
                    }
                }
            }
            Some((at, other)) => self.wrong_type(&at, key, "an array of tables", other),
            None => {}
        }
        sections
    }

    fn empty(&self, name: String, at: usize) -> Section<'w> {
        static NOTHING: std::sync::OnceLock<DeTable<'static>> = std::sync::OnceLock::new();
        Section { walk: self.walk, name, table: NOTHING.get_or_init(DeTable::new), at, asked: Vec::new() }
    }

    /// Names every key that nothing asked for.
    pub(super) fn finish(self) {
        for (key, _) in self.table.iter() {
            if !self.asked.iter().any(|asked| *asked == key.get_ref().as_ref()) {
                let text = format!("unknown key; known here: {}", self.asked.join(", "));
                self.wrong(&key.span(), key.get_ref(), text);
            }
        }
    }
}
