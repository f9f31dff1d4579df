//! Where every packet went.

use super::metric::{Metric, Unit};

pub(super) const METRICS: &[Metric] = &[
    Metric::counter(
        "trim_packets_seen",
        &[],
        "Packets that the XDP program saw.",
        |it, out| {
            out.count(&[], it.status.accounts.seen);
        },
    ),
    Metric::counter(
        "trim_packets_written",
        &[],
        "Packets written to capture files.",
        |it, out| {
            out.count(&[], it.status.accounts.written);
        },
    ),
    Metric::counter(
        "trim_packets_passed",
        &[],
        "Packets given to the network stack because no socket took them.",
        |it, out| out.count(&[], it.status.accounts.passed),
    ),
    Metric::counter(
        "trim_packets_omitted",
        &["by"],
        "Packets left out on purpose, by who did it.",
        |it, out| {
            out.count(&["kernel"], it.status.accounts.omitted_by_kernel);
            out.count(&["trimmer"], it.status.accounts.omitted_by_trimmer);
        },
    ),
    Metric::counter(
        "trim_packets_lost",
        &["place"],
        "Packets lost, by place. `no_socket`: no socket took them. `rx_ring_full`: the receiving thread was too slow. \
         `fill_ring_empty`: there was no free frame. `rx_dropped`: the socket dropped them for another reason. \
         `queue_full`: a worker was too slow. `write_failed`: the output could not be written.",
        |it, out| {
            let lost = &it.status.accounts.lost;
            out.count(&["no_socket"], lost.no_socket);
            out.count(&["rx_ring_full"], lost.rx_ring_full);
            out.count(&["fill_ring_empty"], lost.fill_ring_empty);
            out.count(&["rx_dropped"], lost.rx_dropped);
            out.count(&["queue_full"], lost.queue_full);
            out.count(&["write_failed"], lost.write_failed);
        },
    ),
    Metric::gauge(
        "trim_packets_in_flight",
        &[],
        "Packets on their way between the kernel and the file.",
        |it, out| out.count(&[], it.status.accounts.in_flight),
    ),
    Metric::gauge(
        "trim_packets_balance",
        &[],
        "Packets seen less packets accounted for. While packets flow it moves by some, because counters are read one after \
         the other; one that stays away from 0 is an error of the program.",
        |it, out| out.real(&[], it.status.balance as f64),
    ),
    Metric::counter(
        "trim_overloads",
        &[],
        "Times that packets came faster than they were taken. For a second, at least, missing ones are then hardly waited for.",
        |it, out| out.count(&[], it.status.overloads),
    ),
    Metric::counter(
        "trim_packets_out_of_order",
        &[],
        "Packets written behind one with a later time.",
        |it, out| out.count(&[], it.status.files.out_of_order),
    ),
    Metric::counter(
        "trim_kernel_packets",
        &["reason"],
        "The XDP program's own counters: what it decided about packets.",
        |it, out| {
            it.status
                .kernel
                .iter()
                .for_each(|(reason, count)| out.count(&[reason], *count))
        },
    ),
    Metric::counter("trim_received", &[], "Bytes of packets that came in.", |it, out| {
        out.count(&[], it.status.bytes.received);
    })
    .unit(Unit::Bytes),
    Metric::counter("trim_kept", &[], "Bytes that were kept of them.", |it, out| {
        out.count(&[], it.status.bytes.written);
    })
    .unit(Unit::Bytes),
    Metric::counter(
        "trim_output",
        &[],
        "Bytes of capture files as they are stored: with their framing, and compressed if they are.",
        |it, out| out.count(&[], it.status.files.bytes),
    )
    .unit(Unit::Bytes),
];
