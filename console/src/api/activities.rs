//! Activities: listed, read, and followed while they go on.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use provisioning::ids::{ActivityId, TenantId};
use provisioning::permission::Permission;
use provisioning::saga::Next;
use serde::Serialize;
use serde_json::json;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use utoipa::ToSchema;

use super::App;
use super::guard::Known;
use super::problem::Problem;
use super::read::{limit, tagged};
use crate::limits::{FOLLOW, FOLLOW_AT_MOST, FOLLOWERS, PAGE};
use crate::platform::Platform;
use crate::store::{Activity, ActivityState};

static FOLLOWING: Semaphore = Semaphore::const_new(FOLLOWERS);

/// What is told of an activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ActivityShown {
    /// Its identifier.
    pub id: String,
    /// In which tenant.
    pub tenant: String,
    /// Who asked for it.
    pub login: String,
    /// What was asked for: a command's name.
    pub command: String,
    /// The VM that it is about.
    pub vm: Option<String>,
    /// How far it is, in a word.
    pub state: ActivityState,
    /// How far it is, in per cent.
    pub percent: u64,
    /// What is being done, or undone.
    pub step: Option<provisioning::saga::Step>,
    /// Whether everything is being undone.
    pub going_back: bool,
    /// The key that was made for it.
    pub key: Option<String>,
    /// Why it failed, or is being undone.
    pub reason: Option<String>,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Seconds since 1970.
    pub updated_at: u64,
}

impl ActivityShown {
    /// As it is now.
    pub async fn of(platform: &Platform, activity: &Activity) -> Self {
        let (step, going_back) = match activity.progress.next() {
            Next::Do(step) => (Some(step), false),
            Next::Undo(step) => (Some(step), true),
            Next::Completed | Next::Undone => (None, false),
        };
        Self {
            id: activity.id.to_string(),
            tenant: activity.tenant.to_string(),
            login: activity.login.clone(),
            command: activity.request.command.name(),
            vm: activity.request.command.vm().map(ToString::to_string),
            state: activity.state,
            percent: platform.percent(activity).await,
            step,
            going_back,
            key: activity.key.as_ref().map(ToString::to_string),
            reason: activity.reason.clone(),
            created_at: activity.created_at,
            updated_at: activity.updated_at,
        }
    }
}

/// A tenant's activities, newest first.
pub(super) async fn list(
    State(app): State<App>,
    known: Known,
    headers: HeaderMap,
    query: Result<Query<BTreeMap<String, String>>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    known.must_have(Some(Permission::ActivityRead))?;
    let Query(query) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
    if let Some(other) = query.keys().find(|name| !["limit", "after", "vm", "state"].contains(&name.as_str())) {
        return Err(Problem::bad_request(format!("there is no parameter \"{other}\"")));
    }
    let wanted = query.get("limit").map_or(Ok(PAGE), |text| limit(text))?;
    let text = |name: &str| query.get(name).map(String::as_str);
    let store = &app.platform.store;
    let mut found =
        store.activities(&known.0.tenant, text("vm"), text("state"), text("after"), wanted.saturating_add(1)).await?;
    let more = found.len() > wanted;
    found.truncate(wanted);
    let mut items = Vec::with_capacity(found.len());
    for activity in &found {
        items.push(ActivityShown::of(&app.platform, activity).await);
    }
    let next = found.last().filter(|_| more).map(|activity| activity.id.to_string());
    Ok(tagged(&headers, &json!({ "items": items, "next": next })))
}

async fn find(app: &App, tenant: &TenantId, id: &str) -> Result<ActivityShown, Problem> {
    let found = app.platform.store.activity(tenant, &ActivityId::new(id)).await?;
    let activity = found.ok_or_else(|| Problem::not_found(format!("there is no \"{id}\" in this tenant")))?;
    Ok(ActivityShown::of(&app.platform, &activity).await)
}

/// One of them.
pub(super) async fn one(State(app): State<App>, Path(id): Path<String>, known: Known) -> Result<Response, Problem> {
    known.must_have(Some(Permission::ActivityRead))?;
    Ok(Json(find(&app, &known.0.tenant, &id).await?).into_response())
}

/// Server-sent events: the activity at first and each time it has changed, until it has ended.
pub(super) async fn follow(State(app): State<App>, Path(id): Path<String>, known: Known) -> Result<Response, Problem> {
    known.must_have(Some(Permission::ActivityRead))?;
    following(app, known.0.tenant, id).await
}

/// The stream of one activity's changes.
///
/// # Errors
/// [`Problem`], where the tenant has no such activity, or too many are followed.
pub async fn following(app: App, tenant: TenantId, id: String) -> Result<Response, Problem> {
    let first = find(&app, &tenant, &id).await?;
    let turn = FOLLOWING.try_acquire().map_err(|_| Problem::too_many("too many activities are being followed"))?;
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let _turn: SemaphorePermit<'static> = turn;
        let tell = tell(&app, &tenant, &id, first, &sender);
        // Whoever follows longer asks again.
        let _ = tokio::time::timeout(FOLLOW_AT_MOST, tell).await;
    });
    Ok(Sse::new(Received(receiver)).into_response())
}

async fn tell(app: &App, tenant: &TenantId, id: &str, first: ActivityShown, to: &mpsc::Sender<Event>) {
    let mut shown = first;
    loop {
        let Ok(event) = Event::default().event("activity").json_data(&shown) else { return };
        if to.send(event).await.is_err() || shown.state.is_final() {
            return;
        }
        loop {
            tokio::time::sleep(FOLLOW).await;
            let Ok(next) = find(app, tenant, id).await else { return };
            if next != shown {
                shown = next;
                break;
            }
            if to.is_closed() {
                return;
            }
        }
    }
}

struct Received(mpsc::Receiver<Event>);

impl Stream for Received {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|event| event.map(Ok))
    }
}
