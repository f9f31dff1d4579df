//! A dimension of health: measures against limits, the worst of which counts.

use serde::{Deserialize, Serialize};

use super::thresholds::Limits;

/// The five dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DimensionName)]
pub enum Name {
    /// Do flows go where they were told to?
    StrategySelection,
    /// How fast, at what cost?
    Performance,
    /// What goes wrong?
    Errors,
    /// How much of the machine is left?
    Resources,
    /// Is the capture complete and right?
    Business,
}

impl Name {
    /// Every dimension.
    pub const ALL: [Self; 5] = [
        Self::StrategySelection,
        Self::Performance,
        Self::Errors,
        Self::Resources,
        Self::Business,
    ];

    /// The word used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StrategySelection => "strategy_selection",
            Self::Performance => "performance",
            Self::Errors => "errors",
            Self::Resources => "resources",
            Self::Business => "business",
        }
    }
}

/// Whether something holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// Too little was measured to say.
    Inconclusive,
    /// Nothing was measured. Never a pass.
    #[default]
    NoData,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HealthLevel)]
pub enum Level {
    /// Nothing over its limit.
    #[default]
    Healthy,
    /// Something over its warning limit.
    Warning,
    /// Something over its critical limit.
    Critical,
}

/// What a measured value is worth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Measured on enough.
    Measured(f64),
    /// Measured, on too little to judge by.
    TooLittle(f64),
    /// Not measured, and that is a gap.
    Missing,
    /// Not measured, because there is nothing to measure, as with a strategy that has no flows.
    NotApplicable,
}

impl Value {
    /// A value that was measured on `count` things and needs `fewest`; without any it is `missing`.
    pub fn on(value: Option<f64>, count: u64, fewest: u64, missing: Self) -> Self {
        match value {
            None => missing,
            Some(value) if count < fewest => Self::TooLittle(value),
            Some(value) => Self::Measured(value),
        }
    }

    /// A state of the machine, which needs no sample.
    pub fn state(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, Self::Measured)
    }
}

/// One input of a dimension. Smaller is better.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Measure {
    /// What is measured, such as `scanning_error_share`.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// Its limits.
    pub limits: Limits,
}

impl Measure {
    /// A measure against its limits.
    pub fn new(name: impl Into<String>, value: Value, limits: Limits) -> Self {
        Self {
            name: name.into(),
            value,
            limits,
        }
    }

    /// How bad the value is.
    pub fn level(&self) -> Level {
        match self.value {
            Value::Measured(value) if value > self.limits.critical => Level::Critical,
            Value::Measured(value) if value > self.limits.warning => Level::Warning,
            _ => Level::Healthy,
        }
    }

    /// 1 at nothing, one half at the warning limit, 0 at the critical one.
    pub fn score(&self) -> Option<f64> {
        let Value::Measured(value) = self.value else {
            return None;
        };
        let Limits { warning, critical } = self.limits;
        let score = if value <= warning {
            if warning > 0.0 {
                1.0 - 0.5 * value.max(0.0) / warning
            } else {
                1.0
            }
        } else if value < critical {
            0.5 * (critical - value) / (critical - warning)
        } else {
            0.0
        };
        Some(score)
    }

    fn describe(&self) -> String {
        let (Value::Measured(value) | Value::TooLittle(value)) = self.value else {
            return format!("{}: nothing measured", self.name);
        };
        let Limits { warning, critical } = self.limits;
        let word = if value > critical { "critical" } else { "warning" };
        let limit = if value > critical { critical } else { warning };
        format!("{} is {value:.4}, above its {word} limit of {limit}", self.name)
    }
}

/// A judged dimension.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Dimension {
    /// Which one.
    pub name: Name,
    /// That of its worst measure, 0 to 1; `None` without data.
    pub score: Option<f64>,
    /// That of its worst measure.
    pub level: Level,
    /// Whether it is good.
    pub verdict: Verdict,
    /// Why it is not, in words.
    pub reasons: Vec<String>,
    /// What it was judged by.
    pub measures: Vec<Measure>,
}

impl Dimension {
    /// Judges a dimension by its measures: the worst counts, nothing is averaged away.
    pub fn judge(name: Name, measures: Vec<Measure>) -> Self {
        let level = measures.iter().map(Measure::level).max().unwrap_or_default();
        let has = |wanted: fn(&Value) -> bool| measures.iter().any(|measure| wanted(&measure.value));
        let verdict = if level > Level::Healthy {
            Verdict::Fail
        } else if has(|value| *value == Value::Missing) || !has(|value| *value != Value::NotApplicable) {
            Verdict::NoData
        } else if has(|value| matches!(value, Value::TooLittle(_))) {
            Verdict::Inconclusive
        } else {
            Verdict::Pass
        };
        let reasons = measures
            .iter()
            .filter(|measure| measure.level() > Level::Healthy || measure.value == Value::Missing)
            .map(Measure::describe)
            .collect();
        Self {
            name,
            score: measures.iter().filter_map(Measure::score).min_by(f64::total_cmp),
            level,
            verdict,
            reasons,
            measures,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits::new(0.05, 0.10);

    fn judged(values: &[Value]) -> Dimension {
        let measures = values.iter().map(|&value| Measure::new("errors", value, LIMITS));
        Dimension::judge(Name::Errors, measures.collect())
    }

    #[test]
    fn the_worst_measure_counts() {
        let good = Value::Measured(0.0);
        let dimension = judged(&[good, good, good, good, good, good, Value::Measured(1.0)]);
        assert_eq!(dimension.level, Level::Critical);
        assert_eq!(dimension.score, Some(0.0));
        assert_eq!(dimension.verdict, Verdict::Fail);
        assert_eq!(dimension.reasons.len(), 1);
    }

    #[test]
    fn no_data_is_never_a_pass() {
        assert_eq!(judged(&[]).verdict, Verdict::NoData);
        assert_eq!(judged(&[Value::NotApplicable]).verdict, Verdict::NoData);
        assert_eq!(judged(&[Value::Measured(0.0), Value::Missing]).verdict, Verdict::NoData);
        assert_eq!(
            judged(&[Value::Measured(0.0), Value::TooLittle(1.0)]).verdict,
            Verdict::Inconclusive
        );
        assert_eq!(
            judged(&[Value::Measured(0.0), Value::NotApplicable]).verdict,
            Verdict::Pass
        );
    }

    #[test]
    fn scores_fall_from_one_to_zero() {
        let score = |value| Measure::new("errors", Value::Measured(value), LIMITS).score().unwrap();
        assert_eq!(score(0.0), 1.0);
        assert_eq!(score(0.05), 0.5);
        assert!((score(0.075) - 0.25).abs() < 1e-9);
        assert_eq!(score(0.10), 0.0);
        assert_eq!(score(0.5), 0.0);
    }
}
