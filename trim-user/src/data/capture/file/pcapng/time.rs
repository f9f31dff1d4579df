//! From an interface's time unit and offset to nanoseconds.

use crate::data::TimeResolution;

const NANOSECONDS: u128 = 1_000_000_000;

/// Turns the time stamps of one interface into nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    scale: Scale,
    /// Added to each time, nanoseconds.
    offset_ns: i128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    /// Units of at least a nanosecond: nanoseconds in each.
    Multiply(u64),
    /// Units of less than a nanosecond: units in each nanosecond, none when they do not fit into 64 bits.
    Divide(Option<u64>),
    /// Units of this negative power of two of a second.
    Binary(u32),
}

impl Clock {
    /// The clock for `if_tsresol` and `if_tsoffset` (seconds).
    pub(super) fn new(resolution: TimeResolution, offset_seconds: i64) -> Self {
        let exponent = u32::from(resolution.0 & 0x7f);
        let scale = match (resolution.0 & 0x80, exponent) {
            (0, 0..=9) => Scale::Multiply(10_u64.pow(9 - exponent)),
            (0, _) => Scale::Divide(10_u64.checked_pow(exponent - 9)),
            _ => Scale::Binary(exponent),
        };
        Self {
            scale,
            offset_ns: i128::from(offset_seconds) * NANOSECONDS as i128,
        }
    }

    /// Nanoseconds since 1970, rounded down, and whether the time had to be moved into the range of `u64`.
    #[inline]
    pub(super) fn nanoseconds(&self, ticks: u64) -> (u64, bool) {
        if let (Scale::Multiply(factor), 0) = (self.scale, self.offset_ns)
            && let Some(time) = ticks.checked_mul(factor)
        {
            return (time, false);
        }
        self.nanoseconds_slow(ticks)
    }

    fn nanoseconds_slow(&self, ticks: u64) -> (u64, bool) {
        let time = match self.scale {
            Scale::Multiply(factor) => u128::from(ticks) * u128::from(factor),
            Scale::Divide(divisor) => u128::from(divisor.map_or(0, |divisor| ticks / divisor)),
            Scale::Binary(shift) => (u128::from(ticks) * NANOSECONDS) >> shift,
        };
        // Every product above stays under 2^94 and every offset under 2^93, so nothing overflows.
        let time = time as i128 + self.offset_ns;
        match u64::try_from(time) {
            Ok(time) => (time, false),
            Err(_) if time < 0 => (0, true),
            Err(_) => (u64::MAX, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resolution_gives_the_nanoseconds_of_exact_arithmetic() {
        for (resolution, ticks, expected) in [
            (0, 3, 3_000_000_000),
            (3, 1_500, 1_500_000_000),
            (6, 1_700_000_000_123_456, 1_700_000_000_123_456_000),
            (9, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789),
            (12, 1_999, 1),
            (28, u64::MAX, 1),
            (29, u64::MAX, 0),
            (127, u64::MAX, 0),
            (0x80, 2, 2_000_000_000),
            (0x80 | 1, 3, 1_500_000_000),
            (0x80 | 32, (7 << 32) + (1 << 31), 7_500_000_000),
            (0x80 | 64, u64::MAX, 999_999_999),
            (0x80 | 127, u64::MAX, 0),
        ] {
            let clock = Clock::new(TimeResolution(resolution), 0);
            assert_eq!(
                clock.nanoseconds(ticks),
                (expected, false),
                "resolution {resolution:#x}"
            );
        }
    }

    #[test]
    fn the_offset_is_added_and_times_outside_the_range_are_clamped() {
        assert_eq!(Clock::new(TimeResolution(6), 5).nanoseconds(7), (5_000_007_000, false));
        assert_eq!(Clock::new(TimeResolution(0), -5).nanoseconds(7), (2_000_000_000, false));
        assert_eq!(Clock::new(TimeResolution(0), -5).nanoseconds(4), (0, true));
        assert_eq!(Clock::new(TimeResolution(0), i64::MIN).nanoseconds(0), (0, true));
        assert_eq!(
            Clock::new(TimeResolution(0), i64::MAX).nanoseconds(u64::MAX),
            (u64::MAX, true)
        );
        assert_eq!(Clock::new(TimeResolution(6), 0).nanoseconds(u64::MAX), (u64::MAX, true));
    }
}
