//! `trim config`.

mod explain;
mod init;
mod schema;
mod show;
mod validate;

use clap::{Args, Subcommand};

use super::layers::LayerArgs;
use super::{Exit, doctor, output};

#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Show the configuration that holds, every key
    Show(show::ShowArgs),
    /// Tell what a key means, what it may be and what it is
    Explain(explain::ExplainArgs),
    /// Print the JSON Schema of configuration files, from which editors complete keys
    Schema(schema::SchemaArgs),
    /// Write a configuration file with every key as a comment
    Init(init::InitArgs),
    /// Check a configuration, and with --test-mode the machine, without changing anything
    Validate(validate::ValidateArgs),
}

pub(super) fn run(args: &ConfigArgs) -> anyhow::Result<Exit> {
    match &args.command {
        ConfigCommand::Show(args) => show::run(args),
        ConfigCommand::Explain(args) => explain::run(args),
        ConfigCommand::Schema(args) => schema::run(args),
        ConfigCommand::Init(args) => init::run(args),
        ConfigCommand::Validate(args) => validate::run(args),
    }
}
