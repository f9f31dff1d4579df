//! The whole data path on one thread: for machines with few cores.

use std::sync::Arc;
use std::time::Duration;

use super::arrival::Arrival;
use super::intake::Intake;
use super::lanes;
use super::meter::Meter;
use super::outcome::{Ended, LiveError};
use super::times::TimeBase;
use super::writer::Writer;
use crate::data::chunk::Chunk;
use crate::data::record::Record;
use crate::data::worker::Worker;
use crate::packet::LinkType;
use crate::shared::{Latency, Shared, Stage, ThreadBoard};

/// Longest sleep: how soon a request is noticed when no packets come.
const NAP: Duration = Duration::from_millis(20);

/// One thread that receives, trims and writes.
pub(super) struct InlineLoop {
    pub(super) intake: Intake,
    /// The interface of each queue.
    pub(super) interfaces: Vec<u32>,
    pub(super) worker: Worker,
    pub(super) writer: Writer,
    pub(super) base: TimeBase,
    pub(super) shared: Arc<Shared>,
    /// The thread's place on the boards.
    pub(super) board: usize,
    pub(super) meter: Meter,
}

/// Packets taken out of the merge in this turn, by lane.
#[derive(Default)]
struct Turn {
    packets: [u64; crate::shared::Lane::COUNT],
}

impl InlineLoop {
    /// Runs until a stop is requested and everything received is written.
    pub(super) fn run(mut self) -> Result<Ended, LiveError> {
        let shared = Arc::clone(&self.shared);
        let board = &shared.threads[self.board];
        let mut chunk = Chunk::default();
        let mut latency = Latency::new();
        let broken = loop {
            let started = Intake::now();
            let received = self.intake.receive(started, &shared, board);
            self.worker.hurry(shared.overload.is_on(started));
            let turn = self.trim(&mut chunk);
            let trimmed = self.write(&mut chunk, started, &turn, &mut latency);
            self.intake.refill();
            self.tend(&shared, board, &latency, trimmed, &mut chunk);
            if received == 0 {
                if shared.is_stopping() && !self.intake.has_packets() {
                    break None;
                }
                if let Err(error) = self.idle(&shared, board) {
                    break Some(error);
                }
            }
        };
        self.finish(board, &mut chunk, latency, broken)
    }

    /// Trims everything that is in order now.
    fn trim(&mut self, chunk: &mut Chunk) -> Turn {
        let mut turn = Turn::default();
        while let Some(run) = self.intake.next_run() {
            self.meter.begin();
            while let Some(arrival) = self.intake.next_of(run) {
                turn.packets[arrival.lane.index()] += 1;
                self.meter.packet(arrival.lane.index());
                self.trim_one(arrival, chunk);
            }
            self.meter.end();
        }
        turn
    }

    #[inline]
    fn trim_one(&mut self, arrival: Arrival, chunk: &mut Chunk) {
        let record = Record {
            interface: self.interfaces[usize::from(arrival.queue)],
            time_ns: self.base.to_realtime(arrival.time),
            original_length: arrival.original_length,
            data: self.intake.bytes(&arrival),
        };
        self.worker
            .packet(arrival.lane.index(), LinkType::ETHERNET, &record, chunk);
        self.intake.recycle(arrival.queue, arrival.frame);
    }

    /// Writes what the worker let out; returns when it was trimmed.
    fn write(&mut self, chunk: &mut Chunk, started: u64, turn: &Turn, latency: &mut Latency) -> u64 {
        let trimmed = Intake::now();
        for (lane, &packets) in turn.packets.iter().enumerate().filter(|&(_, &packets)| packets > 0) {
            latency.record(lane, Stage::ReceivedToTrimmed, trimmed.saturating_sub(started), packets);
        }
        if !chunk.is_empty() {
            self.writer.write(chunk, trimmed, self.base, latency);
            chunk.clear();
        }
        trimmed
    }

    fn tend(&mut self, shared: &Shared, board: &ThreadBoard, latency: &Latency, now: u64, chunk: &mut Chunk) {
        self.worker.enforce(self.base.to_realtime(now), chunk);
        self.writer.tend(shared, board);
        lanes::publish(&self.worker, board);
        self.meter.publish(board);
        board.out_of_order.set(self.intake.late());
        board.latency.answer(latency);
        board.beat.add(1);
    }

    fn idle(&mut self, shared: &Shared, board: &ThreadBoard) -> Result<(), LiveError> {
        if shared.is_stopping() {
            self.intake.close();
            return Ok(());
        }
        self.intake.notice_closed(board);
        self.intake.wait(NAP)?;
        Ok(())
    }

    fn finish(
        mut self,
        board: &ThreadBoard,
        chunk: &mut Chunk,
        mut latency: Latency,
        broken: Option<LiveError>,
    ) -> Result<Ended, LiveError> {
        let mut errors = self.intake.take_errors();
        errors.extend(broken);
        self.worker.finish(chunk);
        self.writer.write(chunk, Intake::now(), self.base, &mut latency);
        lanes::publish(&self.worker, board);
        let audits = self.intake.audits();
        let summary = self.writer.finish(&self.shared, board)?;
        Ok(Ended {
            audits,
            summary: Some(summary),
            latency,
            errors,
        })
    }
}
