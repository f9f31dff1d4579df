//! Running totals at one moment, and the difference between two of them.

use super::KernelSide;
use crate::control::accounts::Accounts;
use crate::control::health::{Arm, Errors, Latency as Quantiles, Packets, Shadow};
use crate::shared::{Lane, LaneTotals, Latency, Shared, Stage, ThreadTotals};
use crate::trimmer::Class;

/// The lanes of `legacy`'s arm. In mode `comparison` `legacy`'s result is used.
pub(super) const LEGACY: &[Lane] = &[Lane::Legacy, Lane::Comparison];
/// The lanes of `scanning`'s arm. In mode `auto` `scanning` does what it can.
pub(super) const SCANNING: &[Lane] = &[Lane::Scanning, Lane::Auto];

/// Running totals at one moment.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    /// When, CLOCK_MONOTONIC nanoseconds.
    pub(super) taken: u64,
    pub(super) totals: ThreadTotals,
    accounts: Accounts,
    mode: u8,
    share: f64,
    busy: [(u64, u64); Lane::COUNT],
}

impl Snapshot {
    pub(super) fn take(taken: u64, kernel: &KernelSide, shared: &Shared) -> Self {
        let mut busy = [(0, 0); Lane::COUNT];
        for thread in &shared.threads {
            for (lane, (nanoseconds, packets)) in busy.iter_mut().enumerate() {
                *nanoseconds += thread.busy_ns[lane].get();
                *packets += thread.busy_packets[lane].get();
            }
        }
        Self {
            taken,
            totals: shared.totals(),
            accounts: kernel.accounts,
            mode: kernel.mode as u8,
            share: kernel.share,
            busy,
        }
    }

    pub(super) fn has_other_target(&self, earlier: &Self) -> bool {
        self.mode != earlier.mode || (self.share - earlier.share).abs() > f64::EPSILON
    }

    /// What the lanes of an arm did since `earlier`.
    pub(super) fn arm(&self, earlier: &Self, latency: &Latency, lanes: &[Lane]) -> Arm {
        let mut arm = Arm::default();
        for &lane in lanes {
            let (now, then) = (&self.totals.lanes[lane.index()], &earlier.totals.lanes[lane.index()]);
            add(&mut arm, now, then);
            let (busy, before) = (self.busy[lane.index()], earlier.busy[lane.index()]);
            arm.busy_ns += busy.0.saturating_sub(before.0);
            arm.busy_packets += busy.1.saturating_sub(before.1);
        }
        arm.latency = quantiles(latency, lanes, Stage::KernelToWritten);
        arm.trimming = quantiles(latency, lanes, Stage::ReceivedToTrimmed);
        arm
    }

    pub(super) fn packets(&self, earlier: &Self) -> Packets {
        let (now, then) = (&self.accounts, &earlier.accounts);
        let since = |of: fn(&Accounts) -> u64| of(now).saturating_sub(of(then));
        Packets {
            seen: since(|it| it.seen),
            written: since(|it| it.written),
            omitted: since(|it| it.omitted_by_kernel + it.omitted_by_trimmer),
            no_socket: since(|it| it.lost.no_socket),
            rx_ring_full: since(|it| it.lost.rx_ring_full),
            fill_ring_empty: since(|it| it.lost.fill_ring_empty),
            rx_dropped: since(|it| it.lost.rx_dropped),
            queue_full: since(|it| it.lost.queue_full),
            write_failed: since(|it| it.lost.write_failed),
        }
    }
}

fn add(arm: &mut Arm, now: &LaneTotals, then: &LaneTotals) {
    let since = |of: fn(&LaneTotals) -> u64| of(now).saturating_sub(of(then));
    arm.flows += since(|it| it.statistics.flows_seen);
    arm.packets += since(|it| it.counts.packets);
    arm.bytes += since(|it| it.counts.bytes_in);
    arm.messages += since(|it| it.statistics.messages);
    arm.errors = Errors {
        panics: arm.errors.panics + since(|it| it.counts.kept_by_panic),
        framing: arm.errors.framing + since(|it| it.statistics.lost_to_framing),
        gaps: arm.errors.gaps + since(|it| it.statistics.lost_to_gap),
        limits: arm.errors.limits + since(|it| it.statistics.lost_to_limit),
        released: arm.errors.released + since(|it| it.counts.released),
        evictions: arm.errors.evictions + since(|it| it.statistics.flows_evicted),
    };
    arm.shadow = Shadow {
        segments: arm.shadow.segments + since(|it| it.statistics.differences.compared),
        different: arm.shadow.different + since(|it| it.statistics.differences.wrong),
        header_bytes_lost: arm.shadow.header_bytes_lost + since(|it| it.statistics.differences.of(Class::HeaderLost)),
        body_bytes_kept: arm.shadow.body_bytes_kept + since(|it| it.statistics.differences.of(Class::BodyKept)),
    };
}

fn quantiles(latency: &Latency, lanes: &[Lane], stage: Stage) -> Quantiles {
    let mut all = latency.of(lanes[0], stage).clone();
    for &lane in &lanes[1..] {
        all.add(latency.of(lane, stage))
            .expect("all histograms have the same bounds");
    }
    Quantiles {
        packets: all.len(),
        p50: all.value_at_quantile(0.50),
        p95: all.value_at_quantile(0.95),
        p99: all.value_at_quantile(0.99),
    }
}
