//! What a witness remembers, and the rule by which it remembers more.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Growth, Head, INTERVAL, interval_detail, read_list};
use crate::{
    checkpoint::SignedCheckpoint,
    key::TrustedKeys,
    log::LogId,
    proof::{ProofError, verify_consistency, verify_inclusion},
    record::Record,
    tree::{Hash, leaf_hash},
};

/// What a node shows a witness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// The signed head of the system's log.
    pub note: String,
    /// Position of the record that tells of the list, its bytes in base64, and the proof that it is in that log.
    pub index: u64,
    /// See `index`.
    pub record: String,
    /// See `index`; hashes in hex.
    pub path: Vec<String>,
    /// The list, see [`super::write_list`].
    pub list: String,
    /// For every log that the witness knows and that grew, the system's among them.
    pub growth: Vec<Growth>,
}

/// Why a witness does not co-sign.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The message makes no sense, or its signature is not by a key of the HSM group.
    #[error("{0}")]
    Unusable(String),
    /// The proof begins at another size than the one that the witness has; what it has can be asked for.
    #[error("log {0}: the proof does not begin where the witness stands")]
    Stale(LogId),
    /// A log is shorter than the witness saw it, or gone.
    #[error("log {log} has {found} records; the witness saw {seen}")]
    Behind {
        /// The log.
        log: LogId,
        /// What the witness saw.
        seen: u64,
        /// What it is shown.
        found: u64,
    },
    /// A log does not extend what the witness saw.
    #[error("log {0} is another than the witness saw: it was forked")]
    Forked(LogId),
}

impl Refusal {
    /// Whether the node's history is not the one that the witness saw.
    #[must_use]
    pub const fn is_divergence(&self) -> bool {
        matches!(self, Self::Behind { .. } | Self::Forked(_))
    }
}

/// The last size and root of every log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State(BTreeMap<LogId, (u64, Hash)>);

impl State {
    /// What somebody remembered.
    #[must_use]
    pub fn of(heads: &[Head]) -> Self {
        Self(heads.iter().map(|head| (head.log, (head.size, head.root))).collect())
    }

    /// The heads, in the order of their logs.
    #[must_use]
    pub fn heads(&self) -> Vec<Head> {
        self.0.iter().map(|(log, (size, root))| Head { log: *log, size: *size, root: *root }).collect()
    }

    /// What was seen of a log; nothing is the empty log.
    #[must_use]
    pub fn seen(&self, log: LogId) -> Option<(u64, Hash)> {
        self.0.get(&log).copied()
    }

    /// The head that a note signs, if it is the one that is remembered of its log: what was seen as a line of a list may
    /// be co-signed by itself, for the one whom that log belongs to.
    ///
    /// # Errors
    /// [`Refusal`]; [`Refusal::Stale`] where another size of the log is remembered.
    pub fn cosignable(&self, note: &str, trusted: &TrustedKeys) -> Result<SignedCheckpoint, Refusal> {
        let unusable = |what: String| Refusal::Unusable(what);
        let note = SignedCheckpoint::parse(note).map_err(|error| unusable(error.to_string()))?;
        note.verify(trusted).map_err(|error| unusable(error.to_string()))?;
        let log = note.checkpoint.log(trusted.kms()).ok_or_else(|| unusable("not the head of a log".to_owned()))?;
        match self.seen(log) {
            Some((size, root)) if size == note.checkpoint.size => {
                if root == note.checkpoint.root {
                    Ok(note)
                } else {
                    Err(Refusal::Forked(log))
                }
            }
            _ => Err(Refusal::Stale(log)),
        }
    }

    /// Remembers what `update` shows, if it extends everything that was seen, and returns the head to be co-signed.
    /// Where it refuses, it remembers what it did.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn extend(&mut self, update: &Update, trusted: &TrustedKeys) -> Result<SignedCheckpoint, Refusal> {
        let unusable = |what: String| Refusal::Unusable(what);
        let note = SignedCheckpoint::parse(&update.note).map_err(|error| unusable(error.to_string()))?;
        note.verify(trusted).map_err(|error| unusable(error.to_string()))?;
        if note.checkpoint.log(trusted.kms()) != Some(LogId::System) {
            return Err(unusable("not the head of the system's log".to_owned()));
        }
        let (size, root) = (note.checkpoint.size, note.checkpoint.root);
        let bytes = STANDARD.decode(&update.record).map_err(|_| unusable("the record is not base64".to_owned()))?;
        verify_inclusion(&leaf_hash(&bytes), update.index, size, &hashes(&update.path)?, &root)
            .map_err(|error| unusable(format!("the record of the list: {error}")))?;
        let record = Record::decode(&bytes).map_err(|error| unusable(error.to_string()))?;
        if record.operation != INTERVAL || record.detail.as_deref() != Some(&interval_detail(&update.list)) {
            return Err(unusable("the record tells of another list".to_owned()));
        }
        let list = read_list(&update.list).ok_or_else(|| unusable("not a list of heads".to_owned()))?;
        if list.iter().any(|head| head.log == LogId::System) {
            return Err(unusable("the system's log is not in a list".to_owned()));
        }
        let mut next = Self::of(&list);
        next.0.insert(LogId::System, (size, root));
        for (log, (seen, seen_root)) in &self.0 {
            let (found, found_root) = next.seen(*log).unwrap_or((0, Hash::default()));
            if found < *seen {
                return Err(Refusal::Behind { log: *log, seen: *seen, found });
            }
            let name = log.to_string();
            let growth = update.growth.iter().find(|growth| growth.log == name);
            let path = match growth {
                None if found == *seen => Vec::new(),
                Some(growth) if growth.from == *seen => hashes(&growth.path)?,
                _ => return Err(Refusal::Stale(*log)),
            };
            match verify_consistency(*seen, found, seen_root, &found_root, &path) {
                Ok(()) => {}
                Err(ProofError::Root) => return Err(Refusal::Forked(*log)),
                Err(error) => return Err(unusable(format!("log {log}: {error}"))),
            }
        }
        *self = next;
        Ok(note)
    }
}

fn hashes(texts: &[String]) -> Result<Vec<Hash>, Refusal> {
    let hash = |text: &String| hex::decode(text).ok().and_then(|bytes| Hash::try_from(bytes).ok());
    let hashes: Option<Vec<Hash>> = texts.iter().map(hash).collect();
    hashes.ok_or_else(|| Refusal::Unusable("a hash that is none".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{super::write_list, *};
    use crate::{
        checkpoint::tests::signed,
        key::tests::Signer,
        proof::{consistency_proof, inclusion_proof},
        record::tests::example,
        tree::root_of,
    };

    const KMS: &str = "paris";
    const ACME: LogId = LogId::Domain([1; 16]);
    const BOREAL: LogId = LogId::Domain([2; 16]);

    /// A node: leaves of its logs, as whoever holds the database can change them; the HSM signs what it is given.
    #[derive(Clone)]
    struct Node {
        signer: std::rc::Rc<Signer>,
        system: Vec<Hash>,
        domains: BTreeMap<LogId, Vec<Hash>>,
    }

    fn leaf(number: u64) -> Hash {
        leaf_hash(&number.to_be_bytes())
    }

    impl Node {
        fn new() -> Self {
            let leaves = |from: u64| (from..from + 5).map(leaf).collect();
            Self {
                signer: std::rc::Rc::new(Signer::new()),
                system: leaves(0),
                domains: BTreeMap::from([(ACME, leaves(100)), (BOREAL, leaves(200))]),
            }
        }

        fn trusted(&self) -> TrustedKeys {
            TrustedKeys::new(KMS, vec![self.signer.public()]).unwrap()
        }

        fn grow(&mut self, log: LogId, count: u64) {
            let leaves = self.domains.get_mut(&log).unwrap();
            leaves.extend((0..count).map(|more| leaf(1_000 + more)));
        }

        /// What this node shows a witness that stands at `state`.
        fn show(&mut self, state: &State) -> Update {
            let heads: Vec<Head> = self
                .domains
                .iter()
                .map(|(log, leaves)| Head { log: *log, size: leaves.len() as u64, root: root_of(leaves) })
                .collect();
            let list = write_list(&heads);
            let record = Record {
                operation: INTERVAL.into(),
                log: LogId::System,
                detail: Some(interval_detail(&list)),
                ..example()
            };
            let bytes = record.encode().unwrap();
            let index = self.system.len() as u64;
            self.system.push(leaf_hash(&bytes));
            let size = self.system.len() as u64;
            let hexed = |hashes: Vec<Hash>| hashes.iter().map(hex::encode).collect::<Vec<_>>();
            let growth = state.heads().into_iter().filter_map(|seen| {
                let leaves = if seen.log == LogId::System { &self.system } else { self.domains.get(&seen.log)? };
                let path = consistency_proof(leaves, seen.size, leaves.len() as u64).ok()?;
                Some(Growth { log: seen.log.to_string(), from: seen.size, path: hexed(path) })
            });
            let growth = growth.collect();
            Update {
                note: signed(&self.signer, KMS, LogId::System, size, root_of(&self.system)).format(),
                index,
                record: STANDARD.encode(&bytes),
                path: hexed(inclusion_proof(&self.system, index, size).unwrap()),
                list,
                growth,
            }
        }

        fn update(&mut self, state: &mut State) -> Result<SignedCheckpoint, Refusal> {
            let shown = self.show(state);
            state.extend(&shown, &self.trusted())
        }
    }

    #[test]
    fn what_only_grew_is_remembered() {
        let (mut node, mut state) = (Node::new(), State::default());
        for round in 0..20 {
            node.grow(if round % 3 == 0 { BOREAL } else { ACME }, round);
            let note = node.update(&mut state).unwrap();
            assert_eq!(note.checkpoint.size, 6 + round);
            assert_eq!(state.seen(ACME), Some((node.domains[&ACME].len() as u64, root_of(&node.domains[&ACME]))));
        }
        node.domains.insert(LogId::Domain([3; 16]), vec![leaf(9)]);
        assert!(node.update(&mut state).is_ok(), "a new domain");
    }

    #[test]
    fn a_log_that_was_cut_or_is_gone_is_refused_and_remembered() {
        let (mut node, mut state) = (Node::new(), State::default());
        node.update(&mut state).unwrap();
        let before = state.clone();
        let mut cut = node.clone();
        cut.domains.get_mut(&ACME).unwrap().truncate(4);
        assert_eq!(cut.update(&mut state), Err(Refusal::Behind { log: ACME, seen: 5, found: 4 }));
        let mut gone = node.clone();
        gone.domains.remove(&BOREAL);
        assert_eq!(gone.update(&mut state), Err(Refusal::Behind { log: BOREAL, seen: 5, found: 0 }));
        assert_eq!(state, before);
        // The control: a witness that saw nothing, which is to have none, accepts all of it.
        assert!(cut.update(&mut State::default()).is_ok() && gone.update(&mut State::default()).is_ok());
    }

    #[test]
    fn a_fork_of_one_domain_under_an_honest_system_log_is_refused() {
        let (mut node, mut state) = (Node::new(), State::default());
        node.update(&mut state).unwrap();
        // Rewritten in the middle, and longer than before: the system's log goes on as if nothing had been.
        node.domains.get_mut(&ACME).unwrap()[2] = leaf(77);
        node.grow(ACME, 10);
        assert_eq!(node.update(&mut state), Err(Refusal::Forked(ACME)));
        let mut same_size = node.clone();
        same_size.domains.get_mut(&ACME).unwrap().truncate(5);
        assert_eq!(same_size.update(&mut state), Err(Refusal::Forked(ACME)));
        assert!(node.update(&mut State::default()).is_ok(), "without a memory the fork passes");
    }

    #[test]
    fn only_the_head_that_was_seen_is_co_signed_by_itself() {
        let (mut node, mut state) = (Node::new(), State::default());
        node.update(&mut state).unwrap();
        let of = |size: usize, root| signed(&node.signer, KMS, ACME, size as u64, root).format();
        let leaves = &node.domains[&ACME];
        let trusted = node.trusted();
        assert!(state.cosignable(&of(5, root_of(leaves)), &trusted).is_ok());
        assert_eq!(state.cosignable(&of(4, root_of(&leaves[..4])), &trusted), Err(Refusal::Stale(ACME)));
        assert_eq!(state.cosignable(&of(6, [1; 32]), &trusted), Err(Refusal::Stale(ACME)));
        assert_eq!(state.cosignable(&of(5, [1; 32]), &trusted), Err(Refusal::Forked(ACME)));
        let stranger = signed(&Signer::new(), KMS, ACME, 5, root_of(leaves)).format();
        assert!(matches!(state.cosignable(&stranger, &trusted), Err(Refusal::Unusable(_))));
    }

    #[test]
    fn a_fork_or_cut_of_the_systems_log_is_refused() {
        let (mut node, mut state) = (Node::new(), State::default());
        node.update(&mut state).unwrap();
        let mut forked = node.clone();
        forked.system[1] = leaf(77);
        assert_eq!(forked.update(&mut state), Err(Refusal::Forked(LogId::System)));
        node.system.truncate(2);
        assert!(matches!(node.update(&mut state), Err(Refusal::Behind { log: LogId::System, .. })));
    }

    #[test]
    fn a_proof_from_elsewhere_is_stale_and_no_divergence() {
        let (mut node, mut state) = (Node::new(), State::default());
        node.update(&mut state).unwrap();
        let old = state.clone();
        node.grow(ACME, 3);
        node.update(&mut state).unwrap();
        let refused = {
            let shown = node.show(&old);
            state.extend(&shown, &node.trusted())
        }
        .unwrap_err();
        assert!(matches!(refused, Refusal::Stale(_)) && !refused.is_divergence(), "{refused}");
    }

    #[test]
    fn a_list_that_the_signed_log_does_not_tell_of_is_unusable() {
        let (mut node, mut state) = (Node::new(), State::default());
        let honest = node.show(&state);
        let trusted = node.trusted();
        let mut refused = |change: &dyn Fn(&mut Update)| {
            let mut update = honest.clone();
            change(&mut update);
            assert!(matches!(state.extend(&update, &trusted), Err(Refusal::Unusable(_))));
        };
        refused(&|update| update.list = write_list(&[]));
        refused(&|update| update.index -= 1);
        refused(&|update| update.path.clear());
        refused(&|update| update.note = update.note.replace("paris", "lyon"));
        refused(&|update| update.record = STANDARD.encode(example().encode().unwrap()));
        let stranger = TrustedKeys::new(KMS, vec![Signer::new().public()]).unwrap();
        assert!(matches!(state.extend(&honest, &stranger), Err(Refusal::Unusable(_))));
        assert!(state.extend(&honest, &trusted).is_ok(), "the control");
    }
}
