//! Requests of people, each done or refused with the reason.

use super::advance;
use super::command::{Command, Request};
use super::decide::{Action, Decision, Importance, Move, roll_back};
use super::phase::{Phase, Status};
use super::plan::Plan;
use super::state::State;
use crate::control::health::{Comparison, Moment};
use crate::control::switch::Reach;
use trim_common::strategy::Mode;

/// Does what is asked, or says why not.
pub(super) fn obey(plan: &Plan, state: &State, command: &Command, now: Moment) -> Decision {
    let mut next = state.clone();
    // Time that passes between two samples is accounted for by the next sample.
    let outcome = match command.request {
        Request::Start => start(plan, next, Phase::BaselineValidation, false, now),
        Request::Run(phase) => start(plan, next, phase, true, now),
        Request::Pause => pause(next, command),
        Request::Resume => resume(next),
        Request::Advance { force } => go_on(plan, next, force),
        Request::Abort => abort(next),
        Request::Rollback(reach) => {
            let reason = format!("asked by {}: {}", command.who, command.reason);
            Ok(roll_back(plan, next, None, &reason, reach, now))
        }
        Request::Unlock => {
            if next.is_locked {
                next.is_locked = false;
                next.rollbacks.clear();
                Ok(Decision::new(Move::Obey, next, "unlocked"))
            } else {
                Err("the rollout is not locked".to_owned())
            }
        }
    };
    match outcome {
        Ok(mut decision) => {
            let words = format!("{} asked for it: {}", command.who, command.reason);
            decision.reasons.push(words);
            decision
        }
        Err(reason) => Decision::new(Move::Refuse, state.clone(), reason),
    }
}

fn start(plan: &Plan, mut state: State, phase: Phase, only: bool, now: Moment) -> Result<Decision, String> {
    if state.is_under_way() {
        return Err(format!(
            "a rollout is under way in {}: `trim rollout abort` ends it",
            state.phase.name()
        ));
    }
    if state.is_locked {
        return Err("too many rollbacks: `trim rollout unlock` allows another rollout".to_owned());
    }
    if let Some(until) = state.cool_down_until.filter(|&until| now < until) {
        return Err(format!(
            "the cool-down after the last rollback lasts another {} s",
            until.since(now).as_secs().max(1)
        ));
    }
    state.status = Status::InProgress;
    state.started = now;
    state.at = now;
    state.only_this_phase = only;
    state.step_backs = 0;
    state.cool_down_until = None;
    state.approved = only.then_some(phase);
    state.enter(phase, 0, plan);
    let mut decision = advance::entered(plan, state, "started");
    decision.chosen = Move::Obey;
    Ok(decision)
}

fn pause(mut state: State, command: &Command) -> Result<Decision, String> {
    if state.status != Status::InProgress {
        return Err(format!("nothing to pause: the rollout is {}", state.status.name()));
    }
    state.status = Status::Paused;
    state.paused = Some(command.reason.clone());
    Ok(Decision::new(Move::Obey, state, "paused"))
}

fn resume(mut state: State) -> Result<Decision, String> {
    if state.status != Status::Paused {
        return Err(format!("nothing to resume: the rollout is {}", state.status.name()));
    }
    state.status = Status::InProgress;
    state.paused = None;
    state.step_backs = 0;
    // What was found before somebody looked into it is not held against the arms again.
    state.comparison = Comparison::new(state.comparison.target);
    Ok(Decision::new(Move::Obey, state, "resumed"))
}

fn go_on(plan: &Plan, mut state: State, force: bool) -> Result<Decision, String> {
    if state.status != Status::InProgress {
        return Err(format!("nothing to advance: the rollout is {}", state.status.name()));
    }
    let step = state.current_step(plan);
    let lacks = state.observed < step.minimum || state.flows < step.fewest_flows || state.good_for < step.bake;
    if lacks && !force {
        return Err(format!(
            "the criteria of {} do not hold: `trim rollout status` says what it lacks; --force advances all the same",
            state.phase.name()
        ));
    }
    // Who asks for the next phase agrees to it.
    state.approved = state.phase.next();
    let mut decision = advance::next(plan, state, if force { "forced" } else { "advanced" });
    if force && lacks {
        decision.notify(
            Importance::Warning,
            "rollout_forced",
            "a step was forced although its criteria did not hold",
        );
    }
    decision.chosen = Move::Obey;
    Ok(decision)
}

fn abort(mut state: State) -> Result<Decision, String> {
    if !state.is_under_way() {
        return Err(format!("nothing to abort: the rollout is {}", state.status.name()));
    }
    state.status = Status::Failed;
    state.paused = None;
    state.waiting_for = None;
    state.approved = None;
    let mut decision = Decision::new(Move::Obey, state, "aborted");
    decision.actions.push(Action::Switch {
        mode: Mode::Legacy.name().to_owned(),
        share: 0.0,
        reach: Reach::Drain,
    });
    decision.notify(
        Importance::Warning,
        "rollout_aborted",
        "the rollout was aborted; new flows are on legacy",
    );
    Ok(decision)
}
