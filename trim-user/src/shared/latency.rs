//! Latency by stage and lane.

use hdrhistogram::Histogram;

use super::Lane;

/// A stretch of a packet's way, measured in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Stage {
    /// From taking a packet out of the RX ring to the end of the batch it was trimmed in.
    ReceivedToTrimmed = 0,
    /// From there to standing in the output file's buffer.
    TrimmedToWritten = 1,
    /// From the XDP program to standing in the output file's buffer.
    KernelToWritten = 2,
}

impl Stage {
    /// How many there are.
    pub const COUNT: usize = 3;
    /// Every stage, in the order of its index.
    pub const ALL: [Self; Self::COUNT] = [Self::ReceivedToTrimmed, Self::TrimmedToWritten, Self::KernelToWritten];

    /// The word used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReceivedToTrimmed => "received_to_trimmed",
            Self::TrimmedToWritten => "trimmed_to_written",
            Self::KernelToWritten => "kernel_to_written",
        }
    }
}

/// Longest latency told apart, nanoseconds; longer ones count as this.
const LONGEST: u64 = 60_000_000_000;
/// Values are kept to two significant digits: an error below one percent.
const SIGNIFICANT_DIGITS: u8 = 2;

/// One histogram per lane and stage.
#[derive(Clone, Debug)]
pub struct Latency {
    histograms: Vec<Histogram<u64>>,
}

impl Default for Latency {
    fn default() -> Self {
        Self::new()
    }
}

impl Latency {
    /// Nothing recorded yet. All memory is allocated here.
    pub fn new() -> Self {
        let histogram = || {
            Histogram::new_with_bounds(1, LONGEST, SIGNIFICANT_DIGITS)
                .expect("constant bounds that hdrhistogram accepts")
        };
        Self {
            histograms: (0..Lane::COUNT * Stage::COUNT).map(|_| histogram()).collect(),
        }
    }

    /// Records a latency of `nanoseconds` for `packets` packets. Does not allocate.
    #[inline]
    pub fn record(&mut self, lane: usize, stage: Stage, nanoseconds: u64, packets: u64) {
        self.histograms[lane * Stage::COUNT + stage as usize].saturating_record_n(nanoseconds, packets);
    }

    /// The histogram of a lane and stage.
    pub fn of(&self, lane: Lane, stage: Stage) -> &Histogram<u64> {
        &self.histograms[lane.index() * Stage::COUNT + stage as usize]
    }

    /// What was recorded since `earlier`, an older state of the same recording.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut difference = self.clone();
        for (later, earlier) in difference.histograms.iter_mut().zip(&earlier.histograms) {
            // Fails only when `earlier` has more of something, and then it is no older state of this one.
            if later.subtract(earlier).is_err() {
                later.reset();
            }
        }
        difference
    }

    /// Adds what another one recorded.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.histograms.iter_mut().zip(&other.histograms) {
            mine.add(theirs).expect("all histograms have the same bounds");
        }
    }
}
