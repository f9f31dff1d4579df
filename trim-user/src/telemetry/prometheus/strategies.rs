//! What each strategy does.

use super::histogram;
use super::metric::{Kind, Metric, Samples, Unit};
use crate::control::web::Picture;
use crate::shared::{Lane, LaneTotals};
use crate::trimmer::{Class, Label};

/// The lanes that are shown: those of the two strategies, and others that have seen packets.
pub(super) fn lanes(picture: &Picture) -> impl Iterator<Item = (Lane, &LaneTotals)> {
    let all = Lane::ALL
        .into_iter()
        .map(|lane| (lane, &picture.totals.lanes[lane.index()]));
    all.filter(|(lane, totals)| matches!(lane, Lane::Legacy | Lane::Scanning) || totals.counts.packets > 0)
}

fn each(picture: &Picture, out: &mut Samples, number: fn(&LaneTotals) -> u64) {
    lanes(picture).for_each(|(lane, totals)| out.count(&[lane.name()], number(totals)));
}

const STRATEGY: &[&str] = &["strategy"];

pub(super) const METRICS: &[Metric] = &[
    Metric::counter("trim_flows", STRATEGY, "Flows (TCP connections) that began.", |it, out| {
        each(it, out, |lane| lane.statistics.flows_seen);
    }),
    Metric::gauge("trim_flows_active", STRATEGY, "Flows in the trimmers' tables.", |it, out| {
        each(it, out, |lane| lane.statistics.flows);
    }),
    Metric::counter("trim_strategy_packets", STRATEGY, "Packets judged.", |it, out| {
        each(it, out, |lane| lane.counts.packets);
    }),
    Metric::counter("trim_strategy_received", STRATEGY, "Bytes of the packets judged.", |it, out| {
        each(it, out, |lane| lane.counts.bytes_in);
    })
    .unit(Unit::Bytes),
    Metric::counter("trim_strategy_kept", STRATEGY, "Bytes kept of them.", |it, out| {
        each(it, out, |lane| lane.counts.bytes_out);
    })
    .unit(Unit::Bytes),
    Metric::counter(
        "trim_http_messages",
        STRATEGY,
        "Requests and responses whose header block was complete.",
        |it, out| each(it, out, |lane| lane.statistics.messages),
    ),
    Metric::counter(
        "trim_payload",
        &["strategy", "label"],
        "Payload bytes by what they are. `body` is removed, `unsure` is kept because framing was lost.",
        |it, out| {
            for (lane, totals) in lanes(it) {
                let count = |label: &Label| out.count(&[lane.name(), label.name()], totals.counts.bytes(*label));
                Label::ALL.iter().for_each(count);
            }
        },
    )
    .unit(Unit::Bytes),
    Metric::counter(
        "trim_errors",
        &["strategy", "class"],
        "What did not go as it should. `panic`: packets kept whole because the trimmer panicked. `framing`, `gap`, `limit`: \
         directions that lost their framing, to malformed messages, to lost packets, to a bound. `released`: packets that \
         waited for their labels too long. `eviction`: flows for which there was no room.",
        |it, out| {
            for (lane, totals) in lanes(it) {
                let (counts, statistics) = (&totals.counts, &totals.statistics);
                for (class, count) in [
                    ("panic", counts.kept_by_panic),
                    ("framing", statistics.lost_to_framing),
                    ("gap", statistics.lost_to_gap),
                    ("limit", statistics.lost_to_limit),
                    ("released", counts.released),
                    ("eviction", statistics.flows_evicted),
                ] {
                    out.count(&[lane.name(), class], count);
                }
            }
        },
    ),
    Metric::counter(
        "trim_compared_segments",
        STRATEGY,
        "Segments that both trimmers judged: a sample in production, all in mode comparison.",
        |it, out| each(it, out, |lane| lane.statistics.differences.compared),
    ),
    Metric::counter(
        "trim_different_segments",
        STRATEGY,
        "Of those, segments that the two would not trim alike.",
        |it, out| each(it, out, |lane| lane.statistics.differences.wrong),
    ),
    Metric::counter(
        "trim_different",
        &["strategy", "class"],
        "Bytes on which the two differ, by how. `header_lost` is the one that must stay 0.",
        |it, out| {
            for (lane, totals) in lanes(it) {
                let differences = &totals.statistics.differences;
                let count = |class: &Class| out.count(&[lane.name(), class.name()], differences.of(*class));
                Class::ALL.iter().for_each(count);
            }
        },
    )
    .unit(Unit::Bytes),
    Metric::counter(
        "trim_busy",
        STRATEGY,
        "Time spent on trimming in a sample of runs; divided by `trim_busy_packets_total` it is what a packet costs.",
        |it, out| {
            for (lane, _) in lanes(it) {
                let all = it.threads.iter().map(|thread| thread.busy_ns[lane.index()]);
                out.real(&[lane.name()], all.sum::<u64>() as f64 / 1e9);
            }
        },
    )
    .unit(Unit::Seconds),
    Metric::counter("trim_busy_packets", STRATEGY, "Packets of those runs.", |it, out| {
        for (lane, _) in lanes(it) {
            let all = it.threads.iter().map(|thread| thread.busy_packets[lane.index()]);
            out.count(&[lane.name()], all.sum());
        }
    }),
    Metric::gauge(
        "trim_latency",
        &["strategy", "stage"],
        "How long packets take. `received_to_trimmed`: from the RX ring to the end of the batch they were trimmed in. \
         `trimmed_to_written`: from there to the output file's buffer. `kernel_to_written`: from the XDP program to there.",
        histogram::latencies,
    )
    .of(Kind::Histogram)
    .unit(Unit::Seconds),
];
