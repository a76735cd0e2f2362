//! A folder of cases against a running node.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use admin_api::{Credential, SecretText};
use kmip::ProtocolVersion;
use kmip::payload::QueryRequest;
use kmip::registry::QueryFunction;

use kmip::encoding::Encoding;

use super::Exchange;
use super::case::{Case, CaseFile, find, groups};
use super::expectations::{Expectations, Judged};
use super::play::{Outcome, Why, play};
use super::report::Report;
use super::values::Values;
use crate::node::{Node, Result, Tenant, Web};

/// Groups of cases in play at one time: the node waits for its disk more than for a processor.
const WORKERS: usize = 4;

/// How messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As TTLV over TLS; the cases about message encodings by HTTPS in the encoding they are about.
    AsWritten,
    /// All of them in bodies of HTTPS.
    Https(Encoding),
}

impl Way {
    /// Every way.
    pub const ALL: [Self; 4] =
        [Self::AsWritten, Self::Https(Encoding::Ttlv), Self::Https(Encoding::Xml), Self::Https(Encoding::Json)];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AsWritten => "as-written",
            Self::Https(Encoding::Ttlv) => "https-ttlv",
            Self::Https(Encoding::Xml) => "https-xml",
            Self::Https(Encoding::Json) => "https-json",
        }
    }

    /// Where the messages of a group go.
    pub(super) fn open(self, node: &Node, tenant: &Tenant, group: &[CaseFile]) -> Result<Box<dyn Exchange>> {
        let encoding = match self {
            Self::Https(encoding) => Some(encoding),
            Self::AsWritten => group.first().and_then(|case| match case.profile() {
                "MSGENC-HTTPS" => Some(Encoding::Ttlv),
                "MSGENC-XML" => Some(Encoding::Xml),
                "MSGENC-JSON" => Some(Encoding::Json),
                _ => None,
            }),
        };
        Ok(match encoding {
            Some(encoding) => Box::new(Web::open(node, &tenant.identity, encoding)?),
            None => Box::new(node.connect(&tenant.identity)?),
        })
    }
}

/// Plays the cases below `dir` that `wanted` takes, each group as a tenant of its own under the policy `legacy`.
///
/// # Errors
/// Where the cases or the node cannot be reached at all. A case that cannot be played has failed.
pub fn run(node: &Node, dir: &Path, way: Way, wanted: &(dyn Fn(&CaseFile) -> bool + Sync)) -> Result<Report> {
    let expectations = Expectations::of_this_tree()?;
    let cases = find(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    if cases.is_empty() {
        return Err(format!("{}: no test cases", dir.display()).into());
    }
    let absent = expectations.absent(&cases);
    let offered = offered(node)?;
    let groups = groups(cases.into_iter().filter(|case| wanted(case)).collect());
    let (next, judged) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let results = play_group(node, way, group, &expectations, &offered);
                    judged.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(results);
                }
            });
        }
    });
    let mut judged = judged.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    judged.sort_by(|a: &Judged, b: &Judged| a.case.id.cmp(&b.case.id));
    Ok(Report { judged, absent })
}

fn play_group(
    node: &Node,
    way: Way,
    group: &[CaseFile],
    expectations: &Expectations,
    offered: &[String],
) -> Vec<Judged> {
    let failed = |why| Outcome::Failed { step: 0, why };
    let credential = group.iter().find_map(|file| credential(&file.read().ok()?));
    let tenant = node.tenant_with("oasis", "legacy", credential);
    let connection = tenant.and_then(|tenant| way.open(node, &tenant, group));
    let mut connection = match connection {
        Ok(connection) => connection,
        Err(error) => {
            let outcome = || failed(Why::Answer(format!("no tenant: {error}")));
            return group.iter().map(|case| expectations.judge(case.clone(), None, outcome(), offered)).collect();
        }
    };
    let mut values = Values::new();
    let mut judged = Vec::new();
    for file in group {
        let (read, outcome) = match file.read() {
            Ok(case) => {
                let outcome = play(&case, connection.as_mut(), &mut values);
                (Some(case), outcome)
            }
            Err(error) => (None, failed(Why::Case(error.to_string()))),
        };
        judged.push(expectations.judge(file.clone(), read.as_ref(), outcome, offered));
    }
    judged
}

pub(super) fn credential(case: &Case) -> Option<Credential> {
    let (username, password) = case.credential()?;
    Some(Credential { username: username.to_owned(), password: SecretText::new(password.to_owned()) })
}

/// The operations that the node lists to a client of the newest version, as the cases spell them.
fn offered(node: &Node) -> Result<Vec<String>> {
    let tenant = node.tenant("oasis", "legacy")?;
    let request = QueryRequest::of(vec![QueryFunction::QueryOperations]);
    let answer = node.connect(&tenant.identity)?.request(ProtocolVersion::V1_4, request)?;
    Ok(answer.operations.iter().map(|operation| operation.xml_name().to_owned()).collect())
}
