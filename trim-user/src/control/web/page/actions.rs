//! What operators do on the page: rolling back and acknowledging.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};

use super::form::Form;
use super::templates::{RollbackTemplate, html};
use super::{Pages, Shared};
use crate::control::alert::notice::Fingerprint;
use crate::control::rollout::{Command, Move, Request};
use crate::control::switch::Reach;
use crate::control::web::WebPeer;

/// How long a decision may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest reason, bytes.
const LONGEST_REASON: usize = 4 << 10;
/// Why a form is refused.
pub(super) const NOT_OURS: &str = "The form is not from a page of this capture as it runs now: it has been restarted \
                                   since, perhaps. Go back to the overview and try again.";

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/rollback", get(ask).post(roll_back))
        .route("/alerts/acknowledge", post(acknowledge))
}

async fn ask(State(pages): Shared) -> Response {
    question(&pages, StatusCode::OK, "", None)
}

/// The page that asks whether it is meant.
fn question(pages: &Pages, status: StatusCode, reason: &str, problem: Option<&str>) -> Response {
    let view = pages.web.service.operator.view();
    let mode = view
        .evidence
        .as_ref()
        .map_or("unknown", |evidence| &evidence.target.mode);
    let template = RollbackTemplate {
        host: &pages.host,
        mode,
        rollout: &view.state.status.name().replace('_', " "),
        reason,
        problem,
        form_token: &pages.form_token,
    };
    html(status, &template)
}

async fn roll_back(State(pages): Shared, Extension(peer): Extension<WebPeer>, body: Bytes) -> Response {
    let form = Form::parse(&body);
    if !form.is_ours(&pages.form_token) {
        return pages.problem(StatusCode::FORBIDDEN, "Not rolled back", NOT_OURS);
    }
    let reason = form.field("reason");
    let reach = match form.field("reach") {
        "" | "immediate" => Reach::Immediate,
        "drain" => Reach::Drain,
        _ => return question(&pages, StatusCode::BAD_REQUEST, reason, Some("Say which flows follow.")),
    };
    if reason.is_empty() || reason.len() > LONGEST_REASON {
        let problem = "Give a reason, of 4096 bytes at most.";
        return question(&pages, StatusCode::BAD_REQUEST, reason, Some(problem));
    }
    let command = Command {
        request: Request::Rollback(reach),
        who: who(peer),
        reason: reason.to_owned(),
    };
    let operator = pages.web.service.operator.clone();
    let decided = tokio::task::spawn_blocking(move || operator.command(command, PATIENCE)).await;
    match decided {
        Ok(Some(decision)) if decision.chosen == Move::Refuse => {
            let why = decision.reasons.join("; ");
            pages.problem(StatusCode::CONFLICT, "Not rolled back", &why)
        }
        Ok(Some(_)) => Redirect::to("/#rollout").into_response(),
        Ok(None) | Err(_) => {
            let message = "Nobody has decided within 5 s: the capture is busy or hangs. On its machine, \
                           `trim rollback --direct` writes the kernel's map without it.";
            pages.problem(StatusCode::SERVICE_UNAVAILABLE, "Perhaps not rolled back", message)
        }
    }
}

async fn acknowledge(State(pages): Shared, Extension(peer): Extension<WebPeer>, body: Bytes) -> Response {
    let title = "Not acknowledged";
    let form = Form::parse(&body);
    if !form.is_ours(&pages.form_token) {
        return pages.problem(StatusCode::FORBIDDEN, title, NOT_OURS);
    }
    let id = match Fingerprint::parse(form.field("id")) {
        Ok(id) => id,
        Err(why) => return pages.problem(StatusCode::BAD_REQUEST, title, &why),
    };
    let alerts = &pages.web.service.alerts;
    let done = alerts.lock().acknowledge(alerts.now(), id, &who(peer));
    match done {
        Ok(()) => Redirect::to("/#alerts").into_response(),
        Err(error) => pages.problem(StatusCode::CONFLICT, title, &error.to_string()),
    }
}

/// As it stands in the event log.
fn who(peer: WebPeer) -> String {
    format!("web page, from {}", peer.0.ip())
}
