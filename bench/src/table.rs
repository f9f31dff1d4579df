//! The report as a person reads it.

use crate::peers::Latency;
use crate::plan::Extent;
use crate::report::{Report, Round, Row};
use crate::targets::Target;

/// The whole report.
pub(crate) fn text(report: &Report) -> String {
    let machine = &report.machine;
    let mut lines = vec![
        String::new(),
        format!(
            "trim bench: scenario {}, medians of {} rounds",
            report.scenario,
            rounds(report)
        ),
        format!("  machine  {}", report.machine.line()),
        format!(
            "  pinned   generator and soft interrupts on CPU {}, receiver on CPU {}; scheduling {}",
            report.cpus.generator, report.cpus.receiver, machine.scheduling
        ),
        String::new(),
    ];
    if report.extent == Extent::Smoke {
        lines.push("  A smoke test: these figures mean nothing.".to_owned());
    }
    lines.push(line([
        "", "offered", "kept", "wire", "lost", "sender", "output", "balance",
    ]));
    lines.push(line([
        "",
        "Mpackets/s",
        "Mpackets/s",
        "Gbit/s",
        "% of seen",
        "dropped %",
        "bytes/packet",
        "",
    ]));
    lines.extend(report.rows.iter().map(|row| figures(row, report)));
    lines.push(String::new());
    lines.extend(report.rows.iter().flat_map(losses));
    lines.push(String::new());
    lines.push(line([
        "",
        "CPU s/Mpkt",
        "peak",
        "",
        "headers",
        "bodies",
        "lossless",
        "",
    ]));
    lines.push(line([
        "",
        "of process",
        "MiB",
        "",
        "lost, B",
        "kept, MB",
        "Mpackets/s",
        "",
    ]));
    lines.extend(report.rows.iter().map(costs));
    lines.extend(latency(report));
    lines.push(String::new());
    lines.extend(report.targets.iter().map(Target::line));
    lines.push(String::new());
    lines.extend(
        report
            .rows
            .iter()
            .map(|row| format!("  {:<28} {}", row.peer, row.setting)),
    );
    lines.join("\n") + "\n"
}

fn rounds(report: &Report) -> usize {
    report.rows.first().map_or(0, |row| row.rounds.len())
}

fn line(columns: [&str; 8]) -> String {
    let [name, offered, kept, wire, lost, sender, output, balance] = columns;
    format!("  {name:<28}{offered:>12}{kept:>12}{wire:>9}{lost:>11}{sender:>11}{output:>14}{balance:>9}")
}

fn figures(row: &Row, report: &Report) -> String {
    let round = &row.median;
    let bits = 8.0 * report.traffic.frame_bytes;
    let output = round
        .output_bytes
        .map_or("-".to_owned(), |bytes| decimals(ratio(bytes, round.kept), 1));
    line([
        row.peer,
        &decimals(round.offered_per_second / 1e6, 3),
        &decimals(round.kept_per_second / 1e6, 3),
        &decimals(round.kept_per_second * bits / 1e9, 2),
        &decimals(100.0 * ratio(round.lost, round.seen), 2),
        &decimals(100.0 * ratio(round.dropped_by_sender, round.offered), 2),
        &output,
        &round.balance.to_string(),
    ])
}

/// What a row took, and what its output lacks and has too much.
fn costs(row: &Row) -> String {
    let taken = row.median.taken.as_ref();
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let processor = row.median.processor_per_million().map(|seconds| decimals(seconds, 2));
    let peak = taken.map(|taken| (taken.peak_resident_bytes >> 20).to_string());
    let lost = row.output.map(|output| output.header_bytes_lost.to_string());
    let leaked = row
        .output
        .map(|output| decimals(output.body_bytes_leaked as f64 / 1e6, 1));
    let lossless = row.paced.as_ref().map(|paced| match paced.lossless_per_second {
        Some(rate) => decimals(rate / 1e6, 3),
        None => "none".to_owned(),
    });
    line([
        row.peer,
        &or_none(processor),
        &or_none(peak),
        "",
        &or_none(lost),
        &or_none(leaked),
        &or_none(lossless),
        "",
    ])
}

/// Latency under load, of those that measure it.
fn latency(report: &Report) -> Vec<String> {
    let rows = report.rows.iter().filter_map(|row| Some((row, row.paced.as_ref()?)));
    let mut lines = Vec::new();
    for (row, paced) in rows.filter(|(_, paced)| !paced.loaded.is_empty()) {
        lines.push(String::new());
        let name = row.peer;
        lines.push(format!(
            "  {name}: kernel to written, us, at shares of its lossless rate"
        ));
        for loaded in &paced.loaded {
            let Latency { p50, p99, p999 } = loaded.latency_ns;
            let us = |ns: u64| decimals(ns as f64 / 1000.0, 1);
            lines.push(format!(
                "    {:>3.0}%  p50 {:>9}  p99 {:>9}  p99.9 {:>9}  lost {}",
                loaded.share * 100.0,
                us(p50),
                us(p99),
                us(p999),
                loaded.lost
            ));
        }
    }
    lines
}

/// Where the median round lost packets; nothing when it lost none.
fn losses(row: &Row) -> Option<String> {
    let Round { lost_by_place, .. } = &row.median;
    let places: Vec<_> = lost_by_place
        .iter()
        .filter(|&(_, &packets)| packets > 0)
        .map(|(place, packets)| format!("{place} {packets}"))
        .collect();
    (!places.is_empty()).then(|| format!("  {:<28} lost: {}", row.peer, places.join(", ")))
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn decimals(number: f64, places: usize) -> String {
    format!("{number:.places$}")
}
