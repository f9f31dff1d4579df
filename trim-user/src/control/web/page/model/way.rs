//! The split, and the way from `legacy` to `scanning`.

use std::time::Duration;

use crate::control::figures;
use crate::control::health::{Moment, Verdict};
use crate::control::operator::View;
use crate::control::rollout::{Phase, PhasePlan, Plan, State, Status, Trigger};

/// Which share of flows is on `scanning`.
pub(crate) struct Split {
    pub(crate) mode: String,
    pub(crate) target: String,
    pub(crate) observed: String,
    /// Lengths of their bars, 0 to 100.
    pub(crate) target_bar: u32,
    pub(crate) observed_bar: u32,
    pub(crate) flows: String,
}

/// Where the rollout stands and what lies ahead.
pub(crate) struct Way {
    pub(crate) status: &'static str,
    /// `healthy`, `warning`, `critical` or `unknown`: the name of its colour.
    pub(crate) level: &'static str,
    /// One sentence.
    pub(crate) summary: String,
    pub(crate) reasons: Vec<String>,
    pub(crate) phases: Vec<PhaseRow>,
    pub(crate) criteria: Vec<Criterion>,
    pub(crate) triggers: Vec<TriggerRow>,
    pub(crate) notes: Vec<String>,
}

/// One phase.
pub(crate) struct PhaseRow {
    pub(crate) name: &'static str,
    /// `done`, `now`, `stopped` or `ahead`.
    pub(crate) place: &'static str,
    pub(crate) needs_approval: bool,
    pub(crate) steps: Vec<StepRow>,
}

/// One step of a phase.
pub(crate) struct StepRow {
    pub(crate) share: String,
    pub(crate) minimum: String,
    pub(crate) place: &'static str,
}

/// What the step needs before the next one.
pub(crate) struct Criterion {
    pub(crate) name: &'static str,
    pub(crate) state: String,
    pub(crate) bar: u32,
    pub(crate) holds: bool,
}

/// What takes everything back.
pub(crate) struct TriggerRow {
    pub(crate) name: &'static str,
    pub(crate) above: String,
    pub(crate) hold: String,
    pub(crate) held: Option<String>,
}

impl Split {
    pub(super) fn of(view: &View) -> Self {
        let Some(evidence) = &view.evidence else {
            return Self {
                mode: "unknown".to_owned(),
                target: "unknown".to_owned(),
                observed: "unknown".to_owned(),
                target_bar: 0,
                observed_bar: 0,
                flows: "no flow was counted yet".to_owned(),
            };
        };
        let (legacy, scanning) = (evidence.legacy.flows, evidence.scanning.flows);
        let observed = (legacy + scanning > 0).then(|| scanning as f64 / (legacy + scanning) as f64);
        let target = evidence.target.share;
        Self {
            mode: evidence.target.mode.clone(),
            target: figures::chosen_percent(target),
            observed: observed.map_or_else(|| "no flow began".to_owned(), figures::percent),
            target_bar: hundredths(target),
            observed_bar: hundredths(observed.unwrap_or(0.0)),
            flows: format!(
                "{} on legacy and {} on scanning began in the last {}",
                figures::counted(legacy, "flow"),
                figures::number(scanning),
                figures::span(Duration::from_secs_f64(evidence.seconds.max(0.0).round()))
            ),
        }
    }
}

fn hundredths(share: f64) -> u32 {
    (share.clamp(0.0, 1.0) * 100.0).round() as u32
}

impl Way {
    pub(super) fn of(view: &View, now: Moment) -> Self {
        let (state, plan) = (&view.state, &view.plan);
        Self {
            status: words(state.status),
            level: match state.status {
                Status::NotStarted => "unknown",
                Status::InProgress | Status::Completed => "healthy",
                Status::Paused => "warning",
                Status::Failed | Status::RolledBack => "critical",
            },
            summary: summary(state, plan),
            reasons: reasons(view),
            phases: plan.phases.iter().map(|phase| PhaseRow::of(phase, state)).collect(),
            criteria: criteria(view),
            triggers: triggers(state, plan),
            notes: notes(state, plan, now),
        }
    }
}

/// What the last decision says, beyond how the rollout stands: the summary says that in words for people.
fn reasons(view: &View) -> Vec<String> {
    let stands = format!("the rollout is {}", view.state.status.name());
    let telling = view.reasons.iter().filter(|it| !it.is_empty() && **it != stands);
    telling.cloned().collect()
}

const fn words(status: Status) -> &'static str {
    match status {
        Status::NotStarted => "not started",
        Status::InProgress => "in progress",
        Status::Paused => "paused",
        Status::Completed => "completed",
        Status::Failed => "aborted",
        Status::RolledBack => "rolled back",
    }
}

/// A phase as people call it.
pub(super) const fn phase_words(phase: Phase) -> &'static str {
    match phase {
        Phase::BaselineValidation => "Baseline validation",
        Phase::AbTest => "A/B test",
        Phase::GradualRollout => "Gradual rollout",
        Phase::FullMigration => "Full migration",
        Phase::LegacyCleanup => "Legacy cleanup",
    }
}

fn summary(state: &State, plan: &Plan) -> String {
    let step = state.current_step(plan);
    match state.status {
        Status::NotStarted => "Nobody has started a rollout: `trim rollout start` does.".to_owned(),
        Status::InProgress | Status::Paused => format!(
            "{}, step {} of {}: {} of new flows on scanning. {}",
            phase_words(state.phase),
            state.step + 1,
            plan.phase(state.phase).steps.len(),
            figures::chosen_percent(step.share),
            time_left(state, plan)
        ),
        Status::Completed => format!("Completed with {}.", phase_words(state.phase)),
        Status::Failed => format!("Given up in {}; new flows are on legacy.", phase_words(state.phase)),
        Status::RolledBack => format!("Taken back to legacy in {}.", phase_words(state.phase)),
    }
}

/// The earliest end of the step and of the way.
fn time_left(state: &State, plan: &Plan) -> String {
    let here = state.current_step(plan);
    let step = here
        .minimum
        .saturating_sub(state.observed)
        .max(here.bake.saturating_sub(state.good_for));
    let later_steps = plan.phase(state.phase).steps.iter().skip(state.step + 1);
    let later_phases = plan
        .phases
        .iter()
        .filter(|it| it.phase > state.phase && !state.only_this_phase);
    let later = later_steps.chain(later_phases.flat_map(|phase| &phase.steps));
    let rest: Duration = later.map(|step| step.minimum.max(step.bake)).sum();
    if rest.is_zero() {
        format!("This is the last step, for {} at least.", figures::span(step))
    } else {
        format!(
            "At least {} left in this step, and {} to the end.",
            figures::span(step),
            figures::span(step + rest)
        )
    }
}

impl PhaseRow {
    fn of(phase: &PhasePlan, state: &State) -> Self {
        let place = |step: Option<usize>| match state.status {
            Status::NotStarted => "ahead",
            Status::Completed if !state.only_this_phase || phase.phase == state.phase => "done",
            _ => {
                let here = (state.phase, step.map_or(0, |_| state.step));
                let this = (phase.phase, step.unwrap_or(0));
                let stands = if state.is_under_way() { "now" } else { "stopped" };
                match this.cmp(&here) {
                    std::cmp::Ordering::Less if state.only_this_phase && phase.phase != state.phase => "ahead",
                    std::cmp::Ordering::Less => "done",
                    std::cmp::Ordering::Equal => stands,
                    std::cmp::Ordering::Greater => "ahead",
                }
            }
        };
        let steps = phase.steps.iter().enumerate().map(|(index, step)| StepRow {
            share: figures::chosen_percent(step.share),
            minimum: figures::span(step.minimum),
            place: place(Some(index)),
        });
        Self {
            name: phase_words(phase.phase),
            place: place(None),
            needs_approval: phase.needs_approval,
            steps: steps.collect(),
        }
    }
}

fn criteria(view: &View) -> Vec<Criterion> {
    let (state, plan) = (&view.state, &view.plan);
    if !state.is_under_way() {
        return Vec::new();
    }
    let step = state.current_step(plan);
    let lasting = |name, have: Duration, need: Duration| Criterion {
        name,
        state: format!("{} of {}", figures::span(have), figures::span(need)),
        bar: part(have.as_secs_f64(), need.as_secs_f64()),
        holds: have >= need,
    };
    let verdict = view.health.as_ref().map(|health| health.verdict);
    vec![
        lasting("Observed", state.observed, step.minimum),
        lasting("Healthy without a break", state.good_for, step.bake),
        Criterion {
            name: "Flows seen",
            state: format!(
                "{} of {}",
                figures::number(state.flows),
                figures::number(step.fewest_flows)
            ),
            bar: part(state.flows as f64, step.fewest_flows as f64),
            holds: state.flows >= step.fewest_flows,
        },
        Criterion {
            name: "Health",
            state: verdict.map_or("no data", super::health::verdict).to_owned(),
            bar: if verdict == Some(Verdict::Pass) { 100 } else { 0 },
            holds: verdict == Some(Verdict::Pass),
        },
    ]
}

fn part(have: f64, need: f64) -> u32 {
    if need <= 0.0 { 100 } else { hundredths(have / need) }
}

fn triggers(state: &State, plan: &Plan) -> Vec<TriggerRow> {
    if !plan.triggers.enabled {
        return Vec::new();
    }
    let row = |trigger: Trigger| {
        let rule = plan.triggers.rule(trigger);
        let above = match trigger {
            Trigger::Errors | Trigger::SlowDown | Trigger::Memory | Trigger::Inaccuracy => {
                figures::chosen_percent(rule.above)
            }
            Trigger::MoreErrors => format!("{} more, for certain", figures::chosen_percent(rule.above)),
            Trigger::Unresponsive => format!("{} s without progress", rule.above),
            Trigger::HeaderLoss => format!("{} header bytes", rule.above),
        };
        TriggerRow {
            name: trigger.name(),
            above,
            hold: figures::span(rule.hold),
            held: state.breaches.get(&trigger).map(|held| figures::span(*held)),
        }
    };
    Trigger::ALL.into_iter().map(row).collect()
}

fn notes(state: &State, plan: &Plan, now: Moment) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(why) = &state.paused {
        notes.push(format!("Paused: {why}"));
    }
    if let Some(phase) = state.waiting_for {
        notes.push(format!(
            "{} waits for a person to agree: `trim rollout advance`.",
            phase_words(phase)
        ));
    }
    for rollback in state.rollbacks.iter().rev() {
        notes.push(format!(
            "Rolled back {} ago in {}, {}: {}",
            figures::span(now.since(rollback.at)),
            phase_words(rollback.phase),
            rollback.trigger.map_or("by a person", Trigger::name),
            rollback.reason
        ));
    }
    if state.is_locked {
        notes.push("Locked after too many rollbacks: `trim rollout unlock` allows another rollout.".to_owned());
    } else if let Some(until) = state.cool_down_until.filter(|until| now < *until) {
        notes.push(format!(
            "Nothing is started for another {}: the cool-down after a rollback.",
            figures::span(until.since(now))
        ));
    }
    if plan.freezes.iter().any(|freeze| freeze.covers(now)) {
        notes.push("A freeze window is open: nothing advances; rollbacks do happen.".to_owned());
    }
    if !plan.triggers.enabled {
        notes.push("Automatic rollback is switched off in the configuration.".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(phase: Phase, step: usize, status: Status) -> View {
        let mut view = View::new(&Plan::default());
        view.state.status = status;
        view.state.phase = phase;
        view.state.step = step;
        view
    }

    fn places(view: &View) -> Vec<&'static str> {
        let way = Way::of(view, Moment(0));
        way.phases.iter().map(|phase| phase.place).collect()
    }

    #[test]
    fn phases_are_done_here_or_ahead() {
        let view = at(Phase::GradualRollout, 2, Status::InProgress);
        assert_eq!(places(&view), ["done", "done", "now", "ahead", "ahead"]);
        let way = Way::of(&view, Moment(0));
        let steps: Vec<_> = way.phases[2].steps.iter().map(|step| step.place).collect();
        assert_eq!(steps, ["done", "done", "now", "ahead"]);
        assert!(
            way.summary.contains("step 3 of 4: 75 % of new flows"),
            "{}",
            way.summary
        );
        assert!(
            way.summary
                .contains("At least 2 d left in this step, and 8 d to the end"),
            "{}",
            way.summary
        );
    }

    #[test]
    fn a_rollout_that_was_taken_back_stands_where_it_was_stopped() {
        assert_eq!(
            places(&at(Phase::AbTest, 0, Status::RolledBack)),
            ["done", "stopped", "ahead", "ahead", "ahead"]
        );
        assert_eq!(places(&at(Phase::LegacyCleanup, 0, Status::Completed)), ["done"; 5]);
        assert_eq!(
            places(&at(Phase::BaselineValidation, 0, Status::NotStarted)),
            ["ahead"; 5]
        );
    }

    #[test]
    fn nothing_measured_is_not_shown_as_zero() {
        let split = Split::of(&View::new(&Plan::default()));
        assert_eq!((split.target.as_str(), split.observed.as_str()), ("unknown", "unknown"));
    }
}
