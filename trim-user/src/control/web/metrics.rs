//! `/metrics`, for Prometheus.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::picture::Pictures;
use super::routes::WebState;
use crate::telemetry::prometheus::{Format, render};

pub(super) fn routes() -> Router<WebState> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(State(state): State<WebState>, headers: HeaderMap) -> Response {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let format = Format::accepted(accept.unwrap_or(""));
    match text(&state.pictures, format).await {
        Ok(text) => ([(CONTENT_TYPE, format.content_type())], text).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
    }
}

async fn text(pictures: &Arc<Pictures>, format: Format) -> Result<String, Box<dyn std::error::Error>> {
    let picture = pictures.get().await?;
    Ok(render(picture, format)?)
}
