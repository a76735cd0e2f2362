//! A folder of cases against a running node.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use admin_api::{Access, ClientAccess, NewCredential};

use kmip::encoding::Encoding;

use super::Exchange;
use super::case::{Case, CaseFile, find};
use super::expectations::{Expectations, Judged};
use super::play::{Outcome, Why, play, play_while};
use super::report::Report;
use super::values::Values;
use super::worlds::{World, Worlds};
use crate::node::{Node, Result, Tenant, Web, repository};
use tempfile::NamedTempFile;
use xtask::stage::StageOptions;

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

/// Plays the cases below `dir` that `wanted` takes, each group as a tenant of its own in the world that its cases
/// presuppose.
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
    let worlds = Worlds::of_this_tree()?;
    let groups = worlds.groups(cases.into_iter().filter(|case| wanted(case)).collect());
    let (next, judged) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let results = play_group(node, way, group, &worlds, &expectations);
                    judged.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(results);
                }
            });
        }
    });
    let mut judged = judged.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    judged.sort_by(|a: &Judged, b: &Judged| a.case.id.cmp(&b.case.id));
    Ok(Report { judged, absent })
}

fn play_group(node: &Node, way: Way, group: &[CaseFile], worlds: &Worlds, expectations: &Expectations) -> Vec<Judged> {
    let failed = |why| Outcome::Failed { step: 0, why };
    let played = on_stage(node, way, group, worlds, |connection, values, moves| {
        let mut judged = Vec::new();
        for file in group {
            let (read, outcome) = match file.read() {
                Ok(case) => {
                    let outcome = play_while(&case, connection, values, moves);
                    (Some(case), outcome)
                }
                Err(error) => (None, failed(Why::Case(error.to_string()))),
            };
            judged.push(expectations.judge(file.clone(), read.as_ref(), outcome));
        }
        judged
    });
    played.unwrap_or_else(|error| {
        let outcome = || failed(Why::Answer(format!("no world: {error}")));
        group.iter().map(|case| expectations.judge(case.clone(), None, outcome())).collect()
    })
}

/// What is done before a step of a case.
pub(super) type Moves<'a> = dyn FnMut(usize) -> std::result::Result<(), String> + 'a;

/// Sets up the world that a group presupposes, with a tenant of its own, and lets it be played there.
///
/// # Errors
/// Where the world cannot be had.
pub(super) fn on_stage<T>(
    node: &Node,
    way: Way,
    group: &[CaseFile],
    worlds: &Worlds,
    act: impl FnOnce(&mut dyn Exchange, &mut Values, &mut Moves<'_>) -> T,
) -> Result<T> {
    let world = group.first().and_then(|case| worlds.of(case));
    let own = world.map(OwnNode::of).transpose()?;
    let node = own.as_ref().and_then(|own| own.node.as_ref()).unwrap_or(node);
    let mut values = Values::new();
    let mut connection = enter(node, way, group, world, &mut values)?;
    let mut moves = |step| own.as_ref().map_or(Ok(()), |own| own.before(step));
    Ok(act(connection.as_mut(), &mut values, &mut moves))
}

/// What a world has to itself.
struct OwnNode<'w> {
    world: &'w World,
    /// Its node, if it presupposes something of it.
    node: Option<Node>,
    /// The file that says how far the node's clock is ahead.
    clock: NamedTempFile,
}

impl<'w> OwnNode<'w> {
    fn of(world: &'w World) -> Result<Self> {
        let clock = NamedTempFile::new()?;
        let is_usual = !world.is_stated() && world.clock.is_empty();
        let node = match clock.path().to_str() {
            _ if is_usual => None,
            Some(path) => {
                let options = StageOptions { sections: world.configuration.clone(), ..StageOptions::default() };
                Some(Node::start_with(&options, &[("CLAVIS_CLOCK_FILE", path)])?)
            }
            None => return Err("the folder for temporary files is not text".into()),
        };
        Ok(Self { world, node, clock })
    }

    /// Moves the clock where it is to move before this step.
    fn before(&self, step: usize) -> std::result::Result<(), String> {
        match self.world.clock.iter().find(|moment| moment.before == step) {
            Some(moment) => {
                std::fs::write(self.clock.path(), moment.seconds.to_string()).map_err(|error| error.to_string())
            }
            None => Ok(()),
        }
    }
}

/// A tenant of the node, with the client that plays and the users and devices whom the cases name.
fn enter(
    node: &Node,
    way: Way,
    group: &[CaseFile],
    world: Option<&World>,
    values: &mut Values,
) -> Result<Box<dyn Exchange>> {
    let tenant = node.tenant("oasis", world.map_or("legacy", |world| world.policy.as_str()))?;
    let admin = node.admin("operator")?;
    let mut known: Vec<NewCredential> = Vec::new();
    for new in group.iter().filter_map(|file| file.read().ok()).flat_map(|case| case.credentials()) {
        if !known.contains(&new) {
            let access = Access { own: world.is_some_and(|world| world.own), operations: None };
            admin.credential_add(&tenant.name, tenant.client, &NewCredential { access, ..new.clone() })?;
            known.push(new);
        }
    }
    let mut connection = way.open(node, &tenant, group)?;
    if let Some(file) = world.and_then(|world| world.before.as_deref()) {
        let text = std::fs::read_to_string(repository().join("tests/oasis").join(file))?;
        match play(&Case::parse(file, &text)?, connection.as_mut(), values) {
            Outcome::Passed => {}
            Outcome::Failed { step, why } => return Err(format!("{file}: step {step}: {why}").into()),
        }
    }
    if let Some(operations) = world.and_then(|world| world.operations.clone()) {
        let access = Access { own: false, operations: Some(operations) };
        let alone = ClientAccess { access, credential_demanded: false };
        admin.client_access(&tenant.name, tenant.client, &alone, admin_api::Effect::Real)?;
    }
    Ok(connection)
}
