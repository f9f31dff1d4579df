//! The end of the data path: hands trimmed packets to the sink, and keeps its numbers.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::times::TimeBase;
use crate::data::InterfaceStatistics;
use crate::data::chunk::{Chunk, ChunkPacket};
use crate::data::sink::{Sink, SinkError, Summary};
use crate::kernel::clock;
use crate::shared::{Latency, Shared, Stage, ThreadBoard};

/// How often buffered packets are written, whatever their number: what is older than this survives a kill.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// Owns the sink.
pub(super) struct Writer {
    sink: Box<dyn Sink>,
    flushed: Instant,
    rotations: u64,
    reported: bool,
    started_ns: u64,
}

impl Writer {
    pub(super) fn new(sink: Box<dyn Sink>) -> Self {
        Self {
            sink,
            flushed: Instant::now(),
            rotations: 0,
            reported: false,
            started_ns: clock::realtime(),
        }
    }

    /// Writes a chunk whose packets are in order, and records how long they took.
    pub(super) fn write(&mut self, chunk: &Chunk, trimmed: u64, base: TimeBase, latency: &mut Latency) {
        for packet in chunk.packets() {
            self.write_one(chunk, packet);
        }
        let written = clock::monotonic();
        for packet in chunk.packets() {
            record_written(latency, packet, trimmed, written, base);
        }
    }

    /// Writes one packet.
    #[inline]
    pub(super) fn write_one(&mut self, chunk: &Chunk, packet: &ChunkPacket) {
        let result = self.sink.record(&chunk.record(packet));
        self.report(result);
    }

    /// What has to happen now and then: flush, rotate, publish.
    pub(super) fn tend(&mut self, shared: &Shared, board: &ThreadBoard) {
        let wanted = shared.rotations.load(Ordering::Acquire);
        if wanted != self.rotations {
            self.rotations = wanted;
            let result = self.sink.rotate();
            self.report(result);
        }
        if self.flushed.elapsed() >= FLUSH_EVERY {
            self.flushed = Instant::now();
            self.tell_interfaces(shared);
            let result = self.sink.flush();
            self.report(result);
        }
        self.publish(board);
    }

    /// Packet counts of the interfaces, for the end of the file.
    fn tell_interfaces(&mut self, shared: &Shared) {
        for (number, interface) in shared.interfaces.iter().enumerate() {
            let (seen, lost) = (interface.seen.get(), interface.lost.get());
            let statistics = InterfaceStatistics {
                time_ns: clock::realtime(),
                start_ns: Some(self.started_ns),
                received: Some(seen),
                dropped_by_system: Some(lost),
                delivered: Some(seen.saturating_sub(lost)),
                ..InterfaceStatistics::default()
            };
            self.sink.statistics(number as u32, &statistics);
        }
    }

    fn publish(&self, board: &ThreadBoard) {
        let counters = self.sink.counters();
        board.written.set(counters.stored + counters.buffered());
        board.write_failed.set(counters.failed);
        board.bytes_written.set(counters.file_bytes);
    }

    /// A live sink counts what it cannot write and goes on; an error that reaches us is its last word, said once.
    fn report(&mut self, result: Result<(), SinkError>) {
        if let Err(error) = result
            && !self.reported
        {
            self.reported = true;
            tracing::error!(error = &error as &dyn std::error::Error, "the output is lost");
        }
    }

    /// Finishes the files.
    pub(super) fn finish(mut self, shared: &Shared, board: &ThreadBoard) -> Result<Summary, SinkError> {
        self.tell_interfaces(shared);
        let summary = self.sink.finish();
        self.publish(board);
        summary
    }
}

/// Records a packet's last two stages.
#[inline]
pub(super) fn record_written(latency: &mut Latency, packet: &ChunkPacket, trimmed: u64, written: u64, base: TimeBase) {
    let lane = usize::from(packet.lane);
    let kernel = base.to_monotonic(packet.time_ns);
    latency.record(lane, Stage::TrimmedToWritten, written.saturating_sub(trimmed), 1);
    latency.record(lane, Stage::KernelToWritten, written.saturating_sub(kernel), 1);
}
