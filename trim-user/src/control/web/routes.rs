//! What is served.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;

use super::error::WebError;
use super::guard::Guard;
use super::metrics;
use super::page;
use super::picture::Pictures;
use super::probes::{self, Probes};
use crate::control::api::Service;

/// What handlers have.
#[derive(Clone)]
pub struct WebState {
    /// What requests act on.
    pub service: Service,
    /// What is shown.
    pub pictures: Arc<Pictures>,
    /// Takes the token.
    pub guard: Arc<Guard>,
}

/// What everybody may see, and what only bearers of the token may. The page is among the former, because it shows the form
/// that takes the token; it asks for the token itself.
///
/// `lease` is how long the kernel's lease lasts; `database` is where decisions and events are read.
///
/// # Errors
/// When the page cannot have what it needs of the system.
pub fn routes(
    service: Service,
    guard: Arc<Guard>,
    lease: Duration,
    database: PathBuf,
) -> Result<(Router, Router), WebError> {
    let shared = Arc::clone(service.lock().shared());
    let state = WebState {
        pictures: Arc::new(Pictures::new(service.clone())),
        service,
        guard,
    };
    let page = page::routes(state.clone(), database).map_err(WebError::Thread)?;
    let open = probes::routes(Probes { shared, lease }).merge(page);
    let guarded = Router::new().merge(metrics::routes()).with_state(state);
    Ok((open, guarded))
}
