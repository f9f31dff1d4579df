//! What a day, a week or a month was like: traffic, loss, health, strategies, decisions, and what is to come.
//!
//! [`Report::of`] is pure: everything comes from what the store keeps, and from the daemon where it answers.

mod forecast;
mod page;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::control::alert::view::AlertStatistics;
use crate::control::health::{Arm, Level, Moment};
use crate::control::status::Status;
use crate::control::store::{LoggedEvent, Measured, Recorded, Sample};

pub use forecast::{Forecast, forecasts};
pub use page::page;
pub use text::markdown;

/// How far back a report goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// 24 hours.
    Daily,
    /// 7 days.
    Weekly,
    /// 30 days.
    Monthly,
}

impl Period {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Daily, Self::Weekly, Self::Monthly];

    /// The word used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }

    /// The period of this name.
    ///
    /// # Errors
    /// For any other word: what is allowed.
    pub fn parse(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|period| period.name() == name);
        found.ok_or_else(|| format!("`{name}` is no period: daily, weekly or monthly"))
    }

    /// How long it is.
    pub const fn length(self) -> Duration {
        let days = match self {
            Self::Daily => 1,
            Self::Weekly => 7,
            Self::Monthly => 30,
        };
        Duration::from_secs(days * 24 * 3600)
    }
}

/// What a report is made of.
#[derive(Debug)]
pub struct Material {
    /// How far back.
    pub period: Period,
    /// The end of the period.
    pub to: Moment,
    /// The samples, or sums of them, in it.
    pub samples: Vec<Sample>,
    /// The decisions that changed something in it.
    pub decisions: Vec<Recorded>,
    /// Its events.
    pub events: Vec<LoggedEvent>,
    /// What the daemon says, when it answers.
    pub status: Option<Status>,
    /// What it says of its alerts.
    pub alerts: Option<AlertStatistics>,
}

/// A report. Counts are of the period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// How far back.
    pub period: Period,
    /// Its begin, RFC 3339.
    pub from: String,
    /// Its end, RFC 3339.
    pub to: String,
    /// Share of the period in which something was measured, 0 to 1.
    pub availability: f64,
    /// Packets and bytes.
    pub traffic: Traffic,
    /// Packets lost, by place; only places with loss.
    pub loss: BTreeMap<&'static str, u64>,
    /// Seconds by the worst level of health.
    pub health_s: BTreeMap<&'static str, f64>,
    /// What each strategy did.
    pub strategies: BTreeMap<&'static str, Strategy>,
    /// Decisions that changed something.
    pub decisions: Vec<Decision>,
    /// Events by kind.
    pub events: BTreeMap<String, u64>,
    /// What was saved, since the daemon was started; `None` when it does not answer.
    pub savings: Option<Savings>,
    /// Alerts by rule, since the daemon was started; `None` when it does not answer.
    pub alerts: Option<BTreeMap<String, u64>>,
    /// What is to come.
    pub forecasts: Vec<Forecast>,
}

/// Packets and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Traffic {
    /// Seen by the XDP program.
    pub seen: u64,
    /// Written.
    pub written: u64,
    /// Left out on purpose.
    pub omitted: u64,
    /// Lost.
    pub lost: u64,
    /// Bytes that the trimmers received.
    pub bytes: u64,
    /// HTTP messages.
    pub messages: u64,
    /// Packets per second, over the time in which something was measured.
    pub mean_per_second: f64,
    /// The highest of any interval.
    pub highest_per_second: f64,
}

/// What a strategy did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Strategy {
    /// Flows that began.
    pub flows: u64,
    /// Packets.
    pub packets: u64,
    /// HTTP messages.
    pub messages: u64,
    /// Packets not trimmed as they should be, 0 to 1.
    pub error_share: Option<f64>,
    /// Cost, nanoseconds per packet.
    pub cost_ns: Option<f64>,
    /// The 95th percentile of the latency in the worst interval, nanoseconds.
    pub worst_p95_ns: Option<u64>,
    /// Share of segments on which both trimmers agree, 0 to 1.
    pub accuracy: Option<f64>,
}

/// A decision that changed something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// When, RFC 3339.
    pub at: String,
    /// What was decided.
    pub chosen: String,
    /// The phase from then on.
    pub phase: &'static str,
    /// Why.
    pub reasons: Vec<String>,
}

/// What trimming saved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Savings {
    /// Bytes received.
    pub received: u64,
    /// Bytes kept of them.
    pub kept: u64,
    /// Share that was not kept, 0 to 1.
    pub share: f64,
}

impl Report {
    /// Makes a report.
    pub fn of(material: &Material) -> Self {
        let samples = &material.samples;
        let length = material.period.length();
        let from = Moment(material.to.0.saturating_sub(length.as_millis() as u64));
        let measured: f64 = samples.iter().map(|sample| sample.evidence.seconds).sum();
        let mut all = crate::control::health::Evidence::default();
        samples.iter().for_each(|sample| all.absorb(&sample.evidence));
        let packets = &all.packets;
        let places = [
            ("no_socket", packets.no_socket),
            ("rx_ring_full", packets.rx_ring_full),
            ("fill_ring_empty", packets.fill_ring_empty),
            ("rx_dropped", packets.rx_dropped),
            ("queue_full", packets.queue_full),
            ("write_failed", packets.write_failed),
        ];
        let mut health_s = BTreeMap::new();
        for sample in samples {
            *health_s.entry(level(sample.level)).or_insert(0.0) += sample.evidence.seconds;
        }
        let mut events = BTreeMap::new();
        for event in &material.events {
            *events.entry(event.event.kind.clone()).or_insert(0) += 1;
        }
        let rates = samples.iter().filter_map(|sample| sample.point(Measured::Packets));
        Self {
            period: material.period,
            from: time(from),
            to: time(material.to),
            availability: (measured / length.as_secs_f64()).min(1.0),
            traffic: Traffic {
                seen: packets.seen,
                written: packets.written,
                omitted: packets.omitted,
                lost: packets.lost(),
                bytes: all.legacy.bytes + all.scanning.bytes,
                messages: all.legacy.messages + all.scanning.messages,
                mean_per_second: if measured > 0.0 {
                    packets.seen as f64 / measured
                } else {
                    0.0
                },
                highest_per_second: rates.map(|point| point.high).fold(0.0, f64::max),
            },
            loss: places.into_iter().filter(|(_, lost)| *lost > 0).collect(),
            health_s,
            strategies: BTreeMap::from([("legacy", strategy(&all.legacy)), ("scanning", strategy(&all.scanning))]),
            decisions: material.decisions.iter().map(decision).collect(),
            events,
            savings: material.status.as_ref().and_then(savings),
            alerts: material.alerts.as_ref().map(|alerts| {
                let rules = alerts.rules.iter();
                rules
                    .map(|(rule, counts)| (rule.clone(), counts.fired + counts.events))
                    .collect()
            }),
            forecasts: forecasts(samples),
        }
    }

    /// Whether nothing was measured in the period.
    pub fn is_empty(&self) -> bool {
        self.availability == 0.0
    }
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Healthy => "healthy",
        Level::Warning => "warning",
        Level::Critical => "critical",
    }
}

fn strategy(arm: &Arm) -> Strategy {
    Strategy {
        flows: arm.flows,
        packets: arm.packets,
        messages: arm.messages,
        error_share: arm.error_share(),
        cost_ns: arm.cost_ns(),
        worst_p95_ns: (arm.latency.packets > 0).then_some(arm.latency.p95),
        accuracy: arm.shadow.accuracy(),
    }
}

fn decision(recorded: &Recorded) -> Decision {
    let decision = &recorded.decision;
    let chosen = serde_json::to_value(decision.chosen).ok();
    Decision {
        at: time(recorded.at),
        chosen: chosen.and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default(),
        phase: decision.state.phase.name(),
        reasons: decision.reasons.clone(),
    }
}

fn savings(status: &Status) -> Option<Savings> {
    let (received, kept) = (status.bytes.received, status.bytes.written);
    (received > 0).then(|| Savings {
        received,
        kept,
        share: 1.0 - kept.min(received) as f64 / received as f64,
    })
}

/// A moment, RFC 3339 to the second.
fn time(moment: Moment) -> String {
    let time = i64::try_from(moment.0).ok();
    let time = time.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    time.map_or_else(String::new, |time| format!("{time:.0}"))
}

#[cfg(test)]
mod tests;
