//! The two arms, compared while both work.

use serde::{Deserialize, Serialize};

use super::evidence::{Arm, Evidence};
use super::ratio::Ratio;
use super::sequential::{FALSE_ALARM_RATE, Recent, Sequence};
use super::thresholds::Thresholds;

/// Fewer packets in an interval are too few to compare an arm by.
const FEWEST_PACKETS: u64 = 50;
/// So much more in errors is not worth a rollback: a percentage point, as a share.
pub(super) const ERROR_MARGIN: f64 = 0.01;
/// Differences in errors smaller than this are not told apart.
const ERROR_RESOLUTION: f64 = 0.002;
/// Ratios of cost closer to one another than this are not told apart.
const COST_RESOLUTION: f64 = 0.02;

/// What is known about the arms since the split was last changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Comparison {
    /// Share of errors on `scanning` less that on `legacy`, less the margin.
    pub errors: Sequence,
    /// Logarithm of the cost on `scanning` over that on `legacy`.
    pub cost: Sequence,
    /// As [`Self::errors`], lately.
    pub recent_errors: Recent,
    /// As [`Self::cost`], lately.
    pub recent_cost: Recent,
    /// Flows by strategy.
    pub ratio: Ratio,
    /// Share of flows that were to be on `scanning`.
    pub target: f64,
}

impl Comparison {
    /// Begins anew for a target share.
    pub fn new(target: f64) -> Self {
        Self {
            target,
            ..Self::default()
        }
    }

    /// Adds an interval. Intervals in which the target changed hold flows of both and are left out.
    pub fn observe(&mut self, evidence: &Evidence) {
        if evidence.target.has_changed {
            return;
        }
        let (legacy, scanning) = (&evidence.legacy, &evidence.scanning);
        self.ratio.observe(legacy.flows, scanning.flows);
        let comparable = |arm: &Arm| arm.packets >= FEWEST_PACKETS;
        if !(comparable(legacy) && comparable(scanning)) {
            return;
        }
        if let (Some(legacy), Some(scanning)) = (legacy.error_share(), scanning.error_share()) {
            let more = scanning - legacy - ERROR_MARGIN;
            self.errors.observe(more, ERROR_RESOLUTION, FALSE_ALARM_RATE);
            self.recent_errors.observe(more, ERROR_RESOLUTION);
        }
        if let (Some(legacy), Some(scanning)) = (legacy.cost_ns(), scanning.cost_ns()) {
            let ratio = (scanning / legacy).ln();
            self.cost.observe(ratio, COST_RESOLUTION, FALSE_ALARM_RATE);
            self.recent_cost.observe(ratio, COST_RESOLUTION);
        }
    }

    /// By how much more than the margin `scanning` certainly makes more errors, as a share; below 0 when that is not certain.
    pub fn certain_errors(&self) -> Option<f64> {
        let bounds = [self.errors.lower_bound(), self.recent_errors.lower_bound()];
        bounds.into_iter().flatten().max_by(f64::total_cmp)
    }

    /// `scanning` certainly makes more errors.
    pub fn has_more_errors(&self) -> bool {
        self.certain_errors().is_some_and(|bound| bound > 0.0)
    }

    /// `scanning` is certainly dearer, by more than a warning's worth.
    pub fn is_dearer(&self, thresholds: &Thresholds) -> bool {
        let margin = thresholds.slow_down.warning.ln_1p();
        let bounds = [self.cost.lower_bound(), self.recent_cost.lower_bound()];
        bounds.into_iter().flatten().any(|bound| bound > margin)
    }

    /// Flows are certainly not split as they were to be.
    pub fn is_split_wrong(&self) -> bool {
        self.ratio.is_mismatch(self.target)
    }

    /// How much dearer `scanning` is, by the mean over intervals: 0.3 is 30%. `None` before anything was compared.
    pub fn slow_down(&self) -> Option<f64> {
        (self.cost.count > 0).then(|| self.cost.mean.exp_m1())
    }
}
