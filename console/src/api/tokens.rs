//! Tokens: a personal one, shown once, and with it short-lived ones for everything else.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use provisioning::permission::Permission;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::App;
use super::guard::{Known, bearer, may_come};
use super::problem::Problem;
use crate::identity::{Wanted, holder, issue};
use crate::limits::{ACCESS_TOKEN_S, PERSONAL_TOKEN_S};
use crate::platform::{Principal, now};
use crate::store::{Token, TokenKind};

/// A personal access token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is to be called.
    #[schema(min_length = 1, max_length = 256)]
    pub name: String,
    /// How long it is to live, in days: 366 at most.
    #[schema(minimum = 1, maximum = 366)]
    pub days: u64,
    /// What it may do at most; everything that its owner may, where none is named.
    #[serde(default)]
    pub permissions: BTreeSet<Permission>,
}

/// What is told of a personal access token.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenShown {
    /// By which it is named.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// What it may do at most.
    pub permissions: BTreeSet<Permission>,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Seconds since 1970.
    pub expires_at: u64,
    /// Its secret, told once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// A token for the API.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccessToken {
    /// To be shown as `Authorization: Bearer …`.
    pub access_token: String,
    /// Its life, in seconds.
    pub expires_in: u64,
    /// `Bearer`.
    pub token_type: &'static str,
}

fn shown(token: Token) -> TokenShown {
    let Token { id, name, permissions, created_at, expires_at, .. } = token;
    TokenShown { id, name, permissions, created_at, expires_at, secret: None }
}

async fn body<T: DeserializeOwned>(request: Request) -> Result<T, Problem> {
    let bytes = axum::body::to_bytes(request.into_body(), crate::limits::BODY_BYTES).await;
    let bytes = bytes.map_err(|_| Problem::bad_request("the body is too long"))?;
    serde_json::from_slice(&bytes).map_err(|error| Problem::bad_request(format!("the body: {error}")))
}

/// A personal access token gets an access token.
pub(super) async fn access(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let secret = bearer(&parts).ok_or_else(Problem::unauthorized)?;
    let store = &app.platform.store;
    let token = holder(store, TokenKind::Personal, secret).await?;
    let from = parts.extensions.get::<super::Peer>().map(|peer| peer.0.ip());
    if !may_come(&app.platform.current().inventory, &token.tenant, from) {
        return Err(Problem::forbidden("the tenant does not allow this address"));
    }
    let issued = issue(store, &token.principal(), &Wanted::access(token.id.clone())).await?;
    let access_token = issued.secret.to_string();
    let shown = AccessToken { access_token, expires_in: ACCESS_TOKEN_S, token_type: "Bearer" };
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

/// Makes a personal access token.
pub(super) async fn make(State(app): State<App>, known: Known, request: Request) -> Result<Response, Problem> {
    let NewToken { name, days, permissions } = body(request).await?;
    let life_s = days.checked_mul(86_400).filter(|life| (1..=PERSONAL_TOKEN_S).contains(life));
    let life_s = life_s.ok_or_else(|| Problem::bad_request("\"days\" is a number from 1 to 366"))?;
    let Principal { login, tenant, permissions: own } = known.0;
    if let Some(more) = permissions.iter().find(|one| !own.contains(one)) {
        return Err(Problem::forbidden(format!("missing permission: {more}")));
    }
    let permissions = if permissions.is_empty() { own } else { permissions };
    let who = Principal { login, tenant, permissions };
    let wanted = Wanted { kind: TokenKind::Personal, name: &name, life_s, parent: None };
    let issued = issue(&app.platform.store, &who, &wanted).await?;
    let secret = Some(issued.secret.to_string());
    Ok((StatusCode::CREATED, Json(TokenShown { secret, ..shown(issued.token) })).into_response())
}

/// The caller's own personal access tokens.
pub(super) async fn list(State(app): State<App>, known: Known) -> Result<Response, Problem> {
    let tokens = app.platform.store.personal_tokens(&known.0.login, &known.0.tenant, now()).await?;
    let items: Vec<TokenShown> = tokens.into_iter().map(shown).collect();
    Ok(Json(json!({ "items": items, "next": null })).into_response())
}

/// Forgets one of them, and all that was got with it.
pub(super) async fn forget(State(app): State<App>, Path(id): Path<String>, known: Known) -> Result<Response, Problem> {
    if app.platform.store.forget_token(&known.0.login, &known.0.tenant, &id).await? {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Problem::not_found(format!("there is no \"{id}\" of yours")))
    }
}
