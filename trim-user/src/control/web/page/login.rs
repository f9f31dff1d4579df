//! The form that takes the token and gives a cookie for it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};

use super::form::Form;
use super::templates::{LoginTemplate, html};
use super::{Pages, Shared};
use crate::control::web::COOKIE_NAME;

/// How long a login lasts, seconds.
const LASTS_S: u32 = 12 * 3600;
/// A wrong token is answered so much later: guessing is to be slow.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/login", get(ask).post(take))
        .route("/logout", post(end))
}

async fn ask(State(pages): Shared, headers: HeaderMap) -> Response {
    if pages.web.guard.admits(&headers) {
        return Redirect::to("/").into_response();
    }
    form(&pages, StatusCode::OK, None)
}

fn form(pages: &Pages, status: StatusCode, problem: Option<&str>) -> Response {
    let host = &pages.host;
    html(status, &LoginTemplate { host, problem })
}

async fn take(State(pages): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let form_fields = Form::parse(&body);
    let token = form_fields.field("token");
    if !pages.web.guard.accepts(token) {
        tracing::warn!("somebody tried to log in with a wrong token");
        tokio::time::sleep(PAUSE).await;
        return form(&pages, StatusCode::FORBIDDEN, Some("This is not the token."));
    }
    // The token was compared with ours, which came from a file or the environment, and may hold anything.
    match cookie(token, LASTS_S, is_secure(&headers)) {
        Some(cookie) => ([(SET_COOKIE, cookie)], Redirect::to("/")).into_response(),
        None => {
            let problem = "The token holds characters that no cookie can: letters and digits can be logged in with.";
            form(&pages, StatusCode::CONFLICT, Some(problem))
        }
    }
}

async fn end(State(pages): Shared, headers: HeaderMap, body: Bytes) -> Response {
    if !Form::parse(&body).is_ours(&pages.form_token) {
        return pages.problem(StatusCode::FORBIDDEN, "Not logged out", super::actions::NOT_OURS);
    }
    match cookie("", 0, is_secure(&headers)) {
        Some(cookie) => ([(SET_COOKIE, cookie)], Redirect::to("/login")).into_response(),
        None => Redirect::to("/login").into_response(),
    }
}

/// Browsers say where a form comes from; one that came by TLS is not sent without it afterwards.
fn is_secure(headers: &HeaderMap) -> bool {
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    origin.is_some_and(|origin| origin.starts_with("https://"))
}

fn cookie(token: &str, seconds: u32, is_secure: bool) -> Option<HeaderValue> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b';' | b',' | b'"' | b'\\');
    if !token.bytes().all(is_plain) {
        return None;
    }
    let secure = if is_secure { "; Secure" } else { "" };
    let text = format!("{COOKIE_NAME}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_for_this_site_alone_and_not_for_scripts() {
        let text = cookie("0123456789abcdef", 60, true).unwrap();
        let text = text.to_str().unwrap();
        for part in [
            "trim_token=0123456789abcdef;",
            "HttpOnly",
            "SameSite=Strict",
            "Secure",
            "Max-Age=60",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_token_cannot_add_to_its_cookie() {
        for token in ["a; Domain=example.com", "a\r\nx", "\u{e4}", "a b"] {
            assert!(cookie(token, 60, false).is_none(), "{token}");
        }
    }
}
