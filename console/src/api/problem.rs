//! Problem details (RFC 9457): what went wrong, with every rule that refuses and the numbers of the rules.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use provisioning::Finding;
use provisioning::rule::Kind;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::identity::IdentityError;
use crate::platform::Refusal;
use crate::store::StoreError;

/// What is told of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FindingShown {
    /// The rule's name, which never changes.
    pub rule: String,
    /// Its number, such as R68b, or `flow`.
    pub number: String,
    /// `reject`, `warn` or `service-request`.
    pub kind: String,
    /// What is so.
    pub message: String,
    /// Why the rule is there, and what to do.
    pub why: String,
    /// The facts that break it, by name.
    #[schema(value_type = Object)]
    pub evidence: Value,
}

impl FindingShown {
    /// As the finding is shown.
    #[must_use]
    pub fn of(finding: &Finding) -> Self {
        let facts = finding.facts.iter();
        let evidence = facts.map(|(name, value)| ((*name).to_owned(), serde_json::to_value(value).unwrap_or_default()));
        Self {
            rule: finding.rule.id.to_owned(),
            number: finding.rule.number.to_string(),
            kind: finding.rule.kind.text().replace(' ', "-"),
            message: finding.message(),
            why: finding.rule.why.to_owned(),
            evidence: Value::Object(evidence.collect()),
        }
    }
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Which kind of problem: a name that never changes.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The same for people.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong this time.
    pub detail: String,
    /// Every rule that refuses, in the order in which one would put it right.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingShown>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { kind, title, status: status.as_u16(), detail: detail.into(), findings: Vec::new() }
    }

    /// There is none, or none that the caller may know of.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "/problems/not-found", "Not found", detail)
    }

    /// The address takes other methods.
    pub fn method_not_allowed() -> Self {
        let detail = "this address takes other methods";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "/problems/method", "Method not allowed", detail)
    }

    /// The request cannot be read.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "/problems/unreadable", "The request cannot be read", detail)
    }

    /// Nobody is known by what was shown.
    pub fn unauthorized() -> Self {
        let detail = "an access token is needed: POST a personal access token to /iam/v1/access_tokens";
        Self::new(StatusCode::UNAUTHORIZED, "/problems/unauthorized", "Not logged in", detail)
    }

    /// They may not.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "/problems/forbidden", "Not permitted", detail)
    }

    /// They ask too often.
    pub fn too_many(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "/problems/too-many-requests", "Too many requests", detail)
    }

    /// Rules refuse it.
    #[must_use]
    pub fn refused(findings: &[Finding]) -> Self {
        let has = |id: &str| findings.iter().any(|finding| finding.rule.id == id);
        let (status, kind, title) = if has("request-names-what-exists") {
            (StatusCode::NOT_FOUND, "/problems/not-found", "Not found")
        } else if has("requester-has-permission") {
            (StatusCode::FORBIDDEN, "/problems/forbidden", "Not permitted")
        } else if findings.iter().all(|finding| finding.rule.kind == Kind::ServiceRequest) {
            (StatusCode::UNPROCESSABLE_ENTITY, "/problems/service-request", "A service request is needed")
        } else if has("vm-is-not-held") {
            (StatusCode::CONFLICT, "/problems/busy", "Another activity has it")
        } else {
            (StatusCode::UNPROCESSABLE_ENTITY, "/problems/refused", "Rules refuse it")
        };
        let sentences: Vec<String> = findings.iter().map(Finding::message).collect();
        let findings = findings.iter().map(FindingShown::of).collect();
        Self { findings, ..Self::new(status, kind, title, sentences.join("; ")) }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "store");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "/problems/internal", "Internal error", "nothing has changed")
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let said = refusal.to_string();
        match refusal {
            Refusal::Findings(findings) => Self::refused(&findings),
            Refusal::NotCarriedOut(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "/problems/not-carried-out", "Not carried out here", said)
            }
            Refusal::TokenUsed => {
                Self::new(StatusCode::CONFLICT, "/problems/client-token", "The client token was used", said)
            }
            Refusal::Changed => {
                Self::new(StatusCode::PRECONDITION_FAILED, "/problems/changed", "Changed meanwhile", said)
            }
            Refusal::TooMany => Self::too_many(said),
            Refusal::Store(error) => error.into(),
        }
    }
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        let said = error.to_string();
        match error {
            IdentityError::Wrong | IdentityError::NoTenant => Self::unauthorized(),
            IdentityError::Text(_) => Self::bad_request(said),
            IdentityError::TooMany => Self::new(StatusCode::CONFLICT, "/problems/tokens", "Too many tokens", said),
            IdentityError::Store(error) => error.into(),
            IdentityError::NoSecret => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "/problems/internal", "Internal error", said)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
