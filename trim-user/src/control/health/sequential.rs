//! Anytime-valid comparison of two arms that run side by side.
//!
//! A look every five seconds at an ordinary test would cry wolf sooner or later. An asymptotic confidence sequence
//! (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas: "Time-uniform central limit theory and asymptotic confidence
//! sequences", 2024, theorem 2.2 in its one-sided form) holds at all times at once, so it can be looked at as often as one likes.
//! One interval is one observation: what happens within it may be correlated at will. What stays from one interval to the next
//! makes a mean less certain than its spread says; by how much is estimated from the correlation of neighbours, as for an
//! autoregression of order one, and rather too much than too little while few were seen.

use serde::{Deserialize, Serialize};

/// Probability of ever raising a false alarm, per test. The simulation in the tests measures what whole rollouts make
/// of it.
pub const FALSE_ALARM_RATE: f64 = 0.0005;
/// The same for each stretch of [`Recent`], of which a rollout of two weeks has some thousand.
const RECENT_RATE: f64 = 1e-7;
/// Observations of a stretch: twenty minutes of five-second intervals.
const STRETCH: u64 = 240;
/// The sequence is tightest after this many observations: two minutes of five-second intervals.
const TIGHTEST_AFTER: f64 = 24.0;
/// Observations before which the sequence says nothing: the central limit needs some, and so does the correlation.
pub(super) const FEWEST: u64 = 24;
/// Neighbours are never believed to be more alike than this.
const MOST_ALIKE: f64 = 0.97;

/// A growing sample of paired differences, and what is certain about their mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Sequence {
    /// Observations so far.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Sum of squared distances from the mean (Welford's recurrence).
    squares: f64,
    /// Sum of the products of neighbours.
    products: f64,
    /// The latest observation.
    last: f64,
    /// The highest lower bound so far: once certain, always certain.
    highest: Option<f64>,
}

impl Sequence {
    /// Adds an observation; `rate` is the probability of ever raising a false alarm. `resolution` is the smallest spread that is believed: equal counts are no proof of certainty.
    pub fn observe(&mut self, value: f64, resolution: f64, rate: f64) {
        if self.count > 0 {
            self.products += self.last * value;
        }
        self.last = value;
        self.count += 1;
        let distance = value - self.mean;
        self.mean += distance / self.count as f64;
        self.squares += distance * (value - self.mean);
        if self.count >= FEWEST {
            let bound = self.mean - self.radius(resolution, rate);
            self.highest = Some(self.highest.map_or(bound, |highest| highest.max(bound)));
        }
    }

    /// The mean is at least this, with the stated confidence at all times at once. `None` before enough was observed.
    pub const fn lower_bound(&self) -> Option<f64> {
        self.highest
    }

    /// By how much the variance of the mean is larger than that of a mean of independent observations.
    fn persistence(&self) -> f64 {
        let n = self.count as f64;
        let covariance = self.products / (n - 1.0) - self.mean * self.mean;
        let variance = self.squares / n;
        let alike = if variance > 0.0 { covariance / variance } else { 0.0 };
        let alike = (alike + 1.0 / n.sqrt()).clamp(0.0, MOST_ALIKE);
        (1.0 + alike) / (1.0 - alike)
    }

    fn radius(&self, resolution: f64, rate: f64) -> f64 {
        let n = self.count as f64;
        let deviation = (self.squares / (n - 1.0)).sqrt().max(resolution) * self.persistence().sqrt();
        let tuning = -2.0 * (2.0 * rate).ln();
        let rho2 = (tuning + tuning.ln() + 1.0) / TIGHTEST_AFTER;
        let scale = 2.0 * (n * rho2 + 1.0) / (n * n * rho2);
        let chance = (1.0 + (n * rho2 + 1.0).sqrt() / (2.0 * rate)).ln();
        deviation * (scale * chance).sqrt()
    }
}

/// The same over the latest stretch alone: what begins after days of equality is seen at once, not when it outweighs the days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct Recent(Sequence);

impl Recent {
    /// Adds an observation; begins a new stretch when the present one is over.
    pub fn observe(&mut self, value: f64, resolution: f64) {
        if self.0.count >= STRETCH {
            self.0 = Sequence::default();
        }
        self.0.observe(value, resolution, RECENT_RATE);
    }

    /// As [`Sequence::lower_bound`], of the present stretch.
    pub const fn lower_bound(&self) -> Option<f64> {
        self.0.lower_bound()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clear_difference_is_certain_after_a_while() {
        let mut sequence = Sequence::default();
        for number in 0..60_u32 {
            sequence.observe(0.05 + f64::from(number % 5) * 0.01, 0.001, FALSE_ALARM_RATE);
            assert_eq!(sequence.lower_bound().is_some(), sequence.count >= FEWEST);
        }
        let bound = sequence.lower_bound().unwrap();
        assert!(bound > 0.05 && bound < sequence.mean, "{bound}");
    }

    #[test]
    fn neighbours_that_are_alike_make_it_less_certain() {
        let (mut mixed, mut sorted) = (Sequence::default(), Sequence::default());
        for number in 0..200_u32 {
            mixed.observe(0.3 + f64::from(number % 2) * 0.2, 0.001, FALSE_ALARM_RATE);
            sorted.observe(0.3 + f64::from(number / 50 % 2) * 0.2, 0.001, FALSE_ALARM_RATE);
        }
        assert!((mixed.mean - sorted.mean).abs() < 1e-9);
        assert!(mixed.persistence() <= 1.0, "{}", mixed.persistence());
        assert!(sorted.persistence() > 10.0, "{}", sorted.persistence());
    }

    #[test]
    fn what_begins_late_is_seen_at_once_by_the_latest_stretch() {
        let (mut all, mut recent) = (Sequence::default(), Recent::default());
        for number in 0..20_000_u32 {
            let value = f64::from(number % 5) * 0.01 - 0.05 + if number < 19_500 { 0.0 } else { 0.1 };
            all.observe(value, 0.001, FALSE_ALARM_RATE);
            recent.observe(value, 0.001);
            assert!(number >= 19_500 || recent.lower_bound().is_none_or(|bound| bound < 0.0));
        }
        assert!(all.lower_bound().unwrap() < 0.0, "{all:?}");
        assert!(recent.lower_bound().unwrap() > 0.0, "{recent:?}");
    }

    #[test]
    fn equal_observations_are_not_more_certain_than_their_resolution() {
        let mut sequence = Sequence::default();
        (0..FEWEST).for_each(|_| sequence.observe(0.01, 0.5, FALSE_ALARM_RATE));
        assert!(sequence.lower_bound().unwrap() < 0.0);
    }
}
