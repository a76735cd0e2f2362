//! Reading the logs: exports, proofs, tiles, heads. Each reading has one record, with the outcome that it had.

use admin_api as api;
use audit::LogId;

use super::acting::{Acting, AdminFailure};
use super::backend::{Administration, told};
use super::rights::Act;
use super::{export, proving, reading};
use crate::admin::{Caller, Export, Refusal};
use crate::failure::Failure;

impl Administration {
    /// Tells how a reading of a log ended, with the one record that it has, and hands out what came of it. The record is
    /// durable before the first byte leaves; it lies behind what was read.
    async fn read<T>(
        &self,
        acting: &Acting,
        log: LogId,
        operation: &str,
        detail: Option<&str>,
        read: Result<T, AdminFailure>,
    ) -> Result<T, Refusal> {
        match read {
            Ok(read) => told(acting.note(&self.node, log, operation, detail).await).map(|()| read),
            Err(failure) => told(acting.refuse(&self.node, log, operation, failure).await),
        }
    }

    /// Begins what `query` asks for of a log; nothing of it is sent before the answer is.
    async fn begin_export(&self, log: LogId, query: api::AuditQuery) -> Result<Export, AdminFailure> {
        if query.format != api::AuditFormat::Bundle {
            return Ok(reading::start(self.node.clone(), log, query, self.stopping.clone()).await?);
        }
        let alone = self.node.exports.clone().read_owned().await;
        let note = self.checkpointer.current(&self.node, log).await?;
        export::start(self.node.clone(), log, &note, reading::filter(&query), alone)
            .map_err(|_| Failure::Internal("the export's head cannot be read").into())
    }

    /// A bundle, or the chosen records, made while it is sent.
    ///
    /// # Errors
    /// [`Refusal`]; it is recorded.
    pub(super) async fn export_log(
        &self,
        caller: &Caller,
        log: &str,
        query: api::AuditQuery,
    ) -> Result<Export, Refusal> {
        const OPERATION: &str = "Export Audit";
        let acting = self.admit(caller, Act::ReadAudit).await?;
        let log = self.log(&acting, log, OPERATION).await?;
        // Who looks for what is told with it.
        let asked: Vec<String> = query.pairs().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let detail = (!asked.is_empty()).then(|| asked.join(" "));
        let begun = self.begin_export(log, query).await;
        self.read(&acting, log, OPERATION, detail.as_deref(), begun).await
    }

    /// A proof of one record, or of growth.
    ///
    /// # Errors
    /// [`Refusal`]; it is recorded.
    pub(super) async fn prove_log(
        &self,
        caller: &Caller,
        log: &str,
        claim: api::ProofQuery,
    ) -> Result<api::Proof, Refusal> {
        const OPERATION: &str = "Prove Audit";
        let acting = self.admit(caller, Act::ReadAudit).await?;
        let log = self.log(&acting, log, OPERATION).await?;
        let proved = async {
            let note = self.checkpointer.current(&self.node, log).await?;
            let document = proving::prove(&self.node, log, claim, &note).await?;
            Ok(api::Proof { log: log.to_string(), document })
        };
        self.read(&acting, log, OPERATION, None, proved.await).await
    }

    /// A file of the log as public tools read it.
    ///
    /// # Errors
    /// [`Refusal`]; it is recorded.
    pub(super) async fn read_tile(&self, caller: &Caller, log: &str, file: &str) -> Result<Vec<u8>, Refusal> {
        const OPERATION: &str = "Read Tile";
        let acting = self.admit(caller, Act::ReadAudit).await?;
        let log = self.log(&acting, log, OPERATION).await?;
        let tile = async {
            let note = if file == audit::tiles::CHECKPOINT_FILE {
                self.checkpointer.published(&self.node, log).await?
            } else {
                self.checkpointer.current(&self.node, log).await?
            };
            proving::tile(&self.node, log, file, note).await?.ok_or_else(|| Failure::NotFound.into())
        };
        self.read(&acting, log, OPERATION, Some(file), tile.await).await
    }

    /// The head of the log, signed now.
    ///
    /// # Errors
    /// [`Refusal`]; it is recorded.
    pub(super) async fn read_checkpoint(&self, caller: &Caller, log: &str) -> Result<api::Checkpoint, Refusal> {
        const OPERATION: &str = "Checkpoint";
        let acting = self.admit(caller, Act::ReadAudit).await?;
        let log = self.log(&acting, log, OPERATION).await?;
        let head = async {
            let note = self.checkpointer.published(&self.node, log).await?;
            let signed = audit::SignedCheckpoint::parse(&note)
                .map_err(|_| Failure::Internal("own checkpoint cannot be read"))?;
            Ok(api::Checkpoint { log: log.to_string(), size: signed.checkpoint.size, note })
        };
        self.read(&acting, log, OPERATION, None, head.await).await
    }
}
