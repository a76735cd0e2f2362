//! A person's own personal access tokens: which there are, a new one whose secret is told once, and the end of one.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use provisioning::permission::Permission;

use super::moment;
use crate::api::App;
use crate::identity::{IdentityError, Wanted, issue};
use crate::limits::{PERSONAL_TOKEN_S, TEXT_BYTES};
use crate::platform::{Principal, now};
use crate::store::{StoreError, TokenKind};
use crate::web::layout::{self, Place};
use crate::web::session::{Sent, Visitor};
use crate::web::text::Text;

const DAY_S: u64 = 86_400;
/// The life that the form proposes, in days.
const PROPOSED: u64 = 90;

/// What the form calls a token with which one can only look.
const READ: &str = "read";

/// What the page says besides the tokens.
enum Said<'a> {
    Nothing,
    /// A token was made: its secret.
    Made(&'a str),
    /// It was not.
    Fault(Text),
}

pub async fn show(State(app): State<App>, visitor: Visitor) -> Response {
    answer(&app, &visitor, &Said::Nothing, StatusCode::OK).await
}

pub async fn make(State(app): State<App>, sent: Sent) -> Response {
    let Sent { visitor, fields } = sent;
    let text = |name: &str| fields.get(name).map(|text| text.trim()).unwrap_or_default();
    let days = text("days").parse::<u64>().ok().and_then(|days| days.checked_mul(DAY_S));
    let Some(life_s) = days.filter(|life| (1..=PERSONAL_TOKEN_S).contains(life)) else {
        return answer(&app, &visitor, &Said::Fault(Text::TokenDaysWrong), StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let wanted = Wanted { kind: TokenKind::Personal, name: text("name"), life_s, parent: None };
    let Principal { login, tenant, permissions } = visitor.who.clone();
    let may = |one: &Permission| text("reach") != READ || one.name().ends_with("_read");
    let who = Principal { login, tenant, permissions: permissions.into_iter().filter(may).collect() };
    match issue(&app.platform.store, &who, &wanted).await {
        Ok(issued) => answer(&app, &visitor, &Said::Made(&issued.secret), StatusCode::CREATED).await,
        Err(IdentityError::Text(_)) => {
            answer(&app, &visitor, &Said::Fault(Text::TokenNameWrong), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(IdentityError::TooMany) => {
            answer(&app, &visitor, &Said::Fault(Text::TooManyTokens), StatusCode::CONFLICT).await
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "token");
            layout::failure(500, Text::TryAgain, visitor.language)
        }
    }
}

pub async fn forget(State(app): State<App>, Path(id): Path<String>, sent: Sent) -> Response {
    let Visitor { who, language, .. } = sent.visitor;
    match app.platform.store.forget_token(&who.login, &who.tenant, &id).await {
        Ok(true) => Redirect::to("/tokens").into_response(),
        Ok(false) => layout::failure(404, Text::NotFound, language),
        Err(error) => failed(&error, language),
    }
}

fn failed(error: &StoreError, language: crate::web::text::Language) -> Response {
    tracing::error!(error = error as &dyn std::error::Error, "tokens");
    layout::failure(500, Text::TryAgain, language)
}

async fn answer(app: &App, visitor: &Visitor, said: &Said<'_>, status: StatusCode) -> Response {
    let language = visitor.language;
    let text = |text: Text| text.in_language(language);
    let tokens = match app.platform.store.personal_tokens(&visitor.who.login, &visitor.who.tenant, now()).await {
        Ok(tokens) => tokens,
        Err(error) => return failed(&error, language),
    };
    let content = html! {
        p.intro { (text(Text::TokensIntro)) }
        @match said {
            Said::Nothing => {}
            Said::Made(secret) => {
                section.panel role="status" {
                    h2 { (text(Text::TokenMade)) }
                    p { (text(Text::TokenOnce)) }
                    p { code #secret { (secret) } }
                }
            }
            Said::Fault(fault) => { p.fault role="alert" { (text(*fault)) } }
        }
        (form(visitor))
        @if tokens.is_empty() {
            p.empty { (text(Text::NoTokens)) }
        } @else {
            div.scroll {
                table {
                    thead { tr {
                        th scope="col" { (text(Text::Name)) }
                        th scope="col" { (text(Text::Begun)) }
                        th scope="col" { (text(Text::GoodUntil)) }
                        th.number scope="col" { (text(Text::Permissions)) }
                        th scope="col" { span.hidden { (text(Text::Forget)) } }
                    } }
                    tbody {
                        @for token in &tokens {
                            tr {
                                th scope="row" { (token.name) }
                                td { (moment(token.created_at)) }
                                td { (moment(token.expires_at)) }
                                td.number { (token.permissions.len()) }
                                td {
                                    form method="post" action={ "/tokens/" (token.id) "/forget" } {
                                        input type="hidden" name="proof" value=(visitor.proof);
                                        button type="submit" {
                                            (text(Text::Forget)) span.hidden { " " (token.name) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    (status, layout::page(visitor, Some(Place::Tokens), text(Text::Tokens), &content)).into_response()
}

fn form(visitor: &Visitor) -> Markup {
    let text = |text: Text| text.in_language(visitor.language);
    html! {
        form.panel.token method="post" action="/tokens" {
            input type="hidden" name="proof" value=(visitor.proof);
            label for="name" { (text(Text::Name)) }
            input #name name="name" required maxlength=(TEXT_BYTES) placeholder=(text(Text::TokenName)) autocomplete="off";
            label for="days" { (text(Text::Days)) }
            input #days name="days" type="number" required min="1" max=(PERSONAL_TOKEN_S / DAY_S) value=(PROPOSED);
            label for="reach" { (text(Text::Reach)) }
            select #reach name="reach" {
                option value="all" { (text(Text::ReachAll)) }
                option value=(READ) { (text(Text::ReachRead)) }
            }
            button.primary type="submit" { (text(Text::MakeToken)) }
        }
    }
}
