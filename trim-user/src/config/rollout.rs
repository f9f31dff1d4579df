//! The sections `health` and `rollout`: from what was written to the plan that decisions are made by.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::check::Check;
use super::place::{Key, Spanned};
use super::resolved::Watching;
use super::units::{Size, Span};
use crate::control::health::{Limits, Moment, Thresholds};
use crate::control::rollout::{Freeze, Phase, PhasePlan, Plan, Rule, Step, Triggers};
use crate::control::switch::Reach;

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// When the appliance is well.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Health {
    /// Time between two looks at the counters.
    sample_interval: Key<Span>,
    /// Share of flows on each strategy that the other one judges too, percent: how the accuracy is known.
    shadowed_percent: Key<f64>,
    /// A thread that makes no progress for so long does not respond.
    unresponsive_after: Key<Span>,
    /// Below so many packets a minute a strategy's shares are not judged.
    fewest_packets: Key<u64>,
    /// Most memory of the process; without it, what the machine or its control group has.
    memory_limit: Key<Size>,
    /// How far ahead trends are looked at.
    forecast: Key<Span>,
    /// Above these values health is `warning`.
    warning: LimitSection,
    /// Above these values health is `critical`.
    critical: LimitSection,
}

/// Limits of one level; each in percent.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct LimitSection {
    /// Packets that were not trimmed as they should be, percent.
    error_percent: Key<f64>,
    /// How much dearer `scanning` is than `legacy`, per packet, percent.
    slow_down_percent: Key<f64>,
    /// Memory in use, percent.
    memory_percent: Key<f64>,
    /// Processors in use, percent.
    cpu_percent: Key<f64>,
    /// The captures' file system in use, percent.
    disk_percent: Key<f64>,
    /// Packets lost, percent.
    loss_percent: Key<f64>,
    /// 95th percentile of the time from the kernel to the file.
    latency_p95: Key<Span>,
}

/// The way from `legacy` to `scanning`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rollout {
    /// For a rehearsal every duration of the rollout is multiplied by this: 0.0001 makes fourteen days two minutes.
    time_scale: Key<f64>,
    /// Whether `trim rehearse` may make `scanning` fail on purpose. Never on a machine whose captures matter.
    allow_faults: Key<bool>,
    /// `legacy` alone: is everything well before anything changes?
    baseline: StepSection,
    /// A small share of flows on `scanning`.
    ab_test: StepSection,
    /// More and more flows on `scanning`.
    gradual: GradualSection,
    /// All flows on `scanning`.
    full: StepSection,
    /// All flows on `scanning`; what configured `legacy` is archived, its code stays.
    cleanup: StepSection,
    /// Criteria have to hold without a break for so long before a step ends.
    bake: Key<Span>,
    /// So many flows at least have to begin in a step.
    fewest_flows: Key<u64>,
    /// Phases that begin only when a person agrees (`trim rollout advance`).
    approve: Option<Vec<Spanned<Phase>>>,
    /// Criteria that fail for so long make the rollout take a step back.
    step_back_after: Key<Span>,
    /// After a rollback nothing is started for so long.
    cool_down: Key<Span>,
    /// Times in UTC in which nothing advances, every week (`Fri 16:00 - Mon 08:00`) or once (`2026-12-24T00:00Z -
    /// 2027-01-02T00:00Z`). Rollbacks are not held up.
    freeze: Vec<Spanned<String>>,
    /// When traffic is taken back to `legacy` by itself: above a limit, for so long.
    rollback: RollbackSection,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct StepSection {
    /// Share of flows on `scanning`, percent.
    percent: Key<f64>,
    /// How long the phase lasts at least.
    duration: Key<Span>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct GradualSection {
    /// Shares of flows on `scanning`, percent, each larger than the one before.
    percents: Option<Vec<Spanned<f64>>>,
    /// How long each share is held at least.
    duration: Key<Span>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RollbackSection {
    /// Whether traffic is taken back without a person.
    automatic: Key<bool>,
    /// Which flows are taken back.
    reach: Key<Reach>,
    /// Packets that were not trimmed as they should be, percent.
    error_percent: Key<f64>,
    /// For so long.
    error_hold: Key<Span>,
    /// How much dearer `scanning` is than `legacy`, per packet, percent.
    slow_down_percent: Key<f64>,
    /// For so long.
    slow_down_hold: Key<Span>,
    /// Memory in use, percent.
    memory_percent: Key<f64>,
    /// For so long.
    memory_hold: Key<Span>,
}

/// A share given in percent.
fn share(check: &mut Check, key: &str, given: &Key<f64>, default: f64, most: f64) -> f64 {
    check.number(key, given, default * 100.0, 0.0, most) / 100.0
}

/// How the appliance is watched, and the plan of its rollout.
pub(super) fn resolve(check: &mut Check, health: &Health, rollout: &Rollout) -> (Watching, Plan) {
    let scale = check.number("rollout.time_scale", &rollout.time_scale, 1.0, 1e-7, 1.0);
    let interval = check.span(
        "health.sample_interval",
        &health.sample_interval,
        Duration::from_secs(5),
        100 * MILLISECOND,
        60 * SECOND,
    );
    let watching = Watching {
        // In a rehearsal the intervals shrink too, down to a quarter of a second.
        interval: interval.mul_f64(scale).max(interval.min(250 * MILLISECOND)),
        shadowed: share(check, "health.shadowed_percent", &health.shadowed_percent, 0.05, 100.0),
        memory_limit: check.optional_size("health.memory_limit", &health.memory_limit, 16 << 20),
        allow_faults: check.choice("rollout.allow_faults", &rollout.allow_faults, false),
    };
    let mut plan = Plan {
        phases: phases(check, rollout),
        triggers: triggers(check, &rollout.rollback),
        thresholds: thresholds(check, health),
        rollback_reach: check.choice("rollout.rollback.reach", &rollout.rollback.reach, Reach::Immediate),
        freezes: freezes(check, &rollout.freeze),
        ..Plan::default()
    };
    plan.cool_down = check.span(
        "rollout.cool_down",
        &rollout.cool_down,
        plan.cool_down,
        Duration::ZERO,
        30 * DAY,
    );
    plan.step_back_after = check.span(
        "rollout.step_back_after",
        &rollout.step_back_after,
        plan.step_back_after,
        SECOND,
        30 * DAY,
    );
    plan.longest_gap = 3 * watching.interval;
    (watching, plan.scaled(scale))
}

/// The phases of the default plan, each with what is written instead.
fn phases(check: &mut Check, raw: &Rollout) -> Vec<PhasePlan> {
    let mut phases = Plan::default().phases;
    let usual = Step::default();
    let bake = check.span("rollout.bake", &raw.bake, usual.bake, Duration::ZERO, 30 * DAY);
    let fewest_flows = check.number(
        "rollout.fewest_flows",
        &raw.fewest_flows,
        usual.fewest_flows,
        0,
        u64::MAX,
    );
    let approved = phases.iter().filter(|it| it.needs_approval);
    check.note("rollout.approve", approved.map(|it| it.phase).collect::<Vec<_>>());
    for plan in &mut phases {
        let default = &plan.steps;
        plan.steps = match plan.phase {
            Phase::BaselineValidation => steps(check, "baseline", &raw.baseline, default),
            Phase::AbTest => steps(check, "ab_test", &raw.ab_test, default),
            Phase::GradualRollout => gradual_steps(check, &raw.gradual, default),
            Phase::FullMigration => steps(check, "full", &raw.full, default),
            Phase::LegacyCleanup => steps(check, "cleanup", &raw.cleanup, default),
        };
        for step in &mut plan.steps {
            (step.bake, step.fewest_flows) = (bake, fewest_flows);
        }
        if let Some(asked) = &raw.approve {
            plan.needs_approval = asked.iter().any(|asked| asked.value == plan.phase);
        }
    }
    phases
}

fn steps(check: &mut Check, name: &str, raw: &StepSection, default: &[Step]) -> Vec<Step> {
    let key = |word: &str| format!("rollout.{name}.{word}");
    let written = default.iter().map(|default| Step {
        share: share(check, &key("percent"), &raw.percent, default.share, 100.0),
        minimum: check.span(&key("duration"), &raw.duration, default.minimum, MILLISECOND, YEAR),
        ..*default
    });
    written.collect()
}

fn gradual_steps(check: &mut Check, raw: &GradualSection, default: &[Step]) -> Vec<Step> {
    const KEY: &str = "rollout.gradual.duration";
    let usual = default.first().copied().unwrap_or_default();
    let minimum = check.span(KEY, &raw.duration, usual.minimum, MILLISECOND, YEAR);
    let shares = gradual_shares(check, raw, default).into_iter();
    shares
        .map(|share| Step {
            share,
            minimum,
            ..usual
        })
        .collect()
}

/// The shares of the gradual phase, which have to rise.
fn gradual_shares(check: &mut Check, raw: &GradualSection, default: &[Step]) -> Vec<f64> {
    const KEY: &str = "rollout.gradual.percents";
    // Whole numbers, so that none is shown as 56.00000000000001.
    let percents = default.iter().map(|step| (step.share * 100.0).round() as u32);
    check.note(KEY, percents.collect::<Vec<_>>());
    let Some(given) = raw.percents.as_ref() else {
        return default.iter().map(|step| step.share).collect();
    };
    let mut last = 0.0;
    for percent in given {
        if percent.value <= last || percent.value > 100.0 {
            let message = format!(
                "{} is not allowed here: percentages rise, from above 0 to 100",
                percent.value
            );
            check.at(percent.referenced, KEY, message);
        }
        last = percent.value;
    }
    if given.is_empty() {
        check.nowhere(KEY, "an empty list: at least one percentage");
        return vec![0.5];
    }
    given.iter().map(|percent| percent.value / 100.0).collect()
}

fn triggers(check: &mut Check, raw: &RollbackSection) -> Triggers {
    let default = Triggers::default();
    let enabled = check.choice("rollout.rollback.automatic", &raw.automatic, true);
    let mut rule = |name: &str, percent: &Key<f64>, hold: &Key<Span>, default: Rule, most: f64| Rule {
        above: share(
            check,
            &format!("rollout.rollback.{name}_percent"),
            percent,
            default.above,
            most,
        ),
        hold: check.span(
            &format!("rollout.rollback.{name}_hold"),
            hold,
            default.hold,
            Duration::ZERO,
            HOUR,
        ),
    };
    Triggers {
        enabled,
        errors: rule("error", &raw.error_percent, &raw.error_hold, default.errors, 100.0),
        slow_down: rule(
            "slow_down",
            &raw.slow_down_percent,
            &raw.slow_down_hold,
            default.slow_down,
            10_000.0,
        ),
        memory: rule("memory", &raw.memory_percent, &raw.memory_hold, default.memory, 100.0),
        ..default
    }
}

fn thresholds(check: &mut Check, raw: &Health) -> Thresholds {
    let default = Thresholds::default();
    let mut limits = |name: &str, of: fn(&LimitSection) -> &Key<f64>, default: Limits, most: f64| {
        let level = |check: &mut Check, level: &str, section, default| {
            share(
                check,
                &format!("health.{level}.{name}_percent"),
                of(section),
                default,
                most,
            )
        };
        Limits {
            warning: level(check, "warning", &raw.warning, default.warning),
            critical: level(check, "critical", &raw.critical, default.critical),
        }
    };
    let mut thresholds = Thresholds {
        errors: limits("error", |it| &it.error_percent, default.errors, 100.0),
        slow_down: limits("slow_down", |it| &it.slow_down_percent, default.slow_down, 10_000.0),
        memory: limits("memory", |it| &it.memory_percent, default.memory, 100.0),
        cpu: limits("cpu", |it| &it.cpu_percent, default.cpu, 100.0),
        disk: limits("disk", |it| &it.disk_percent, default.disk, 100.0),
        loss: limits("loss", |it| &it.loss_percent, default.loss, 100.0),
        ..default
    };
    let mut latency = |level: &str, section: &LimitSection, default: f64| {
        let key = format!("health.{level}.latency_p95");
        let default = Duration::from_nanos(default as u64);
        check
            .span(&key, &section.latency_p95, default, MILLISECOND, HOUR)
            .as_nanos() as f64
    };
    thresholds.latency_p95_ns = Limits {
        warning: latency("warning", &raw.warning, default.latency_p95_ns.warning),
        critical: latency("critical", &raw.critical, default.latency_p95_ns.critical),
    };
    thresholds.unresponsive_after = check.span(
        "health.unresponsive_after",
        &raw.unresponsive_after,
        default.unresponsive_after,
        SECOND,
        HOUR,
    );
    thresholds.forecast = check.span("health.forecast", &raw.forecast, default.forecast, HOUR, 30 * DAY);
    thresholds.fewest_packets = check.number(
        "health.fewest_packets",
        &raw.fewest_packets,
        default.fewest_packets,
        1,
        1 << 40,
    );
    thresholds
}

fn freezes(check: &mut Check, raw: &[Spanned<String>]) -> Vec<Freeze> {
    check.note("rollout.freeze", super::raw::NONE);
    let mut freezes = Vec::new();
    for text in raw {
        match freeze(&text.value) {
            Some(freeze) => freezes.push(freeze),
            None => {
                let message = format!(
                    "`{}` is no freeze window: `Fri 16:00 - Mon 08:00` every week, or `2026-12-24T00:00Z - 2027-01-02T00:00Z` once (UTC)",
                    text.value
                );
                check.at(text.referenced, "rollout.freeze", message);
            }
        }
    }
    freezes
}

/// `Fri 16:00 - Mon 08:00`, or two points in time; all in UTC.
fn freeze(text: &str) -> Option<Freeze> {
    let (from, to) = text.split_once(" - ")?;
    let point = |text: &str| {
        let time: jiff::Timestamp = text.trim().parse().ok()?;
        u64::try_from(time.as_millisecond()).ok().map(Moment)
    };
    if let (Some(from), Some(to)) = (weekly(from.trim()), weekly(to.trim())) {
        return Some(Freeze::Weekly { from, to });
    }
    let (from, to) = (point(from)?, point(to)?);
    (from < to).then_some(Freeze::Between { from, to })
}

/// Minutes since Monday, 00:00.
fn weekly(text: &str) -> Option<u32> {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let (day, time) = text.split_once(' ')?;
    let day = DAYS.iter().position(|name| name.eq_ignore_ascii_case(day))? as u32;
    let (hours, minutes) = time.trim().split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(day * 1440 + hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn without_a_word_about_it_the_plan_is_the_default_one() {
        let plan = Config::parse("").unwrap().rollout;
        assert_eq!(plan, Plan::default());
    }

    #[test]
    fn what_is_written_of_a_phase_leaves_the_others_as_they_are() {
        let text =
            "rollout: { bake: 5m, ab_test: { percent: 3 }, gradual: { percents: [40, 60] }, approve: [ab_test] }";
        let plan = Config::parse(text).unwrap().rollout;
        let shares = |phase| {
            plan.phase(phase)
                .steps
                .iter()
                .map(|step| step.share)
                .collect::<Vec<_>>()
        };
        assert_eq!(shares(Phase::AbTest), [0.03]);
        assert_eq!(shares(Phase::GradualRollout), [0.4, 0.6]);
        assert_eq!(shares(Phase::FullMigration), [1.0]);
        for phase in &plan.phases {
            assert_eq!(phase.needs_approval, phase.phase == Phase::AbTest);
            let default = Plan::default().phase(phase.phase).steps[0];
            for step in &phase.steps {
                assert_eq!((step.bake, step.minimum), (5 * 60 * SECOND, default.minimum));
            }
        }
    }

    #[test]
    fn freeze_windows_are_read() {
        assert_eq!(
            freeze("Fri 16:00 - mon 08:00"),
            Some(Freeze::Weekly {
                from: 4 * 1440 + 960,
                to: 480
            })
        );
        assert_eq!(
            freeze("1970-01-01T00:00:01Z - 1970-01-01T00:00:02Z"),
            Some(Freeze::Between {
                from: Moment(1000),
                to: Moment(2000)
            })
        );
        for wrong in [
            "",
            "Fri 16:00",
            "Fri 25:00 - Mon 08:00",
            "2026-01-02T00:00Z - 2026-01-01T00:00Z",
        ] {
            assert_eq!(freeze(wrong), None, "{wrong}");
        }
    }
}
