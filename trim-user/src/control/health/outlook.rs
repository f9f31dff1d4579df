//! What is to come, should things go on as they did in the last day, week and month.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Moment, Trend};

/// An outlook that is older says nothing any more.
const GOOD_FOR: Duration = Duration::from_secs(3600);
/// The points of a trend have to cover this share of its past: the first minutes of a capture, in which tables fill, are no
/// trend.
const LEAST_COVERAGE: f64 = 0.25;
/// A value rises steadily when so large a share of the pairs of points does. Daily ups and downs do not get there.
const STEADY: f64 = 0.8;

/// What is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Share of the captures' file system in use.
    DiskShare,
    /// Share of the memory of machine or control group in use.
    MemoryShare,
    /// Resident memory of the process, bytes.
    ResidentBytes,
    /// Packets of `legacy` not trimmed as they should be, share.
    LegacyErrorShare,
    /// Packets of `scanning` not trimmed as they should be, share.
    ScanningErrorShare,
    /// Cost of `legacy`, nanoseconds per packet.
    LegacyCost,
    /// Cost of `scanning`, nanoseconds per packet.
    ScanningCost,
}

impl Subject {
    /// Every subject.
    pub const ALL: [Self; 7] = [
        Self::DiskShare,
        Self::MemoryShare,
        Self::ResidentBytes,
        Self::LegacyErrorShare,
        Self::ScanningErrorShare,
        Self::LegacyCost,
        Self::ScanningCost,
    ];

    /// The word used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DiskShare => "disk_share",
            Self::MemoryShare => "memory_share",
            Self::ResidentBytes => "resident_bytes",
            Self::LegacyErrorShare => "legacy_error_share",
            Self::ScanningErrorShare => "scanning_error_share",
            Self::LegacyCost => "legacy_cost_ns",
            Self::ScanningCost => "scanning_cost_ns",
        }
    }
}

/// How far back a trend looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Past {
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
}

impl Past {
    /// From the shortest to the longest.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// How long it is.
    pub const fn length(self) -> Duration {
        let days = match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
        };
        Duration::from_secs(days * 24 * 3600)
    }

    /// The word used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// Where one subject is going, by one past.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Forecast {
    /// What is followed.
    pub subject: Subject,
    /// How far back.
    pub past: Past,
    /// Points that were measured in it.
    pub points: u64,
    /// Time from the first of them to the last, hours.
    pub covered_hours: f64,
    /// The line through them.
    pub trend: Trend,
}

impl Forecast {
    /// Whether the value rises all the time, not just on the whole.
    pub fn is_steady(&self) -> bool {
        self.trend.per_hour > 0.0 && self.trend.rising >= STEADY
    }
}

/// What is to come. An empty one says nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Outlook {
    /// When it was made.
    pub at: Moment,
    /// The trends, in the order of subjects and pasts; those of which too little is known are left out.
    pub forecasts: Vec<Forecast>,
    /// So many bytes more and the oldest capture files make room for new ones; `None` without a quota.
    pub captures_may_grow: Option<u64>,
}

impl Outlook {
    /// Adds the trend of points in the order of time, if they are enough.
    pub fn add(&mut self, subject: Subject, past: Past, points: &[(Moment, f64)]) {
        let (Some(first), Some(last), Some(trend)) = (points.first(), points.last(), Trend::of(points)) else {
            return;
        };
        let covered = last.0.since(first.0);
        if covered >= past.length().mul_f64(LEAST_COVERAGE) {
            self.forecasts.push(Forecast {
                subject,
                past,
                points: points.len() as u64,
                covered_hours: covered.as_secs_f64() / 3600.0,
                trend,
            });
        }
    }

    /// The value of a subject some time after `now`: what the shortest past in which it rose steadily makes of it, else what it
    /// is now. `None` while too little is known, or when the outlook is too old.
    pub fn ahead(&self, subject: Subject, now: Moment, time: Duration) -> Option<f64> {
        if now.since(self.at) > GOOD_FOR {
            return None;
        }
        let mut forecasts = self.forecasts.iter().filter(|it| it.subject == subject).peekable();
        let present = forecasts.peek()?.trend.now;
        let hours = time.as_secs_f64() / 3600.0;
        let steady = forecasts.find(|forecast| forecast.is_steady());
        Some(steady.map_or(present, |it| it.trend.now + it.trend.per_hour * hours))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    /// A point every six minutes for so many hours.
    fn points(hours: u64, value: impl Fn(f64) -> f64) -> Vec<(Moment, f64)> {
        let at = |number: u64| number as f64 / 10.0;
        (0..=hours * 10)
            .map(|number| (Moment(number * 360_000), value(at(number))))
            .collect()
    }

    fn outlook(points: &[(Moment, f64)]) -> Outlook {
        let mut outlook = Outlook {
            at: points.last().unwrap().0,
            ..Outlook::default()
        };
        outlook.add(Subject::DiskShare, Past::Day, points);
        outlook
    }

    #[test]
    fn what_rises_steadily_goes_on() {
        let outlook = outlook(&points(20, |hour| 0.3 + hour * 0.02));
        let ahead = outlook.ahead(Subject::DiskShare, outlook.at, DAY).unwrap();
        assert!((ahead - (0.7 + 24.0 * 0.02)).abs() < 1e-9, "{ahead}");
        assert_eq!(outlook.ahead(Subject::MemoryShare, outlook.at, DAY), None);
    }

    #[test]
    fn ups_and_downs_and_what_falls_stay_where_they_are() {
        let daily = outlook(&points(24, |hour| {
            0.5 + 0.2 * (hour / 24.0 * std::f64::consts::TAU).sin()
        }));
        assert!(!daily.forecasts[0].is_steady(), "{daily:?}");
        let falling = outlook(&points(24, |hour| 0.9 - hour * 0.01));
        let ahead = falling.ahead(Subject::DiskShare, falling.at, DAY).unwrap();
        assert!((ahead - 0.66).abs() < 1e-9, "{ahead}");
    }

    #[test]
    fn the_first_hours_and_an_old_outlook_say_nothing() {
        assert_eq!(outlook(&points(5, |hour| hour)).forecasts, []);
        let old = outlook(&points(24, |hour| hour * 0.01));
        let later = old.at.after(GOOD_FOR + Duration::from_millis(1));
        assert_eq!(old.ahead(Subject::DiskShare, later, DAY), None);
    }
}
