//! Latency by strategy and stage.

use crate::control::figures;
use crate::control::status::Status;
use crate::shared::Stage;

/// One stage of one strategy.
pub(crate) struct LatencyRow {
    pub(crate) strategy: String,
    pub(crate) stage: &'static str,
    pub(crate) packets: String,
    pub(crate) p50: String,
    pub(crate) p95: String,
    pub(crate) p99: String,
    pub(crate) max: String,
}

/// A stage as people call it.
const fn words(stage: Stage) -> &'static str {
    match stage {
        Stage::ReceivedToTrimmed => "received to trimmed",
        Stage::TrimmedToWritten => "trimmed to written",
        Stage::KernelToWritten => "kernel to written",
    }
}

/// Strategies that have measured something, each with its stages.
pub(super) fn rows(status: &Status) -> Vec<LatencyRow> {
    let mut rows = Vec::new();
    for (name, strategy) in &status.strategies {
        for stage in Stage::ALL {
            let Some(latency) = strategy.latency.get(stage.name()).filter(|it| it.packets > 0) else {
                continue;
            };
            rows.push(LatencyRow {
                strategy: name.clone(),
                stage: words(stage),
                packets: figures::number(latency.packets),
                p50: figures::nanoseconds(latency.p50),
                p95: figures::nanoseconds(latency.p95),
                p99: figures::nanoseconds(latency.p99),
                max: figures::nanoseconds(latency.max),
            });
        }
    }
    rows
}
