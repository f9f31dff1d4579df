//! Times in which nothing advances.

use serde::{Deserialize, Serialize};

use crate::control::health::Moment;

/// Minutes of a week.
const WEEK: u32 = 7 * 24 * 60;

/// A time in which a rollout goes no further. Rollbacks are not held up by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Freeze {
    /// Once.
    Between {
        /// From here.
        from: Moment,
        /// Up to here.
        to: Moment,
    },
    /// Every week, in UTC. When `to` comes before `from`, it lies in the next week.
    Weekly {
        /// From this minute after Monday, 00:00.
        from: u32,
        /// Up to this minute after Monday, 00:00.
        to: u32,
    },
}

impl Freeze {
    /// Whether it covers `now`.
    pub const fn covers(self, now: Moment) -> bool {
        match self {
            Self::Between { from, to } => from.0 <= now.0 && now.0 < to.0,
            Self::Weekly { from, to } => {
                let into = (now.minute_of_week() + WEEK - from % WEEK) % WEEK;
                into < (to + WEEK - from % WEEK) % WEEK
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weekend_reaches_into_the_next_week() {
        const FRIDAY_16: u32 = 4 * 1440 + 16 * 60;
        const MONDAY_8: u32 = 8 * 60;
        let weekend = Freeze::Weekly {
            from: FRIDAY_16,
            to: MONDAY_8,
        };
        // 1970-01-05 was a Monday.
        let at = |minute: u32| Moment((4 * 1440 + u64::from(minute)) * 60_000);
        assert!(weekend.covers(at(FRIDAY_16)));
        assert!(weekend.covers(at(6 * 1440)));
        assert!(weekend.covers(at(7 * 60)));
        assert!(!weekend.covers(at(MONDAY_8)));
        assert!(!weekend.covers(at(FRIDAY_16 - 1)));
    }

    #[test]
    fn a_single_freeze_ends() {
        let freeze = Freeze::Between {
            from: Moment(10),
            to: Moment(20),
        };
        assert_eq!(
            [9, 10, 19, 20].map(|at| freeze.covers(Moment(at))),
            [false, true, true, false]
        );
    }
}
