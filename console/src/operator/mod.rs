//! The operator's page: how the key service is. It has a listener and a login of its own, so that no tenant's session
//! reaches it: whoever comes proves to hold the key of a certificate, and the key service says whose it is.

mod door;
mod page;

pub use door::{Holder, holder_of, tls};

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Router, middleware};

use crate::api::{App, throttle};
use crate::limits::BODY_BYTES;
use crate::web::{self, pages, text::Text};

/// What the operator's listener answers.
pub fn router(app: App) -> Router {
    let own = Router::new()
        .route("/", get(page::show))
        .route("/language", post(pages::login::speak))
        .fallback(async |official: door::Official| web::layout::failure(404, Text::NotFound, official.language))
        .layer(middleware::from_fn(web::not_kept))
        .layer(middleware::from_fn_with_state(app.clone(), throttle::limit))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(app);
    own.merge(web::assets()).layer(middleware::from_fn(web::guarded))
}
