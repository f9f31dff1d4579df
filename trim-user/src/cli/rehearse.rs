//! `trim rehearse`: makes `scanning` fail, to see the rollback happen.

use clap::Args;

use super::{DaemonArgs, Exit, output};
use crate::config::Size;
use crate::control::client::Client;
use crate::shared::FaultPlan;

#[derive(Debug, Args)]
pub(super) struct RehearseArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// Packets over which it panics, percent
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    panics: f64,
    /// Packets whose headers it takes for body, percent
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    wrong: f64,
    /// Turns of an idle loop for each packet
    #[arg(long, value_name = "TURNS", default_value_t = 0)]
    spins: u64,
    /// Memory that it takes for each packet and never gives back, such as 64KiB
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = |text: &str| Size::parse(text).map(|size| size.0))]
    leak: u64,
    /// It does not come back from the next packet
    #[arg(long)]
    stall: bool,
    /// Take all faults back
    #[arg(long, conflicts_with_all = ["panics", "wrong", "spins", "leak", "stall"])]
    clear: bool,
}

pub(super) fn run(args: &RehearseArgs) -> anyhow::Result<Exit> {
    let asked = FaultPlan {
        panics: args.panics / 100.0,
        wrong: args.wrong / 100.0,
        spins: args.spins,
        leak: args.leak,
        stall: args.stall,
    };
    let plan = Client::new(&args.daemon.socket()).faults(&asked)?;
    if args.daemon.json {
        output::json(&plan)?;
    } else if plan == FaultPlan::default() {
        output::text("scanning works as it should again\n")?;
    } else {
        output::text("scanning fails from now on; `trim rehearse --clear` takes it back\n")?;
    }
    Ok(Exit::Good)
}
