//! Faults put into `scanning` on purpose, so that a rollback can be rehearsed on real traffic.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// What is wrong with `scanning`. Nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FaultPlan {
    /// Segments over which it panics, share: 0 to 1.
    pub panics: f64,
    /// Header bytes that it calls body, share of segments: 0 to 1.
    pub wrong: f64,
    /// Turns of an idle loop per segment: makes it dearer.
    pub spins: u64,
    /// Memory that it takes per segment and never gives back, bytes.
    pub leak: u64,
    /// It does not come back from its next segment until this is taken back.
    pub stall: bool,
}

/// The plan in force. The control wing writes it, trimmers read it.
#[derive(Debug, Default)]
pub struct Faults {
    panics: AtomicU64,
    wrong: AtomicU64,
    spins: AtomicU64,
    leak: AtomicU64,
    stall: AtomicBool,
}

/// Shares are kept in millionths.
const MILLION: f64 = 1e6;

impl Faults {
    /// Puts a plan in force.
    pub fn set(&self, plan: FaultPlan) {
        let share = |share: f64| (share.clamp(0.0, 1.0) * MILLION) as u64;
        self.panics.store(share(plan.panics), Ordering::Relaxed);
        self.wrong.store(share(plan.wrong), Ordering::Relaxed);
        self.spins.store(plan.spins, Ordering::Relaxed);
        self.leak.store(plan.leak, Ordering::Relaxed);
        self.stall.store(plan.stall, Ordering::Relaxed);
    }

    /// The plan in force.
    pub fn plan(&self) -> FaultPlan {
        let share = |share: &AtomicU64| share.load(Ordering::Relaxed) as f64 / MILLION;
        FaultPlan {
            panics: share(&self.panics),
            wrong: share(&self.wrong),
            spins: self.spins.load(Ordering::Relaxed),
            leak: self.leak.load(Ordering::Relaxed),
            stall: self.is_stalled(),
        }
    }

    /// Whether the next segment is to wait.
    pub fn is_stalled(&self) -> bool {
        self.stall.load(Ordering::Relaxed)
    }
}
