//! From values to places, and where the ticks stand.

/// A range of values laid over a range of places.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// From `low..high` to `from..to`; a range of no width is made one wide.
    pub(super) fn new((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self { low, high, from, to }
    }

    /// The place of a value; of one outside, the nearest end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.from + share * (self.to - self.from)
    }
}

/// Ticks from 0 to at least `most`, about `about` of them, 1, 2 or 5 times a power of ten apart; and how many decimals
/// they need.
pub(super) fn ticks(most: f64, about: usize) -> (Vec<f64>, usize) {
    let rough = most / about.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * power);
    let count = (most / step - 1e-9).ceil().max(1.0) as usize;
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    ((0..=count).map(|index| index as f64 * step).collect(), decimals)
}

/// Powers of ten from below `least` to above `most`.
pub(super) fn decades(least: f64, most: f64) -> Vec<f64> {
    let first = least.log10().floor() as i32;
    let last = (most.log10().ceil() as i32).max(first + 1);
    (first..=last).map(|power| 10_f64.powi(power)).collect()
}

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Steps between the ticks of a time axis, milliseconds.
const STEPS: [u64; 23] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    28 * DAY,
    365 * DAY,
];

/// Ticks of a time axis in UTC, milliseconds since 1970, at most `most` of them, with their labels.
pub(super) fn times(from: u64, to: u64, most: usize) -> Vec<(u64, String)> {
    let span = to.saturating_sub(from);
    let step = STEPS
        .into_iter()
        .find(|step| span / step < most as u64)
        .unwrap_or(3650 * DAY);
    let pattern = match step {
        step if step < MINUTE => "%H:%M:%S",
        step if step < DAY && span <= DAY => "%H:%M",
        step if step < DAY => "%m-%d %Hh",
        _ => "%m-%d",
    };
    let first = from.div_ceil(step) * step;
    (0..)
        .map(|index| first + index * step)
        .take_while(|at| *at <= to)
        .filter_map(|at| {
            let time = jiff::Timestamp::from_millisecond(i64::try_from(at).ok()?).ok()?;
            Some((at, time.strftime(pattern).to_string()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_top() {
        for most in [0.003, 0.9, 1.0, 7.3, 99.0, 100.0, 101.0, 12_345.0, 9e11] {
            let (ticks, _) = ticks(most, 4);
            assert!((2..=7).contains(&ticks.len()), "{most}: {ticks:?}");
            assert!(ticks[ticks.len() - 1] >= most * 0.999_999, "{most}: {ticks:?}");
            assert_eq!(ticks[0], 0.0);
        }
        assert_eq!(ticks(100.0, 4).0, [0.0, 50.0, 100.0]);
        assert_eq!(ticks(0.3, 4), (vec![0.0, 0.1, 0.2, 0.300_000_000_000_000_04], 1));
    }

    #[test]
    fn decades_enclose() {
        assert_eq!(decades(15.0, 4000.0), [10.0, 100.0, 1000.0, 10_000.0]);
        assert_eq!(decades(10.0, 10.0), [10.0, 100.0]);
    }

    #[test]
    fn a_time_axis_has_few_ticks_at_round_times() {
        let noon = 1_700_000_000_000 / DAY * DAY + 12 * HOUR;
        let hour = times(noon + 61_000, noon + HOUR, 6);
        assert_eq!(
            hour.iter().map(|(_, label)| label.as_str()).collect::<Vec<_>>(),
            ["12:10", "12:20", "12:30", "12:40", "12:50", "13:00"]
        );
        for span in [0, 1, SECOND, MINUTE, HOUR, DAY, 30 * DAY, 4000 * DAY] {
            assert!(times(noon, noon + span, 6).len() <= 7, "{span}");
        }
    }
}
