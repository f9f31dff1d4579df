//! Anytime-valid comparison of two arms that run side by side.
//!
//! A look every five seconds at an ordinary test would cry wolf sooner or later. An asymptotic confidence sequence
//! (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas: "Time-uniform central limit theory and asymptotic confidence
//! sequences", 2024, theorem 2.2 in its one-sided form) holds at all times at once, so it can be looked at as often as one likes.
//! One interval is one observation: what happens within it may be correlated at will.

use serde::{Deserialize, Serialize};

/// Probability of ever raising a false alarm, per test. The simulation in the tests measures what whole rollouts make
/// of it.
pub const FALSE_ALARM_RATE: f64 = 0.0005;
/// The sequence is tightest after this many observations: two minutes of five-second intervals.
const TIGHTEST_AFTER: f64 = 24.0;
/// Observations before which the sequence says nothing: the central limit needs some.
pub(super) const FEWEST: u64 = 12;

/// A growing sample of paired differences, and what is certain about their mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sequence {
    /// Observations so far.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Sum of squared distances from the mean (Welford's recurrence).
    squares: f64,
    /// The highest lower bound so far: once certain, always certain.
    highest: Option<f64>,
}

impl Sequence {
    /// Adds an observation. `resolution` is the smallest spread that is believed: equal counts are no proof of certainty.
    pub fn observe(&mut self, value: f64, resolution: f64) {
        self.count += 1;
        let distance = value - self.mean;
        self.mean += distance / self.count as f64;
        self.squares += distance * (value - self.mean);
        if self.count >= FEWEST {
            let bound = self.mean - self.radius(resolution);
            self.highest = Some(self.highest.map_or(bound, |highest| highest.max(bound)));
        }
    }

    /// The mean is at least this, with the stated confidence at all times at once. `None` before enough was observed.
    pub const fn lower_bound(&self) -> Option<f64> {
        self.highest
    }

    fn radius(&self, resolution: f64) -> f64 {
        let n = self.count as f64;
        let deviation = (self.squares / (n - 1.0)).sqrt().max(resolution);
        let tuning = -2.0 * (2.0 * FALSE_ALARM_RATE).ln();
        let rho2 = (tuning + tuning.ln() + 1.0) / TIGHTEST_AFTER;
        let scale = 2.0 * (n * rho2 + 1.0) / (n * n * rho2);
        let chance = (1.0 + (n * rho2 + 1.0).sqrt() / (2.0 * FALSE_ALARM_RATE)).ln();
        deviation * (scale * chance).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clear_difference_is_certain_after_a_while() {
        let mut sequence = Sequence::default();
        for number in 0..60_u32 {
            sequence.observe(0.05 + f64::from(number % 5) * 0.01, 0.001);
            assert_eq!(sequence.lower_bound().is_some(), sequence.count >= FEWEST);
        }
        let bound = sequence.lower_bound().unwrap();
        assert!(bound > 0.05 && bound < sequence.mean, "{bound}");
    }

    #[test]
    fn equal_observations_are_not_more_certain_than_their_resolution() {
        let mut sequence = Sequence::default();
        (0..FEWEST).for_each(|_| sequence.observe(0.01, 0.5));
        assert!(sequence.lower_bound().unwrap() < 0.0);
    }
}
