//! `trim debug`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::progress::Progress;
use super::{DaemonArgs, Exit, output};
use crate::control::api::debug::{LONGEST_PROFILE, ProfileRequest};
use crate::control::client::Client;
use crate::control::diagnosis::memory::Released;
use crate::control::diagnosis::{Profile, Share};

/// What resolving names may take after the sampling.
const RESOLVING: Duration = Duration::from_secs(120);

#[derive(Debug, Args)]
pub(super) struct DebugArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sample what is allocated for a while, and who holds it
    HeapProfile(ProfileArgs),
    /// Sample where the time of each thread goes; `.svg` is a flame graph, anything else a pprof file
    CpuProfile(ProfileArgs),
    /// Give memory that no allocation needs back to the system
    ReleaseMemory(DaemonArgs),
}

#[derive(Debug, Args)]
struct ProfileArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// How long to sample
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=LONGEST_PROFILE))]
    seconds: u64,
    /// Write the profile to this file
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &DebugArgs) -> anyhow::Result<Exit> {
    match &args.command {
        Command::HeapProfile(args) => profile(args, Client::heap_profile, None),
        Command::CpuProfile(args) => profile(args, Client::cpu_profile, Some("svg")),
        Command::ReleaseMemory(args) => release(args),
    }
}

type Ask = fn(&Client, &ProfileRequest) -> Result<Profile, crate::control::client::ClientError>;

fn profile(args: &ProfileArgs, ask: Ask, picture: Option<&str>) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct Answer<'a> {
        unit: &'a str,
        total: u64,
        top: &'a [Share],
        output: Option<&'a Path>,
    }
    let client = Client::new(&args.daemon.socket()).patience(Duration::from_secs(args.seconds) + RESOLVING);
    let waiting = Progress::waiting("sampling", Duration::from_secs(args.seconds));
    let answer = ask(&client, &ProfileRequest { seconds: args.seconds });
    waiting.finish();
    let profile = answer?;
    if let Some(file) = &args.output {
        let is_picture = picture.is_some() && file.extension().and_then(|end| end.to_str()) == picture;
        let content = if is_picture {
            profile.svg.clone().into_bytes()
        } else {
            profile.pprof_bytes()?
        };
        std::fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if args.daemon.json {
        output::json(&Answer {
            unit: &profile.unit,
            total: profile.total,
            top: &profile.top,
            output: args.output.as_deref(),
        })?;
    } else {
        output::text(&table(&profile))?;
    }
    Ok(Exit::Good)
}

fn table(profile: &Profile) -> String {
    let value = |value: u64| match profile.unit.as_str() {
        "bytes" => output::bytes(value),
        _ => output::number(value),
    };
    let mut text = format!(
        "{:>12}  {:>8}  of {} {}\n",
        profile.unit,
        "share",
        value(profile.total),
        profile.unit
    );
    // Writing to a `String` cannot fail.
    for share in &profile.top {
        let part = output::share(share.value, profile.total);
        let _ = writeln!(text, "{:>12}  {part:>8}  {}", value(share.value), share.function);
    }
    text
}

fn release(args: &DaemonArgs) -> anyhow::Result<Exit> {
    let released = Client::new(&args.socket()).release_memory()?;
    if args.json {
        output::json(&released)?;
    } else {
        output::text(&before_and_after(&released))?;
    }
    Ok(Exit::Good)
}

fn before_and_after(released: &Released) -> String {
    let mut text = format!("{:<22} {:>12} {:>12}\n", "", "before", "after");
    for (name, before) in released
        .before
        .values
        .iter()
        .filter(|(name, _)| name.ends_with("_bytes"))
    {
        let after = released
            .after
            .values
            .get(name)
            .map_or("-".to_owned(), |bytes| output::bytes(*bytes));
        let _ = writeln!(
            text,
            "{:<22} {:>12} {after:>12}",
            name.trim_end_matches("_bytes").replace('_', " "),
            output::bytes(*before)
        );
    }
    text
}
