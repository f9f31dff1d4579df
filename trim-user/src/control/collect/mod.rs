//! Measures: counters, histograms and the system, read at intervals and made into evidence.

mod machine;
mod memory;
mod snapshot;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use trim_common::strategy::Mode;

use self::machine::Machine;
use self::snapshot::Snapshot;
use super::accounts::Accounts;
use super::health::{Evidence, Moment, Target, Thread};
use crate::kernel::clock;
use crate::shared::{Latency, Shared};

/// How long a thread may take to hand over its latencies.
const PATIENCE: Duration = Duration::from_millis(100);

/// What only the owner of the kernel's maps can tell.
#[derive(Clone, Copy, Debug)]
pub struct KernelSide {
    /// The mode in force.
    pub mode: Mode,
    /// Share of new flows on `scanning`, 0 to 1.
    pub share: f64,
    /// Where every packet went.
    pub accounts: Accounts,
    /// Flow table slots of one trimmer.
    pub max_flows: u64,
}

/// Turns running totals into what happened since the last look.
pub struct Collector {
    shared: Arc<Shared>,
    machine: Machine,
    last: Option<Snapshot>,
    latency: Latency,
    stalls: Vec<Stall>,
}

/// How long a thread's beat has stood still.
#[derive(Clone, Copy, Debug, Default)]
struct Stall {
    beat: u64,
    since: u64,
}

impl Collector {
    /// A collector for a capture that writes to `directory` and is to keep within `memory_limit` bytes, if there is such a
    /// limit. The first sample only sets the starting point.
    pub fn new(shared: Arc<Shared>, directory: PathBuf, memory_limit: Option<u64>) -> Self {
        Self {
            stalls: vec![Stall::default(); shared.threads.len()],
            shared,
            machine: Machine::new(directory, memory_limit),
            last: None,
            latency: Latency::new(),
        }
    }

    /// What happened since the last call; `None` the first time.
    pub fn sample(&mut self, kernel: &KernelSide) -> Option<Evidence> {
        let now = clock::monotonic();
        let snapshot = Snapshot::take(now, kernel, &self.shared);
        let (latency, _silent) = self.shared.latency(PATIENCE);
        let recent = latency.since(&self.latency);
        let threads = self.threads(now);
        let resources = self.machine.read(now, &snapshot, kernel);
        let evidence = self.last.as_ref().map(|last| Evidence {
            at: Moment(clock::realtime() / 1_000_000),
            seconds: now.saturating_sub(last.taken) as f64 / 1e9,
            target: Target {
                mode: kernel.mode.name().to_owned(),
                share: kernel.share,
                has_changed: snapshot.has_other_target(last),
            },
            legacy: snapshot.arm(last, &recent, snapshot::LEGACY),
            scanning: snapshot.arm(last, &recent, snapshot::SCANNING),
            packets: snapshot.packets(last),
            resources,
            threads,
        });
        self.last = Some(snapshot);
        self.latency = latency;
        evidence
    }

    /// A living thread's loop turns many times a second even when it has nothing to do, so a beat that stands still is
    /// a thread that is stuck.
    fn threads(&mut self, now: u64) -> Vec<Thread> {
        let boards = self.shared.threads.iter().zip(&mut self.stalls);
        boards
            .map(|(board, stall)| {
                let beat = board.beat.get();
                if beat != stall.beat || stall.since == 0 {
                    *stall = Stall { beat, since: now };
                }
                Thread {
                    name: board.name.clone(),
                    waiting: board.waiting.get(),
                    stalled_s: now.saturating_sub(stall.since) as f64 / 1e9,
                }
            })
            .collect()
    }
}
