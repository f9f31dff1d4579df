//! `trim rotate`.

use clap::Args;

use super::{DaemonArgs, Exit, output};
use crate::control::client::Client;

#[derive(Debug, Args)]
pub(super) struct RotateArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
}

pub(super) fn run(args: &RotateArgs) -> anyhow::Result<Exit> {
    let done = Client::new(&args.daemon.socket).rotate()?;
    if args.daemon.json {
        output::json(&done)?;
    } else {
        output::text(&format!("{}\n", done.done))?;
    }
    Ok(Exit::Good)
}
