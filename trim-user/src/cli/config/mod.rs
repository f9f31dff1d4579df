//! `trim config`.

mod database;
mod decrypt;
mod diff;
mod encrypt;
mod explain;
mod history;
mod init;
mod passphrase;
mod reload;
mod rollback;
mod schema;
mod show;
mod target;
mod validate;
mod verify_active;

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
    /// Have a running capture read its configuration anew, as a whole or not at all
    Reload(reload::ReloadArgs),
    /// Tell whether a running capture is on its configuration as it stands in files now
    VerifyActive(verify_active::VerifyActiveArgs),
    /// List every configuration that was active: when, by whom, why
    History(history::HistoryArgs),
    /// Show in which keys two versions of the configuration differ
    Diff(diff::DiffArgs),
    /// Make an earlier version active on a running capture; files stay as they are
    Rollback(rollback::RollbackArgs),
    /// Encrypt a configuration or secret file with age; it is used as a plain one is
    Encrypt(encrypt::EncryptArgs),
    /// Decrypt such a file
    Decrypt(decrypt::DecryptArgs),
}

pub(super) fn run(args: &ConfigArgs) -> anyhow::Result<Exit> {
    match &args.command {
        ConfigCommand::Show(args) => show::run(args),
        ConfigCommand::Explain(args) => explain::run(args),
        ConfigCommand::Schema(args) => schema::run(args),
        ConfigCommand::Init(args) => init::run(args),
        ConfigCommand::Validate(args) => validate::run(args),
        ConfigCommand::Reload(args) => reload::run(args),
        ConfigCommand::VerifyActive(args) => verify_active::run(args),
        ConfigCommand::History(args) => history::run(args),
        ConfigCommand::Diff(args) => diff::run(args),
        ConfigCommand::Rollback(args) => rollback::run(args),
        ConfigCommand::Encrypt(args) => encrypt::run(args),
        ConfigCommand::Decrypt(args) => decrypt::run(args),
    }
}
