//! The machine: how the capture is attached, its disk, its memory, its clock.

use crate::control::health::{Moment, Trend};
use crate::control::store::Measured;
use crate::ops::diag::collected::Collected;

use super::{Finding, Severity, first};

/// A packet should not wait longer between trimming and the file's buffer, nanoseconds.
const SLOW_WRITE: u64 = 100_000_000;
/// Above these shares of the file system in use it is a warning and critical.
const DISK: (f64, f64) = (0.85, 0.95);
/// Growth of resident memory that is worth a word: share of its size per hour, and pairs of samples that rise.
const GROWTH: (f64, f64) = (0.02, 0.8);
/// For so long at least memory is watched before its growth is judged.
const GROWTH_OBSERVED: u64 = 30 * 60 * 1000;
/// A clock that is put right by less is no step, milliseconds.
const CLOCK_STEP: f64 = 1000.0;

pub(super) fn find(collected: &Collected, found: &mut Vec<Finding>) {
    attachment(collected, found);
    slow_disk(collected, found);
    full_disk(collected, found);
    memory(collected, found);
    clock(collected, found);
}

fn attachment(collected: &Collected, found: &mut Vec<Finding>) {
    let captured = collected.status.iter().flat_map(|status| &status.interfaces);
    for interface in captured {
        if interface.xdp_mode == "generic" {
            found.push(Finding::new(
                "generic_xdp",
                Severity::Warning,
                format!("{} is captured in generic XDP mode, which costs several times as much", interface.name),
                "the program is attached behind the driver, after the kernel has made a socket buffer of each packet",
                "Use a driver with native XDP (`trim interfaces` shows who has it); `capture.xdp_mode: native` refuses anything else",
            ));
        }
        if interface.link != "up" {
            found.push(Finding::new(
                "link_lost",
                Severity::Critical,
                format!("the link of {} is {}", interface.name, interface.link),
                "what netlink says when the archive was made",
                "Look at the cable, the SPAN session of the switch, and `ip link`",
            ));
        }
        let facts = collected.interfaces.iter().find(|facts| facts.name == interface.name);
        if facts.is_some_and(|facts| facts.rx_vlan_offload == Some(true)) {
            found.push(Finding::new(
                "vlan_offload",
                Severity::Warning,
                format!("{} takes VLAN tags out of packets before XDP sees them", interface.name),
                "rx-vlan-offload is on: captures have no tags, and flows of different VLANs look alike",
                format!("`ethtool -K {} rxvlan off`", interface.name),
            ));
        }
    }
}

fn slow_disk(collected: &Collected, found: &mut Vec<Finding>) {
    let strategies = collected.status.iter().flat_map(|status| &status.strategies);
    let slowest = strategies
        .filter_map(|(_, strategy)| strategy.latency.get("trimmed_to_written"))
        .map(|latency| (latency.p99, latency.max))
        .max();
    if let Some((p99, max)) = slowest.filter(|(p99, _)| *p99 > SLOW_WRITE) {
        found.push(Finding::new(
            "slow_disk",
            Severity::Warning,
            "trimmed packets wait long until they are written: the disk or the compression is too slow",
            format!(
                "one in a hundred waits more than {:.0} ms, the slowest {:.0} ms",
                p99 as f64 / 1e6,
                max as f64 / 1e6
            ),
            "See `iostat -x 1` and pressure/io in the archive; a faster disk, `output.compression: none`, or a core of its own for the writer (`pipeline.writer_core`)",
        ));
    }
}

fn full_disk(collected: &Collected, found: &mut Vec<Finding>) {
    let Some(last) = collected.samples.last() else { return };
    let Some(share) = last.evidence.resources.disk_share().filter(|share| *share > DISK.0) else {
        return;
    };
    let severity = if share > DISK.1 {
        Severity::Critical
    } else {
        Severity::Warning
    };
    let free = last.evidence.resources.disk_free.unwrap_or_default();
    let finding = Finding::new(
        "disk_full",
        severity,
        format!("the file system of the captures is {:.1} % full", share * 100.0),
        format!("{} MiB are free", free >> 20),
        "Set `output.quota` below the size of the file system, or move captures away; when it is full, packets are lost as write_failed",
    );
    let is_over = |share: Option<f64>| share.is_some_and(|share| share > DISK.0);
    found.push(finding.since(first(&collected.samples, |it| {
        is_over(it.evidence.resources.disk_share())
    })));
}

fn memory(collected: &Collected, found: &mut Vec<Finding>) {
    let points: Vec<(Moment, f64)> = collected
        .samples
        .iter()
        .filter_map(|sample| sample.point(Measured::ResidentBytes))
        .map(|point| (point.at, point.value))
        .collect();
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return;
    };
    if last.0.0.saturating_sub(first.0.0) < GROWTH_OBSERVED {
        return;
    }
    let Some(trend) = Trend::of(&points) else { return };
    if trend.per_hour < trend.now * GROWTH.0 || trend.rising < GROWTH.1 {
        return;
    }
    let total = collected
        .samples
        .last()
        .and_then(|sample| sample.evidence.resources.memory_total);
    let end = total.and_then(|total| trend.hours_to(total as f64));
    let ahead = end.map_or_else(String::new, |hours| {
        format!("; at this rate the machine's memory ends in {hours:.0} hours")
    });
    let finding = Finding::new(
        "memory_growth",
        Severity::Warning,
        format!(
            "the daemon's memory grows by {:.1} MiB an hour",
            trend.per_hour / 1_048_576.0
        ),
        format!(
            "from {:.0} to {:.0} MiB{ahead}",
            first.1 / 1_048_576.0,
            last.1 / 1_048_576.0
        ),
        "Growth that ends is tables filling up to their bounds (`trimming.max_flows`, `reassembly`). If it goes on beyond those, keep this archive and report it",
    );
    found.push(finding.since(Some(first.0)));
}

/// Each interval's length is known from a clock that is never put right, its end from the one that may be.
fn clock(collected: &Collected, found: &mut Vec<Finding>) {
    for pair in collected.samples.windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        let began = after.at.0 as f64 - after.evidence.seconds * 1000.0;
        let behind = before.at.0 as f64 - began;
        if behind > CLOCK_STEP {
            let finding = Finding::new(
                "clock_step",
                Severity::Warning,
                format!("the clock was set back by {:.1} s", behind / 1000.0),
                "an interval began before the one before it had ended",
                "Packets keep the time of the clock at the start of the capture, so files stay in order. Let chrony or ntpd slew instead of step, and restart the capture to take the new time",
            );
            found.push(finding.since(Some(after.at)));
            return;
        }
    }
}
