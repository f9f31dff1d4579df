//! Requests about health and the rollout.

use axum::http::Method;

use super::{Client, ClientError};
use crate::control::api::rollout::{RolloutAnswer, RolloutRequest};
use crate::control::operator::View;
use crate::shared::FaultPlan;

impl Client {
    /// Health, evidence, and where the rollout stands.
    ///
    /// # Errors
    /// See [`ClientError`]; likewise for the other requests.
    pub fn health(&self) -> Result<View, ClientError> {
        self.ask(Method::GET, "/v1/health", None::<&()>)
    }

    /// Asks something of the rollout.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn rollout(&self, request: &RolloutRequest) -> Result<RolloutAnswer, ClientError> {
        self.ask(Method::POST, "/v1/rollout", Some(request))
    }

    /// Makes `scanning` fail.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn faults(&self, plan: &FaultPlan) -> Result<FaultPlan, ClientError> {
        self.ask(Method::POST, "/v1/faults", Some(plan))
    }
}
