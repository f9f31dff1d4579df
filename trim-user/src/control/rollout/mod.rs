//! The rollout from `legacy` to `scanning`: a state machine that decides and never acts.
//!
//! [`decide`] is a pure function of plan, state and input. What it returns is stored, then acted upon; so any decision can be
//! made again later from what is stored, and has to come out the same.

mod advance;
mod command;
mod commands;
mod decide;
mod freeze;
mod phase;
mod plan;
mod simulate;
mod state;
mod trigger;

pub use command::{Command, Request};
pub use decide::{Action, Decision, Importance, Input, Move, Observation, decide};
pub use freeze::Freeze;
pub use phase::{Phase, Status};
pub use plan::{PhasePlan, Plan, Step};
pub use simulate::{Behaviour, Change, Scenario, Simulated, Traffic, rehearse, simulate};
pub use state::{Rollback, State};
pub use trigger::{Rule, Trigger, Triggers};
