//! Whether what a command wrote is what the page shows, and what its placeholders stand for.

use std::collections::BTreeMap;

use super::page::Command;
use super::shell::Ended;

/// What stands for any lines.
const ANY_LINES: &str = "...";
/// A value that is shorter is not looked for in output when a page is rewritten: it might be a part of anything.
const MIN_VALUE: usize = 6;

/// A word of base64 that is as long as this is a key, a signature or a certificate.
const MIN_UNNAMED: usize = 40;

/// What placeholders stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<String, String>);

/// A piece of a line.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Placeholder(&'a str),
}

impl Values {
    /// Says what a placeholder stands for.
    pub fn bind(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// What it stands for.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A command with its placeholders filled.
    ///
    /// # Errors
    /// A placeholder that nothing bound.
    pub fn fill(&self, typed: &str) -> Result<String, String> {
        let fill = |piece| match piece {
            Piece::Text(text) => Ok(text.to_owned()),
            Piece::Placeholder(name) => {
                self.get(name).map(str::to_owned).ok_or(format!("<{name}> was not seen before: {typed}"))
            }
        };
        pieces(typed).into_iter().map(fill).collect()
    }

    /// What is to be shown of these lines: a line that was shown and fits stays, in the others values that are known become
    /// their placeholders. Times become `<time>`, identifiers and digests that are new placeholders with a number.
    #[must_use]
    pub fn shown(&mut self, before: &[String], lines: &[String]) -> Vec<String> {
        let mut show = |line: &String| {
            for pattern in before.iter().filter(|pattern| *pattern != ANY_LINES) {
                let mut values = self.clone();
                if line_fits(pattern, line, &mut values) {
                    *self = values;
                    return pattern.clone();
                }
            }
            self.named(line)
        };
        lines.iter().map(&mut show).collect()
    }

    fn named(&mut self, line: &str) -> String {
        let is_part = |one: char| one.is_ascii_alphanumeric() || one == '-' || one == ':';
        for word in line.split(|one| !is_part(one)) {
            let word = word.trim_matches(':');
            let is_id = word.len() == 36 && word.matches('-').count() == 4;
            let is_digest = word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
            if (is_id || is_digest) && !self.0.values().any(|value| value == word) {
                let kind = if is_id { "id" } else { "digest" };
                let number = (1..).find(|number| !self.0.contains_key(&format!("{kind}-{number}"))).unwrap_or(0_u32);
                self.bind(&format!("{kind}-{number}"), word);
            }
        }
        let is_base64 = |one: u8| one.is_ascii_alphanumeric() || matches!(one, b'+' | b'/' | b'=');
        for word in line.split_whitespace().filter(|word| word.len() >= MIN_UNNAMED && word.bytes().all(is_base64)) {
            if !self.0.values().any(|value| value == word) {
                let number = (1..).find(|number| !self.0.contains_key(&format!("value-{number}"))).unwrap_or(0_u32);
                self.bind(&format!("value-{number}"), word);
            }
        }
        let mut line = line.to_owned();
        let mut longest: Vec<_> = self.0.iter().filter(|(_, value)| value.len() >= MIN_VALUE).collect();
        longest.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        for (name, value) in longest {
            line = line.replace(value.as_str(), &format!("<{name}>"));
        }
        let words: Vec<String> =
            line.split(' ').map(|word| if is_time(word) { "<time>".to_owned() } else { word.to_owned() }).collect();
        words.join(" ")
    }
}

/// Holds what a command did against what the page shows of it.
///
/// # Errors
/// The difference.
pub fn hold(command: &Command, ended: &Ended, values: &mut Values) -> Result<(), String> {
    let mut seen = values.clone();
    if ended.code != command.code || !lines_fit(&command.shown, &ended.lines, &mut seen) {
        return Err(format!(
            "shown:\n{}\n[exit {}]\ncame:\n{}\n[exit {}]",
            command.shown.join("\n"),
            command.code,
            ended.lines.join("\n"),
            ended.code
        ));
    }
    *values = seen;
    Ok(())
}

fn lines_fit(shown: &[String], lines: &[String], values: &mut Values) -> bool {
    match (shown.split_first(), lines.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == ANY_LINES => (0..=lines.len()).any(|skipped| {
            let mut seen = values.clone();
            let fits = lines_fit(rest, lines.get(skipped..).unwrap_or_default(), &mut seen);
            if fits {
                *values = seen;
            }
            fits
        }),
        (Some((pattern, shown)), Some((line, lines))) => {
            line_fits(pattern, line, values) && lines_fit(shown, lines, values)
        }
        _ => false,
    }
}

/// Whether a line is what a pattern says; blanks that follow each other count as one.
fn line_fits(pattern: &str, line: &str, values: &mut Values) -> bool {
    let one_blank = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (pattern, line) = (one_blank(pattern), one_blank(line));
    fits(&pieces(&pattern), &line, values)
}

fn fits(pieces: &[Piece<'_>], text: &str, values: &mut Values) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return text.is_empty() };
    match first {
        Piece::Text(expected) => text.strip_prefix(expected).is_some_and(|text| fits(rest, text, values)),
        Piece::Placeholder(name) => {
            if let Some(known) = values.get(name).filter(|_| is_kept(name)).map(str::to_owned) {
                return text.strip_prefix(&known).is_some_and(|text| fits(rest, text, values));
            }
            let longest = text.find(char::is_whitespace).unwrap_or(text.len());
            for end in (1..=longest).filter(|end| text.is_char_boundary(*end)) {
                let (value, after) = text.split_at(end);
                let mut seen = values.clone();
                if is_kept(name) {
                    seen.bind(name, value);
                }
                if is_of_kind(name, value) && fits(rest, after, &mut seen) {
                    *values = seen;
                    return true;
                }
            }
            false
        }
    }
}

/// Whether a placeholder means the same wherever it stands; times and measures do not.
fn is_kept(name: &str) -> bool {
    !matches!(name, "time" | "date" | "n" | "seconds")
}

fn is_of_kind(name: &str, value: &str) -> bool {
    let is_hex = || value.bytes().all(|byte| byte.is_ascii_hexdigit());
    match name {
        "time" => is_time(value),
        "date" => value.len() == 10 && is_time(&format!("{value}T00:00:00Z")),
        "n" => value.bytes().all(|byte| byte.is_ascii_digit()),
        "seconds" => value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'),
        _ if name.ends_with("-id") => uuid::Uuid::try_parse(value).is_ok() && value.len() == 36,
        _ if name.ends_with("fingerprint") || name.ends_with("digest") => value.len() == 64 && is_hex(),
        _ => true,
    }
}

/// Whether this is a time as the programs write it, `2026-11-22T11:30:00Z`, perhaps with parts of the second.
fn is_time(text: &str) -> bool {
    let shape = |byte: u8| if byte.is_ascii_digit() { b'0' } else { byte };
    let Some(text) = text.strip_suffix('Z') else { return false };
    let (whole, parts) = text.split_once('.').unwrap_or((text, ""));
    whole.bytes().map(shape).eq(*b"0000-00-00T00:00:00") && parts.bytes().all(|byte| byte.is_ascii_digit())
}

/// A line as text and placeholders: `<` and `>` around small letters, digits and hyphens, beginning with a letter.
fn pieces(line: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = line;
    let mut from = 0;
    while let Some(begin) = rest.get(from..).and_then(|text| text.find('<')).map(|at| from + at) {
        let name = rest.get(begin + 1..).and_then(|text| text.split_once('>')).map(|(name, _)| name);
        let is_name = |name: &&str| {
            name.starts_with(|one: char| one.is_ascii_lowercase())
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if let Some(name) = name.filter(is_name) {
            let (text, after) = rest.split_at(begin);
            if !text.is_empty() {
                pieces.push(Piece::Text(text));
            }
            pieces.push(Piece::Placeholder(name));
            rest = after.get(name.len() + 2..).unwrap_or_default();
            from = 0;
        } else {
            from = begin + 1;
        }
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(shown: &[&str], lines: &[&str], values: &mut Values) -> bool {
        let own = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let command = Command { line: 1, typed: "x".to_owned(), shown: own(shown), code: 0 };
        hold(&command, &Ended { lines: own(lines), code: 0 }, values).is_ok()
    }

    #[test]
    fn binds_at_the_first_sight_and_compares_afterwards() {
        let mut values = Values::default();
        assert!(held(&["name  <who> of <where>"], &["name    ada of lyon"], &mut values));
        assert_eq!((values.get("who"), values.get("where")), (Some("ada"), Some("lyon")));
        assert!(held(&["<who>!"], &["ada!"], &mut values));
        assert!(!held(&["<who>!"], &["bea!"], &mut values));
        assert_eq!(values.fill("tell <who> <END").unwrap(), "tell ada <END");
        assert!(values.fill("tell <nobody>").is_err());
    }

    #[test]
    fn what_does_not_fit_binds_nothing() {
        let mut values = Values::default();
        assert!(!held(&["<who> came", "and went"], &["ada came", "and stayed"], &mut values));
        assert_eq!(values, Values::default());
    }

    #[test]
    fn measures_differ_each_time_and_have_their_form() {
        let mut values = Values::default();
        assert!(held(&["<n> at <time>", "<n>"], &["5 at 2026-11-22T11:30:00Z", "6"], &mut values));
        assert!(!held(&["<n>"], &["six"], &mut values));
        assert!(!held(&["<time>"], &["2026-11-22"], &mut values));
        assert!(!held(&["<acme-id>"], &["acme"], &mut values));
    }

    #[test]
    fn any_line_more_or_less_is_a_difference_unless_it_says_so() {
        let mut values = Values::default();
        assert!(!held(&["a"], &["a", "b"], &mut values));
        assert!(!held(&["a", "b"], &["a"], &mut values));
        assert!(held(&["a", "...", "z"], &["a", "b", "c", "z"], &mut values));
        assert!(!held(&["a", "...", "z"], &["a", "b", "c"], &mut values));
    }

    #[test]
    fn a_rewritten_page_keeps_its_placeholders() {
        let mut values = Values::default();
        values.bind("acme-id", "5d3c0f1e-8a57-4b0e-9a3e-0d7a5f6b1c22");
        let lines = ["id 5d3c0f1e-8a57-4b0e-9a3e-0d7a5f6b1c22".to_owned(), "at 2026-11-22T11:30:00Z".to_owned()];
        assert_eq!(values.shown(&[], &lines), ["id <acme-id>", "at <time>"]);
        assert_eq!(values.shown(&["at  <n>".to_owned(), "at  <moment>".to_owned()], &lines)[1], "at  <moment>");
    }
}
