//! The report as a person reads it.

use super::report::{Capture, Report, Row};
use crate::plan::Extent;
use crate::targets::Target;

/// The whole report.
pub(super) fn text(report: &Report) -> String {
    let first = report.captures.first().and_then(|capture| capture.rows.first());
    let mut lines = vec![
        String::new(),
        format!(
            "trim bench: scenario {}, medians of {} rounds",
            report.scenario,
            first.map_or(0, |row| row.rounds.len())
        ),
        format!("  machine  {}", report.machine.line()),
        "  pinned   nothing: each program may use all CPUs".to_owned(),
    ];
    if report.extent == Extent::Smoke {
        lines.push("  A smoke test: these figures mean nothing.".to_owned());
    }
    lines.extend(report.captures.iter().flat_map(capture));
    lines.push(String::new());
    lines.extend(settings(report));
    lines.extend(report.missing.iter().map(|missing| format!("  missing: {missing}")));
    lines.join("\n") + "\n"
}

fn capture(capture: &Capture) -> Vec<String> {
    let content = &capture.content;
    let mut lines = vec![
        String::new(),
        format!(
            "  {} of {} MiB: {} packets, {} bytes of headers, {} of bodies",
            capture.format,
            capture.file_bytes >> 20,
            content.packets,
            content.header_bytes,
            content.body_bytes
        ),
        line([
            "",
            "time",
            "input",
            "CPU",
            "peak RSS",
            "output",
            "header lost",
            "body kept",
        ]),
        line(["", "s", "GB/s", "s", "MiB", "MB", "bytes", "bytes"]),
    ];
    lines.extend(capture.rows.iter().map(figures));
    lines.push(String::new());
    lines.extend(capture.targets.iter().map(Target::line));
    lines
}

fn line(columns: [&str; 8]) -> String {
    let [name, time, input, cpu, rss, output, header, body] = columns;
    format!("  {name:<18}{time:>9}{input:>9}{cpu:>9}{rss:>10}{output:>10}{header:>13}{body:>13}")
}

fn figures(row: &Row) -> String {
    let round = &row.median;
    let count = |count: Option<u64>| count.map_or("-".to_owned(), |count| count.to_string());
    line([
        row.program,
        &format!("{:.3}", round.seconds),
        &format!("{:.2}", round.bytes_per_second / 1e9),
        &format!("{:.3}", round.cpu_seconds),
        &(round.peak_rss_bytes >> 20).to_string(),
        &round
            .output_bytes
            .map_or("-".to_owned(), |bytes| format!("{:.1}", bytes as f64 / 1e6)),
        &count(row.account.map(|account| account.header_bytes_lost)),
        &count(row.account.map(|account| account.body_bytes_kept)),
    ])
}

/// They are the same for all captures.
fn settings(report: &Report) -> Vec<String> {
    let rows = report.captures.first().map_or(&[][..], |capture| &capture.rows);
    rows.iter()
        .map(|row| format!("  {:<28} {}", row.program, row.setting))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::account::Account;
    use super::super::program::Program;
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn a_row_shows_what_was_lost_and_what_was_kept() {
        let account = Account {
            header_bytes_lost: 12_345,
            body_bytes_kept: 678,
        };
        let text = text(&report(Program::Editcap, account));
        let row = text.lines().find(|line| line.contains("editcap")).unwrap();
        let words: Vec<_> = row.split_whitespace().collect();
        assert_eq!(
            words,
            [
                "editcap", "-s", "128", "1.000", "1.00", "1.000", "10", "0.0", "12345", "678"
            ]
        );
    }
}
