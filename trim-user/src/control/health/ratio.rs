//! Sample-ratio mismatch: are flows split as the kernel was told?
//!
//! The likelihood of the observed counts under the target share, against a mixture of other shares (a Beta prior around the target): a
//! Bayes factor, which is a test martingale under the target, so it may be looked at any time (Ville's inequality).
//! Flows are counted, never bytes: the hash assigns flows.

use serde::{Deserialize, Serialize};

/// Probability of ever raising a false alarm.
const FALSE_ALARM_RATE: f64 = 1e-6;
/// Weight of the prior: as if so many flows had been seen at the target share.
const PRIOR_FLOWS: f64 = 200.0;

/// Flows by strategy since the target was set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Ratio {
    /// Flows on `legacy`.
    pub legacy: u64,
    /// Flows on `scanning`.
    pub scanning: u64,
}

impl Ratio {
    /// Adds the flows of an interval.
    pub const fn observe(&mut self, legacy: u64, scanning: u64) {
        self.legacy += legacy;
        self.scanning += scanning;
    }

    /// Share of flows on `scanning`, 0 to 1. `None` before the first flow.
    pub fn share(&self) -> Option<f64> {
        super::evidence::share(self.scanning, self.legacy + self.scanning)
    }

    /// Whether the flows cannot have been split at `target`.
    pub fn is_mismatch(&self, target: f64) -> bool {
        self.log_bayes_factor(target) > -FALSE_ALARM_RATE.ln()
    }

    fn log_bayes_factor(&self, target: f64) -> f64 {
        let (hits, misses) = (self.scanning as f64, self.legacy as f64);
        if target <= 0.0 || target >= 1.0 {
            let stray = if target <= 0.0 { hits } else { misses };
            return if stray > 0.0 { f64::INFINITY } else { 0.0 };
        }
        let (a, b) = (PRIOR_FLOWS * target, PRIOR_FLOWS * (1.0 - target));
        log_beta(a + hits, b + misses) - log_beta(a, b) - hits * target.ln() - misses * (1.0 - target).ln()
    }
}

fn log_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fair_split_is_no_mismatch_and_a_wrong_one_is() {
        assert!(
            !Ratio {
                legacy: 9_050,
                scanning: 950
            }
            .is_mismatch(0.1)
        );
        assert!(
            Ratio {
                legacy: 8_500,
                scanning: 1_500
            }
            .is_mismatch(0.1)
        );
        assert!(
            !Ratio { legacy: 3, scanning: 2 }.is_mismatch(0.1),
            "five flows prove nothing"
        );
        assert!(!Ratio::default().is_mismatch(0.5));
    }

    #[test]
    fn at_the_ends_a_single_stray_flow_is_one_too_many() {
        assert!(
            Ratio {
                legacy: 1,
                scanning: 1000
            }
            .is_mismatch(1.0)
        );
        assert!(
            !Ratio {
                legacy: 0,
                scanning: 1000
            }
            .is_mismatch(1.0)
        );
        assert!(
            Ratio {
                legacy: 1000,
                scanning: 1
            }
            .is_mismatch(0.0)
        );
    }

    #[test]
    fn fair_splits_never_alarm_however_often_one_looks() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut alarms = 0;
        for _ in 0..300 {
            let mut ratio = Ratio::default();
            for _ in 0..400 {
                let hits = (0..25).filter(|_| next() < 0.25).count() as u64;
                ratio.observe(25 - hits, hits);
                if ratio.is_mismatch(0.25) {
                    alarms += 1;
                    break;
                }
            }
        }
        assert_eq!(alarms, 0);
    }
}
