//! `trim explain`.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::output::number;
use super::progress::Progress;
use super::trimming::TrimmingArgs;
use super::{Exit, output};
use crate::ops::Capture;
use crate::ops::explain::{Explanation, FlowReport, PacketReport};
use crate::shared::Lane;

const HELP: &str = "\
Without --packet or --flow: a list of the flows, with their numbers.

Each range of a packet's payload stands on a line: offsets of its first byte and behind its last one, what it is, what \
became of it, the message it belongs to, and why. Items are those of the list in RFC 9112 section 6.3. Messages are \
numbered from 1 in each direction; interim (1xx) responses count.

JSON: one object on each line. A flow:
  flow, client, server, first_packet, first_time_ns, packets, requests,
  responses, header_bytes, framing_bytes, body_bytes, opaque_bytes,
  unsure_bytes, undecided_bytes, not_http_bytes
A packet (--packet, --flow):
  packet, time_ns, captured_bytes, original_bytes, stored_bytes, flow, from,
  to, sender, flags, sequence, stream_offset, payload_offset, payload_bytes,
  wire_payload_bytes, note,
  ranges[]: from, to, label, fate, message, why
Labels: header, redacted, trailer, framing, body, body_kept, opaque, unsure,
not_http, undecided. Fates: kept, cut, zeroed, overwritten, omitted.
The texts in note, message and why are for people and may change.";

#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct ExplainArgs {
    /// The capture (pcap or pcapng, plain, gzip or zstd); `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Explain this packet, by its number in the capture
    #[arg(long, value_name = "N", conflicts_with = "flow")]
    packet: Option<u64>,
    /// Explain the packets of this flow, by its number in the list of flows
    #[arg(long, value_name = "N")]
    flow: Option<u64>,
    /// Who trims
    #[arg(long, value_enum, default_value_t = StrategyArg::Legacy)]
    strategy: StrategyArg,
    #[command(flatten)]
    trimming: TrimmingArgs,
    /// Print JSON, one object on each line (see --help)
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
}

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let progress = Progress::new();
    let (capture, damage) = Capture::load_readable(&args.file, |reader, position| progress.reading(reader, position))?;
    progress.finish();
    let lane = match args.strategy {
        StrategyArg::Legacy => Lane::Legacy,
        StrategyArg::Scanning => Lane::Scanning,
        StrategyArg::Auto => Lane::Auto,
    };
    let explanation = Explanation::of(&capture, lane, &args.trimming.settings(), args.trimming.policy());
    match (args.packet, args.flow) {
        (Some(number), _) => {
            let (flow, packet) = explanation.packet(number)?;
            packets(args, flow.as_ref(), std::iter::once(packet))?;
        }
        (None, Some(number)) => {
            let (flow, of_flow) = explanation.flow(number)?;
            packets(args, Some(&flow), of_flow)?;
        }
        (None, None) => overview(args, explanation.overview())?,
    }
    match damage {
        None => Ok(Exit::Good),
        Some(damage) => {
            eprintln!("trim: {damage}; what stands before it was explained");
            Ok(Exit::BadInput)
        }
    }
}

fn overview(args: &ExplainArgs, flows: impl Iterator<Item = FlowReport>) -> anyhow::Result<()> {
    if args.json {
        return flows.into_iter().try_for_each(|flow| output::json(&flow));
    }
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{:>5} {:>8} {:>6} {:>6} {:>10} {:>9} {:>12} {:>10} {:>10} {:>10}  client > server",
        "flow", "packets", "asked", "told", "header", "framing", "body", "opaque", "unsure", "other"
    );
    let mut count = 0;
    for flow in flows {
        count += 1;
        let _ = writeln!(
            text,
            "{:>5} {:>8} {:>6} {:>6} {:>10} {:>9} {:>12} {:>10} {:>10} {:>10}  {} > {}",
            flow.flow,
            number(flow.packets),
            number(flow.requests),
            number(flow.responses),
            number(flow.header_bytes),
            number(flow.framing_bytes),
            number(flow.body_bytes),
            number(flow.opaque_bytes),
            number(flow.unsure_bytes),
            number(flow.undecided_bytes + flow.not_http_bytes),
            flow.client,
            flow.server
        );
    }
    if count == 0 {
        text = "no TCP flows\n".to_owned();
    }
    output::text(&text)
}

fn packets(
    args: &ExplainArgs,
    flow: Option<&FlowReport>,
    mut packets: impl Iterator<Item = PacketReport>,
) -> anyhow::Result<()> {
    if args.json {
        return packets.try_for_each(|packet| output::json(&packet));
    }
    if let Some(flow) = flow {
        output::text(&format!(
            "flow {}: client {} > server {}, {} packets, {} requests, {} responses, from {}\n\n",
            flow.flow,
            flow.client,
            flow.server,
            number(flow.packets),
            number(flow.requests),
            number(flow.responses),
            shown_time(flow.first_time_ns, "%Y-%m-%d %H:%M:%S.%9f UTC")
        ))?;
    }
    let began = flow.map(|flow| flow.first_time_ns);
    packets.try_for_each(|packet| output::text(&render(&packet, began)))
}

fn shown_time(time_ns: u64, format: &str) -> String {
    let time = jiff::Timestamp::from_nanosecond(i128::from(time_ns));
    time.map_or_else(|_| format!("{time_ns} ns"), |time| time.strftime(format).to_string())
}

fn render(packet: &PacketReport, began: Option<u64>) -> String {
    let mut text = format!(
        "packet {}  {}",
        packet.packet,
        shown_time(packet.time_ns, "%H:%M:%S.%6f")
    );
    // Writing to a string cannot fail.
    let _ = match began {
        Some(began) => write!(text, " (+{:.6} s)", packet.time_ns.saturating_sub(began) as f64 / 1e9),
        None => Ok(()),
    };
    if let (Some(flow), Some(sender)) = (packet.flow, packet.sender) {
        let way = match sender {
            "client" => "client > server",
            _ => "server > client",
        };
        let _ = write!(
            text,
            "  flow {flow}  {way}  [{}]",
            packet.flags.as_deref().unwrap_or("")
        );
        let _ = write!(text, "  seq {}", packet.sequence.unwrap_or(0));
        if let Some(offset) = packet.stream_offset {
            let _ = write!(text, " (stream byte {offset})");
        }
    }
    let _ = write!(
        text,
        "  {} of {} bytes stored",
        packet.stored_bytes, packet.captured_bytes
    );
    if let Some(note) = &packet.note {
        let _ = write!(text, "; {note}");
    }
    text.push('\n');
    for range in &packet.ranges {
        let message = range
            .message
            .as_ref()
            .map_or_else(String::new, |message| format!("{message}: "));
        let _ = writeln!(
            text,
            "  {:>6}..{:<6} {:<9} {:<11} {message}{}",
            range.from, range.to, range.label, range.fate, range.why
        );
    }
    text
}
