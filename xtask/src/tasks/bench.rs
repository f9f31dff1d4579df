//! `cargo xtask bench`: the benchmarks, with the XDP program inside.

use std::process::Command;

use anyhow::{Result, bail};
use xtask::command::{cargo, run, say};
use xtask::lab::lacking_privilege;
use xtask::toolchain::{self, Tool};
use xtask::workspace;

/// Run a benchmark; the options are those of the bench crate (`cargo xtask bench -- --help`).
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// Passed on to the bench crate, for example: --scenario bulk --quick
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Options {
    /// What the bench crate is called with.
    pub(crate) fn arguments(&self) -> &[String] {
        &self.arguments
    }
}

pub(crate) fn run_task(options: &Options) -> Result<()> {
    if let Some(lacking) = lacking_privilege() {
        bail!(
            "benchmarks send frames from the kernel into an interface of their own, which needs root ({lacking} missing): run `sudo -E cargo xtask bench`"
        );
    }
    toolchain::ensure_tools(Tool::BENCHMARKS)?;
    let object = toolchain::build_object()?;
    say("building trim and the benchmarks in release");
    let mut build = cargo();
    // Both in one call, because cargo would build the crates they share once for each. The benchmarks look for trim
    // beside themselves.
    build.args([
        "build",
        "--release",
        "--package",
        "trim-user",
        "--package",
        "trim-bench",
    ]);
    run(build.env("TRIM_EBPF_OBJECT", object))?;
    let benchmarks = workspace::target_dir().join("release/trim-bench");
    run(Command::new(benchmarks).args(options.arguments()))
}
