//! `trim run`.

mod announce;
mod archive;
mod assemble;
mod confine;
mod growth;
mod serve;
mod ship;
mod summary;
mod watch;

use std::time::Duration;

use clap::Args;

use super::layers::LayerArgs;
use super::{Exit, output};
use crate::config::{Layers, Span, check_interface_name};
use crate::control::api::{ApiSocket, mode_by_name};
use crate::control::web::WebListener;
use crate::telemetry::logging;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    layers: LayerArgs,
    /// Capture on this interface instead of the configured ones; may be given more than once
    #[arg(long, value_name = "IF", value_parser = interface)]
    interface: Vec<String>,
    /// Who trims at the start: legacy, scanning, auto, ab_test or comparison
    #[arg(long, value_name = "MODE", value_parser = |text: &str| mode_by_name(text).map(|_| text.to_owned()))]
    mode: Option<String>,
    /// Share of flows on `scanning` in mode ab_test, percent
    #[arg(long, value_name = "PERCENT")]
    split: Option<f64>,
    /// Stop after this long, such as 30s or 15m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    duration: Option<Duration>,
    /// Stop after this many packets
    #[arg(long, value_name = "N")]
    packets: Option<u64>,
    /// Print the closing summary as one line of JSON
    #[arg(long)]
    json: bool,
}

fn interface(text: &str) -> Result<String, String> {
    check_interface_name(text).map(|()| text.to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    Span::parse(text).map(|span| span.0)
}

pub(super) fn run(args: &RunArgs) -> anyhow::Result<Exit> {
    let layers = layers(args);
    let loaded = layers.load_for_capture()?;
    let config = loaded.config.clone();
    // Before the capture, so that one that cannot be asked does not begin; before privileges go, as giving the socket to a
    // group and low ports need some.
    let doors = serve::Doors {
        socket: ApiSocket::bind(&config.control_socket, config.control_group.as_deref())?,
        web: config.web.as_ref().map(WebListener::open).transpose()?,
    };
    // The one thread that keeps its privileges, until it has opened the interfaces.
    let opener = assemble::Opener::start(&config)?;
    let confined = confine::confine(&config, &layers)?;
    // Until the end of this function: what is on its way is written when it goes.
    let _log = logging::init(&config.logging)?;
    confined.log();
    let limits = serve::Limits {
        duration: args.duration,
        packets: args.packets,
    };
    let capture = assemble::Capture::start(&config, opener)?;
    let summary = serve::serve(capture, serve::Configured { layers, loaded }, limits, doors)?;
    if args.json {
        output::json(&summary)?;
    } else {
        output::text(&summary::render(&summary))?;
    }
    Ok(summary::verdict(&summary))
}

/// The configuration's layers, with what the command line says of keys on top.
fn layers(args: &RunArgs) -> Layers {
    let mut layers = args.layers.layers();
    if !args.interface.is_empty() {
        layers = layers.with_flag("--interface", "capture.interfaces", args.interface.join(","));
    }
    if let Some(mode) = &args.mode {
        layers = layers.with_flag("--mode", "strategy.mode", mode);
    }
    if let Some(percent) = args.split {
        layers = layers.with_flag("--split", "strategy.split_percent", percent.to_string());
    }
    layers
}
