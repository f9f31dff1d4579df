//! The report as a person reads it.

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
        format!(
            "  machine  {}, {} CPUs, Linux {}, {}, load before {}",
            machine.cpu, machine.cpus, machine.kernel, machine.date, machine.load
        ),
        format!(
            "  pinned   generator and soft interrupts on CPU {}, receiver on CPU {}; scheduling {}",
            report.cpus.generator, report.cpus.receiver, machine.scheduling
        ),
        String::new(),
    ];
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
