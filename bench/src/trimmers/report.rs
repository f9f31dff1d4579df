//! What was measured. The fields are those of `--json` and of the files in `bench/record`.

use serde::Serialize;
use trim_bench::memory::traffic::Trace;

use crate::machine::Machine;
use crate::median::median_by;
use crate::plan::Extent;
use crate::section::Section;
use crate::shown::Shown;
use crate::targets::Target;

/// A whole run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(super) scenario: &'static str,
    pub(super) extent: Extent,
    pub(super) machine: Machine,
    /// The CPU to which the thread was pinned.
    pub(super) cpu: usize,
    pub(super) rows: Vec<Row>,
    /// What the figures have to reach.
    pub(super) targets: Vec<Target>,
}

/// One trimmer on one kind of traffic.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Row {
    pub(super) traffic: &'static str,
    pub(super) trimmer: &'static str,
    /// CPU time of the thread; packets without payload count. The median of the rounds.
    pub(super) ns_per_packet: f64,
    pub(super) wire_bytes_per_packet: f64,
    /// Of the bytes on the wire.
    pub(super) gigabytes_per_second: f64,
    /// Part of the body bytes that was kept, 0 to 1.
    pub(super) body_kept: f64,
    /// `ns_per_packet` of each round.
    pub(super) rounds: Vec<f64>,
}

impl Row {
    /// # Panics
    /// Without a round.
    pub(super) fn new(
        traffic: &'static str,
        trimmer: &'static str,
        trace: &Trace,
        body_kept: f64,
        rounds: Vec<f64>,
    ) -> Self {
        let ns_per_packet = *median_by(&rounds, |&round| round);
        let wire_bytes_per_packet = trace.wire_bytes() as f64 / trace.packets() as f64;
        Self {
            traffic,
            trimmer,
            ns_per_packet,
            wire_bytes_per_packet,
            // Bytes in a nanosecond are gigabytes in a second.
            gigabytes_per_second: wire_bytes_per_packet / ns_per_packet,
            body_kept,
            rounds,
        }
    }
}

impl Shown for Report {
    fn scenario(&self) -> &str {
        self.scenario
    }

    fn machine(&self) -> &Machine {
        &self.machine
    }

    fn text(&self) -> String {
        super::table::text(self)
    }

    fn section(&self) -> Section {
        super::section::of(self)
    }

    /// Whether the trimmers did what they were timed for: `legacy` keeps no body byte, the others at most 1%.
    fn is_sound(&self) -> bool {
        self.rows.iter().all(|row| match row.trimmer {
            "legacy" => row.body_kept == 0.0,
            _ => row.body_kept <= 0.01,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn report(trimmer: &'static str, body_kept: f64) -> Report {
        Report {
            scenario: "trimmers",
            extent: Extent::Quick,
            machine: Machine::look(),
            cpu: 1,
            rows: vec![Row {
                traffic: "web",
                trimmer,
                ns_per_packet: 20.0,
                wire_bytes_per_packet: 1000.0,
                gigabytes_per_second: 50.0,
                body_kept,
                rounds: vec![20.0],
            }],
            targets: Vec::new(),
        }
    }

    #[test]
    fn a_trimmer_that_keeps_bodies_fails_the_run() {
        assert!(report("legacy", 0.0).is_sound());
        assert!(!report("legacy", 0.0001).is_sound());
        assert!(report("scanning", 0.01).is_sound());
        assert!(!report("scanning", 0.02).is_sound());
    }
}
