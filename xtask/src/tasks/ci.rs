//! `cargo xtask ci`: what continuous integration runs.

use std::process::Command;

use anyhow::Result;
use xtask::command::run;
use xtask::workspace;

/// Run what continuous integration runs (.ci/run): format, lints, tidy, every test.
#[derive(clap::Args)]
pub(crate) struct Options {}

pub(crate) fn run_task(_options: &Options) -> Result<()> {
    let script = workspace::root().join(".ci/run");
    let mut command = Command::new("bash");
    // `cargo run` adds library paths that would make the cargo in the script rebuild what a plain one built.
    command.arg(script).env_remove("LD_LIBRARY_PATH");
    run(&mut command)
}
