//! What all operations on data are asked alike: which key, how, which data, and which part of a stream.

use kmip::attribute::{CryptographicParameters, Identifier};
use kmip::payload::Data;
use secret::Secret;

use crate::failure::Failure;
use crate::node::streams::StreamId;
use crate::scope::Scope;

/// The fields that the requests have in common.
pub(super) struct Asked<'r> {
    pub unique_identifier: Option<&'r Identifier>,
    pub parameters: Option<&'r CryptographicParameters>,
    pub data: Option<&'r Data>,
    pub part: Part,
}

/// Which part of an operation this is. KMIP 1.3 §2.1.15 to §2.1.17, 2.1 §7.8, §7.14, §7.17.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// There is no other.
    Whole,
    /// More will follow.
    First,
    /// One was before it.
    Next {
        /// The stream.
        id: StreamId,
        /// No other follows.
        last: bool,
    },
}

impl Part {
    /// Reads Correlation Value, Init Indicator and Final Indicator. First and last at once is the whole.
    ///
    /// # Errors
    /// [`Failure::Contradiction`] for a beginning that goes on or an end of nothing; [`Failure::NoStream`] for a value
    /// that no stream can have.
    pub(super) fn of(correlation: Option<&[u8]>, init: Option<bool>, last: Option<bool>) -> Result<Self, Failure> {
        let (init, last) = (init == Some(true), last == Some(true));
        match correlation {
            Some(_) if init => Err(Failure::Contradiction("a stream that begins has no correlation value yet")),
            Some(value) => Ok(Self::Next { id: value.try_into().map_err(|_| Failure::NoStream)?, last }),
            None if init && !last => Ok(Self::First),
            None if last && !init => Err(Failure::Contradiction("the end of a stream names the stream")),
            None => Ok(Self::Whole),
        }
    }
}

impl Asked<'_> {
    /// The data; a part of a stream may have none.
    ///
    /// # Errors
    /// [`Failure::MissingParameter`]; what [`Scope::data`] fails with.
    pub(super) fn data<'s>(&'s self, scope: &'s Scope<'_>) -> Result<&'s [u8], Failure> {
        match self.data {
            Some(data) => scope.data(data).map(Secret::expose),
            None if self.part == Part::Whole => Err(Failure::MissingParameter("Data is missing")),
            None => Ok(&[]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_indicators_say_which_part_it_is() {
        let id = [7; 16];
        let part = |correlation: Option<&[u8]>, init, last| Part::of(correlation, init, last).ok();
        assert_eq!(part(None, None, None), Some(Part::Whole));
        assert_eq!(part(None, Some(false), Some(false)), Some(Part::Whole));
        assert_eq!(part(None, Some(true), None), Some(Part::First));
        assert_eq!(part(None, Some(true), Some(true)), Some(Part::Whole));
        assert_eq!(part(Some(&id), None, None), Some(Part::Next { id, last: false }));
        assert_eq!(part(Some(&id), Some(false), Some(true)), Some(Part::Next { id, last: true }));
    }

    #[test]
    fn contradictions_are_refused() {
        assert!(matches!(Part::of(Some(&[7; 16]), Some(true), None), Err(Failure::Contradiction(_))));
        assert!(matches!(Part::of(None, None, Some(true)), Err(Failure::Contradiction(_))));
        for foreign in [&[][..], &[7; 15], &[7; 17]] {
            assert!(matches!(Part::of(Some(foreign), None, None), Err(Failure::NoStream)));
        }
    }
}
