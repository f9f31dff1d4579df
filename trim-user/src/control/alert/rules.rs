//! The rules by which alerts are judged, with the thresholds that users were promised.

use std::collections::BTreeMap;
use std::time::Duration;

use super::notice::{Level, Notice};

/// On which side of its thresholds a value is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// Above them.
    Above,
    /// Below them.
    Below,
    /// There is no value: the condition holds or not, and has one level.
    Always(Level),
}

/// A rule as the program knows it.
#[derive(Clone, Copy, Debug)]
pub struct RuleKind {
    /// Its name in configuration and alerts.
    pub name: &'static str,
    /// When a value is bad.
    pub bad: Bad,
    warning: Option<f64>,
    critical: Option<f64>,
    hold: Duration,
}

const fn measured(name: &'static str, warning: f64, critical: Option<f64>, hold: u64) -> RuleKind {
    RuleKind {
        name,
        bad: Bad::Above,
        warning: Some(warning),
        critical,
        hold: Duration::from_secs(hold),
    }
}

const fn plain(name: &'static str, level: Level) -> RuleKind {
    RuleKind {
        name,
        bad: Bad::Always(level),
        warning: None,
        critical: None,
        hold: Duration::ZERO,
    }
}

impl RuleKind {
    /// Whether it has a value, and so thresholds.
    pub const fn is_measured(&self) -> bool {
        !matches!(self.bad, Bad::Always(_))
    }

    /// A rule that nothing is known of.
    pub(super) const fn plain_info() -> Self {
        plain("", Level::Info)
    }
}

/// Every rule there is. Thresholds are percentages.
pub const RULES: [RuleKind; 17] = [
    measured("error_rate", 5.0, Some(10.0), 30),
    measured("slow_down", 20.0, Some(50.0), 30),
    measured("memory", 80.0, Some(95.0), 30),
    measured("cpu", 70.0, None, 60),
    measured("disk", 80.0, Some(95.0), 0),
    measured("loss", 0.1, Some(1.0), 0),
    RuleKind {
        bad: Bad::Below,
        ..measured("accuracy", 90.0, None, 30)
    },
    plain("unavailable", Level::Critical),
    plain("rollback", Level::Critical),
    plain("rollout", Level::Info),
    plain("split_mismatch", Level::Warning),
    plain("link_lost", Level::Critical),
    plain("write_failed", Level::Critical),
    plain("thread_ended", Level::Critical),
    plain("channel_failing", Level::Warning),
    plain("configuration", Level::Warning),
    plain("operator", Level::Info),
];

/// What is configured of a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// Whether it is looked at.
    pub enabled: bool,
    /// When a value is bad.
    pub bad: Bad,
    /// From here on it is a warning, percent.
    pub warning: Option<f64>,
    /// From here on it is critical, percent.
    pub critical: Option<f64>,
    /// How long it has to hold before anybody is told.
    pub hold: Duration,
    /// How often it is told again while it lasts; `None` as is configured for all.
    pub repeat: Option<Duration>,
}

impl From<&RuleKind> for Rule {
    fn from(kind: &RuleKind) -> Self {
        Self {
            enabled: true,
            bad: kind.bad,
            warning: kind.warning,
            critical: kind.critical,
            hold: kind.hold,
            repeat: None,
        }
    }
}

impl Rule {
    /// How bad a value is, and which threshold it crossed; `None` when it is not.
    pub fn judge(&self, value: f64) -> Option<(Level, f64)> {
        let crossed = |threshold: &f64| match self.bad {
            Bad::Above => value > *threshold,
            Bad::Below => value < *threshold,
            Bad::Always(_) => false,
        };
        let critical = self
            .critical
            .filter(crossed)
            .map(|threshold| (Level::Critical, threshold));
        critical.or_else(|| {
            self.warning
                .filter(crossed)
                .map(|threshold| (Level::Warning, threshold))
        })
    }
}

/// Every rule by its name.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleBook(BTreeMap<&'static str, Rule>);

impl Default for RuleBook {
    fn default() -> Self {
        Self(RULES.iter().map(|kind| (kind.name, Rule::from(kind))).collect())
    }
}

impl RuleBook {
    /// The rule of this name.
    pub fn get(&self, name: &str) -> Option<&Rule> {
        self.0.get(name)
    }

    /// The rule of this name, to configure it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Rule> {
        self.0.get_mut(name)
    }

    /// The notice for a measured value, when it breaks the rule.
    pub fn measure(&self, rule: &str, value: f64, summary: impl Into<String>) -> Option<Notice> {
        let (level, threshold) = self.get(rule).filter(|rule| rule.enabled)?.judge(value)?;
        Some(Notice::new(level, rule, summary).measured(value, Some(threshold)))
    }

    /// The notice for a condition that is not measured, at the level of its rule.
    pub fn notice(&self, rule: &str, summary: impl Into<String>) -> Notice {
        let level = match self.get(rule).map(|rule| rule.bad) {
            Some(Bad::Always(level)) => level,
            _ => Level::Warning,
        };
        Notice::new(level, rule, summary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thresholds_users_were_promised_are_the_defaults() {
        let book = RuleBook::default();
        for (rule, value, expected) in [
            ("error_rate", 5.0, None),
            ("error_rate", 5.1, Some(Level::Warning)),
            ("error_rate", 10.1, Some(Level::Critical)),
            ("slow_down", 20.1, Some(Level::Warning)),
            ("slow_down", 50.1, Some(Level::Critical)),
            ("memory", 80.1, Some(Level::Warning)),
            ("memory", 95.1, Some(Level::Critical)),
            ("cpu", 70.1, Some(Level::Warning)),
            ("cpu", 100.0, Some(Level::Warning)),
            ("accuracy", 90.0, None),
            ("accuracy", 89.9, Some(Level::Warning)),
            ("error_rate", f64::NAN, None),
        ] {
            let judged = book.measure(rule, value, "").map(|notice| notice.level);
            assert_eq!(judged, expected, "{rule} {value}");
        }
        assert_eq!(book.notice("unavailable", "").level, Level::Critical);
    }
}
