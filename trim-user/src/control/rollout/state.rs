//! Where a rollout stands. Everything a decision needs besides the plan and the sample; stored before it is acted upon.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::control::health::DurationView;
use serde::{Deserialize, Serialize};

use super::phase::{Phase, Status};
use super::plan::{Plan, Step};
use super::trigger::Trigger;
use crate::control::health::{Comparison, Moment};

/// Where a rollout stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = RolloutState)]
pub struct State {
    /// How it stands.
    pub status: Status,
    /// The phase it is in, or was in last.
    pub phase: Phase,
    /// The step of that phase, from 0.
    pub step: usize,
    /// Whether it ends with this phase.
    pub only_this_phase: bool,
    /// When the last decision was made.
    pub at: Moment,
    /// When the rollout was started.
    pub started: Moment,
    /// For how long the step has been observed.
    #[schema(value_type = DurationView)]
    pub observed: Duration,
    /// For how long its criteria have held without a break.
    #[schema(value_type = DurationView)]
    pub good_for: Duration,
    /// For how long they have failed without a break.
    #[schema(value_type = DurationView)]
    pub bad_for: Duration,
    /// Flows that began in it.
    pub flows: u64,
    /// How often the rollout went back since it was started or resumed.
    pub step_backs: u32,
    /// The phase that a person has agreed to.
    pub approved: Option<Phase>,
    /// The phase that waits for a person.
    pub waiting_for: Option<Phase>,
    /// Why it is paused.
    pub paused: Option<String>,
    /// For how long each trigger's limit has been exceeded.
    #[schema(value_type = BTreeMap<String, DurationView>)]
    pub breaches: BTreeMap<Trigger, Duration>,
    /// What is known about the two arms since the split was last changed.
    pub comparison: Comparison,
    /// The latest rollbacks, oldest first.
    pub rollbacks: Vec<Rollback>,
    /// Nothing is started before this.
    pub cool_down_until: Option<Moment>,
    /// Whether a person has to unlock it.
    pub is_locked: bool,
}

/// A rollback that has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Rollback {
    /// When.
    pub at: Moment,
    /// What triggered it; `None` when a person did.
    pub trigger: Option<Trigger>,
    /// Why, in words.
    pub reason: String,
    /// The phase it was in.
    pub phase: Phase,
}

impl State {
    /// The step it is in.
    pub fn current_step<'a>(&self, plan: &'a Plan) -> &'a Step {
        let steps = &plan.phase(self.phase).steps;
        &steps[self.step.min(steps.len() - 1)]
    }

    /// Whether a rollout is under way, if only paused.
    pub const fn is_under_way(&self) -> bool {
        matches!(self.status, Status::InProgress | Status::Paused)
    }

    /// Enters a step anew.
    pub(super) fn enter(&mut self, phase: Phase, step: usize, plan: &Plan) {
        self.phase = phase;
        self.step = step;
        self.observed = Duration::ZERO;
        self.good_for = Duration::ZERO;
        self.bad_for = Duration::ZERO;
        self.flows = 0;
        self.waiting_for = None;
        self.breaches.clear();
        self.comparison = Comparison::new(self.current_step(plan).share);
    }
}
