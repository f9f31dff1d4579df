//! `trim doctor`.

use clap::Args;

use super::layers::LayerArgs;
use super::{Exit, findings, output};
use crate::config::check_interface_name;
use crate::ops::doctor;
use crate::ops::finding::Report;

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Look at this interface instead of the configured ones; may be given more than once
    #[arg(long, value_name = "IF", value_parser = |text: &str| check_interface_name(text).map(|()| text.to_owned()))]
    interface: Vec<String>,
    #[command(flatten)]
    layers: LayerArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &DoctorArgs) -> anyhow::Result<Exit> {
    let mut config = args.layers.layers().load()?.config;
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

pub(super) fn render(report: &Report) -> String {
    let verdict = if report.is_fit() { "fit" } else { "not fit" };
    findings::render(report) + &format!("{verdict} for this configuration ({})\n", findings::sums(report))
}
