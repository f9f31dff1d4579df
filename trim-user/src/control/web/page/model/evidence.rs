//! Evidence as tables.

use crate::control::figures;
use crate::control::health::{Arm, Evidence};

/// A table: a head and rows of texts.
pub(crate) struct Table {
    pub(crate) title: &'static str,
    pub(crate) head: Vec<&'static str>,
    pub(crate) rows: Vec<(&'static str, Vec<String>)>,
}

/// All of it.
pub(super) fn tables(evidence: &Evidence) -> Vec<Table> {
    vec![
        arms(evidence),
        packets(evidence),
        resources(evidence),
        threads(evidence),
    ]
}

fn or_dash(value: Option<String>) -> String {
    value.unwrap_or_else(|| "-".to_owned())
}

fn arms(evidence: &Evidence) -> Table {
    let row = |name, of: &dyn Fn(&Arm) -> String| (name, vec![of(&evidence.legacy), of(&evidence.scanning)]);
    let latency = |value: u64, arm: &Arm| or_dash((arm.latency.packets > 0).then(|| figures::nanoseconds(value)));
    Table {
        title: "Strategies",
        head: vec!["", "legacy", "scanning"],
        rows: vec![
            row("flows that began", &|arm| figures::number(arm.flows)),
            row("packets", &|arm| figures::number(arm.packets)),
            row("bytes", &|arm| figures::bytes(arm.bytes)),
            row("HTTP messages", &|arm| figures::number(arm.messages)),
            row("errors", &|arm| figures::number(arm.errors.total())),
            row("share of errors", &|arm| {
                or_dash(arm.error_share().map(figures::percent))
            }),
            row("cost per packet", &|arm| {
                or_dash(arm.cost_ns().map(|cost| format!("{cost:.0} ns")))
            }),
            row("latency p50", &|arm| latency(arm.latency.p50, arm)),
            row("latency p95", &|arm| latency(arm.latency.p95, arm)),
            row("latency p99", &|arm| latency(arm.latency.p99, arm)),
            row("segments compared", &|arm| figures::number(arm.shadow.segments)),
            row("accuracy", &|arm| or_dash(arm.shadow.accuracy().map(figures::percent))),
            row("header bytes lost", &|arm| {
                figures::number(arm.shadow.header_bytes_lost)
            }),
        ],
    }
}

fn packets(evidence: &Evidence) -> Table {
    let packets = &evidence.packets;
    let row = |name, value: u64| (name, vec![figures::number(value), figures::share(value, packets.seen)]);
    Table {
        title: "Packets",
        head: vec!["", "packets", "of those seen"],
        rows: vec![
            row("seen", packets.seen),
            row("written", packets.written),
            row("omitted", packets.omitted),
            row("lost: no_socket", packets.no_socket),
            row("lost: rx_ring_full", packets.rx_ring_full),
            row("lost: fill_ring_empty", packets.fill_ring_empty),
            row("lost: rx_dropped", packets.rx_dropped),
            row("lost: queue_full", packets.queue_full),
            row("lost: write_failed", packets.write_failed),
        ],
    }
}

fn resources(evidence: &Evidence) -> Table {
    let resources = &evidence.resources;
    let share = |value: Option<f64>| vec![or_dash(value.map(figures::percent))];
    let bytes = |value: Option<u64>| vec![or_dash(value.map(figures::bytes))];
    Table {
        title: "Machine",
        head: vec!["", "value"],
        rows: vec![
            ("processor time", share(resources.cpu_share)),
            ("memory of the process", bytes(resources.resident_bytes)),
            ("memory of the machine in use", share(resources.memory_share())),
            ("file system in use", share(resources.disk_share())),
            ("file system free", bytes(resources.disk_free)),
            ("frame pool in use", share(resources.umem_share)),
            ("flow table in use", share(resources.flow_table_share)),
            ("packets that wait for labels", bytes(Some(resources.held_bytes))),
        ],
    }
}

fn threads(evidence: &Evidence) -> Table {
    let waiting: u64 = evidence.threads.iter().map(|thread| thread.waiting).sum();
    let stalled = evidence
        .threads
        .iter()
        .map(|thread| thread.stalled_s)
        .fold(0.0, f64::max);
    Table {
        title: "Threads",
        head: vec!["", "value"],
        rows: vec![
            ("threads", vec![figures::number(evidence.threads.len() as u64)]),
            ("batches that wait", vec![figures::number(waiting)]),
            ("longest without progress", vec![format!("{stalled:.1} s")]),
        ],
    }
}
