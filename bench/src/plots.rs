//! The report as plots.

use trim_user::plot::{Bar, Bars, Line, Relation, Unit};

use crate::paced::Loaded;
use crate::report::{Report, Row};

const RATE: Unit = Unit::Count("packets/s");

/// A plot and what its file is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plot {
    pub(crate) name: String,
    pub(crate) svg: String,
}

/// Those of a scenario: what was kept, and where rates were tried, loss and latency by rate.
pub(crate) fn of(report: &Report) -> Vec<Plot> {
    let scenario = &report.scenario;
    let plot = |what: &str, svg| Plot {
        name: format!("{scenario}-{what}"),
        svg,
    };
    let mut plots = vec![plot("kept", kept(report))];
    if report.rows.iter().any(|row| row.paced.is_some()) {
        plots.push(plot("loss", loss(report)));
        plots.push(plot("latency", latency(report)));
    }
    plots
}

fn kept(report: &Report) -> String {
    let bar = |row: &Row| Bar {
        name: short(row.peer),
        value: row.median.kept_per_second,
        colour: colour(row.peer),
    };
    let bars: Vec<_> = report.rows.iter().map(bar).collect();
    Bars {
        title: &format!("{}: packets kept, unpaced", report.scenario),
        unit: RATE,
        bars: &bars,
    }
    .svg()
}

/// One colour for `trim`, one for other programs, one for ceilings.
fn colour(peer: &str) -> usize {
    match peer {
        "bare AF_XDP" | "XDP_DROP" => 2,
        _ => usize::from(!peer.starts_with("trim")),
    }
}

/// A name that fits beside a bar.
fn short(peer: &str) -> String {
    match peer.strip_suffix(", no body cut") {
        Some(trim) => format!("{}, no cut", trim.trim_start_matches("trim ")),
        None => peer.to_owned(),
    }
}

/// Throughput against loss.
fn loss(report: &Report) -> String {
    let lines = lines(report, |row| {
        let tried = row.paced.iter().flat_map(|paced| &paced.tried);
        tried
            .map(|tried| (tried.offered_per_second, tried.lost_share))
            .collect()
    });
    Relation {
        title: &format!("{}: packets lost by rate", report.scenario),
        across: ("offered", RATE),
        up: Unit::Share,
        is_logarithmic: false,
        lines: &lines,
    }
    .svg()
}

/// Latency against load, of the appliance.
fn latency(report: &Report) -> String {
    let row = report
        .rows
        .iter()
        .find(|row| row.paced.as_ref().is_some_and(|paced| !paced.loaded.is_empty()));
    let loaded = row
        .and_then(|row| row.paced.as_ref())
        .map(|paced| paced.loaded.as_slice());
    let line = |name: &str, of: fn(&Loaded) -> u64| Line {
        name: name.to_owned(),
        points: loaded
            .unwrap_or_default()
            .iter()
            .map(|loaded| (loaded.offered_per_second, of(loaded) as f64))
            .collect(),
    };
    let lines = [
        line("p50", |loaded| loaded.latency_ns.p50),
        line("p99", |loaded| loaded.latency_ns.p99),
        line("p99.9", |loaded| loaded.latency_ns.p999),
    ];
    Relation {
        title: &format!(
            "{}: kernel to written, {}",
            report.scenario,
            row.map_or("trim", |row| row.peer)
        ),
        across: ("offered", RATE),
        up: Unit::Nanoseconds,
        is_logarithmic: true,
        lines: &lines,
    }
    .svg()
}

fn lines(report: &Report, of: impl Fn(&Row) -> Vec<(f64, f64)>) -> Vec<Line> {
    let rows = report.rows.iter().filter(|row| row.paced.is_some());
    rows.map(|row| Line {
        name: row.peer.to_owned(),
        points: of(row),
    })
    .collect()
}
