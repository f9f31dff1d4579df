//! Requests for a look into the daemon. Each runs on a thread of its own: the runtime renews the lease, and a runtime
//! that ends waits for its own threads.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::{Refused, Service};
use crate::control::diagnosis::memory::{Memory, Released};
use crate::control::diagnosis::{DiagnosisError, Profile, cpu, heap};
use crate::control::health::Moment;
use crate::kernel;

/// Longest profile, seconds.
pub const LONGEST_PROFILE: u64 = 600;

/// `POST /v1/debug/heap-profile` and `POST /v1/debug/cpu-profile`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileRequest {
    /// How long to sample, seconds: 1 to 600.
    pub seconds: u64,
}

pub(super) fn routes() -> Router<Service> {
    Router::new()
        .route("/v1/debug/memory", get(memory))
        .route("/v1/debug/release-memory", post(release))
        .route("/v1/debug/heap-profile", post(heap_profile))
        .route("/v1/debug/cpu-profile", post(cpu_profile))
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

async fn memory(State(service): State<Service>) -> Result<Json<Memory>, Refused> {
    aside(move || Ok(read(&service))).await
}

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

async fn heap_profile(Json(request): Json<ProfileRequest>) -> Result<Json<Profile>, Refused> {
    let span = span(request)?;
    aside(move || heap::profile(span)).await
}

async fn cpu_profile(Json(request): Json<ProfileRequest>) -> Result<Json<Profile>, Refused> {
    let span = span(request)?;
    aside(move || cpu::profile(span)).await
}
