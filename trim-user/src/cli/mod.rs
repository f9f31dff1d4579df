//! The command line: one file per subcommand, flags only.

mod alert;
mod api;
mod backup;
mod check;
mod compare;
mod completions;
mod config;
mod debug;
mod diag;
mod doctor;
mod exit;
mod explain;
mod file;
mod findings;
mod health;
mod interfaces;
mod layers;
mod logs;
mod man;
mod monitor;
mod output;
mod progress;
mod recipients;
mod rehearse;
mod report;
mod rollback;
mod rollout;
mod rotate;
mod run;
mod status;
mod stop;
mod strategy;
mod switch;
mod top;
mod trimming;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use exit::Exit;

/// Keeps every packet and every HTTP header byte of a capture, and removes message bodies.
#[derive(Debug, Parser)]
#[command(name = "trim", version, about, after_help = exit::HELP, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// The identity that opens encrypted configuration and secret files and backups, as `age-keygen` makes it [default: the systemd
    /// credential trim-identity]
    #[arg(long, global = true, value_name = "FILE", env = "TRIM_IDENTITY_FILE")]
    identity: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Capture live traffic until a signal, `trim stop`, or a limit
    Run(run::RunArgs),
    /// Trim capture files
    File(file::FileArgs),
    /// Show what a running capture is doing
    Status(status::StatusArgs),
    /// Watch a running capture in the terminal
    Top(top::TopArgs),
    /// Change who trims, on a running capture
    Switch(switch::SwitchArgs),
    /// Begin a new output file, on a running capture
    Rotate(rotate::RotateArgs),
    /// End a running capture
    Stop(stop::StopArgs),
    /// Show how well a running capture is, and why
    Health(health::HealthArgs),
    /// Move traffic from legacy to scanning in five phases, under measured health
    Rollout(rollout::RolloutArgs),
    /// Take all traffic back to legacy, also when the daemon hangs
    Rollback(rollback::RollbackArgs),
    /// Make scanning fail on purpose, to see the rollback happen
    Rehearse(rehearse::RehearseArgs),
    /// Collect what is needed to find out what is wrong, and say what is
    Diag(diag::DiagArgs),
    /// Report on a day, a week or a month: traffic, loss, health, decisions, forecast
    Report(report::ReportArgs),
    /// Show the daemon's log
    Logs(logs::LogsArgs),
    /// List what each network interface can do here
    Interfaces(interfaces::InterfacesArgs),
    /// Watch how the memory of a running capture grows, and where
    Monitor(monitor::MonitorArgs),
    /// Profile a running capture, and let it give memory back
    Debug(debug::DebugArgs),
    /// Keep configuration, database and alert state in an archive, and put them back
    Backup(backup::BackupArgs),
    /// Go through what an operator looks at each day or each week
    Check(check::CheckArgs),
    /// Work with the configuration: show, explain and check it, have it read anew, compare and take back versions
    Config(config::ConfigArgs),
    /// Tell whether this machine is fit for a capture, and what to do where it is not
    Doctor(doctor::DoctorArgs),
    /// Send, list, acknowledge and silence alerts, and test their channels
    Alert(alert::AlertArgs),
    /// Describe the API of a running capture
    Api(api::ApiArgs),
    /// Prove that a trimmed capture is faithful and clean
    Verify(verify::VerifyArgs),
    /// Trim a capture by several strategies, and show what they cost and where they differ
    Compare(compare::CompareArgs),
    /// Tell why each byte of a packet was kept or cut
    Explain(explain::ExplainArgs),
    /// Test the strategies
    Strategy(strategy::StrategyArgs),
    /// Print the completions of a shell
    Completions(completions::CompletionsArgs),
    /// Write the manual pages
    Man(man::ManArgs),
}

/// Where a running capture is found, and how its answer is shown.
#[derive(Debug, Args)]
struct DaemonArgs {
    #[command(flatten)]
    socket: layers::SocketArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl DaemonArgs {
    fn socket(&self) -> PathBuf {
        self.socket.path()
    }
}

/// Parses the command line and runs what it asks for.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(identity) = &cli.identity {
        crate::sealed::use_identity(identity);
    }
    let result = match cli.command {
        Command::Run(args) => run::run(&args),
        Command::File(args) => file::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Top(args) => top::run(&args),
        Command::Switch(args) => switch::run(&args),
        Command::Rotate(args) => rotate::run(&args),
        Command::Stop(args) => stop::run(&args),
        Command::Health(args) => health::run(&args),
        Command::Rollout(args) => rollout::run(&args),
        Command::Rollback(args) => rollback::run(&args),
        Command::Rehearse(args) => rehearse::run(&args),
        Command::Diag(args) => diag::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Logs(args) => logs::run(&args),
        Command::Interfaces(args) => interfaces::run(&args),
        Command::Monitor(args) => monitor::run(&args),
        Command::Debug(args) => debug::run(&args),
        Command::Backup(args) => backup::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Alert(args) => alert::run(&args),
        Command::Api(args) => api::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Strategy(args) => strategy::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    };
    match result {
        Ok(exit) => exit.into(),
        // Who reads the output has seen enough, such as `head`.
        Err(error) if exit::is_closed_pipe(&error) => Exit::Good.into(),
        Err(error) => {
            eprintln!("trim: {}", exit::described(&error));
            exit::of_error(&error).into()
        }
    }
}
