//! The tenant's keys and their log: which key protects which VM, what state it is in, who has used it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use provisioning::permission::Permission;

use super::machines::of;
use crate::api::App;
use crate::platform::now;
use crate::web::key_service::{KeyServiceError, Record, Shown};
use crate::web::layout::{self, Place};
use crate::web::session::Visitor;
use crate::web::text::{Language, Text};

pub async fn show(State(app): State<App>, visitor: Visitor) -> Response {
    let language = visitor.language;
    let text = |text: Text| text.in_language(language);
    if !visitor.who.permissions.contains(&Permission::ComputeRead) {
        return layout::failure(403, Text::Forbidden, language);
    }
    let current = app.platform.current();
    let protected: Vec<(String, String, String)> = of(&current.inventory, &visitor.who.tenant)
        .filter_map(|vm| Some((vm.id.to_string(), vm.name.clone(), vm.encryption.as_ref()?.key.to_string())))
        .take(crate::limits::PAGE_MOST)
        .collect();
    let keys = protected.iter().map(|(_, _, key)| key.clone()).collect();
    let looked = look(&app, &visitor, keys).await;
    let state = |key: &str| {
        let shown = looked.as_ref().ok();
        shown.and_then(|shown| shown.states.iter().find(|(one, _)| one == key)).map_or("–", |(_, state)| state)
    };
    let content = html! {
        section.panel {
            h2 { (text(Text::WhichKey)) }
            @if protected.is_empty() {
                p.empty { (text(Text::NoKeys)) }
            } @else {
                div.scroll {
                    table {
                        thead { tr {
                            th scope="col" { (text(Text::Machine)) }
                            th scope="col" { (text(Text::Key)) }
                            th scope="col" { (text(Text::KeyState)) }
                        } }
                        tbody {
                            @for (id, name, key) in &protected {
                                tr {
                                    th scope="row" { a href={ "/vms/" (id) } { (name) } }
                                    td { code { (key) } }
                                    td lang="en" { (state(key)) }
                                }
                            }
                        }
                    }
                }
            }
        }
        section.panel #audit {
            h2 { (text(Text::AuditLog)) }
            p { (text(Text::AuditIntro)) }
            @match &looked {
                Ok(shown) => {
                    p { a.button href="/keys/proofs" download { (text(Text::Download)) } }
                    (records(&shown.records, language))
                }
                Err(_) => p.notice { (text(Text::NoKeyService)) },
            }
        }
    };
    layout::page(&visitor, Some(Place::Keys), text(Text::KeysAndAudit), &content).into_response()
}

async fn look(app: &App, visitor: &Visitor, keys: Vec<String>) -> Result<Shown, KeyServiceError> {
    let service = app.key_service.clone().ok_or(KeyServiceError::NoDomain)?;
    let (current, tenant) = (app.platform.current(), visitor.who.tenant.clone());
    let looked = tokio::task::spawn_blocking(move || service.look(&current.inventory, &tenant, &keys, now())).await;
    let looked = looked.unwrap_or(Err(KeyServiceError::NoDomain));
    looked.inspect_err(|error| tracing::warn!(%error, "the key service"))
}

fn records(records: &[Record], language: Language) -> Markup {
    let text = |text: Text| text.in_language(language);
    html! {
        div.scroll {
            table.audit {
                thead { tr {
                    th.number scope="col" { "#" }
                    th scope="col" { (text(Text::Time)) }
                    th scope="col" { (text(Text::Operation)) }
                    th scope="col" { (text(Text::Object)) }
                    th scope="col" { (text(Text::Who)) }
                    th scope="col" { (text(Text::Outcome)) }
                } }
                tbody lang="en" {
                    @for record in records {
                        tr {
                            td.number { @if let Some(index) = record.index { (index) } }
                            td { time { (record.time) } }
                            td { (record.operation) }
                            td { @if let Some(object) = &record.object { code { (object) } } }
                            td { (record.name.as_deref().unwrap_or(&record.identity)) }
                            td { (record.outcome) @if let Some(reason) = &record.reason { " · " (reason) } }
                        }
                    }
                }
            }
        }
    }
}

/// The whole log with proofs, as a file.
pub async fn proofs(State(app): State<App>, visitor: Visitor) -> Response {
    let language = visitor.language;
    if !visitor.who.permissions.contains(&Permission::ComputeRead) {
        return layout::failure(403, Text::Forbidden, language);
    }
    let Some(service) = app.key_service.as_ref().map(Arc::clone) else {
        return layout::failure(503, Text::NoKeyService, language);
    };
    let (current, tenant) = (app.platform.current(), visitor.who.tenant.clone());
    let read = tokio::task::spawn_blocking(move || {
        let mut bundle = Vec::new();
        service.proofs(&current.inventory, &tenant, &mut bundle).map(|()| bundle)
    });
    match read.await {
        Ok(Ok(bundle)) => {
            let name = "attachment; filename=\"audit.jsonl\"";
            ([(CONTENT_TYPE, "application/jsonl"), (CONTENT_DISPOSITION, name)], bundle).into_response()
        }
        _ => layout::failure(503, Text::NoKeyService, language),
    }
}
