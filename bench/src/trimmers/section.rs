//! The report on the page.

use trim_user::plot::{Bar, Bars, Unit};

use super::report::{Report, Row};
use crate::plots::Plot;
use crate::section::{Section, Table};

const HEADS: [&str; 6] = ["traffic", "trimmer", "ns/packet", "bytes/packet", "GB/s", "bodies kept"];

pub(super) fn of(report: &Report) -> Section {
    Section {
        scenario: report.scenario.to_owned(),
        machine: report.machine.line(),
        tables: vec![Table {
            title: report.scenario.to_owned(),
            heads: &HEADS,
            rows: report.rows.iter().map(cells).collect(),
        }],
        plots: vec![plot(report)],
        targets: report.targets.iter().map(|target| ("", target.clone())).collect(),
    }
}

fn cells(row: &Row) -> Vec<String> {
    vec![
        row.traffic.to_owned(),
        row.trimmer.to_owned(),
        format!("{:.1}", row.ns_per_packet),
        format!("{:.0}", row.wire_bytes_per_packet),
        format!("{:.1}", row.gigabytes_per_second),
        Unit::Share.show(row.body_kept),
    ]
}

fn plot(report: &Report) -> Plot {
    let bar = |row: &Row| Bar {
        name: format!("{} {}", row.trimmer, row.traffic),
        value: row.ns_per_packet,
        colour: 0,
    };
    let bars: Vec<_> = report.rows.iter().map(bar).collect();
    Plot {
        name: format!("{}-time", report.scenario),
        svg: Bars {
            title: &format!("{}: time per packet", report.scenario),
            unit: Unit::Nanoseconds,
            bars: &bars,
        }
        .svg(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn each_row_has_a_cell_under_each_head() {
        let section = of(&report("scanning", 0.005));
        let table = &section.tables[0];
        let expected = ["web", "scanning", "20.0", "1000", "50.0", "0.5 %"];
        assert_eq!(
            (table.rows[0].as_slice(), table.heads.len()),
            (expected.map(str::to_owned).as_slice(), 6)
        );
        assert!(section.plots[0].svg.contains("scanning web"));
    }
}
