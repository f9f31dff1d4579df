//! `trim api`.

use clap::{Args, Subcommand};

use super::{Exit, output};
use crate::control::api;

#[derive(Debug, Args)]
pub(super) struct ApiArgs {
    #[command(subcommand)]
    command: ApiCommand,
}

#[derive(Debug, Subcommand)]
enum ApiCommand {
    /// Print the OpenAPI document of the daemon's API; no daemon is needed
    Openapi,
}

pub(super) fn run(args: &ApiArgs) -> anyhow::Result<Exit> {
    match args.command {
        ApiCommand::Openapi => output::text(&format!("{}\n", api::document().to_pretty_json()?))?,
    }
    Ok(Exit::Good)
}
