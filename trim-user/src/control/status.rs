//! What a running capture says of itself.

use serde::{Deserialize, Serialize};

use super::accounts::Accounts;
use crate::shared::{Lane, LaneTotals, Latency, Stage};
use crate::trimmer::{Class, Differences, Label};

/// The whole state of a capture.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CaptureStatus)]
pub struct Status {
    /// `trim`'s version.
    pub version: String,
    /// Process id.
    pub pid: u32,
    /// Seconds since the capture began.
    pub uptime_s: f64,
    /// The mode in force.
    pub mode: String,
    /// Share of flows on `scanning` in mode `ab_test`, percent.
    pub split_percent: f64,
    /// Grows with each immediate switch.
    pub generation: u32,
    /// Packets in short.
    pub packets: Packets,
    /// Where every packet went.
    pub accounts: Accounts,
    /// Packets seen less packets accounted for.
    pub balance: i64,
    /// Times that packets came faster than they were taken, so that missing ones were hardly waited for.
    #[serde(default)]
    pub overloads: u64,
    /// Bytes.
    pub bytes: Bytes,
    /// HTTP in total.
    pub http: Http,
    /// By lane; only those that have seen packets, and always `legacy` and `scanning`.
    pub strategies: std::collections::BTreeMap<String, StrategyStatus>,
    /// The last switch.
    pub switch: Option<SwitchStatus>,
    /// The interfaces.
    pub interfaces: Vec<InterfaceStatus>,
    /// The output files.
    pub files: OutputStatus,
    /// The kernel's counters by reason, packets.
    pub kernel: std::collections::BTreeMap<String, u64>,
}

/// Packets in short: every packet seen is in one of the others, passed on, or on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PacketTotals)]
pub struct Packets {
    /// Seen by the XDP program, or read.
    pub seen: u64,
    /// Written.
    pub written: u64,
    /// Left out on purpose.
    pub omitted: u64,
    /// Lost, wherever.
    pub lost: u64,
}

/// Bytes of packets in and out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Bytes {
    /// Of received packets.
    #[serde(rename = "in")]
    pub received: u64,
    /// Of what is kept of them.
    #[serde(rename = "out")]
    pub written: u64,
}

/// HTTP bytes by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Http {
    /// Requests and responses.
    pub messages: u64,
    /// Bytes of header blocks and trailers.
    pub header_bytes: u64,
    /// Bytes of message bodies.
    pub body_bytes: u64,
    /// Of those, removed.
    pub body_bytes_cut: u64,
    /// Bytes kept because the framing was lost.
    pub unsure_bytes: u64,
    /// Bytes kept because the connection was met in its middle and has not shown yet what it is: its strategy was
    /// changed at once, or it began before the capture.
    #[serde(default)]
    pub undecided_bytes: u64,
    /// Bytes behind CONNECT and Upgrade.
    pub opaque_bytes: u64,
}

impl Http {
    /// The bytes of one lane.
    pub fn of(totals: &LaneTotals) -> Self {
        let mut http = Self::default();
        http.add(totals);
        http
    }

    fn add(&mut self, totals: &LaneTotals) {
        let counts = &totals.counts;
        self.messages += totals.statistics.messages;
        self.header_bytes += counts.bytes(Label::Header) + counts.bytes(Label::Redacted) + counts.bytes(Label::Trailer);
        self.body_bytes += counts.bytes(Label::Body) + counts.bytes(Label::BodyKept);
        self.body_bytes_cut += counts.bytes(Label::Body);
        self.unsure_bytes += counts.bytes(Label::Unsure);
        self.undecided_bytes += counts.bytes(Label::Undecided);
        self.opaque_bytes += counts.bytes(Label::Opaque);
    }
}

/// One strategy at work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StrategyStatus {
    /// Flows seen.
    pub flows: u64,
    /// Packets judged.
    pub packets: u64,
    /// Bytes of those packets.
    pub bytes_in: u64,
    /// Bytes kept of them.
    pub bytes_out: u64,
    /// HTTP in this strategy.
    pub http: Http,
    /// Trimmer panics.
    pub panics: u64,
    /// Directions that lost their framing, for any reason.
    pub framing_lost: u64,
    /// Where the other strategy differs, in mode `comparison`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub differences: Option<DifferenceStatus>,
    /// From the XDP program to the output file's buffer.
    pub latency_ns: LatencyStatus,
    /// Latency by stage.
    pub latency: std::collections::BTreeMap<String, LatencyStatus>,
}

/// Where `scanning` differs from `legacy` on the same bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DifferenceStatus {
    /// Segments with any difference.
    pub segments: u64,
    /// Header bytes it would have removed.
    pub header_bytes_lost: u64,
    /// Body bytes it takes for header bytes.
    pub header_bytes_gained: u64,
    /// Body bytes it would have kept for another reason.
    pub body_bytes_kept: u64,
    /// Bytes it would have removed where `legacy` is not sure.
    pub unsure_bytes_cut: u64,
    /// Bytes of framing, of tunnels, or of the kept beginning of bodies that it would have removed.
    pub framing_bytes_cut: u64,
    /// Bytes that only one of the two would have overwritten.
    pub redaction_bytes: u64,
    /// Bytes it labels otherwise, to the same end.
    pub other_bytes: u64,
    /// Segments that could not be compared.
    pub not_compared: u64,
}

impl DifferenceStatus {
    /// The same numbers, to be printed.
    pub const fn of(differences: &Differences) -> Self {
        Self {
            segments: differences.segments,
            header_bytes_lost: differences.of(Class::HeaderLost),
            header_bytes_gained: differences.of(Class::HeaderGained),
            body_bytes_kept: differences.of(Class::BodyKept),
            unsure_bytes_cut: differences.of(Class::UnsureCut),
            framing_bytes_cut: differences.of(Class::FramingCut),
            redaction_bytes: differences.of(Class::Redaction),
            other_bytes: differences.of(Class::NameOnly),
            not_compared: differences.not_compared,
        }
    }
}

/// Latency of one stage, nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LatencyStatus {
    /// Packets measured.
    pub packets: u64,
    /// Half of them took at most this.
    pub p50: u64,
    /// 95 of 100 took at most this.
    #[serde(default)]
    pub p95: u64,
    /// 99 of 100 took at most this.
    pub p99: u64,
    /// 999 of 1000 took at most this.
    #[serde(default)]
    pub p999: u64,
    /// The slowest.
    pub max: u64,
}

/// A switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SwitchStatus {
    /// From the command to the last packet with the old tag, microseconds.
    pub microseconds: f64,
    /// Of that, the map write.
    pub write_microseconds: f64,
}

/// One interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct InterfaceStatus {
    /// Its name.
    pub name: String,
    /// `native` or `generic`.
    pub xdp_mode: String,
    /// `zero_copy` or `copy`.
    pub xsk_mode: String,
    /// RX queues.
    pub queues: u32,
    /// `up`, `no_carrier`, `down` or `gone`.
    pub link: String,
    /// Whether the XDP program stays in force when the daemon is killed.
    pub is_pinned: bool,
}

/// The output.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OutputStatus {
    /// The folder.
    pub directory: String,
    /// Bytes of the files, as they are stored.
    pub bytes: u64,
    /// Packets that left behind a later one.
    pub out_of_order: u64,
    /// Bytes of packets that wait for their labels.
    pub held_bytes: u64,
    /// Exemplars of differences that were saved in mode `comparison`.
    #[serde(default)]
    pub exemplars_saved: u64,
    /// Exemplars that were found and could not be saved.
    #[serde(default)]
    pub exemplars_lost: u64,
}

/// One strategy's part of the status.
pub fn strategy_status(lane: Lane, totals: &LaneTotals, latency: &Latency) -> StrategyStatus {
    let statistics = &totals.statistics;
    let of_stage = |stage: Stage| {
        let histogram = latency.of(lane, stage);
        LatencyStatus {
            packets: histogram.len(),
            p50: histogram.value_at_quantile(0.5),
            p95: histogram.value_at_quantile(0.95),
            p99: histogram.value_at_quantile(0.99),
            p999: histogram.value_at_quantile(0.999),
            max: histogram.max(),
        }
    };
    StrategyStatus {
        flows: statistics.flows_seen,
        packets: totals.counts.packets,
        bytes_in: totals.counts.bytes_in,
        bytes_out: totals.counts.bytes_out,
        http: Http::of(totals),
        panics: totals.counts.panics,
        framing_lost: statistics.lost_to_gap + statistics.lost_to_framing + statistics.lost_to_limit,
        differences: (lane == Lane::Comparison).then(|| DifferenceStatus::of(&statistics.differences)),
        latency_ns: of_stage(Stage::KernelToWritten),
        latency: Stage::ALL
            .map(|stage| (stage.name().to_owned(), of_stage(stage)))
            .into(),
    }
}

/// HTTP over all lanes.
pub fn http_total(lanes: &[LaneTotals; Lane::COUNT]) -> Http {
    let mut http = Http::default();
    lanes.iter().for_each(|totals| http.add(totals));
    http
}

/// How a capture ended: the last status, and what is known only at the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Summary {
    /// Where everything went.
    #[serde(flatten)]
    pub status: Status,
    /// `native` or `generic`; the mode of the first interface.
    pub xdp_mode: String,
    /// `zero_copy` or `copy`; the mode of the first interface.
    pub xsk_mode: String,
    /// The last finished file; empty when there is none.
    pub output: String,
    /// Frames that were neither in a ring nor free at the end.
    pub frames_leaked: u64,
    /// What went wrong, in words.
    pub errors: Vec<String>,
}
