//! The templates, with what each of them shows. Every text is escaped.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};

use super::model::{Dashboard, DecisionPage};

/// The overview.
#[derive(Template)]
#[template(path = "dashboard.html")]
pub(super) struct DashboardTemplate<'a> {
    pub(super) page: Dashboard,
    pub(super) form_token: &'a str,
    pub(super) has_login: bool,
}

/// A decision.
#[derive(Template)]
#[template(path = "decision.html")]
pub(super) struct DecisionTemplate<'a> {
    pub(super) page: DecisionPage,
    pub(super) host: &'a str,
}

/// The question before a rollback.
#[derive(Template)]
#[template(path = "rollback.html")]
pub(super) struct RollbackTemplate<'a> {
    pub(super) host: &'a str,
    pub(super) mode: &'a str,
    pub(super) rollout: &'a str,
    pub(super) reason: &'a str,
    pub(super) problem: Option<&'a str>,
    pub(super) form_token: &'a str,
}

/// The form that takes the token.
#[derive(Template)]
#[template(path = "login.html")]
pub(super) struct LoginTemplate<'a> {
    pub(super) host: &'a str,
    pub(super) problem: Option<&'a str>,
}

/// What was not done, and why.
#[derive(Template)]
#[template(path = "problem.html")]
pub(super) struct ProblemTemplate<'a> {
    pub(super) host: &'a str,
    pub(super) title: &'a str,
    pub(super) message: &'a str,
}

/// The page that a template gives.
pub(super) fn html(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be rendered\n").into_response()
        }
    }
}
