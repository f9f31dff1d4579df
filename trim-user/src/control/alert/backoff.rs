//! How long to wait before the next attempt. Pure.

use std::time::Duration;

/// Pause after the first failure.
const FIRST: Duration = Duration::from_secs(1);
/// Longest pause.
const LONGEST: Duration = Duration::from_secs(300);

/// The pause after so many failures in a row (from 1): it doubles, and `random` shortens it by up to a half, so that
/// many appliances do not knock at the same moment.
pub(crate) fn pause(failures: u32, random: u64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let full = (FIRST * (1 << doublings)).min(LONGEST);
    let half = full / 2;
    let share = (random % 1_000) as u32;
    half + half * share / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_vary_by_a_half() {
        for (failures, full) in [(1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (u32::MAX, 300)] {
            let full = Duration::from_secs(full);
            for random in [0, 1, 499, 999, u64::MAX] {
                let pause = pause(failures, random);
                assert!(pause >= full / 2 && pause <= full, "{failures} {random} {pause:?}");
            }
            assert_ne!(pause(failures, 0), pause(failures, 500));
        }
    }
}
