//! `trim monitor`.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{DaemonArgs, Exit, output};
use crate::config::Span;
use crate::control::client::Client;
use crate::control::diagnosis::memory::Memory;
use crate::control::health::{Moment, Trend};

/// What each line shows, in its order; the summary shows everything.
const COLUMNS: [(&str, &str); 6] = [
    ("resident_bytes", "resident"),
    ("umem_bytes", "umem"),
    ("heap_allocated_bytes", "allocated"),
    ("heap_resident_bytes", "heap"),
    ("held_frames_bytes", "held"),
    ("flows", "flows"),
];
/// A value that rises in most pairs of samples, and by more than this share of itself in an hour, grows.
const STEADY: f64 = 0.75;
const NOTABLE: f64 = 0.01;
/// How long an interrupt may go unnoticed.
const NAP: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
pub(super) struct MonitorArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sample memory by subsystem until interrupted, then say what grew
    Memory(MemoryArgs),
}

#[derive(Debug, Args)]
struct MemoryArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// Time between two samples
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = span)]
    interval: Duration,
    /// Stop after this long instead of waiting for an interrupt
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    length: Option<Duration>,
}

fn span(text: &str) -> Result<Duration, String> {
    match Span::parse(text)?.0 {
        span if span < Duration::from_millis(100) => Err("100ms at least".to_owned()),
        span => Ok(span),
    }
}

/// How one value went.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Growth {
    name: String,
    first: u64,
    last: u64,
    /// Change per hour by Theil-Sen; `None` with too few samples.
    per_hour: Option<f64>,
    /// Whether it grows steadily.
    grows: bool,
}

pub(super) fn run(args: &MonitorArgs) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Memory(args) => memory(args),
    }
}

fn memory(args: &MemoryArgs) -> anyhow::Result<Exit> {
    let client = Client::new(&args.daemon.socket());
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed))?;
    let begun = Instant::now();
    let mut samples = vec![client.memory()?];
    show(args, &samples[0], true)?;
    let is_over = || args.length.is_some_and(|length| begun.elapsed() >= length);
    while !is_over() && !interrupted.load(Ordering::Relaxed) {
        let next = begun + args.interval * samples.len() as u32;
        if Instant::now() < next {
            std::thread::sleep(NAP.min(next.saturating_duration_since(Instant::now())));
            continue;
        }
        let sample = client.memory()?;
        show(args, &sample, false)?;
        samples.push(sample);
    }
    let growth = growths(&samples);
    if args.daemon.json {
        output::json(&serde_json::json!({ "samples": samples.len(), "growth": growth, "verdict": verdict(&growth) }))?;
    } else {
        output::text(&summary(&growth))?;
    }
    let is_suspicious = growth
        .iter()
        .any(|value| value.grows && value.name == "heap_allocated_bytes");
    Ok(if is_suspicious { Exit::No } else { Exit::Good })
}

fn show(args: &MemoryArgs, sample: &Memory, is_first: bool) -> anyhow::Result<()> {
    if args.daemon.json {
        return output::json(sample);
    }
    let mut text = String::new();
    // Writing to a `String` cannot fail.
    if is_first {
        let _ = write!(text, "{:<20}", "time");
        for (_, head) in COLUMNS {
            let _ = write!(text, " {head:>12}");
        }
        text.push('\n');
    }
    let time = jiff::Timestamp::from_millisecond(sample.at.0.cast_signed()).unwrap_or_default();
    let _ = write!(text, "{:<20}", time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    for (name, _) in COLUMNS {
        let value = sample.values.get(name);
        let _ = write!(
            text,
            " {:>12}",
            value.map_or("-".to_owned(), |value| in_unit(name, *value))
        );
    }
    text.push('\n');
    output::text(&text)
}

fn in_unit(name: &str, value: u64) -> String {
    if name.ends_with("_bytes") {
        output::bytes(value)
    } else {
        output::number(value)
    }
}

fn growths(samples: &[Memory]) -> Vec<Growth> {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return Vec::new();
    };
    let of = |(name, value): (&String, &u64)| {
        let points: Vec<(Moment, f64)> = samples
            .iter()
            .filter_map(|sample| Some((sample.at, *sample.values.get(name)? as f64)))
            .collect();
        let trend = Trend::of(&points);
        Growth {
            name: name.clone(),
            first: *value,
            last: last.values.get(name).copied().unwrap_or(0),
            per_hour: trend.map(|trend| trend.per_hour),
            grows: trend.is_some_and(|trend| trend.rising >= STEADY && trend.per_hour > NOTABLE * trend.now.max(1.0)),
        }
    };
    first.values.iter().map(of).collect()
}

fn verdict(growth: &[Growth]) -> String {
    let grows = |name: &str| growth.iter().find(|value| value.name == name && value.grows);
    if growth.iter().all(|value| value.per_hour.is_none()) {
        return "too few samples to tell: six are needed, an hour of them says more".to_owned();
    }
    match (grows("heap_allocated_bytes"), grows("resident_bytes"), grows("flows")) {
        (Some(_), _, Some(_)) => "allocations grow with the number of flows: wait until that stands still".to_owned(),
        (Some(heap), ..) => format!(
            "allocations grow by {} per hour with no more flows: a leak is likely (`trim debug heap-profile` names who)",
            output::bytes(heap.per_hour.unwrap_or(0.0) as u64)
        ),
        (None, Some(_), _) => {
            "the process grows and its allocations do not: fragmentation (`trim debug release-memory`)".to_owned()
        }
        (None, None, _) => "nothing grows steadily".to_owned(),
    }
}

fn summary(growth: &[Growth]) -> String {
    let mut text = format!("\n{:<22} {:>12} {:>12} {:>14}\n", "", "first", "last", "per hour");
    for value in growth {
        let per_hour = value.per_hour.map_or("-".to_owned(), |slope| {
            let sign = if slope < 0.0 { "-" } else { "+" };
            format!("{sign}{}", in_unit(&value.name, slope.abs() as u64))
        });
        let _ = writeln!(
            text,
            "{:<22} {:>12} {:>12} {per_hour:>14}{}",
            value.name.trim_end_matches("_bytes").replace('_', " "),
            in_unit(&value.name, value.first),
            in_unit(&value.name, value.last),
            if value.grows { "  grows" } else { "" }
        );
    }
    let _ = writeln!(text, "{}", verdict(growth));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: impl Iterator<Item = (u64, u64)>) -> Vec<Memory> {
        let at = |(minute, (heap, flows)): (usize, (u64, u64))| Memory {
            at: Moment(minute as u64 * 60_000),
            values: [("heap_allocated_bytes".to_owned(), heap), ("flows".to_owned(), flows)].into(),
        };
        values.enumerate().map(at).collect()
    }

    #[test]
    fn steady_growth_without_flows_is_a_leak_and_with_them_is_not() {
        let leak = growths(&samples((0..60).map(|minute| ((100 << 20) + minute * (1 << 20), 10))));
        assert!(verdict(&leak).contains("a leak is likely"), "{leak:?}");
        let busy = growths(&samples(
            (0..60).map(|minute| ((100 << 20) + minute * (1 << 20), 10 + minute)),
        ));
        assert!(verdict(&busy).contains("with the number of flows"), "{busy:?}");
        let still = growths(&samples(
            (0..60).map(|minute| ((100 << 20) + (minute % 5) * (1 << 20), 10)),
        ));
        assert_eq!(verdict(&still), "nothing grows steadily");
        let few = growths(&samples((0..3).map(|minute| (minute << 20, 10))));
        assert!(verdict(&few).contains("too few"));
    }
}
