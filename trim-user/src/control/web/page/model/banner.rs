//! What has to be seen first.

use std::time::Duration;

use crate::control::figures;
use crate::control::health::Level;
use crate::control::rollout::Status as RolloutStatus;

use super::Sight;

/// A status older than this is not what holds now.
const STALE: Duration = Duration::from_secs(10);
/// Evidence older than so many of its own intervals is not what holds now.
const STALE_EVIDENCE: Duration = Duration::from_secs(60);

/// A message above everything else.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Banner {
    /// `warning` or `critical`: the name of its colour.
    pub(crate) level: &'static str,
    pub(crate) text: String,
}

fn critical(text: impl Into<String>) -> Banner {
    Banner {
        level: "critical",
        text: text.into(),
    }
}

fn warning(text: impl Into<String>) -> Banner {
    Banner {
        level: "warning",
        text: text.into(),
    }
}

/// The most serious first.
pub(super) fn banners(sight: &Sight<'_>) -> Vec<Banner> {
    let mut banners = Vec::new();
    banners.extend(freshness(sight));
    if let Some(status) = sight.status {
        for interface in status.interfaces.iter().filter(|it| it.link != "up") {
            let text = format!(
                "Interface {} is {}: nothing is captured from it.",
                interface.name, interface.link
            );
            banners.push(critical(text));
        }
    }
    let state = &sight.view.state;
    match state.status {
        RolloutStatus::RolledBack => {
            let why = state.rollbacks.last().map_or("", |rollback| rollback.reason.as_str());
            banners.push(critical(format!("Traffic was taken back to legacy: {why}")));
        }
        RolloutStatus::Paused => {
            let why = state.paused.as_deref().unwrap_or("no reason given");
            banners.push(warning(format!("The rollout is paused: {why}")));
        }
        _ => {}
    }
    if let Some(phase) = state.waiting_for {
        banners.push(warning(format!(
            "The rollout waits for a person: `trim rollout advance` agrees to {}.",
            phase.name()
        )));
    }
    if sight.silent > 0 {
        banners.push(warning(format!(
            "{} of the data path did not answer in time: busy, or stuck. Latencies are without theirs.",
            figures::counted(sight.silent as u64, "thread")
        )));
    }
    banners.extend(health(sight));
    if let Err(why) = sight.past {
        banners.push(critical(format!(
            "The database cannot be read, so decisions and events are not shown: {why}"
        )));
    }
    banners.sort_by_key(|banner| banner.level != "critical");
    banners
}

fn freshness(sight: &Sight<'_>) -> Option<Banner> {
    if sight.status.is_none() {
        return Some(warning("The capture has not said anything of itself yet."));
    }
    if sight.age > STALE {
        let text = format!(
            "The capture is busy and does not answer: its numbers are {} old.",
            figures::span(sight.age)
        );
        return Some(critical(text));
    }
    let measured = sight.view.evidence.as_ref()?;
    let age = sight.now.since(measured.at);
    (age > STALE_EVIDENCE).then(|| {
        critical(format!(
            "Health was last measured {} ago: nothing watches the rollout at the moment.",
            figures::span(age)
        ))
    })
}

fn health(sight: &Sight<'_>) -> Option<Banner> {
    let health = sight.view.health.as_ref()?;
    let reasons: Vec<_> = health.reasons().collect();
    let text = reasons.join("; ");
    match health.level {
        Level::Critical => Some(critical(format!("Health is critical: {text}"))),
        Level::Warning => Some(warning(format!("Health has a warning: {text}"))),
        Level::Healthy => None,
    }
}
