//! The REST API: the inventory to read, commands to give, activities to follow, tokens to get.
//!
//! [`kinds`] is the table of what can be read, [`commands`] the table of what can be done; routes, document and tests
//! are made of them. A request passes `throttle`, then `guard`, which finds out who asks; whatever goes wrong becomes a
//! `problem`.

pub mod activities;
pub mod commands;
pub mod guard;
pub mod kinds;
pub mod openapi;
pub mod problem;
mod read;
pub mod throttle;
mod tokens;
mod write;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, FromRef};
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, get, on, post};
use axum::{Json, Router, middleware};

use crate::limits::BODY_BYTES;
use crate::platform::Platform;
use crate::web::key_service::KeyService;
use problem::Problem;
use throttle::Throttle;

/// The address of the peer, which the connection puts into each request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// What all handlers share.
#[derive(Clone)]
pub struct App {
    /// The platform.
    pub platform: Arc<Platform>,
    /// Who asks how often.
    pub throttle: Arc<Throttle>,
    /// Where the audit page reads.
    pub key_service: Option<Arc<KeyService>>,
}

impl FromRef<App> for Arc<Platform> {
    fn from_ref(app: &App) -> Self {
        Self::clone(&app.platform)
    }
}

/// A path as the router has it: a parameter is called by its place, since two paths that go on differently may not
/// call the same place by two names.
fn routed(path: &str) -> String {
    let part = |(place, part): (usize, &str)| match part.starts_with('{') {
        true => format!("{{p{place}}}"),
        false => part.to_owned(),
    };
    path.split('/').enumerate().map(part).collect::<Vec<_>>().join("/")
}

/// The API's routes.
pub fn router(app: App) -> Router {
    let mut router = Router::new()
        .route("/openapi.json", get(async || Json(openapi::document().clone())))
        .route("/iam/v1/access_tokens", post(tokens::access))
        .route("/iam/v1/personal_access_tokens", post(tokens::make).get(tokens::list))
        .route("/iam/v1/personal_access_tokens/{id}", axum::routing::delete(tokens::forget))
        .route("/activity/v1/activities", get(activities::list))
        .route("/activity/v1/activities/{id}", get(activities::one))
        .route("/activity/v1/activities/{id}/events", get(activities::follow));
    for kind in kinds::KINDS {
        router = router
            .route(kind.path, get(move |asked| read::list(kind, asked)))
            .route(&routed(&kind.path_of_one()), get(move |asked| read::one(kind, asked)));
    }
    for given in commands::COMMANDS {
        let method = match given.method {
            commands::Method::Post => MethodFilter::POST,
            commands::Method::Patch => MethodFilter::PATCH,
            commands::Method::Delete => MethodFilter::DELETE,
        };
        router = router.route(&routed(given.path), on(method, move |asked| write::give(given, asked)));
    }
    router
        .fallback(async || Problem::not_found("there is no such address").into_response())
        .method_not_allowed_fallback(async || Problem::method_not_allowed().into_response())
        .layer(middleware::from_fn_with_state(app.clone(), throttle::limit))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(app)
}
