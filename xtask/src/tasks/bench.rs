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

    /// What only has to work is built as for tests, which spares a long build.
    fn profile(&self) -> &'static str {
        let is_smoke = self.arguments.iter().any(|argument| argument == "--smoke");
        if is_smoke { "dev" } else { "release" }
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
    let profile = options.profile();
    say(format!("building trim and the benchmarks, profile {profile}"));
    let mut build = cargo();
    // Both in one call, because cargo would build the crates they share once for each. The benchmarks look for trim
    // beside themselves.
    build.args([
        "build",
        "--profile",
        profile,
        "--package",
        "trim-user",
        "--package",
        "trim-bench",
    ]);
    run(build.env("TRIM_EBPF_OBJECT", object))?;
    let folder = if profile == "dev" { "debug" } else { profile };
    let benchmarks = workspace::target_dir().join(folder).join("trim-bench");
    run(Command::new(benchmarks).args(options.arguments()))
}
