//! A report as a page of its own.

use std::fmt::Write as _;

use super::text::{tables, title};
use super::{Material, Report};
use crate::ops::html;
use crate::ops::timeline::timeline;
use crate::plot::Mark;

/// A report as one file that loads nothing.
pub fn page(report: &Report, material: &Material) -> String {
    let heading = format!("{} report of trim", title(report.period.name()));
    let mut page = html::begin(&heading);
    let _ = writeln!(page, "<p class=\"dim\">{} to {}</p>", report.from, report.to);
    if report.is_empty() {
        page.push_str("<div class=\"card\">Nothing was measured in this period: the daemon was not running, or its database was not kept.</div>\n");
        return page + html::END;
    }
    page.push_str("<div class=\"plots\">\n");
    let from = material
        .to
        .0
        .saturating_sub(material.period.length().as_millis() as u64);
    let from = material.samples.first().map_or(from, |sample| sample.at.0.max(from));
    for plot in timeline(&material.samples, from, material.to.0, &marks(material)) {
        let _ = writeln!(page, "<div class=\"card\">{plot}</div>");
    }
    page.push_str("</div>\n");
    for (name, heads, rows) in tables(report) {
        html::table(&mut page, name, &heads, rows.into_iter());
    }
    page + html::END
}

/// Rollbacks of the period.
fn marks(material: &Material) -> Vec<Mark> {
    let last = material.decisions.last();
    let rollbacks = last.into_iter().flat_map(|last| &last.decision.state.rollbacks);
    rollbacks
        .map(|rollback| Mark {
            at: rollback.at.0,
            label: "rolled back".to_owned(),
        })
        .collect()
}
