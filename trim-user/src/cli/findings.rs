//! How findings are shown.

use std::fmt::Write as _;

use serde::Serialize;

use crate::ops::finding::{Finding, Grade, Report};

/// A report with its sums, for programs.
#[derive(Serialize)]
pub(super) struct Answer<'a> {
    fit: bool,
    failures: usize,
    warnings: usize,
    findings: &'a [Finding],
}

impl<'a> Answer<'a> {
    pub(super) fn new(report: &'a Report) -> Self {
        Self {
            fit: report.is_fit(),
            failures: report.count(Grade::Failure),
            warnings: report.count(Grade::Warning),
            findings: &report.findings,
        }
    }
}

/// The findings, by subject, a line each; below those that are not as they should be, why it matters and what to do.
pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    let mut subject = "";
    // Writing to a `String` cannot fail.
    for finding in &report.findings {
        if finding.subject != subject {
            subject = &finding.subject;
            let _ = writeln!(text, "{subject}");
        }
        let _ = writeln!(
            text,
            "  {:<8} {:<16} {}",
            finding.grade.name(),
            finding.check,
            finding.found
        );
        for (word, content) in [("why", &finding.why), ("fix", &finding.fix)] {
            if !content.is_empty() {
                let _ = writeln!(text, "           {word}: {content}");
            }
        }
    }
    text
}

/// How many are how serious.
pub(super) fn sums(report: &Report) -> String {
    let (failures, warnings) = (report.count(Grade::Failure), report.count(Grade::Warning));
    format!("failures: {failures}, warnings: {warnings}")
}
