//! `trim check`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::layers::LayerArgs;
use super::{Exit, findings, output};
use crate::ops::checklist::{self, Period, Places};

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Packets, health, alerts, decisions, and the age of the latest backup; takes a moment
    Daily(ListArgs),
    /// The same, and besides: files and running configuration compared, decisions made again, the latest backup verified, the machine examined, strategies tested
    Weekly(ListArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    layers: LayerArgs,
    /// The running capture's socket; as configured when left out
    #[arg(long, value_name = "PATH", env = "TRIM_SOCKET")]
    socket: Option<PathBuf>,
    /// The folder of backups
    #[arg(long, value_name = "DIR", default_value = "/var/backups/trim")]
    backups: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<Exit> {
    let (period, args) = match &args.command {
        Command::Daily(args) => (Period::Daily, args),
        Command::Weekly(args) => (Period::Weekly, args),
    };
    let config = args.layers.layers().load()?.config;
    let places = Places {
        socket: args.socket.clone().unwrap_or_else(|| config.control_socket.clone()),
        backups: args.backups.clone(),
        config,
    };
    let report = checklist::examine(period, &places);
    if args.json {
        output::json(&findings::Answer::new(&report))?;
    } else {
        let verdict = if report.is_fit() { "good" } else { "not good" };
        let last = format!("{verdict} ({})\n", findings::sums(&report));
        output::text(&(findings::render(&report) + &last))?;
    }
    Ok(if report.is_fit() { Exit::Good } else { Exit::No })
}
