//! The web application: pages made on the server, one style sheet, one small script, nothing from anywhere else.
//!
//! A page needs no script to work; the script only lets progress be seen without loading the page again, and opens the
//! question of the padlock as a dialog.

pub mod key_service;
pub(crate) mod layout;
pub(crate) mod pages;
mod refusal;
pub(crate) mod session;
pub mod text;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::api::{self, App, throttle};
use crate::limits::BODY_BYTES;

/// Nothing but our own style, script and pictures; forms go to us, and nobody frames us.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// API and pages.
pub fn router(app: App) -> Router {
    let pages = Router::new()
        .route("/", get(pages::dashboard::show))
        .route("/login", get(pages::login::show).post(pages::login::enter))
        .route("/logout", post(pages::login::leave))
        .route("/language", post(pages::login::speak))
        .route("/vms", get(pages::machines::show))
        .route("/vms/{id}", get(pages::machine::show))
        .route("/vms/{id}/{command}", get(pages::machine::ask).post(pages::machine::order))
        .route("/activities", get(pages::activities::show))
        .route("/activities/{id}", get(pages::activities::one))
        .route("/activities/{id}/events", get(pages::activities::events))
        .route("/keys", get(pages::keys::show))
        .route("/keys/proofs", get(pages::keys::proofs))
        .route("/tokens", get(pages::tokens::show).post(pages::tokens::make))
        .route("/tokens/{id}/forget", post(pages::tokens::forget))
        .layer(middleware::from_fn(not_kept))
        .layer(middleware::from_fn_with_state(app.clone(), throttle::limit))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(app.clone());
    api::router(app).merge(pages).merge(assets()).layer(middleware::from_fn(guarded))
}

/// What pages are made of beside their text.
pub(crate) fn assets<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/assets/style.css", get(async || asset("text/css", include_str!("../../assets/style.css"))))
        .route("/assets/console.js", get(async || asset("text/javascript", include_str!("../../assets/console.js"))))
        .route("/assets/icon.svg", get(async || asset("image/svg+xml", include_str!("../../assets/icon.svg"))))
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let kind = if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind.to_owned() };
    // They change with the program only; an hour is short enough for a new one.
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "private, max-age=3600".to_owned())], text).into_response()
}

/// Nothing of a page is kept by anybody.
pub(crate) async fn not_kept(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What a browser may do with an answer of ours.
pub(crate) async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers: [(HeaderName, &'static str); 6] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
