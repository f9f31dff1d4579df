//! Live capture: threads from the RX rings to the sink.
//!
//! Inline, one thread does everything. With threads, receiving threads give packets to the workers of each strategy,
//! and one writer merges what they let out. Either way a packet goes `capture -> dispatch -> trim -> sink`.

mod arrival;
mod batch;
mod chunks;
mod cutter;
#[cfg(test)]
mod equality;
#[cfg(test)]
mod exemplars;
mod faulty;
mod inline;
mod intake;
mod lanes;
mod layout;
mod meter;
mod outcome;
mod receive;
mod times;
mod trim;
mod write;
mod writer;

use std::sync::Arc;
use std::thread::JoinHandle;

pub use cutter::CutterParts;
pub use lanes::{ExemplarOutlet, Extras, makers};
pub use layout::{Plan, ThreadPlan};
pub use outcome::{Ended, LiveError};

use crate::config::{Hold, Wait};
use crate::data::exemplar::ExemplarSettings;
use crate::data::sink::{Sink, Summary};
use crate::kernel::affinity;
use crate::kernel::xsk::{Audit, Queue, WaitMode};
use crate::shared::{Latency, Shared, ThreadBoard};
use crate::trimmer::{Policy, Settings};

/// Everything the data path needs to start.
pub struct Parts {
    /// The opened queues, each with the number of its interface in the sink.
    pub queues: Vec<(Queue, u32)>,
    /// How threads are laid out.
    pub plan: Plan,
    /// Settings of the trimmers.
    pub settings: Settings,
    /// Share of flows on `legacy` and on `scanning` that the other one judges too, 0 to 1.
    pub shadowed: f64,
    /// Whether `scanning` can be told to fail ([`Shared::faults`]).
    pub is_rehearsal: bool,
    /// What is done with bytes of each kind.
    pub policy: Policy,
    /// Bounds on packets that wait.
    pub hold: Hold,
    /// How many differences between the strategies are saved in mode `comparison`, and where.
    pub exemplars: ExemplarSettings,
    /// What the kernel is told of bodies; `None` when it is to cut none.
    pub cutter: CutterParts,
    /// How receiving threads wait.
    pub wait: Wait,
    /// Where packets go.
    pub sink: Box<dyn Sink>,
}

/// A running data path.
pub struct LiveCapture {
    shared: Arc<Shared>,
    threads: Vec<(String, JoinHandle<Result<Ended, LiveError>>)>,
    /// How many queues were opened.
    queues: u64,
}

/// How it ended.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Where every frame of every queue was.
    pub audits: Vec<Audit>,
    /// What became of the packets given to the sink.
    pub summary: Summary,
    /// All latencies.
    pub latency: Latency,
    /// What went wrong while the threads ran.
    pub errors: Vec<LiveError>,
}

/// How long an adaptive thread looks for packets before it sleeps.
const ADAPTIVE_SPIN: std::time::Duration = std::time::Duration::from_micros(50);

impl LiveCapture {
    /// Starts the threads.
    ///
    /// # Errors
    /// When a thread cannot be started; those already started are stopped.
    pub fn start(parts: Parts) -> Result<Self, LiveError> {
        let wait = match parts.wait {
            Wait::Spin => WaitMode::Spin,
            Wait::Adaptive => WaitMode::Adaptive { spin: ADAPTIVE_SPIN },
            Wait::Poll => WaitMode::Poll,
        };
        let boards = parts
            .plan
            .threads()
            .map(|thread| ThreadBoard::new(&thread.name))
            .collect();
        let interfaces = parts
            .queues
            .iter()
            .map(|&(_, interface)| interface as usize + 1)
            .max()
            .unwrap_or(0);
        let shared = Arc::new(Shared::new(boards, interfaces));
        let mut live = Self {
            shared,
            threads: Vec::new(),
            queues: parts.queues.len() as u64,
        };
        let started = layout::build(parts, wait, &live.shared)
            .into_iter()
            .try_for_each(|job| live.spawn(job));
        match started {
            Ok(()) => Ok(live),
            Err(error) => {
                live.shared.request_stop();
                live.join();
                Err(error)
            }
        }
    }

    fn spawn(&mut self, job: layout::Job) -> Result<(), LiveError> {
        let layout::Job {
            thread: ThreadPlan { name, core },
            run,
        } = job;
        let handle = std::thread::Builder::new().name(name.clone()).spawn(move || {
            if let Some(core) = core
                && !affinity::pin_current_thread(core)
            {
                tracing::warn!(core, "the system refuses to pin this thread; it runs on any core");
            }
            run()
        });
        match handle {
            Ok(handle) => {
                self.threads.push((name, handle));
                Ok(())
            }
            Err(error) => Err(LiveError::Spawn { name, error }),
        }
    }

    /// What the data path shares with the control wing.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Whether a thread has ended although nobody asked it to, or the kernel has closed every queue.
    pub fn has_failed(&self) -> bool {
        let closed: u64 = self
            .shared
            .threads
            .iter()
            .map(|thread| thread.queues_closed.get())
            .sum();
        let has_ended = self.threads.iter().any(|(_, handle)| handle.is_finished());
        !self.shared.is_stopping() && (has_ended || closed == self.queues)
    }

    /// Waits until all threads have ended. [`Shared::request_stop`] makes them.
    pub fn join(self) -> Outcome {
        let mut outcome = Outcome::default();
        for (name, handle) in self.threads {
            match handle.join() {
                Ok(Ok(ended)) => {
                    outcome.audits.extend(ended.audits);
                    outcome.errors.extend(ended.errors);
                    outcome.latency.add(&ended.latency);
                    if let Some(summary) = ended.summary {
                        outcome.summary = summary;
                    }
                }
                Ok(Err(error)) => outcome.errors.push(error),
                Err(_panic) => outcome.errors.push(LiveError::Panicked { name }),
            }
        }
        outcome
    }
}
