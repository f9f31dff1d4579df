//! `trim doctor`.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, findings, output};
use crate::config::{Config, ConfigError, check_interface_name};
use crate::ops::doctor;
use crate::ops::finding::Report;

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
        output::json(&findings::Answer::new(&report))?;
    } else {
        output::text(&render(&report))?;
    }
    Ok(if report.is_fit() { Exit::Good } else { Exit::No })
}

fn render(report: &Report) -> String {
    let verdict = if report.is_fit() { "fit" } else { "not fit" };
    findings::render(report) + &format!("{verdict} for this configuration ({})\n", findings::sums(report))
}
