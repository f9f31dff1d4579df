//! The five phases, and how a rollout stands.

use serde::{Deserialize, Serialize};

/// A phase of the way from `legacy` to `scanning`.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// `legacy` alone: is everything well before anything changes?
    #[default]
    BaselineValidation,
    /// A small share of flows on `scanning`.
    AbTest,
    /// More and more of them.
    GradualRollout,
    /// All of them; `legacy` stays warm.
    FullMigration,
    /// All of them; what configured `legacy` is archived. Its code stays.
    LegacyCleanup,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 5] = [
        Self::BaselineValidation,
        Self::AbTest,
        Self::GradualRollout,
        Self::FullMigration,
        Self::LegacyCleanup,
    ];

    /// The word used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BaselineValidation => "baseline_validation",
            Self::AbTest => "ab_test",
            Self::GradualRollout => "gradual_rollout",
            Self::FullMigration => "full_migration",
            Self::LegacyCleanup => "legacy_cleanup",
        }
    }

    /// The phase of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }

    /// The phase after this one.
    pub fn next(self) -> Option<Self> {
        Self::ALL.into_iter().find(|&phase| phase > self)
    }
}

/// How a rollout stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RolloutStatus)]
pub enum Status {
    /// Nobody has started one.
    #[default]
    NotStarted,
    /// On its way.
    InProgress,
    /// Stopped where it is; nothing advances until somebody resumes it. Health is still watched.
    Paused,
    /// Through all phases.
    Completed,
    /// Given up by a person.
    Failed,
    /// Taken back to `legacy`.
    RolledBack,
}

impl Status {
    /// The word used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::InProgress => "in_progress",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
        }
    }
}
