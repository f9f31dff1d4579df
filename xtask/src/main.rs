//! `cargo xtask`: the tasks of the repository.

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
    Test(tasks::test::Options),
    Demo(tasks::demo::Options),
    Bench(tasks::bench::Options),
    Instructions(tasks::instructions::Options),
    Fuzz(tasks::fuzz::Options),
    Tidy(tasks::tidy::Options),
    Dist(tasks::dist::Options),
    Ci(tasks::ci::Options),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Build(options) => tasks::build::run_task(&options),
        Task::Test(options) => tasks::test::run_task(&options),
        Task::Demo(options) => tasks::demo::run_task(&options),
        Task::Bench(options) => tasks::bench::run_task(&options),
        Task::Instructions(options) => tasks::instructions::run_task(&options),
        Task::Fuzz(options) => tasks::fuzz::run_task(&options),
        Task::Tidy(options) => tasks::tidy::run_task(&options),
        Task::Dist(options) => tasks::dist::run_task(&options),
        Task::Ci(options) => tasks::ci::run_task(&options),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_a_benchmark_are_passed_on() {
        let arguments = Arguments::try_parse_from(["xtask", "bench", "--scenario", "bulk", "--quick"]).unwrap();
        let Task::Bench(options) = arguments.task else {
            panic!("`bench` is the benchmark task");
        };
        assert_eq!(options.arguments(), ["--scenario", "bulk", "--quick"]);
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
