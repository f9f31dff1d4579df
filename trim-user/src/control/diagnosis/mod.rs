//! A look into the running daemon: its memory by subsystem, who allocated it, and where its time goes.
//!
//! Everything here takes its time, so it runs on a thread of its own and never on the one that renews the lease.

pub mod cpu;
pub mod flame;
pub mod heap;
pub mod memory;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum DiagnosisError {
    /// This binary's allocator cannot be profiled.
    #[error("the allocator of this binary was started without profiling: is `MALLOC_CONF` or `_RJEM_MALLOC_CONF` set?")]
    NoHeapProfiles,
    /// Another profile is being taken.
    #[error("another profile is being taken: wait until it is done")]
    Busy,
    /// Something of the system failed.
    #[error("cannot {action}: {reason}")]
    Failed {
        /// What was tried.
        action: &'static str,
        /// Why not.
        reason: String,
    },
}

impl DiagnosisError {
    fn failed(action: &'static str, reason: impl ToString) -> Self {
        Self::Failed {
            action,
            reason: reason.to_string(),
        }
    }
}

/// A profile of heap or time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Profile {
    /// For `go tool pprof` and its like: a protocol buffer of that format, in base64.
    pub pprof: String,
    /// A flame graph; empty for a heap profile.
    pub svg: String,
    /// What was counted: `bytes` or `samples`.
    pub unit: String,
    /// How much of it in all.
    pub total: u64,
    /// Who has most of it, the greatest first.
    pub top: Vec<Share>,
}

/// What one function has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Share {
    /// The function.
    pub function: String,
    /// How much, in the profile's unit.
    pub value: u64,
}

/// Rows of a table of shares.
const ROWS: usize = 20;

impl Profile {
    /// The protocol buffer itself.
    ///
    /// # Errors
    /// When it is no base64.
    pub fn pprof_bytes(&self) -> Result<Vec<u8>, base64::DecodeError> {
        STANDARD.decode(&self.pprof)
    }

    fn new(pprof: &[u8], svg: String, unit: &str, shares: std::collections::HashMap<String, u64>) -> Self {
        let total = shares.values().sum();
        let mut top: Vec<Share> = shares
            .into_iter()
            .map(|(function, value)| Share { function, value })
            .collect();
        top.sort_by(|one, other| {
            other
                .value
                .cmp(&one.value)
                .then_with(|| one.function.cmp(&other.function))
        });
        top.truncate(ROWS);
        Self {
            pprof: STANDARD.encode(pprof),
            svg,
            unit: unit.to_owned(),
            total,
            top,
        }
    }
}
