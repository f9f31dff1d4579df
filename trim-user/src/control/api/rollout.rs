//! The part of the API that is about health and the rollout.

use std::time::Duration;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::peer::Peer;
use super::{Refusal, Refused, Service};
use crate::control::operator::View;
use crate::control::rollout::{Command, Move, Request, State as RolloutState};
use crate::shared::FaultPlan;

/// How long a decision may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// `POST /v1/rollout`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RolloutRequest {
    /// What is asked.
    pub request: Request,
    /// Why.
    pub reason: String,
}

/// The answer to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RolloutAnswer {
    /// What was decided.
    pub decision: Move,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// The state from now on.
    pub state: RolloutState,
}

/// Longest reason, bytes.
const LONGEST_REASON: usize = 4 << 10;

pub(super) fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(health))
        .routes(routes!(standing, rollout))
        .routes(routes!(faults))
}

/// Health with all it was judged by, what is to come, and where the rollout stands.
#[utoipa::path(get, path = "/v1/health", tag = "health", responses(
    (status = 200, description = "Done", body = View),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn health(State(service): State<Service>) -> Json<View> {
    Json(service.operator.view())
}

/// The same as `GET /v1/health`.
#[utoipa::path(get, path = "/v1/rollout", tag = "health", responses(
    (status = 200, description = "Done", body = View),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn standing(state: State<Service>) -> Json<View> {
    health(state).await
}

/// Asks something of the rollout.
#[utoipa::path(post, path = "/v1/rollout", tag = "health", request_body = RolloutRequest, responses(
    (status = 200, description = "Done", body = RolloutAnswer),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn rollout(
    State(service): State<Service>,
    Extension(peer): Extension<Peer>,
    Json(asked): Json<RolloutRequest>,
) -> Result<Json<RolloutAnswer>, Refused> {
    if asked.reason.len() > LONGEST_REASON {
        let message = format!(
            "a reason of {} bytes is too long: {LONGEST_REASON} at most",
            asked.reason.len()
        );
        return Err(Refused(StatusCode::BAD_REQUEST, message));
    }
    let command = Command {
        request: asked.request,
        who: peer.name(),
        reason: asked.reason,
    };
    let asked = tokio::task::spawn_blocking(move || service.operator.command(command, PATIENCE));
    let decision = asked
        .await
        .map_err(|error| Refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?
        .ok_or_else(|| {
            let message = "the operator does not answer: `trim rollback --direct` writes the kernel's map itself";
            Refused(StatusCode::SERVICE_UNAVAILABLE, message.to_owned())
        })?;
    if decision.chosen == Move::Refuse {
        return Err(Refused(StatusCode::CONFLICT, decision.reasons.join("; ")));
    }
    Ok(Json(RolloutAnswer {
        decision: decision.chosen,
        reasons: decision.reasons,
        state: decision.state,
    }))
}

/// Makes `scanning` fail on purpose, where the configuration allows that.
#[utoipa::path(post, path = "/v1/faults", tag = "health", request_body = FaultPlan, responses(
    (status = 200, description = "Done", body = FaultPlan),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn faults(State(service): State<Service>, Json(plan): Json<FaultPlan>) -> Result<Json<FaultPlan>, Refused> {
    if !service.allow_faults {
        let message = "this capture takes no faults: `rollout.allow_faults` in its configuration allows them";
        return Err(Refused(StatusCode::FORBIDDEN, message.to_owned()));
    }
    let faults = service.lock().shared().faults.clone();
    faults.set(plan);
    tracing::warn!(?plan, "scanning fails from now on as it was asked to");
    Ok(Json(faults.plan()))
}
