//! The report as a person reads it.

use super::report::{Report, Row};
use crate::plan::Extent;
use crate::targets::Target;

/// The whole report.
pub(super) fn text(report: &Report) -> String {
    let mut lines = vec![
        String::new(),
        format!(
            "trim bench: scenario {}, medians of {} rounds",
            report.scenario,
            report.rows.first().map_or(0, |row| row.rounds.len())
        ),
        format!("  machine  {}", report.machine.line()),
        format!(
            "  pinned   to CPU {}; CPU time of the thread, scheduling {}",
            report.cpu, report.machine.scheduling
        ),
        match report.extent {
            Extent::Smoke => "  A smoke test: these figures mean nothing.".to_owned(),
            _ => String::new(),
        },
        line(["", "", "ns/packet", "bytes/packet", "GB/s", "body kept %"]),
    ];
    lines.extend(report.rows.iter().map(figures));
    lines.push(String::new());
    lines.extend(report.targets.iter().map(Target::line));
    lines.join("\n") + "\n"
}

fn line(columns: [&str; 6]) -> String {
    let [traffic, trimmer, time, bytes, speed, kept] = columns;
    format!("  {traffic:<14}{trimmer:<12}{time:>10}{bytes:>14}{speed:>8}{kept:>13}")
}

fn figures(row: &Row) -> String {
    line([
        row.traffic,
        row.trimmer,
        &format!("{:.1}", row.ns_per_packet),
        &format!("{:.0}", row.wire_bytes_per_packet),
        &format!("{:.1}", row.gigabytes_per_second),
        &format!("{:.3}", row.body_kept * 100.0),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn a_row_shows_time_and_speed() {
        let text = text(&report("scanning", 0.005));
        let row = text.lines().find(|line| line.contains("scanning")).unwrap();
        let words: Vec<_> = row.split_whitespace().collect();
        assert_eq!(words, ["web", "scanning", "20.0", "1000", "50.0", "0.500"]);
    }
}
