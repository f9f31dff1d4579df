//! Points in time that can be stored and replayed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How a duration is written in JSON.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "it stands for `Duration`, which has no schema of its own")]
pub struct DurationView {
    /// Whole seconds.
    secs: u64,
    /// And nanoseconds.
    nanos: u32,
}

/// A point in time: milliseconds since 1970-01-01 UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct Moment(pub u64);

impl Moment {
    /// Time since `earlier`; zero when that is later, as after a clock was set back.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// This point, `duration` later.
    #[must_use]
    pub const fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_millis() as u64))
    }

    /// Minutes since the last Monday, 00:00 UTC: 0 to 10 079.
    pub const fn minute_of_week(self) -> u32 {
        const DAY: u64 = 24 * 60;
        // 1970-01-01 was a Thursday, three days after a Monday.
        ((self.0 / 60_000 + 3 * DAY) % (7 * DAY)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_monday() {
        // 2026-11-22 18:30 UTC was a Sunday.
        let sunday = Moment(1_795_372_200_000);
        assert_eq!(sunday.minute_of_week(), 6 * 1440 + 18 * 60 + 30);
        assert_eq!(sunday.after(Duration::from_secs(5 * 3600 + 1800)).minute_of_week(), 0);
    }

    #[test]
    fn a_clock_set_back_gives_no_negative_time() {
        assert_eq!(Moment(5).since(Moment(9)), Duration::ZERO);
    }
}
