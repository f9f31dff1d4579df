//! The two arms, compared while both work.

use serde::{Deserialize, Serialize};

use super::evidence::{Arm, Evidence};
use super::ratio::Ratio;
use super::sequential::Sequence;
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Share of errors on `scanning` less that on `legacy`, less the margin.
    pub errors: Sequence,
    /// Logarithm of the cost on `scanning` over that on `legacy`.
    pub cost: Sequence,
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
            self.errors.observe(scanning - legacy - ERROR_MARGIN, ERROR_RESOLUTION);
        }
        if let (Some(legacy), Some(scanning)) = (legacy.cost_ns(), scanning.cost_ns()) {
            self.cost.observe((scanning / legacy).ln(), COST_RESOLUTION);
        }
    }

    /// `scanning` certainly makes more errors.
    pub fn has_more_errors(&self) -> bool {
        self.errors.lower_bound().is_some_and(|bound| bound > 0.0)
    }

    /// `scanning` is certainly dearer, by more than a warning's worth.
    pub fn is_dearer(&self, thresholds: &Thresholds) -> bool {
        let margin = thresholds.slow_down.warning.ln_1p();
        self.cost.lower_bound().is_some_and(|bound| bound > margin)
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
