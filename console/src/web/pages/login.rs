//! Logging in and out, and the language.

use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::api::App;
use crate::identity::{IdentityError, Wanted, check_password, in_tenant, issue};
use crate::limits::{PERSONAL_TOKEN_S, SESSION_S, TEXT_BYTES};
use crate::web::layout;
use crate::web::session::{LANGUAGE, SESSION, Sent, Visitor, fields, is_own, language, set_cookie};
use crate::web::text::{Language, Text};

fn form(language: Language, login: &str, fault: Option<Text>) -> Markup {
    let text = |text: Text| text.in_language(language);
    let content = html! {
        p.intro { (text(Text::LoginIntro)) }
        @if let Some(fault) = fault { p.fault role="alert" { (text(fault)) } }
        form method="post" action="/login" {
            label for="login" { (text(Text::LoginName)) }
            input #login name="login" value=(login) autocomplete="username" autocapitalize="none" required
                maxlength=(TEXT_BYTES) autofocus;
            label for="password" { (text(Text::Password)) }
            input #password name="password" type="password" autocomplete="current-password" required
                maxlength=(TEXT_BYTES);
            button.primary type="submit" { (text(Text::Login)) }
        }
    };
    layout::bare(language, text(Text::LoginTitle), &content)
}

pub async fn show(headers: HeaderMap) -> Markup {
    form(language(&headers), "", None)
}

pub async fn enter(State(app): State<App>, request: Request) -> Response {
    let language = language(request.headers());
    if !is_own(request.headers()) {
        return layout::failure(403, Text::TryAgain, language);
    }
    let fields = fields(request).await.unwrap_or_default();
    let text = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    match session(&app, text("login"), text("password")).await {
        Ok(cookie) => (AppendHeaders([(SET_COOKIE, cookie)]), Redirect::to("/")).into_response(),
        Err(IdentityError::Store(error)) => {
            tracing::error!(error = &error as &dyn std::error::Error, "log in");
            layout::failure(500, Text::TryAgain, language)
        }
        Err(_) => (StatusCode::UNAUTHORIZED, form(language, text("login"), Some(Text::LoginWrong))).into_response(),
    }
}

async fn session(app: &App, login: &str, password: &str) -> Result<String, IdentityError> {
    let store = &app.platform.store;
    let account = check_password(store, login, password).await?;
    let who = in_tenant(store, &account.login, None).await?;
    let issued = issue(store, &who, &Wanted::session()).await?;
    Ok(set_cookie(SESSION, &issued.secret, SESSION_S))
}

pub async fn leave(State(app): State<App>, sent: Sent) -> Response {
    let Visitor { who, session, language, .. } = sent.visitor;
    if app.platform.store.forget_token(&who.login, &who.tenant, &session).await.is_err() {
        return layout::failure(500, Text::TryAgain, language);
    }
    (AppendHeaders([(SET_COOKIE, set_cookie(SESSION, "", 0))]), Redirect::to("/login")).into_response()
}

/// Chooses the language: it says nothing about anybody, so that one need not be logged in.
pub async fn speak(request: Request) -> Response {
    let headers = request.headers().clone();
    if !is_own(&headers) {
        return layout::failure(403, Text::TryAgain, language(&headers));
    }
    let fields = fields(request).await.unwrap_or_default();
    let chosen = fields.get("language").and_then(|code| Language::of_code(code)).unwrap_or_default();
    let cookie = set_cookie(LANGUAGE, chosen.code(), PERSONAL_TOKEN_S);
    (AppendHeaders([(SET_COOKIE, cookie)]), Redirect::to(&back(&headers))).into_response()
}

/// The page that the form was on: a path of ours, whatever the browser says.
fn back(headers: &HeaderMap) -> String {
    let from = headers.get("referer").and_then(|from| from.to_str().ok());
    let uri = from.and_then(|from| from.parse::<axum::http::Uri>().ok());
    let path = uri.as_ref().and_then(axum::http::Uri::path_and_query).map(|path| path.as_str().to_owned());
    path.filter(|path| path.starts_with('/') && !path.starts_with("//") && !path.contains('\\'))
        .unwrap_or("/".to_owned())
}
