//! Progress: through steps and phases, as long as criteria hold.

use std::time::Duration;

use super::decide::{Action, Decision, Importance, Move, Observation};
use super::phase::{Phase, Status};
use super::plan::Plan;
use super::state::State;
use crate::control::health::{Health, Verdict};
use crate::control::switch::Reach;

/// Looks whether the step is over. No trigger has fired.
pub(super) fn advance(
    plan: &Plan,
    mut state: State,
    observation: &Observation,
    health: &Health,
    elapsed: Duration,
) -> Decision {
    if state.is_under_way() && observation.sample.target.mode == "ab_test" && state.comparison.is_split_wrong() {
        return stop_for_mismatch(state);
    }
    if state.status != Status::InProgress {
        let reason = format!("the rollout is {}", state.status.name());
        return Decision::new(Move::Watch, state, reason);
    }
    account(&mut state, observation, health, elapsed);
    if state.bad_for >= plan.step_back_after && state.bad_for > Duration::ZERO {
        return step_back(plan, state, health);
    }
    if state.comparison.is_dearer(&plan.thresholds) && state.current_step(plan).share < 1.0 {
        return step_back(plan, state, health);
    }
    let missing = missing(plan, &state, health);
    if missing.is_empty() {
        let is_frozen = plan.freezes.iter().any(|freeze| freeze.covers(state.at));
        if is_frozen {
            return Decision::new(Move::Hold, state, "a freeze window is open");
        }
        return next(plan, state, "every criterion of the step holds");
    }
    let mut decision = Decision::new(Move::Hold, state, "");
    decision.reasons = missing;
    decision
}

fn account(state: &mut State, observation: &Observation, health: &Health, elapsed: Duration) {
    let sample = &observation.sample;
    state.observed += elapsed;
    state.flows += sample.legacy.flows + sample.scanning.flows;
    match health.verdict {
        Verdict::Pass => {
            state.good_for += elapsed;
            state.bad_for = Duration::ZERO;
        }
        Verdict::Fail => {
            state.good_for = Duration::ZERO;
            state.bad_for += elapsed;
        }
        // Neither good nor bad; the time does not count.
        Verdict::Inconclusive | Verdict::NoData => {}
    }
}

/// What the step still lacks, in words. Empty when it is over.
pub(super) fn missing(plan: &Plan, state: &State, health: &Health) -> Vec<String> {
    let step = state.current_step(plan);
    let mut missing = Vec::new();
    if state.observed < step.minimum {
        missing.push(format!(
            "observed for {} of {}",
            hours(state.observed),
            hours(step.minimum)
        ));
    }
    if state.flows < step.fewest_flows {
        missing.push(format!("{} of {} flows", state.flows, step.fewest_flows));
    }
    if state.good_for < step.bake {
        missing.push(format!(
            "healthy without a break for {} of {}",
            hours(state.good_for),
            hours(step.bake)
        ));
    }
    if health.verdict != Verdict::Pass {
        missing.push(format!("health is {}", verdict_name(health.verdict)));
        missing.extend(health.reasons().map(str::to_owned));
    }
    missing
}

const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "good",
        Verdict::Fail => "not good",
        Verdict::Inconclusive => "inconclusive",
        Verdict::NoData => "unknown: there is no data",
    }
}

fn hours(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds >= 3600.0 {
        format!("{:.1} h", seconds / 3600.0)
    } else {
        format!("{seconds:.0} s")
    }
}

/// To the next step or phase, or to the end.
pub(super) fn next(plan: &Plan, mut state: State, why: &str) -> Decision {
    if state.step + 1 < plan.phase(state.phase).steps.len() {
        let (phase, step) = (state.phase, state.step + 1);
        state.enter(phase, step, plan);
        return entered(plan, state, why);
    }
    let following = state.phase.next().filter(|_| !state.only_this_phase);
    let Some(phase) = following else {
        return complete(state, why);
    };
    if plan.phase(phase).needs_approval && state.approved != Some(phase) {
        return ask(state, phase);
    }
    state.approved = None;
    state.enter(phase, 0, plan);
    entered(plan, state, why)
}

/// Puts the step just entered in force. Flows that are under way keep their strategy.
pub(super) fn entered(plan: &Plan, state: State, why: &str) -> Decision {
    let step = state.current_step(plan);
    let text = format!(
        "{}, step {}: {:.0}% of new flows on scanning",
        state.phase.name(),
        state.step + 1,
        step.share * 100.0
    );
    let is_cleanup = state.phase == Phase::LegacyCleanup;
    let mut decision = Decision::new(Move::Advance, state, why);
    decision.switch_to_step(plan, Reach::Drain);
    if is_cleanup {
        decision.actions.push(Action::Archive);
    }
    decision.notify(Importance::Info, "rollout_advanced", text);
    decision
}

fn complete(mut state: State, why: &str) -> Decision {
    state.status = Status::Completed;
    let text = format!("the rollout is completed with {}", state.phase.name());
    let mut decision = Decision::new(Move::Advance, state, why);
    decision.notify(Importance::Info, "rollout_completed", text);
    decision
}

/// Waits for a person; says so once.
fn ask(mut state: State, phase: Phase) -> Decision {
    let is_asked = state.waiting_for == Some(phase);
    state.waiting_for = Some(phase);
    let text = format!(
        "{} waits for a person: `trim rollout advance --reason ...`",
        phase.name()
    );
    let mut decision = Decision::new(Move::Ask, state, text.clone());
    if !is_asked {
        decision.notify(Importance::Warning, "rollout_waits", text);
    }
    decision
}

/// To the step before; from the first one there is none, and the rollout stays.
fn step_back(plan: &Plan, mut state: State, health: &Health) -> Decision {
    let mut reasons: Vec<String> = health.reasons().map(str::to_owned).collect();
    if state.comparison.is_dearer(&plan.thresholds) {
        let percent = state.comparison.slow_down().unwrap_or_default() * 100.0;
        reasons.push(format!("scanning is dearer than legacy, by {percent:.0}% so far"));
    }
    let why = reasons.join("; ");
    let from = state.current_step(plan).share;
    let Some((phase, step)) = before(plan, state.phase, state.step) else {
        state.bad_for = Duration::ZERO;
        let mut decision = Decision::new(Move::Hold, state, "");
        decision.reasons = reasons;
        decision.notify(
            Importance::Warning,
            "rollout_held",
            format!("legacy alone is not healthy: {why}"),
        );
        return decision;
    };
    state.step_backs += 1;
    state.enter(phase, step, plan);
    let has_had_enough = state.step_backs >= plan.most_step_backs;
    if has_had_enough {
        state.status = Status::Paused;
        state.paused = Some(format!("{} steps back: {why}", state.step_backs));
    }
    let to = state.current_step(plan).share;
    let mut decision = Decision::new(Move::StepBack, state, "");
    decision.reasons = reasons;
    decision.switch_to_step(plan, Reach::Drain);
    let text = format!("from {:.0}% to {:.0}% on scanning: {why}", from * 100.0, to * 100.0);
    decision.notify(Importance::Warning, "rollout_stepped_back", text);
    if has_had_enough {
        let text = format!("paused after too many steps back: {why}");
        decision.notify(Importance::Critical, "rollout_paused", text);
    }
    decision
}

fn before(plan: &Plan, phase: Phase, step: usize) -> Option<(Phase, usize)> {
    if step > 0 {
        return Some((phase, step - 1));
    }
    let earlier = Phase::ALL.into_iter().take_while(|&other| other < phase).last()?;
    Some((earlier, plan.phase(earlier).steps.len() - 1))
}

/// Flows do not go where they were told to: nothing that is measured can be trusted, so a person has to look.
fn stop_for_mismatch(mut state: State) -> Decision {
    let text = format!(
        "{:.2}% of flows are on scanning, {:.2}% should be: the comparison cannot be trusted",
        state.comparison.ratio.share().unwrap_or_default() * 100.0,
        state.comparison.target * 100.0
    );
    if state.status == Status::Paused {
        return Decision::new(Move::Hold, state, text);
    }
    state.status = Status::Paused;
    state.paused = Some(text.clone());
    let mut decision = Decision::new(Move::Hold, state, text.clone());
    decision.notify(Importance::Critical, "split_mismatch", text);
    decision
}
