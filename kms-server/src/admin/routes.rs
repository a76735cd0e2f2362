//! The paths of the admin API, each one call of the backend.
//!
//! A call runs in a task of its own: a peer that goes away, or a deadline that passes, ends the waiting and not the
//! act, so that no act is left half recorded.

use std::sync::Arc;

use admin_api::limits::{DEFAULT_PAGE, MAX_PAGE};
use admin_api::{
    Approvals, AuditQuery, ClientAccess, DomainChange, Effect, ErrorCode, Fingerprint, IssueClient, NewBackup,
    NewCredential, NewDomain, NewHold, NewRetention, ProofQuery, ProtectedAct, RegisterClient, Retention, RevokeObject,
};
use axum::Router;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::answer::{Json, Octets, Text};
use super::backend::{AdminBackend, Caller, Refusal, RetentionChange};
use super::read::{Asked, DryRun, Named, Sent};
use super::refused;
use crate::limits::Limits;

/// What every handler has.
#[derive(Clone)]
pub(super) struct App {
    pub(super) backend: Arc<dyn AdminBackend>,
    pub(super) limits: Arc<Limits>,
    /// Held by every act at work, so that a stopping node can wait for the last.
    pub(super) working: mpsc::Sender<()>,
}

/// All paths; see the table in `admin-api`.
pub(super) fn router(app: App) -> Router {
    let changes = DomainChange::ALL.into_iter().fold(Router::new(), |router, change| {
        let handler = move |app, caller, domain, asked| domain_change(app, caller, domain, asked, change);
        router.route(&format!("/v1/domains/{{domain}}/{}", change.path()), post(handler))
    });
    changes
        .route("/v1/health", get(health))
        .route("/v1/hsm", get(hsm_status))
        .route("/v1/trust-anchor", get(trust_anchor))
        .route("/v1/administrators", get(administrator_list))
        .route("/v1/requests", get(request_list).post(request_ask))
        .route("/v1/requests/{request}", get(request_show).delete(request_withdraw))
        .route("/v1/requests/{request}/approvals", post(request_approve))
        .route("/v1/requests/{request}/execute", post(request_execute))
        .route("/v1/backups", get(backup_list).post(backup_create))
        .route("/v1/backups/{backup}/verify", post(backup_verify))
        .route("/v1/domains", get(domain_list).post(domain_create))
        .route("/v1/domains/{domain}", get(domain_show))
        .route("/v1/domains/{domain}/verify", get(domain_verify))
        .route("/v1/domains/{domain}/retention", get(retention_show).post(retention_set))
        .route("/v1/domains/{domain}/retention/holds", post(hold_set))
        .route("/v1/domains/{domain}/retention/holds/{name}", delete(hold_lift))
        .route("/v1/domains/{domain}/certificate", get(domain_certificate))
        .route("/v1/domains/{domain}/objects/{object}/certificate", get(object_certificate))
        .route("/v1/domains/{domain}/clients", get(client_list).post(client_register))
        .route("/v1/domains/{domain}/clients/issue", post(client_issue))
        .route("/v1/domains/{domain}/clients/{client}", delete(client_revoke))
        .route("/v1/domains/{domain}/clients/{client}/credentials", post(credential_add))
        .route("/v1/domains/{domain}/clients/{client}/credentials/{name}", delete(credential_remove))
        .route("/v1/domains/{domain}/clients/{client}/access", post(client_access))
        .route("/v1/domains/{domain}/objects", get(object_list))
        .route("/v1/domains/{domain}/objects/{object}", get(object_show).delete(object_destroy))
        .route("/v1/domains/{domain}/objects/{object}/revoke", post(object_revoke))
        .route("/v1/domains/{domain}/audit", get(audit_export))
        .route("/v1/domains/{domain}/audit/proof", get(audit_prove))
        .route("/v1/domains/{domain}/tiles/{*file}", get(audit_tile))
        .route("/v1/domains/{domain}/checkpoint", get(checkpoint))
        .fallback(async || Refusal::new(ErrorCode::NotFound, "no such path"))
        .method_not_allowed_fallback(async || Refusal::new(ErrorCode::MethodNotAllowed, "not with this method"))
        .layer(from_fn_with_state(app.clone(), refused::tell))
        .with_state(app)
}

impl App {
    /// Runs an act to its end, and waits for it as long as a request may take.
    async fn act<T, F>(
        &self,
        name: &'static str,
        caller: Caller,
        act: impl FnOnce(Arc<dyn AdminBackend>, Caller) -> F,
    ) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Refusal>> + Send + 'static,
    {
        let working = self.working.clone();
        let who = hex::encode(caller.fingerprint);
        let address = caller.address;
        let act = act(Arc::clone(&self.backend), caller);
        let task = tokio::spawn(async move {
            let result = act.await;
            match &result {
                Ok(_) => tracing::info!(admin = who, %address, name, "done"),
                Err(refusal) => {
                    tracing::warn!(admin = who, %address, name, code = refusal.code.text(), "refused");
                }
            }
            drop(working);
            result
        });
        match tokio::time::timeout(self.limits.admin_deadline, task).await {
            Ok(Ok(result)) => result.map_err(Refusal::told),
            Ok(Err(error)) => {
                tracing::error!(%error, name, "an act did not end");
                Err(Refusal::internal())
            }
            // The act tells of itself when it is over.
            Err(_) => Err(Refusal::new(ErrorCode::Unavailable, "not done in time; it may still take effect").told()),
        }
    }

    /// Records a refusal that is no act's.
    pub(super) async fn note_refusal(&self, caller: Caller, asked: String, code: ErrorCode) -> Result<(), Refusal> {
        let note = async move |node: Arc<dyn AdminBackend>, caller| node.refused(&caller, &asked, code).await;
        self.act("refused request", caller, note).await
    }
}

impl App {
    async fn retention(
        &self,
        name: &'static str,
        caller: Caller,
        domain: String,
        change: RetentionChange,
        effect: Effect,
    ) -> Result<Retention, Refusal> {
        let act =
            async move |node: Arc<dyn AdminBackend>, caller| node.retention(&caller, &domain, change, effect).await;
        self.act(name, caller, act).await
    }
}

/// Answers 200 or as refused.
fn ok<T: Serialize>(result: Result<T, Refusal>) -> Response {
    answer(StatusCode::OK, result)
}

/// Answers 201 or as refused.
fn created<T: Serialize>(result: Result<T, Refusal>) -> Response {
    answer(StatusCode::CREATED, result)
}

fn answer<T: Serialize>(status: StatusCode, result: Result<T, Refusal>) -> Response {
    match result {
        Ok(value) => Json(status, value).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn fault(text: &'static str) -> Refusal {
    Refusal::new(ErrorCode::BadRequest, text)
}

async fn health(State(app): State<App>, Extension(caller): Extension<Caller>) -> Response {
    ok(app.act("health", caller, async move |node, caller| node.health(&caller).await).await)
}

async fn hsm_status(State(app): State<App>, Extension(caller): Extension<Caller>) -> Response {
    ok(app.act("hsm status", caller, async move |node, caller| node.hsm_status(&caller).await).await)
}

async fn trust_anchor(State(app): State<App>, Extension(caller): Extension<Caller>) -> Response {
    ok(app.act("trust anchor", caller, async move |node, caller| node.trust_anchor(&caller).await).await)
}

async fn administrator_list(State(app): State<App>, Extension(caller): Extension<Caller>) -> Response {
    let act = async move |node: Arc<dyn AdminBackend>, caller| node.administrator_list(&caller).await;
    ok(app.act("administrator list", caller, act).await)
}

async fn request_list(State(app): State<App>, Extension(caller): Extension<Caller>) -> Response {
    ok(app.act("request list", caller, async move |node, caller| node.request_list(&caller).await).await)
}

async fn request_ask(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Asked(asked): Asked<DryRun>,
    Sent(act): Sent<ProtectedAct>,
) -> Result<Response, Refusal> {
    act.check().map_err(fault)?;
    let effect = asked.effect();
    let ask = async move |node: Arc<dyn AdminBackend>, caller| node.request_ask(&caller, act, effect).await;
    Ok(answer(StatusCode::CREATED, app.act("request ask", caller, ask).await))
}

async fn request_show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<Uuid>,
) -> Response {
    ok(app.act("request show", caller, async move |node, caller| node.request_show(&caller, id).await).await)
}

async fn request_withdraw(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<Uuid>,
    Asked(asked): Asked<DryRun>,
) -> Response {
    let effect = asked.effect();
    let act = async move |node: Arc<dyn AdminBackend>, caller| node.request_withdraw(&caller, id, effect).await;
    ok(app.act("request withdraw", caller, act).await)
}

async fn request_approve(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<Uuid>,
    Sent(approvals): Sent<Approvals>,
) -> Response {
    let act = async move |node: Arc<dyn AdminBackend>, caller| node.request_approve(&caller, id, approvals).await;
    ok(app.act("request approve", caller, act).await)
}

async fn request_execute(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<Uuid>,
    Asked(asked): Asked<DryRun>,
    Sent(approvals): Sent<Approvals>,
) -> Response {
    let effect = asked.effect();
    let act =
        async move |node: Arc<dyn AdminBackend>, caller| node.request_execute(&caller, id, approvals, effect).await;
    ok(app.act("request execute", caller, act).await)
}

async fn backup_create(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Sent(new): Sent<NewBackup>,
) -> Result<Response, Refusal> {
    new.check().map_err(fault)?;
    let act = async move |node: Arc<dyn AdminBackend>, caller| node.backup_create(&caller, new).await;
    Ok(created(app.act("backup create", caller, act).await))
}

async fn backup_list(State(app): State<App>, Extension(caller): Extension<Caller>) -> Response {
    ok(app.act("backup list", caller, async move |node, caller| node.backup_list(&caller).await).await)
}

async fn backup_verify(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<Uuid>,
) -> Response {
    ok(app.act("backup verify", caller, async move |node, caller| node.backup_verify(&caller, id).await).await)
}

async fn domain_list(State(app): State<App>, Extension(caller): Extension<Caller>) -> Response {
    ok(app.act("domain list", caller, async move |node, caller| node.domain_list(&caller).await).await)
}

async fn domain_create(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Sent(new): Sent<NewDomain>,
) -> Result<Response, Refusal> {
    new.check().map_err(fault)?;
    Ok(created(
        app.act("domain create", caller, async move |node, caller| node.domain_create(&caller, new).await).await,
    ))
}

async fn domain_show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(domain): Named<String>,
) -> Response {
    ok(app.act("domain show", caller, async move |node, caller| node.domain_show(&caller, &domain).await).await)
}

async fn domain_change(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(domain): Named<String>,
    Asked(asked): Asked<DryRun>,
    change: DomainChange,
) -> Response {
    let effect = asked.effect();
    let act =
        async move |node: Arc<dyn AdminBackend>, caller| node.domain_change(&caller, &domain, change, effect).await;
    ok(app.act(change.path(), caller, act).await)
}

async fn domain_verify(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(domain): Named<String>,
) -> Response {
    ok(app.act("domain verify", caller, async move |node, caller| node.domain_verify(&caller, &domain).await).await)
}

async fn retention_show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(domain): Named<String>,
) -> Response {
    ok(app.retention("retention show", caller, domain, RetentionChange::Show, Effect::Real).await)
}

async fn retention_set(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(domain): Named<String>,
    Asked(asked): Asked<DryRun>,
    Sent(new): Sent<NewRetention>,
) -> Result<Response, Refusal> {
    new.check().map_err(fault)?;
    Ok(ok(app.retention("retention set", caller, domain, RetentionChange::Days(new), asked.effect()).await))
}

async fn hold_set(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(domain): Named<String>,
    Sent(hold): Sent<NewHold>,
) -> Result<Response, Refusal> {
    hold.check().map_err(fault)?;
    Ok(created(app.retention("hold set", caller, domain, RetentionChange::Hold(hold), Effect::Real).await))
}

async fn hold_lift(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named((domain, name)): Named<(String, String)>,
    Asked(asked): Asked<DryRun>,
) -> Response {
    ok(app.retention("hold lift", caller, domain, RetentionChange::Lift(name), asked.effect()).await)
}

async fn client_list(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(domain): Named<String>,
) -> Response {
    ok(app.act("client list", caller, async move |node, caller| node.client_list(&caller, &domain).await).await)
}

async fn client_register(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(domain): Named<String>,
    Sent(client): Sent<RegisterClient>,
) -> Result<Response, Refusal> {
    client.check().map_err(fault)?;
    let act = async move |node: Arc<dyn AdminBackend>, caller| node.client_register(&caller, &domain, client).await;
    Ok(created(app.act("client register", caller, act).await))
}

async fn client_issue(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(domain): Named<String>,
    Sent(client): Sent<IssueClient>,
) -> Result<Response, Refusal> {
    client.check().map_err(fault)?;
    let act = async move |node: Arc<dyn AdminBackend>, caller| node.client_issue(&caller, &domain, client).await;
    Ok(created(app.act("client issue", caller, act).await))
}

async fn client_revoke(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named((domain, client)): Named<(String, Fingerprint)>,
    Asked(asked): Asked<DryRun>,
) -> Response {
    let effect = asked.effect();
    let act =
        async move |node: Arc<dyn AdminBackend>, caller| node.client_revoke(&caller, &domain, client, effect).await;
    ok(app.act("client revoke", caller, act).await)
}

async fn credential_add(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named((domain, client)): Named<(String, Fingerprint)>,
    Sent(new): Sent<NewCredential>,
) -> Result<Response, Refusal> {
    new.check().map_err(fault)?;
    let act = async move |node: Arc<dyn AdminBackend>, caller| node.credential_add(&caller, &domain, client, new).await;
    Ok(created(app.act("credential add", caller, act).await))
}

async fn credential_remove(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named((domain, client, name)): Named<(String, Fingerprint, String)>,
    Asked(asked): Asked<DryRun>,
) -> Response {
    let effect = asked.effect();
    let act = async move |node: Arc<dyn AdminBackend>, caller| {
        node.credential_remove(&caller, &domain, client, &name, effect).await
    };
    ok(app.act("credential remove", caller, act).await)
}

async fn client_access(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named((domain, client)): Named<(String, Fingerprint)>,
    Asked(asked): Asked<DryRun>,
    Sent(access): Sent<ClientAccess>,
) -> Result<Response, Refusal> {
    access.access.check().map_err(fault)?;
    let effect = asked.effect();
    let act = async move |node: Arc<dyn AdminBackend>, caller| {
        node.client_access(&caller, &domain, client, access, effect).await
    };
    Ok(ok(app.act("client access", caller, act).await))
}

/// `?after=&limit=`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    after: Option<Uuid>,
    limit: Option<u32>,
}

async fn object_list(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(domain): Named<String>,
    Asked(page): Asked<Page>,
) -> Result<Response, Refusal> {
    let limit = page.limit.unwrap_or(DEFAULT_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Refusal::new(ErrorCode::BadRequest, format!("limit must be 1 to {MAX_PAGE}")));
    }
    let act =
        async move |node: Arc<dyn AdminBackend>, caller| node.object_list(&caller, &domain, page.after, limit).await;
    Ok(ok(app.act("object list", caller, act).await))
}

async fn object_show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named((domain, object)): Named<(String, Uuid)>,
) -> Response {
    let act = async move |node: Arc<dyn AdminBackend>, caller| node.object_show(&caller, &domain, object).await;
    ok(app.act("object show", caller, act).await)
}

async fn object_revoke(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named((domain, object)): Named<(String, Uuid)>,
    Asked(asked): Asked<DryRun>,
    Sent(revoke): Sent<RevokeObject>,
) -> Result<Response, Refusal> {
    revoke.check().map_err(fault)?;
    let effect = asked.effect();
    let act = async move |node: Arc<dyn AdminBackend>, caller| {
        node.object_revoke(&caller, &domain, object, revoke, effect).await
    };
    Ok(ok(app.act("object revoke", caller, act).await))
}

async fn object_destroy(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named((domain, object)): Named<(String, Uuid)>,
    Asked(asked): Asked<DryRun>,
) -> Response {
    let effect = asked.effect();
    let act =
        async move |node: Arc<dyn AdminBackend>, caller| node.object_destroy(&caller, &domain, object, effect).await;
    ok(app.act("object destroy", caller, act).await)
}

async fn domain_certificate(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(domain): Named<String>,
) -> Response {
    let act = async move |node: Arc<dyn AdminBackend>, caller| node.domain_certificate(&caller, &domain).await;
    ok(app.act("domain certificate", caller, act).await)
}

async fn object_certificate(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named((domain, object)): Named<(String, Uuid)>,
) -> Response {
    let act = async move |node: Arc<dyn AdminBackend>, caller| node.object_certificate(&caller, &domain, object).await;
    ok(app.act("object certificate", caller, act).await)
}

async fn audit_export(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(log): Named<String>,
    Asked(query): Asked<AuditQuery>,
) -> Result<Response, Refusal> {
    query.check().map_err(fault)?;
    let act = async move |node: Arc<dyn AdminBackend>, caller| node.audit_export(&caller, &log, query).await;
    app.act("audit export", caller, act).await.map(IntoResponse::into_response)
}

async fn audit_prove(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(log): Named<String>,
    Asked(claim): Asked<ProofQuery>,
) -> Response {
    let act = async move |node: Arc<dyn AdminBackend>, caller| node.audit_prove(&caller, &log, claim).await;
    ok(app.act("audit prove", caller, act).await)
}

async fn audit_tile(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named((log, file)): Named<(String, String)>,
) -> Result<Response, Refusal> {
    let is_note = file == audit::tiles::CHECKPOINT_FILE;
    let act = async move |node: Arc<dyn AdminBackend>, caller| node.audit_tile(&caller, &log, &file).await;
    let answer = |bytes| if is_note { Text(bytes).into_response() } else { Octets(bytes).into_response() };
    app.act("audit tile", caller, act).await.map(answer)
}

async fn checkpoint(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Named(log): Named<String>,
) -> Response {
    ok(app.act("audit checkpoint", caller, async move |node, caller| node.checkpoint(&caller, &log).await).await)
}
