//! Lists and single things: a page at a time, filtered, with an entity tag for each answer.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Query, Request, State};
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::App;
use super::guard::Known;
use super::kinds::Kind;
use super::problem::Problem;
use crate::identity::hash;
use crate::limits::{PAGE, PAGE_MOST};

/// What a list was asked for.
struct Wanted {
    limit: usize,
    after: Option<String>,
    text: Option<String>,
    filters: Vec<(String, String)>,
}

impl Wanted {
    fn of(kind: &Kind, query: BTreeMap<String, String>) -> Result<Self, Problem> {
        let mut wanted = Self { limit: PAGE, after: None, text: None, filters: Vec::new() };
        for (name, value) in query {
            match name.as_str() {
                "limit" => wanted.limit = limit(&value)?,
                "after" => wanted.after = Some(value),
                "q" => wanted.text = Some(value.to_lowercase()),
                _ if kind.filters.contains(&name.as_str()) => wanted.filters.push((name, value)),
                _ => return Err(Problem::bad_request(format!("there is no parameter \"{name}\""))),
            }
        }
        Ok(wanted)
    }

    fn wants(&self, id: &str, value: &Value) -> bool {
        let has = |text: &String| {
            let name = value["name"].as_str().unwrap_or_default();
            id.to_lowercase().contains(text) || name.to_lowercase().contains(text)
        };
        self.text.as_ref().is_none_or(has)
            && self.filters.iter().all(|(field, wanted)| value[field].as_str() == Some(wanted))
    }
}

/// A number of things on a page.
pub(super) fn limit(text: &str) -> Result<usize, Problem> {
    let fault = || Problem::bad_request(format!("\"limit\" is a number from 1 to {PAGE_MOST}"));
    text.parse().ok().filter(|limit| (1..=PAGE_MOST).contains(limit)).ok_or_else(fault)
}

/// What a request asks with.
pub(super) async fn asked(
    app: &App,
    request: Request,
) -> Result<(Known, HeaderMap, axum::http::request::Parts, Body), Problem> {
    let (mut parts, body) = request.into_parts();
    let known = Known::from_request_parts(&mut parts, app).await?;
    Ok((known, parts.headers.clone(), parts, body))
}

/// One page of a kind.
pub(super) async fn list(kind: &'static Kind, (State(app), request): (State<App>, Request)) -> Response {
    listed(kind, &app, request).await.unwrap_or_else(IntoResponse::into_response)
}

async fn listed(kind: &'static Kind, app: &App, request: Request) -> Result<Response, Problem> {
    let (known, headers, parts, _) = asked(app, request).await?;
    known.must_have(kind.permission)?;
    let query = Query::<BTreeMap<String, String>>::try_from_uri(&parts.uri);
    let Query(query) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
    let wanted = Wanted::of(kind, query)?;
    let current = app.platform.current();
    let mut items = Vec::new();
    let mut next = None;
    let mut last = "";
    for (id, thing) in (kind.of)(&current.inventory, &known.0.tenant) {
        if wanted.after.as_deref().is_some_and(|after| id <= after) {
            continue;
        }
        let value = thing.value();
        if !wanted.wants(id, &value) {
            continue;
        }
        if items.len() == wanted.limit {
            next = Some(last.to_owned());
            break;
        }
        items.push(value);
        last = id;
    }
    Ok(tagged(&headers, &json!({ "items": items, "next": next })))
}

/// One thing.
pub(super) async fn one(
    kind: &'static Kind,
    (State(app), Path(id), request): (State<App>, Path<String>, Request),
) -> Response {
    let found = async {
        let (known, headers, ..) = asked(&app, request).await?;
        known.must_have(kind.permission)?;
        let current = app.platform.current();
        let value = kind.one(&current.inventory, &known.0.tenant, &id);
        let absent = || Problem::not_found(format!("there is no \"{id}\" in this tenant"));
        Ok::<_, Problem>(tagged(&headers, &value.ok_or_else(absent)?))
    };
    found.await.unwrap_or_else(IntoResponse::into_response)
}

/// The entity tag of what is shown.
pub(super) fn tag(value: &Value) -> String {
    let hash = hex::encode(hash(&value.to_string()));
    format!("\"{}\"", hash.get(..32).unwrap_or(&hash))
}

/// The answer with its entity tag, or that it is what the caller has.
pub(super) fn tagged(headers: &HeaderMap, value: &Value) -> Response {
    let tag = tag(value);
    let known = headers.get(IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response();
    }
    let mut response = Json(value).into_response();
    response.headers_mut().insert(CONTENT_TYPE, axum::http::HeaderValue::from_static("application/json"));
    if let Ok(tag) = tag.parse() {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}
