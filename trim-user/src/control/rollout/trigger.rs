//! What takes everything back by itself.

use std::time::Duration;

use crate::control::health::DurationView;
use serde::{Deserialize, Serialize};

use crate::control::health::{Arm, Comparison, Evidence, Thresholds};

/// A reason for an automatic rollback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Too many packets of `scanning` were not trimmed as they should be.
    Errors,
    /// `scanning` certainly makes more errors than `legacy`.
    MoreErrors,
    /// `scanning` is far dearer than `legacy`.
    SlowDown,
    /// A thread makes no progress.
    Unresponsive,
    /// The machine, the control group or the process runs out of memory.
    Memory,
    /// The shadow disagrees too often.
    Inaccuracy,
    /// `scanning` removed header bytes.
    HeaderLoss,
}

impl Trigger {
    /// Every trigger.
    pub const ALL: [Self; 7] = [
        Self::Errors,
        Self::MoreErrors,
        Self::SlowDown,
        Self::Unresponsive,
        Self::Memory,
        Self::Inaccuracy,
        Self::HeaderLoss,
    ];

    /// The word used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::MoreErrors => "more_errors",
            Self::SlowDown => "slow_down",
            Self::Unresponsive => "unresponsive",
            Self::Memory => "memory",
            Self::Inaccuracy => "inaccuracy",
            Self::HeaderLoss => "header_loss",
        }
    }
}

/// A limit, and for how long it has to be exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = TriggerRule)]
pub struct Rule {
    /// Above this.
    pub above: f64,
    /// For so long.
    #[schema(value_type = DurationView)]
    pub hold: Duration,
}

impl Rule {
    const fn new(above: f64, hold_s: u64) -> Self {
        Self {
            above,
            hold: Duration::from_secs(hold_s),
        }
    }
}

/// The rule of each trigger.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Triggers {
    /// Whether anything is taken back by itself at all.
    pub enabled: bool,
    /// Share of packets, 0 to 1.
    pub errors: Rule,
    /// Lower bound of the difference in shares; see [`Comparison`].
    pub more_errors: Rule,
    /// Share: 0.6 is 60% dearer.
    pub slow_down: Rule,
    /// Seconds without progress; they are their own hold time.
    pub unresponsive: Rule,
    /// Share of the memory of machine, control group or process, 0 to 1.
    pub memory: Rule,
    /// Share of compared segments, 0 to 1.
    pub inaccuracy: Rule,
    /// Header bytes in a sample.
    pub header_loss: Rule,
}

impl Default for Triggers {
    fn default() -> Self {
        Self {
            enabled: true,
            errors: Rule::new(0.15, 10),
            more_errors: Rule::new(0.0, 0),
            slow_down: Rule::new(0.60, 30),
            unresponsive: Rule::new(30.0, 0),
            memory: Rule::new(0.98, 10),
            inaccuracy: Rule::new(0.10, 10),
            header_loss: Rule::new(0.0, 0),
        }
    }
}

impl Triggers {
    /// The rule of a trigger.
    pub const fn rule(&self, trigger: Trigger) -> Rule {
        match trigger {
            Trigger::Errors => self.errors,
            Trigger::MoreErrors => self.more_errors,
            Trigger::SlowDown => self.slow_down,
            Trigger::Unresponsive => self.unresponsive,
            Trigger::Memory => self.memory,
            Trigger::Inaccuracy => self.inaccuracy,
            Trigger::HeaderLoss => self.header_loss,
        }
    }

    pub(super) fn scaled(mut self, scale: f64) -> Self {
        for rule in [
            &mut self.errors,
            &mut self.more_errors,
            &mut self.slow_down,
            &mut self.memory,
            &mut self.inaccuracy,
            &mut self.header_loss,
        ] {
            rule.hold = rule.hold.mul_f64(scale);
        }
        self.unresponsive.above *= scale;
        self
    }
}

/// The value of a trigger in a sample; `None` when it cannot be told from so little.
pub(super) fn value(
    trigger: Trigger,
    sample: &Evidence,
    comparison: &Comparison,
    thresholds: &Thresholds,
) -> Option<f64> {
    let scanning = &sample.scanning;
    // A sample is shorter than the window that health is judged by.
    let enough = |count: u64, fewest: u64| count >= fewest.div_ceil(4);
    let has_packets = |arm: &Arm| enough(arm.packets, thresholds.fewest_packets);
    match trigger {
        Trigger::Errors => scanning.error_share().filter(|_| has_packets(scanning)),
        Trigger::MoreErrors => comparison.certain_errors(),
        Trigger::SlowDown => {
            let costs = sample.legacy.cost_ns().zip(scanning.cost_ns());
            costs
                .filter(|_| has_packets(&sample.legacy) && has_packets(scanning))
                .map(|(legacy, scanning)| scanning / legacy - 1.0)
        }
        Trigger::Unresponsive => sample.threads.iter().map(|it| it.stalled_s).max_by(f64::total_cmp),
        Trigger::Memory => sample.resources.worst_memory_share(),
        Trigger::Inaccuracy => scanning
            .shadow
            .accuracy()
            .filter(|_| enough(scanning.shadow.segments, thresholds.fewest_segments))
            .map(|accuracy| 1.0 - accuracy),
        Trigger::HeaderLoss => Some(scanning.shadow.header_bytes_lost as f64),
    }
}
