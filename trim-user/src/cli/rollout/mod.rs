//! `trim rollout`.

mod history;
mod show;
mod simulate;

use clap::{Args, Subcommand};

use super::{DaemonArgs, Exit, output};
use crate::control::api::rollout::RolloutRequest;
use crate::control::client::Client;
use crate::control::rollout::{Phase, Request};

#[derive(Debug, Args)]
pub(super) struct RolloutArgs {
    #[command(subcommand)]
    command: RolloutCommand,
}

#[derive(Debug, Subcommand)]
enum RolloutCommand {
    /// Begin with the first of the five phases
    Start(ReasonArgs),
    /// Show where it stands and what it lacks
    Status(StatusArgs),
    /// Stay where it is; health is still watched
    Pause(ReasonArgs),
    /// Go on
    Resume(ReasonArgs),
    /// Take the next step, or agree to the phase that waits
    Advance(AdvanceArgs),
    /// Give up: new flows go to legacy
    Abort(ReasonArgs),
    /// Allow rollouts again after too many rollbacks
    Unlock(ReasonArgs),
    /// Run one phase alone
    Phase(PhaseArgs),
    /// List what was decided, and why
    History(history::HistoryArgs),
    /// Make stored decisions again: they have to come out as they did
    Replay(history::ReplayArgs),
    /// Run the real decisions through invented events, faster than time
    Simulate(simulate::SimulateArgs),
}

#[derive(Debug, Args)]
struct ReasonArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// Why; it stands in the event log
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    reason: String,
}

#[derive(Debug, Args)]
struct StatusArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
}

#[derive(Debug, Args)]
struct AdvanceArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// Why; it stands in the event log
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Although criteria do not hold
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
struct PhaseArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// Which one
    #[arg(value_name = "NAME", value_parser = phase)]
    phase: Phase,
    /// Why; it stands in the event log
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    reason: String,
}

fn phase(name: &str) -> Result<Phase, String> {
    let names = || Phase::ALL.map(Phase::name).join(", ");
    Phase::by_name(name).ok_or_else(|| format!("one of {}", names()))
}

pub(super) fn run(args: &RolloutArgs) -> anyhow::Result<Exit> {
    match &args.command {
        RolloutCommand::Status(args) => show::run(&args.daemon),
        RolloutCommand::Simulate(args) => simulate::run(args),
        RolloutCommand::History(args) => history::history(args),
        RolloutCommand::Replay(args) => history::replay(args),
        RolloutCommand::Start(args) => ask(&args.daemon, Request::Start, &args.reason),
        RolloutCommand::Pause(args) => ask(&args.daemon, Request::Pause, &args.reason),
        RolloutCommand::Resume(args) => ask(&args.daemon, Request::Resume, &args.reason),
        RolloutCommand::Abort(args) => ask(&args.daemon, Request::Abort, &args.reason),
        RolloutCommand::Unlock(args) => ask(&args.daemon, Request::Unlock, &args.reason),
        RolloutCommand::Phase(args) => ask(&args.daemon, Request::Run(args.phase), &args.reason),
        RolloutCommand::Advance(args) => ask(&args.daemon, Request::Advance { force: args.force }, &args.reason),
    }
}

fn ask(daemon: &DaemonArgs, request: Request, reason: &str) -> anyhow::Result<Exit> {
    let answer = Client::new(&daemon.socket()).rollout(&RolloutRequest {
        request,
        reason: reason.to_owned(),
    })?;
    if daemon.json {
        output::json(&answer)?;
    } else {
        let state = &answer.state;
        let text = format!(
            "{}: {} in {}\n",
            answer.reasons.join("; "),
            state.status.name(),
            state.phase.name()
        );
        output::text(&text)?;
    }
    Ok(Exit::Good)
}
