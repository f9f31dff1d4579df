//! Benchmarks of `trim`: real frames at the kernel's full speed into an interface, and who keeps how many of them.
//!
//! `cargo xtask bench` builds everything and runs this. `docs/benchmarks.md` says how to read the result.

mod cpus;
mod frame;
mod machine;
mod peers;
mod record;
mod report;
mod scenario;
mod source;
mod table;
mod targets;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use trim_user::kernel::program::is_embedded;

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
    /// Print the report as one line of JSON, the last of standard output, after the table
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
    let size = if arguments.quick {
        scenario::Size::QUICK
    } else {
        scenario::Size::FULL
    };
    let report = match arguments.scenario {
        Scenario::Bulk => scenario::bulk(&trim, size)?,
    };
    print!("{}", table::text(&report));
    if arguments.record {
        let file = record::write(&report)?;
        eprintln!("bench: recorded in {}", file.display());
    }
    if arguments.json {
        println!("{}", serde_json::to_string(&report)?);
    }
    Ok(report.is_balanced())
}

fn beside() -> Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find out where this program is")?;
    Ok(own.with_file_name("trim"))
}
