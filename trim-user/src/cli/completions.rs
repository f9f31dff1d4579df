//! `trim completions`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, Exit, output};

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell, such as bash, zsh or fish
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "trim", &mut script);
    output::text(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Good)
}
