//! `trim stop`.

use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;

use super::{DaemonArgs, Exit, output};
use crate::control::api::Reasoned;
use crate::control::client::{Client, ClientError};

#[derive(Debug, Args)]
pub(super) struct StopArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// Why; it stands in the event log
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    reason: String,
    /// Do not wait until the capture has ended
    #[arg(long)]
    no_wait: bool,
    /// How long to wait, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
}

pub(super) fn run(args: &StopArgs) -> anyhow::Result<Exit> {
    let client = Client::new(&args.daemon.socket());
    let mut done = client.stop(&Reasoned {
        reason: args.reason.clone(),
    })?;
    if !args.no_wait {
        wait_for_the_end(&client, Duration::from_secs(args.timeout))?;
        "stopped".clone_into(&mut done.done);
    }
    if args.daemon.json {
        output::json(&done)?;
    } else {
        output::text(&format!("{}\n", done.done))?;
    }
    Ok(Exit::Good)
}

/// The daemon takes its socket away as the last thing it does.
fn wait_for_the_end(client: &Client, timeout: Duration) -> anyhow::Result<()> {
    let deadline = Instant::now() + timeout;
    while Instant::now() < deadline {
        if let Err(ClientError::NotRunning { .. }) = client.status() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!(
        "the capture was told to stop, but still answers after {} s",
        timeout.as_secs()
    )
}
