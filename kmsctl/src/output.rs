//! Results on standard output: a table for people, the API's JSON for programs.

use std::io::Write;

use clap::ValueEnum;
use serde::Serialize;
use time::OffsetDateTime;

use crate::exit::Failure;

/// How results are written: columns for people, or the API's JSON. The variants carry no help of their own, because
/// that would stretch the help of every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
}

/// Where results go.
pub(crate) struct Out {
    format: Format,
}

impl Out {
    pub(crate) fn new(format: Format) -> Self {
        Self { format }
    }

    /// Whether programs read.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Writes `value` as JSON, or the text that `table` makes.
    pub(crate) fn write(&self, value: &impl Serialize, table: impl FnOnce() -> String) -> Result<(), Failure> {
        match self.format {
            Format::Table => text(&table()),
            Format::Json => {
                let json = serde_json::to_string_pretty(value).map_err(|error| Failure::Output(error.into()))?;
                text(&(json + "\n"))
            }
        }
    }
}

/// Writes `text` as it is.
pub(crate) fn text(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::Output)
}

/// Rows under a header, columns as wide as their widest cell, two blanks between.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(header: &[&str]) -> Self {
        Self { rows: vec![header.iter().map(|&cell| cell.to_owned()).collect()] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| one_line(&cell)).collect());
    }

    pub(crate) fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let line: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
            text.push_str(line.join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

/// Names and their values, one pair per line.
pub(crate) struct Sheet {
    lines: Vec<(String, String)>,
}

impl Sheet {
    pub(crate) fn new() -> Self {
        Self { lines: Vec::new() }
    }

    pub(crate) fn line(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.lines.push((one_line(name), one_line(&value.into())));
        self
    }

    /// A line where there is a value.
    pub(crate) fn maybe(&mut self, name: &str, value: Option<impl Into<String>>) -> &mut Self {
        if let Some(value) = value {
            self.line(name, value);
        }
        self
    }

    pub(crate) fn render(&self) -> String {
        let width = self.lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        self.lines.iter().map(|(name, value)| format!("{name:<width$}  {value}").trim_end().to_owned() + "\n").collect()
    }
}

/// Seconds since the epoch as `2026-11-22T11:30:00Z`; as a number where no calendar reaches.
pub(crate) fn utc(seconds: i64) -> String {
    match OffsetDateTime::from_unix_timestamp(seconds) {
        Ok(at) => {
            let (year, month, day) = at.to_calendar_date();
            let (hour, minute, second) = at.to_hms();
            format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z", u8::from(month))
        }
        Err(_) => seconds.to_string(),
    }
}

/// One line that cannot move a terminal's cursor: what comes from a server or a file may hold anything.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect()
}

/// `yes` or `no`.
pub(crate) fn yes(truth: bool) -> String {
    if truth { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.row(["é".to_owned(), "active".to_owned()]);
        table.row(["boreal-2".to_owned(), String::new()]);
        assert_eq!(table.render(), "NAME      STATE\né         active\nboreal-2\n");
    }

    #[test]
    fn what_comes_from_outside_cannot_move_the_cursor() {
        let mut sheet = Sheet::new();
        sheet.line("name", "a\x1b[2Jb\nc").maybe("none", None::<String>);
        assert_eq!(sheet.render(), "name  a [2Jb c\n");
    }

    #[test]
    fn times_are_utc_to_the_second() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(1_795_347_000), "2026-11-22T11:30:00Z");
        assert_eq!(utc(i64::MAX), i64::MAX.to_string());
    }
}
