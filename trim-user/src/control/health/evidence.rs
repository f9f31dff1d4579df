//! What was measured: the input of every judgement. All of it comes from counters, histograms and the system.

use serde::{Deserialize, Serialize};
use trim_common::strategy::Strategy;

use super::Moment;

/// What was measured over one interval, usually five seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Evidence {
    /// The end of the interval.
    pub at: Moment,
    /// Its length, seconds.
    pub seconds: f64,
    /// What the kernel was told to do with flows.
    pub target: Target,
    /// What flows on `legacy` went through.
    pub legacy: Arm,
    /// What flows on `scanning` went through.
    pub scanning: Arm,
    /// Where packets went, by the kernel's counters and ours.
    pub packets: Packets,
    /// The process and its machine.
    pub resources: Resources,
    /// The data path's threads.
    pub threads: Vec<Thread>,
}

impl Evidence {
    /// The arm of a strategy.
    pub const fn arm(&self, strategy: Strategy) -> &Arm {
        match strategy {
            Strategy::Legacy => &self.legacy,
            Strategy::Scanning => &self.scanning,
        }
    }

    /// Adds a later interval: counts are summed, states are the later ones, means are weighted by packets.
    pub fn absorb(&mut self, later: &Self) {
        self.absorb_counts(later);
        self.target.clone_from(&later.target);
        self.threads.clone_from(&later.threads);
    }

    /// All of it that is copied for nothing.
    pub(super) fn absorb_counts(&mut self, later: &Self) {
        self.at = later.at;
        self.seconds += later.seconds;
        self.legacy.absorb(&later.legacy);
        self.scanning.absorb(&later.scanning);
        self.packets.absorb(&later.packets);
        self.resources = later.resources;
    }
}

/// What the kernel was told to do with flows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Target {
    /// Name of the mode.
    pub mode: String,
    /// Share of new flows that are to be on `scanning`, 0 to 1.
    pub share: f64,
    /// Whether mode or share changed during the interval: flows are then of both.
    pub has_changed: bool,
}

/// One strategy at work. Counts are of the interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Arm {
    /// Flows that began.
    pub flows: u64,
    /// Packets.
    pub packets: u64,
    /// Bytes of those packets.
    pub bytes: u64,
    /// HTTP messages.
    pub messages: u64,
    /// What went wrong.
    pub errors: Errors,
    /// From the XDP program to the output file's buffer.
    pub latency: Latency,
    /// From the RX ring to the end of the batch it was trimmed in.
    pub trimming: Latency,
    /// Time spent on trimming a sample of the packets, nanoseconds.
    pub busy_ns: u64,
    /// How many packets that sample has.
    pub busy_packets: u64,
    /// What the other trimmer said about a sample of these flows.
    pub shadow: Shadow,
}

impl Arm {
    /// Packets that were not trimmed as they should be, as a share of all: 0 to 1. `None` without packets.
    pub fn error_share(&self) -> Option<f64> {
        share(self.errors.total(), self.packets)
    }

    /// Cost of trimming, nanoseconds per packet.
    pub fn cost_ns(&self) -> Option<f64> {
        (self.busy_packets > 0 && self.busy_ns > 0).then(|| self.busy_ns as f64 / self.busy_packets as f64)
    }

    fn absorb(&mut self, later: &Self) {
        self.flows += later.flows;
        self.packets += later.packets;
        self.bytes += later.bytes;
        self.messages += later.messages;
        self.errors.absorb(&later.errors);
        self.latency.absorb(&later.latency);
        self.trimming.absorb(&later.trimming);
        self.busy_ns += later.busy_ns;
        self.busy_packets += later.busy_packets;
        self.shadow.absorb(&later.shadow);
    }
}

/// What went wrong in a trimmer, by class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Errors {
    /// Packets kept whole because the trimmer panicked over them.
    pub panics: u64,
    /// Directions that lost their framing to malformed or conflicting messages.
    pub framing: u64,
    /// Directions that lost their framing to missing segments.
    pub gaps: u64,
    /// Directions that lost their framing to a limit.
    pub limits: u64,
    /// Packets kept whole because they had waited too long for their labels.
    pub released: u64,
    /// Flows thrown out because the table was full.
    pub evictions: u64,
}

impl Errors {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.panics + self.framing + self.gaps + self.limits + self.released + self.evictions
    }

    fn absorb(&mut self, later: &Self) {
        self.panics += later.panics;
        self.framing += later.framing;
        self.gaps += later.gaps;
        self.limits += later.limits;
        self.released += later.released;
        self.evictions += later.evictions;
    }
}

/// The latencies of an interval, nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Latency {
    /// Packets measured.
    pub packets: u64,
    /// Half of them took at most this.
    pub p50: u64,
    /// 95 of 100 took at most this.
    pub p95: u64,
    /// 99 of 100 took at most this.
    pub p99: u64,
}

impl Latency {
    /// Quantiles cannot be added; over several intervals the worst stands for all.
    fn absorb(&mut self, later: &Self) {
        self.packets += later.packets;
        self.p50 = self.p50.max(later.p50);
        self.p95 = self.p95.max(later.p95);
        self.p99 = self.p99.max(later.p99);
    }
}

/// A second opinion on a sample of flows. The exact trimmer's opinion counts as the truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Shadow {
    /// Segments that both trimmers judged.
    pub segments: u64,
    /// Of those, with any difference.
    pub different: u64,
    /// Header bytes that `scanning` removed, or would have.
    pub header_bytes_lost: u64,
    /// Body bytes that `scanning` kept, or would have.
    pub body_bytes_kept: u64,
}

impl Shadow {
    /// Share of segments on which both agree, 0 to 1. `None` when none was compared.
    pub fn accuracy(&self) -> Option<f64> {
        share(self.different, self.segments).map(|different| 1.0 - different)
    }

    fn absorb(&mut self, later: &Self) {
        self.segments += later.segments;
        self.different += later.different;
        self.header_bytes_lost += later.header_bytes_lost;
        self.body_bytes_kept += later.body_bytes_kept;
    }
}

/// Packets of the interval by where they went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Packets {
    /// Seen by the XDP program.
    pub seen: u64,
    /// Written.
    pub written: u64,
    /// Left out on purpose.
    pub omitted: u64,
    /// Lost because no socket took them.
    pub no_socket: u64,
    /// Lost because an RX ring was full.
    pub rx_ring_full: u64,
    /// Lost because no frame was free.
    pub fill_ring_empty: u64,
    /// Dropped by a socket for another reason.
    pub rx_dropped: u64,
    /// Lost because a worker's queue was full.
    pub queue_full: u64,
    /// Lost because the output could not be written.
    pub write_failed: u64,
}

impl Packets {
    /// Lost, wherever.
    pub const fn lost(&self) -> u64 {
        self.no_socket
            + self.rx_ring_full
            + self.fill_ring_empty
            + self.rx_dropped
            + self.queue_full
            + self.write_failed
    }

    /// Lost packets as a share of those seen, 0 to 1. `None` when nothing was seen.
    pub fn loss_share(&self) -> Option<f64> {
        share(self.lost(), self.seen)
    }

    fn absorb(&mut self, later: &Self) {
        self.seen += later.seen;
        self.written += later.written;
        self.omitted += later.omitted;
        self.no_socket += later.no_socket;
        self.rx_ring_full += later.rx_ring_full;
        self.fill_ring_empty += later.fill_ring_empty;
        self.rx_dropped += later.rx_dropped;
        self.queue_full += later.queue_full;
        self.write_failed += later.write_failed;
    }
}

/// The process and its machine at the end of the interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Resources {
    /// Processor time of the process as a share of the processors it may use, 0 to 1.
    pub cpu_share: Option<f64>,
    /// Resident memory of the process, bytes.
    pub resident_bytes: Option<u64>,
    /// Memory of the machine, or of the control group of which a larger share is in use, bytes.
    pub memory_total: Option<u64>,
    /// Memory that could still be had, bytes.
    pub memory_available: Option<u64>,
    /// The process is to keep within so much resident memory, bytes; `None` when it was given no limit.
    pub memory_limit: Option<u64>,
    /// Size of the file system that takes the captures, bytes.
    pub disk_total: Option<u64>,
    /// Free space there, bytes.
    pub disk_free: Option<u64>,
    /// Bytes of packets that wait for their labels.
    pub held_bytes: u64,
    /// Share of the frames of the fullest RX queue that are in use, 0 to 1.
    pub umem_share: Option<f64>,
    /// Share of the fuller flow table that is in use, 0 to 1.
    pub flow_table_share: Option<f64>,
}

impl Resources {
    /// Share of the memory of machine or control group that cannot be had any more, 0 to 1.
    pub fn memory_share(&self) -> Option<f64> {
        let (total, available) = (self.memory_total?, self.memory_available?);
        (total > 0).then(|| 1.0 - available.min(total) as f64 / total as f64)
    }

    /// Resident memory as a share of what the process is to keep within; above 1 when it does not. `None` without a limit.
    pub fn process_memory_share(&self) -> Option<f64> {
        let (limit, resident) = (self.memory_limit?, self.resident_bytes?);
        (limit > 0).then(|| resident as f64 / limit as f64)
    }

    /// The larger one of [`Self::memory_share`] and [`Self::process_memory_share`].
    pub fn worst_memory_share(&self) -> Option<f64> {
        let shares = self.memory_share().into_iter().chain(self.process_memory_share());
        shares.max_by(f64::total_cmp)
    }

    /// Share of the file system that is in use, 0 to 1.
    pub fn disk_share(&self) -> Option<f64> {
        let (total, free) = (self.disk_total?, self.disk_free?);
        (total > 0).then(|| 1.0 - free.min(total) as f64 / total as f64)
    }
}

/// One thread of the data path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Thread {
    /// Its name, such as `scanning-0`.
    pub name: String,
    /// Batches that wait in front of it.
    pub waiting: u64,
    /// For how long it has made no progress although something waits, seconds.
    pub stalled_s: f64,
}

/// `part` of `whole`, 0 to 1.
pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_measured_is_no_share() {
        let nothing = Evidence::default();
        assert_eq!(nothing.scanning.error_share(), None);
        assert_eq!(nothing.scanning.shadow.accuracy(), None);
        assert_eq!(nothing.packets.loss_share(), None);
        assert_eq!(nothing.resources.memory_share(), None);
    }

    #[test]
    fn several_intervals_make_one() {
        let one = Evidence {
            seconds: 5.0,
            scanning: Arm {
                packets: 100,
                errors: Errors {
                    panics: 20,
                    ..Errors::default()
                },
                ..Arm::default()
            },
            ..Evidence::default()
        };
        let mut sum = one.clone();
        sum.absorb(&one);
        assert_eq!(sum.scanning.packets, 200);
        assert_eq!(sum.scanning.error_share(), Some(0.2));
        assert_eq!(sum.seconds, 10.0);
    }
}
