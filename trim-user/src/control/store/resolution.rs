//! How finely the past is kept, and for how long.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::control::health::Moment;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How finely the past is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Every sample, usually one in five seconds; kept for 24 hours.
    Samples,
    /// Sums over a minute; kept for 7 days.
    Minutes,
    /// Sums over an hour; kept for 30 days.
    Hours,
}

impl Resolution {
    /// From the finest to the coarsest.
    pub const ALL: [Self; 3] = [Self::Samples, Self::Minutes, Self::Hours];

    /// Time between two points.
    pub const fn interval(self) -> Duration {
        Duration::from_secs(match self {
            Self::Samples => 5,
            Self::Minutes => 60,
            Self::Hours => 3600,
        })
    }

    /// For how long points are kept.
    pub fn kept(self) -> Duration {
        match self {
            Self::Samples => DAY,
            Self::Minutes => 7 * DAY,
            Self::Hours => 30 * DAY,
        }
    }

    /// The finest one that still has the points since `from` and needs about `most_points` or fewer to tell all up to `to`.
    pub fn choose(from: Moment, to: Moment, now: Moment, most_points: usize) -> Self {
        let (age, length) = (now.since(from), to.since(from));
        Self::ALL
            .into_iter()
            .find(|it| age <= it.kept() && length.as_secs() / it.interval().as_secs() <= most_points as u64)
            .unwrap_or(Self::Hours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finest_that_is_kept_and_not_too_much_is_chosen() {
        let now = Moment(100 * 24 * 3_600_000);
        let chosen = |hours_ago: u64, hours: u64| {
            let from = Moment(now.0 - hours_ago * 3_600_000);
            let to = from.after(Duration::from_secs(hours * 3600));
            Resolution::choose(from, to, now, 2_000)
        };
        assert_eq!(chosen(1, 1), Resolution::Samples);
        assert_eq!(chosen(23, 2), Resolution::Samples);
        assert_eq!(chosen(24, 24), Resolution::Minutes);
        assert_eq!(chosen(25, 1), Resolution::Minutes);
        assert_eq!(chosen(7 * 24, 7 * 24), Resolution::Hours);
        assert_eq!(chosen(60 * 24, 1), Resolution::Hours);
    }
}
