//! `trim compare`.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, ValueEnum};

use super::output::{nanoseconds, number, share};
use super::progress::Progress;
use super::trimming::TrimmingArgs;
use super::{Exit, output};
use crate::ops::Capture;
use crate::ops::compare::{Comparison, Options, Report, StrategyReport, compare};
use crate::shared::Lane;
use crate::trimmer::Class;

const HELP: &str = "\
How time is measured: the capture is read into memory first. Then the strategies take turns in trimming all of it, \
each time from an empty flow table, in at least 3 and at most 25 rounds (none begins after 2 s), every other round in \
the opposite order. Dissecting, judging, cutting and ordering packets count; reading and writing do not. The shortest \
time of each strategy is shown.

The capture has to fit into memory about twice.

JSON: one object with
  file, packets, captured_bytes, rounds
  same_headers    the verdict
  damage          null, or why reading ended early
  strategies[]    strategy, packets, flows, messages, panics,
    header_bytes, framing_bytes, body_bytes, opaque_bytes, unsure_bytes,
    undecided_bytes, not_http_bytes, kept_bytes, cut_bytes,
    time_ns, ns_per_packet
  comparisons[]   strategy, reference, segments, flows,
    classes[]       class, bytes, segments, flows
  exemplars[]     class, reference, reference_says, strategy, strategy_says,
    flow, packet (from 1), payload_from, payload_to, frame_from, frame_to,
    file (null, or where it was saved)
Classes: header_lost, header_gained, body_kept, unsure_cut, framing_cut,
redaction, name_only.

Exit codes: 0 no strategy removes a byte that another one keeps as header; 1 one does; 2 the capture cannot be read \
to its end, or bad usage; 3 differences cannot be saved.";

#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct CompareArgs {
    /// The capture (pcap or pcapng, plain, gzip or zstd); `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Who trims; the first one is what the others are compared with
    #[arg(
        long,
        value_enum,
        value_name = "NAMES",
        value_delimiter = ',',
        default_value = "legacy,scanning"
    )]
    strategies: Vec<StrategyArg>,
    #[command(flatten)]
    trimming: TrimmingArgs,
    /// Save a few differences of each class as small captures in this directory, which must be new or empty
    #[arg(long, value_name = "DIR")]
    save_differences: Option<PathBuf>,
    /// Print JSON (see --help)
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StrategyArg {
    /// Exact: RFC 9112 over the reassembled stream
    Legacy,
    /// Fast: searches, keeps what is uncertain
    Scanning,
    /// Fast where that is exact, exact elsewhere
    Auto,
}

impl StrategyArg {
    fn lane(self) -> Lane {
        match self {
            Self::Legacy => Lane::Legacy,
            Self::Scanning => Lane::Scanning,
            Self::Auto => Lane::Auto,
        }
    }
}

impl CompareArgs {
    fn options(&self) -> anyhow::Result<Options> {
        let strategies: Vec<Lane> = self.strategies.iter().map(|strategy| strategy.lane()).collect();
        let is_twice = |(index, lane): (usize, &Lane)| strategies[..index].contains(lane);
        if strategies.len() < 2 || strategies.iter().enumerate().any(is_twice) {
            bail!(
                "--strategies takes two or three different ones of legacy, scanning, auto, such as `legacy,scanning`"
            );
        }
        Ok(Options {
            strategies,
            settings: self.trimming.settings(),
            policy: self.trimming.policy(),
            save: self.save_differences.clone(),
        })
    }
}

pub(super) fn run(args: &CompareArgs) -> anyhow::Result<Exit> {
    let options = args.options()?;
    let progress = Progress::new();
    let (capture, damage) = Capture::load_readable(&args.file, |reader, position| progress.reading(reader, position))?;
    progress.finish();
    let progress = Progress::steps("rounds");
    let report = compare(&capture, &args.file.display().to_string(), &options, &|done, all| {
        progress.step(done, all)
    });
    progress.finish();
    let report = Report {
        damage: damage.as_ref().map(ToString::to_string),
        ..report?
    };
    match args.json {
        true => output::json(&report)?,
        false => output::text(&render(&report, args))?,
    }
    if let Some(damage) = &damage {
        eprintln!("trim: {damage}; what stands before it was compared");
    }
    Ok(match (report.same_headers, &damage) {
        (false, _) => Exit::No,
        (true, Some(_)) => Exit::BadInput,
        (true, None) => Exit::Good,
    })
}

/// One row of the table: its name, and what stands in the column of a strategy.
type Row = (&'static str, fn(&StrategyReport) -> String);

const ROWS: [Row; 14] = [
    ("packets", |it| number(it.packets)),
    ("flows", |it| number(it.flows)),
    ("messages", |it| number(it.messages)),
    ("header bytes", |it| number(it.header_bytes)),
    ("framing bytes", |it| number(it.framing_bytes)),
    ("body bytes", |it| number(it.body_bytes)),
    ("opaque bytes", |it| number(it.opaque_bytes)),
    ("unsure bytes", |it| number(it.unsure_bytes)),
    ("undecided bytes", |it| number(it.undecided_bytes)),
    ("not HTTP bytes", |it| number(it.not_http_bytes)),
    ("kept bytes", |it| number(it.kept_bytes)),
    ("cut bytes", |it| number(it.cut_bytes)),
    ("time", |it| nanoseconds(it.time_ns)),
    ("ns per packet", |it| format!("{:.1}", it.ns_per_packet)),
];

fn render(report: &Report, args: &CompareArgs) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{}: {} packets, {} captured bytes\n",
        report.file,
        number(report.packets),
        number(report.captured_bytes)
    );
    table(&mut text, report);
    for comparison in &report.comparisons {
        differences(&mut text, comparison);
    }
    if let (Some(directory), false) = (&args.save_differences, report.exemplars.is_empty()) {
        let saved = report.exemplars.len();
        let _ = writeln!(
            text,
            "\nsaved      {saved} captures and differences.txt in {}",
            directory.display()
        );
    }
    let verdict = match report.same_headers {
        true => "the strategies agree on every header byte",
        false => "the strategies DIFFER in header bytes",
    };
    let _ = writeln!(text, "\nverdict    {verdict}");
    text
}

fn table(text: &mut String, report: &Report) {
    let cells = |row: &Row| report.strategies.iter().map(row.1).collect::<Vec<_>>();
    let widest = ROWS.iter().flat_map(cells).map(|cell| cell.len()).max().unwrap_or(0);
    let width = widest.max(12) + 3;
    let mut line = |name: &str, cells: Vec<String>| {
        let _ = write!(text, "{name:<16}");
        for cell in cells {
            let _ = write!(text, "{cell:>width$}");
        }
        text.push('\n');
    };
    let names = report.strategies.iter().map(|it| it.strategy.to_owned());
    line("", names.collect());
    for row in &ROWS {
        line(row.0, cells(row));
    }
    let kept = |it: &StrategyReport| share(it.kept_bytes, report.captured_bytes);
    line("kept", report.strategies.iter().map(kept).collect());
    let _ = writeln!(
        text,
        "\ntimes are the shortest of {} rounds in turn, in memory",
        report.rounds
    );
}

fn differences(text: &mut String, comparison: &Comparison) {
    let Comparison {
        strategy, reference, ..
    } = comparison;
    if comparison.segments == 0 {
        let _ = writeln!(text, "\n{strategy} labels every byte as {reference} does");
        return;
    }
    let _ = writeln!(
        text,
        "\n{strategy} differs from {reference} in {} segments of {} flows\n",
        number(comparison.segments),
        number(comparison.flows)
    );
    let _ = writeln!(
        text,
        "  {:<14}{:>14}{:>12}{:>8}   meaning",
        "class", "bytes", "segments", "flows"
    );
    for class in &comparison.classes {
        let _ = writeln!(
            text,
            "  {:<14}{:>14}{:>12}{:>8}   {}",
            class.class.name(),
            number(class.bytes),
            number(class.segments),
            number(class.flows),
            meaning(class.class, strategy, reference)
        );
    }
}

fn meaning(class: Class, strategy: &str, reference: &str) -> String {
    match class {
        Class::HeaderLost => format!("header for {reference}, body for {strategy}"),
        Class::HeaderGained => format!("body for {reference}, header for {strategy}"),
        Class::BodyKept => format!("body for {reference}, kept by {strategy}"),
        Class::UnsureCut => format!("{reference} is unsure, body for {strategy}"),
        Class::FramingCut => format!("framing or tunnel for {reference}, body for {strategy}"),
        Class::Redaction => "overwritten by one of them only".to_owned(),
        Class::NameOnly => "kept by both, under different names".to_owned(),
    }
}
