//! Benchmarks of `trim`: real frames at the kernel's full speed into an interface, and who keeps how many of them; captures from
//! files; and the trimmers alone.
//!
//! `cargo xtask bench` builds everything and runs this. `docs/benchmarks.md` says how to read the result.

mod cpus;
mod exam;
mod extra;
mod machine;
mod measure;
mod median;
mod offline;
mod paced;
mod page;
mod peers;
mod plan;
mod plots;
mod record;
mod report;
mod scenario;
mod section;
mod shown;
mod table;
mod targets;
mod traffic;
mod trimmers;
mod usage;
mod wire;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use trim_user::kernel::program::is_embedded;

use cpus::Cpus;
use measure::Bench;
use plan::{Extent, Plan};
use report::Report;
use section::Section;
use shown::Shown;

/// Measure side by side, on frames that the kernel makes, how many packets trim and others keep.
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Arguments {
    /// What traffic is made; may be given several times [default: all]
    #[arg(long, value_enum)]
    scenario: Vec<Scenario>,
    /// Fewer packets and rounds: less than five minutes in all
    #[arg(long)]
    quick: bool,
    /// Hardly any packets, one round, a few peers: whether everything works. The figures mean nothing
    #[arg(long, conflicts_with = "quick")]
    smoke: bool,
    /// Print the report of each scenario as one line of JSON, after its table
    #[arg(long)]
    json: bool,
    /// Measure only peers whose name contains this; may be given several times. The demands compare peers, so those
    /// that miss one are left out
    #[arg(long, value_name = "NAME")]
    peer: Vec<String>,
    /// Keep the report as a dated file in bench/record
    #[arg(long)]
    record: bool,
    /// Write a page with tables and plots, and each plot as a picture, to this folder
    #[arg(long, value_name = "FOLDER")]
    html: Option<PathBuf>,
    /// The trim binary to measure, with the XDP program inside [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    trim: Option<PathBuf>,
}

/// What traffic is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// Large downloads in full-size frames
    Bulk,
    /// Messages of many sizes around 12 KiB, both directions
    Web,
    /// Calls of 1 KiB on many connections
    Api,
    /// The smallest frames there are, of no HTTP
    Tiny,
    /// Endless header blocks, and packets of which each begins a connection
    Hostile,
    /// A capture file of large downloads
    Offline,
    /// The trimmers alone, in memory
    Trimmers,
}

impl Scenario {
    const ALL: [Self; 7] = [
        Self::Bulk,
        Self::Web,
        Self::Api,
        Self::Tiny,
        Self::Hostile,
        Self::Offline,
        Self::Trimmers,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::Web => "web",
            Self::Api => "api",
            Self::Tiny => "tiny",
            Self::Hostile => "hostile",
            Self::Offline => "offline",
            Self::Trimmers => "trimmers",
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

/// Says whether what was measured did its work, whatever the figures.
fn run(arguments: &Arguments) -> Result<bool> {
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
    let scenarios = if arguments.scenario.is_empty() {
        Scenario::ALL.to_vec()
    } else {
        arguments.scenario.clone()
    };
    let extent = match (arguments.smoke, arguments.quick) {
        (true, _) => Extent::Smoke,
        (false, true) => Extent::Quick,
        (false, false) => Extent::Full,
    };
    let mut reports: Vec<Report> = Vec::new();
    let (mut is_sound, mut sections) = (true, Vec::new());
    for scenario in scenarios {
        is_sound &= match Plan::of(scenario, extent) {
            None if scenario == Scenario::Offline => show(arguments, &offline::run(&trim, extent)?, &mut sections)?,
            None => show(arguments, &trimmers::run(extent)?, &mut sections)?,
            Some(plan) => {
                let report = live(plan.only(&arguments.peer)?, &trim, &reports)?;
                let is_sound = show(arguments, &report, &mut sections)?;
                reports.push(report);
                is_sound
            }
        };
    }
    if let Some(folder) = &arguments.html {
        let page = record::draw(&sections, folder)?;
        eprintln!("bench: the page is {}", page.display());
    }
    Ok(is_sound)
}

/// Measures a scenario of live traffic, whose demands may compare it with those before it.
fn live(plan: Plan, trim: &Path, before: &[Report]) -> Result<Report> {
    if !is_embedded() {
        bail!(
            "this program has no eBPF object inside and cannot make traffic: run `cargo xtask bench`, which builds one"
        );
    }
    let bench = Bench {
        trim,
        cpus: Cpus::choose()?,
    };
    let mut report = scenario::run(&plan, &bench)?;
    if plan.extent != Extent::Smoke {
        report.targets = targets::of(&report, before);
    }
    Ok(report)
}

/// Prints and keeps a report; says whether it is sound.
fn show(arguments: &Arguments, report: &impl Shown, sections: &mut Vec<Section>) -> Result<bool> {
    print!("{}", report.text());
    if arguments.record {
        let file = record::write(report)?;
        eprintln!("bench: recorded in {}", file.display());
    }
    if arguments.json {
        println!("{}", serde_json::to_string(report)?);
    }
    sections.push(report.section());
    Ok(report.is_sound())
}

fn beside() -> Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find out where this program is")?;
    Ok(own.with_file_name("trim"))
}
