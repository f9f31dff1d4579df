//! `trim rotate`.

use clap::Args;

use super::{DaemonArgs, Exit, output};
use crate::control::api::Reasoned;
use crate::control::client::Client;

#[derive(Debug, Args)]
pub(super) struct RotateArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// Why; it stands in the event log
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    reason: String,
}

pub(super) fn run(args: &RotateArgs) -> anyhow::Result<Exit> {
    let done = Client::new(&args.daemon.socket()).rotate(&Reasoned {
        reason: args.reason.clone(),
    })?;
    if args.daemon.json {
        output::json(&done)?;
    } else {
        output::text(&format!("{}\n", done.done))?;
    }
    Ok(Exit::Good)
}
