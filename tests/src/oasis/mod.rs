//! The test cases that OASIS published with KMIP: read, played against a server, and compared by their own rules.
//!
//! A case is a list of request and response messages in XML. Requests are sent as TTLV over mutual TLS; answers are
//! turned into XML elements and compared with the expected ones. What may differ is the list of *permitted test case
//! variations* of the KMIP profiles and nothing else; [`compare`] has it.

mod case;
pub mod compare;
pub mod equivalence;
mod expectations;
mod play;
mod putting;
mod report;
pub mod run;
mod values;
mod worlds;

pub use case::{Case, CaseError, CaseFile, Step, find};
pub use compare::Difference;
pub use expectations::{Expectations, ExpectationsError, Judged, Kind, Reason, Verdict};
pub use play::{Exchange, Outcome, Recorder, Recording, Why, play, play_while};
pub use report::{Report, Share};
pub use run::Way;
pub use values::Values;
pub use worlds::{Moment, World, Worlds, WorldsError};
