//! The request, its one canonical text, and nothing else reads as one.
//!
//! ```text
//! clavis request 1
//! kms clavis-demo
//! request 0197f9a0-7c1e-4b7a-9d2e-5c1f00000001
//! act destroy-domain
//! with domain 5d3c0f1e-8a57-4b0e-9a3e-0d7a5f6b1c22
//! with name acme
//! asked-by 3f1c…5c operator
//! made 2026-11-22T21:00:00Z
//! expires 2026-11-23T21:00:00Z
//! ```
//! Each line is a word, one blank, a value and one line feed, the last one too; the lines stand in this order, and
//! `with` once per parameter. It is text so that whoever signs can read what they sign. The first line keeps it apart
//! from everything else that the same key may sign: a TLS 1.3 handshake begins with 64 blanks (RFC 8446 §4.4.3), one of
//! TLS 1.2 with a message's type below 32.

use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::approval::Fingerprint;
use crate::limits::{MAX_LIFETIME_S, MAX_NAME_LEN, MAX_PARAMETERS, MAX_TEXT_LEN, MAX_VALUE_LEN};

/// The first line.
const HEAD: &str = "clavis request 1";

/// What somebody asks others to approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Name of the installation that it is for. At most [`MAX_NAME_LEN`] bytes.
    pub kms: String,
    /// Its identifier, used once.
    pub id: Uuid,
    /// What is to be done: lower-case letters, digits and `-`, at most [`MAX_NAME_LEN`] bytes.
    pub act: String,
    /// To what, and how: names as those of acts, each once; values of 1 to [`MAX_VALUE_LEN`] bytes. At most
    /// [`MAX_PARAMETERS`].
    pub parameters: Vec<(String, String)>,
    /// Who asked: SHA-256 of the DER SubjectPublicKeyInfo.
    pub asked_by: Fingerprint,
    /// The name under which that administrator is registered. At most [`MAX_NAME_LEN`] bytes.
    pub asked_name: String,
    /// When it was made, seconds since the epoch.
    pub made_s: i64,
    /// The last second in which it may be executed; at most [`MAX_LIFETIME_S`] later.
    pub expires_s: i64,
}

/// Why something is not a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RequestError {
    /// It is longer than any.
    #[error("over {MAX_TEXT_LEN} bytes")]
    TooLong,
    /// A line is missing, in another place, or holds what it must not.
    #[error("line {0} is not what stands there")]
    Line(usize),
    /// A field is empty, over its limit, or holds a control character.
    #[error("{0} cannot stand in a request")]
    Field(&'static str),
    /// It says the same in another way than the canonical one.
    #[error("not in its canonical form")]
    NotCanonical,
}

impl Request {
    /// The value of a parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The canonical text: what is shown, signed and kept.
    ///
    /// # Errors
    /// [`RequestError::Field`] for a field outside its limits, [`RequestError::TooLong`].
    pub fn text(&self) -> Result<String, RequestError> {
        self.check()?;
        let mut text = format!("{HEAD}\nkms {}\nrequest {}\nact {}\n", self.kms, self.id.hyphenated(), self.act);
        for (name, value) in &self.parameters {
            text += &format!("with {name} {value}\n");
        }
        let (made, expires) = (rfc3339(self.made_s)?, rfc3339(self.expires_s)?);
        text += &format!("asked-by {} {}\n", hex::encode(self.asked_by), self.asked_name);
        text += &format!("made {made}\nexpires {expires}\n");
        if text.len() > MAX_TEXT_LEN { Err(RequestError::TooLong) } else { Ok(text) }
    }

    fn check(&self) -> Result<(), RequestError> {
        let value = |text: &str, limit: usize| {
            (1..=limit).contains(&text.len()) && !text.chars().any(char::is_control) && text.trim() == text
        };
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let name = |text: &str| (1..=MAX_NAME_LEN).contains(&text.len()) && text.bytes().all(plain);
        if !value(&self.kms, MAX_NAME_LEN) {
            return Err(RequestError::Field("kms"));
        }
        if !name(&self.act) {
            return Err(RequestError::Field("act"));
        }
        let well_formed = |(at, (key, text)): (usize, &(String, String))| {
            let earlier = self.parameters.iter().take(at).any(|(other, _)| other == key);
            name(key) && value(text, MAX_VALUE_LEN) && !earlier
        };
        if self.parameters.len() > MAX_PARAMETERS || !self.parameters.iter().enumerate().all(well_formed) {
            return Err(RequestError::Field("with"));
        }
        if !value(&self.asked_name, MAX_NAME_LEN) {
            return Err(RequestError::Field("asked-by"));
        }
        let lifetime = self.expires_s.checked_sub(self.made_s).ok_or(RequestError::Field("expires"))?;
        if !(1..=MAX_LIFETIME_S).contains(&lifetime) {
            return Err(RequestError::Field("expires"));
        }
        Ok(())
    }

    /// Reads the canonical text, and nothing else.
    ///
    /// # Errors
    /// [`RequestError`] for everything that [`Request::text`] would not have written.
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        if text.len() > MAX_TEXT_LEN {
            return Err(RequestError::TooLong);
        }
        let mut lines = Lines { rest: text, number: 0 };
        if lines.line()? != HEAD {
            return Err(RequestError::Line(1));
        }
        let kms = lines.word("kms")?.to_owned();
        let id = lines.word("request")?;
        let id = lines.read(Uuid::try_parse(id).ok())?;
        let act = lines.word("act")?.to_owned();
        let mut parameters = Vec::new();
        while lines.rest.starts_with("with ") {
            let (name, value) = lines.pair("with")?;
            parameters.push((name.to_owned(), value.to_owned()));
            if parameters.len() > MAX_PARAMETERS {
                return Err(RequestError::Field("with"));
            }
        }
        let (fingerprint, name) = lines.pair("asked-by")?;
        let mut asked_by = [0; 32];
        lines.read(hex::decode_to_slice(fingerprint, &mut asked_by).ok())?;
        let asked_name = name.to_owned();
        let made = lines.word("made")?;
        let made_s = lines.read(seconds(made))?;
        let expires = lines.word("expires")?;
        let expires_s = lines.read(seconds(expires))?;
        let request = Self { kms, id, act, parameters, asked_by, asked_name, made_s, expires_s };
        // Upper case, another spelling of a time, anything behind the last line: there is one text for each request.
        if request.text()? == text { Ok(request) } else { Err(RequestError::NotCanonical) }
    }
}

/// The lines of a text, one after the other.
struct Lines<'a> {
    rest: &'a str,
    number: usize,
}

impl<'a> Lines<'a> {
    fn line(&mut self) -> Result<&'a str, RequestError> {
        self.number += 1;
        let (line, rest) = self.rest.split_once('\n').ok_or(RequestError::Line(self.number))?;
        self.rest = rest;
        Ok(line)
    }

    fn word(&mut self, word: &str) -> Result<&'a str, RequestError> {
        let line = self.line()?;
        line.strip_prefix(word).and_then(|rest| rest.strip_prefix(' ')).ok_or(RequestError::Line(self.number))
    }

    fn pair(&mut self, word: &str) -> Result<(&'a str, &'a str), RequestError> {
        let line = self.word(word)?;
        line.split_once(' ').ok_or(RequestError::Line(self.number))
    }

    fn read<T>(&self, value: Option<T>) -> Result<T, RequestError> {
        value.ok_or(RequestError::Line(self.number))
    }
}

fn rfc3339(seconds: i64) -> Result<String, RequestError> {
    let fault = RequestError::Field("a time");
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| fault)?.format(&Rfc3339).map_err(|_| fault)
}

fn seconds(text: &str) -> Option<i64> {
    OffsetDateTime::parse(text, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn example() -> Request {
        Request {
            kms: "clavis-demo".to_owned(),
            id: Uuid::from_u128(0x0197_f9a0_7c1e_4b7a_9d2e_5c1f_0000_0001),
            act: "destroy-domain".to_owned(),
            parameters: vec![
                ("domain".to_owned(), "5d3c0f1e-8a57-4b0e-9a3e-0d7a5f6b1c22".to_owned()),
                ("name".to_owned(), "acme".to_owned()),
            ],
            asked_by: [0x3f; 32],
            asked_name: "operator".to_owned(),
            made_s: 1_795_381_200,
            expires_s: 1_795_467_600,
        }
    }

    #[test]
    fn the_text_is_the_documented_one() {
        let expected = format!(
            "clavis request 1\nkms clavis-demo\nrequest 0197f9a0-7c1e-4b7a-9d2e-5c1f00000001\nact destroy-domain\n\
             with domain 5d3c0f1e-8a57-4b0e-9a3e-0d7a5f6b1c22\nwith name acme\nasked-by {} operator\n\
             made 2026-11-22T21:00:00Z\nexpires 2026-11-23T21:00:00Z\n",
            "3f".repeat(32)
        );
        assert_eq!(example().text().unwrap(), expected);
        assert_eq!(Request::parse(&expected), Ok(example()));
    }

    #[test]
    fn every_other_spelling_of_a_request_is_refused() {
        let text = example().text().unwrap();
        for (changed, why) in [
            (text.replace("0197f9a0", "0197F9A0"), "upper case"),
            (text.replace("21:00:00Z", "22:00:00+01:00"), "another zone"),
            (text.replace("21:00:00Z", "21:00:00.0Z"), "a fraction"),
            (text.replace("3f3f", "3F3f"), "an upper-case digit"),
            (format!("{text}\n"), "an empty line behind it"),
            (format!("{text}with name boreal\n"), "a line behind it"),
            (text.trim_end().to_owned(), "no last line feed"),
            (text.replace('\n', "\r\n"), "carriage returns"),
            (text.replace("act destroy", "act  destroy"), "two blanks"),
            (text.replace("with name acme\n", "with name acme\nwith name boreal\n"), "a parameter twice"),
            (text.replace("with name acme\n", "with name \n"), "an empty value"),
            (text.replace("request 1\n", "request 2\n"), "another version"),
            (text.replace("2026-11-23", "2026-12-31"), "too long a life"),
            (text.replace("2026-11-23", "2026-11-21"), "expired before it was made"),
        ] {
            assert_ne!(changed, text, "{why}");
            assert!(Request::parse(&changed).is_err(), "{why}");
        }
    }

    #[test]
    fn a_value_cannot_bring_a_line_of_its_own() {
        let mut request = example();
        request.parameters[1].1 = "acme\nwith domain other".to_owned();
        assert_eq!(request.text(), Err(RequestError::Field("with")));
        let renamed = Request { asked_name: "operator\nmade 2030-01-01T00:00:00Z".to_owned(), ..example() };
        assert_eq!(renamed.text(), Err(RequestError::Field("asked-by")));
        let long = Request { parameters: vec![("x".to_owned(), "y".repeat(MAX_VALUE_LEN + 1))], ..example() };
        assert_eq!(long.text(), Err(RequestError::Field("with")));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            values in prop::collection::vec("[!-~]([ -~]{0,40}[!-~])?", 0..5), life in 1..MAX_LIFETIME_S,
            made_s in 0_i64..4_000_000_000, id: u128, name in "[!-~]{1,20}"
        ) {
            let parameters = values.into_iter().enumerate().map(|(at, value)| (format!("p{at}"), value)).collect();
            let id = Uuid::from_u128(id);
            let request = Request { parameters, id, asked_name: name, made_s, expires_s: made_s + life, ..example() };
            prop_assert_eq!(Request::parse(&request.text().unwrap()), Ok(request));
        }

        #[test]
        fn no_text_panics_and_what_reads_is_written_the_same(text in "(?s).{0,200}", at in 0_usize..400, with in "(?s).") {
            let _ = Request::parse(&text);
            let mut changed = example().text().unwrap();
            if changed.is_char_boundary(at) && changed.is_char_boundary(at + 1) {
                changed.replace_range(at..at + 1, &with);
                if let Ok(request) = Request::parse(&changed) {
                    prop_assert_eq!(request.text().unwrap(), changed);
                }
            }
        }
    }
}
