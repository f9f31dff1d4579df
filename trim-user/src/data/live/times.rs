//! From kernel time to the time of day and back.

use crate::kernel::clock::RealtimeOffset;

/// A fixed relation between CLOCK_MONOTONIC, which stamps packets, and the time of day, which files carry.
///
/// It is sampled when a capture starts and kept: were it sampled again, a step of the system's clock would tear the
/// order of packets apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeBase {
    offset: RealtimeOffset,
    origin: u64,
}

impl TimeBase {
    pub(super) fn sample() -> Self {
        let offset = RealtimeOffset::sample();
        Self {
            offset,
            origin: offset.to_realtime(0),
        }
    }

    /// Nanoseconds since the Unix epoch.
    #[inline]
    pub(super) const fn to_realtime(self, monotonic: u64) -> u64 {
        self.offset.to_realtime(monotonic)
    }

    /// CLOCK_MONOTONIC nanoseconds.
    #[inline]
    pub(super) const fn to_monotonic(self, realtime: u64) -> u64 {
        realtime.wrapping_sub(self.origin)
    }
}
