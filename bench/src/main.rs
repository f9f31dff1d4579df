//! Benchmarks of `trim`: real frames at the kernel's full speed into an interface, and who keeps how many of them.
//!
//! `cargo xtask bench` builds everything and runs this. `docs/benchmarks.md` says how to read the result.

mod cpus;
mod machine;
mod peers;
mod record;
mod report;
mod scenario;
mod table;
mod targets;
mod traffic;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use trim_user::kernel::program::is_embedded;

use scenario::Size;

/// Measure side by side, on frames that the kernel makes, how many packets trim and others keep.
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Arguments {
    /// What traffic is made
    #[arg(long, value_enum, default_value = "bulk")]
    scenario: Scenario,
    /// Fewer packets and rounds: about a minute in all
    #[arg(long)]
    quick: bool,
    /// Print the report of each scenario as one line of JSON, after its table
    #[arg(long)]
    json: bool,
    /// Keep the report as a dated file in bench/record
    #[arg(long)]
    record: bool,
    /// The trim binary to measure, with the XDP program inside [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    trim: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scenario {
    /// Large downloads in full-size frames
    Bulk,
    /// The smallest frames there are, of no HTTP
    Tiny,
    /// Endless header blocks in segments of one byte
    Hostile,
    /// One after the other
    All,
}

impl Scenario {
    /// Those to run.
    const fn each(self) -> &'static [Self] {
        match self {
            Self::Bulk => &[Self::Bulk],
            Self::Tiny => &[Self::Tiny],
            Self::Hostile => &[Self::Hostile],
            Self::All => &[Self::Bulk, Self::Tiny, Self::Hostile],
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::Tiny => "tiny",
            Self::Hostile => "hostile",
            Self::All => "all",
        }
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Says whether every balance is 0.
fn run(arguments: &Arguments) -> Result<bool> {
    if !is_embedded() {
        bail!(
            "this program has no eBPF object inside and cannot make traffic: run `cargo xtask bench`, which builds one"
        );
    }
    let trim = match &arguments.trim {
        Some(trim) => trim.clone(),
        None => beside()?,
    };
    if !trim.is_file() {
        bail!(
            "there is no {}: run `cargo xtask bench`, which builds it",
            trim.display()
        );
    }
    let mut is_balanced = true;
    for scenario in arguments.scenario.each() {
        let report = scenario::run(scenario.name(), &trim, Size::of(*scenario, arguments.quick))?;
        print!("{}", table::text(&report));
        if arguments.record {
            let file = record::write(&report)?;
            eprintln!("bench: recorded in {}", file.display());
        }
        if arguments.json {
            println!("{}", serde_json::to_string(&report)?);
        }
        is_balanced &= report.is_balanced();
    }
    Ok(is_balanced)
}

fn beside() -> Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find out where this program is")?;
    Ok(own.with_file_name("trim"))
}
