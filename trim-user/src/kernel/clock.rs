//! The kernel's packet clock and its relation to the time of day.
//!
//! XDP stamps packets with `bpf_ktime_get_ns()`, which is CLOCK_MONOTONIC (kernel/bpf/helpers.c). Capture files carry the
//! time of day. The distance between the two clocks is sampled now and then, never per packet.

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;
/// How often a sample is repeated; the tightest one counts.
const ATTEMPTS: usize = 16;

/// CLOCK_MONOTONIC, nanoseconds: the domain of [`PacketTag::kernel_time`](trim_common::tag::PacketTag::kernel_time).
pub fn monotonic() -> u64 {
    read(libc::CLOCK_MONOTONIC)
}

/// CLOCK_REALTIME, nanoseconds since 1970-01-01 00:00 UTC.
pub fn realtime() -> u64 {
    read(libc::CLOCK_REALTIME)
}

/// Whether the time of day is kept right by NTP or PTP, as the kernel was told (`STA_UNSYNC`, adjtimex(2)); `None` when
/// the kernel does not say.
pub fn is_synchronised() -> Option<bool> {
    // SAFETY: `timex` is made of integers, for which zeros are values; zero modes only read.
    let mut state: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: `state` is a live local of the type the call fills.
    let result = unsafe { libc::adjtimex(&raw mut state) };
    (result >= 0).then_some(state.status & libc::STA_UNSYNC == 0)
}

fn read(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a live local of the type the call fills.
    let result = unsafe { libc::clock_gettime(clock, &raw mut time) };
    // Both clocks exist on every Linux; the call fails only for an unknown clock or a bad pointer.
    debug_assert_eq!(result, 0, "clock_gettime({clock})");
    (time.tv_sec as u64)
        .wrapping_mul(SECOND)
        .wrapping_add(time.tv_nsec as u64)
}

/// The distance from CLOCK_MONOTONIC to the time of day, as of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RealtimeOffset {
    nanoseconds: i64,
    uncertainty: u64,
}

impl RealtimeOffset {
    /// Samples the distance: the time of day is read between two readings of the monotonic clock, several times, and
    /// the tightest bracket wins, so that a preemption in the middle of one attempt does no harm.
    pub fn sample() -> Self {
        Self::sample_with(monotonic, realtime)
    }

    fn sample_with(mut monotonic: impl FnMut() -> u64, mut realtime: impl FnMut() -> u64) -> Self {
        let mut best = Self {
            nanoseconds: 0,
            uncertainty: u64::MAX,
        };
        for _ in 0..ATTEMPTS {
            let before = monotonic();
            let day = realtime();
            let width = monotonic().saturating_sub(before);
            if width / 2 < best.uncertainty {
                let middle = before.wrapping_add(width / 2);
                best = Self {
                    nanoseconds: day.wrapping_sub(middle).cast_signed(),
                    uncertainty: width / 2,
                };
            }
        }
        best
    }

    /// The time of day, nanoseconds since 1970, at this reading of CLOCK_MONOTONIC.
    #[inline]
    pub const fn to_realtime(self, monotonic: u64) -> u64 {
        monotonic.wrapping_add_signed(self.nanoseconds)
    }

    /// The offset can be wrong by this much either way, nanoseconds.
    pub const fn uncertainty(self) -> u64 {
        self.uncertainty
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn the_tightest_bracket_decides() {
        let now = Cell::new(1_000_u64);
        let reads = Cell::new(0_u64);
        let monotonic = || {
            // The third attempt is quick, every other one is preempted between its readings.
            let step = if (6..8).contains(&reads.get()) { 10 } else { 5_000 };
            reads.set(reads.get() + 1);
            now.set(now.get() + step);
            now.get()
        };
        let skew = Cell::new(0_u64);
        let realtime = || {
            skew.set(skew.get() + 1);
            // Only the attempt with the tight bracket sees the true distance of 70 seconds plus half the bracket.
            if skew.get() == 4 {
                now.get() + 70 * SECOND + 5
            } else {
                now.get() + 70 * SECOND
            }
        };
        let offset = RealtimeOffset::sample_with(monotonic, realtime);
        assert_eq!(
            offset,
            RealtimeOffset {
                nanoseconds: 70_000_000_000,
                uncertainty: 5
            }
        );
        assert_eq!(offset.to_realtime(1), 70_000_000_001);
    }

    #[test]
    fn a_clock_behind_the_monotonic_one_is_no_special_case() {
        let offset = RealtimeOffset {
            nanoseconds: -5,
            uncertainty: 0,
        };
        assert_eq!(offset.to_realtime(12), 7);
    }

    #[test]
    fn the_sampled_offset_lands_between_two_readings_of_the_day() {
        let offset = RealtimeOffset::sample();
        let before = realtime();
        let converted = offset.to_realtime(monotonic());
        let after = realtime();
        let slack = offset.uncertainty() + 1_000_000;
        assert!(
            converted + slack >= before && converted <= after + slack,
            "{before} {converted} {after}"
        );
    }
}
