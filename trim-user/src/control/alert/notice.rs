//! What is wrong: a condition that holds, or something that happened once.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What an alert is about, such as `interface: eth0`.
pub type Labels = BTreeMap<String, String>;

/// How serious it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AlertLevel)]
pub enum Level {
    /// Good to know.
    Info,
    /// Somebody should look at it today.
    Warning,
    /// Somebody should look at it now. Never limited away.
    Critical,
}

impl Level {
    /// Every level, the least serious first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// The word used in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// The word as it is shown to people.
    pub const fn shout(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
        }
    }

    /// The level of this name, in any case.
    ///
    /// # Errors
    /// For any other word: what is allowed.
    pub fn parse(name: &str) -> Result<Self, String> {
        let found = Self::ALL
            .into_iter()
            .find(|level| level.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| format!("`{name}` is no level: one of info, warning, critical"))
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who an alert is: its rule and its labels, never its text, so that a number that changes makes no new alert.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Of a rule and labels. The same in every process and every version: it is FNV-1a, 64 bits, over the words with
    /// their lengths.
    pub fn of(rule: &str, labels: &Labels) -> Self {
        let words = labels.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for word in std::iter::once(rule).chain(words) {
            for byte in (word.len() as u64).to_le_bytes().iter().chain(word.as_bytes()) {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        Self(hash)
    }

    /// Reads what `Display` wrote.
    ///
    /// # Errors
    /// When it is not 16 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value = (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok()).flatten();
        value
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no alert's id: 16 hexadecimal digits, as `trim alert list` shows them"))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A condition that holds, or an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// How serious it is.
    pub level: Level,
    /// The rule it broke, such as `memory`.
    pub rule: String,
    /// What it is about.
    pub labels: Labels,
    /// One line for people.
    pub summary: String,
    /// More for people; may be empty.
    pub details: String,
    /// What was measured, in the unit of the rule.
    pub value: Option<f64>,
    /// What it was measured against.
    pub threshold: Option<f64>,
}

impl Notice {
    /// A notice without labels, details or numbers.
    pub fn new(level: Level, rule: &str, summary: impl Into<String>) -> Self {
        Self {
            level,
            rule: rule.to_owned(),
            labels: Labels::new(),
            summary: summary.into(),
            details: String::new(),
            value: None,
            threshold: None,
        }
    }

    /// With a label.
    #[must_use]
    pub fn label(mut self, name: &str, value: impl Into<String>) -> Self {
        self.labels.insert(name.to_owned(), value.into());
        self
    }

    /// With details.
    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = details.into();
        self
    }

    /// With what was measured, and against what.
    #[must_use]
    pub fn measured(mut self, value: f64, threshold: Option<f64>) -> Self {
        self.value = Some(value);
        self.threshold = threshold;
        self
    }

    /// Who it is.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.rule, &self.labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_numbers_do_not_make_another_alert_but_labels_do() {
        let one = Notice::new(Level::Warning, "memory", "81 %").measured(81.0, Some(80.0));
        let other = Notice::new(Level::Critical, "memory", "96 %").details("more");
        assert_eq!(one.fingerprint(), other.fingerprint());
        assert_ne!(one.fingerprint(), other.label("host", "a").fingerprint());
    }

    #[test]
    fn words_do_not_run_into_each_other() {
        let one = Notice::new(Level::Info, "a", "").label("b", "cd");
        let other = Notice::new(Level::Info, "a", "").label("bc", "d");
        assert_ne!(one.fingerprint(), other.fingerprint());
    }

    #[test]
    fn a_fingerprint_is_the_same_in_every_version() {
        let print = Notice::new(Level::Info, "link_lost", "")
            .label("interface", "eth0")
            .fingerprint();
        assert_eq!(Fingerprint::parse(&print.to_string()), Ok(print));
        assert_eq!(print.to_string(), "3ce143498bc69ef0");
    }
}
