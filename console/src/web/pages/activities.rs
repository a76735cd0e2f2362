//! Activities, and one of them as it goes on.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use provisioning::ids::ActivityId;
use provisioning::permission::Permission;

use super::moment;
use crate::api::App;
use crate::api::activities::{ActivityShown, following};
use crate::limits::PAGE;
use crate::store::ActivityState;
use crate::web::layout::{self, Place};
use crate::web::session::Visitor;
use crate::web::text::{Language, Text};

const fn state(shown: &ActivityShown) -> Text {
    match shown.state {
        ActivityState::Waiting => Text::Waiting,
        ActivityState::Running if shown.going_back => Text::GoingBack,
        ActivityState::Running => Text::Working,
        ActivityState::Completed => Text::Completed,
        ActivityState::Failed => Text::Failed,
    }
}

pub(super) fn table(activities: &[ActivityShown], language: Language) -> Markup {
    let text = |text: Text| text.in_language(language);
    html! {
        @if activities.is_empty() {
            p.empty { (text(Text::NoActivities)) }
        } @else {
            div.scroll {
                table {
                    thead { tr {
                        th scope="col" { (text(Text::Activity)) }
                        th scope="col" { (text(Text::Machine)) }
                        th scope="col" { (text(Text::State)) }
                        th scope="col" { (text(Text::AskedBy)) }
                        th scope="col" { (text(Text::Begun)) }
                    } }
                    tbody {
                        @for one in activities {
                            tr {
                                th scope="row" { a href={ "/activities/" (one.id) } { (one.command) } }
                                td { @if let Some(vm) = &one.vm { a href={ "/vms/" (vm) } { (vm) } } @else { "–" } }
                                td { span class={ "state " (one.state.text()) } { (text(state(one))) } }
                                td { (one.login) }
                                td { time { (moment(one.created_at)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The newest activities of the visitor's tenant, as many as are wanted; none for one who may not see them.
pub(super) async fn newest(app: &App, visitor: &Visitor, count: usize) -> Vec<ActivityShown> {
    let mut shown = Vec::new();
    if visitor.who.permissions.contains(&Permission::ActivityRead) {
        let found = app.platform.store.activities(&visitor.who.tenant, None, None, None, count).await;
        for activity in found.unwrap_or_default() {
            shown.push(ActivityShown::of(&app.platform, &activity).await);
        }
    }
    shown
}

pub async fn show(State(app): State<App>, visitor: Visitor) -> Response {
    if !visitor.who.permissions.contains(&Permission::ActivityRead) {
        return layout::failure(403, Text::Forbidden, visitor.language);
    }
    let content = table(&newest(&app, &visitor, PAGE).await, visitor.language);
    let title = Text::Activities.in_language(visitor.language);
    layout::page(&visitor, Some(Place::Activities), title, &content).into_response()
}

pub async fn one(State(app): State<App>, visitor: Visitor, Path(id): Path<String>) -> Response {
    let language = visitor.language;
    if !visitor.who.permissions.contains(&Permission::ActivityRead) {
        return layout::failure(403, Text::Forbidden, language);
    }
    let activity = match app.platform.store.activity(&visitor.who.tenant, &ActivityId::new(id)).await {
        Ok(Some(activity)) => activity,
        Ok(None) => return layout::failure(404, Text::NotFound, language),
        Err(_) => return layout::failure(500, Text::TryAgain, language),
    };
    let shown = ActivityShown::of(&app.platform, &activity).await;
    let text = |text: Text| text.in_language(language);
    let follows = (!shown.state.is_final()).then(|| format!("/activities/{}/events", shown.id));
    let content = html! {
        section.panel.activity #activity data-events=[follows] data-state=(shown.state.text()) {
            p {
                span class={ "state " (shown.state.text()) } #state role="status" { (text(state(&shown))) }
            }
            label for="progress" { (text(Text::Progress)) }
            progress #progress max="100" value=(shown.percent) { (shown.percent) " %" }
            dl {
                @if let Some(vm) = &shown.vm {
                    div { dt { (text(Text::Machine)) } dd { a href={ "/vms/" (vm) } { (vm) } } }
                }
                @if let Some(key) = &shown.key { div { dt { (text(Text::Key)) } dd { code { (key) } } } }
                @if let Some(reason) = &shown.reason {
                    div { dt { (text(Text::Reason)) } dd lang="en" { (reason) } }
                }
                div { dt { (text(Text::AskedBy)) } dd { (shown.login) } }
                div { dt { (text(Text::Begun)) } dd { time { (moment(shown.created_at)) } } }
            }
            @if let Some(vm) = &shown.vm {
                p { a.button href={ "/vms/" (vm) } { (text(Text::BackToMachine)) } }
            }
        }
    };
    let title = format!("{} · {}", text(Text::Activity), shown.command);
    layout::page(&visitor, Some(Place::Activities), &title, &content).into_response()
}

/// The same as server-sent events; a page listens to them.
pub async fn events(State(app): State<App>, visitor: Visitor, Path(id): Path<String>) -> Response {
    if !visitor.who.permissions.contains(&Permission::ActivityRead) {
        return layout::failure(403, Text::Forbidden, visitor.language);
    }
    following(app, visitor.who.tenant, id).await.unwrap_or_else(IntoResponse::into_response)
}
