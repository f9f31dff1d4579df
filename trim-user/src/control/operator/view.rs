//! What the operator shows.

use serde::{Deserialize, Serialize};

use crate::control::health::{Evidence, Health, Outlook};
use crate::control::rollout::{Plan, State};
use crate::control::store::Condition;

/// Everything an onlooker may want to know of health and rollout.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct View {
    /// Health after the last sample; `None` before the first.
    pub health: Option<Health>,
    /// The last minute or so of evidence.
    pub evidence: Option<Evidence>,
    /// What is to come.
    pub outlook: Outlook,
    /// Where the rollout stands.
    pub state: State,
    /// Why it stays where it is, or went where it went.
    pub reasons: Vec<String>,
    /// How the database does.
    #[serde(default)]
    pub database: Condition,
    /// What it is to do.
    pub plan: Plan,
}

impl View {
    /// Nothing seen yet.
    pub fn new(plan: &Plan) -> Self {
        Self {
            plan: plan.clone(),
            ..Self::default()
        }
    }
}
