//! Health: five dimensions, judged by evidence. Pure functions; the same evidence always gives the same judgement.

mod comparison;
mod dimension;
mod dimensions;
mod evidence;
mod moment;
mod outlook;
mod ratio;
mod sequential;
mod thresholds;
mod trend;
mod window;

use serde::{Deserialize, Serialize};

pub use comparison::Comparison;
pub use dimension::{Dimension, Level, Measure, Name, Value, Verdict};
pub use evidence::{Arm, Errors, Evidence, Latency, Packets, Resources, Shadow, Target, Thread};
pub use moment::{DurationView, Moment};
pub use outlook::{Forecast, Outlook, Past, Subject};
pub use ratio::Ratio;
pub use sequential::{FALSE_ALARM_RATE, Recent, Sequence};
pub use thresholds::{Limits, Thresholds};
pub use trend::Trend;
pub use window::Window;

/// Everything that health is judged by.
struct Known<'a> {
    evidence: &'a Evidence,
    comparison: &'a Comparison,
    outlook: &'a Outlook,
    thresholds: &'a Thresholds,
}

/// Health at a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Health {
    /// When.
    pub at: Moment,
    /// That of the worst dimension.
    pub level: Level,
    /// `fail` when a dimension fails, else `no_data` when one has none, else `inconclusive` when one is, else `pass`.
    pub verdict: Verdict,
    /// All five, in the order of [`Name::ALL`].
    pub dimensions: Vec<Dimension>,
}

impl Health {
    /// Judges the evidence of the last minute or so, what is known about the arms, and what is to come.
    pub fn judge(evidence: &Evidence, comparison: &Comparison, outlook: &Outlook, thresholds: &Thresholds) -> Self {
        let known = Known {
            evidence,
            comparison,
            outlook,
            thresholds,
        };
        let dimensions: Vec<_> = Name::ALL
            .iter()
            .map(|&name| Dimension::judge(name, dimensions::measures(name, &known)))
            .collect();
        let has = |verdict| dimensions.iter().any(|dimension| dimension.verdict == verdict);
        let verdict = [Verdict::Fail, Verdict::NoData, Verdict::Inconclusive]
            .into_iter()
            .find(|&verdict| has(verdict))
            .unwrap_or(Verdict::Pass);
        Self {
            at: evidence.at,
            level: dimensions
                .iter()
                .map(|dimension| dimension.level)
                .max()
                .unwrap_or_default(),
            verdict,
            dimensions,
        }
    }

    /// Everything that is wrong, in words.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        self.dimensions
            .iter()
            .flat_map(|dimension| &dimension.reasons)
            .map(String::as_str)
    }
}
