//! Single values of evidence, for trends and graphs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::control::health::{Arm, Evidence};

/// A value that can be followed over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// Packets of `legacy` not trimmed as they should be, share.
    LegacyErrorShare,
    /// Packets of `scanning` not trimmed as they should be, share.
    ScanningErrorShare,
    /// Cost of `legacy`, nanoseconds per packet.
    LegacyCost,
    /// Cost of `scanning`, nanoseconds per packet.
    ScanningCost,
    /// 95th percentile of the latency of `legacy`, nanoseconds.
    LegacyLatency,
    /// 95th percentile of the latency of `scanning`, nanoseconds.
    ScanningLatency,
    /// Flows that began, per second.
    Flows,
    /// Packets seen by the kernel program, per second.
    Packets,
    /// Flows that began on `scanning`, share.
    ScanningShare,
    /// Packets lost, share.
    LossShare,
    /// Segments on which both trimmers agree, share.
    Accuracy,
    /// Processor time of the process, share.
    CpuShare,
    /// Resident memory of the process, bytes.
    ResidentBytes,
    /// Memory of the machine in use, share.
    MemoryShare,
    /// Free space of the file system of the captures, bytes.
    DiskFree,
    /// Packets that wait for their labels, bytes.
    HeldBytes,
    /// Frames in use, share.
    UmemShare,
    /// Flow table in use, share.
    FlowTableShare,
}

impl Measured {
    /// Every one.
    pub const ALL: [Self; 18] = [
        Self::LegacyErrorShare,
        Self::ScanningErrorShare,
        Self::LegacyCost,
        Self::ScanningCost,
        Self::LegacyLatency,
        Self::ScanningLatency,
        Self::Flows,
        Self::Packets,
        Self::ScanningShare,
        Self::LossShare,
        Self::Accuracy,
        Self::CpuShare,
        Self::ResidentBytes,
        Self::MemoryShare,
        Self::DiskFree,
        Self::HeldBytes,
        Self::UmemShare,
        Self::FlowTableShare,
    ];

    /// The value; `None` when it was not measured.
    pub fn of(self, evidence: &Evidence) -> Option<f64> {
        let p95 = |arm: &Arm| (arm.latency.packets > 0).then_some(arm.latency.p95 as f64);
        let per_second = |count: u64| (evidence.seconds > 0.0).then(|| count as f64 / evidence.seconds);
        let (legacy, scanning, resources) = (&evidence.legacy, &evidence.scanning, &evidence.resources);
        let flows = legacy.flows + scanning.flows;
        match self {
            Self::LegacyErrorShare => legacy.error_share(),
            Self::ScanningErrorShare => scanning.error_share(),
            Self::LegacyCost => legacy.cost_ns(),
            Self::ScanningCost => scanning.cost_ns(),
            Self::LegacyLatency => p95(legacy),
            Self::ScanningLatency => p95(scanning),
            Self::Flows => per_second(flows),
            Self::Packets => per_second(evidence.packets.seen),
            Self::ScanningShare => (flows > 0).then(|| scanning.flows as f64 / flows as f64),
            Self::LossShare => evidence.packets.loss_share(),
            Self::Accuracy => scanning.shadow.accuracy(),
            Self::CpuShare => resources.cpu_share,
            Self::ResidentBytes => resources.resident_bytes.map(|bytes| bytes as f64),
            Self::MemoryShare => resources.memory_share(),
            Self::DiskFree => resources.disk_free.map(|bytes| bytes as f64),
            Self::HeldBytes => Some(resources.held_bytes as f64),
            Self::UmemShare => resources.umem_share,
            Self::FlowTableShare => resources.flow_table_share,
        }
    }

    /// Whether it is a state, of which a sum keeps only the last: its mean over the samples says more.
    const fn is_state(self) -> bool {
        matches!(
            self,
            Self::CpuShare
                | Self::ResidentBytes
                | Self::MemoryShare
                | Self::DiskFree
                | Self::HeldBytes
                | Self::UmemShare
                | Self::FlowTableShare
        )
    }

    /// The value of an interval of many samples: their mean for a state, else what the summed counts give.
    pub(super) fn over(self, sum: &Evidence, spread: &Spread) -> Option<f64> {
        if self.is_state() { spread.mean() } else { self.of(sum) }
    }
}

/// The values of many samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The lowest.
    pub low: f64,
    /// The highest.
    pub high: f64,
    /// Their sum.
    pub sum: f64,
    /// How many.
    pub count: u64,
}

impl Spread {
    const fn one(value: f64) -> Self {
        Self {
            low: value,
            high: value,
            sum: value,
            count: 1,
        }
    }

    const fn absorb(&mut self, value: f64) {
        self.low = self.low.min(value);
        self.high = self.high.max(value);
        self.sum += value;
        self.count += 1;
    }

    /// Their mean.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

/// The spread of each measured value.
pub(super) type Spreads = BTreeMap<Measured, Spread>;

/// Adds a sample.
pub(super) fn absorb(spreads: &mut Spreads, evidence: &Evidence) {
    for measured in Measured::ALL {
        // JSON has no infinity, and a mean has no use for it.
        if let Some(value) = measured.of(evidence).filter(|value| value.is_finite()) {
            spreads
                .entry(measured)
                .and_modify(|spread| spread.absorb(value))
                .or_insert(Spread::one(value));
        }
    }
}
