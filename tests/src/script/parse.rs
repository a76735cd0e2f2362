//! Reading scripts.

use kmip::ProtocolVersion;
use kmip::registry::BatchErrorContinuationOption as Continuation;

/// A case: messages of one tenant.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it claims.
    pub name: String,
    /// Messages and what has to come back.
    pub exchanges: Vec<Exchange>,
}

/// A message and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The message.
    pub send: Send,
    /// Whether the answer is to the message as a whole.
    pub of_message: bool,
    /// The answers to its items.
    pub expected: Vec<Expected>,
}

/// A message.
#[derive(Clone, Debug)]
pub struct Send {
    /// Protocol version.
    pub version: ProtocolVersion,
    /// Batch Error Continuation Option.
    pub option: Option<Continuation>,
    /// Maximum Response Size, bytes.
    pub max: Option<usize>,
    /// Batch Count, where it is not the number of items.
    pub count: Option<i32>,
    /// The items.
    pub items: Vec<Item>,
}

/// A batch item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What is asked.
    pub verb: String,
    /// Of which object.
    pub object: Option<String>,
}

/// What an item has to be answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The verb that was sent, for the reader of the script.
    pub verb: String,
    /// In the words of the script.
    pub outcome: String,
}

impl Item {
    /// The object as a number.
    ///
    /// # Errors
    /// If it is none.
    pub fn number(&self) -> Result<usize, String> {
        self.object.as_deref().and_then(|text| text.parse().ok()).ok_or_else(|| format!("{} needs a number", self.verb))
    }
}

/// Reads a script.
///
/// # Errors
/// The first line that is not understood.
pub fn parse(text: &str) -> Result<Vec<Case>, String> {
    let mut cases: Vec<Case> = Vec::new();
    let mut answering = false;
    for (number, line) in text.lines().enumerate() {
        let wrong = || format!("line {}: {line:?} is not understood", number + 1);
        let words: Vec<&str> = line.split_whitespace().collect();
        let indented = line.starts_with(' ');
        match (indented, words.as_slice()) {
            (_, []) => {}
            (_, [first, ..]) if first.starts_with('#') => {}
            (false, ["case", name]) => {
                cases.push(Case { name: (*name).to_owned(), exchanges: Vec::new() });
            }
            (false, ["send", settings @ ..]) => {
                let exchange = Exchange { send: send(settings)?, of_message: false, expected: Vec::new() };
                cases.last_mut().ok_or_else(wrong)?.exchanges.push(exchange);
                answering = false;
            }
            (false, ["answer", rest @ ..]) => {
                let exchange = cases.last_mut().and_then(|case| case.exchanges.last_mut()).ok_or_else(wrong)?;
                exchange.of_message = match rest {
                    [] => false,
                    ["message"] => true,
                    _ => return Err(wrong()),
                };
                answering = true;
            }
            (true, [verb, rest @ ..]) => {
                let exchange = cases.last_mut().and_then(|case| case.exchanges.last_mut()).ok_or_else(wrong)?;
                if answering {
                    exchange.expected.push(Expected { verb: (*verb).to_owned(), outcome: rest.join(" ") });
                } else {
                    let object = match rest {
                        [] => None,
                        [object] => Some((*object).to_owned()),
                        _ => return Err(wrong()),
                    };
                    exchange.send.items.push(Item { verb: (*verb).to_owned(), object });
                }
            }
            _ => return Err(wrong()),
        }
    }
    Ok(cases)
}

fn send(settings: &[&str]) -> Result<Send, String> {
    let mut send = Send { version: ProtocolVersion::V1_4, option: None, max: None, count: None, items: Vec::new() };
    for setting in settings {
        let wrong = || format!("{setting:?} is no setting of a message");
        match setting.split_once('=') {
            Some(("max", bytes)) => send.max = Some(bytes.parse().map_err(|_| wrong())?),
            Some(("count", count)) => send.count = Some(count.parse().map_err(|_| wrong())?),
            Some(_) => return Err(wrong()),
            None => match *setting {
                "stop" => send.option = Some(Continuation::Stop),
                "continue" => send.option = Some(Continuation::Continue),
                "undo" => send.option = Some(Continuation::Undo),
                version => {
                    let known = ProtocolVersion::ALL.into_iter().find(|known| known.to_string() == version);
                    send.version = known.ok_or_else(wrong)?;
                }
            },
        }
    }
    Ok(send)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_read_in_order() {
        let cases =
            parse("case a\nsend 1.1 undo max=5 count=-2\n  get x\nanswer message\n  - InvalidMessage\n").unwrap();
        let [Exchange { send, of_message, expected }] = cases[0].exchanges.as_slice() else { panic!("{cases:?}") };
        assert_eq!((send.version, send.option), (ProtocolVersion::V1_1, Some(Continuation::Undo)));
        assert_eq!((send.max, send.count, *of_message), (Some(5), Some(-2), true));
        assert_eq!(send.items, [Item { verb: "get".to_owned(), object: Some("x".to_owned()) }]);
        assert_eq!(expected, &[Expected { verb: "-".to_owned(), outcome: "InvalidMessage".to_owned() }]);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for text in ["send", "case a b", "case a\nsend never", "case a\nsend\n  get x y", "  get x", "case a\nanswer"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
