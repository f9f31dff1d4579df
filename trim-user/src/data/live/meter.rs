//! What trimming costs, measured on a sample of runs so that measuring costs next to nothing.

use crate::kernel::clock;
use crate::shared::{Lane, ThreadBoard};

/// One run in so many is measured; a power of two.
const EVERY: u32 = 16;
/// Behind a run that took this long the next one is measured too: there is time for it, and there will not be many. Nanoseconds.
const SLOW: u64 = 200_000;

/// Measures the time that trimming takes, by lane.
#[derive(Debug, Default)]
pub(super) struct Meter {
    runs: u32,
    is_measuring: bool,
    was_slow: bool,
    lane: Option<usize>,
    started: u64,
    packets: u64,
    nanoseconds: [u64; Lane::COUNT],
    measured: [u64; Lane::COUNT],
}

impl Meter {
    /// A run begins: packets of one ring, and so of one lane, behind each other.
    #[inline]
    pub(super) fn begin(&mut self) {
        self.runs = self.runs.wrapping_add(1);
        self.is_measuring = self.was_slow || self.runs.is_multiple_of(EVERY);
        if self.is_measuring {
            self.started = clock::monotonic();
            self.packets = 0;
            self.lane = None;
        }
    }

    /// A packet of it is trimmed.
    #[inline]
    pub(super) fn packet(&mut self, lane: usize) {
        self.packets += 1;
        self.lane = Some(lane);
    }

    /// It is over.
    #[inline]
    pub(super) fn end(&mut self) {
        if !self.is_measuring {
            return;
        }
        if let Some(lane) = self.lane.take() {
            let took = clock::monotonic().saturating_sub(self.started);
            self.was_slow = took > SLOW;
            self.nanoseconds[lane] += took;
            self.measured[lane] += self.packets;
        }
    }

    /// Shows what was measured.
    #[inline]
    pub(super) fn publish(&self, board: &ThreadBoard) {
        for lane in 0..Lane::COUNT {
            board.busy_ns[lane].set(self.nanoseconds[lane]);
            board.busy_packets[lane].set(self.measured[lane]);
        }
    }
}
