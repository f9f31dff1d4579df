//! `trim config verify-active`.

use clap::Args;
use serde::Serialize;

use super::reload::table;
use crate::cli::layers::LayerArgs;
use crate::cli::{DaemonArgs, Exit, output};
use crate::control::client::Client;
use crate::control::configuration::{ActiveConfiguration, Change, changes};

/// Without `--config` and `--set` the daemon reads the layers that it was started with, its environment and flags among them.
/// With them, what is read here has to be what is active there.
#[derive(Debug, Args)]
pub(super) struct VerifyActiveArgs {
    #[command(flatten)]
    layers: LayerArgs,
    #[command(flatten)]
    daemon: DaemonArgs,
}

#[derive(Serialize)]
struct Verified<'a> {
    is_active: bool,
    sha256: &'a str,
    changes: &'a [Change],
}

pub(super) fn run(args: &VerifyActiveArgs) -> anyhow::Result<Exit> {
    let client = Client::new(&args.daemon.socket());
    let active = client.active_configuration()?;
    let changes = match args.layers.is_given() {
        true => changes(&active.effective(), &args.layers.layers().load()?.keys()),
        false => client.check_configuration()?.changes,
    };
    if args.daemon.json {
        output::json(&Verified {
            is_active: changes.is_empty(),
            sha256: &active.sha256,
            changes: &changes,
        })?;
    } else {
        output::text(&words(&active, &changes))?;
    }
    Ok(if changes.is_empty() { Exit::Good } else { Exit::No })
}

fn words(active: &ActiveConfiguration, changes: &[Change]) -> String {
    match changes {
        [] => format!("active, {} keys, by {}\n", active.keys.len(), active.who),
        changes => format!(
            "{} keys differ (active -> in the layers):\n{}",
            changes.len(),
            table(changes)
        ),
    }
}
