//! What a person may ask of a rollout.

use serde::{Deserialize, Serialize};

use super::phase::Phase;
use crate::control::switch::Reach;

/// A request, and who made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// What is asked.
    pub request: Request,
    /// Who asks, such as `uid 0`.
    pub who: String,
    /// Why.
    pub reason: String,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RolloutOrder)]
pub enum Request {
    /// Start from the first phase. Refused while one is under way, in a cool-down and when locked.
    Start,
    /// Run this phase alone. Refused as [`Self::Start`] is.
    Run(Phase),
    /// Stop where it is.
    Pause,
    /// Go on. Refused unless paused.
    Resume,
    /// Take the next step now, or agree to the phase that waits. Refused when criteria do not hold, unless forced.
    Advance {
        /// Although criteria do not hold.
        force: bool,
    },
    /// Give up; traffic goes back to `legacy`, as flows end.
    Abort,
    /// Take everything back.
    Rollback(Reach),
    /// Allow rollouts again after too many rollbacks.
    Unlock,
}
