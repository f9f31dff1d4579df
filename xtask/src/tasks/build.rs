//! `cargo xtask build`: the `trim` binary with the XDP program inside.

use std::path::PathBuf;

use anyhow::Result;
use xtask::command::{cargo, run, say};
use xtask::{toolchain, workspace};

/// Build the trim binary with the XDP program inside (target/release/trim).
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only build the XDP program and print the path of its object.
    #[arg(long)]
    object_only: bool,
}

pub(crate) fn run_task(options: &Options) -> Result<()> {
    if options.object_only {
        println!("{}", toolchain::build_object()?.display());
        return Ok(());
    }
    println!("{}", release_binary()?.display());
    Ok(())
}

/// Builds the release binary and gives its path.
pub(crate) fn release_binary() -> Result<PathBuf> {
    let object = toolchain::build_object()?;
    say("building trim");
    let mut command = cargo();
    command.args(["build", "--release", "--package", "trim-user", "--bin", "trim"]);
    run(command.env("TRIM_EBPF_OBJECT", &object))?;
    Ok(workspace::target_dir().join("release/trim"))
}
