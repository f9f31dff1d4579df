//! What is wrong, in words. Pure functions on what was collected.

mod control;
mod loss;
mod machine;
mod strategies;

#[cfg(test)]
mod tests;

use crate::control::health::Moment;
use crate::control::store::Sample;

use super::collected::Collected;

/// How bad a finding is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Packets or the capture are lost.
    Critical,
    /// To be mended.
    Warning,
    /// Good to know.
    Info,
}

impl Severity {
    /// The word used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// Something that is wrong, or was.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// A word that stays the same from version to version, such as `queue_full`.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What, in one sentence.
    pub what: String,
    /// Since when, if it is known.
    pub since: Option<Moment>,
    /// What it is seen by.
    pub evidence: String,
    /// What to do.
    pub cure: String,
}

impl Finding {
    fn new(
        name: &'static str,
        severity: Severity,
        what: impl Into<String>,
        evidence: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            name,
            severity,
            what: what.into(),
            since: None,
            evidence: evidence.into(),
            cure: cure.into(),
        }
    }

    fn since(mut self, since: Option<Moment>) -> Self {
        self.since = since;
        self
    }
}

/// Everything found, the worst first.
pub fn findings(collected: &Collected) -> Vec<Finding> {
    let mut found = Vec::new();
    control::find(collected, &mut found);
    loss::find(collected, &mut found);
    strategies::find(collected, &mut found);
    machine::find(collected, &mut found);
    found.sort_by_key(|finding| finding.severity);
    found
}

/// When something was first seen in the samples.
fn first(samples: &[Sample], is_there: impl Fn(&Sample) -> bool) -> Option<Moment> {
    samples.iter().find(|sample| is_there(sample)).map(|sample| sample.at)
}
