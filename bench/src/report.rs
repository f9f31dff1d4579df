//! What was measured. The fields are those of `--json` and of the files in `bench/record`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::cpus::Cpus;
use crate::exam::Exam;
use crate::extra::ManyFlows;
use crate::machine::Machine;
use crate::median::median_by;
use crate::paced::Paced;
use crate::peers::{Latency, Peer, Received};
use crate::plan::Extent;
use crate::targets::Target;
use crate::traffic::{Sent, Shape};
use crate::usage::Usage;

/// A whole run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) scenario: String,
    pub(crate) extent: Extent,
    pub(crate) machine: Machine,
    /// Who was pinned where.
    pub(crate) cpus: Cpus,
    /// What was sent in each round.
    pub(crate) traffic: Shape,
    pub(crate) rows: Vec<Row>,
    /// Switches of strategy under load: from the command to the last packet with the old tag, microseconds. Measured in
    /// `bulk`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) switches_us: Vec<f64>,
    /// Memory with very many connections; measured in `api`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) many_flows: Option<ManyFlows>,
    /// What the figures have to reach.
    pub(crate) targets: Vec<Target>,
}

/// One peer: its median round, and all of them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) peer: &'static str,
    pub(crate) setting: &'static str,
    /// Whether its balance must be 0; the counters of a foreign program prove nothing about this one.
    pub(crate) is_ours: bool,
    /// The round with the median of `kept_per_second`, whole: its figures belong together.
    pub(crate) median: Round,
    pub(crate) rounds: Vec<Round>,
    /// At given rates; absent where that was not measured.
    pub(crate) paced: Option<Paced>,
    /// What its output holds, of the last round; absent for one that writes nothing.
    pub(crate) output: Option<Exam>,
    #[serde(skip)]
    pub(crate) peer_is: Peer,
}

impl Row {
    /// # Panics
    /// Without a round.
    pub(crate) fn new(peer: Peer, rounds: Vec<Round>) -> Self {
        Self {
            peer: peer.name(),
            setting: peer.setting(),
            is_ours: peer.is_ours(),
            median: median_by(&rounds, |round| round.kept_per_second).clone(),
            output: rounds.last().and_then(|round| round.exam),
            rounds,
            paced: None,
            peer_is: peer,
        }
    }
}

/// One measurement. Counts are packets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Round {
    /// Given to the sending interface.
    pub(crate) offered: u64,
    /// How long the bodies took to send, seconds.
    pub(crate) seconds: f64,
    pub(crate) offered_per_second: f64,
    /// Dropped by the sending end of the veth, before any receiver could see them.
    pub(crate) dropped_by_sender: u64,
    /// Seen by the receiver's XDP program.
    pub(crate) seen: u64,
    pub(crate) kept: u64,
    pub(crate) kept_per_second: f64,
    /// Lost behind XDP, all places.
    pub(crate) lost: u64,
    /// The same by place.
    pub(crate) lost_by_place: BTreeMap<String, u64>,
    /// Bytes written; absent for what writes nothing.
    pub(crate) output_bytes: Option<u64>,
    /// Offered less everything else: 0, or packets are unaccounted for.
    pub(crate) balance: i64,
    /// What the peer's process took; absent for one that is none.
    pub(crate) taken: Option<Taken>,
    /// From the XDP program to the output's buffer, nanoseconds; absent for one that does not measure it.
    pub(crate) latency_ns: Option<Latency>,
    #[serde(skip)]
    pub(crate) exam: Option<Exam>,
}

/// What a process took of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Taken {
    /// Processor time while frames were sent, seconds, without what the kernel does for it in soft interrupts.
    pub(crate) processor_seconds: f64,
    /// Most memory that was resident, bytes.
    pub(crate) peak_resident_bytes: u64,
}

impl Taken {
    /// From one moment to another.
    pub(crate) fn new(before: Usage, after: Usage) -> Self {
        Self {
            processor_seconds: after.processor.saturating_sub(before.processor).as_secs_f64(),
            peak_resident_bytes: after.peak_resident,
        }
    }
}

impl Round {
    pub(crate) fn new(
        sent: &Sent,
        dropped_by_sender: u64,
        received: Received,
        taken: Option<Taken>,
        exam: Option<Exam>,
    ) -> Self {
        let seconds = sent.duration.as_secs_f64();
        // Openings were sent before time was taken; of what was kept they are taken to be the same share.
        let timed = (sent.frames - sent.openings) as f64 / sent.frames as f64;
        let lost: u64 = received.lost.values().sum();
        // Two equations in one: all that was not dropped by the sender was seen, and all that was seen ended somewhere.
        let unseen = sent
            .frames
            .wrapping_sub(dropped_by_sender + received.seen)
            .cast_signed();
        let vanished = received.seen.wrapping_sub(received.kept + lost).cast_signed();
        Self {
            offered: sent.frames,
            seconds,
            offered_per_second: sent.frames as f64 * timed / seconds,
            dropped_by_sender,
            seen: received.seen,
            kept: received.kept,
            kept_per_second: received.kept as f64 * timed / seconds,
            lost,
            lost_by_place: received.lost,
            output_bytes: received.output_bytes,
            balance: if unseen == 0 { vanished } else { unseen },
            taken,
            latency_ns: received.latency,
            exam,
        }
    }
}

impl Round {
    /// Processor seconds of the peer's process for a million packets kept.
    pub(crate) fn processor_per_million(&self) -> Option<f64> {
        let taken = self.taken?;
        (self.kept > 0).then(|| taken.processor_seconds / (self.kept as f64 / 1e6))
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let million = |per_second: f64| per_second / 1e6;
        write!(
            f,
            "{:.3} million packets/s offered, {:.3} kept",
            million(self.offered_per_second),
            million(self.kept_per_second)
        )
    }
}

impl Report {
    /// Whether every packet of every round of `trim` and of the bare loop is accounted for.
    pub(crate) fn is_balanced(&self) -> bool {
        let ours = self.rows.iter().filter(|row| row.is_ours);
        ours.flat_map(|row| &row.rounds).all(|round| round.balance == 0)
    }
}

/// A small report for tests.
#[cfg(test)]
pub(crate) fn fixture(scenario: &str) -> Report {
    use crate::paced::{Loaded, Tried};

    let mut row = Row::new(Peer::APPLIANCE, vec![tests::round(0, 1000, 1000, 0)]);
    let tried = |offered_per_second, lost| Tried {
        offered_per_second,
        lost,
        lost_share: lost as f64 / 1000.0,
    };
    row.paced = Some(Paced {
        lossless_per_second: Some(1e6),
        tried: vec![tried(1e6, 0), tried(2e6, 100)],
        loaded: vec![Loaded {
            share: 0.5,
            offered_per_second: 5e5,
            lost: 0,
            latency_ns: Latency {
                p50: 100_000,
                p99: 150_000,
                p999: 200_000,
            },
        }],
    });
    let mut report = Report {
        scenario: scenario.to_owned(),
        extent: Extent::Quick,
        machine: Machine::look(),
        cpus: Cpus {
            generator: 0,
            receiver: 1,
        },
        traffic: Shape {
            flows: 1,
            frame_bytes: 60.0,
            frames: 1000,
            body_bytes: 0,
        },
        rows: vec![row],
        switches_us: vec![3.0],
        many_flows: None,
        targets: Vec::new(),
    };
    report.targets = crate::targets::of(&report, &[]);
    report
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::peers::Program;

    fn sent() -> Sent {
        Sent {
            frames: 1000,
            openings: 10,
            body_bytes: 0,
            duration: Duration::from_millis(500),
        }
    }

    pub(super) fn round(dropped_by_sender: u64, seen: u64, kept: u64, lost: u64) -> Round {
        let received = Received {
            seen,
            kept,
            lost: [("rx_ring_full".to_owned(), lost), ("rx_dropped".to_owned(), 0)].into(),
            output_bytes: Some(1),
            ..Received::default()
        };
        Round::new(&sent(), dropped_by_sender, received, None, None)
    }

    #[test]
    fn rates_are_per_second_of_sending() {
        let round = round(100, 900, 700, 200);
        assert_eq!((round.offered_per_second, round.kept_per_second), (1980.0, 1386.0));
        assert_eq!((round.lost, round.balance), (200, 0));
    }

    #[test]
    fn a_packet_missing_anywhere_is_in_the_balance() {
        assert_eq!(round(100, 899, 699, 200).balance, 1);
        assert_eq!(round(100, 900, 699, 200).balance, 1);
        assert_eq!(round(100, 900, 701, 200).balance, -1);
    }

    #[test]
    fn the_median_round_is_the_middle_one_by_what_was_kept() {
        let rounds = [round(0, 1000, 3, 997), round(0, 1000, 1, 999), round(0, 1000, 2, 998)];
        assert_eq!(Row::new(Peer::Bare, rounds.to_vec()).median.kept, 2);
    }

    #[test]
    fn an_unbalanced_round_of_trim_fails_the_run_and_one_of_tcpdump_does_not() {
        let report = |peer| Report {
            rows: vec![Row::new(peer, vec![round(100, 900, 700, 199)])],
            ..fixture("bulk")
        };
        assert!(!report(Peer::Bare).is_balanced());
        assert!(report(Peer::Sniffer(Program::Tcpdump)).is_balanced());
    }
}
