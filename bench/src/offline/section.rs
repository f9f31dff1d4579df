//! The report on the page.

use trim_user::plot::{Bar, Bars, Unit};

use super::report::{Capture, Report, Row};
use crate::plots::Plot;
use crate::section::{Section, Table};

const HEADS: [&str; 8] = [
    "program",
    "time",
    "input /s",
    "CPU time",
    "peak RSS",
    "output",
    "headers lost, B",
    "bodies kept",
];

pub(super) fn of(report: &Report) -> Section {
    let captures = &report.captures;
    let targets = captures
        .iter()
        .flat_map(|capture| capture.targets.iter().map(|target| (capture.format, target.clone())));
    Section {
        scenario: report.scenario.to_owned(),
        machine: report.machine.line(),
        tables: captures.iter().map(|capture| table(report, capture)).collect(),
        plots: captures.iter().map(|capture| plot(report, capture)).collect(),
        targets: targets.collect(),
    }
}

fn table(report: &Report, capture: &Capture) -> Table {
    let size = Unit::Bytes.show(capture.file_bytes as f64);
    Table {
        title: format!("{}, {} of {size}", report.scenario, capture.format),
        heads: &HEADS,
        rows: capture.rows.iter().map(cells).collect(),
    }
}

fn cells(row: &Row) -> Vec<String> {
    let round = &row.median;
    let bytes = |bytes: Option<u64>| bytes.map_or_else(|| "-".to_owned(), |bytes| Unit::Bytes.show(bytes as f64));
    let seconds = |seconds: f64| Unit::Nanoseconds.show(seconds * 1e9);
    let lost = row.account.map(|account| account.header_bytes_lost.to_string());
    vec![
        row.program.to_owned(),
        seconds(round.seconds),
        Unit::BytesPerSecond.show(round.bytes_per_second),
        seconds(round.cpu_seconds),
        bytes(Some(round.peak_rss_bytes)),
        bytes(round.output_bytes),
        lost.unwrap_or_else(|| "-".to_owned()),
        bytes(row.account.map(|account| account.body_bytes_kept)),
    ]
}

fn plot(report: &Report, capture: &Capture) -> Plot {
    let bar = |row: &Row| Bar {
        name: row.program.to_owned(),
        value: row.median.bytes_per_second,
        colour: usize::from(!row.is_ours),
    };
    let bars: Vec<_> = capture.rows.iter().map(bar).collect();
    Plot {
        name: format!("{}-{}", report.scenario, capture.format),
        svg: Bars {
            title: &format!("{}: {} read per second", report.scenario, capture.format),
            unit: Unit::BytesPerSecond,
            bars: &bars,
        }
        .svg(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::account::Account;
    use super::super::program::Program;
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn each_capture_has_its_table_and_its_plot() {
        let account = Account {
            header_bytes_lost: 0,
            body_bytes_kept: 2048,
        };
        let section = of(&report(Program::Legacy, account));
        assert_eq!((section.tables.len(), section.plots.len()), (1, 1));
        let row = &section.tables[0].rows[0];
        assert_eq!(row.len(), section.tables[0].heads.len());
        assert_eq!((row[6].as_str(), row[7].as_str()), ("0", "2 KiB"));
    }
}
