//! `trim doctor`.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{Exit, output};
use crate::config::{Config, ConfigError, check_interface_name};
use crate::ops::doctor::{self, Finding, Grade, Report};

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Look at this interface instead of the configured ones; may be given more than once
    #[arg(long, value_name = "IF", value_parser = |text: &str| check_interface_name(text).map(|()| text.to_owned()))]
    interface: Vec<String>,
    /// The configuration the machine is to be fit for; the built-in one when left out
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The report with its sums, for programs.
#[derive(Serialize)]
struct Answer<'a> {
    fit: bool,
    failures: usize,
    warnings: usize,
    findings: &'a [Finding],
}

pub(super) fn run(args: &DoctorArgs) -> anyhow::Result<Exit> {
    let mut config = match &args.config {
        Some(file) => Config::load(file)?,
        None => Config::parse("").map_err(|problems| ConfigError::Invalid { problems })?,
    };
    if !args.interface.is_empty() {
        config.capture.interfaces.clone_from(&args.interface);
    }
    let report = doctor::examine(&config);
    if args.json {
        output::json(&Answer {
            fit: report.is_fit(),
            failures: report.count(Grade::Failure),
            warnings: report.count(Grade::Warning),
            findings: &report.findings,
        })?;
    } else {
        output::text(&render(&report))?;
    }
    Ok(if report.is_fit() { Exit::Good } else { Exit::No })
}

fn render(report: &Report) -> String {
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
    let (failures, warnings) = (report.count(Grade::Failure), report.count(Grade::Warning));
    let verdict = if report.is_fit() { "fit" } else { "not fit" };
    let _ = writeln!(
        text,
        "{verdict} for this configuration (failures: {failures}, warnings: {warnings})"
    );
    text
}
