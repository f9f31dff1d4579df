//! `cargo xtask bench`: the benchmarks, with the XDP program inside.

use anyhow::{Result, bail};
use xtask::command::{cargo, run, say};
use xtask::lab::lacking_privilege;
use xtask::toolchain::{self, Tool};

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
    // The benchmarks look for the binary under test beside themselves.
    let binary = super::build::release_binary()?;
    let object = toolchain::build_object()?;
    say(format!("building the benchmarks of {}", binary.display()));
    let mut command = cargo();
    command
        .args(["run", "--quiet", "--release", "--package", "trim-bench", "--"])
        .args(options.arguments());
    run(command.env("TRIM_EBPF_OBJECT", object))
}
