//! The writer's thread: chunks of all workers, merged by time, to the sink.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Select, TryRecvError};

use super::chunks::{CHUNKS, FromWorker};
use super::outcome::{Ended, LiveError};
use super::times::TimeBase;
use super::writer::{Writer, record_written};
use crate::data::chunk::{Chunk, ChunkPacket};
use crate::data::merge::{Merge, Timed};
use crate::kernel::clock;
use crate::shared::{Latency, Shared};

/// Longest sleep when nothing comes.
const NAP: Duration = Duration::from_millis(5);
/// When so many chunks of one worker wait for another worker, they wait no longer: the order gives way before a slow
/// worker can hold up a fast one.
const PATIENCE: usize = CHUNKS / 2;

/// What comes from one worker.
pub(super) struct Source {
    pub(super) from: FromWorker,
    /// Up to this kernel time the worker has sent everything.
    pub(super) horizon: Arc<AtomicU64>,
    chunks: VecDeque<Chunk>,
    first: u64,
    is_closed: bool,
}

/// A packet in the merge, and the chunk of its source that it stands in.
pub(super) struct Item {
    packet: ChunkPacket,
    chunk: u64,
}

impl Timed for Item {
    #[inline]
    fn time(&self) -> u64 {
        self.packet.time_ns
    }
}

impl Source {
    pub(super) fn new(from: FromWorker, horizon: Arc<AtomicU64>) -> Self {
        Self {
            from,
            horizon,
            chunks: VecDeque::with_capacity(CHUNKS),
            first: 0,
            is_closed: false,
        }
    }

    /// Gives back the chunks in front of this one: all their packets are written.
    fn release_before(&mut self, chunk: u64) {
        while self.first < chunk
            && let Some(done) = self.chunks.pop_front()
        {
            self.first += 1;
            self.from.give_back(done);
        }
    }
}

/// The thread that writes.
pub(super) struct WriteLoop {
    pub(super) sources: Vec<Source>,
    pub(super) merge: Merge<Item>,
    pub(super) writer: Writer,
    pub(super) base: TimeBase,
    pub(super) shared: Arc<Shared>,
    pub(super) board: usize,
    pub(super) latency: Latency,
    /// Packets written in this turn, and when they had been trimmed.
    pub(super) written: Vec<(ChunkPacket, u64)>,
}

impl WriteLoop {
    /// Runs until all workers are gone and everything is written.
    pub(super) fn run(mut self) -> Result<Ended, LiveError> {
        let shared = Arc::clone(&self.shared);
        let board = &shared.threads[self.board];
        loop {
            let taken = self.take();
            self.lose_patience();
            self.write();
            self.writer.tend(&shared, board);
            board.out_of_order.set(self.merge.late());
            board.latency.answer(&self.latency);
            board.beat.add(1);
            if taken == 0 {
                if self.sources.iter().all(|source| source.is_closed) && self.merge.waiting() == 0 {
                    break;
                }
                self.sleep();
            }
        }
        let summary = self.writer.finish(&shared, board)?;
        Ok(Ended {
            summary: Some(summary),
            latency: self.latency,
            ..Ended::default()
        })
    }

    /// Takes the chunks that have come; returns how many.
    fn take(&mut self) -> usize {
        let mut taken = 0;
        for (stream, source) in self.sources.iter_mut().enumerate() {
            let horizon = source.horizon.load(Ordering::Acquire);
            match source.from.chunks.try_recv() {
                Ok(chunk) => {
                    taken += 1;
                    let number = source.first + source.chunks.len() as u64;
                    for &packet in chunk.packets() {
                        self.merge.push(stream, Item { packet, chunk: number });
                    }
                    source.chunks.push_back(chunk);
                }
                Err(TryRecvError::Empty) => {
                    let time = if horizon == u64::MAX {
                        horizon
                    } else {
                        self.base.to_realtime(horizon)
                    };
                    self.merge.promise(stream, time);
                }
                Err(TryRecvError::Disconnected) => {
                    source.is_closed = true;
                    self.merge.promise(stream, u64::MAX);
                }
            }
        }
        taken
    }

    fn lose_patience(&mut self) {
        let impatient = self.sources.iter().any(|source| source.chunks.len() >= PATIENCE);
        if impatient && let Some(until) = self.merge.newest_of_longest() {
            for stream in 0..self.sources.len() {
                self.merge.promise(stream, until);
            }
        }
    }

    /// Writes every packet that no worker can precede any more.
    fn write(&mut self) {
        while let Some(run) = self.merge.next_run() {
            while let Some(item) = self.merge.next_of(run) {
                let source = &mut self.sources[run.stream];
                source.release_before(item.chunk);
                let Some(chunk) = source.chunks.front() else { continue };
                self.writer.write_one(chunk, &item.packet);
                self.written.push((item.packet, chunk.trimmed));
            }
        }
        for (stream, source) in self.sources.iter_mut().enumerate() {
            if self.merge.is_empty(stream) {
                let end = source.first + source.chunks.len() as u64;
                source.release_before(end);
            }
        }
        let now = clock::monotonic();
        for (packet, trimmed) in self.written.drain(..) {
            record_written(&mut self.latency, &packet, trimmed, now, self.base);
        }
    }

    fn sleep(&self) {
        let mut select = Select::new();
        for source in self.sources.iter().filter(|source| !source.is_closed) {
            select.recv(&source.from.chunks);
        }
        let _ = select.ready_timeout(NAP);
    }
}
