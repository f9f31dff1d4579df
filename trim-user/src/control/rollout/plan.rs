//! What a rollout is to do: steps, durations, criteria, triggers. Values from the configuration, resolved.

use std::time::Duration;

use crate::control::health::DurationView;
use serde::{Deserialize, Serialize};
use trim_common::strategy::Mode;

use super::freeze::Freeze;
use super::phase::Phase;
use super::trigger::Triggers;
use crate::control::health::Thresholds;
use crate::control::switch::Reach;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The whole plan. What an older program stored without some of it gets the defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Plan {
    /// The phases, in the order of [`Phase::ALL`].
    pub phases: Vec<PhasePlan>,
    /// When to take everything back.
    pub triggers: Triggers,
    /// What is healthy.
    pub thresholds: Thresholds,
    /// Which flows follow an automatic rollback.
    pub rollback_reach: Reach,
    /// After a rollback nothing is started for so long.
    #[schema(value_type = DurationView)]
    pub cool_down: Duration,
    /// So many rollbacks within [`Self::lock_window`] lock the rollout until a person unlocks it.
    pub rollbacks_to_lock: u32,
    /// See [`Self::rollbacks_to_lock`].
    #[schema(value_type = DurationView)]
    pub lock_window: Duration,
    /// Criteria that fail for so long make the rollout take a step back.
    #[schema(value_type = DurationView)]
    pub step_back_after: Duration,
    /// After so many steps back it waits for a person.
    pub most_step_backs: u32,
    /// The longest time between two samples that counts as observed. What passes while the daemon is down is not.
    #[schema(value_type = DurationView)]
    pub longest_gap: Duration,
    /// Times in which nothing advances.
    pub freezes: Vec<Freeze>,
}

/// One phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PhasePlan {
    /// Which one.
    pub phase: Phase,
    /// Its steps; at least one.
    pub steps: Vec<Step>,
    /// Whether a person has to agree before it begins.
    pub needs_approval: bool,
}

/// One step: a share of flows, and how long it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Step {
    /// Share of new flows on `scanning`, 0 to 1.
    pub share: f64,
    /// It lasts at least so long.
    #[schema(value_type = DurationView)]
    pub minimum: Duration,
    /// Criteria have to have held for so long, up to its end, without a break.
    #[schema(value_type = DurationView)]
    pub bake: Duration,
    /// So many flows at least have to have begun in it.
    pub fewest_flows: u64,
}

impl Step {
    /// The mode that gives flows this share.
    pub fn mode(&self) -> Mode {
        if self.share <= 0.0 {
            Mode::Legacy
        } else if self.share >= 1.0 {
            Mode::Scanning
        } else {
            Mode::AbTest
        }
    }
}

impl Default for Step {
    /// A day on `legacy` alone: what each step of the default plan begins from.
    fn default() -> Self {
        Self {
            share: 0.0,
            minimum: DAY,
            bake: HOUR,
            fewest_flows: 1000,
        }
    }
}

impl Default for Plan {
    /// The deployment guide's fourteen days. The configuration's defaults are taken from here.
    fn default() -> Self {
        let step = |share, minimum| Step {
            share,
            minimum,
            ..Step::default()
        };
        let phase = |phase, steps, needs_approval| PhasePlan {
            phase,
            steps,
            needs_approval,
        };
        Self {
            phases: vec![
                phase(Phase::BaselineValidation, vec![step(0.0, DAY)], false),
                phase(Phase::AbTest, vec![step(0.1, 2 * DAY)], false),
                phase(
                    Phase::GradualRollout,
                    [0.25, 0.5, 0.75, 0.9].map(|share| step(share, 2 * DAY)).into(),
                    false,
                ),
                phase(Phase::FullMigration, vec![step(1.0, 2 * DAY)], true),
                phase(Phase::LegacyCleanup, vec![step(1.0, 2 * DAY)], true),
            ],
            triggers: Triggers::default(),
            thresholds: Thresholds::default(),
            rollback_reach: Reach::Immediate,
            cool_down: HOUR,
            rollbacks_to_lock: 3,
            lock_window: DAY,
            step_back_after: HOUR / 2,
            most_step_backs: 3,
            longest_gap: Duration::from_secs(15),
            freezes: Vec::new(),
        }
    }
}

impl Plan {
    /// The plan of a phase.
    ///
    /// # Panics
    /// When the plan leaves the phase out; a resolved configuration never does.
    pub fn phase(&self, phase: Phase) -> &PhasePlan {
        self.phases
            .iter()
            .find(|plan| plan.phase == phase)
            .expect("a plan has all phases")
    }

    /// Multiplies every duration by `scale`, for a rehearsal: 0.001 makes a day less than a minute and a half. Thresholds stay as
    /// they are.
    #[must_use]
    pub fn scaled(mut self, scale: f64) -> Self {
        for step in self.phases.iter_mut().flat_map(|phase| &mut phase.steps) {
            step.minimum = step.minimum.mul_f64(scale);
            step.bake = step.bake.mul_f64(scale);
        }
        self.triggers = self.triggers.scaled(scale);
        self.thresholds.unresponsive_after = self.thresholds.unresponsive_after.mul_f64(scale);
        self.cool_down = self.cool_down.mul_f64(scale);
        self.step_back_after = self.step_back_after.mul_f64(scale);
        self.lock_window = self.lock_window.mul_f64(scale);
        self
    }
}
