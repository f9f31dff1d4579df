//! Alerts, decisions and events.

use crate::control::alert::engine::State;
use crate::control::alert::view::{AlertView, SilenceView};
use crate::control::figures;
use crate::control::health::Moment;
use crate::control::rollout::Move;
use crate::control::store::{LoggedEvent, Recorded};

use super::Past;

/// A point in time.
pub(crate) struct Stamp {
    /// RFC 3339, for programs.
    pub(crate) machine: String,
    /// For people, in UTC.
    pub(crate) people: String,
}

/// An alert.
pub(crate) struct AlertRow {
    pub(crate) id: String,
    pub(crate) level: &'static str,
    pub(crate) state: &'static str,
    pub(crate) rule: String,
    pub(crate) labels: Vec<String>,
    pub(crate) summary: String,
    pub(crate) details: String,
    pub(crate) since: String,
    pub(crate) seen_by: Option<String>,
    pub(crate) can_be_acknowledged: bool,
    pub(crate) muted: Option<&'static str>,
}

/// A decision in a list.
pub(crate) struct DecisionRow {
    pub(crate) sequence: u64,
    pub(crate) at: Stamp,
    pub(crate) chosen: &'static str,
    pub(crate) phase: &'static str,
    pub(crate) reasons: String,
}

/// An event.
pub(crate) struct EventRow {
    pub(crate) at: Stamp,
    pub(crate) kind: String,
    pub(crate) who: String,
    pub(crate) why: String,
}

impl Stamp {
    pub(super) fn of(at: Moment) -> Self {
        let time = i64::try_from(at.0)
            .ok()
            .and_then(|milliseconds| jiff::Timestamp::from_millisecond(milliseconds).ok())
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        Self {
            machine: time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            people: time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        }
    }
}

impl AlertRow {
    pub(super) fn of(alert: &AlertView, now: Moment) -> Self {
        use crate::control::alert::engine::Reason;
        use crate::control::alert::notice::Level;
        let since: Option<jiff::Timestamp> = alert.since.parse().ok();
        let since = since
            .and_then(|time| u64::try_from(time.as_millisecond()).ok())
            .map(Moment);
        Self {
            id: alert.id.to_string(),
            level: match (alert.state, alert.level) {
                (State::Resolved, _) => "unknown",
                (_, Level::Critical) => "critical",
                (_, Level::Warning) => "warning",
                (_, Level::Info) => "healthy",
            },
            state: match (alert.event, alert.state) {
                (true, _) => "happened",
                (false, State::Pending) => "pending",
                (false, State::Firing) => "firing",
                (false, State::Resolved) => "resolved",
            },
            rule: format!("{} {}", alert.level.name(), alert.rule),
            labels: alert
                .labels
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
            summary: alert.summary.clone(),
            details: alert.details.clone(),
            since: since.map_or_else(
                || format!("since {}", alert.since),
                |since| {
                    let span = figures::span(now.since(since));
                    if alert.event {
                        format!("{span} ago")
                    } else {
                        format!("for {span}")
                    }
                },
            ),
            seen_by: alert.acknowledged.as_ref().map(|seen| seen.by.clone()),
            can_be_acknowledged: alert.acknowledged.is_none() && alert.state != State::Resolved,
            muted: alert.muted.map(|reason| match reason {
                Reason::Silenced => "silenced",
                Reason::Inhibited => "muted by a more serious alert",
                Reason::Acknowledged => "not repeated: somebody has seen it",
                Reason::RateLimited => "told later: its channel has had its share",
                Reason::TooMany => "not told: there are too many alerts",
            }),
        }
    }
}

/// A silence, in words.
pub(super) fn silence(silence: &SilenceView) -> String {
    let comment = if silence.comment.is_empty() {
        String::new()
    } else {
        format!(": {}", silence.comment)
    };
    format!(
        "{} until {}, by {}{comment}",
        silence.matchers, silence.until, silence.by
    )
}

/// A decision in a word or two.
pub(super) const fn chosen(chosen: Move) -> &'static str {
    match chosen {
        Move::Watch => "watch",
        Move::Hold => "hold",
        Move::Advance => "advance",
        Move::StepBack => "step back",
        Move::RollBack => "roll back",
        Move::Ask => "ask",
        Move::Obey => "obey",
        Move::Refuse => "refuse",
    }
}

/// What a person asked for, such as `rollback immediate`, from its JSON.
pub(super) fn request(json: &serde_json::Value) -> String {
    let text = json.to_string();
    let words = text.split(|it: char| !it.is_alphanumeric() && it != '_');
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The latest first.
pub(super) fn rows(past: &Past) -> (Result<Vec<DecisionRow>, String>, Vec<EventRow>) {
    match past {
        Ok((decisions, events)) => (
            Ok(decisions.iter().rev().map(DecisionRow::of).collect()),
            events.iter().rev().map(EventRow::of).collect(),
        ),
        Err(why) => (Err(why.clone()), Vec::new()),
    }
}

impl DecisionRow {
    fn of(recorded: &Recorded) -> Self {
        let decision = &recorded.decision;
        Self {
            sequence: recorded.sequence,
            at: Stamp::of(recorded.at),
            chosen: chosen(decision.chosen),
            phase: super::way::phase_words(decision.state.phase),
            reasons: decision.reasons.join("; "),
        }
    }
}

impl EventRow {
    fn of(logged: &LoggedEvent) -> Self {
        let event = &logged.event;
        let request = event.what.get("request").map(request);
        Self {
            at: Stamp::of(event.at),
            kind: request.map_or_else(|| event.kind.clone(), |request| format!("{}: {request}", event.kind)),
            who: event.who.clone(),
            why: event.why.clone(),
        }
    }
}
