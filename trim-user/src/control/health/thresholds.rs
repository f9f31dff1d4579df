//! What is good, what is a warning, what is critical. The defaults are what the deployment guide promises.

use std::time::Duration;

use super::DurationView;
use serde::{Deserialize, Serialize};

/// Two limits of a value that is better when it is smaller.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Limits {
    /// Above this it is a warning.
    pub warning: f64,
    /// Above this it is critical.
    pub critical: f64,
}

impl Limits {
    /// Two limits.
    pub const fn new(warning: f64, critical: f64) -> Self {
        Self { warning, critical }
    }
}

/// Every limit that health is judged by. What an older program stored without some of them gets their defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Thresholds {
    /// Packets not trimmed as they should be, share of a strategy's packets.
    pub errors: Limits,
    /// How much dearer or later `scanning` is than `legacy`, share: 0.2 is a fifth.
    pub slow_down: Limits,
    /// Memory of the machine in use, share.
    pub memory: Limits,
    /// Processor time in use, share.
    pub cpu: Limits,
    /// File system of the captures in use, share.
    pub disk: Limits,
    /// Flow table and frame pool in use, share.
    pub tables: Limits,
    /// 95th percentile of the time from the kernel to the file, nanoseconds.
    pub latency_p95_ns: Limits,
    /// Packets lost, share of those seen.
    pub loss: Limits,
    /// Segments on which shadow and strategy disagree, share: 1 less the accuracy.
    pub inaccuracy: Limits,
    /// Header bytes lost per million segments compared.
    pub header_loss: Limits,
    /// A thread without progress for so long, though something waits, does not respond.
    #[schema(value_type = DurationView)]
    pub unresponsive_after: Duration,
    /// It is a warning when disk or memory will be full within this time, should they go on as they did.
    #[schema(value_type = DurationView)]
    pub forecast: Duration,
    /// Below so many packets in the window a strategy's shares are not judged.
    pub fewest_packets: u64,
    /// Below so many compared segments the accuracy is not judged.
    pub fewest_segments: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            errors: Limits::new(0.05, 0.10),
            slow_down: Limits::new(0.20, 0.50),
            memory: Limits::new(0.80, 0.95),
            cpu: Limits::new(0.70, 0.95),
            disk: Limits::new(0.85, 0.95),
            tables: Limits::new(0.80, 0.98),
            latency_p95_ns: Limits::new(100e6, 1e9),
            loss: Limits::new(0.001, 0.01),
            inaccuracy: Limits::new(0.05, 0.10),
            header_loss: Limits::new(0.0, 0.0),
            unresponsive_after: Duration::from_secs(30),
            forecast: Duration::from_secs(24 * 3600),
            fewest_packets: 200,
            fewest_segments: 200,
        }
    }
}
