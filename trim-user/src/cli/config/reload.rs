//! `trim config reload`.

use std::fmt::Write as _;

use clap::Args;

use crate::cli::{DaemonArgs, Exit, output};
use crate::control::api::configuration::ReloadRequest;
use crate::control::client::Client;
use crate::control::configuration::{Applied, Change};

#[derive(Debug, Args)]
pub(super) struct ReloadArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// Apply keys that a running capture can change even when others need a restart
    #[arg(long)]
    apply_what_can: bool,
    /// Why; it stands in the event log and in the history
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    reason: String,
}

pub(super) fn run(args: &ReloadArgs) -> anyhow::Result<Exit> {
    let applied = Client::new(&args.daemon.socket()).reload(&ReloadRequest {
        apply_what_can: args.apply_what_can,
        reason: args.reason.clone(),
    })?;
    show(&applied, args.daemon.json)?;
    Ok(Exit::Good)
}

/// Prints what came of a change.
pub(super) fn show(applied: &Applied, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(applied);
    }
    let version = applied
        .version
        .map_or_else(String::new, |number| format!("version {number}: "));
    let mut text = format!("{version}{}\n", applied.done);
    text += &table(&applied.applied);
    if !applied.needs_restart.is_empty() {
        text += "after a restart:\n";
        text += &table(&applied.needs_restart);
    }
    if !applied.files_differ.is_empty() {
        text += "the files say something else, which holds again from the next reload or start on; change them to keep this:\n";
        text += &table(&applied.files_differ);
    }
    output::text(&text)
}

/// A line for each key.
pub(super) fn table(changes: &[Change]) -> String {
    let mut text = String::new();
    for change in changes {
        let origin = change.origin.as_deref().unwrap_or("default");
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "  {}: {} -> {}  ({origin})",
            change.key, change.active, change.wanted
        );
    }
    text
}
