//! A worker thread: packets of one strategy to chunks of trimmed packets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Select, TryRecvError};

use super::arrival::Arrival;
use super::batch::{Batch, FromReceiver};
use super::chunks::ToWriter;
use super::intake::Intake;
use super::lanes;
use super::meter::Meter;
use super::outcome::{Ended, LiveError};
use super::times::TimeBase;
use crate::data::merge::Merge;
use crate::data::record::Record;
use crate::data::worker::Worker;
use crate::kernel::xsk::Umem;
use crate::packet::LinkType;
use crate::shared::{Latency, Shared, Stage};

/// Longest sleep when no packets come.
const NAP: Duration = Duration::from_millis(5);

/// What comes from one receiving thread.
pub(super) struct Input {
    pub(super) from: FromReceiver,
    /// Pool and interface of each of its queues.
    pub(super) queues: Vec<(Arc<Umem>, u32)>,
    pub(super) empties: Vec<Batch>,
    pub(super) is_closed: bool,
}

/// One thread that trims.
pub(super) struct TrimLoop {
    pub(super) inputs: Vec<Input>,
    pub(super) merge: Merge<Arrival>,
    pub(super) worker: Worker,
    pub(super) output: ToWriter,
    /// Everything up to this kernel time has been sent to the writer.
    pub(super) horizon: Arc<AtomicU64>,
    pub(super) base: TimeBase,
    pub(super) shared: Arc<Shared>,
    pub(super) board: usize,
    pub(super) latency: Latency,
    pub(super) meter: Meter,
}

impl TrimLoop {
    /// Runs until the receiving threads are gone and everything is trimmed.
    pub(super) fn run(mut self) -> Result<Ended, LiveError> {
        let shared = Arc::clone(&self.shared);
        let board = &shared.threads[self.board];
        loop {
            let taken = self.take();
            self.worker.hurry(shared.overload.is_on(Intake::now()));
            self.trim();
            let now = Intake::now();
            self.worker.enforce(self.base.to_realtime(now), self.output.chunk());
            if taken == 0 || self.output.chunk().is_full() {
                self.output.send(now);
            }
            self.promise(taken);
            lanes::publish(&self.worker, board);
            self.meter.publish(board);
            board
                .waiting
                .set(self.inputs.iter().map(|input| input.from.packets.len() as u64).sum());
            board.out_of_order.set(self.merge.late());
            board.latency.answer(&self.latency);
            board.beat.add(1);
            if taken == 0 {
                self.give_back();
                if self.inputs.iter().all(|input| input.is_closed) && self.merge.waiting() == 0 {
                    break;
                }
                self.sleep();
            }
        }
        self.worker.finish(self.output.chunk());
        self.output.send(Intake::now());
        self.horizon.store(u64::MAX, Ordering::Release);
        lanes::publish(&self.worker, board);
        Ok(Ended {
            latency: self.latency,
            ..Ended::default()
        })
    }

    /// Takes one batch from each input; returns how many packets there were.
    fn take(&mut self) -> usize {
        let mut taken = 0;
        for (stream, input) in self.inputs.iter_mut().enumerate() {
            // Read before looking into the queue: what was sent before the horizon moved is then seen.
            let horizon = input.from.horizon.load(Ordering::Acquire);
            match input.from.packets.try_recv() {
                Ok(mut batch) => {
                    taken += batch.len();
                    for arrival in batch.drain(..) {
                        self.merge.push(stream, arrival);
                    }
                    input.empties.push(batch);
                }
                Err(TryRecvError::Empty) => self.merge.promise(stream, horizon),
                Err(TryRecvError::Disconnected) => {
                    input.is_closed = true;
                    self.merge.promise(stream, u64::MAX);
                }
            }
        }
        taken
    }

    fn trim(&mut self) {
        while let Some(run) = self.merge.next_run() {
            let now = Intake::now();
            self.meter.begin();
            while let Some(arrival) = self.merge.next_of(run) {
                self.latency.record(
                    arrival.lane.index(),
                    Stage::ReceivedToTrimmed,
                    now.saturating_sub(arrival.received),
                    1,
                );
                self.meter.packet(arrival.lane.index());
                self.trim_one(run.stream, arrival);
            }
            self.meter.end();
        }
    }

    #[inline]
    fn trim_one(&mut self, stream: usize, arrival: Arrival) {
        let Self {
            inputs,
            worker,
            output,
            base,
            ..
        } = self;
        let input = &mut inputs[stream];
        let (umem, interface) = &input.queues[usize::from(arrival.queue)];
        let record = Record {
            interface: *interface,
            time_ns: base.to_realtime(arrival.time),
            original_length: arrival.original_length,
            data: umem.bytes(&arrival.frame),
        };
        let lane = arrival.lane.index();
        worker.packet(lane, LinkType::ETHERNET, &record, output.chunk());
        let Input { from, empties, .. } = input;
        from.finish(arrival, empties);
    }

    /// Tells the writer how far this worker has come, when everything before has been sent.
    fn promise(&mut self, taken: usize) {
        if taken > 0 || !self.output.chunk().is_empty() {
            return;
        }
        let received = self
            .inputs
            .iter()
            .map(|input| input.from.horizon.load(Ordering::Acquire))
            .min()
            .unwrap_or(u64::MAX);
        let inputs_empty = self.inputs.iter().all(|input| input.from.packets.is_empty());
        let waiting = self.merge.oldest().unwrap_or(u64::MAX);
        let held = self
            .worker
            .oldest_held()
            .map_or(u64::MAX, |time| self.base.to_monotonic(time));
        if inputs_empty {
            self.horizon.store(received.min(waiting).min(held), Ordering::Release);
        }
    }

    fn give_back(&mut self) {
        for input in &mut self.inputs {
            input.from.give_back(&mut input.empties);
        }
    }

    fn sleep(&self) {
        let mut select = Select::new();
        for input in self.inputs.iter().filter(|input| !input.is_closed) {
            select.recv(&input.from.packets);
        }
        let _ = select.ready_timeout(NAP);
    }
}
