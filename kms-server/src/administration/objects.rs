//! Managed objects as an administrator sees and changes them: through the very operations that clients use.

use std::sync::Arc;

use keystore::{ObjectId, ObjectRow};
use kmip::attribute::RevocationReason;
use kmip::payload::{DestroyRequest, RequestPayload, RevokeRequest};
use kmip::ttlv::DateTime;

use super::acting::{Acting, AdminFailure};
use crate::dispatch;
use crate::failure::Failure;
use crate::lifecycle;
use crate::node::Node;
use crate::node::auditing::{Told, log_of};
use crate::node::directory::Domain;
use crate::node::sealing::identifier_text;

/// Objects of one page at most.
pub const MAX_PAGE: usize = 1000;

impl Node {
    /// A page of the domain's objects in the order of their identifiers, in the state that dates put them in today.
    ///
    /// # Errors
    /// [`AdminFailure`].
    pub async fn list_objects(
        &self,
        acting: &Acting,
        domain: &Arc<Domain>,
        after: Option<ObjectId>,
        limit: usize,
    ) -> Result<Vec<ObjectRow>, AdminFailure> {
        acting.note(self, log_of(domain.row.id), "List Objects", None).await?;
        let rows = self.store.candidates(domain.row.id, &[], after, limit.clamp(1, MAX_PAGE)).await?;
        Ok(rows.into_iter().map(|row| self.as_of_now(row)).collect())
    }

    /// One object of the domain.
    ///
    /// # Errors
    /// [`AdminFailure`].
    pub async fn show_object(
        &self,
        acting: &Acting,
        domain: &Arc<Domain>,
        id: ObjectId,
    ) -> Result<ObjectRow, AdminFailure> {
        const OPERATION: &str = "Show Object";
        match self.store.object(domain.row.id, id).await? {
            Some(row) => {
                acting.note(self, log_of(domain.row.id), OPERATION, Some(&identifier_text(id))).await?;
                Ok(self.as_of_now(row))
            }
            None => acting.refuse(self, log_of(domain.row.id), OPERATION, Failure::NotFound.into()).await,
        }
    }

    fn as_of_now(&self, mut row: ObjectRow) -> ObjectRow {
        lifecycle::bring_up_to(&mut row, self.clock.now_s());
        row
    }

    /// Revokes an object by the rules of KMIP 1.4 §4.20.
    ///
    /// # Errors
    /// [`AdminFailure`].
    pub async fn revoke_object(
        &self,
        acting: &Acting,
        domain: &Arc<Domain>,
        id: ObjectId,
        reason: RevocationReason,
        compromise_occurrence: Option<i64>,
        dry_run: bool,
    ) -> Result<ObjectRow, AdminFailure> {
        let request = RequestPayload::Revoke(RevokeRequest {
            unique_identifier: Some(identifier_text(id).into()),
            revocation_reason: reason,
            compromise_occurrence_date: compromise_occurrence.map(DateTime),
        });
        self.change_object(acting, domain, id, &request, dry_run).await
    }

    /// Destroys an object by the rules of KMIP 1.4 §4.21; a dry run only finds out whether it would be.
    ///
    /// # Errors
    /// [`AdminFailure`].
    pub async fn destroy_object(
        &self,
        acting: &Acting,
        domain: &Arc<Domain>,
        id: ObjectId,
        dry_run: bool,
    ) -> Result<ObjectRow, AdminFailure> {
        let request = RequestPayload::Destroy(DestroyRequest { unique_identifier: Some(identifier_text(id).into()) });
        self.change_object(acting, domain, id, &request, dry_run).await
    }

    async fn change_object(
        &self,
        acting: &Acting,
        domain: &Arc<Domain>,
        id: ObjectId,
        request: &RequestPayload,
        dry_run: bool,
    ) -> Result<ObjectRow, AdminFailure> {
        let told = Told {
            log: log_of(domain.row.id),
            identity: audit::Identity::Admin { fingerprint: acting.fingerprint, name: acting.name.clone() },
            source: acting.address,
            request_id: acting.request,
            correlation: None,
            version: if dry_run { "admin API, dry run".to_owned() } else { "admin API".to_owned() },
        };
        let drafted = dispatch::perform(self, domain, acting.fingerprint, told, acting.role, request, dry_run).await?;
        let row = if dry_run { drafted } else { self.store.object(domain.row.id, id).await? };
        row.map(|row| self.as_of_now(row)).ok_or(AdminFailure::Request(Failure::NotFound))
    }
}
