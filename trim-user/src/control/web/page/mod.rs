//! The page for operators: what the capture does, how well it is, and the way back.
//!
//! Pages are made from snapshots. Nothing here locks the capture but to read its counters, and every page is complete
//! without a script; the script only fetches the page again and replaces its regions.

mod actions;
mod assets;
mod form;
mod login;
mod model;
mod past;
mod plot;
mod templates;
mod trend;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use tokio::sync::Mutex;
use tokio::time::timeout;

use self::model::{Dashboard, DecisionPage, Sight};
use self::past::Archive;
use self::templates::{DashboardTemplate, DecisionTemplate, ProblemTemplate, html};
use self::trend::Trend;
use super::{Picture, WebState};
use crate::control::alert::host_name;
use crate::control::health::Moment;
use crate::control::store::Which;
use crate::kernel::clock;

/// Time between two points of a plot.
const INTERVAL: Duration = Duration::from_secs(1);
/// A capture that does not tell its state within this time is shown as it was last seen.
const PATIENCE: Duration = Duration::from_secs(2);

/// Scripts and styles come from here and from nowhere else, and no page shows this one in a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What all pages are made from.
pub(super) struct Pages {
    web: WebState,
    archive: Archive,
    trend: Trend,
    host: String,
    form_token: String,
    last: Mutex<Option<(Instant, Arc<Picture>)>>,
}

/// What handlers share.
type Shared = State<Arc<Pages>>;

/// The routes of the page. They ask for the token themselves, because they know the way to the form that takes it.
///
/// # Errors
/// When there is no thread to measure rates on, or no randomness to protect forms with.
pub(super) fn routes(web: WebState, database: PathBuf) -> io::Result<Router> {
    let pages = Arc::new(Pages {
        trend: Trend::start(Arc::clone(&web.service.appliance), INTERVAL)?,
        archive: Archive::new(database),
        host: host_name(),
        form_token: form::random_token()?,
        last: Mutex::new(None),
        web,
    });
    let guarded = Router::new()
        .route("/", get(dashboard))
        .route("/decisions/{sequence}", get(decision))
        .merge(actions::routes())
        .layer(middleware::from_fn_with_state(Arc::clone(&pages), admit));
    Ok(guarded
        .merge(login::routes())
        .merge(assets::routes())
        .layer(middleware::from_fn(protect))
        .with_state(pages))
}

/// Shows the way to the login form to whoever has not brought the token.
async fn admit(State(pages): Shared, request: Request, next: Next) -> Response {
    if pages.web.guard.admits(request.headers()) {
        return next.run(request).await;
    }
    if request.method() == Method::GET {
        return Redirect::to("/login").into_response();
    }
    let message = "Log in first: the login has ended, or the token has changed.";
    pages.problem(StatusCode::UNAUTHORIZED, "Not logged in", message)
}

async fn protect(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // `no-referrer` would make browsers hide the origin of our own forms.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    answer
}

async fn dashboard(State(pages): Shared) -> Response {
    let (picture, age) = pages.look().await;
    let view = pages.web.service.operator.view();
    let desk = &pages.web.service.alerts;
    let alerts = desk.lock().list(desk.now());
    let past = pages.archive.latest(PATIENCE).await;
    let rates = pages.trend.rates();
    let page = Dashboard::of(&Sight {
        now: now(),
        host: &pages.host,
        status: picture.as_ref().map(|it| &it.status),
        silent: picture.as_ref().map_or(0, |it| it.silent),
        age,
        view: &view,
        alerts: &alerts,
        rates: &rates,
        past: &past,
    });
    html(
        StatusCode::OK,
        &DashboardTemplate {
            page,
            form_token: &pages.form_token,
            has_login: pages.web.guard.asks(),
        },
    )
}

async fn decision(State(pages): Shared, Path(sequence): Path<String>) -> Response {
    let Ok(sequence) = sequence.parse::<u64>() else {
        let message = format!("`{sequence}` is no number of a decision.");
        return pages.problem(StatusCode::NOT_FOUND, "No such decision", &message);
    };
    match pages.archive.decisions(Which::Sequence(sequence), PATIENCE).await {
        Ok(found) => match found.first() {
            Some(recorded) => html(
                StatusCode::OK,
                &DecisionTemplate {
                    page: DecisionPage::of(recorded, now()),
                    host: &pages.host,
                },
            ),
            None => {
                let message = format!(
                    "There is no decision {sequence}. Those that changed nothing are kept for seven days only."
                );
                pages.problem(StatusCode::NOT_FOUND, "No such decision", &message)
            }
        },
        Err(why) => pages.problem(StatusCode::SERVICE_UNAVAILABLE, "The database cannot be read", &why),
    }
}

fn now() -> Moment {
    Moment(clock::realtime() / 1_000_000)
}

impl Pages {
    /// The state of the capture and its age; an older one when it does not tell the present one in time.
    async fn look(&self) -> (Option<Arc<Picture>>, Duration) {
        let taken = timeout(PATIENCE, self.web.pictures.get()).await;
        let mut last = self.last.lock().await;
        match taken {
            Ok(Ok(picture)) => *last = Some((Instant::now(), picture)),
            Ok(Err(error)) => tracing::warn!(%error, "the page shows an older state"),
            Err(_) => tracing::warn!("the page shows an older state: the capture does not answer"),
        }
        match &*last {
            Some((at, picture)) => (Some(Arc::clone(picture)), at.elapsed()),
            None => (None, Duration::ZERO),
        }
    }

    fn problem(&self, status: StatusCode, title: &str, message: &str) -> Response {
        let template = ProblemTemplate {
            host: &self.host,
            title,
            message,
        };
        html(status, &template)
    }
}
