//! Commands: read from path and body, planned or begun, answered with the activity.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::{Query, RawPathParams, Request, State};
use axum::http::header::{CONTENT_TYPE, IF_MATCH, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use provisioning::{Command, Inventory};
use ring::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::App;
use super::activities::ActivityShown;
use super::commands::{Given, target};
use super::problem::{FindingShown, Problem};
use super::read::{asked, tag};
use crate::limits::{BODY_BYTES, TEXT_BYTES};
use crate::platform::{Conditions, Principal};
use crate::store;

/// The header by which a client names its request, so that asking twice changes once.
pub const CLIENT_TOKEN: &str = "client-token";

/// What would be done.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanShown {
    /// What a person should know before.
    pub warnings: Vec<FindingShown>,
    /// Step by step.
    pub steps: Vec<provisioning::saga::Step>,
}

/// Gives a command.
pub(super) async fn give(
    given: &'static Given,
    (State(app), path, request): (State<App>, RawPathParams, Request),
) -> Response {
    given_to(given, &app, &path, request).await.unwrap_or_else(IntoResponse::into_response)
}

async fn given_to(
    given: &'static Given,
    app: &App,
    path: &RawPathParams,
    request: Request,
) -> Result<Response, Problem> {
    let (known, headers, parts, body) = asked(app, request).await?;
    let query = Query::<BTreeMap<String, String>>::try_from_uri(&parts.uri);
    let Query(query) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
    let dry_run = dry_run(&query)?;
    let body = to_bytes(body, BODY_BYTES).await;
    let body = body.map_err(|_| Problem::bad_request(format!("a body has at most {BODY_BYTES} bytes")))?;
    let parameters: Vec<(String, String)> =
        given.parameters().zip(path).map(|(name, (_, id))| (name.to_owned(), id.to_owned())).collect();
    let command = given.read(&parameters, fields(&headers, &body)?).map_err(Problem::bad_request)?;
    if dry_run {
        let plan = app.platform.try_out(&known.0, &command)?;
        let warnings = plan.warnings.iter().map(FindingShown::of).collect();
        return Ok(Json(PlanShown { warnings, steps: plan.steps }).into_response());
    }
    begun(given, app, &known.0, command, &headers, &parameters).await
}

async fn begun(
    given: &'static Given,
    app: &App,
    who: &Principal,
    command: Command,
    headers: &HeaderMap,
    parameters: &[(String, String)],
) -> Result<Response, Problem> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().map(str::to_owned)).transpose();
    let unreadable = |_| Problem::bad_request("a header is not text");
    let token = text(CLIENT_TOKEN).map_err(unreadable)?;
    if token.as_ref().is_some_and(|token| token.is_empty() || token.len() > TEXT_BYTES) {
        return Err(Problem::bad_request(format!("a client token has 1 to {TEXT_BYTES} characters")));
    }
    let mut request = [0; 32];
    request.copy_from_slice(digest(&SHA256, &serde_json::to_vec(&command).unwrap_or_default()).as_ref());
    let if_match = text(IF_MATCH.as_str()).map_err(unreadable)?;
    let about = target(given).zip(parameters.first().map(|(_, id)| id.as_str()));
    let unchanged = |inventory: &Inventory| match (&if_match, about) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wanted), Some((kind, id))) => {
            kind.one(inventory, &who.tenant, id).is_some_and(|value| wanted == "*" || *wanted == tag(&value))
        }
    };
    let conditions = Conditions {
        given: token.as_deref().map(|token| store::Given { token, request }),
        unchanged: Some(&unchanged),
    };
    let activity = app.platform.begin(who, command, &conditions).await?;
    let location = format!("/activity/v1/activities/{}", activity.id);
    let shown = ActivityShown::of(&app.platform, &activity).await;
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(shown)).into_response())
}

fn dry_run(query: &BTreeMap<String, String>) -> Result<bool, Problem> {
    if let Some(other) = query.keys().find(|name| *name != "dryRun") {
        return Err(Problem::bad_request(format!("there is no parameter \"{other}\"")));
    }
    match query.get("dryRun").map(String::as_str) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::bad_request("\"dryRun\" is true or false")),
    }
}

/// The body's fields; no body is none.
fn fields(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Problem::bad_request("a body is of type application/json"));
    }
    serde_json::from_slice(body).map_err(|error| Problem::bad_request(format!("the body: {error}")))
}
