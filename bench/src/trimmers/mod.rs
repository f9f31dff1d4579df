//! What a packet costs in each trimmer, in memory, on one core.
//!
//! `cargo bench -p trim-bench --bench trimmers` measures the same with criterion's statistics; this is the short form that
//! belongs to a report, with what has to be reached.

mod report;
mod section;
mod table;

use std::time::Duration;

use anyhow::Result;
use trim_bench::memory::traffic::{self, Trace};
use trim_bench::memory::{Caller, SHIFT, body_kept, cpu_time, trimmers};
use trim_user::trimmer::{Labels, Trimmer};

pub(crate) use report::Report;
use report::Row;

use crate::cpus::{Cpus, pin};
use crate::machine::Machine;
use crate::plan::Extent;
use crate::targets::{Target, at_least};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Size {
    /// CPU time of a round, at least.
    round: Duration,
    rounds: usize,
}

/// Measures all trimmers on each kind of traffic.
pub(crate) fn run(extent: Extent) -> Result<Report> {
    let (milliseconds, rounds) = match extent {
        Extent::Smoke => (0, 1),
        Extent::Quick => (100, 5),
        Extent::Full => (500, 9),
    };
    let size = Size {
        round: Duration::from_millis(milliseconds),
        rounds,
    };
    let machine = Machine::look();
    let cpu = Cpus::choose()?.receiver;
    pin(cpu)?;
    let kinds = [
        ("body-heavy", traffic::body_heavy as fn() -> Trace),
        ("header-heavy", traffic::header_heavy),
        ("web", traffic::web),
    ];
    let rows: Vec<_> = kinds
        .into_iter()
        .flat_map(|(name, make)| measure(name, &make(), size))
        .collect();
    Ok(Report {
        scenario: "trimmers",
        extent,
        machine,
        cpu,
        targets: if extent == Extent::Smoke {
            Vec::new()
        } else {
            targets(&rows)
        },
        rows,
    })
}

/// All trimmers on one trace, in alternation.
fn measure(traffic: &'static str, trace: &Trace, size: Size) -> Vec<Row> {
    let mut subjects: Vec<_> = trimmers()
        .into_iter()
        .map(|(name, trimmer)| Subject::new(name, trimmer, trace))
        .collect();
    for number in 1..=size.rounds {
        for subject in &mut subjects {
            let sample = subject.round(trace, size.round);
            eprintln!(
                "bench: trimmers, {traffic}, round {number} of {}, {}: {sample:.1} ns per packet",
                size.rounds, subject.name
            );
        }
    }
    subjects
        .into_iter()
        .map(|subject| Row::new(traffic, subject.name, trace, subject.body_kept, subject.samples))
        .collect()
}

/// A trimmer under measurement.
struct Subject {
    name: &'static str,
    trimmer: Box<dyn Trimmer>,
    caller: Caller,
    labels: Labels,
    shift: u32,
    body_kept: f64,
    /// Nanoseconds per packet of each round.
    samples: Vec<f64>,
}

impl Subject {
    /// Gives it the trace once, so that its tables are warm.
    fn new(name: &'static str, mut trimmer: Box<dyn Trimmer>, trace: &Trace) -> Self {
        Self {
            name,
            body_kept: body_kept(trace, trimmer.as_mut()),
            trimmer,
            caller: Caller::default(),
            labels: Labels::new(),
            shift: 0,
            samples: Vec::new(),
        }
    }

    /// Gives it the trace until it has used `least` of the CPU.
    fn round(&mut self, trace: &Trace, least: Duration) -> f64 {
        let start = cpu_time();
        let mut replays = 0;
        loop {
            self.shift = self.shift.wrapping_add(SHIFT);
            self.caller
                .replay(trace, self.trimmer.as_mut(), &mut self.labels, self.shift);
            replays += 1;
            let used = cpu_time() - start;
            if used >= least {
                let sample = used.as_nanos() as f64 / f64::from(replays) / trace.packets() as f64;
                self.samples.push(sample);
                return sample;
            }
        }
    }
}

/// The demands, as far as the rows that they speak of are there.
fn targets(rows: &[Row]) -> Vec<Target> {
    let speed = |trimmer| {
        let mut rows = rows.iter().filter(|row| row.traffic == "body-heavy");
        Some(rows.find(|row| row.trimmer == trimmer)?.gigabytes_per_second)
    };
    [
        at_least("GB/s of scanning on body-heavy packets", speed("scanning"), 15.0),
        at_least("GB/s of legacy on body-heavy packets", speed("legacy"), 8.0),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trimmer_is_measured_once_a_round_and_does_its_work() {
        let size = Size {
            round: Duration::ZERO,
            rounds: 3,
        };
        let rows = measure("body-heavy", &traffic::web(), size);
        let names: Vec<_> = rows.iter().map(|row| row.trimmer).collect();
        assert_eq!(names, ["legacy", "scanning", "auto"]);
        assert!(rows.iter().all(|row| row.rounds.len() == 3 && row.ns_per_packet > 0.0));
        assert_eq!(targets(&rows).len(), 2);
        assert_eq!(rows[0].body_kept, 0.0);
        assert!(rows[1].body_kept < 0.01);
    }
}
