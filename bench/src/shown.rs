//! What all reports have in common: they are printed, recorded, and judged as a whole.

use serde::Serialize;
use trim_user::plot::Unit;

use crate::machine::Machine;
use crate::plots;
use crate::report::{Report, Row};
use crate::section::{Section, Table};
use crate::table;

/// The report of a scenario.
pub(crate) trait Shown: Serialize {
    /// Name of the scenario.
    fn scenario(&self) -> &str;

    /// What it was measured on, and when.
    fn machine(&self) -> &Machine;

    /// The report as a person reads it.
    fn text(&self) -> String;

    /// The report on the page.
    fn section(&self) -> Section;

    /// Whether what was done was right, however fast.
    fn is_sound(&self) -> bool;
}

impl Shown for Report {
    fn scenario(&self) -> &str {
        &self.scenario
    }

    fn machine(&self) -> &Machine {
        &self.machine
    }

    fn text(&self) -> String {
        table::text(self)
    }

    fn section(&self) -> Section {
        Section {
            scenario: self.scenario.clone(),
            machine: self.machine.line(),
            tables: vec![Table {
                title: self.scenario.clone(),
                heads: &HEADS,
                rows: self.rows.iter().map(cells).collect(),
            }],
            plots: plots::of(self),
            targets: self.targets.iter().map(|target| ("", target.clone())).collect(),
        }
    }

    fn is_sound(&self) -> bool {
        self.is_balanced()
    }
}

const HEADS: [&str; 10] = [
    "peer",
    "offered /s",
    "kept /s",
    "lost, %",
    "lossless /s",
    "CPU s/M",
    "memory",
    "bytes/packet",
    "headers lost, B",
    "bodies kept",
];

fn cells(row: &Row) -> Vec<String> {
    let median = &row.median;
    let rate = |rate: f64| Unit::Count("").show(rate);
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let share = 100.0 * median.lost as f64 / median.seen.max(1) as f64;
    let lossless = row.paced.as_ref().map(|paced| paced.lossless_per_second);
    vec![
        row.peer.replace(", no body cut", ", no cut"),
        rate(median.offered_per_second),
        rate(median.kept_per_second),
        format!("{share:.2}"),
        or_none(lossless.map(|found| found.map_or_else(|| "none".to_owned(), rate))),
        or_none(median.processor_per_million().map(|seconds| format!("{seconds:.2}"))),
        or_none(
            median
                .taken
                .map(|taken| Unit::Bytes.show(taken.peak_resident_bytes as f64)),
        ),
        or_none(
            median
                .output_bytes
                .map(|bytes| format!("{:.1}", bytes as f64 / median.kept.max(1) as f64)),
        ),
        or_none(row.output.map(|output| output.header_bytes_lost.to_string())),
        or_none(
            row.output
                .map(|output| Unit::Bytes.show(output.body_bytes_leaked as f64)),
        ),
    ]
}
