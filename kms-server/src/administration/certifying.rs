//! Certificates of destruction: made from what the logs say, whenever somebody asks, and signed in the HSM.

use audit::destruction::{CONFIRM, Certificate, DESTROY_DOMAIN, DESTROY_OBJECT, Destroyed, Grounds};
use audit::limits::MAX_DETAIL_LEN;
use audit::{LogId, Outcome, Record, bounded_text};
use keystore::{DomainState, KeptLeaf, ObjectId};

use super::acting::AdminFailure;
use super::proving;
use crate::failure::Failure;
use crate::node::auditing::log_of;
use crate::node::checkpoints::{Checkpointer, trusted_keys};
use crate::node::directory::Domain;
use crate::node::sealing::identifier_text;
use crate::node::{Node, signing};

/// Records that one look at the log brings.
const PAGE: usize = 1000;

/// The record at a position that was read as it lies there; `None` where it is not the one of its leaf.
fn record_of(kept: &KeptLeaf) -> Option<Record> {
    Record::decode(&kept.bytes).ok().filter(|_| Record::leaf_hash(&kept.bytes) == kept.leaf)
}

impl Node {
    /// Tells in a destroyed domain's log what each HSM member answered.
    pub(super) async fn confirm_destruction(&self, domain: &Domain) -> Result<(), AdminFailure> {
        for answer in self.hsm.close_domain(domain.row.id).await {
            let detail = format!("{}: {}", answer.member, answer.answer);
            let record = Record {
                detail: Some(bounded_text(&detail, MAX_DETAIL_LEN)),
                ..self.auditor.record(&self.clock, log_of(domain.row.id), CONFIRM)
            };
            self.record(record).await?;
        }
        Ok(())
    }

    /// Positions of the newest record that is `wanted`, and of the confirmations behind it, among those that are there.
    async fn newest_record(
        &self,
        log: LogId,
        wanted: impl Fn(&Record) -> bool,
    ) -> Result<Option<(u64, Vec<u64>)>, AdminFailure> {
        let (mut end, _) = self.store.tree_head(log).await?;
        let mut confirmations = Vec::new();
        while end > 0 {
            let start = end.saturating_sub(PAGE as u64);
            let mut page = self.store.leaves_as_kept(log, start, PAGE).await?;
            // What retention dropped can be neither: records of a destruction stay, and so do all those of a domain that
            // is not active any more.
            page.retain(|one| one.seq < end && one.dropped.is_none());
            for one in page.iter().rev() {
                let record = record_of(one).ok_or(Failure::Internal("a record cannot be read"))?;
                if record.outcome != Outcome::Success {
                    continue;
                }
                if wanted(&record) {
                    confirmations.reverse();
                    return Ok(Some((one.seq, confirmations)));
                }
                if record.operation == CONFIRM {
                    confirmations.push(one.seq);
                }
            }
            end = start;
        }
        Ok(None)
    }

    /// When the record at this position was made, in microseconds.
    async fn time_of(&self, log: LogId, at: u64) -> Result<i64, AdminFailure> {
        let found = self.store.records(log, at, 1).await?;
        let record = found.first().and_then(|one| Record::decode(&one.bytes).ok());
        Ok(record.ok_or(Failure::Internal("a record cannot be read"))?.time_us)
    }

    /// The certificate of the domain's destruction, or of that of one of its objects.
    ///
    /// # Errors
    /// [`Failure::WrongState`] where it is not destroyed, [`Failure::NotFound`]; [`Failure::Internal`] where the log does
    /// not tell of it.
    pub(super) async fn certify(
        &self,
        checkpointer: &Checkpointer,
        domain: &Domain,
        object: Option<ObjectId>,
    ) -> Result<String, AdminFailure> {
        let log = log_of(domain.row.id);
        let untold = AdminFailure::Request(Failure::Internal("the log tells of no such destruction"));
        let (what, (at, confirmations)) = match object {
            None => {
                if domain.row.state != DomainState::Destroyed {
                    return Err(Failure::WrongState.into());
                }
                let is_it = |record: &Record| record.operation == DESTROY_DOMAIN;
                let mut found = self.newest_record(log, is_it).await?.ok_or(untold)?;
                if found.1.is_empty() {
                    // The node ended between the destruction and its confirmations.
                    self.confirm_destruction(domain).await?;
                    let again = AdminFailure::Request(Failure::Internal("the log lost a record"));
                    found = self.newest_record(log, is_it).await?.ok_or(again)?;
                }
                (Destroyed::Domain, found)
            }
            Some(id) => {
                let name = identifier_text(id);
                let is_it =
                    |record: &Record| record.operation == DESTROY_OBJECT && record.object.as_ref() == Some(&name);
                let (at, _) = self.newest_record(log, is_it).await?.ok_or(Failure::NotFound)?;
                (Destroyed::Object, (at, Vec::new()))
            }
        };
        let note = checkpointer.current(self, log).await?;
        let mut proofs = Vec::with_capacity(1 + confirmations.len());
        for record in std::iter::once(at).chain(confirmations) {
            let claim = admin_api::ProofQuery { record: Some(record), from: None, to: None };
            proofs.push(proving::prove(self, log, claim, &note).await?);
        }
        let root_of_trust = self.hsm.trust_anchor().rot_fingerprint;
        let backups = self.backups_with(domain, self.time_of(log, at).await?)?;
        let grounds = Grounds { what, name: domain.row.name.clone(), root_of_trust, backups, proofs };
        let certificate = Certificate::on(grounds, &trusted_keys(self)?).map_err(|error| {
            tracing::error!(%error, "a certificate of destruction cannot be made");
            Failure::Internal("certificate of destruction")
        })?;
        Ok(signing::sign(self, &certificate).await?)
    }
}
