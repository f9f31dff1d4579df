//! `trim switch`.

use clap::Args;

use super::{DaemonArgs, Exit, output};
use crate::control::api::SwitchRequest;
use crate::control::client::Client;
use crate::control::switch::Reach;

#[derive(Debug, Args)]
pub(super) struct SwitchArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// Who trims
    #[arg(long, value_name = "MODE", value_parser = ["legacy", "scanning", "auto", "ab_test", "comparison"])]
    mode: String,
    /// Share of flows on `scanning` in mode ab_test, percent; as it is when left out
    #[arg(long, value_name = "PERCENT")]
    split: Option<f64>,
    /// Every flow follows at once, from its next packet on; what is left of a message under way is kept whole
    #[arg(long, conflicts_with = "drain")]
    immediate: bool,
    /// Flows that are there keep their strategy until they end; new ones follow (this is the default)
    #[arg(long)]
    drain: bool,
    /// Why; it stands in the event log
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    reason: String,
}

pub(super) fn run(args: &SwitchArgs) -> anyhow::Result<Exit> {
    let request = SwitchRequest {
        mode: args.mode.clone(),
        split_percent: args.split,
        reach: if args.immediate { Reach::Immediate } else { Reach::Drain },
        reason: args.reason.clone(),
    };
    let done = Client::new(&args.daemon.socket()).switch(&request)?;
    if args.daemon.json {
        output::json(&done)?;
        return Ok(Exit::Good);
    }
    let time = done.switch.map_or_else(String::new, |switch| {
        format!(
            " (map write {:.1} us, last packet with the old tag after {:.1} us)",
            switch.write_microseconds, switch.microseconds
        )
    });
    output::text(&format!("{}{time}\n", done.done))?;
    Ok(Exit::Good)
}
