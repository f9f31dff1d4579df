//! What the figures have to reach, as ratios of rows of one run, so that any machine can check them.

use serde::Serialize;

use crate::paced::Loaded;
use crate::report::{Report, Row};

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

/// The appliance as it comes.
const TRIM: &str = "trim legacy";
/// Programs that keep whole packets.
const WHOLE: [&str; 3] = ["tcpdump -s 0", "dumpcap", "netsniff-ng"];

/// The demands on a scenario, as far as the rows that they compare are there; `earlier` are the scenarios before it.
pub(crate) fn of(report: &Report, earlier: &[Report]) -> Vec<Target> {
    let rows = &report.rows;
    let best = |threshold| at_least(AGAINST_THE_BEST, against_the_best(rows), threshold);
    let demands = match report.scenario.as_str() {
        "bulk" => of_bulk(rows).into_iter().chain([of_switches(report)]).collect(),
        "web" => vec![best(2.0), of_latency(rows)],
        "api" => vec![best(1.4), of_many_flows(report)],
        "tiny" => vec![best(1.0)],
        "hostile" => of_hostile(rows, earlier),
        _ => Vec::new(),
    };
    demands.into_iter().flatten().collect()
}

const AGAINST_THE_BEST: &str = "kept, against the best that keeps whole packets";

fn kept(rows: &[Row], name: &str) -> Option<f64> {
    Some(rows.iter().find(|row| row.peer == name)?.median.kept_per_second)
}

fn ratio(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    Some(one? / other?)
}

/// What `trim` keeps per second, by what the best of the others does.
fn against_the_best(rows: &[Row]) -> Option<f64> {
    let best = WHOLE.iter().filter_map(|name| kept(rows, name)).max_by(f64::total_cmp);
    ratio(kept(rows, TRIM), best)
}

/// The demands on `bulk`.
fn of_bulk(rows: &[Row]) -> Vec<Option<Target>> {
    let (cut, whole) = (kept(rows, TRIM), kept(rows, "trim legacy, no body cut"));
    let lost = rows
        .iter()
        .find(|row| row.peer == TRIM)
        .map(|row| row.median.lost as f64);
    let bare = kept(rows, "bare AF_XDP");
    vec![
        at_most("packets lost", lost, 0.0),
        at_least(AGAINST_THE_BEST, against_the_best(rows), 5.0),
        at_least(
            "kept, against tcpdump -s 128",
            ratio(cut, kept(rows, "tcpdump -s 128")),
            2.0,
        ),
        at_least(
            "kept without the body cut, against bare AF_XDP",
            ratio(whole, bare),
            0.75,
        ),
        at_least("kept with the body cut, against bare AF_XDP", ratio(cut, bare), 1.2),
        of_latency(rows),
    ]
}

/// The demands on `hostile`: against `web`, and at half of what it can do without loss.
fn of_hostile(rows: &[Row], earlier: &[Report]) -> Vec<Option<Target>> {
    let web = earlier.iter().find(|report| report.scenario == "web");
    let web = web.and_then(|web| kept(&web.rows, TRIM));
    let lost = at_half(rows).map(|loaded| loaded.lost as f64);
    vec![
        at_least("kept, against web", ratio(kept(rows, TRIM), web), 0.4),
        at_most("packets lost at half the lossless rate", lost, 0.0),
    ]
}

fn of_latency(rows: &[Row]) -> Option<Target> {
    let p99 = at_half(rows).map(|loaded| loaded.latency_ns.p99 as f64 / 1000.0);
    at_most("p99 to written at half the lossless rate, us", p99, 200.0)
}

fn of_switches(report: &Report) -> Option<Target> {
    let slowest = report.switches_us.iter().copied().reduce(f64::max);
    at_most("slowest switch under load, us to the last old tag", slowest, 1000.0)
}

fn of_many_flows(report: &Report) -> Option<Target> {
    let peak = report.many_flows?.peak_resident_bytes as f64 / f64::from(1 << 20);
    at_most("memory at 100 000 flows, MiB", Some(peak), 512.0)
}

fn at_half(rows: &[Row]) -> Option<&Loaded> {
    let paced = rows.iter().find(|row| row.peer == TRIM)?.paced.as_ref()?;
    paced.loaded.iter().find(|loaded| loaded.share == 0.5)
}

pub(crate) fn at_least(what: &'static str, measured: Option<f64>, threshold: f64) -> Option<Target> {
    let measured = measured?;
    Some(Target {
        what,
        measured,
        threshold,
        is_bound: false,
        holds: measured >= threshold,
    })
}

pub(crate) fn at_most(what: &'static str, measured: Option<f64>, threshold: f64) -> Option<Target> {
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
    /// What is wanted, in words.
    pub(crate) fn demand(&self) -> String {
        let word = if self.is_bound { "at most" } else { "at least" };
        format!("{word} {}", self.threshold)
    }

    /// Whether it holds, in words.
    pub(crate) const fn verdict(&self) -> &'static str {
        if self.holds { "holds" } else { "does not hold" }
    }

    /// As a line of the report.
    pub(crate) fn line(&self) -> String {
        format!(
            "  {:<50}{:>10.2}  {:<14}{}",
            self.what,
            self.measured,
            self.demand(),
            self.verdict()
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
        assert_eq!(of_bulk(&[]).into_iter().flatten().count(), 0);
        assert_eq!(of_hostile(&[], &[]).into_iter().flatten().count(), 0);
    }
}
