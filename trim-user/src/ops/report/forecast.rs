//! What is to come, should things go on as they did.

use serde::Serialize;

use crate::control::health::{Moment, Trend};
use crate::control::store::{Measured, Sample};
use crate::plot::Unit;

/// A line is only drawn on when the points cover so many hours.
const FEWEST_HOURS: f64 = 6.0;
/// What is further away than this is no forecast, hours.
const FURTHEST: f64 = 365.0 * 24.0;

/// Where one thing is going.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forecast {
    /// What.
    pub what: &'static str,
    /// Its value by the line now, in its own unit (bytes, packets per second).
    pub now: Option<f64>,
    /// Change per day.
    pub per_day: Option<f64>,
    /// Days until the limit is reached; `None` when it is not, or not within a year.
    pub days: Option<f64>,
    /// All that in words.
    pub words: String,
}

/// Disk, memory, and throughput against the highest seen.
pub fn forecasts(samples: &[Sample]) -> Vec<Forecast> {
    let last = samples.last().map(|sample| &sample.evidence.resources);
    let memory = last.and_then(|last| Some(last.memory_available? as f64 + last.resident_bytes? as f64));
    let rates = samples.iter().filter_map(|sample| sample.point(Measured::Packets));
    let highest = rates.map(|point| point.high).fold(0.0, f64::max);
    vec![
        falling(samples, "free space for captures", Measured::DiskFree),
        rising(
            samples,
            "memory of the daemon",
            Measured::ResidentBytes,
            memory,
            Unit::Bytes,
            "all that the machine has left",
        ),
        rising(
            samples,
            "packets per second",
            Measured::Packets,
            (highest > 0.0).then_some(highest),
            Unit::Count("packets/s"),
            "the highest that was seen",
        ),
    ]
}

fn trend(samples: &[Sample], measured: Measured) -> Option<Trend> {
    let points: Vec<(Moment, f64)> = samples
        .iter()
        .filter_map(|sample| sample.point(measured))
        .map(|point| (point.at, point.value))
        .collect();
    let covered = points.last()?.0.since(points.first()?.0).as_secs_f64() / 3600.0;
    if covered < FEWEST_HOURS {
        None
    } else {
        Trend::of(&points)
    }
}

fn unknown(what: &'static str) -> Forecast {
    Forecast {
        what,
        now: None,
        per_day: None,
        days: None,
        words: format!("not known: fewer than {FEWEST_HOURS} hours were measured"),
    }
}

fn falling(samples: &[Sample], what: &'static str, measured: Measured) -> Forecast {
    let Some(trend) = trend(samples, measured) else {
        return unknown(what);
    };
    let hours = (trend.per_hour < 0.0 && trend.now > 0.0).then(|| trend.now / -trend.per_hour);
    told(what, trend, hours, Unit::Bytes, "nothing")
}

fn rising(
    samples: &[Sample],
    what: &'static str,
    measured: Measured,
    limit: Option<f64>,
    unit: Unit,
    limit_is: &str,
) -> Forecast {
    let Some(trend) = trend(samples, measured) else {
        return unknown(what);
    };
    let hours = limit.and_then(|limit| trend.hours_to(limit));
    let limit_is = limit.map_or_else(
        || limit_is.to_owned(),
        |limit| format!("{limit_is}, {}", unit.show(limit)),
    );
    told(what, trend, hours, unit, &limit_is)
}

fn told(what: &'static str, trend: Trend, hours: Option<f64>, unit: Unit, limit: &str) -> Forecast {
    let days = hours.filter(|hours| *hours < FURTHEST).map(|hours| hours / 24.0);
    let per_day = trend.per_hour * 24.0;
    let direction = if per_day < 0.0 { "less" } else { "more" };
    let ahead = days.map_or_else(
        || format!("{limit} is not reached within a year"),
        |days| format!("{limit} is reached in {days:.1} days"),
    );
    Forecast {
        what,
        now: Some(trend.now),
        per_day: Some(per_day),
        days,
        words: format!(
            "{} now, {} {direction} each day; {ahead}",
            unit.show(trend.now),
            unit.show(per_day.abs())
        ),
    }
}
