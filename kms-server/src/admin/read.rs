//! Reads what a request says, within limits, and refuses the rest as the API refuses: with a code and a sentence.

use std::future::poll_fn;
use std::pin::Pin;

use admin_api::{Effect, ErrorCode};
use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use zeroize::Zeroizing;

use super::backend::Refusal;
use super::routes::App;

/// What is read and thrown away of a body over the limit: a peer that still writes does not read the refusal, and
/// closing on it would look like a broken connection.
const MAX_DISCARDED: usize = 1 << 20;

/// A JSON body.
pub(super) struct Sent<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for Sent<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = content_type.and_then(|value| value.split(';').next()).map(str::trim);
        // A web page in an administrator's browser can send forms and plain text anywhere, but no JSON.
        if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
            return Err(Refusal::new(ErrorCode::BadRequest, "the body must be application/json"));
        }
        let read = read_body(request.into_body(), app.limits.admin_body_bytes);
        let body = tokio::time::timeout(app.limits.body_deadline, read)
            .await
            .map_err(|_| Refusal::new(ErrorCode::Timeout, "the body did not arrive in time"))??;
        serde_json::from_slice(&body).map(Self).map_err(|error| Refusal::new(ErrorCode::BadRequest, fault_in(&error)))
    }
}

async fn read_body(mut body: Body, limit: usize) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    // Reserved at once where the length is announced: passwords travel here, and growing leaves copies behind.
    let announced = body.size_hint().lower().min(limit as u64);
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(announced).unwrap_or(0)));
    let mut seen = 0_usize;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| Refusal::new(ErrorCode::BadRequest, "the body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        if seen <= limit {
            bytes.extend_from_slice(&data);
        } else if seen > limit.saturating_add(MAX_DISCARDED) {
            break;
        }
    }
    if seen > limit {
        return Err(Refusal::new(ErrorCode::TooLarge, format!("the body is over {limit} bytes")));
    }
    Ok(bytes)
}

/// The variable parts of the path.
pub(super) struct Named<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Named<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        match Path::<T>::from_request_parts(parts, app).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(_) => Err(Refusal::new(
                ErrorCode::BadRequest,
                "a part of the path is not what stands there: a UUID for an object, 64 hexadecimal digits for a client",
            )),
        }
    }
}

/// The query.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        match Query::<T>::from_request_parts(parts, app).await {
            Ok(Query(value)) => Ok(Self(value)),
            // The parser's own words would quote what was sent.
            Err(_) => {
                Err(Refusal::new(ErrorCode::BadRequest, "query: a parameter is unknown, missing, or not of its kind"))
            }
        }
    }
}

/// `?dry_run=`, of everything that destroys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DryRun {
    #[serde(default)]
    dry_run: bool,
}

impl DryRun {
    pub(super) fn effect(&self) -> Effect {
        if self.dry_run { Effect::DryRun } else { Effect::Real }
    }
}

/// Where a body is wrong, and in what way. The parser's own words would quote values, and a password may be one.
fn fault_in(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Io => "cannot be read",
        Category::Syntax => "is no JSON",
        Category::Data => "has a field that is unknown, missing, or not of its kind",
        Category::Eof => "ends too early",
    };
    format!("body: {what} (line {}, column {})", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use admin_api::{IssueClient, NewDomain};

    use super::*;

    #[test]
    fn a_fault_is_told_by_its_place_and_never_quotes_a_value() {
        let in_domain = |body: &str| fault_in(&serde_json::from_str::<NewDomain>(body).unwrap_err());
        assert_eq!(
            in_domain("{\n \"name\": 7}"),
            format!(
                "body: {} (line 2, column 10)",
                "has a field that is unknown, \
            missing, or not of its kind"
            )
        );
        assert_eq!(in_domain("{x"), "body: is no JSON (line 1, column 2)");
        assert_eq!(in_domain("{"), "body: ends too early (line 1, column 1)");
        for body in [
            r#"{"name":"n","credential":{"username":"u","password":["horse"]}}"#,
            r#"{"name":"n","credential":"horse"}"#,
            r#"{"name":"n","credential":{"username":"u","horse":"x"}}"#,
            r#"{"name":"n","credential":{"username":"u","password":"horse\q"}}"#,
        ] {
            let told = fault_in(&serde_json::from_str::<IssueClient>(body).unwrap_err());
            assert!(!told.contains("horse"), "{told}");
        }
    }
}
