//! How many alerts there were, and what became of their messages.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::notice::{Level, Notice};
use super::super::time::Time;

/// Latencies that are remembered of each channel.
const REMEMBERED: usize = 256;

/// Why an alert was not told, or not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WhyNotTold)]
pub enum Reason {
    /// A silence matched it.
    Silenced,
    /// A more serious alert muted it.
    Inhibited,
    /// Somebody has seen it: it is not repeated.
    Acknowledged,
    /// The channel has had its share of messages; it is told later.
    RateLimited,
    /// There are more alerts than are kept.
    TooMany,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrived.
    Delivered,
    /// An attempt failed; there will be others.
    Attempt(String),
    /// The channel refuses it for good, or it is too old.
    Refused(String),
    /// There was no room for it.
    Dropped,
}

/// How often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = AlertCounts)]
pub struct Counts {
    /// Conditions that fired.
    pub fired: u64,
    /// Conditions that resolved.
    pub resolved: u64,
    /// Events.
    pub events: u64,
}

/// What became of a channel's messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelStatistics {
    /// Messages given to it.
    pub messages: u64,
    /// Messages that arrived.
    pub delivered: u64,
    /// Attempts that failed.
    pub failed_attempts: u64,
    /// Messages given up, because they were refused for good or too old.
    pub refused: u64,
    /// Messages for which there was no room.
    pub dropped: u64,
    /// Alerts not told, or told later, by reason.
    pub suppressed: BTreeMap<Reason, u64>,
    /// From making a message to its arrival, milliseconds, of the last 256.
    pub latency_ms: VecDeque<u64>,
    /// When the last message arrived.
    pub last_delivered: Option<Time>,
    /// Why the last attempt failed; nothing when it did not.
    pub last_error: Option<String>,
    /// Since when nothing has arrived although it was tried.
    pub failing_since: Option<Time>,
}

/// How many alerts there were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// By level.
    pub levels: BTreeMap<Level, Counts>,
    /// By rule.
    pub rules: BTreeMap<String, Counts>,
    /// By channel.
    pub channels: BTreeMap<String, ChannelStatistics>,
}

impl Statistics {
    pub(super) fn count(&mut self, notice: &Notice, what: impl Fn(&mut Counts)) {
        what(self.levels.entry(notice.level).or_default());
        what(self.rules.entry(notice.rule.clone()).or_default());
    }

    pub(super) fn channel(&mut self, name: &str) -> &mut ChannelStatistics {
        self.channels.entry(name.to_owned()).or_default()
    }

    pub(super) fn suppressed(&mut self, channel: &str, reason: Reason) {
        *self.channel(channel).suppressed.entry(reason).or_default() += 1;
    }
}

impl ChannelStatistics {
    pub(super) fn settle(&mut self, fate: &Fate, now: Time, latency: Option<Duration>) {
        match fate {
            Fate::Delivered => {
                self.delivered += 1;
                self.last_delivered = Some(now);
                self.last_error = None;
                self.failing_since = None;
                if let Some(latency) = latency {
                    self.latency_ms.push_back(latency.as_millis() as u64);
                    while self.latency_ms.len() > REMEMBERED {
                        self.latency_ms.pop_front();
                    }
                }
            }
            Fate::Attempt(error) => {
                self.failed_attempts += 1;
                self.fail(error, now);
            }
            Fate::Refused(error) => {
                self.refused += 1;
                self.fail(error, now);
            }
            Fate::Dropped => self.dropped += 1,
        }
    }

    fn fail(&mut self, error: &str, now: Time) {
        self.last_error = Some(error.to_owned());
        self.failing_since.get_or_insert(now);
    }

    /// The latency that this share of messages did not exceed, milliseconds; 0 without messages.
    pub fn latency(&self, share: f64) -> u64 {
        let mut sorted: Vec<u64> = self.latency_ms.iter().copied().collect();
        sorted.sort_unstable();
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let mut channel = ChannelStatistics::default();
        assert_eq!(channel.latency(0.5), 0);
        channel.latency_ms = (1..=100).collect();
        assert_eq!(
            (channel.latency(0.5), channel.latency(0.95), channel.latency(1.0)),
            (50, 95, 100)
        );
    }

    #[test]
    fn a_channel_is_failing_from_its_first_failure_to_its_next_success() {
        let mut channel = ChannelStatistics::default();
        channel.settle(&Fate::Attempt("no".into()), Time(1), None);
        channel.settle(&Fate::Refused("never".into()), Time(2), None);
        assert_eq!(channel.failing_since, Some(Time(1)));
        assert_eq!(channel.last_error.as_deref(), Some("never"));
        channel.settle(&Fate::Delivered, Time(3), Some(Duration::from_millis(7)));
        assert_eq!((channel.failing_since, channel.last_error.clone()), (None, None));
        assert_eq!((channel.failed_attempts, channel.refused, channel.delivered), (1, 1, 1));
    }
}
