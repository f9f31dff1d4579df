//! What the engine is told by the configuration.

use std::time::Duration;

use super::super::matcher::Matchers;
use super::super::notice::Level;
use super::super::rules::{Rule, RuleBook, RuleKind};

/// Settings of the engine.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// The rules.
    pub rules: RuleBook,
    /// Alerts that are equal in these labels go in one message; `rule` and `level` count as labels.
    pub group_by: Vec<String>,
    /// How long the first alert of a group waits for others. A critical one does not wait.
    pub group_wait: Duration,
    /// Least time between two messages of one group. Critical ones do not wait.
    pub group_interval: Duration,
    /// How often an alert that lasts is told again, where its rule says nothing else.
    pub repeat: Duration,
    /// How long a condition has to be gone before it counts as resolved.
    pub resolve_after: Duration,
    /// How long an event is listed as firing.
    pub event_lasts: Duration,
    /// Pause before an alert is told again after its message was refused or lost.
    pub retry_pause: Duration,
    /// Which alerts mute which.
    pub inhibitions: Vec<Inhibition>,
    /// Who is told.
    pub audiences: Vec<Audience>,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            rules: RuleBook::default(),
            group_by: vec!["rule".to_owned()],
            group_wait: Duration::from_secs(5),
            group_interval: Duration::from_secs(60),
            repeat: Duration::from_secs(4 * 3600),
            resolve_after: Duration::from_secs(15),
            event_lasts: Duration::from_secs(3600),
            retry_pause: Duration::from_secs(60),
            inhibitions: Inhibition::defaults(),
            audiences: Vec::new(),
        }
    }
}

impl EngineSettings {
    /// The rule of this name. One that is not known has no thresholds and needs no time.
    pub(super) fn rule(&self, name: &str) -> Rule {
        let unknown = RuleKind::plain_info();
        self.rules.get(name).copied().unwrap_or_else(|| Rule::from(&unknown))
    }
}

/// While an alert that matches `source` fires, alerts that match `target` and are equal in some labels are not told.
/// A more serious alert is never muted by a less serious one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inhibition {
    /// Who mutes.
    pub source: Matchers,
    /// Who is muted.
    pub target: Matchers,
    /// Labels in which both have to be equal.
    pub equal: Vec<String>,
}

impl Inhibition {
    /// Source and target of each default, equal in `strategy`.
    pub const DEFAULTS: [(&str, &str); 2] = [
        ("rule=unavailable", "rule=slow_down"),
        ("rule=unavailable", "rule=error_rate"),
    ];

    /// What does not answer is not also called slow or faulty; what lost its link is not also called idle.
    pub fn defaults() -> Vec<Self> {
        let pair = |(source, target): (&str, &str)| {
            Some(Self {
                source: Matchers::parse(source).ok()?,
                target: Matchers::parse(target).ok()?,
                equal: vec!["strategy".to_owned()],
            })
        };
        Self::DEFAULTS.into_iter().filter_map(pair).collect()
    }
}

/// One channel, as far as deciding what it is told goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience {
    /// The channel's name.
    pub name: String,
    /// The least serious level it is told.
    pub level: Level,
    /// Whether it is told that an alert has resolved.
    pub resolved: bool,
    /// Most messages; critical ones neither count nor are held back.
    pub limit: RateLimit,
}

/// So many messages in so long a time, as a token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Messages that may leave at once when nothing left for `per`.
    pub messages: u32,
    /// Time in which the bucket fills.
    pub per: Duration,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            messages: 20,
            per: Duration::from_secs(3600),
        }
    }
}
