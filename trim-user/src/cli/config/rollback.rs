//! `trim config rollback`.

use clap::Args;

use super::reload::show;
use crate::cli::{DaemonArgs, Exit};
use crate::control::api::configuration::ConfigRollbackRequest;
use crate::control::client::Client;

#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// The number of the version (`trim config history`)
    version: u64,
    /// Why; it stands in the event log and in the history
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Apply keys that a running capture can change even when others need a restart
    #[arg(long)]
    apply_what_can: bool,
}

pub(super) fn run(args: &RollbackArgs) -> anyhow::Result<Exit> {
    let applied = Client::new(&args.daemon.socket()).roll_back_configuration(&ConfigRollbackRequest {
        version: args.version,
        apply_what_can: args.apply_what_can,
        reason: args.reason.clone(),
    })?;
    show(&applied, args.daemon.json)?;
    Ok(Exit::Good)
}
