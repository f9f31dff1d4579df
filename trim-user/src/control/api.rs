//! The daemon's API: HTTP and JSON on a unix socket.

pub mod access;
pub mod alerts;
pub mod configuration;
pub mod debug;
mod journal;
pub mod peer;
pub mod rollout;

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fs, io};

use axum::extract::{self, ConnectInfo, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use trim_common::strategy::{Mode, Split};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alert::AlertDesk;
use super::appliance::Appliance;
use super::configuration::Configuration;
use super::histograms::Histograms;
use super::operator::Desk;
use super::status::{Status, SwitchStatus};
use super::store::EventLog;
use super::switch::{Promised, Reach};
use crate::kernel::KernelError;
use crate::telemetry::elasticsearch::Tally;
use access::Access;
use peer::Peer;

/// How long a thread may take to hand over its latencies; a thread looks at its desk every few milliseconds.
const LATENCY_PATIENCE: Duration = Duration::from_millis(200);
/// After a switch, packets that were tagged before it are looked out for this long before its time is told.
const SETTLING: Duration = Duration::from_millis(100);

/// `POST /v1/switch`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchRequest {
    /// Name of the mode.
    pub mode: String,
    /// Share of flows on `scanning`, percent; as it is when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_percent: Option<f64>,
    /// Which flows follow.
    #[serde(default)]
    pub reach: Reach,
    /// Why; it stands in the event log.
    #[serde(default)]
    pub reason: String,
}

/// `POST /v1/rotate` and `POST /v1/stop`, which need no body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reasoned {
    /// Why; it stands in the event log.
    pub reason: String,
}

/// The answer to a changing request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Done {
    /// What was done, in words.
    pub done: String,
    /// How long a switch took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<SwitchStatus>,
}

/// The answer to a request that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Refusal {
    /// Why, and what to do.
    pub error: String,
}

/// Why the socket cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Another daemon answers there.
    #[error("another trim answers at {}: `trim stop` ends it, or give this one a `control.socket` of its own", .0.display())]
    InUse(PathBuf),
    /// The group that may use the socket is not there.
    #[error("there is no group `{0}` in /etc/group: `control.group` names one that is there")]
    NoGroup(String),
    /// The socket cannot be made.
    #[error("cannot listen at {}: {error}; `control.socket` names another place", path.display())]
    Listen {
        /// The path.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// A socket that is listened on. Dropping it removes the file.
#[derive(Debug)]
pub struct ApiSocket {
    path: PathBuf,
    access: Access,
    listener: Option<UnixListener>,
}

impl ApiSocket {
    /// Makes the socket; only its owner, and the members of `group` if there is one, may connect. One that a dead daemon left is
    /// replaced. Who connects before [`serve`](Self::serve) waits for it.
    ///
    /// # Errors
    /// When another daemon answers there, or the path cannot be made, or there is no such group.
    pub fn bind(path: &Path, group: Option<&str>) -> Result<Self, ApiError> {
        let access = Access::new(group)?;
        let failed = |error| ApiError::Listen {
            path: path.into(),
            error,
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        if UnixStream::connect(path).is_ok() {
            return Err(ApiError::InUse(path.into()));
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let mode = match access.group() {
            None => 0o600,
            Some(group) => {
                std::os::unix::fs::chown(path, None, Some(group)).map_err(failed)?;
                0o660
            }
        };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(failed)?;
        Ok(Self {
            path: path.into(),
            access,
            listener: Some(listener),
        })
    }

    /// Serves requests until the runtime ends.
    ///
    /// # Errors
    /// When accepting connections fails.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub async fn serve(&mut self, service: Service) -> io::Result<()> {
        let Some(listener) = self.listener.take() else {
            return Ok(());
        };
        let listener = tokio::net::UnixListener::from_std(listener)?;
        // The outermost comes last: who may not ask is not heard at all.
        let app = service
            .clone()
            .router()
            .layer(middleware::from_fn_with_state(service.log, journal::note))
            .layer(middleware::from_fn_with_state(self.access, admit));
        axum::serve(listener, app.into_make_service_with_connect_info::<Peer>()).await
    }
}

impl Drop for ApiSocket {
    fn drop(&mut self) {
        // Gone already when somebody cleaned up; there is nothing better to do about any other failure.
        let _ = fs::remove_file(&self.path);
    }
}

/// What requests act on.
#[derive(Clone)]
pub struct Service {
    /// The capture.
    pub appliance: Arc<Mutex<Appliance>>,
    /// Its alerts.
    pub alerts: Arc<AlertDesk>,
    /// Who decides about its rollout.
    pub operator: Desk,
    /// Its configuration.
    pub configuration: Arc<Configuration>,
    /// Where requests that change something are noted.
    pub log: EventLog,
    /// Whether `scanning` may be told to fail.
    pub allow_faults: bool,
    /// What becomes of documents for Elasticsearch, where they are sent.
    pub elasticsearch: Option<Arc<Tally>>,
    /// A stop request sets it.
    pub stop: watch::Sender<bool>,
}

impl Service {
    fn router(self) -> Router {
        let (router, _) = described().split_for_parts();
        router.route("/v1/openapi.json", get(openapi)).with_state(self)
    }

    /// A panic while the lock was held leaves numbers, not half-done switches: go on.
    pub(super) fn lock(&self) -> MutexGuard<'_, Appliance> {
        self.appliance.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every route with its description, in one: no route is without.
fn described() -> OpenApiRouter<Service> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(status))
        .routes(routes!(histograms))
        .routes(routes!(switch))
        .routes(routes!(rotate))
        .routes(routes!(stop))
        .merge(alerts::routes())
        .merge(rollout::routes())
        .merge(debug::routes())
        .merge(configuration::routes())
}

/// The OpenAPI document of all routes.
pub fn document() -> utoipa::openapi::OpenApi {
    described().into_openapi()
}

async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}

#[derive(OpenApi)]
#[openapi(info(
    title = "trim",
    description = "HTTP and JSON on the unix socket of a running capture (`control.socket`). Who may ask: root, the daemon's user, and members of `control.group`."
))]
struct Description;

/// Lets handlers see who asks, and refuses who may not. The mode of the socket's file says the same, but a file can be changed.
async fn admit(
    State(access): State<Access>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    mut request: extract::Request,
    next: Next,
) -> Response {
    if !access.admits(&peer) {
        tracing::warn!(who = peer.name(), path = request.uri().path(), "refused");
        let message = format!(
            "{} may not ask: only root, the user of the daemon, and members of the group `control.group`",
            peer.name()
        );
        return Refused(StatusCode::FORBIDDEN, message).into_response();
    }
    request.extensions_mut().insert(peer);
    next.run(request).await
}

/// A request that was refused.
struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(Refusal { error: self.1 })).into_response()
    }
}

impl From<KernelError> for Refused {
    fn from(error: KernelError) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

/// What the capture is doing, and where every packet went.
#[utoipa::path(get, path = "/v1/status", tag = "capture", responses(
    (status = 200, description = "Done", body = Status),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn status(State(service): State<Service>) -> Result<Json<Status>, Refused> {
    // Threads are asked for their latencies and waited for, which must hold up neither the lease nor a rollback.
    let read = tokio::task::spawn_blocking(move || {
        let shared = Arc::clone(service.lock().shared());
        let (latency, _silent) = shared.latency(LATENCY_PATIENCE);
        service.lock().status_with(&latency)
    });
    let status = read
        .await
        .map_err(|error| Refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(Json(status?))
}

/// Latency of every lane and stage since the capture began.
#[utoipa::path(get, path = "/v1/histograms", tag = "capture", responses(
    (status = 200, description = "Done", body = Histograms),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn histograms(State(service): State<Service>) -> Result<Json<Histograms>, Refused> {
    // As for the status.
    let read = tokio::task::spawn_blocking(move || {
        let (shared, uptime) = {
            let appliance = service.lock();
            (Arc::clone(appliance.shared()), appliance.uptime())
        };
        let (latency, silent) = shared.latency(LATENCY_PATIENCE);
        let began = std::time::SystemTime::now()
            .checked_sub(uptime)
            .unwrap_or(std::time::UNIX_EPOCH);
        Histograms::of(&latency, silent, began)
    });
    let histograms = read
        .await
        .map_err(|error| Refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(Json(histograms))
}

/// Changes who trims.
#[utoipa::path(post, path = "/v1/switch", tag = "capture", request_body = SwitchRequest, responses(
    (status = 200, description = "Done", body = Done),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn switch(State(service): State<Service>, Json(request): Json<SwitchRequest>) -> Result<Json<Done>, Refused> {
    let mode = mode_by_name(&request.mode).map_err(|message| Refused(StatusCode::BAD_REQUEST, message))?;
    let split = request.split_percent.map(split_of).transpose();
    let split = split.map_err(|message| Refused(StatusCode::BAD_REQUEST, message))?;
    service.lock().switch(mode, split, request.reach, Promised::Believed)?;
    tokio::time::sleep(SETTLING).await;
    let switch = service.lock().last_switch();
    Ok(Json(Done {
        done: format!("switched to {}", mode.name()),
        switch,
    }))
}

/// Begins a new output file.
#[utoipa::path(post, path = "/v1/rotate", tag = "capture", request_body = Option<Reasoned>, responses(
    (status = 200, description = "Done", body = Done),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn rotate(State(service): State<Service>, _why: Option<Json<Reasoned>>) -> Json<Done> {
    service.lock().shared().request_rotation();
    Json(Done {
        done: "the next packet goes to a new file".to_owned(),
        switch: None,
    })
}

/// Ends the capture.
#[utoipa::path(post, path = "/v1/stop", tag = "capture", request_body = Option<Reasoned>, responses(
    (status = 200, description = "Done", body = Done),
    (status = "default", description = "Why not, and what to do", body = Refusal),
))]
async fn stop(State(service): State<Service>, _why: Option<Json<Reasoned>>) -> Json<Done> {
    service.stop.send_replace(true);
    Json(Done {
        done: "stopping".to_owned(),
        switch: None,
    })
}

/// The mode of this name.
///
/// # Errors
/// For any other word: what is allowed.
pub fn mode_by_name(name: &str) -> Result<Mode, String> {
    let names = || Mode::ALL.map(Mode::name).join(", ");
    let found = Mode::ALL.into_iter().find(|mode| mode.name() == name);
    found.ok_or_else(|| format!("`{name}` is no mode: one of {}", names()))
}

/// The split for a share in percent.
///
/// # Errors
/// Outside 0 to 100.
pub fn split_of(percent: f64) -> Result<Split, String> {
    if (0.0..=100.0).contains(&percent) {
        Ok(Split::from_basis_points((percent * 100.0).round() as u32))
    } else {
        Err(format!("{percent} is no split: a percentage from 0 to 100"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_router_is_in_the_document() {
        let (router, document) = described().split_for_parts();
        // A router tells its routes in no other way.
        let written = format!("{router:?}");
        let routes: Vec<_> = written.split('"').filter(|word| word.starts_with("/v1/")).collect();
        assert!(
            routes.contains(&"/v1/status") && routes.contains(&"/v1/debug/memory"),
            "{written}"
        );
        for route in routes {
            assert!(document.paths.paths.contains_key(route), "{route} is not described");
        }
    }
}
