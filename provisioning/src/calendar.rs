//! Time as data: seconds since 1970, calendar months. Nobody here asks what time it is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Seconds in a day; UTC without leap seconds.
pub const DAY_S: u64 = 86_400;

/// A moment: seconds since 1 January 1970, UTC, without leap seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Timestamp(pub u64);

/// A calendar month in UTC, by which everything is charged (R5) and measured (R4, R20).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Month {
    year: u16,
    month: u8,
}

/// A stretch of time from its first moment up to, and without, its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// First moment.
    pub from: Timestamp,
    /// First moment after it.
    pub to: Timestamp,
}

impl Month {
    /// The month of that number, 1 to 12, in a year from 1970 to 9999; otherwise `None`.
    #[must_use]
    pub const fn new(year: u16, month: u8) -> Option<Self> {
        if year >= 1970 && year <= 9999 && month >= 1 && month <= 12 { Some(Self { year, month }) } else { None }
    }

    /// From its first second to the first second of the next.
    #[must_use]
    pub const fn span(self) -> Span {
        let start = self.start();
        Span { from: Timestamp(start), to: Timestamp(start + self.days() * DAY_S) }
    }

    /// Days it has.
    #[must_use]
    pub const fn days(self) -> u64 {
        match self.month {
            4 | 6 | 9 | 11 => 30,
            2 if is_leap(self.year) => 29,
            2 => 28,
            _ => 31,
        }
    }

    const fn start(self) -> u64 {
        let mut days = 0;
        let mut year = 1970;
        while year < self.year {
            days += if is_leap(year) { 366 } else { 365 };
            year += 1;
        }
        let mut month = 1;
        while month < self.month {
            days += Self { year: self.year, month }.days();
            month += 1;
        }
        days * DAY_S
    }
}

const fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl Span {
    /// Its length in seconds; 0 where it ends before it begins.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.to.0.saturating_sub(self.from.0)
    }

    /// The part of it that lies in `other`, which may be empty.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }
}

/// Seconds covered by at least one of the spans: what overlaps counts once.
#[must_use]
pub fn covered_s(spans: impl IntoIterator<Item = Span>) -> u64 {
    let mut spans: Vec<Span> = spans.into_iter().filter(|span| span.seconds() > 0).collect();
    spans.sort_unstable();
    let (mut total, mut reached) = (0u64, Timestamp(0));
    for span in spans {
        total = total.saturating_add(Span { from: span.from.max(reached), to: span.to }.seconds());
        reached = reached.max(span.to);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_when_the_calendar_says() {
        let start = |year, month| Month::new(year, month).unwrap().span().from;
        assert_eq!(start(1970, 1), Timestamp(0));
        assert_eq!(start(2000, 3), Timestamp(951_868_800));
        assert_eq!(start(2026, 11), Timestamp(1_793_491_200));
        assert_eq!((Month::new(2026, 13), Month::new(1969, 1)), (None, None));
    }

    #[test]
    fn a_month_ends_where_the_next_begins() {
        let months: Vec<Month> =
            (1970..2105).flat_map(|year| (1..=12).map(move |month| Month::new(year, month).unwrap())).collect();
        for pair in months.windows(2) {
            assert_eq!(pair[0].span().to, pair[1].span().from, "{}", pair[0]);
        }
    }

    #[test]
    fn what_overlaps_counts_once() {
        let span = |from, to| Span { from: Timestamp(from), to: Timestamp(to) };
        assert_eq!(covered_s([span(10, 20), span(15, 25), span(15, 16), span(40, 41), span(9, 3)]), 16);
        assert_eq!(span(0, 10).within(span(5, 20)).seconds(), 5);
        assert_eq!(span(0, 10).within(span(15, 20)).seconds(), 0);
    }
}
