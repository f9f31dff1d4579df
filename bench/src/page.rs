//! The whole run as one page that loads nothing.

use std::fmt::Write as _;

use trim_user::ops::html;
use trim_user::plot::{Unit, escape};

use crate::plots;
use crate::report::{Report, Row};

/// All reports of a run.
pub(crate) fn page(reports: &[Report]) -> String {
    let mut page = html::begin("Benchmark of trim");
    if let Some(first) = reports.first() {
        let _ = writeln!(page, "<p class=\"dim\">{}</p>", escape(&first.machine.line()));
    }
    let targets = reports.iter().flat_map(|report| {
        report.targets.iter().map(|target| {
            vec![
                report.scenario.clone(),
                target.what.to_owned(),
                format!("{:.2}", target.measured),
                target.demand(),
                target.verdict().to_owned(),
            ]
        })
    });
    let heads = ["scenario", "demand", "measured", "wanted", "verdict"];
    html::table(&mut page, "Demands", &heads, targets);
    for report in reports {
        scenario(&mut page, report);
    }
    page + html::END
}

fn scenario(page: &mut String, report: &Report) {
    let heads = [
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
    html::table(page, &report.scenario, &heads, report.rows.iter().map(cells));
    page.push_str("<div class=\"plots\">\n");
    for plot in plots::of(report) {
        let _ = writeln!(page, "<div class=\"card\">{}</div>", plot.svg);
    }
    page.push_str("</div>\n");
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn each_scenario_has_its_table_and_its_plots() {
        let page = page(&[fixture("bulk"), fixture("web")]);
        for part in [
            "<h2>bulk</h2>",
            "<h2>web</h2>",
            "bulk: packets kept",
            "web: packets lost by rate",
            "us to the last",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert!(!page.contains("src="), "it loads nothing");
    }
}
