//! `trim rollout history` and `trim rollout replay`: what was decided, and whether it would be decided again.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use crate::cli::{Exit, output};
use crate::control::health::Moment;
use crate::control::store::{Recorded, Store, Which};

/// The database of a capture, running or not.
#[derive(Debug, Args)]
struct DatabaseArgs {
    /// The capture's database (`control.database` in its configuration)
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/var/lib/trim/trim.db",
        env = "TRIM_DATABASE"
    )]
    database: PathBuf,
    /// Print JSON, one line for each decision
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// So many of the latest decisions
    #[arg(long, value_name = "N", default_value_t = 50)]
    latest: usize,
    /// Decisions to stay as well
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Only the decision in force at this time, such as 2026-11-22T18:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<Moment>,
}

fn time(text: &str) -> Result<Moment, String> {
    let time: jiff::Timestamp = text
        .parse()
        .map_err(|_| "a time in RFC 3339, such as 2026-11-22T18:00:00Z".to_owned())?;
    u64::try_from(time.as_millisecond())
        .map(Moment)
        .map_err(|_| "a time after 1970".to_owned())
}

pub(super) fn history(args: &HistoryArgs) -> anyhow::Result<Exit> {
    let store = Store::read(&args.database.database)?;
    let which = if args.all {
        Which::Latest(args.latest)
    } else {
        Which::Notable(args.latest)
    };
    let mut decisions = store.decisions(which)?;
    decisions.sort_by_key(|decision| decision.sequence);
    for decision in &decisions {
        if args.database.json {
            output::json(decision)?;
        } else {
            output::text(&line(decision))?;
        }
    }
    Ok(Exit::Good)
}

fn line(recorded: &Recorded) -> String {
    let at = i64::try_from(recorded.at.0)
        .ok()
        .and_then(|milliseconds| jiff::Timestamp::from_millisecond(milliseconds).ok())
        .map_or_else(
            || "?".to_owned(),
            |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        );
    let (decision, state) = (&recorded.decision, &recorded.decision.state);
    format!(
        "{:>6}  {at}  {:<10} {:<12} {:<20} {}\n",
        recorded.sequence,
        format!("{:?}", decision.chosen).to_lowercase(),
        state.status.name(),
        state.phase.name(),
        decision.reasons.join("; ")
    )
}

pub(super) fn replay(args: &ReplayArgs) -> anyhow::Result<Exit> {
    let store = Store::read(&args.database.database)?;
    let replayed = store.replay(args.at.map_or(Which::All, Which::At))?;
    if replayed.decisions == 0 {
        bail!("{} holds no such decision", args.database.database.display());
    }
    if args.database.json {
        output::json(&replayed)?;
    } else {
        for difference in &replayed.differences {
            let places = difference.places.join("\n          ");
            output::text(&format!("{:>6}  {places}\n", difference.sequence))?;
        }
        output::text(&format!(
            "{} decisions made again, {} came out otherwise\n",
            replayed.decisions,
            replayed.differences.len()
        ))?;
    }
    Ok(if replayed.differences.is_empty() {
        Exit::Good
    } else {
        Exit::No
    })
}
