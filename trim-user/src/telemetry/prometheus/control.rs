//! Who trims, how well, and what is decided: policy, rollout, health, alerts, database.

use trim_common::strategy::Mode;

use super::metric::{Metric, Samples, Unit};
use crate::control::alert::Level as AlertLevel;
use crate::control::alert::engine::State as AlertState;
use crate::control::alert::view::ChannelView;
use crate::control::health::{Dimension, Level, Verdict};
use crate::control::rollout::{Phase, Status};
use crate::control::web::Picture;

const VERDICTS: [&str; 4] = ["pass", "fail", "inconclusive", "no_data"];
const STATUSES: [Status; 6] = [
    Status::NotStarted,
    Status::InProgress,
    Status::Paused,
    Status::Completed,
    Status::Failed,
    Status::RolledBack,
];

const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "inconclusive",
        Verdict::NoData => "no_data",
    }
}

const fn level(level: Level) -> u64 {
    match level {
        Level::Healthy => 0,
        Level::Warning => 1,
        Level::Critical => 2,
    }
}

fn dimensions(picture: &Picture) -> impl Iterator<Item = &Dimension> {
    picture.view.health.iter().flat_map(|health| &health.dimensions)
}

/// Share of the flows of the last minute or so that went to `scanning`.
fn observed(picture: &Picture) -> Option<f64> {
    let evidence = picture.view.evidence.as_ref()?;
    let (legacy, scanning) = (evidence.legacy.flows, evidence.scanning.flows);
    (legacy + scanning > 0).then(|| scanning as f64 / (legacy + scanning) as f64)
}

fn channels(picture: &Picture, out: &mut Samples, number: fn(&ChannelView) -> u64) {
    let all = &picture.messages.channels;
    all.iter()
        .for_each(|(name, channel)| out.count(&[name], number(channel)));
}

pub(super) const POLICY: &[Metric] = &[
    Metric::gauge("trim_mode", &["mode"], "1 for the mode in force.", |it, out| {
        out.choice(&[], Mode::ALL.map(Mode::name), &it.status.mode);
    }),
    Metric::gauge(
        "trim_split_target",
        &[],
        "Share of new flows that is to go to scanning.",
        |it, out| out.known(it.view.evidence.as_ref().map(|evidence| evidence.target.share)),
    )
    .unit(Unit::Ratio),
    Metric::gauge(
        "trim_split_observed",
        &[],
        "Share of the flows of the last minute or so that went to scanning; nothing without flows.",
        |it, out| out.known(observed(it)),
    )
    .unit(Unit::Ratio),
    Metric::gauge(
        "trim_policy_generation",
        &[],
        "Grows with each switch that every flow follows at once.",
        |it, out| out.count(&[], it.status.generation.into()),
    ),
    Metric::gauge(
        "trim_switch_duration",
        &[],
        "From the command of the last switch to the last packet with the old tag; nothing before the first.",
        |it, out| out.known(it.status.switch.map(|switch| switch.microseconds / 1e6)),
    )
    .unit(Unit::Seconds),
    Metric::gauge(
        "trim_lease_age",
        &[],
        "Time since the kernel's lease was renewed. Beyond `capture.lease` the kernel gives every flow to legacy.",
        |it, out| out.real(&[], it.lease_age.as_secs_f64()),
    )
    .unit(Unit::Seconds),
    Metric::gauge(
        "trim_rollout_status",
        &["status"],
        "1 for the state of the rollout.",
        |it, out| {
            out.choice(&[], STATUSES.map(Status::name), it.view.state.status.name());
        },
    ),
    Metric::gauge(
        "trim_rollout_phase",
        &["phase"],
        "1 for the phase that the rollout is in, or was in last.",
        |it, out| out.choice(&[], Phase::ALL.map(Phase::name), it.view.state.phase.name()),
    ),
];

pub(super) const HEALTH: &[Metric] = &[
    Metric::gauge(
        "trim_health_level",
        &[],
        "The worst dimension: 0 healthy, 1 warning, 2 critical.",
        |it, out| out.known(it.view.health.as_ref().map(|health| level(health.level) as f64)),
    ),
    Metric::gauge(
        "trim_health_verdict",
        &["verdict"],
        "1 for the verdict on all five.",
        |it, out| {
            let now = it.view.health.as_ref().map_or(Verdict::NoData, |health| health.verdict);
            out.choice(&[], VERDICTS, verdict(now));
        },
    ),
    Metric::gauge(
        "trim_health_score",
        &["dimension"],
        "1 at the best, one half at the warning limit, 0 at the critical one; nothing without data.",
        |it, out| {
            for dimension in dimensions(it) {
                if let Some(score) = dimension.score {
                    out.real(&[dimension.name.name()], score);
                }
            }
        },
    )
    .unit(Unit::Ratio),
    Metric::gauge(
        "trim_health_dimension_level",
        &["dimension"],
        "Each dimension: 0 healthy, 1 warning, 2 critical.",
        |it, out| dimensions(it).for_each(|one| out.count(&[one.name.name()], level(one.level))),
    ),
    Metric::gauge(
        "trim_health_dimension_verdict",
        &["dimension", "verdict"],
        "1 for the verdict on each dimension.",
        |it, out| dimensions(it).for_each(|one| out.choice(&[one.name.name()], VERDICTS, verdict(one.verdict))),
    ),
];

pub(super) const ALERTS: &[Metric] = &[
    Metric::gauge("trim_alerts_firing", &["level"], "Alerts that fire now.", |it, out| {
        for level in AlertLevel::ALL {
            let firing = it
                .alerts
                .alerts
                .iter()
                .filter(|one| one.state == AlertState::Firing && one.level == level);
            out.count(&[level.name()], firing.count() as u64);
        }
    }),
    Metric::counter(
        "trim_alert_messages_delivered",
        &["channel"],
        "Messages that arrived.",
        |it, out| {
            channels(it, out, |channel| channel.delivered);
        },
    ),
    Metric::counter(
        "trim_alert_attempts_failed",
        &["channel"],
        "Attempts to deliver a message that failed.",
        |it, out| channels(it, out, |channel| channel.failed_attempts),
    ),
    Metric::counter(
        "trim_alert_messages_given_up",
        &["channel"],
        "Messages that were refused for good, too old, or for which there was no room.",
        |it, out| channels(it, out, |channel| channel.refused + channel.dropped),
    ),
    Metric::gauge(
        "trim_alert_messages_waiting",
        &["channel"],
        "Messages that wait.",
        |it, out| {
            channels(it, out, |channel| channel.waiting);
        },
    ),
];

pub(super) const DATABASE: &[Metric] = &[
    Metric::gauge(
        "trim_database_failing",
        &[],
        "1 while the database cannot be written. Decisions are acted upon all the same.",
        |it, out| out.count(&[], it.view.database.failing.is_some().into()),
    ),
    Metric::counter("trim_database_errors", &[], "Tries to write that failed.", |it, out| {
        out.count(&[], it.view.database.errors);
    }),
    Metric::counter("trim_database_entries_written", &[], "Entries written.", |it, out| {
        out.count(&[], it.view.database.written);
    }),
    Metric::counter("trim_database_entries_lost", &[], "Entries given up.", |it, out| {
        out.count(&[], it.view.database.lost);
    }),
    Metric::gauge(
        "trim_database_entries_waiting",
        &[],
        "Entries that wait to be written.",
        |it, out| {
            out.count(&[], it.view.database.waiting as u64);
        },
    ),
];
