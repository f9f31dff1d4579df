//! `cargo xtask instructions`: whether the trimmers still need no more instructions than they did.

use anyhow::{Context, Result};
use xtask::command::{cargo, run, say};
use xtask::toolchain::{self, Tool};

/// Count the instructions of the trimmers; fails when there are more than bench/benches/instructions.rs allows.
#[derive(clap::Args)]
pub(crate) struct Options {}

pub(crate) fn run_task(_options: &Options) -> Result<()> {
    toolchain::ensure_tools(&[Tool::VALGRIND])?;
    let runner = toolchain::instruction_counter()?;
    // Everything as `cargo xtask test` builds it, so that nothing is built again after it.
    let object = toolchain::build_object()?;
    say("counting instructions under valgrind");
    let mut command = cargo();
    command.args(["bench", "--quiet", "--profile", "dev", "--bench", "instructions"]);
    command.env("TRIM_EBPF_OBJECT", object).env("GUNGRAUN_RUNNER", runner);
    run(&mut command).context(
        "a trimmer needs more instructions than bench/benches/instructions.rs allows (or valgrind could not run, see above). \
         The limits are those of rustc 1.95",
    )
}
