//! The part of the API that is about alerts.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Done, Refusal, Refused, Service};
use crate::control::alert::engine::EngineError;
use crate::control::alert::matcher::Matchers;
use crate::control::alert::notice::{Fingerprint, Level, Notice};
use crate::control::alert::view::{AlertList, AlertStatistics, SilenceView};

/// Longest silence.
const LONGEST_SILENCE: Duration = Duration::from_secs(365 * 24 * 3600);
/// Longest message, bytes.
const LONGEST_MESSAGE: usize = 64 << 10;

/// `POST /v1/alerts`: an event that a person reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendRequest {
    /// How serious it is.
    pub level: Level,
    /// One line.
    pub message: String,
    /// More.
    #[serde(default)]
    pub details: String,
    /// Who says so.
    pub by: String,
}

/// `POST /v1/alerts/acknowledge`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeRequest {
    /// Which alert.
    #[schema(value_type = String)]
    pub id: Fingerprint,
    /// Who has seen it.
    pub by: String,
}

/// `POST /v1/alerts/silence`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SilenceRequest {
    /// Which alerts, such as `rule=link_lost,interface=eth0`.
    pub matchers: String,
    /// For how long, seconds.
    pub seconds: u64,
    /// Who wants it.
    pub by: String,
    /// Why.
    #[serde(default)]
    pub comment: String,
}

/// `POST /v1/alerts/unsilence`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnsilenceRequest {
    /// The silence's number.
    pub id: u64,
    /// Who ends it.
    pub by: String,
}

pub(super) fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(list, send))
        .routes(routes!(acknowledge))
        .routes(routes!(silence))
        .routes(routes!(unsilence))
        .routes(routes!(statistics))
}

impl From<EngineError> for Refused {
    fn from(error: EngineError) -> Self {
        let status = match error {
            EngineError::NoAlarm(_) | EngineError::NoSilence(_) => StatusCode::NOT_FOUND,
            EngineError::HasResolved(_) => StatusCode::CONFLICT,
        };
        Self(status, error.to_string())
    }
}

fn bad_request(message: impl Into<String>) -> Refused {
    Refused(StatusCode::BAD_REQUEST, message.into())
}

fn done(done: String) -> Json<Done> {
    Json(Done { done, switch: None })
}

/// The alerts and silences there are.
#[utoipa::path(get, path = "/v1/alerts", tag = "alerts", responses(
    (status = 200, description = "Done", body = AlertList),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn list(State(service): State<Service>) -> Json<AlertList> {
    let alerts = &service.alerts;
    Json(alerts.lock().list(alerts.now()))
}

/// How many alerts there were, and what became of the messages.
#[utoipa::path(get, path = "/v1/alerts/statistics", tag = "alerts", responses(
    (status = 200, description = "Done", body = AlertStatistics),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn statistics(State(service): State<Service>) -> Json<AlertStatistics> {
    let alerts = &service.alerts;
    Json(alerts.lock().statistics(alerts.now()))
}

/// Reports an event as a person.
#[utoipa::path(post, path = "/v1/alerts", tag = "alerts", request_body = SendRequest, responses(
    (status = 200, description = "Done", body = Done),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn send(State(service): State<Service>, Json(request): Json<SendRequest>) -> Result<Json<Done>, Refused> {
    if request.message.trim().is_empty() || request.message.len() + request.details.len() > LONGEST_MESSAGE {
        return Err(bad_request("a message is not empty, and has at most 64 KiB"));
    }
    let alerts = &service.alerts;
    let now = alerts.now();
    // Each is an alert of its own: one must not take the place of another that has not left yet.
    let notice = Notice::new(request.level, "operator", request.message)
        .label("by", request.by)
        .label("sent", now.to_string())
        .details(request.details);
    let id = notice.fingerprint();
    alerts.lock().event(now, notice);
    Ok(done(format!("alert {id} is on its way")))
}

/// Says that somebody has seen an alert.
#[utoipa::path(post, path = "/v1/alerts/acknowledge", tag = "alerts", request_body = AcknowledgeRequest, responses(
    (status = 200, description = "Done", body = Done),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn acknowledge(
    State(service): State<Service>,
    Json(request): Json<AcknowledgeRequest>,
) -> Result<Json<Done>, Refused> {
    let alerts = &service.alerts;
    alerts.lock().acknowledge(alerts.now(), request.id, &request.by)?;
    Ok(done(format!("alert {} is acknowledged", request.id)))
}

/// Keeps alerts quiet for a while.
#[utoipa::path(post, path = "/v1/alerts/silence", tag = "alerts", request_body = SilenceRequest, responses(
    (status = 200, description = "Done", body = SilenceView),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn silence(
    State(service): State<Service>,
    Json(request): Json<SilenceRequest>,
) -> Result<Json<SilenceView>, Refused> {
    let matchers = Matchers::parse(&request.matchers).map_err(bad_request)?;
    let span = Duration::from_secs(request.seconds);
    if span.is_zero() || span > LONGEST_SILENCE {
        return Err(bad_request("a silence lasts from 1 second to 365 days"));
    }
    let alerts = &service.alerts;
    let now = alerts.now();
    let silence = alerts
        .lock()
        .silence(now, matchers, span, &request.by, &request.comment);
    Ok(Json(SilenceView::from(&silence)))
}

/// Ends a silence.
#[utoipa::path(post, path = "/v1/alerts/unsilence", tag = "alerts", request_body = UnsilenceRequest, responses(
    (status = 200, description = "Done", body = Done),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn unsilence(
    State(service): State<Service>,
    Json(request): Json<UnsilenceRequest>,
) -> Result<Json<Done>, Refused> {
    let alerts = &service.alerts;
    alerts.lock().unsilence(alerts.now(), request.id, &request.by)?;
    Ok(done(format!("silence {} is ended", request.id)))
}
