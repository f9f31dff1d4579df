//! The process, its threads, its interfaces and its machine.

use super::metric::{Kind, Metric, Samples, Unit};
use crate::control::health::Resources;
use crate::control::web::{Picture, ThreadPicture};

fn threads(picture: &Picture, out: &mut Samples, number: fn(&ThreadPicture) -> u64) {
    picture
        .threads
        .iter()
        .for_each(|thread| out.count(&[&thread.name], number(thread)));
}

fn resource(picture: &Picture, out: &mut Samples, number: fn(&Resources) -> Option<f64>) {
    out.known(
        picture
            .view
            .evidence
            .as_ref()
            .and_then(|evidence| number(&evidence.resources)),
    );
}

fn bytes(number: Option<u64>) -> Option<f64> {
    number.map(|number| number as f64)
}

pub(super) const METRICS: &[Metric] = &[
    Metric::gauge(
        "trim_build",
        &["version", "architecture"],
        "What is running.",
        |it, out| {
            out.count(&[&it.status.version, std::env::consts::ARCH], 1);
        },
    )
    .of(Kind::Info),
    Metric::gauge("trim_uptime", &[], "Time since the capture began.", |it, out| {
        out.real(&[], it.status.uptime_s);
    })
    .unit(Unit::Seconds),
    Metric::counter("process_cpu", &[], "Processor time of the process.", |it, out| {
        out.real(&[], it.processor_time.as_secs_f64());
    })
    .unit(Unit::Seconds),
    Metric::gauge(
        "process_resident_memory",
        &[],
        "Resident memory of the process.",
        |it, out| {
            resource(it, out, |it| bytes(it.resident_bytes));
        },
    )
    .unit(Unit::Bytes),
    Metric::gauge(
        "trim_cpu_used",
        &[],
        "Share of the processors it may use that the process used since the last sample.",
        |it, out| resource(it, out, |it| it.cpu_share),
    )
    .unit(Unit::Ratio),
    Metric::gauge(
        "trim_memory_used",
        &[],
        "Share of the memory of machine or control group that is in use.",
        |it, out| resource(it, out, Resources::memory_share),
    )
    .unit(Unit::Ratio),
    Metric::gauge(
        "trim_disk_size",
        &[],
        "Size of the capture files' file system.",
        |it, out| {
            resource(it, out, |it| bytes(it.disk_total));
        },
    )
    .unit(Unit::Bytes),
    Metric::gauge("trim_disk_free", &[], "What is free of it.", |it, out| {
        resource(it, out, |it| bytes(it.disk_free));
    })
    .unit(Unit::Bytes),
    Metric::gauge(
        "trim_flow_table_used",
        &[],
        "How full the fullest flow table is. A full one makes room by forgetting the flow that was quiet for longest.",
        |it, out| resource(it, out, |it| it.flow_table_share),
    )
    .unit(Unit::Ratio),
    Metric::counter(
        "trim_thread_beats",
        &["thread"],
        "Turns of the thread's loop. It turns many times a second even without packets: one that stands still is stuck.",
        |it, out| threads(it, out, |thread| thread.beat),
    ),
    Metric::gauge(
        "trim_thread_waiting_batches",
        &["thread"],
        "Batches of packets that wait in front of the thread.",
        |it, out| threads(it, out, |thread| thread.waiting),
    ),
    Metric::gauge(
        "trim_thread_held",
        &["thread"],
        "Packets that wait for their labels, and those behind them.",
        |it, out| threads(it, out, |thread| thread.held_bytes),
    )
    .unit(Unit::Bytes),
    Metric::gauge(
        "trim_interface_up",
        &["interface"],
        "1 while the link is up.",
        |it, out| {
            for interface in &it.status.interfaces {
                out.count(&[&interface.name], u64::from(interface.link == "up"));
            }
        },
    ),
    Metric::gauge(
        "trim_interface",
        &["interface", "xdp_mode", "xsk_mode", "queues"],
        "How the interface is captured.",
        |it, out| {
            for one in &it.status.interfaces {
                out.count(&[&one.name, &one.xdp_mode, &one.xsk_mode, &one.queues.to_string()], 1);
            }
        },
    )
    .of(Kind::Info),
];
