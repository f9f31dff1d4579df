//! Requests for a look into the daemon. Each runs on a thread of its own: the runtime renews the lease, and a runtime
//! that ends waits for its own threads.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Refusal, Refused, Service};
use crate::control::diagnosis::memory::{Memory, Released};
use crate::control::diagnosis::{DiagnosisError, Profile, cpu, heap};
use crate::control::health::Moment;
use crate::kernel;

/// Longest profile, seconds.
pub const LONGEST_PROFILE: u64 = 600;

/// `POST /v1/debug/heap-profile` and `POST /v1/debug/cpu-profile`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileRequest {
    /// How long to sample, seconds: 1 to 600.
    pub seconds: u64,
}

pub(super) fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(memory))
        .routes(routes!(release))
        .routes(routes!(heap_profile))
        .routes(routes!(cpu_profile))
}

impl From<DiagnosisError> for Refused {
    fn from(error: DiagnosisError) -> Self {
        let status = match error {
            DiagnosisError::Busy => StatusCode::CONFLICT,
            DiagnosisError::NoHeapProfiles => StatusCode::NOT_IMPLEMENTED,
            DiagnosisError::Failed { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, error.to_string())
    }
}

/// Does slow work on a thread of its own.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DiagnosisError> + Send + 'static,
) -> Result<Json<T>, Refused> {
    let failed = |error: String| Refused(StatusCode::INTERNAL_SERVER_ERROR, error);
    let (done, answer) = oneshot::channel();
    std::thread::Builder::new()
        .name("diagnosis".to_owned())
        // Nobody may wait any more.
        .spawn(move || drop(done.send(work())))
        .map_err(|error| failed(error.to_string()))?;
    let answer = answer.await.map_err(|error| failed(error.to_string()))?;
    Ok(Json(answer?))
}

fn read(service: &Service) -> Memory {
    let shared = std::sync::Arc::clone(service.lock().shared());
    let now = service.alerts.now();
    let spool = service.alerts.lock().statistics(now).waiting_bytes;
    Memory::read(Moment(now.0), &shared, spool)
}

/// Its memory by subsystem.
#[utoipa::path(get, path = "/v1/debug/memory", tag = "debug", responses(
    (status = 200, description = "Done", body = Memory),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn memory(State(service): State<Service>) -> Result<Json<Memory>, Refused> {
    aside(move || Ok(read(&service))).await
}

/// Gives memory back to the system.
#[utoipa::path(post, path = "/v1/debug/release-memory", tag = "debug", responses(
    (status = 200, description = "Done", body = Released),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn release(State(service): State<Service>) -> Result<Json<Released>, Refused> {
    aside(move || {
        let before = read(&service);
        kernel::heap::release().map_err(|error| DiagnosisError::Failed {
            action: "give memory back",
            reason: error.to_string(),
        })?;
        let after = read(&service);
        Ok(Released { before, after })
    })
    .await
}

fn span(request: ProfileRequest) -> Result<Duration, Refused> {
    if (1..=LONGEST_PROFILE).contains(&request.seconds) {
        return Ok(Duration::from_secs(request.seconds));
    }
    let message = format!("a profile takes from 1 to {LONGEST_PROFILE} seconds");
    Err(Refused(StatusCode::BAD_REQUEST, message))
}

/// Samples who allocates.
#[utoipa::path(post, path = "/v1/debug/heap-profile", tag = "debug", request_body = ProfileRequest, responses(
    (status = 200, description = "Done", body = Profile),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn heap_profile(Json(request): Json<ProfileRequest>) -> Result<Json<Profile>, Refused> {
    let span = span(request)?;
    aside(move || heap::profile(span)).await
}

/// Samples where the time goes.
#[utoipa::path(post, path = "/v1/debug/cpu-profile", tag = "debug", request_body = ProfileRequest, responses(
    (status = 200, description = "Done", body = Profile),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn cpu_profile(Json(request): Json<ProfileRequest>) -> Result<Json<Profile>, Refused> {
    let span = span(request)?;
    aside(move || cpu::profile(span)).await
}
