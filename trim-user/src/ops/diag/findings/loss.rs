//! Where packets were lost, and accounts that do not come out even.

use crate::control::accounts::Lost;
use crate::control::health::Packets;
use crate::ops::diag::collected::Collected;

use super::{Finding, Severity, first};

/// A place where packets are lost.
struct Place {
    name: &'static str,
    in_sample: fn(&Packets) -> u64,
    in_total: fn(&Lost) -> u64,
    what: &'static str,
    cure: &'static str,
}

const PLACES: [Place; 6] = [
    Place {
        name: "no_socket",
        in_sample: |it| it.no_socket,
        in_total: |it| it.no_socket,
        what: "no socket took them while `on_user_space_loss` was `drop`",
        cure: "The daemon was not running or a queue had no socket: see when it was started and stopped. `capture.on_user_space_loss: pass` lets such packets go on",
    },
    Place {
        name: "rx_ring_full",
        in_sample: |it| it.rx_ring_full,
        in_total: |it| it.rx_ring_full,
        what: "an RX ring was full: the receiving thread was too slow",
        cure: "Raise `capture.ring_size`; give receiving threads cores of their own (`pipeline.receive_cores`), away from interrupts; `capture.wait: spin`. With the layout `inline` trimming itself is too slow: use `threads` or more queues",
    },
    Place {
        name: "fill_ring_empty",
        in_sample: |it| it.fill_ring_empty,
        in_total: |it| it.fill_ring_empty,
        what: "the fill ring was empty: no frame was free",
        cure: "Raise `capture.frames_per_queue`. If it happens with little traffic, frames wait somewhere: look for a stalled thread and a slow disk below",
    },
    Place {
        name: "rx_dropped",
        in_sample: |it| it.rx_dropped,
        in_total: |it| it.rx_dropped,
        what: "the sockets dropped them, mostly because they are longer than a frame",
        cure: "Set `capture.frame_size: 4096` when the MTU is above 1500, and switch off merging of segments (`ethtool -K IF gro off lro off`)",
    },
    Place {
        name: "queue_full",
        in_sample: |it| it.queue_full,
        in_total: |it| it.queue_full,
        what: "a worker's queue was full: trimming or writing was too slow",
        cure: "See which strategy is dear and whether the disk is slow. More cores (`pipeline.legacy_cores`, `scanning_cores`), a longer queue (`pipeline.queue_batches`) for bursts, a faster disk or less compression",
    },
    Place {
        name: "write_failed",
        in_sample: |it| it.write_failed,
        in_total: |it| it.write_failed,
        what: "the output could not be written",
        cure: "Make room on the file system of `output.directory`, or set `output.quota` so that old captures make room by themselves; the log says what the system refused",
    },
];

/// Above this share of packets a loss is critical (the promise is 0.1 %).
const CRITICAL_SHARE: f64 = 0.001;

pub(super) fn find(collected: &Collected, found: &mut Vec<Finding>) {
    for place in &PLACES {
        found.extend(at(place, collected));
    }
    if let Some(status) = &collected.status
        && status.balance.unsigned_abs() > status.accounts.in_flight
        && status.balance != 0
    {
        found.push(Finding::new(
            "balance",
            Severity::Critical,
            format!("{} packets are unaccounted for", status.balance),
            format!(
                "{} were seen; written, omitted, passed on, lost and in flight do not add up to that",
                status.accounts.seen
            ),
            "This is a fault of the program: keep this archive, and report it",
        ));
    }
    for interface in &collected.interfaces {
        let missed = interface.rx_missed + interface.rx_fifo_errors;
        if missed > 0 && is_captured(collected, &interface.name) {
            found.push(Finding::new(
                "nic_missed",
                Severity::Warning,
                format!("{} lost {missed} packets before the kernel saw them", interface.name),
                "the device's own counters rx_missed and rx_fifo_errors, since the interface was made",
                format!("Raise the device's ring (`ethtool -G {} rx N`), use more queues, and move interrupts to free cores", interface.name),
            ));
        }
    }
}

fn is_captured(collected: &Collected, name: &str) -> bool {
    let status = collected.status.as_ref();
    status.is_some_and(|status| status.interfaces.iter().any(|interface| interface.name == name))
}

fn at(place: &Place, collected: &Collected) -> Option<Finding> {
    let samples = &collected.samples;
    let in_samples: u64 = samples.iter().map(|it| (place.in_sample)(&it.evidence.packets)).sum();
    let seen_in_samples: u64 = samples.iter().map(|it| it.evidence.packets.seen).sum();
    let accounts = collected.status.as_ref().map(|status| &status.accounts);
    let in_total = accounts.map_or(0, |accounts| (place.in_total)(&accounts.lost));
    // The totals are of this run of the daemon, the samples of these hours; each may know more.
    let (lost, seen, when) = if in_total > in_samples {
        (
            in_total,
            accounts.map_or(0, |it| it.seen),
            "since the daemon was started",
        )
    } else {
        (in_samples, seen_in_samples, "in the hours collected")
    };
    if lost == 0 {
        return None;
    }
    let share = lost as f64 / seen.max(lost) as f64;
    let severity = if share > CRITICAL_SHARE {
        Severity::Critical
    } else {
        Severity::Warning
    };
    let finding = Finding::new(
        place.name,
        severity,
        format!("{lost} packets were lost: {}", place.what),
        format!(
            "counter {}: {lost} of {seen} packets ({:.3} %) {when}",
            place.name,
            share * 100.0
        ),
        place.cure,
    );
    Some(finding.since(first(samples, |it| (place.in_sample)(&it.evidence.packets) > 0)))
}
