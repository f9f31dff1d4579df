//! Which configuration a command works with.

use std::path::PathBuf;

use clap::Args;

use crate::config::{Layers, STANDARD_SOCKET};

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
    /// Whether they name anything.
    pub(super) const fn is_given(&self) -> bool {
        !self.config.is_empty() || !self.set.is_empty()
    }

    /// The layers these arguments name.
    pub(super) fn layers(&self) -> Layers {
        let set = |layers: Layers, (key, text): &(String, String)| layers.with_flag("--set", key, text);
        self.set.iter().fold(Layers::standard(&self.config), set)
    }
}

/// Reads `KEY=VALUE`.
pub(super) fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, such as capture.ring_size=4096".to_owned()),
    }
}

/// Where a running capture is found. Commands for emergencies look for it: what else is wrong with the configuration is
/// said, and does not hold them up.
#[derive(Debug, Args)]
pub(super) struct SocketArgs {
    /// The running capture's socket; without it `control.socket` of the configuration, or else /run/trim/trim.sock
    #[arg(long = "socket", value_name = "PATH", env = "TRIM_SOCKET")]
    given: Option<PathBuf>,
}

impl SocketArgs {
    /// The path of the socket.
    pub(super) fn path(&self) -> PathBuf {
        if let Some(path) = &self.given {
            return path.clone();
        }
        let found = Layers::standard(&[]).lookup(SOCKET_KEY);
        let (path, what) = match found.text {
            Some(text) => (PathBuf::from(text), "as far as it can be read"),
            None => (PathBuf::from(STANDARD_SOCKET), "the built-in one"),
        };
        if let Some(first) = found.problems.first() {
            eprintln!(
                "trim: warning: {first}; using the socket {} ({what}); `trim config validate` shows all problems",
                path.display()
            );
        }
        path
    }
}

const SOCKET_KEY: &str = "control.socket";
