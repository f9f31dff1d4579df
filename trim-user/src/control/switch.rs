//! The one place that changes kernel state while a capture runs: who trims, and the lease.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};
use trim_common::maps::PolicyWord;
use trim_common::strategy::{Mode, Split};

use crate::kernel::KernelError;
use crate::kernel::clock;
use crate::kernel::maps::{LeaseMap, PolicyMap};
use crate::shared::Shared;

/// Which flows follow a switch.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Flows that begin from now on; the others keep their strategy until they end.
    #[default]
    Drain,
    /// Every flow, from its next packet on.
    Immediate,
}

/// Whether what trimmers have promised to be body is still believed, by those that take their flows over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promised {
    /// It is: the flows were in good hands.
    Believed,
    /// It is not: somebody doubts those who promised it.
    Withdrawn,
}

/// What the kernel side of one interface can be told.
pub struct Levers {
    /// Mode, split and generation.
    pub policy: PolicyMap,
    /// The lease.
    pub lease: LeaseMap,
}

/// How long a switch took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchTime {
    /// When it was commanded, CLOCK_MONOTONIC nanoseconds.
    pub commanded: u64,
    /// From the command to the end of the map write, nanoseconds.
    pub write_ns: u64,
}

/// Switches strategies and renews the lease, on all interfaces alike.
pub struct Switch {
    levers: Vec<Levers>,
    shared: Arc<Shared>,
    word: PolicyWord,
}

impl Switch {
    /// Takes over the levers of every interface; `word` is in force on all of them.
    pub fn new(levers: Vec<Levers>, shared: Arc<Shared>, word: PolicyWord) -> Self {
        shared.generation.store(word.generation(), Ordering::Release);
        Self { levers, shared, word }
    }

    /// The policy in force.
    pub const fn policy(&self) -> PolicyWord {
        self.word
    }

    /// Takes over what the kernel has, should another process have written it: `trim rollback` does when this one hangs.
    ///
    /// # Errors
    /// When the kernel refuses to tell.
    pub fn refresh(&mut self) -> Result<PolicyWord, KernelError> {
        for levers in &self.levers {
            let word = levers.policy.get()?;
            if word != self.word {
                tracing::warn!(mode = word.mode().name(), "another process has changed the policy");
                // `trim rollback --direct` does so in an emergency.
                self.shared.promises.withdraw(clock::monotonic());
                self.shared.generation.store(word.generation(), Ordering::Release);
                self.word = word;
                break;
            }
        }
        Ok(self.word)
    }

    /// Puts mode and split in force: one map write per interface.
    ///
    /// # Errors
    /// When the kernel refuses a write; the interfaces before it have switched.
    pub fn switch(
        &mut self,
        mode: Mode,
        split: Split,
        reach: Reach,
        promised: Promised,
    ) -> Result<SwitchTime, KernelError> {
        self.refresh()?;
        let word = match reach {
            Reach::Drain => self.word.drain(mode, split),
            Reach::Immediate => self.word.immediate(mode, split),
        };
        let commanded = clock::monotonic();
        if promised == Promised::Withdrawn {
            self.shared.promises.withdraw(commanded);
        }
        self.levers
            .iter_mut()
            .try_for_each(|levers| levers.policy.switch(word))?;
        let write_ns = clock::monotonic() - commanded;
        if promised == Promised::Withdrawn {
            // Also what was promised of packets in between.
            self.shared.promises.withdraw(commanded + write_ns);
        }
        self.shared.generation.store(word.generation(), Ordering::Release);
        self.word = word;
        Ok(SwitchTime { commanded, write_ns })
    }

    /// Tells the kernel that user space is alive.
    ///
    /// # Errors
    /// When the kernel refuses a write.
    pub fn renew_lease(&mut self) -> Result<(), KernelError> {
        let now = clock::monotonic();
        self.levers.iter_mut().try_for_each(|levers| levers.lease.renew(now))
    }

    /// From a switch's command to the last packet that still carried an earlier generation's tag, as far as packets
    /// have been received since, nanoseconds. At least the time of the write.
    pub fn last_old_packet(&self, time: SwitchTime) -> u64 {
        let last = self.shared.totals().last_old_tag;
        last.saturating_sub(time.commanded).max(time.write_ns)
    }
}

/// The mode that a capture which was killed has left in the maps pinned in `directory`; `None` when none was.
pub fn mode_left_in(directory: &Path) -> Option<Mode> {
    PolicyMap::open(directory).ok()?.get().ok().map(PolicyWord::mode)
}

/// Takes everything back to `legacy` through the maps pinned in `directory`, past a daemon that may hang or be dead.
///
/// # Errors
/// When the map cannot be opened or written.
pub fn roll_back_directly(directory: &Path, reach: Reach) -> Result<PolicyWord, KernelError> {
    let mut policy = PolicyMap::open(directory)?;
    match reach {
        Reach::Immediate => policy.switch_immediately(Mode::Legacy, Split::NONE),
        Reach::Drain => policy.switch_draining(Mode::Legacy, Split::NONE),
    }
}
