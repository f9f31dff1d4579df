//! How fast packets come and go: differences of running totals. Pure; time is an argument.

use std::collections::VecDeque;
use std::time::Duration;

use super::status::Status;

/// So much is remembered: five minutes, when totals are taken each second.
const KEPT: usize = 300;
/// Totals that lie further apart say nothing about the time between them.
const LONGEST_GAP: Duration = Duration::from_secs(10);

/// Running totals at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Packets seen by the XDP program.
    pub seen: u64,
    /// Bytes of received packets, as they were on the wire.
    pub wire_bytes: u64,
    /// Bytes written to output files, as they are stored.
    pub file_bytes: u64,
    /// Packets lost, wherever.
    pub lost: u64,
}

impl Totals {
    /// Those of a status.
    pub const fn of(status: &Status) -> Self {
        Self {
            seen: status.accounts.seen,
            wire_bytes: status.bytes.received,
            file_bytes: status.files.bytes,
            lost: status.accounts.lost.total(),
        }
    }
}

/// How fast, over one interval.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    /// Packets seen per second.
    pub packets: f64,
    /// Bits received per second.
    pub bits: f64,
    /// Bytes written to files per second.
    pub file_bytes: f64,
    /// Packets lost per second.
    pub lost: f64,
}

/// The rate of each interval of the last minutes, the oldest first; `None` where nothing is known.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    last: Option<(Duration, Totals)>,
    points: VecDeque<Option<Rate>>,
}

impl Rates {
    /// Takes the totals at `at`, a time since any fixed point. To be called about once a second.
    ///
    /// Totals that have become smaller are those of another capture, and begin anew.
    pub fn observe(&mut self, at: Duration, totals: Totals) {
        let Some((earlier, before)) = self.last.replace((at, totals)) else {
            return;
        };
        let seconds = at.saturating_sub(earlier).as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        let is_other = totals.seen < before.seen || totals.wire_bytes < before.wire_bytes;
        if is_other || at.saturating_sub(earlier) > LONGEST_GAP {
            self.push(None);
            return;
        }
        let per_second = |now: u64, then: u64| now.saturating_sub(then) as f64 / seconds;
        self.push(Some(Rate {
            packets: per_second(totals.seen, before.seen),
            bits: per_second(totals.wire_bytes, before.wire_bytes) * 8.0,
            file_bytes: per_second(totals.file_bytes, before.file_bytes),
            lost: per_second(totals.lost, before.lost),
        }));
    }

    /// Nothing could be learnt for an interval.
    pub fn miss(&mut self) {
        self.push(None);
    }

    /// The latest rate, when the latest interval has one.
    pub fn latest(&self) -> Option<Rate> {
        self.points.back().copied().flatten()
    }

    /// One value of every interval.
    pub fn series(&self, of: fn(&Rate) -> f64) -> Vec<Option<f64>> {
        self.points.iter().map(|point| point.as_ref().map(of)).collect()
    }

    fn push(&mut self, point: Option<Rate>) {
        if self.points.len() == KEPT {
            self.points.pop_front();
        }
        self.points.push_back(point);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn totals(seen: u64) -> Totals {
        Totals {
            seen,
            wire_bytes: seen * 100,
            file_bytes: seen * 10,
            lost: 0,
        }
    }

    #[test]
    fn a_rate_is_the_difference_over_the_time() {
        let mut rates = Rates::default();
        rates.observe(at(10), totals(1000));
        assert_eq!(rates.latest(), None, "one reading is no rate");
        rates.observe(at(12), totals(1500));
        let rate = rates.latest().unwrap();
        assert_eq!(
            (rate.packets, rate.bits, rate.file_bytes),
            (250.0, 25_000.0 * 8.0, 2500.0)
        );
    }

    #[test]
    fn another_capture_and_a_long_silence_are_gaps_and_not_rates() {
        let mut rates = Rates::default();
        for (second, seen) in [(0, 1000), (1, 1100), (2, 5), (3, 10), (60, 2000)] {
            rates.observe(at(second), totals(seen));
        }
        let packets = rates.series(|rate| rate.packets);
        assert_eq!(packets, [Some(100.0), None, Some(5.0), None]);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut rates = Rates::default();
        (0..2000).for_each(|second| rates.observe(at(second), totals(second)));
        assert_eq!(rates.series(|rate| rate.packets).len(), KEPT);
    }
}
