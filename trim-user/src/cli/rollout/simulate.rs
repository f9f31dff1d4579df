//! `trim rollout simulate`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;

use crate::cli::progress::Progress;
use crate::cli::{Exit, output};
use crate::config::Config;
use crate::control::health::Moment;
use crate::control::rollout::{Decision, Move, Plan, Scenario, Status, simulate};

#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    /// The invented events, as YAML; without it nothing happens but ordinary traffic
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Take the plan from this configuration instead of the default
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How many times faster than real time, such as 1000x; as fast as possible when left out
    #[arg(long, value_name = "N", value_parser = speed)]
    speed: Option<f64>,
    /// Run it so many times with different noise, and count how the runs end
    #[arg(long, value_name = "N", default_value_t = 1)]
    repeat: u64,
    /// Print JSON: one line for each decision, or the counts
    #[arg(long)]
    json: bool,
}

fn speed(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('x').unwrap_or(text);
    match number.parse() {
        Ok(speed) if speed > 0.0 => Ok(speed),
        _ => Err("a number above 0, such as 1000x".to_owned()),
    }
}

/// How many runs ended how.
#[derive(Debug, Default, Serialize)]
struct Ends {
    runs: u64,
    completed: u64,
    rolled_back: u64,
    paused: u64,
    other: u64,
}

pub(super) fn run(args: &SimulateArgs) -> anyhow::Result<Exit> {
    let scenario = match &args.scenario {
        Some(path) => read(path)?,
        None => Scenario::default(),
    };
    let plan = match &args.config {
        Some(path) => Config::load(path)?.rollout,
        None => Plan::default(),
    };
    if args.repeat > 1 {
        return repeat(args, &plan, &scenario);
    }
    let started = Instant::now();
    let progress = Progress::steps("hours");
    let simulated = simulate(&plan, &scenario, |at, decision| {
        if let Some(speed) = args.speed {
            let due = Duration::from_secs_f64(at.0 as f64 / 1e3 / speed);
            std::thread::sleep(due.saturating_sub(started.elapsed()));
        }
        if worth_telling(decision) {
            // A closed standard output ends the program elsewhere; the rehearsal itself cannot fail.
            let _ = progress.suspend(|| tell(args.json, at, decision));
        }
        progress.step(at.0 / 3_600_000, scenario.hours.ceil() as u64);
    });
    progress.finish();
    let state = &simulated.state;
    if !args.json {
        let text = format!(
            "{} in {} after {} samples\n",
            state.status.name(),
            state.phase.name(),
            simulated.samples
        );
        output::text(&text)?;
    }
    Ok(if state.status == Status::Completed {
        Exit::Good
    } else {
        Exit::No
    })
}

fn read(path: &PathBuf) -> anyhow::Result<Scenario> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_saphyr::from_str(&text).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))
}

fn worth_telling(decision: &Decision) -> bool {
    !matches!(decision.chosen, Move::Hold | Move::Watch) || !decision.actions.is_empty()
}

#[derive(Serialize)]
struct Line<'a> {
    seconds: f64,
    #[serde(flatten)]
    decision: &'a Decision,
}

fn tell(json: bool, at: Moment, decision: &Decision) -> anyhow::Result<()> {
    let seconds = at.0 as f64 / 1e3;
    if json {
        return output::json(&Line { seconds, decision });
    }
    let (state, days) = (&decision.state, seconds / 86_400.0);
    output::text(&format!(
        "day {days:7.3}  {:<10} {:<20} {}\n",
        format!("{:?}", decision.chosen).to_lowercase(),
        state.phase.name(),
        decision.reasons.join("; ")
    ))
}

fn repeat(args: &SimulateArgs, plan: &Plan, scenario: &Scenario) -> anyhow::Result<Exit> {
    let progress = Progress::steps("runs");
    let mut ends = Ends {
        runs: args.repeat,
        ..Ends::default()
    };
    for run in 0..args.repeat {
        let scenario = Scenario {
            seed: scenario.seed.wrapping_add(run),
            ..scenario.clone()
        };
        let end = match simulate(plan, &scenario, |_, _| {}).state.status {
            Status::Completed => &mut ends.completed,
            Status::RolledBack => &mut ends.rolled_back,
            Status::Paused => &mut ends.paused,
            _ => &mut ends.other,
        };
        *end += 1;
        progress.step(run + 1, args.repeat);
    }
    progress.finish();
    if args.json {
        output::json(&ends)?;
    } else {
        output::text(&format!(
            "of {} runs {} completed, {} were rolled back, {} paused, {} otherwise\n",
            ends.runs, ends.completed, ends.rolled_back, ends.paused, ends.other
        ))?;
    }
    Ok(if ends.completed == ends.runs {
        Exit::Good
    } else {
        Exit::No
    })
}
