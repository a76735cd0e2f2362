//! One function per request.

use std::path::PathBuf;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Context;
use super::error::ApiError;
use crate::host::{Rekey, VmStatus};
use crate::key::{ProviderId, VmId};
use crate::limits::MAX_READ;
use crate::pair::PairError;
use crate::vcenter::{Provider, ProviderStatus, Spec};

type Body<T> = Result<Json<T>, JsonRejection>;
type InPath<T> = Result<Path<T>, PathRejection>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewVm {
    id: VmId,
    disks: Vec<PathBuf>,
    #[serde(default)]
    uuid: Option<Uuid>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Encrypt {
    #[serde(default)]
    provider: Option<ProviderId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewKey {
    how: How,
    #[serde(default)]
    provider: Option<ProviderId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum How {
    Shallow,
    Deep,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Range {
    offset: u64,
    len: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Copy {
    path: PathBuf,
}

pub(super) async fn health(State(context): State<Context>) -> Json<Value> {
    let host = context.pair.host();
    Json(json!({
        "status": "ok",
        "host": {
            "uuid": host.uuid(), "name": host.name(), "cryptoState": host.crypto_state(), "hostKey": host.host_key(),
        },
    }))
}

pub(super) async fn counters(State(context): State<Context>) -> Json<Value> {
    let host = context.pair.host();
    Json(json!({
        "counters": context.pair.vcenter().counters().snapshot(),
        "keysInHostMemory": host.cached_keys(),
        "vms": host.vms().len(),
    }))
}

pub(super) async fn providers(State(context): State<Context>) -> Json<Value> {
    let providers = context.pair.vcenter().providers();
    let tell = |provider: &std::sync::Arc<Provider>| json!({ "id": provider.id(), "servers": provider.servers(), "certificate": provider.certificate() });
    Json(json!({ "providers": providers.iter().map(tell).collect::<Vec<_>>() }))
}

pub(super) async fn register_provider(State(context): State<Context>, body: Body<Spec>) -> Result<Response, ApiError> {
    let Json(spec) = body?;
    let pair = std::sync::Arc::clone(&context.pair);
    // Reads and writes files, and makes a key pair.
    let registered = tokio::task::spawn_blocking(move || pair.vcenter().register(&spec)).await;
    let provider = registered.map_err(|_| PairError::CutOff)??;
    // A self-signed certificate is not yet known to the key server, so that trust has to wait is no failure here.
    let status = provider.trust().await;
    let answer = json!({ "id": provider.id(), "certificate": provider.certificate(), "status": status });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

pub(super) async fn provider_status(
    State(context): State<Context>,
    id: InPath<ProviderId>,
) -> Result<Json<ProviderStatus>, ApiError> {
    let Path(id) = id?;
    Ok(Json(context.pair.vcenter().provider(&id)?.check().await))
}

pub(super) async fn trust(
    State(context): State<Context>,
    id: InPath<ProviderId>,
) -> Result<Json<ProviderStatus>, ApiError> {
    let Path(id) = id?;
    Ok(Json(context.pair.vcenter().provider(&id)?.trust().await))
}

pub(super) async fn register_vm(State(context): State<Context>, body: Body<NewVm>) -> Result<Response, ApiError> {
    let Json(new) = body?;
    let vm = context.pair.register(new.id, new.disks, new.uuid).await?;
    Ok((StatusCode::CREATED, Json(vm.status())).into_response())
}

pub(super) async fn vms(State(context): State<Context>) -> Json<Value> {
    let host = context.pair.host();
    let vms: Vec<VmStatus> = host.vms().iter().map(|vm| vm.status()).collect();
    let invalid: Vec<Value> = host
        .unreadable()
        .iter()
        .map(|(id, reason)| json!({ "id": id, "state": "invalid", "message": reason }))
        .collect();
    Json(json!({ "vms": vms, "invalid": invalid }))
}

pub(super) async fn vm(State(context): State<Context>, id: InPath<VmId>) -> Result<Json<VmStatus>, ApiError> {
    let Path(id) = id?;
    Ok(Json(context.pair.host().vm(&id)?.status()))
}

pub(super) async fn encrypt(
    State(context): State<Context>,
    id: InPath<VmId>,
    body: axum::body::Bytes,
) -> Result<Json<VmStatus>, ApiError> {
    let Path(id) = id?;
    let asked: Encrypt = optional(&body)?;
    let pair = std::sync::Arc::clone(&context.pair);
    let done = to_the_end(async move {
        pair.encrypt(&id, asked.provider.as_ref()).await?;
        Ok(pair.host().vm(&id)?.status())
    });
    Ok(Json(done.await?))
}

pub(super) async fn unlock(State(context): State<Context>, id: InPath<VmId>) -> Result<Json<VmStatus>, ApiError> {
    let Path(id) = id?;
    let pair = std::sync::Arc::clone(&context.pair);
    let done = to_the_end(async move {
        pair.unlock(&id).await?;
        Ok(pair.host().vm(&id)?.status())
    });
    Ok(Json(done.await?))
}

pub(super) async fn rekey(
    State(context): State<Context>,
    id: InPath<VmId>,
    body: Body<NewKey>,
) -> Result<Json<VmStatus>, ApiError> {
    let Path(id) = id?;
    let Json(asked) = body?;
    let how = match asked.how {
        How::Shallow => Rekey::Shallow,
        How::Deep => Rekey::Deep,
    };
    let pair = std::sync::Arc::clone(&context.pair);
    let done = to_the_end(async move {
        pair.rekey(&id, how, asked.provider.as_ref()).await?;
        Ok(pair.host().vm(&id)?.status())
    });
    Ok(Json(done.await?))
}

pub(super) async fn read(
    State(context): State<Context>,
    path: InPath<(VmId, usize)>,
    range: Result<Query<Range>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (Path((id, disk)), Query(range)) = (path?, range?);
    if range.len > MAX_READ {
        return Err(ApiError::bad_request(format!("at most {MAX_READ} bytes are read at once")));
    }
    let bytes = context.pair.read_disk(&id, disk, range.offset, range.len).await?;
    Ok(([(CONTENT_TYPE, "application/octet-stream")], bytes.to_vec()).into_response())
}

pub(super) async fn decrypted_copy(
    State(context): State<Context>,
    path: InPath<(VmId, usize)>,
    body: Body<Copy>,
) -> Result<Json<Value>, ApiError> {
    let (Path((id, disk)), Json(copy)) = (path?, body?);
    if !context.decrypted_copies {
        return Err(ApiError::forbidden("decrypted copies are switched off; see serve --allow-decrypted-copies"));
    }
    let pair = std::sync::Arc::clone(&context.pair);
    let target = copy.path.clone();
    to_the_end(async move { pair.decrypted_copy(&id, disk, target).await }).await?;
    Ok(Json(json!({ "path": copy.path })))
}

/// Runs on when the client goes away: a VM is not left half way because somebody closed a connection.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, PairError>> + Send + 'static,
) -> Result<T, PairError> {
    tokio::spawn(work).await.map_err(|_| PairError::CutOff)?
}

/// A JSON body that may be missing.
fn optional<T: Default + serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    if body.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(body).map_err(|error| ApiError::bad_request(error.to_string()))
}
