//! `trim strategy`.

use std::fmt::Write as _;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::output::number;
use super::progress::Progress;
use super::{Exit, output};
use crate::data::live::makers;
use crate::ops::selftest::{Generated, Promise, Report, validate};
use crate::shared::Lane;

/// Generated connections of a whole self-test.
const GENERATED: u64 = 3000;

const HELP: &str = "\
The cases are connections made by hand, one for each thing that HTTP and TCP do. They go through a worker as captured \
packets would, and every byte that comes out is held against what must become of it. Without --quick, generated \
connections follow: the same seed gives the same ones.

`legacy` must cut every body byte; `scanning` may keep some where only reassembly could tell what they are. Neither \
may lose a header byte.

JSON: one object with
  strategy, passed
  cases[]     case, about, passed, detail (what was expected, what came)
  generated   null, or: seed, count, failed, failures[]: seed, detail

Exit codes: 0 all passed; 1 something failed.";

#[derive(Debug, Args)]
pub(super) struct StrategyArgs {
    #[command(subcommand)]
    command: StrategyCommand,
}

#[derive(Debug, Subcommand)]
enum StrategyCommand {
    /// Test a strategy on built-in connections whose every byte is known
    #[command(after_long_help = HELP)]
    Validate(ValidateArgs),
}

#[derive(Debug, Args)]
struct ValidateArgs {
    /// Who is tested
    #[arg(long, value_enum)]
    strategy: StrategyArg,
    /// Only the cases made by hand
    #[arg(long, conflicts_with = "seed")]
    quick: bool,
    /// Where generated connections begin, such as 7 or 0x2a
    #[arg(long, value_name = "N", default_value = "1", value_parser = seed)]
    seed: u64,
    /// Print JSON (see --help)
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StrategyArg {
    /// Exact: RFC 9112 over the reassembled stream
    Legacy,
    /// Fast: searches, keeps what is uncertain
    Scanning,
}

fn seed(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("`{text}` is no seed: a number below 2^64, decimal or with 0x in front"))
}

#[derive(Debug, Serialize)]
struct Told<'r> {
    strategy: &'static str,
    #[serde(flatten)]
    report: &'r Report,
}

pub(super) fn run(args: &StrategyArgs) -> anyhow::Result<Exit> {
    let StrategyCommand::Validate(args) = &args.command;
    let (lane, promise) = match args.strategy {
        StrategyArg::Legacy => (Lane::Legacy, Promise::Exact),
        StrategyArg::Scanning => (Lane::Scanning, Promise::Streaming),
    };
    let generated = (!args.quick).then_some(Generated {
        seed: args.seed,
        count: GENERATED,
    });
    let progress = Progress::steps("connections");
    let make = |settings: &_| makers(settings).swap_remove(lane.index());
    let report = validate(&make, promise, generated, &|done, all| progress.step(done, all));
    progress.finish();
    match args.json {
        true => output::json(&Told {
            strategy: lane.name(),
            report: &report,
        })?,
        false => output::text(&render(lane, &report))?,
    }
    Ok(if report.passed { Exit::Good } else { Exit::No })
}

fn render(lane: Lane, report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    for case in &report.cases {
        let verdict = if case.passed { "PASS" } else { "FAIL" };
        let _ = writeln!(text, "{verdict}  {:<18} {}", case.case, case.about);
        if !case.passed {
            let _ = writeln!(text, "      {}", case.detail);
        }
    }
    if let Some(generated) = &report.generated {
        let verdict = if generated.failed == 0 { "PASS" } else { "FAIL" };
        let _ = writeln!(
            text,
            "{verdict}  {:<18} {} connections from seed {:#x}, {} failed",
            "generated",
            number(generated.count),
            generated.seed,
            number(generated.failed)
        );
        for failure in &generated.failures {
            let _ = writeln!(text, "      seed {:#x}: {}", failure.seed, failure.detail);
        }
    }
    let failed = report.cases.iter().filter(|case| !case.passed).count();
    let verdict = if report.passed { "PASS" } else { "FAIL" };
    let _ = writeln!(
        text,
        "\n{verdict}  {}: {} cases, {failed} failed",
        lane.name(),
        report.cases.len()
    );
    text
}
