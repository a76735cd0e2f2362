//! Requests for acts that several security officers have to approve: asked for, approved, executed once, or withdrawn.
//!
//! ```text
//!  ask ─► open ── approvals, each a signature over the text ──► approved ─► executed
//!          └──────────────── withdrawn · expired ◄──────────────┘
//! ```
//! The requests stand in the row of the administrators' domain, under its MAC and in the digest of its set, so that an
//! executed one cannot be put back. A request leaves in the same commit in which its act is done. Everything is decided
//! again when it is executed: the signatures, who may approve now, how many are needed now, and whether the act is
//! possible now.

use std::sync::Arc;

use admin_api as api;
use audit::limits::{MAX_APPROVAL_LEN, MAX_DETAIL_LEN};
use audit::{LogId, Record, bounded_text};
use keystore::{Change, DomainRow, Step};
use quorum::{Approval, Approver, Request, SignedRequest, Undecided};
use ring::digest;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::acting::{Acting, AdminFailure, unit};
use super::protected::{self, Planned};
use super::restoring;
use crate::failure::Failure;
use crate::node::Node;
use crate::node::auditing::log_of;
use crate::node::directory::Domain;
use crate::quorums::ActKind;

/// Requests that are kept at one time, executed ones until they expire.
const MAX_REQUESTS: usize = 32;

/// A request as the administrators' domain keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    signed: SignedRequest,
    /// Whether it was executed.
    #[serde(default)]
    executed: bool,
}

impl From<Undecided> for AdminFailure {
    fn from(undecided: Undecided) -> Self {
        match undecided {
            Undecided::TooFew { .. } | Undecided::Expired | Undecided::NotYet => {
                Self::NotApproved(undecided.to_string())
            }
            Undecided::Signature(_) | Undecided::OtherKms(_) => Self::NotApproved(undecided.to_string()),
            Undecided::File | Undecided::Text(_) => Self::Request(Failure::Internal("a kept request cannot be read")),
            Undecided::TooMany => Self::Unusable("the request has as many approvals as it may have"),
        }
    }
}

/// What a record says of a request: its identifier and the digest of its text.
fn detail(request: &Request, text: &str) -> String {
    let hash = hex::encode(digest::digest(&digest::SHA256, text.as_bytes()));
    bounded_text(&format!("{} {} sha256 {hash}", request.act, request.id), MAX_DETAIL_LEN)
}

impl Node {
    fn kept_requests(system: &Domain) -> Result<Vec<Kept>, AdminFailure> {
        let bytes = system.row.requests.as_deref().unwrap_or(b"[]");
        serde_json::from_slice(bytes).map_err(|_| Failure::Internal("the requests cannot be read").into())
    }

    /// The row of the administrators' domain with these requests; those whose time is over go.
    fn with_requests(&self, system: &Domain, mut kept: Vec<Kept>) -> Result<DomainRow, AdminFailure> {
        let now = self.clock.now_s();
        kept.retain(|one| one.signed.read().is_ok_and(|request| request.expires_s >= now));
        let bytes = serde_json::to_vec(&kept).map_err(|_| Failure::Internal("the requests cannot be written"))?;
        Ok(DomainRow { requests: Some(bytes), ..system.row.clone() })
    }

    pub(super) fn system_domain(&self) -> Result<Arc<Domain>, AdminFailure> {
        self.directory.system().ok_or(AdminFailure::Request(Failure::Internal("there is no system domain")))
    }

    /// Those whose approvals count now.
    pub(super) fn approvers(&self) -> Result<Vec<Approver>, AdminFailure> {
        let system = self.system_domain()?;
        let identities = self.directory.identities_of(&system.row.id);
        Ok(identities.iter().filter_map(|row| protected::approver(row)).collect())
    }

    fn told_request(&self, kept: &Kept) -> Result<api::Request, AdminFailure> {
        let request = kept.signed.read().map_err(Undecided::from)?;
        let act = ActKind::of_name(&request.act).ok_or(Failure::Internal("a kept request for an unknown act"))?;
        let approvers = self.approvers()?;
        let needed = self.quorums.needed(act);
        let state = match kept.signed.decide(&self.kms, &approvers, needed, self.clock.now_s()) {
            _ if kept.executed => api::RequestState::Executed,
            Ok(_) => api::RequestState::Approved,
            Err(Undecided::Expired) => api::RequestState::Expired,
            Err(_) => api::RequestState::Open,
        };
        let by = kept.signed.approved_by(&approvers).unwrap_or_default();
        Ok(api::Request {
            id: request.id,
            act: request.act,
            state,
            needed: u64::try_from(needed).unwrap_or(u64::MAX),
            approved_by: by.iter().map(|one| one.name.clone()).collect(),
            asked_by: request.asked_name,
            expires: request.expires_s,
            signed: kept.signed.clone(),
        })
    }

    /// Commits requests and the record of what was done with one of them.
    async fn commit_requests(
        &self,
        acting: &Acting,
        kept: Vec<Kept>,
        operation: &str,
        told: impl Fn(Record) -> Record,
    ) -> Result<(), AdminFailure> {
        let system = self.system_domain()?;
        let row = self.with_requests(&system, kept)?;
        let record = |log: LogId| Some(told(acting.record(self, log, operation)));
        let steps = vec![
            Step { changes: vec![Change::UpdateDomain(row)], record: record(log_of(system.row.id)) },
            Step { changes: Vec::new(), record: record(LogId::System) },
        ];
        self.store.commit(unit(steps)).await?;
        self.reload_domain(&system.row.id).await?;
        Ok(())
    }

    /// Makes a request of an act; a dry run only finds out whether it could be done, and shows the request.
    ///
    /// # Errors
    /// [`AdminFailure`]; every refusal is recorded.
    pub async fn ask(
        &self,
        acting: &Acting,
        act: &api::ProtectedAct,
        dry_run: bool,
    ) -> Result<api::Request, AdminFailure> {
        const OPERATION: &str = "Ask Approval";
        let _alone = self.requests.lock().await;
        match self.try_ask(acting, act, dry_run, OPERATION).await {
            Ok(request) => Ok(request),
            Err(failure) => acting.refuse(self, LogId::System, OPERATION, failure).await,
        }
    }

    async fn try_ask(
        &self,
        acting: &Acting,
        act: &api::ProtectedAct,
        dry_run: bool,
        operation: &str,
    ) -> Result<api::Request, AdminFailure> {
        let (kind, parameters) = self.named(act).await?;
        let now = self.clock.now_s();
        let request = Request {
            kms: self.kms.clone(),
            id: Uuid::new_v4(),
            act: kind.name().to_owned(),
            parameters,
            asked_by: acting.fingerprint,
            asked_name: acting.name.clone(),
            made_s: now,
            expires_s: now.saturating_add(self.quorums.lifetime_s),
        };
        let signed = SignedRequest::new(&request)
            .map_err(|_| AdminFailure::Unusable("a name or certificate is too long, or cannot stand in a request"))?;
        // What could not be done today is not asked for.
        self.plan(kind, &request).await?;
        let kept = Kept { signed, executed: false };
        let answer = self.told_request(&kept)?;
        if dry_run {
            acting.note(self, LogId::System, operation, Some("dry run: nothing was asked")).await?;
            return Ok(answer);
        }
        let detail = detail(&request, &kept.signed.request);
        let now = self.clock.now_s();
        let mut all = Self::kept_requests(&*self.system_domain()?)?;
        all.retain(|one| one.signed.read().is_ok_and(|request| request.expires_s >= now));
        if all.len() >= MAX_REQUESTS {
            return Err(AdminFailure::Unusable("as many requests as there may be wait already; withdraw some"));
        }
        all.push(kept);
        self.commit_requests(acting, all, operation, |record| Record { detail: Some(detail.clone()), ..record })
            .await?;
        Ok(answer)
    }

    /// All requests that are kept.
    ///
    /// # Errors
    /// [`AdminFailure`].
    pub async fn list_requests(&self, acting: &Acting) -> Result<Vec<api::Request>, AdminFailure> {
        acting.note(self, LogId::System, "List Requests", None).await?;
        Self::kept_requests(&*self.system_domain()?)?.iter().map(|kept| self.told_request(kept)).collect()
    }

    /// One request.
    ///
    /// # Errors
    /// [`AdminFailure`].
    pub async fn show_request(&self, acting: &Acting, id: Uuid) -> Result<api::Request, AdminFailure> {
        const OPERATION: &str = "Show Request";
        let (_, kept) = match self.find_request(id) {
            Ok(found) => found,
            Err(failure) => return acting.refuse(self, LogId::System, OPERATION, failure).await,
        };
        acting.note(self, LogId::System, OPERATION, Some(&id.to_string())).await?;
        self.told_request(&kept)
    }

    /// All requests but this one, and this one.
    fn find_request(&self, id: Uuid) -> Result<(Vec<Kept>, Kept), AdminFailure> {
        let mut all = Self::kept_requests(&*self.system_domain()?)?;
        let is_it = |one: &Kept| one.signed.read().is_ok_and(|request| request.id == id);
        let at = all.iter().position(is_it).ok_or(Failure::NotFound)?;
        let found = all.remove(at);
        Ok((all, found))
    }

    /// Takes in approvals, each of which must be of somebody who may approve now, over the text of this request.
    ///
    /// # Errors
    /// [`AdminFailure`]; every refusal is recorded.
    pub async fn approve(
        &self,
        acting: &Acting,
        id: Uuid,
        approvals: &[Approval],
    ) -> Result<api::Request, AdminFailure> {
        const OPERATION: &str = "Approve Request";
        let _alone = self.requests.lock().await;
        match self.try_approve(acting, id, approvals, OPERATION).await {
            Ok(request) => Ok(request),
            Err(failure) => acting.refuse(self, LogId::System, OPERATION, failure).await,
        }
    }

    async fn try_approve(
        &self,
        acting: &Acting,
        id: Uuid,
        approvals: &[Approval],
        operation: &str,
    ) -> Result<api::Request, AdminFailure> {
        let (mut all, mut kept) = self.find_request(id)?;
        if kept.executed {
            return Err(AdminFailure::NotApproved("the request was executed already".to_owned()));
        }
        let request = kept.signed.read().map_err(Undecided::from)?;
        if approvals.is_empty() {
            return Err(AdminFailure::Unusable("no approval was handed in"));
        }
        let told = self.take_in(&mut kept, approvals)?;
        let detail = detail(&request, &kept.signed.request);
        let answer = self.told_request(&kept)?;
        all.push(kept);
        // The signatures themselves are told: with the text, an auditor can check them without this node.
        self.commit_requests(acting, all, operation, |record| Record {
            detail: Some(detail.clone()),
            approvals: told.clone(),
            ..record
        })
        .await?;
        Ok(answer)
    }

    /// Adds approvals to a request, and says which signatures they were.
    fn take_in(&self, kept: &mut Kept, approvals: &[Approval]) -> Result<Vec<String>, AdminFailure> {
        if approvals.len() > quorum::limits::MAX_APPROVALS {
            return Err(Undecided::TooMany.into());
        }
        let approvers = self.approvers()?;
        let mut told = Vec::with_capacity(approvals.len());
        for approval in approvals {
            let approver = approvers.iter().find(|one| *one.fingerprint() == approval.fingerprint);
            let approver = approver
                .ok_or(AdminFailure::NotApproved("an approval is of somebody who may not approve".to_owned()))?;
            if !approver.made(approval, &kept.signed.request) {
                return Err(Undecided::Signature(approver.name.clone()).into());
            }
            kept.signed.add(approval.clone())?;
            told.push(bounded_text(&approval.signature_text(), MAX_APPROVAL_LEN));
        }
        Ok(told)
    }

    /// Executes an approved request, once; a dry run decides everything and changes nothing.
    ///
    /// # Errors
    /// [`AdminFailure`]; every refusal is recorded.
    pub async fn execute(
        &self,
        acting: &Acting,
        id: Uuid,
        approvals: &[Approval],
        dry_run: bool,
    ) -> Result<api::Request, AdminFailure> {
        const OPERATION: &str = "Execute Request";
        let _alone = self.requests.lock().await;
        match self.try_execute(acting, id, approvals, dry_run, OPERATION).await {
            Ok(request) => Ok(request),
            Err(failure) => acting.refuse(self, LogId::System, OPERATION, failure).await,
        }
    }

    async fn try_execute(
        &self,
        acting: &Acting,
        id: Uuid,
        approvals: &[Approval],
        dry_run: bool,
        operation: &str,
    ) -> Result<api::Request, AdminFailure> {
        let (mut all, mut kept) = self.find_request(id)?;
        if kept.executed {
            return Err(AdminFailure::NotApproved("the request was executed already".to_owned()));
        }
        self.take_in(&mut kept, approvals)?;
        let request = kept.signed.read().map_err(Undecided::from)?;
        let act = ActKind::of_name(&request.act).ok_or(Failure::Internal("a kept request for an unknown act"))?;
        let approvers = self.approvers()?;
        let needed = self.quorums.needed(act);
        let (request, by) = kept.signed.decide(&self.kms, &approvers, needed, self.clock.now_s())?;
        let planned = self.plan(act, &request).await?;
        if dry_run {
            acting.note(self, LogId::System, operation, Some("dry run: nothing changed")).await?;
            return self.told_request(&kept);
        }
        let by: Vec<String> = by.iter().map(|one| bounded_text(&one.name, MAX_APPROVAL_LEN)).collect();
        let request_detail = detail(&request, &kept.signed.request);
        kept.executed = true;
        let answer = self.told_request(&kept)?;
        all.push(kept);
        self.commit_act(acting, act, planned, all, &by, &request_detail).await?;
        Ok(answer)
    }

    /// One commit for the act, the request that is used up, and the records in every log that it concerns.
    async fn commit_act(
        &self,
        acting: &Acting,
        act: ActKind,
        planned: Planned,
        kept: Vec<Kept>,
        by: &[String],
        detail: &str,
    ) -> Result<(), AdminFailure> {
        let system = self.system_domain()?;
        let (object, detail) = (planned.object, format!("{} ({detail})", planned.detail));
        let detail = bounded_text(&detail, MAX_DETAIL_LEN);
        let told = |log: LogId| {
            Some(Record {
                object: object.clone(),
                approvals: by.to_vec(),
                detail: Some(detail.clone()),
                ..acting.record(self, log, act.operation())
            })
        };
        let mut steps = Vec::new();
        if let Some((domain, row)) = &planned.domain {
            let record = told(log_of(domain.row.id)).map(|record| Record { object: None, ..record });
            steps.push(Step { changes: vec![Change::UpdateDomain(row.clone())], record });
        }
        if let Some(restoration) = planned.restoration {
            let log = log_of(restoration.domain.row.id);
            steps.push(Step { changes: Vec::new(), record: told(log).map(|record| Record { object: None, ..record }) });
            for (row, detail) in restoration.sealed_anew(self).await? {
                let record = Record {
                    approvals: by.to_vec(),
                    detail: Some(detail),
                    ..acting.record(self, log, restoring::RESTORE_OBJECT)
                };
                steps.push(Step { changes: vec![Change::RestoreObject(row)], record: Some(record) });
            }
        }
        let mut changes = planned.in_system;
        changes.push(Change::UpdateDomain(self.with_requests(&system, kept)?));
        steps.push(Step { changes, record: told(log_of(system.row.id)) });
        steps.push(Step { changes: Vec::new(), record: told(LogId::System) });
        if let Some((domain, _)) = &planned.domain {
            self.open_for_its_end(domain).await?;
        }
        let committed = self.store.commit(unit(steps)).await;
        if let Err(error) = committed {
            if let Some((domain, _)) = &planned.domain {
                self.leave_as_it_was(domain).await;
            }
            return Err(error.into());
        }
        self.reload_domain(&system.row.id).await?;
        for identity in self.store.identities(system.row.id).await? {
            self.directory.put_identity(identity);
        }
        if let Some((domain, _)) = &planned.domain {
            self.end_domain(domain.row.id).await?;
        }
        Ok(())
    }

    /// Takes a request back. A dry run decides everything, and changes nothing.
    ///
    /// # Errors
    /// [`AdminFailure`]; every refusal is recorded.
    pub async fn withdraw(&self, acting: &Acting, id: Uuid, dry_run: bool) -> Result<api::Request, AdminFailure> {
        const OPERATION: &str = "Withdraw Request";
        let _alone = self.requests.lock().await;
        let withdrawn = async {
            let (all, kept) = self.find_request(id)?;
            if kept.executed {
                return Err(AdminFailure::NotApproved("the request was executed already".to_owned()));
            }
            let request = kept.signed.read().map_err(Undecided::from)?;
            if dry_run {
                acting.note(self, LogId::System, OPERATION, Some("dry run: nothing changed")).await?;
                return self.told_request(&kept);
            }
            let detail = detail(&request, &kept.signed.request);
            let told = |record| Record { detail: Some(detail.clone()), ..record };
            self.commit_requests(acting, all, OPERATION, told).await?;
            self.told_request(&kept)
        };
        match withdrawn.await {
            Ok(request) => Ok(request),
            Err(failure) => acting.refuse(self, LogId::System, OPERATION, failure).await,
        }
    }
}
