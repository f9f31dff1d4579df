//! Alerts as the API shows them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::center::Waiting;
use super::engine::{Acknowledgement, Alarm, Counts, Engine, Reason, Silence, State};
use super::notice::{Fingerprint, Labels, Level};
use super::time::Time;

/// `GET /v1/alerts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AlertList {
    /// Alerts: those that fire first, the most serious first, the newest first.
    pub alerts: Vec<AlertView>,
    /// Silences in force.
    pub silences: Vec<SilenceView>,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AlertView {
    /// Its id, for `trim alert ack`.
    #[schema(value_type = String)]
    pub id: Fingerprint,
    /// Where it is in its life.
    pub state: State,
    /// How serious it is.
    pub level: Level,
    /// The rule it broke.
    pub rule: String,
    /// What it is about.
    #[schema(value_type = BTreeMap<String, String>)]
    pub labels: Labels,
    /// One line for people.
    pub summary: String,
    /// More for people.
    pub details: String,
    /// What was measured.
    pub value: Option<f64>,
    /// What it was measured against.
    pub threshold: Option<f64>,
    /// When it began, RFC 3339.
    pub since: String,
    /// When it ended, RFC 3339.
    pub ended: Option<String>,
    /// How often it has begun or happened.
    pub count: u64,
    /// Whether it happened once, rather than lasts.
    pub event: bool,
    /// Who has seen it.
    pub acknowledged: Option<Acknowledgement>,
    /// Why nobody is told of it, if so.
    pub muted: Option<Reason>,
}

/// A silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SilenceView {
    /// Its number, for `trim alert silence --end`.
    pub id: u64,
    /// Which alerts.
    pub matchers: String,
    /// Until when, RFC 3339.
    pub until: String,
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub comment: String,
}

impl AlertList {
    pub(super) fn of(engine: &Engine, now: Time) -> Self {
        let muted = engine.muted(now);
        let mut alarms: Vec<&Alarm> = engine.alarms().collect();
        let rank = |state| match state {
            State::Firing => 0,
            State::Pending => 1,
            State::Resolved => 2,
        };
        alarms.sort_by_key(|alarm| (rank(alarm.state), std::cmp::Reverse((alarm.notice.level, alarm.since))));
        Self {
            alerts: alarms
                .into_iter()
                .map(|alarm| AlertView::of(alarm, muted.get(&alarm.id).copied()))
                .collect(),
            silences: engine.silences().iter().map(SilenceView::from).collect(),
        }
    }
}

impl AlertView {
    fn of(alarm: &Alarm, muted: Option<Reason>) -> Self {
        let notice = alarm.notice.clone();
        Self {
            id: alarm.id,
            state: alarm.state,
            level: notice.level,
            rule: notice.rule,
            labels: notice.labels,
            summary: notice.summary,
            details: notice.details,
            value: notice.value,
            threshold: notice.threshold,
            since: alarm.since.to_string(),
            ended: alarm
                .ended
                .filter(|_| alarm.state == State::Resolved)
                .map(|ended| ended.to_string()),
            count: alarm.count,
            event: alarm.is_event,
            acknowledged: alarm.acknowledged.clone(),
            muted,
        }
    }
}

impl From<&Silence> for SilenceView {
    fn from(silence: &Silence) -> Self {
        Self {
            id: silence.id,
            matchers: silence.matchers.to_string(),
            until: silence.until.to_string(),
            by: silence.by.clone(),
            comment: silence.comment.clone(),
        }
    }
}

/// `GET /v1/alerts/statistics`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AlertStatistics {
    /// By level.
    pub levels: BTreeMap<String, Counts>,
    /// By rule.
    pub rules: BTreeMap<String, Counts>,
    /// By channel.
    pub channels: BTreeMap<String, ChannelView>,
    /// Bytes of messages that wait.
    pub waiting_bytes: u64,
}

/// What became of a channel's messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChannelView {
    /// Messages given to it.
    pub messages: u64,
    /// Messages that wait.
    pub waiting: u64,
    /// Messages that arrived.
    pub delivered: u64,
    /// Attempts that failed.
    pub failed_attempts: u64,
    /// Messages given up, because they were refused for good or too old.
    pub refused: u64,
    /// Messages for which there was no room.
    pub dropped: u64,
    /// Alerts not told, or told later, by reason.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub suppressed: BTreeMap<Reason, u64>,
    /// From making a message to its arrival, of the last 256, milliseconds.
    pub latency_ms: LatencyView,
    /// When the last message arrived, RFC 3339.
    pub last_delivered: Option<String>,
    /// Why the last attempt failed; nothing when it did not.
    pub last_error: Option<String>,
}

/// Latencies, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LatencyView {
    /// Half did not take longer.
    pub p50: u64,
    /// Of a hundred, 95 did not take longer.
    pub p95: u64,
    /// The longest.
    pub max: u64,
}

impl AlertStatistics {
    pub(super) fn of(engine: &Engine, waiting: &Waiting, waiting_bytes: u64) -> Self {
        let statistics = engine.statistics();
        let mut channels: BTreeMap<String, ChannelView> = engine
            .audiences()
            .iter()
            .map(|audience| (audience.name.clone(), ChannelView::default()))
            .collect();
        for (name, channel) in &statistics.channels {
            let view = ChannelView {
                messages: channel.messages,
                waiting: 0,
                delivered: channel.delivered,
                failed_attempts: channel.failed_attempts,
                refused: channel.refused,
                dropped: channel.dropped,
                suppressed: channel.suppressed.clone(),
                latency_ms: LatencyView {
                    p50: channel.latency(0.5),
                    p95: channel.latency(0.95),
                    max: channel.latency(1.0),
                },
                last_delivered: channel.last_delivered.map(|at| at.to_string()),
                last_error: channel.last_error.clone(),
            };
            channels.insert(name.clone(), view);
        }
        for (name, messages) in waiting {
            channels.entry(name.clone()).or_default().waiting = *messages;
        }
        Self {
            levels: statistics
                .levels
                .iter()
                .map(|(level, counts)| (level.name().to_owned(), *counts))
                .collect(),
            rules: statistics.rules.clone(),
            channels,
            waiting_bytes,
        }
    }
}
