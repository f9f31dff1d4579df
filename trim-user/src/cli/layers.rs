//! Which configuration a command works with.

use std::path::PathBuf;

use clap::Args;

use crate::config::Layers;

#[derive(Debug, Args)]
pub(super) struct LayerArgs {
    /// A configuration file instead of /etc/trim/trim.yaml; each further one is laid over the ones before
    #[arg(long, value_name = "FILE")]
    config: Vec<PathBuf>,
    /// Set one key, such as capture.ring_size=4096, over all files and the environment; may be given more than once
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
}

impl LayerArgs {
    /// The layers these arguments name.
    pub(super) fn layers(&self) -> Layers {
        let set = |layers: Layers, (key, text): &(String, String)| layers.with_flag("--set", key, text);
        self.set.iter().fold(Layers::standard(&self.config), set)
    }
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, such as capture.ring_size=4096".to_owned()),
    }
}
