//! Where a measured value is going.

use serde::{Deserialize, Serialize};

use super::Moment;

/// At most this many points are looked at; more are thinned out evenly.
const MOST_POINTS: usize = 240;
/// Fewer points say nothing.
const FEWEST_POINTS: usize = 6;

/// A straight line through measured values, which a few wild ones do not move (Theil-Sen: the median of the slopes
/// between all pairs of points).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Trend {
    /// Change per hour, in the unit of the value.
    pub per_hour: f64,
    /// The value that the line has at the last point.
    pub now: f64,
    /// Share of the pairs of points of which the later one is higher, 0 to 1: 1 is a value that never falls, one half is one
    /// that goes nowhere.
    pub rising: f64,
}

impl Trend {
    /// The trend of points in the order of time; `None` when there are too few.
    pub fn of(points: &[(Moment, f64)]) -> Option<Self> {
        let step = points.len().div_ceil(MOST_POINTS).max(1);
        let points: Vec<_> = points.iter().rev().step_by(step).copied().collect();
        if points.len() < FEWEST_POINTS {
            return None;
        }
        let last = points[0].0;
        let hours = |at: Moment| -(last.since(at).as_secs_f64() / 3600.0);
        let mut slopes: Vec<f64> = pairs(&points)
            .map(|((t1, v1), (t2, v2))| (v1 - v2) / (hours(t1) - hours(t2)))
            .filter(|slope| slope.is_finite())
            .collect();
        let rising = slopes.iter().filter(|&&slope| slope > 0.0).count() as f64 / slopes.len() as f64;
        let per_hour = median(&mut slopes)?;
        let mut levels: Vec<f64> = points.iter().map(|&(at, value)| value - per_hour * hours(at)).collect();
        Some(Self {
            per_hour,
            now: median(&mut levels)?,
            rising,
        })
    }

    /// Hours until the line reaches `limit` from below; `None` when it does not.
    pub fn hours_to(&self, limit: f64) -> Option<f64> {
        (self.per_hour > 0.0 && self.now < limit).then(|| (limit - self.now) / self.per_hour)
    }
}

type Point = (Moment, f64);

fn pairs(points: &[Point]) -> impl Iterator<Item = (Point, Point)> + '_ {
    points
        .iter()
        .enumerate()
        .flat_map(move |(index, &one)| points[index + 1..].iter().map(move |&other| (one, other)))
}

fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len().checked_sub(1)? / 2;
    Some(*values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hourly(values: impl IntoIterator<Item = f64>) -> Vec<Point> {
        values
            .into_iter()
            .enumerate()
            .map(|(hour, value)| (Moment(hour as u64 * 3_600_000), value))
            .collect()
    }

    #[test]
    fn wild_values_do_not_move_the_line() {
        let mut points = hourly((0..100).map(|hour| 10.0 + f64::from(hour) * 0.5));
        points[40].1 = 1e9;
        points[90].1 = -1e9;
        let trend = Trend::of(&points).unwrap();
        assert!((trend.per_hour - 0.5).abs() < 1e-9, "{trend:?}");
        assert!((trend.hours_to(70.0).unwrap() - 21.0).abs() < 1e-6, "{trend:?}");
        assert!(trend.rising > 0.95, "{trend:?}");
    }

    #[test]
    fn what_falls_or_stays_reaches_no_limit() {
        let falling = Trend::of(&hourly((0..50).map(|hour| -f64::from(hour)))).unwrap();
        assert_eq!(falling.hours_to(1.0), None);
        let flat = Trend::of(&hourly([3.0; 1000])).unwrap();
        assert_eq!(flat.hours_to(4.0), None);
    }

    #[test]
    fn a_few_points_are_no_trend() {
        assert_eq!(Trend::of(&hourly([1.0, 2.0, 3.0])), None);
    }
}
