//! Who looks at a page: the session in the cookie, the language, and the proof that a form is one of ours.
//!
//! The cookie begins with `__Host-`, so that a browser takes it from this host over TLS only, and no script reads it. A
//! form carries a value made from the session's secret, which another site cannot know; besides, a request that changes
//! something must come from our own pages by what the browser says of it.

use std::collections::BTreeMap;

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use subtle::ConstantTimeEq as _;

use super::layout;
use super::text::{Language, Text};
use crate::api::guard::may_come;
use crate::api::{App, Peer};
use crate::identity::{hash, holder};
use crate::limits::BODY_BYTES;
use crate::platform::Principal;
use crate::store::TokenKind;

/// The session's cookie.
pub const SESSION: &str = "__Host-clavis";
/// The language's.
pub const LANGUAGE: &str = "__Host-clavis-language";

/// Somebody who is logged in.
pub struct Visitor {
    /// Who, and in which tenant.
    pub who: Principal,
    /// The language that they read.
    pub language: Language,
    /// What a form of theirs carries.
    pub proof: String,
    /// By which their session is named.
    pub session: String,
}

/// The cookie of that name.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';')).find_map(|one| one.trim().strip_prefix(name)?.strip_prefix('='))
}

/// What is said to a browser so that it keeps a cookie for so long, or forgets it with 0.
#[must_use]
pub fn set_cookie(name: &str, value: &str, seconds: u64) -> String {
    format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict")
}

/// The language that was chosen, or else the one that the browser prefers.
#[must_use]
pub fn language(headers: &HeaderMap) -> Language {
    let chosen = cookie(headers, LANGUAGE).and_then(Language::of_code);
    let preferred = || Language::accepted(headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?);
    chosen.or_else(preferred).unwrap_or_default()
}

fn proof(secret: &str) -> String {
    hex::encode(hash(&format!("form {secret}")))
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let language = language(&parts.headers);
        let login = || Redirect::to("/login").into_response();
        let secret = cookie(&parts.headers, SESSION).ok_or_else(login)?;
        let token = holder(&app.platform.store, TokenKind::Session, secret).await.map_err(|_| login())?;
        let from = parts.extensions.get::<Peer>().map(|peer| peer.0.ip());
        if !may_come(&app.platform.current().inventory, &token.tenant, from) {
            return Err(layout::failure(403, Text::Forbidden, language));
        }
        Ok(Self { who: token.principal(), language, proof: proof(secret), session: token.id })
    }
}

/// A form that one of our own pages has sent, and whose sender it proves.
pub struct Sent {
    /// Who has sent it.
    pub visitor: Visitor,
    /// What it says.
    pub fields: BTreeMap<String, String>,
}

impl FromRequest<App> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, app).await?;
        let refused = || layout::failure(403, Text::TryAgain, visitor.language);
        if !is_own(&parts.headers) {
            return Err(refused());
        }
        let fields = fields(Request::from_parts(parts, body)).await.ok_or_else(refused)?;
        let given = fields.get("proof").map(String::as_bytes).unwrap_or_default();
        if !bool::from(given.ct_eq(visitor.proof.as_bytes())) {
            return Err(refused());
        }
        Ok(Self { visitor, fields })
    }
}

/// Whether a browser says that one of our own pages has sent the request.
#[must_use]
pub fn is_own(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text(ORIGIN.as_str())) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => text(HOST.as_str()).is_some_and(|host| origin == format!("https://{host}")),
        (None, None) => false,
    }
}

/// The fields of a form, `None` for what is none.
pub async fn fields(request: Request) -> Option<BTreeMap<String, String>> {
    let bytes = axum::body::to_bytes(request.into_body(), BODY_BYTES).await.ok()?;
    // A form is encoded as a query is.
    let uri: Uri = format!("/?{}", std::str::from_utf8(&bytes).ok()?).parse().ok()?;
    Query::<BTreeMap<String, String>>::try_from_uri(&uri).ok().map(|Query(fields)| fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_form_of_another_site_is_not_ours() {
        let host = ("host", "console.example");
        assert!(is_own(&headers(&[host, ("sec-fetch-site", "same-origin")])));
        assert!(is_own(&headers(&[host, ("origin", "https://console.example")])));
        for other in ["cross-site", "same-site", "none"] {
            assert!(!is_own(&headers(&[host, ("sec-fetch-site", other), ("origin", "https://console.example")])));
        }
        assert!(!is_own(&headers(&[host, ("origin", "https://evil.example")])));
        assert!(!is_own(&headers(&[host, ("origin", "null")])));
        assert!(!is_own(&headers(&[host])));
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let sent = headers(&[("cookie", "x__Host-clavis=no; __Host-clavis-language=fr; __Host-clavis=yes")]);
        assert_eq!(cookie(&sent, SESSION), Some("yes"));
        assert_eq!(cookie(&sent, LANGUAGE), Some("fr"));
        assert_eq!(language(&sent), Language::French);
    }
}
