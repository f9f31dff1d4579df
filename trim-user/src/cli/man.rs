//! `trim man`: the manual pages, made from the same definitions that parse the command line.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};

use super::{Cli, Exit};

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Write one page for each command, trim.1, trim-run.1, ..., into this folder
    #[arg(long, value_name = "DIR")]
    directory: PathBuf,
}

pub(super) fn run(args: &ManArgs) -> anyhow::Result<Exit> {
    let folder = &args.directory;
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .with_context(|| format!("cannot write manual pages to {}", folder.display()))?;
    Ok(Exit::Good)
}
