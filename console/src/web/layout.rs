//! The frame around every page.

use admin_api::Administrator;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::session::Visitor;
use super::text::{Language, Text};

/// A page of the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The dashboard.
    Dashboard,
    /// VMs.
    Machines,
    /// Activities.
    Activities,
    /// Keys and audit.
    Keys,
    /// Personal access tokens.
    Tokens,
}

const MENU: [(Place, &str, Text); 5] = [
    (Place::Dashboard, "/", Text::Dashboard),
    (Place::Machines, "/vms", Text::Machines),
    (Place::Activities, "/activities", Text::Activities),
    (Place::Keys, "/keys", Text::KeysAndAudit),
    (Place::Tokens, "/tokens", Text::Tokens),
];

fn document(title: &str, language: Language, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(language.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · " (Text::Product.in_language(language)) }
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/assets/style.css";
                script src="/assets/console.js" defer {}
            }
            body { (body) }
        }
    }
}

/// The form with which one changes the language.
fn languages(language: Language, proof: Option<&str>) -> Markup {
    html! {
        form.language method="post" action="/language" {
            @if let Some(proof) = proof { input type="hidden" name="proof" value=(proof); }
            label.hidden for="language" { (Text::Language.in_language(language)) }
            select #language name="language" data-submit {
                @for one in Language::ALL {
                    option value=(one.code()) lang=(one.code()) selected[one == language] { (one.name()) }
                }
            }
            button.quiet type="submit" { (Text::Change.in_language(language)) }
        }
    }
}

/// A page for somebody who is logged in.
pub fn page(visitor: &Visitor, place: Option<Place>, title: &str, content: &Markup) -> Markup {
    let language = visitor.language;
    let text = |text: Text| text.in_language(language);
    let body = html! {
        a.skip href="#content" { (text(Text::SkipToContent)) }
        header.top {
            a.brand href="/" { span.mark aria-hidden="true" {} (text(Text::Product)) }
            nav aria-label=(text(Text::Menu)) {
                ul {
                    @for (one, href, name) in MENU {
                        li { a href=(href) aria-current=[(place == Some(one)).then_some("page")] { (text(name)) } }
                    }
                }
            }
            div.who {
                span.tenant title=(text(Text::Tenant)) { (visitor.who.tenant) }
                (languages(language, Some(&visitor.proof)))
                form method="post" action="/logout" {
                    input type="hidden" name="proof" value=(visitor.proof);
                    button.quiet type="submit" { (text(Text::LogOut)) }
                }
            }
        }
        main #content tabindex="-1" { h1 { (title) } (content) }
    };
    document(title, language, &body)
}

/// A page for an administrator of the key service.
pub fn official(who: &Administrator, language: Language, title: &str, content: &Markup) -> Markup {
    let text = |text: Text| text.in_language(language);
    let body = html! {
        a.skip href="#content" { (text(Text::SkipToContent)) }
        header.top {
            a.brand href="/" { span.mark aria-hidden="true" {} (text(Text::Product)) }
            div.who {
                span.tenant { (who.name) " · " span lang="en" { (who.role) } }
                (languages(language, None))
            }
        }
        main #content tabindex="-1" { h1 { (title) } (content) }
    };
    document(title, language, &body)
}

/// A page for somebody who is not logged in.
pub fn bare(language: Language, title: &str, content: &Markup) -> Markup {
    let body = html! {
        main.bare #content {
            div.card {
                p.brand { span.mark aria-hidden="true" {} (Text::Product.in_language(language)) }
                h1 { (title) }
                (content)
            }
            (languages(language, None))
        }
    };
    document(title, language, &body)
}

/// What is shown where there is no page to show.
pub fn failure(status: u16, why: Text, language: Language) -> Response {
    let content = html! {
        p { a href="/" { (Text::BackToDashboard.in_language(language)) } }
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, bare(language, why.in_language(language), &content)).into_response()
}
