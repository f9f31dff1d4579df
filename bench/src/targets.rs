//! What the figures have to reach, as ratios of rows of one run, so that any machine can check them.

use serde::Serialize;

use crate::report::Row;

/// One demand and what was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Target {
    pub(crate) what: &'static str,
    pub(crate) measured: f64,
    /// `measured` has to be at least this, or, where `is_bound` says so, at most.
    pub(crate) threshold: f64,
    /// Whether the threshold is the most that is allowed.
    pub(crate) is_bound: bool,
    pub(crate) holds: bool,
}

/// Programs that keep whole packets.
const WHOLE: [&str; 3] = ["tcpdump -s 0", "dumpcap", "netsniff-ng"];

/// The demands on a scenario, as far as the rows that they compare are there.
pub(crate) fn of(scenario: &str, rows: &[Row]) -> Vec<Target> {
    let best = |threshold| {
        at_least(AGAINST_THE_BEST, against_the_best(rows), threshold)
            .into_iter()
            .collect()
    };
    match scenario {
        "bulk" => of_bulk(rows),
        "tiny" => best(1.0),
        _ => Vec::new(),
    }
}

const AGAINST_THE_BEST: &str = "kept, against the best that keeps whole packets";

/// What `trim` keeps per second, by what the best of the others does.
fn against_the_best(rows: &[Row]) -> Option<f64> {
    let kept = |name: &str| Some(rows.iter().find(|row| row.peer == name)?.median.kept_per_second);
    let best = WHOLE.iter().filter_map(|name| kept(name)).max_by(f64::total_cmp);
    Some(kept("trim legacy")? / best?)
}

/// The demands on `bulk`, as far as the rows that they compare are there.
fn of_bulk(rows: &[Row]) -> Vec<Target> {
    let row = |name: &str| rows.iter().find(|row| row.peer == name);
    let kept = |name: &str| row(name).map(|row| row.median.kept_per_second);
    let ratio = |one: Option<f64>, other: Option<f64>| Some(one? / other?);
    let (cut, whole) = (kept("trim legacy"), kept("trim legacy, no body cut"));
    let lost = row("trim legacy").map(|row| row.median.lost as f64);
    [
        at_most("packets lost", lost, 0.0),
        at_least(AGAINST_THE_BEST, against_the_best(rows), 5.0),
        at_least("kept, against tcpdump -s 128", ratio(cut, kept("tcpdump -s 128")), 2.0),
        at_least(
            "kept without the body cut, against bare AF_XDP",
            ratio(whole, kept("bare AF_XDP")),
            0.75,
        ),
        at_least(
            "kept with the body cut, against bare AF_XDP",
            ratio(cut, kept("bare AF_XDP")),
            1.2,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn at_least(what: &'static str, measured: Option<f64>, threshold: f64) -> Option<Target> {
    let measured = measured?;
    Some(Target {
        what,
        measured,
        threshold,
        is_bound: false,
        holds: measured >= threshold,
    })
}

fn at_most(what: &'static str, measured: Option<f64>, threshold: f64) -> Option<Target> {
    let measured = measured?;
    Some(Target {
        what,
        measured,
        threshold,
        is_bound: true,
        holds: measured <= threshold,
    })
}

impl Target {
    /// As a line of the report.
    pub(crate) fn line(&self) -> String {
        let (word, verdict) = (
            if self.is_bound { "at most" } else { "at least" },
            if self.holds { "holds" } else { "does not hold" },
        );
        format!(
            "  {:<50}{:>8.2}  {word} {:<5} {verdict}",
            self.what, self.measured, self.threshold
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_met_at_its_value() {
        assert!(at_least("", Some(5.0), 5.0).is_some_and(|target| target.holds));
        assert!(at_least("", Some(4.99), 5.0).is_some_and(|target| !target.holds));
        assert!(at_most("", Some(0.0), 0.0).is_some_and(|target| target.holds));
        assert!(at_most("", Some(1.0), 0.0).is_some_and(|target| !target.holds));
    }

    #[test]
    fn without_the_rows_nothing_is_claimed() {
        assert_eq!(of("bulk", &[]), []);
        assert_eq!(of("tiny", &[]), []);
    }
}
