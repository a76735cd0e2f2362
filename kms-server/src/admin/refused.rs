//! Tells of requests that were refused before they became an act: a path that there is not, a body that cannot be read.
//!
//! What an act refuses, the backend has told. Every other refusal passes here on its way out, whichever route it comes
//! from, and leaves when it is on record.

use admin_api::ErrorCode;
use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::answer::Refused;
use super::backend::Caller;
use super::routes::App;

/// The layer around all routes.
pub(super) async fn tell(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
    // Without the query, which may hold anything.
    let asked = format!("{} {}", request.method(), request.uri().path());
    let response = next.run(request).await;
    match untold(&response) {
        None => response,
        Some(code) => match app.note_refusal(caller, asked, code).await {
            Ok(()) => response,
            Err(refusal) => refusal.into_response(),
        },
    }
}

/// The code of a refusal that nobody told of.
fn untold(response: &Response) -> Option<ErrorCode> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    match response.extensions().get::<Refused>() {
        Some(refused) => (!refused.told).then_some(refused.code),
        // Not in the words of this API, so not by any of its handlers.
        None if status == StatusCode::NOT_FOUND => Some(ErrorCode::NotFound),
        None if status == StatusCode::METHOD_NOT_ALLOWED => Some(ErrorCode::MethodNotAllowed),
        None if status.is_server_error() => Some(ErrorCode::Internal),
        None => Some(ErrorCode::BadRequest),
    }
}

#[cfg(test)]
mod tests {
    use super::super::backend::Refusal;
    use super::*;

    #[test]
    fn what_was_told_is_not_told_again_and_nothing_else_is_forgotten() {
        let refusal = || Refusal::new(ErrorCode::TooLarge, "too large");
        assert_eq!(untold(&refusal().into_response()), Some(ErrorCode::TooLarge));
        assert_eq!(untold(&refusal().told().into_response()), None);
        assert_eq!(untold(&StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response()), Some(ErrorCode::BadRequest));
        assert_eq!(untold(&StatusCode::INTERNAL_SERVER_ERROR.into_response()), Some(ErrorCode::Internal));
        assert_eq!(untold(&StatusCode::CREATED.into_response()), None);
    }
}
