//! Dates of certificates: UTCTime and GeneralizedTime (RFC 5280 §4.1.2.5), in seconds since 1970.

use super::BROKEN;
use crate::CryptoError;
use crate::der::{Element, element, tag};

const SECONDS_PER_DAY: i64 = 86_400;
/// UTCTime has the years 1950 to 2049.
const FIRST_UTC_YEAR: i64 = 1950;
const LAST_UTC_YEAR: i64 = 2049;

/// The time of an element.
pub(super) fn read(time: &Element<'_>) -> Result<i64, CryptoError> {
    let (year_digits, rest) = match time.tag {
        tag::UTC_TIME => time.contents.split_at_checked(2),
        tag::GENERALIZED_TIME => time.contents.split_at_checked(4),
        _ => None,
    }
    .ok_or(BROKEN)?;
    let mut year = number(year_digits)?;
    if time.tag == tag::UTC_TIME {
        year += if year >= 50 { 1900 } else { 2000 };
    }
    // Seconds and Z are mandatory in certificates.
    let [m1, m2, d1, d2, h1, h2, n1, n2, s1, s2, b'Z'] = rest else { return Err(BROKEN) };
    let [month, day, hour, minute, second] =
        [[*m1, *m2], [*d1, *d2], [*h1, *h2], [*n1, *n2], [*s1, *s2]].map(|digits| number(&digits));
    let (month, day, hour, minute, second) = (month?, day?, hour?, minute?, second?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return Err(BROKEN);
    }
    Ok(days_before(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second)
}

/// The element of a time.
pub(super) fn write(time: i64) -> Result<Vec<u8>, CryptoError> {
    let (year, month, day) = date_of(time.div_euclid(SECONDS_PER_DAY));
    let second = time.rem_euclid(SECONDS_PER_DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let rest = format!("{month:02}{day:02}{hour:02}{minute:02}{second:02}Z");
    match year {
        FIRST_UTC_YEAR..=LAST_UTC_YEAR => {
            Ok(element(tag::UTC_TIME, &[format!("{:02}", year % 100).as_bytes(), rest.as_bytes()]))
        }
        0..=9999 => Ok(element(tag::GENERALIZED_TIME, &[format!("{year:04}").as_bytes(), rest.as_bytes()])),
        _ => Err(CryptoError::InvalidInput("a date beyond the year 9999")),
    }
}

fn number(digits: &[u8]) -> Result<i64, CryptoError> {
    digits.iter().try_fold(0, |number, digit| match digit {
        b'0'..=b'9' => Ok(number * 10 + i64::from(digit - b'0')),
        _ => Err(BROKEN),
    })
}

/// Days from 1970 to a date of the Gregorian calendar. The year begins in March, so that the leap day is its last.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date of a day since 1970: the way back.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::Elements;

    #[test]
    fn times_come_back() {
        for (time, der) in [
            (0, "170d3730303130313030303030305a"),
            (951_782_400, "170d3030303232393030303030305a"),
            (2_524_607_999, "170d3439313233313233353935395a"),
            (2_524_608_000, "180f32303530303130313030303030305a"),
            (253_402_300_799, "180f39393939313233313233353935395a"),
        ] {
            assert_eq!(hex::encode(write(time).unwrap()), der);
            let der = hex::decode(der).unwrap();
            assert_eq!(read(&Elements::new(&der).next().unwrap()), Ok(time));
        }
        assert!(write(253_402_300_800).is_err());
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        for day in 0..146_097 {
            let (year, month, date) = date_of(day);
            assert_eq!(days_before(year, month, date), day);
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["0001010000Z", "001301000000Z", "000132000000Z", "000101240000Z", "000101000000+", "00010a000000Z"]
        {
            let der = element(tag::UTC_TIME, &[text.as_bytes()]);
            assert!(read(&Elements::new(&der).next().unwrap()).is_err(), "{text}");
        }
    }
}
