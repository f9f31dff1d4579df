//! `trim rollback`: everything back to `legacy`, with the daemon's help or without.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Serialize;

use super::{DaemonArgs, Exit, output};
use crate::control::api::rollout::RolloutRequest;
use crate::control::client::{Client, ClientError};
use crate::control::rollout::Request;
use crate::control::switch::{self, Reach};
use crate::kernel::pins;

/// How long the daemon may take before the kernel's map is written without it.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// Where traffic goes
    #[arg(long, default_value = "legacy", value_parser = ["legacy"])]
    strategy: String,
    /// Why; it stands in the event log and in the alert
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    reason: String,
    /// Flows that are there keep their strategy until they end (by default every flow follows at once)
    #[arg(long)]
    drain: bool,
    /// Write the kernel's map at once, without asking the daemon
    #[arg(long)]
    direct: bool,
    /// Tell the operators. A rollback always does; the flag is there for scripts that say so
    #[arg(long)]
    notify_ops: bool,
}

#[derive(Serialize)]
struct Done {
    done: String,
    by: &'static str,
    interfaces: Vec<String>,
}

pub(super) fn run(args: &RollbackArgs) -> anyhow::Result<Exit> {
    let reach = if args.drain { Reach::Drain } else { Reach::Immediate };
    let done = if args.direct {
        directly(reach)?
    } else {
        let client = Client::new(&args.daemon.socket()).patience(PATIENCE);
        let request = RolloutRequest {
            request: Request::Rollback(reach),
            reason: args.reason.clone(),
        };
        match client.rollout(&request) {
            Ok(answer) => Done {
                done: answer.reasons.join("; "),
                by: "daemon",
                interfaces: Vec::new(),
            },
            Err(ClientError::Refused(why)) if !why.contains("--direct") => bail!(ClientError::Refused(why)),
            Err(error) => {
                eprintln!("trim: {error}; writing the kernel's map without it");
                directly(reach)?
            }
        }
    };
    if args.daemon.json {
        output::json(&done)?;
    } else {
        output::text(&format!(
            "rolled back to {} by the {}: {}\n",
            args.strategy, done.by, done.done
        ))?;
    }
    Ok(Exit::Good)
}

/// Writes the pinned maps of every capture in this network namespace.
fn directly(reach: Reach) -> anyhow::Result<Done> {
    let directories = pins::directories().context("cannot list the pinned programs")?;
    if directories.is_empty() {
        bail!(
            "nothing is pinned under {}/trim for this network namespace: no capture with `capture.pin` was started here",
            pins::BPF_FILE_SYSTEM
        );
    }
    let mut interfaces = Vec::new();
    for directory in directories {
        let word = switch::roll_back_directly(&directory, reach)?;
        interfaces.push(format!("{} (generation {})", directory.display(), word.generation()));
    }
    Ok(Done {
        done: interfaces.join(", "),
        by: "command line",
        interfaces,
    })
}
