//! Requests about the daemon's configuration. They read files and wait for the database, so each runs beside the runtime.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::peer::Peer;
use super::{Refusal, Refused, Service};
use crate::control::configuration::{ActiveConfiguration, Applied, Change, ChangeError, Configuration, Order};

/// `POST /v1/config/reload`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReloadRequest {
    /// Whether keys that can be changed are, when others need a restart.
    pub apply_what_can: bool,
    /// Why; it stands in the event log.
    pub reason: String,
}

/// `POST /v1/config/rollback`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigRollbackRequest {
    /// The number of the version, as `trim config history` lists it.
    pub version: u64,
    /// Whether keys that can be changed are, when others need a restart.
    #[serde(default)]
    pub apply_what_can: bool,
    /// Why; it stands in the event log.
    pub reason: String,
}

/// `GET /v1/config/check`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checked {
    /// Where the layers, read anew, differ from what is active.
    pub changes: Vec<Change>,
}

pub(super) fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(active))
        .routes(routes!(check))
        .routes(routes!(reload))
        .routes(routes!(roll_back))
}

impl From<ChangeError> for Refused {
    fn from(error: ChangeError) -> Self {
        let status = match error {
            ChangeError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            ChangeError::NeedsRestart(_) => StatusCode::CONFLICT,
            ChangeError::NoVersion(_) => StatusCode::NOT_FOUND,
            ChangeError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, error.to_string())
    }
}

async fn aside<T: Send + 'static>(
    service: Service,
    work: impl FnOnce(&Configuration) -> Result<T, ChangeError> + Send + 'static,
) -> Result<Json<T>, Refused> {
    let configuration = Arc::clone(&service.configuration);
    let done = tokio::task::spawn_blocking(move || work(&configuration)).await;
    let done = done.map_err(|error| Refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(Json(done?))
}

/// The active configuration, key by key, with the place of each.
#[utoipa::path(get, path = "/v1/config", tag = "configuration", responses(
    (status = 200, description = "Done", body = ActiveConfiguration),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn active(State(service): State<Service>) -> Result<Json<ActiveConfiguration>, Refused> {
    aside(service, |configuration| Ok(configuration.active())).await
}

/// Reads the daemon's layers anew and tells where they differ from what is active.
#[utoipa::path(get, path = "/v1/config/check", tag = "configuration", responses(
    (status = 200, description = "Done", body = Checked),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn check(State(service): State<Service>) -> Result<Json<Checked>, Refused> {
    aside(service, |configuration| {
        let changes = configuration.check()?;
        Ok(Checked { changes })
    })
    .await
}

/// Reads the daemon's layers anew and makes them the active configuration, as a whole or not at all.
#[utoipa::path(post, path = "/v1/config/reload", tag = "configuration", request_body = Option<ReloadRequest>, responses(
    (status = 200, description = "Done", body = Applied),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn reload(
    State(service): State<Service>,
    Extension(peer): Extension<Peer>,
    asked: Option<Json<ReloadRequest>>,
) -> Result<Json<Applied>, Refused> {
    let Json(asked) = asked.unwrap_or_default();
    let order = Order {
        who: peer.name(),
        why: asked.reason,
        apply_what_can: asked.apply_what_can,
    };
    aside(service, move |configuration| configuration.reload(&order)).await
}

/// Makes an earlier version the active configuration. Files stay as they are.
#[utoipa::path(post, path = "/v1/config/rollback", tag = "configuration", request_body = ConfigRollbackRequest, responses(
    (status = 200, description = "Done", body = Applied),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn roll_back(
    State(service): State<Service>,
    Extension(peer): Extension<Peer>,
    Json(asked): Json<ConfigRollbackRequest>,
) -> Result<Json<Applied>, Refused> {
    let order = Order {
        who: peer.name(),
        why: asked.reason,
        apply_what_can: asked.apply_what_can,
    };
    aside(service, move |configuration| {
        configuration.roll_back(asked.version, &order)
    })
    .await
}
