//! How a failure is told over HTTP: a status, a code for programs, a sentence for people.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::disk::ImageError;
use crate::host::HostError;
use crate::pair::PairError;
use crate::vcenter::KmsError;

/// An answer that says no.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn not_found(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", message)
    }

    pub(super) fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({ "error": { "code": self.code, "message": self.message } });
        (self.status, Json(body)).into_response()
    }
}

impl From<PairError> for ApiError {
    fn from(error: PairError) -> Self {
        let (status, code) = match &error {
            PairError::Host(error) => of_host(error),
            PairError::Kms(error) => of_kms(error),
            PairError::CutOff => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        if status.is_server_error() {
            tracing::error!(error = &error as &dyn std::error::Error, code, "request failed");
        }
        Self::new(status, code, with_causes(&error))
    }
}

impl From<KmsError> for ApiError {
    fn from(error: KmsError) -> Self {
        PairError::from(error).into()
    }
}

impl From<HostError> for ApiError {
    fn from(error: HostError) -> Self {
        PairError::from(error).into()
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), "bad-request", rejection.body_text())
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::new(rejection.status(), "bad-request", rejection.body_text())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), "bad-request", rejection.body_text())
    }
}

fn of_host(error: &HostError) -> (StatusCode, &'static str) {
    use HostError as E;
    match error {
        E::UnknownVm(_) => (StatusCode::NOT_FOUND, "unknown-vm"),
        E::UnknownDisk { .. } => (StatusCode::NOT_FOUND, "unknown-disk"),
        E::VmExists(_) => (StatusCode::CONFLICT, "vm-exists"),
        E::DiskInUse { .. } => (StatusCode::CONFLICT, "disk-in-use"),
        E::Busy(_) => (StatusCode::CONFLICT, "busy"),
        E::AlreadyEncrypted(_) => (StatusCode::CONFLICT, "already-encrypted"),
        E::NotEncrypted(_) => (StatusCode::CONFLICT, "not-encrypted"),
        E::Locked { .. } => (StatusCode::CONFLICT, "locked"),
        E::TooManyVms | E::DiskCount(_) => (StatusCode::BAD_REQUEST, "bad-request"),
        E::NoDiskSpace { .. } => (StatusCode::INSUFFICIENT_STORAGE, "no-disk-space"),
        E::Image(ImageError::Range { .. }) => (StatusCode::RANGE_NOT_SATISFIABLE, "range"),
        E::Image(ImageError::NotAFile(_) | ImageError::Length { .. }) => (StatusCode::BAD_REQUEST, "not-a-disk"),
        E::Image(ImageError::Interrupted(_)) | E::Interrupted(_) => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        E::Io { .. } | E::Image(ImageError::Io { .. }) => (StatusCode::INTERNAL_SERVER_ERROR, "io"),
        E::NoFreeName(_) | E::FolderInUse(_) | E::Config(_) | E::Wrap(_) | E::Key(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, "internal")
        }
    }
}

fn of_kms(error: &KmsError) -> (StatusCode, &'static str) {
    match error {
        KmsError::AllFailed { .. } => (StatusCode::BAD_GATEWAY, "kms"),
        KmsError::KeyMissing(_) => (StatusCode::BAD_GATEWAY, "key-missing"),
        KmsError::KeyNotActive { .. } => (StatusCode::BAD_GATEWAY, "key-not-active"),
        KmsError::UnknownProvider(_) => (StatusCode::NOT_FOUND, "unknown-provider"),
        KmsError::ProviderExists(_) => (StatusCode::CONFLICT, "provider-exists"),
        KmsError::NoDefaultProvider | KmsError::TooManyProviders | KmsError::Settings { .. } => {
            (StatusCode::BAD_REQUEST, "bad-request")
        }
        KmsError::Io { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "io"),
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
