//! Which thread does what, and on which core.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::batch::{self, FromReceiver};
use super::chunks;
use super::cutter::{Cutter, CutterParts};
use super::inline::InlineLoop;
use super::intake::Intake;
use super::meter::Meter;
use super::outcome::{Ended, LiveError};
use super::receive::ReceiveLoop;
use super::times::TimeBase;
use super::trim::{Input, TrimLoop};
use super::write::{Source, WriteLoop};
use super::writer::Writer;
use super::{ExemplarOutlet, Extras, Parts, lanes};
use crate::config::{Layout, Pipeline};
use crate::data::exemplar::{ExemplarSettings, Quota, Saver};
use crate::data::merge::Merge;
use crate::data::sink::Sink;
use crate::data::worker::Worker;
use crate::kernel::xsk::{Queue, Umem, WaitMode};
use crate::shared::{Latency, Shared};

/// With fewer cores than this, `auto` does everything on one thread.
const CORES_FOR_THREADS: usize = 4;
/// Packets that the writer's queues hold without growing.
const WRITER_ITEMS: usize = 4096;
/// Exemplars that may wait to be saved.
const EXEMPLARS_ON_THEIR_WAY: usize = 16;

/// The threads of a live capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The thread that does everything, when there is only one.
    pub inline: Option<ThreadPlan>,
    /// Threads that receive.
    pub receivers: Vec<ThreadPlan>,
    /// Workers of `legacy`.
    pub legacy: Vec<ThreadPlan>,
    /// Workers of `scanning`.
    pub scanning: Vec<ThreadPlan>,
    /// The thread that writes.
    pub writer: Option<ThreadPlan>,
    /// Frames that move together.
    pub batch: usize,
    /// Batches that may wait in front of a worker.
    pub queue_batches: usize,
}

/// One thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadPlan {
    /// Its name.
    pub name: String,
    /// The core it is pinned to.
    pub core: Option<usize>,
}

impl Plan {
    /// Lays the stages over threads. `cores` are those this process may use; there is no use in more receiving threads
    /// than `queues`.
    pub fn new(pipeline: &Pipeline, cores: &[usize], queues: usize) -> Self {
        let is_inline = match pipeline.layout {
            Layout::Auto => cores.len() < CORES_FOR_THREADS,
            Layout::Inline => true,
            Layout::Threads => false,
        };
        let mut free = FreeCores::new(pipeline, cores);
        let mut plan = Self {
            inline: None,
            receivers: Vec::new(),
            legacy: Vec::new(),
            scanning: Vec::new(),
            writer: None,
            batch: pipeline.batch,
            queue_batches: pipeline.queue_batches,
        };
        if is_inline {
            plan.inline = free.threads("capture", &pipeline.receive_cores).into_iter().next();
            return plan;
        }
        plan.receivers = free.threads("receive", &pipeline.receive_cores);
        plan.receivers.truncate(queues.max(1));
        plan.legacy = free.threads("legacy", &pipeline.legacy_cores);
        plan.scanning = free.threads("scanning", &pipeline.scanning_cores);
        let core = pipeline.writer_core.or_else(|| free.take());
        plan.writer = Some(ThreadPlan {
            name: "writer".to_owned(),
            core,
        });
        plan
    }

    /// All threads, in the order of their boards.
    pub fn threads(&self) -> impl Iterator<Item = &ThreadPlan> {
        let workers = self.legacy.iter().chain(&self.scanning);
        self.inline
            .iter()
            .chain(&self.receivers)
            .chain(workers)
            .chain(&self.writer)
    }
}

/// Cores that are not asked for by name, from the last one down: the first one is where most systems take interrupts.
struct FreeCores(Vec<usize>);

impl FreeCores {
    fn new(pipeline: &Pipeline, cores: &[usize]) -> Self {
        let asked: Vec<usize> = [
            &pipeline.receive_cores,
            &pipeline.legacy_cores,
            &pipeline.scanning_cores,
        ]
        .into_iter()
        .flatten()
        .copied()
        .chain(pipeline.writer_core)
        .collect();
        let mut free: Vec<usize> = cores.iter().copied().filter(|core| !asked.contains(core)).collect();
        free.sort_unstable();
        Self(free)
    }

    /// The next core; threads beyond the number of cores are not pinned.
    fn take(&mut self) -> Option<usize> {
        self.0.pop()
    }

    /// One thread on each core asked for, or one on a core of our choice.
    fn threads(&mut self, role: &str, asked: &[usize]) -> Vec<ThreadPlan> {
        if asked.is_empty() {
            return vec![ThreadPlan {
                name: format!("{role}-0"),
                core: self.take(),
            }];
        }
        let thread = |(number, &core)| ThreadPlan {
            name: format!("{role}-{number}"),
            core: Some(core),
        };
        asked.iter().enumerate().map(thread).collect()
    }
}

/// A thread, ready to run.
pub(super) struct Job {
    pub(super) thread: ThreadPlan,
    pub(super) run: Box<dyn FnOnce() -> Result<Ended, LiveError> + Send>,
}

/// Connects the stages.
pub(super) fn build(parts: Parts, wait: WaitMode, shared: &Arc<Shared>) -> Vec<Job> {
    let (outlet, saving) = exemplars(&parts.exemplars, shared).unzip();
    let extras = Extras {
        shadowed: parts.shadowed,
        faults: parts.is_rehearsal.then(|| Arc::clone(&shared.faults)),
        exemplars: outlet,
    };
    let mut jobs = match parts.plan.inline.clone() {
        Some(thread) => vec![build_inline(parts, wait, shared, &extras, thread)],
        None => build_threads(parts, wait, shared, &extras),
    };
    jobs.extend(saving);
    jobs
}

/// The way of exemplars to the thread that saves them, where any are to be saved.
fn exemplars(settings: &ExemplarSettings, shared: &Shared) -> Option<(ExemplarOutlet, Job)> {
    if settings.of_each_class == 0 {
        return None;
    }
    let (out, exemplars) = crossbeam_channel::bounded(EXEMPLARS_ON_THEIR_WAY);
    let outlet = ExemplarOutlet {
        quota: Arc::new(Quota::new(settings.of_each_class)),
        out,
        board: Arc::clone(&shared.exemplars),
    };
    let saver = Saver::new(settings.clone(), Arc::clone(&shared.exemplars));
    let run = move || {
        saver.run(&exemplars);
        Ok(Ended::default())
    };
    let thread = ThreadPlan {
        name: "exemplars".to_owned(),
        core: None,
    };
    Some((
        outlet,
        Job {
            thread,
            run: Box::new(run),
        },
    ))
}

fn build_inline(parts: Parts, wait: WaitMode, shared: &Arc<Shared>, extras: &Extras, thread: ThreadPlan) -> Job {
    let (queues, interfaces): (Vec<Queue>, Vec<u32>) = parts.queues.into_iter().unzip();
    let base = TimeBase::sample();
    let worker = lanes::worker(&parts.settings, extras, parts.policy, parts.hold);
    let inline = InlineLoop {
        intake: Intake::new(queues, wait, parts.plan.batch),
        interfaces,
        worker: with_cutter(worker, &parts.cutter, base, shared),
        writer: Writer::new(parts.sink),
        base,
        shared: Arc::clone(shared),
        board: 0,
        meter: Meter::default(),
    };
    Job {
        thread,
        run: Box::new(move || inline.run()),
    }
}

fn with_cutter(worker: Worker, parts: &CutterParts, base: TimeBase, shared: &Arc<Shared>) -> Worker {
    worker.with_cutter(Box::new(Cutter::new(parts.clone(), base, Arc::clone(shared))))
}

/// What a worker needs of one receiving thread.
struct Connection {
    from: FromReceiver,
    queues: Pools,
}

/// Pool and interface of each queue of a receiving thread.
type Pools = Vec<(Arc<Umem>, u32)>;

/// Everything that is the same for all threads.
struct Common {
    plan: Plan,
    base: TimeBase,
    shared: Arc<Shared>,
}

fn build_threads(parts: Parts, wait: WaitMode, shared: &Arc<Shared>, extras: &Extras) -> Vec<Job> {
    let Parts {
        queues,
        plan,
        settings,
        policy,
        hold,
        sink,
        cutter,
        ..
    } = parts;
    let common = Common {
        plan,
        base: TimeBase::sample(),
        shared: Arc::clone(shared),
    };
    let (mut jobs, connections) = receive_jobs(&common, queues, wait);
    let mut sources = Vec::new();
    let threads = common.plan.legacy.iter().chain(&common.plan.scanning);
    for (thread, inputs) in threads.zip(connections) {
        let (output, from) = chunks::way();
        let horizon = Arc::new(AtomicU64::new(0));
        sources.push(Source::new(from, Arc::clone(&horizon)));
        let board = jobs.len();
        let trim = TrimLoop {
            merge: Merge::new(inputs.len(), 4 * common.plan.batch),
            inputs: inputs.into_iter().map(input).collect(),
            worker: with_cutter(
                lanes::worker(&settings, extras, policy, hold),
                &cutter,
                common.base,
                shared,
            ),
            output,
            horizon,
            base: common.base,
            shared: Arc::clone(shared),
            board,
            latency: Latency::new(),
            meter: Meter::default(),
        };
        jobs.push(Job {
            thread: thread.clone(),
            run: Box::new(move || trim.run()),
        });
    }
    jobs.extend(write_job(&common, sources, sink));
    jobs
}

/// The receiving threads, and for each worker what connects it with each of them.
fn receive_jobs(common: &Common, queues: Vec<(Queue, u32)>, wait: WaitMode) -> (Vec<Job>, Vec<Vec<Connection>>) {
    let plan = &common.plan;
    let counts = [plan.legacy.len(), plan.scanning.len()];
    let mut connections: [Vec<Vec<Connection>>; 2] = counts.map(|count| (0..count).map(|_| Vec::new()).collect());
    let mut jobs = Vec::new();
    for (number, share) in deal(queues, plan.receivers.len()).into_iter().enumerate() {
        let pools: Pools = share
            .iter()
            .map(|(queue, interface)| (Arc::clone(queue.umem()), *interface))
            .collect();
        let workers = connections.each_mut().map(|workers| {
            let connect = |worker: &mut Vec<Connection>| {
                let (to, from) = batch::way(plan.queue_batches, plan.batch);
                worker.push(Connection {
                    from,
                    queues: pools.clone(),
                });
                to
            };
            workers.iter_mut().map(connect).collect()
        });
        let queues = share.into_iter().map(|(queue, _)| queue).collect();
        let receive = ReceiveLoop {
            intake: Intake::new(queues, wait, plan.batch),
            workers,
            shared: Arc::clone(&common.shared),
            board: number,
        };
        jobs.push(Job {
            thread: plan.receivers[number].clone(),
            run: Box::new(move || receive.run()),
        });
    }
    (jobs, connections.into_iter().flatten().collect())
}

fn input(connection: Connection) -> Input {
    let Connection { from, queues } = connection;
    Input {
        from,
        queues,
        empties: Vec::new(),
        is_closed: false,
    }
}

fn write_job(common: &Common, sources: Vec<Source>, sink: Box<dyn Sink>) -> Option<Job> {
    let write = WriteLoop {
        merge: Merge::new(sources.len(), WRITER_ITEMS),
        sources,
        writer: Writer::new(sink),
        base: common.base,
        shared: Arc::clone(&common.shared),
        board: common.shared.threads.len() - 1,
        latency: Latency::new(),
        written: Vec::with_capacity(WRITER_ITEMS),
    };
    Some(Job {
        thread: common.plan.writer.clone()?,
        run: Box::new(move || write.run()),
    })
}

/// Deals queues to threads in turn, so that the queues of one interface are spread.
fn deal(queues: Vec<(Queue, u32)>, threads: usize) -> Vec<Vec<(Queue, u32)>> {
    let mut shares: Vec<Vec<(Queue, u32)>> = (0..threads).map(|_| Vec::new()).collect();
    for (number, queue) in queues.into_iter().enumerate() {
        shares[number % threads].push(queue);
    }
    shares
}
