//! `trim config show`.

use clap::Args;

use super::{Exit, LayerArgs, output};
use crate::config;

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    layers: LayerArgs,
    /// Say behind each value where it came from
    #[arg(long)]
    origin: bool,
    /// Print JSON: a list of keys with value and origin
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ShowArgs) -> anyhow::Result<Exit> {
    let effective = args.layers.layers().load()?.effective();
    if args.json {
        output::json(&effective)?;
    } else {
        output::text(&config::yaml(&effective, args.origin))?;
    }
    Ok(Exit::Good)
}
