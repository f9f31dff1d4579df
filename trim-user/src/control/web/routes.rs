//! What is served.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;

use super::guard::Guard;
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

/// What everybody may see, and what only bearers of the token may. `lease` is how long the kernel's lease lasts.
pub fn routes(service: Service, guard: Arc<Guard>, lease: Duration) -> (Router, Router) {
    let shared = Arc::clone(service.lock().shared());
    let state = WebState {
        pictures: Arc::new(Pictures::new(service.clone())),
        service,
        guard,
    };
    let open = probes::routes(Probes { shared, lease });
    let guarded = Router::new().with_state(state);
    (open, guarded)
}
