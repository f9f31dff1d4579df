//! `cargo xtask`: build, test, demo, bench, tidy, ci.

mod tasks;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The tasks of the repository. Each finds or installs what it needs, and says what it does before it does it.
#[derive(Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Build(tasks::build::Options),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Build(options) => tasks::build::run_task(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line without a backtrace: these are answers to a user, about their machine or their code.
            eprintln!("xtask: error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
