//! Cases played against a server, one message after the other.

use std::collections::VecDeque;
use std::fmt;

use kmip::xml::Element;

use super::case::{Case, Step};
use super::compare::{Difference, compare};
use super::putting::bring_own;
use super::values::Values;

/// The cases say "repeat until the response is returned" of a Poll: so often, at most. The server waits a while each
/// time.
const MAX_POLLS: usize = 60;

/// One message there, one back.
pub trait Exchange {
    /// Sends a request and waits for the answer, both in TTLV.
    ///
    /// # Errors
    /// Why there is no answer.
    fn exchange(&mut self, request: &[u8]) -> Result<Vec<u8>, String>;
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every answer was as expected.
    Passed,
    /// The first step that was not as it should be.
    Failed {
        /// Its number, from 1; 0 where the case could not be read.
        step: usize,
        /// Why.
        why: Why,
    },
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The file is no case, or a value in it cannot be sent.
    Case(String),
    /// A placeholder of the request had not been bound.
    Unbound(String),
    /// No answer came, or one that is no message.
    Answer(String),
    /// The answer differs.
    Different(Vec<Difference>),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Case(what) => write!(f, "the case: {what}"),
            Self::Unbound(placeholder) => write!(f, "nothing was bound to {placeholder}"),
            Self::Answer(what) => write!(f, "no answer to compare: {what}"),
            Self::Different(differences) => {
                for (number, difference) in differences.iter().enumerate() {
                    write!(f, "{}{difference}", if number == 0 { "" } else { "; " })?;
                }
                Ok(())
            }
        }
    }
}

/// Plays a case to its end or to its first difference.
///
/// What later cases of the same tenant need to know stays in `values`.
pub fn play(case: &Case, server: &mut dyn Exchange, values: &mut Values) -> Outcome {
    play_while(case, server, values, &mut |_| Ok(()))
}

/// The same, in a world that moves: `moves` is told the number of each step, from 1, before it is played.
pub fn play_while(
    case: &Case,
    server: &mut dyn Exchange,
    values: &mut Values,
    moves: &mut dyn FnMut(usize) -> Result<(), String>,
) -> Outcome {
    values.next_case();
    for (number, step) in case.steps.iter().enumerate() {
        if let Err(why) = moves(number + 1) {
            return Outcome::Failed { step: number + 1, why: Why::Answer(format!("the world does not move: {why}")) };
        }
        if let Err(why) = play_step(step, server, values) {
            return Outcome::Failed { step: number + 1, why };
        }
    }
    Outcome::Passed
}

fn play_step(step: &Step, server: &mut dyn Exchange, values: &mut Values) -> Result<(), Why> {
    let mut request = step.request.clone();
    values.fill_in(&mut request).map_err(Why::Unbound)?;
    bring_own(&mut request, server, values)?;
    values.learn_request(&request);
    let bytes = request.to_ttlv().map_err(|error| Why::Case(error.to_string()))?;
    let mut answer = exchange(server, &bytes)?;
    for _ in 0..MAX_POLLS {
        if !is_pending(&answer) || is_pending(&step.response) || !asks_for(&request, "Poll") {
            break;
        }
        answer = exchange(server, &bytes)?;
    }
    let differences = compare(&request, &step.response, &answer, values);
    if differences.is_empty() { Ok(()) } else { Err(Why::Different(differences)) }
}

fn exchange(server: &mut dyn Exchange, request: &[u8]) -> Result<Element, Why> {
    let answer = server.exchange(request).map_err(Why::Answer)?;
    Element::from_ttlv(&answer).map_err(|error| Why::Answer(error.to_string()))
}

fn asks_for(request: &Element, operation: &str) -> bool {
    request.children.iter().any(|item| says(item, "Operation", operation))
}

/// Whether a result is still to come.
fn is_pending(response: &Element) -> bool {
    response.children.iter().any(|item| says(item, "ResultStatus", "OperationPending"))
}

fn says(item: &Element, name: &str, value: &str) -> bool {
    item.child(name).and_then(|child| child.value.as_deref()) == Some(value)
}

/// Passes messages on and keeps the answers.
pub struct Recorder<'a> {
    server: &'a mut dyn Exchange,
    /// The answers so far.
    pub answers: Recording,
}

/// Answers in the order in which they came, to be given once more.
#[derive(Clone, Debug, Default)]
pub struct Recording(VecDeque<Vec<u8>>);

impl<'a> Recorder<'a> {
    /// In front of `server`.
    pub fn new(server: &'a mut dyn Exchange) -> Self {
        Self { server, answers: Recording::default() }
    }
}

impl Exchange for Recorder<'_> {
    fn exchange(&mut self, request: &[u8]) -> Result<Vec<u8>, String> {
        let answer = self.server.exchange(request)?;
        self.answers.0.push_back(answer.clone());
        Ok(answer)
    }
}

impl Exchange for Recording {
    fn exchange(&mut self, _: &[u8]) -> Result<Vec<u8>, String> {
        self.0.pop_front().ok_or_else(|| "the recording is at its end".to_owned())
    }
}
