//! What a lane of a worker has done.

use std::ops::AddAssign;

use crate::trimmer::{Label, Labels, Statistics};

/// What a lane has done since it was made. Plain numbers; they only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneCounts {
    /// Packets that came in.
    pub packets: u64,
    /// Of those, left out by policy.
    pub omitted: u64,
    /// Of those, TCP segments with payload.
    pub segments: u64,
    /// Captured bytes that came in.
    pub bytes_in: u64,
    /// Bytes that are stored.
    pub bytes_out: u64,
    /// Payload bytes by label, indexed by [`Label::index`].
    pub labelled: [u64; Label::COUNT],
    /// Times the trimmer panicked.
    pub panics: u64,
    /// Packets kept whole because the trimmer panicked over them.
    pub kept_by_panic: u64,
    /// Packets that waited for their labels until the budget or the patience was at an end.
    pub released: u64,
}

impl LaneCounts {
    /// Adds the payload bytes of one packet.
    #[inline]
    pub fn label(&mut self, labels: &Labels) {
        for (from, to, label) in labels.iter() {
            self.labelled[label.index()] += u64::from(to - from);
        }
    }

    /// Payload bytes with this label.
    pub const fn bytes(&self, label: Label) -> u64 {
        self.labelled[label.index()]
    }
}

impl AddAssign for LaneCounts {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.omitted += other.omitted;
        self.segments += other.segments;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        for (mine, theirs) in self.labelled.iter_mut().zip(other.labelled) {
            *mine += theirs;
        }
        self.panics += other.panics;
        self.kept_by_panic += other.kept_by_panic;
        self.released += other.released;
    }
}

/// A lane's own counts and those of its trimmers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneTotals {
    /// What the worker counted.
    pub counts: LaneCounts,
    /// What the trimmers counted.
    pub statistics: Statistics,
}

impl AddAssign for LaneTotals {
    fn add_assign(&mut self, other: Self) {
        self.counts += other.counts;
        let flows = self.statistics.flows + other.statistics.flows;
        self.statistics.absorb(&other.statistics);
        self.statistics.flows = flows;
    }
}
