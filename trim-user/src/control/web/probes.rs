//! `/healthz` and `/readyz`, for whatever restarts and routes.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::time::{Instant, sleep};

use crate::kernel::clock;
use crate::shared::Shared;

/// Time between two looks at threads that have not moved yet.
const LOOK: Duration = Duration::from_millis(10);
/// Threads are waited for as long as a lease lasts, but no longer than a probe waits for an answer.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What the probes look at; neither needs a lock.
#[derive(Clone)]
pub(super) struct Probes {
    pub(super) shared: Arc<Shared>,
    pub(super) lease: Duration,
}

pub(super) fn routes(probes: Probes) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .with_state(probes)
}

/// The process answers and every thread of the data path moves: a loop turns many times a second even without packets.
async fn health(State(probes): State<Probes>) -> (StatusCode, String) {
    let threads = &probes.shared.threads;
    let before: Vec<u64> = threads.iter().map(|thread| thread.beat.get()).collect();
    let end = Instant::now() + probes.lease.min(LONGEST_WAIT);
    loop {
        let all = threads.iter().zip(&before);
        let stuck: Vec<&str> = all
            .filter(|(thread, before)| thread.beat.get() == **before)
            .map(|(thread, _)| thread.name.as_str())
            .collect();
        if stuck.is_empty() {
            return (StatusCode::OK, "ok\n".to_owned());
        }
        if Instant::now() >= end {
            let text = format!("no progress: {}\n", stuck.join(", "));
            return (StatusCode::SERVICE_UNAVAILABLE, text);
        }
        sleep(LOOK).await;
    }
}

/// It captures, with every queue open and a lease that the kernel honours.
async fn ready(State(probes): State<Probes>) -> (StatusCode, String) {
    let shared = &probes.shared;
    let mut text = String::new();
    if shared.is_stopping() {
        text.push_str("the capture is ending\n");
    }
    let age = clock::monotonic().saturating_sub(shared.lease_renewed.get());
    if u128::from(age) >= probes.lease.as_nanos() {
        text.push_str("the lease has run out: the kernel gives every flow to legacy\n");
    }
    let closed: u64 = shared.threads.iter().map(|thread| thread.queues_closed.get()).sum();
    if closed > 0 {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{closed} queues are closed: their interface is gone");
    }
    if text.is_empty() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, text)
    }
}
