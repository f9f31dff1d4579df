//! Who may ask: bearers of the token, and no page of another site on behalf of an operator who looks at it.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, COOKIE, HOST, ORIGIN, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::token::Token;

/// The cookie that carries the token.
pub const COOKIE_NAME: &str = "trim_token";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a request has to show.
#[derive(Clone, Debug)]
pub struct Guard {
    token: Option<Token>,
}

impl Guard {
    /// With a token, or, for loopback, without one.
    pub const fn new(token: Option<Token>) -> Self {
        Self { token }
    }

    /// Whether a token is asked for.
    pub const fn asks(&self) -> bool {
        self.token.is_some()
    }

    /// Whether this is the token; true for any text when none is asked for.
    pub fn accepts(&self, token: &str) -> bool {
        self.token.as_ref().is_none_or(|mine| mine.is(token))
    }

    /// Whether the request brings the token, as `Authorization: Bearer` or in the cookie [`COOKIE_NAME`].
    pub fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        bearer(headers)
            .or_else(|| cookie(headers))
            .is_some_and(|guess| token.is(guess))
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(name, value)| (name == COOKIE_NAME).then_some(value))
}

/// Lets in who brings the token.
pub(super) async fn token(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    if guard.admits(request.headers()) {
        return next.run(request).await;
    }
    let mut answer = (
        StatusCode::UNAUTHORIZED,
        "this needs the token that `web.token` names: Authorization: Bearer TOKEN\n",
    )
        .into_response();
    answer
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}

/// Keeps other sites' pages out, and the answers out of their frames and out of caches.
pub(super) async fn site(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let mut answer = match trespass(request.method(), request.headers(), guard.asks()) {
        Some(why) => (StatusCode::FORBIDDEN, format!("{why}\n")).into_response(),
        None => next.run(request).await,
    };
    let headers = answer.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    answer
}

/// Why a request may come from another site's page, if so.
///
/// Without a token whoever reaches the address is trusted; then a page could reach it under a name of its own that it has
/// pointed at this machine, and the name in `Host` shows that.
fn trespass(method: &Method, headers: &HeaderMap, has_token: bool) -> Option<&'static str> {
    let host = headers
        .get(HOST)
        .map(|host| host.to_str().unwrap_or(""))
        .unwrap_or("localhost");
    if !has_token && !is_this_machine(host) {
        return Some("without a token this answers only under an address or `localhost`, not under another name");
    }
    if matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let site = headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
    let is_foreign_fetch = site.is_some_and(|site| !matches!(site, b"same-origin" | b"none"));
    let origin = headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or(""));
    let is_foreign_origin =
        origin.is_some_and(|origin| origin.split_once("://").is_none_or(|(_, authority)| authority != host));
    (is_foreign_fetch || is_foreign_origin).then_some("changes are not taken from pages of other sites")
}

/// An address, or `localhost`, with or without a port.
fn is_this_machine(host: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|digit| digit.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) && !name.ends_with(':') => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::alert::secret::Secret;

    const TOKEN: &str = "0123456789abcdef";

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        pairs.collect()
    }

    #[test]
    fn a_token_comes_as_bearer_or_cookie() {
        let guard = Guard::new(Some(Token::new(Secret::new(TOKEN)).unwrap()));
        let admits = |name, value: &str| guard.admits(&headers(&[(name, value)]));
        assert!(admits("authorization", &format!("Bearer {TOKEN}")));
        assert!(admits("authorization", &format!("bearer {TOKEN}")));
        assert!(admits("cookie", &format!("a=b; trim_token={TOKEN}")));
        for (name, value) in [
            ("authorization", TOKEN.to_owned()),
            ("authorization", format!("Basic {TOKEN}")),
            ("authorization", "Bearer ".to_owned()),
            ("cookie", format!("trim_tokens={TOKEN}")),
            ("cookie", "trim_token=".to_owned()),
            ("x-token", TOKEN.to_owned()),
        ] {
            assert!(!admits(name, &value), "{name}: {value}");
        }
        assert!(Guard::new(None).admits(&HeaderMap::new()));
    }

    #[test]
    fn without_a_token_only_this_machine_has_a_name() {
        for host in [
            "127.0.0.1:9620",
            "localhost",
            "LOCALHOST:1",
            "[::1]:9620",
            "::1",
            "10.0.0.1",
        ] {
            assert_eq!(
                trespass(&Method::GET, &headers(&[("host", host)]), false),
                None,
                "{host}"
            );
        }
        for host in [
            "evil.example:9620",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "",
        ] {
            assert!(
                trespass(&Method::GET, &headers(&[("host", host)]), false).is_some(),
                "{host}"
            );
            assert!(
                trespass(&Method::GET, &headers(&[("host", host)]), true).is_none(),
                "{host}"
            );
        }
    }

    #[test]
    fn changes_come_from_our_own_pages_or_from_no_page() {
        let post = |lines: &[(&'static str, &str)]| {
            let mut all = headers(lines);
            all.insert(HOST, HeaderValue::from_static("10.0.0.1:9620"));
            trespass(&Method::POST, &all, true).is_none()
        };
        assert!(post(&[]));
        assert!(post(&[
            ("origin", "http://10.0.0.1:9620"),
            ("sec-fetch-site", "same-origin")
        ]));
        assert!(!post(&[("origin", "http://evil.example")]));
        assert!(!post(&[("origin", "null")]));
        assert!(!post(&[("sec-fetch-site", "cross-site")]));
        assert!(!post(&[("sec-fetch-site", "same-site")]));
    }
}
