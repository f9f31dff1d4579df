//! Five dimensions of health.

use crate::control::figures;
use crate::control::health::{Dimension, Level, Measure, Moment, Value, Verdict};
use crate::control::operator::View;

/// Health as a whole.
pub(crate) struct HealthCard {
    /// `healthy`, `warning`, `critical` or `unknown`; also the name of its colour.
    pub(crate) level: &'static str,
    pub(crate) verdict: &'static str,
    /// How old the judgement is.
    pub(crate) age: String,
    pub(crate) dimensions: Vec<DimensionRow>,
}

/// One dimension.
pub(crate) struct DimensionRow {
    pub(crate) name: &'static str,
    /// What it asks.
    pub(crate) question: &'static str,
    pub(crate) level: &'static str,
    pub(crate) verdict: &'static str,
    pub(crate) score: String,
    /// Length of its bar, 0 to 100.
    pub(crate) bar: u32,
    pub(crate) reasons: Vec<String>,
    pub(crate) measures: Vec<MeasureRow>,
}

/// One measure of a dimension.
pub(crate) struct MeasureRow {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) warning: String,
    pub(crate) critical: String,
    pub(crate) is_over: bool,
}

impl HealthCard {
    pub(super) fn of(view: &View, now: Moment) -> Self {
        let Some(health) = &view.health else {
            return Self {
                level: "unknown",
                verdict: "no data",
                age: "nothing was measured yet".to_owned(),
                dimensions: Vec::new(),
            };
        };
        Self {
            // Without data nobody knows that it is well.
            level: if health.verdict == Verdict::NoData && health.level == Level::Healthy {
                "unknown"
            } else {
                level(health.level)
            },
            verdict: verdict(health.verdict),
            age: format!("measured {} ago", figures::span(now.since(health.at))),
            dimensions: health.dimensions.iter().map(DimensionRow::of).collect(),
        }
    }
}

impl DimensionRow {
    pub(super) fn of(dimension: &Dimension) -> Self {
        use crate::control::health::Name;
        let (name, question) = match dimension.name {
            Name::StrategySelection => ("Strategy selection", "Do flows go where they were told to?"),
            Name::Performance => ("Performance", "How fast, at what cost?"),
            Name::Errors => ("Errors", "What goes wrong?"),
            Name::Resources => ("Resources", "How much of the machine is left?"),
            Name::Business => ("Business", "Is the capture complete and right?"),
        };
        // What is known does not make up for what is not.
        let score = dimension.score.filter(|_| dimension.verdict != Verdict::NoData);
        Self {
            name,
            question,
            level: match dimension.verdict {
                Verdict::NoData | Verdict::Inconclusive if dimension.level == Level::Healthy => "unknown",
                _ => level(dimension.level),
            },
            verdict: verdict(dimension.verdict),
            score: score.map_or_else(|| "-".to_owned(), |score| format!("{score:.2}")),
            bar: (score.unwrap_or(0.0) * 100.0).round() as u32,
            reasons: dimension.reasons.clone(),
            measures: dimension.measures.iter().map(MeasureRow::of).collect(),
        }
    }
}

impl MeasureRow {
    fn of(measure: &Measure) -> Self {
        let text = |value| in_unit(&measure.name, value);
        Self {
            name: in_words(&measure.name),
            value: match measure.value {
                Value::Measured(value) => text(value),
                Value::TooLittle(value) => format!("{} (on too little)", text(value)),
                Value::Missing => "not measured".to_owned(),
                Value::NotApplicable => "does not apply".to_owned(),
            },
            warning: text(measure.limits.warning),
            critical: text(measure.limits.critical),
            is_over: measure.level() > Level::Healthy,
        }
    }
}

/// Words can be broken into lines, names cannot. The unit stands with the values.
fn in_words(name: &str) -> String {
    let unit = ["_ns", "_seconds"].into_iter().find_map(|unit| name.strip_suffix(unit));
    unit.unwrap_or(name).replace('_', " ")
}

/// A measure's name ends with its unit.
fn in_unit(name: &str, value: f64) -> String {
    if name.ends_with("_ns") {
        figures::nanoseconds(value.max(0.0) as u64)
    } else if name.ends_with("_share") || name.ends_with("_slow_down") || name.ends_with("_inaccuracy") {
        figures::percent(value)
    } else if name.ends_with("_seconds") {
        format!("{value:.1} s")
    } else {
        format!("{value}")
    }
}

/// The word for a level.
pub(super) const fn level(level: Level) -> &'static str {
    match level {
        Level::Healthy => "healthy",
        Level::Warning => "warning",
        Level::Critical => "critical",
    }
}

/// The words for a verdict.
pub(super) const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "inconclusive",
        Verdict::NoData => "no data",
    }
}
