//! One decision.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use trim_common::strategy::Mode;

use super::command::Command;
use super::phase::Status;
use super::plan::Plan;
use super::state::{Rollback, State};
use super::trigger::{self, Trigger};
use super::{advance, commands};
use crate::control::health::{Comparison, Evidence, Health, Moment, Outlook};
use crate::control::switch::Reach;

/// What a decision is made upon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// New evidence.
    Observation(Box<Observation>),
    /// A person's request.
    Command(Command),
}

/// New evidence.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Observation {
    /// The latest interval.
    pub sample: Evidence,
    /// The last minute or so, as one.
    pub window: Evidence,
    /// What is to come, as it was last made out.
    pub outlook: Outlook,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    /// Nothing is under way.
    Watch,
    /// Stay here.
    Hold,
    /// To the next step or phase.
    Advance,
    /// To the step before.
    StepBack,
    /// To `legacy`, at once.
    RollBack,
    /// A person has to agree.
    Ask,
    /// As a person asked.
    Obey,
    /// A request was refused.
    Refuse,
}

/// How important a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Importance {
    /// Good to know.
    Info,
    /// To be looked at.
    Warning,
    /// To be looked at now.
    Critical,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Put a mode and a share in force.
    Switch {
        /// Name of the mode.
        mode: String,
        /// Share of new flows on `scanning`, 0 to 1.
        share: f64,
        /// Which flows follow.
        reach: Reach,
    },
    /// Tell people.
    Notify {
        /// How important it is.
        importance: Importance,
        /// What it is about, such as `rolled_back`.
        rule: String,
        /// In words.
        summary: String,
    },
    /// Archive what configured `legacy`.
    Archive,
}

/// A decision and what follows from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// What was decided.
    pub chosen: Move,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// The state from now on.
    pub state: State,
    /// What is to be done, in this order.
    pub actions: Vec<Action>,
    /// Health, when there was new evidence.
    pub health: Option<Health>,
}

impl Decision {
    pub(super) fn new(chosen: Move, state: State, reason: impl Into<String>) -> Self {
        Self {
            chosen,
            reasons: vec![reason.into()],
            state,
            actions: Vec::new(),
            health: None,
        }
    }

    /// Puts the state's step in force.
    pub(super) fn switch_to_step(&mut self, plan: &Plan, reach: Reach) {
        let step = self.state.current_step(plan);
        self.actions.push(Action::Switch {
            mode: step.mode().name().to_owned(),
            share: step.share,
            reach,
        });
    }

    pub(super) fn notify(&mut self, importance: Importance, rule: &str, summary: impl Into<String>) {
        self.actions.push(Action::Notify {
            importance,
            rule: rule.to_owned(),
            summary: summary.into(),
        });
    }
}

/// Decides. Pure: the same plan, state, input and time always give the same decision.
pub fn decide(plan: &Plan, state: &State, input: &Input, now: Moment) -> Decision {
    match input {
        Input::Command(command) => commands::obey(plan, state, command, now),
        Input::Observation(observation) => watch(plan, state, observation, now),
    }
}

/// Takes evidence in, then looks for danger first and progress second.
fn watch(plan: &Plan, state: &State, observation: &Observation, now: Moment) -> Decision {
    let mut state = state.clone();
    let elapsed = now.since(state.at).min(plan.longest_gap);
    state.at = now;
    let sample = &observation.sample;
    if (state.comparison.target - sample.target.share).abs() > 1e-9 {
        state.comparison = Comparison::new(sample.target.share);
    }
    state.comparison.observe(sample);
    let health = Health::judge(
        &observation.window,
        &state.comparison,
        &observation.outlook,
        &plan.thresholds,
    );
    let mut decision = match fired(plan, &mut state, sample, elapsed) {
        Some((trigger, reason)) => roll_back(plan, state, Some(trigger), &reason, plan.rollback_reach, now),
        None => advance::advance(plan, state, observation, &health, elapsed),
    };
    decision.health = Some(health);
    decision
}

/// The first trigger whose limit was exceeded for its whole hold time, and why.
fn fired(plan: &Plan, state: &mut State, sample: &Evidence, elapsed: Duration) -> Option<(Trigger, String)> {
    let is_exposed = sample.target.share > 0.0 || sample.target.mode == Mode::Auto.name();
    if !plan.triggers.enabled || !is_exposed {
        state.breaches.clear();
        return None;
    }
    let mut found = None;
    for trigger in Trigger::ALL {
        let rule = plan.triggers.rule(trigger);
        let value = trigger::value(trigger, sample, &state.comparison, &plan.thresholds);
        // Too little to tell by neither ends a breach nor makes it longer.
        let Some(value) = value else { continue };
        if value <= rule.above {
            state.breaches.remove(&trigger);
            continue;
        }
        let held = match state.breaches.get(&trigger) {
            // The first sample over the limit may have gone over it a moment ago.
            None => Duration::ZERO,
            Some(&held) => held + elapsed,
        };
        state.breaches.insert(trigger, held);
        if held >= rule.hold && found.is_none() {
            let reason = format!(
                "{} is {value:.3}, above {} for {:.1} s",
                trigger.name(),
                rule.above,
                held.as_secs_f64()
            );
            found = Some((trigger, reason));
        }
    }
    found
}

/// Takes everything back to `legacy`.
pub(super) fn roll_back(
    plan: &Plan,
    mut state: State,
    trigger: Option<Trigger>,
    reason: &str,
    reach: Reach,
    now: Moment,
) -> Decision {
    state.rollbacks.push(Rollback {
        at: now,
        trigger,
        reason: reason.to_owned(),
        phase: state.phase,
    });
    state
        .rollbacks
        .retain(|rollback| now.since(rollback.at) < plan.lock_window);
    state.status = Status::RolledBack;
    state.paused = None;
    state.waiting_for = None;
    state.approved = None;
    state.breaches.clear();
    state.comparison = Comparison::new(0.0);
    state.cool_down_until = Some(now.after(plan.cool_down));
    state.is_locked |= state.rollbacks.len() >= plan.rollbacks_to_lock as usize;
    let (locked, rollbacks) = (state.is_locked, state.rollbacks.len());
    let mut decision = Decision::new(Move::RollBack, state, reason);
    decision.actions.push(Action::Switch {
        mode: Mode::Legacy.name().to_owned(),
        share: 0.0,
        reach,
    });
    decision.notify(
        Importance::Critical,
        "rolled_back",
        format!("traffic was taken back to legacy: {reason}"),
    );
    if locked {
        decision.notify(
            Importance::Critical,
            "rollout_locked",
            format!("{rollbacks} rollbacks in a row: `trim rollout unlock` allows another rollout"),
        );
    }
    decision
}
