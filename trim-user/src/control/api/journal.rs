//! Every request that may change something stands in the event log: who, what, why, and what came of it.

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::Refused;
use super::peer::Peer;
use crate::control::health::Moment;
use crate::control::store::{Event, EventLog};
use crate::kernel::clock;

/// Longest body of a request, bytes.
const LONGEST_BODY: usize = 256 << 10;
/// A longer body is not kept in the log, bytes.
const LONGEST_KEPT: usize = 8 << 10;

/// Notes requests that are not just questions, also those that are refused. One place for all of them, so that none is forgotten.
pub(super) async fn note(
    State(log): State<EventLog>,
    Extension(peer): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LONGEST_BODY).await else {
        let message = format!("the request broke off, or has more than {LONGEST_BODY} bytes");
        return Refused(StatusCode::PAYLOAD_TOO_LARGE, message).into_response();
    };
    let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
    let response = next.run(Request::from_parts(parts, Body::from(body.clone()))).await;
    log.append(event(&peer, &method, &path, &body, response.status()));
    response
}

fn event(peer: &Peer, method: &Method, path: &str, body: &Bytes, status: StatusCode) -> Event {
    let asked = match serde_json::from_slice::<Value>(body) {
        Ok(value) if body.len() <= LONGEST_KEPT => value,
        _ => json!({ "bytes": body.len() }),
    };
    // Each request has its own word for it.
    let why = ["reason", "comment", "message"]
        .iter()
        .find_map(|key| asked.get(key)?.as_str())
        .unwrap_or_default();
    Event {
        at: Moment(clock::realtime() / 1_000_000),
        kind: "request".to_owned(),
        who: peer.name(),
        why: why.to_owned(),
        what: json!({ "method": method.as_str(), "path": path, "asked": asked, "status": status.as_u16() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_who_what_why_and_what_came_of_it() {
        let body = Bytes::from_static(br#"{"mode": "legacy", "reason": "it is late"}"#);
        let peer = Peer {
            user: Some(7),
            process: Some(9),
            groups: Vec::new(),
        };
        let event = event(&peer, &Method::POST, "/v1/switch", &body, StatusCode::OK);
        assert_eq!((event.who.as_str(), event.why.as_str()), ("uid 7, pid 9", "it is late"));
        assert_eq!(event.what["asked"]["mode"], "legacy");
        assert_eq!(event.what["status"], 200);
    }

    #[test]
    fn what_is_long_or_no_json_is_noted_by_its_length() {
        for body in [vec![b'x'; 10], format!("\"{}\"", "x".repeat(LONGEST_KEPT)).into_bytes()] {
            let length = body.len();
            let event = event(
                &Peer::default(),
                &Method::POST,
                "/",
                &body.into(),
                StatusCode::BAD_REQUEST,
            );
            assert_eq!(event.what["asked"]["bytes"], length);
        }
    }
}
