//! `trim file`.

use std::io::IsTerminal as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::output::{bytes, number, share};
use super::progress::Progress;
use super::trimming::TrimmingArgs;
use super::{Exit, output};
use crate::control::status::{Bytes, DifferenceStatus, Http, Packets};
use crate::data::live;
use crate::data::offline::{Trimmed, trim_files};
use crate::data::sink::{FileSink, OutputFormat};
use crate::data::worker::{HoldLimits, Worker};
use crate::data::{Compression, Format};
use crate::shared::{Lane, LaneTotals};

#[derive(Debug, Args)]
pub(super) struct FileArgs {
    /// Captures to trim, in order (pcap or pcapng, plain, gzip or zstd); `-` is standard input
    #[arg(required = true, value_name = "IN")]
    inputs: Vec<PathBuf>,
    /// The trimmed capture; `-` is standard output
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Who trims
    #[arg(long, value_enum, default_value_t = StrategyArg::Legacy)]
    strategy: StrategyArg,
    #[command(flatten)]
    trimming: TrimmingArgs,
    /// File format of OUT
    #[arg(long, value_enum, default_value_t = FormatArg::Pcapng)]
    format: FormatArg,
    /// Compression of OUT
    #[arg(long, value_enum, default_value_t = CompressArg::None)]
    compress: CompressArg,
    /// Print what was kept and removed
    #[arg(long)]
    stats: bool,
    /// Print the same as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StrategyArg {
    /// Exact: RFC 9112 over the reassembled stream
    Legacy,
    /// Fast: searches, keeps what is uncertain
    Scanning,
    /// Fast where that is exact, exact elsewhere
    Auto,
    /// Both, compared; the exact result is written
    Comparison,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatArg {
    Pcapng,
    Pcap,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CompressArg {
    None,
    Zstd,
    Gzip,
}

impl FileArgs {
    fn lane(&self) -> Lane {
        match self.strategy {
            StrategyArg::Legacy => Lane::Legacy,
            StrategyArg::Scanning => Lane::Scanning,
            StrategyArg::Auto => Lane::Auto,
            StrategyArg::Comparison => Lane::Comparison,
        }
    }

    fn output_format(&self) -> OutputFormat {
        OutputFormat {
            format: match self.format {
                FormatArg::Pcapng => Format::Pcapng,
                FormatArg::Pcap => Format::Pcap,
            },
            compression: match self.compress {
                CompressArg::None => Compression::None,
                CompressArg::Zstd => Compression::Zstd,
                CompressArg::Gzip => Compression::Gzip,
            },
        }
    }
}

/// What `--stats` and `--json` tell.
#[derive(Debug, Serialize)]
struct Report {
    strategy: &'static str,
    packets: Packets,
    bytes: Bytes,
    file_bytes: u64,
    flows: u64,
    http: Http,
    #[serde(skip_serializing_if = "Option::is_none")]
    differences: Option<DifferenceStatus>,
    seconds: f64,
    output: String,
    damage: Option<String>,
}

pub(super) fn run(args: &FileArgs) -> anyhow::Result<Exit> {
    let standard_inputs = args.inputs.iter().filter(|path| path.as_os_str() == "-").count();
    if standard_inputs > 1 {
        bail!("standard input (`-`) can be read only once");
    }
    if args.output == Path::new("-") && std::io::stdout().is_terminal() {
        bail!("a capture would garble this terminal: name a file with `-o FILE`, or pipe the output on");
    }
    let lane = args.lane();
    let mut worker = Worker::new(
        live::makers(&args.trimming.settings()),
        args.trimming.policy(),
        HoldLimits::OFFLINE,
    );
    // Before the output is begun: an interrupt must find somebody who takes it away again.
    let interrupted = interruption()?;
    let mut sink = FileSink::create(&args.output, &args.inputs, args.output_format())?;
    let progress = Progress::new();
    let started = Instant::now();
    let trimmed = trim_files(
        &args.inputs,
        &mut worker,
        lane.index(),
        &mut sink,
        |reader, position| {
            progress.reading(reader, position);
            if interrupted.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
    )?;
    progress.finish();
    let report = report(args, &worker, lane, &trimmed, started.elapsed());
    tell(args, &report)?;
    match &trimmed.damage {
        None => Ok(Exit::Good),
        Some(damage) => {
            eprintln!("trim: {damage}");
            Ok(Exit::BadInput)
        }
    }
}

/// Becomes true on Ctrl-C, so that the unfinished output is removed before the program ends.
fn interruption() -> anyhow::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&interrupted);
    ctrlc::set_handler(move || seen.store(true, Ordering::Relaxed)).context("cannot listen for Ctrl-C")?;
    Ok(interrupted)
}

fn report(args: &FileArgs, worker: &Worker, lane: Lane, trimmed: &Trimmed, took: Duration) -> Report {
    let totals = LaneTotals {
        counts: *worker.counts(lane.index()),
        statistics: worker.statistics(lane.index()),
    };
    let counters = trimmed.summary.counters;
    Report {
        strategy: lane.name(),
        packets: Packets {
            seen: trimmed.packets,
            written: counters.stored,
            omitted: totals.counts.omitted,
            lost: counters.failed,
        },
        bytes: Bytes {
            received: trimmed.bytes,
            written: counters.stored_bytes,
        },
        file_bytes: counters.file_bytes,
        flows: totals.statistics.flows_seen,
        http: Http::of(&totals),
        differences: (lane == Lane::Comparison).then(|| DifferenceStatus::of(&totals.statistics.differences)),
        seconds: took.as_secs_f64(),
        output: args.output.display().to_string(),
        damage: trimmed.damage.as_ref().map(ToString::to_string),
    }
}

/// Standard output may be the capture itself: then the report goes to standard error.
fn tell(args: &FileArgs, report: &Report) -> anyhow::Result<()> {
    let is_stdout_taken = args.output == Path::new("-");
    match (args.json, args.stats) {
        (true, _) if is_stdout_taken => eprintln!("{}", serde_json::to_string(report)?),
        (true, _) => output::json(report)?,
        (false, true) if is_stdout_taken => eprint!("{}", render(report)),
        (false, true) => output::text(&render(report))?,
        (false, false) => {}
    }
    Ok(())
}

fn render(report: &Report) -> String {
    let http = &report.http;
    let differences = report
        .differences
        .map_or_else(String::new, |differences| render_differences(&differences));
    format!(
        "strategy   {}\n\
         packets    {} read, {} written, {} omitted by policy\n\
         bytes      {} in, {} out ({}); file {}\n\
         flows      {}\n\
         http       {} messages\n\
         header     {}\n\
         body       {}, of which {} removed\n\
         unsure     {} kept\n\
         undecided  {} kept\n\
         opaque     {}\n\
         {differences}time       {:.3} s\n\
         output     {}\n",
        report.strategy,
        number(report.packets.seen),
        number(report.packets.written),
        number(report.packets.omitted),
        bytes(report.bytes.received),
        bytes(report.bytes.written),
        share(report.bytes.written, report.bytes.received),
        bytes(report.file_bytes),
        number(report.flows),
        number(http.messages),
        bytes(http.header_bytes),
        bytes(http.body_bytes),
        bytes(http.body_bytes_cut),
        bytes(http.unsure_bytes),
        bytes(http.undecided_bytes),
        bytes(http.opaque_bytes),
        report.seconds,
        report.output
    )
}

fn render_differences(differences: &DifferenceStatus) -> String {
    format!(
        "scanning   differs in {} segments: header lost {}, header gained {}, body kept {}, unsure cut {}, framing cut {}, \
         redaction {}, name only {}; {} not compared\n",
        number(differences.segments),
        bytes(differences.header_bytes_lost),
        bytes(differences.header_bytes_gained),
        bytes(differences.body_bytes_kept),
        bytes(differences.unsure_bytes_cut),
        bytes(differences.framing_bytes_cut),
        bytes(differences.redaction_bytes),
        bytes(differences.other_bytes),
        number(differences.not_compared)
    )
}
